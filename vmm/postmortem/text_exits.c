// SPDX-License-Identifier: MIT
#include "postmortem/text.h"

#include <inttypes.h>

#include "layout.h"
#include "postmortem/words.h"

#define UART_LSR 5 /* the 16550's line status register */

static bool alike(const struct flight_record *a, const struct flight_record *b)
{
	return a->reason == b->reason && a->addr == b->addr &&
	       a->value == b->value && a->rip == b->rip &&
	       a->count == b->count && a->size == b->size &&
	       a->flags == b->flags;
}

/* Microseconds, or what reads better; in ten columns. */
static void put_time(FILE *f, double us)
{
	double size = us < 0 ? -us : us;

	if (size < 10e3)
		fprintf(f, "%7.1f us", us);
	else if (size < 10e6)
		fprintf(f, "%7.1f ms", us / 1e3);
	else
		fprintf(f, "%7.1f s ", us / 1e6);
}

void text_before(FILE *f, double us)
{
	if (us < 10e3)
		fprintf(f, "%.1f us before the end", us);
	else if (us < 10e6)
		fprintf(f, "%.1f ms before the end", us / 1e3);
	else
		fprintf(f, "%.1f s before the end", us / 1e6);
}

static void put_access(FILE *f, const struct flight_record *rec,
		       const char *device)
{
	bool is_write = rec->flags & FLIGHT_WRITE;

	fprintf(f, "%-5s %#" PRIx64 "%s%#.*" PRIx64,
		rec->reason == KVM_EXIT_IO ? (is_write ? "out" : "in")
					   : (is_write ? "write" : "read"),
		rec->addr, is_write ? " <- " : " -> ", rec->size * 2,
		rec->value);
	if (rec->count > 1)
		fprintf(f, " and %u more", rec->count - 1u);
	if (rec->flags & FLIGHT_UNCLAIMED)
		fprintf(f, "  (nothing there)");
	else if (device)
		fprintf(f, "  (%s)", device);
}

void text_exit(FILE *f, const struct postmortem *pm,
	       const struct flight_record *rec)
{
	const char *name = flight_reason(rec->reason);
	char symbol[128];

	switch (rec->reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO: put_access(f, rec, words_device(pm, rec)); break;
	case KVM_EXIT_X86_RDMSR:
		fprintf(f, "rdmsr %#" PRIx64 " -> %#" PRIx64, rec->addr,
			rec->value);
		break;
	case KVM_EXIT_X86_WRMSR:
		fprintf(f, "wrmsr %#" PRIx64 " <- %#" PRIx64, rec->addr,
			rec->value);
		break;
	case KVM_EXIT_HYPERCALL:
		fprintf(f, "hypercall %" PRIu64, rec->addr);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		fprintf(f, "INTERNAL_ERROR, suberror %" PRIu64, rec->value);
		break;
	case KVM_EXIT_SHUTDOWN: fprintf(f, "SHUTDOWN, a triple fault"); break;
	default:
		if (name)
			fprintf(f, "%s", name);
		else
			fprintf(f, "exit reason %u", rec->reason);
	}
	if (rec->rip) {
		fprintf(f, "  at %#" PRIx64, rec->rip);
		if (words_symbol(pm, rec->rip, symbol, sizeof(symbol)))
			fprintf(f, " %s", symbol);
	}
}

/* ---- folding ------------------------------------------------------------ */

/* What a guest does that puts a byte out by hand: waits, and writes it. */
static bool is_serial_write(const struct flight_record *rec)
{
	return rec->reason == KVM_EXIT_IO && rec->addr == LAYOUT_PORT_COM1 &&
	       rec->flags == FLIGHT_WRITE && rec->size == 1 && rec->count == 1;
}

static bool is_serial_output(const struct flight_record *rec)
{
	return is_serial_write(rec) ||
	       (rec->reason == KVM_EXIT_IO && rec->size == 1 &&
		rec->addr == LAYOUT_PORT_COM1 + UART_LSR && rec->flags == 0);
}

enum { SERIAL_MIN = 4, SERIAL_SHOWN = 48 };

