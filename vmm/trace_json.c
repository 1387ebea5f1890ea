// SPDX-License-Identifier: MIT
/*
 * By hand and not by printf or a library: this runs for every exit, and while it
 * runs too slowly the vCPUs wait.
 */
#include "trace_json.h"

#include <linux/kvm.h>
#include <string.h>

#include "core/base.h"
#include "flight.h"
#include "trace.h"
#include "trapmap/trapmap.h"

/* Of a device's name; escaped, a byte takes six at most. */
#define NAME_MAX_BYTES 64

static char *put(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

static char *put_dec(char *p, uint64_t val)
{
	char digits[20];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + val % 10);
	while (val /= 10);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static char *put_hex(char *p, uint64_t val)
{
	unsigned shift = 0;

	while (shift < 60 && val >> shift >> 4)
		shift += 4;
	*p++ = '0';
	*p++ = 'x';
	for (;; shift -= 4) {
		*p++ = "0123456789abcdef"[val >> shift & 0xf];
		if (shift == 0)
			return p;
	}
}

/* Nanoseconds as microseconds. */
static char *put_us(char *p, uint64_t ns)
{
	p = put_dec(p, ns / 1000);
	*p++ = '.';
	*p++ = (char)('0' + ns % 1000 / 100);
	*p++ = (char)('0' + ns % 100 / 10);
	*p++ = (char)('0' + ns % 10);
	return p;
}

/* How long the UTF-8 sequence at s is, by RFC 3629; 0: it is none. */
static unsigned utf8_len(const unsigned char *s)
{
	unsigned len, i;
	uint32_t code;

	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	code = s[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if ((len == 3 && code < 0x800) || (len == 4 && code < 0x10000) ||
	    (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	return len;
}

/* The inside of a JSON string (RFC 8259, section 7). */
static char *put_name(char *p, const char *name)
{
	const unsigned char *s = (const unsigned char *)name;
	const unsigned char *end = s + strnlen(name, NAME_MAX_BYTES);

	while (s < end) {
		unsigned len;

		if (*s == '"' || *s == '\\') {
			*p++ = '\\';
			*p++ = (char)*s++;
		} else if (*s < 0x20) {
			p = put(p, "\\u00");
			*p++ = (char)('0' + (*s >> 4));
			*p++ = "0123456789abcdef"[*s++ & 0xf];
		} else if (*s < 0x80) {
			*p++ = (char)*s++;
		} else {
			len = utf8_len(s);
			if (len == 0 || len > (size_t)(end - s)) {
				*p++ = '?';
				s++;
				continue;
			}
			memcpy(p, s, len);
			p += len;
			s += len;
		}
	}
	return p;
}

/* ---- metadata ------------------------------------------------------------- */

static char *put_meta(char *p, const char *name, unsigned tid)
{
	p = put(p, "{\"name\":\"");
	p = put(p, name);
	p = put(p, "\",\"ph\":\"M\",\"pid\":1,\"tid\":");
	p = put_dec(p, tid);
	return put(p, ",\"args\":{");
}

size_t trace_json_process(char *buf)
{
	char *p = put_meta(buf, "process_name", 0);

	p = put(p, "\"name\":\"guest\"}}");
	return (size_t)(p - buf);
}

size_t trace_json_vcpu(char *buf, unsigned vcpu)
{
	char *p = put_meta(buf, "thread_name", vcpu);

	p = put(p, "\"name\":\"vCPU ");
	p = put_dec(p, vcpu);
	p = put(p, "\"}}");
	return (size_t)(p - buf);
}

size_t trace_json_version(char *buf)
{
	char *p = put_meta(buf, "trapmap_trace", 0);

	p = put(p, "\"version\":");
	p = put_dec(p, TRACE_JSON_VERSION);
	p = put(p, "}}");
	return (size_t)(p - buf);
}

size_t trace_json_end(char *buf, uint64_t exits, uint64_t kernel_offset)
{
	char *p = put_meta(buf, "trapmap_end", 0);

	p = put(p, "\"exits\":");
	p = put_dec(p, exits);
	if (kernel_offset) {
		p = put(p, ",\"kernel_offset\":\"");
		p = put_hex(p, kernel_offset);
		*p++ = '"';
	}
	p = put(p, "}}");
	return (size_t)(p - buf);
}

/* ---- an exit -------------------------------------------------------------- */

static const char *category(uint32_t reason)
{
	switch (trace_kind(reason)) {
	case TRAPMAP_TRACE_PIO: return "pio";
	case TRAPMAP_TRACE_MMIO: return "mmio";
	case TRAPMAP_TRACE_MSR: return "msr";
	case TRAPMAP_TRACE_HYPERCALL: return "hypercall";
	}
	return "other";
}

/* NULL: no access. */
static const char *direction(const struct flight_record *rec)
{
	bool is_write = rec->flags & FLIGHT_WRITE;

	switch (rec->reason) {
	case KVM_EXIT_IO: return is_write ? "out" : "in";
	case KVM_EXIT_MMIO: return is_write ? "write" : "read";
	case KVM_EXIT_X86_RDMSR: return "rdmsr";
	case KVM_EXIT_X86_WRMSR: return "wrmsr";
	}
	return NULL;
}

static char *put_reason(char *p, uint32_t reason)
{
	const char *name = flight_reason(reason);

	return name ? put(p, name) : put_dec(p, reason);
}

/* "out 0x3f8 16550A", "rdmsr 0x1b", "hypercall 0x5", "SHUTDOWN" */
static char *put_title(char *p, const struct flight_record *rec,
		       const char *device)
{
	const char *dir = direction(rec);

	if (dir)
		p = put(p, dir);
	else if (rec->reason == KVM_EXIT_HYPERCALL)
		p = put(p, "hypercall");
	else
		return put_reason(p, rec->reason);
	*p++ = ' ';
	p = put_hex(p, rec->addr);
	if (rec->reason != KVM_EXIT_IO && rec->reason != KVM_EXIT_MMIO)
		return p;
	*p++ = ' ';
	return device ? put_name(p, device) : put(p, "unclaimed");
}

static char *put_args(char *p, const struct flight_record *rec,
		      const char *device)
{
	const char *dir = direction(rec);

	p = put(p, "\"reason\":\"");
	p = put_reason(p, rec->reason);
	*p++ = '"';
	if (dir || rec->reason == KVM_EXIT_HYPERCALL) {
		p = put(p, ",\"addr\":\"");
		p = put_hex(p, rec->addr);
		*p++ = '"';
	}
	if (dir) {
		p = put(p, ",\"dir\":\"");
		p = put(p, dir);
		p = put(p, "\",\"size\":");
		p = put_dec(p, rec->size);
		p = put(p, ",\"count\":");
		p = put_dec(p, rec->count);
	}
	p = put(p, ",\"value\":\"");
	p = put_hex(p, rec->value);
	*p++ = '"';
	if (device) {
		p = put(p, ",\"device\":\"");
		p = put_name(p, device);
		*p++ = '"';
	}
	if (rec->rip) {
		p = put(p, ",\"rip\":\"");
		p = put_hex(p, rec->rip);
		*p++ = '"';
	}
	return p;
}

size_t trace_json_exit(char *buf, const struct flight_record *rec,
		       unsigned vcpu, uint64_t ns, uint64_t dur_ns,
		       const char *device)
{
	char *p = put(buf, "{\"name\":\"");

	p = put_title(p, rec, device);
	p = put(p, "\",\"cat\":\"");
	p = put(p, category(rec->reason));
	p = put(p, "\",\"ph\":\"X\",\"ts\":");
	p = put_us(p, ns);
	p = put(p, ",\"dur\":");
	p = put_us(p, dur_ns);
	p = put(p, ",\"pid\":1,\"tid\":");
	p = put_dec(p, vcpu);
	p = put(p, ",\"args\":{");
	p = put_args(p, rec, device);
	p = put(p, "}}");
	return (size_t)(p - buf);
}