/* How many exits from rec on are serial output; 0 where it is not worth it. */
static unsigned serial_run(const struct flight_record *rec, unsigned len)
{
	unsigned n, writes = 0;

	for (n = 0; n < len && is_serial_output(&rec[n]); n++)
		writes += is_serial_write(&rec[n]);
	return n >= SERIAL_MIN && writes > 1 ? n : 0;
}

/* Exits that are one line, or a few that come over and over. */
struct group {
	unsigned first, len;
	unsigned period; /* lines; 0: serial output */
};

#define PERIOD_MAX 4

/* How many exits from rec on repeat the first `period` of them, whole times. */
static unsigned repeats(const struct flight_record *rec, unsigned len,
			unsigned period)
{
	unsigned n = period;

	while (n < len && alike(&rec[n - period], &rec[n]))
		n++;
	return n - n % period;
}

static struct group group_at(const struct flight_record *rec, unsigned first,
			     unsigned count)
{
	unsigned left = count - first, n, period;
	struct group g = { .first = first };

	g.len = serial_run(&rec[first], left);
	if (g.len)
		return g;
	g.period = 1;
	g.len = repeats(&rec[first], left, 1);
	for (period = 2; period <= PERIOD_MAX && period <= left; period++) {
		n = repeats(&rec[first], left, period);
		if (n < 3 * period || n <= g.len)
			continue;
		g.period = period;
		g.len = n;
	}
	return g;
}

/* The last of the bytes that went out, as a C string has them. */
static void put_serial(FILE *f, const struct flight_record *rec, unsigned len)
{
	unsigned i, skip = 0;

	for (i = 0; i < len; i++)
		skip += is_serial_write(&rec[i]);
	skip = skip > SERIAL_SHOWN ? skip - SERIAL_SHOWN : 0;
	fprintf(f, "serial output %s\"", skip ? "..." : "");
	for (i = 0; i < len; i++) {
		uint8_t c = (uint8_t)rec[i].value;

		if (!is_serial_write(&rec[i]))
			continue;
		if (skip) {
			skip--;
			continue;
		}
		if (c == '\n' || c == '\r')
			fprintf(f, "\\%c", c == '\n' ? 'n' : 'r');
		else if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			fprintf(f, "\\x%02x", c);
		else
			fprintf(f, "%c", c);
	}
	fprintf(f, "\", %u exits", len);
}

static unsigned lines_of(const struct group *g)
{
	return g->period ? g->period : 1;
}

static void put_group(FILE *f, const struct postmortem *pm,
		      const struct flight_record *rec, const struct group *g)
{
	unsigned i, end = g->first + g->len, times;

	for (i = end - lines_of(g); i < end; i++) {
		fprintf(f, "  ");
		put_time(f, words_when(pm, rec[i].tsc));
		fprintf(f, "  ");
		if (g->period == 0)
			put_serial(f, &rec[g->first], g->len);
		else
			text_exit(f, pm, &rec[i]);
		times = g->period ? g->len / g->period : 1;
		if (times > 1 && i == end - 1 && g->period > 1)
			fprintf(f, "  these %u x %u", g->period, times);
		else if (times > 1 && i == end - 1)
			fprintf(f, "  x %u", times);
		fprintf(f, "\n");
	}
}

void text_exits(FILE *f, const struct postmortem *pm,
		const struct pm_vcpu *vcpu, unsigned lines)
{
	struct group group[FLIGHT_RECORDS];
	unsigned n = 0, at = 0, count = vcpu->exit_count, i, taken;

	if (count == 0) {
		fprintf(f, "  no exit at all: it never touched a device\n");
		return;
	}
	while (at < count && n < FLIGHT_RECORDS) {
		group[n] = group_at(vcpu->exit, at, count);
		at += group[n++].len;
	}
	i = n - 1;
	taken = lines_of(&group[i]);
	while (i > 0 && taken + lines_of(&group[i - 1]) <= lines)
		taken += lines_of(&group[--i]);
	fprintf(f, "  last %u of %" PRIu64 " exits, by the time to the end:\n",
		at - group[i].first, vcpu->exits);
	for (; i < n; i++)
		put_group(f, pm, vcpu->exit, &group[i]);
}
