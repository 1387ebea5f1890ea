// SPDX-License-Identifier: MIT
/* The report: docs/report.md has every field, docs/report.schema.json the form. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/report_json.h"
#include "postmortem/words.h"
#include "stats.h"

#define SCHEMA_VERSION 1

/* ---- values ------------------------------------------------------------- */

void report_set(struct report *r, json_t *obj, const char *key, json_t *val)
{
	if (json_object_set_new(obj, key, val) < 0)
		r->failed = true;
}

void report_add(struct report *r, json_t *list, json_t *val)
{
	if (json_array_append_new(list, val) < 0)
		r->failed = true;
}

/*
 * The length of the well-formed UTF-8 sequence at s, or 0. The Unicode
 * Standard, table 3-7.
 */
static unsigned utf8_len(const uint8_t *s, size_t len)
{
	uint8_t lo = 0x80, hi = 0xbf;
	unsigned n, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		lo = 0xa0; /* no overlong form */
	else if (s[0] == 0xed)
		hi = 0x9f; /* no surrogate */
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f; /* none beyond U+10FFFF */
	if (n > len || s[1] < lo || s[1] > hi)
		return 0;
	for (i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

json_t *report_text(const char *text, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	const uint8_t *s = (const uint8_t *)text;
	char *buf;
	size_t i, n = 0;
	json_t *val;

	len = strnlen(text, len);
	buf = malloc(len * 3 + 1);
	if (!buf)
		return NULL;
	for (i = 0; i < len;) {
		unsigned k = utf8_len(s + i, len - i);

		memcpy(buf + n, k ? text + i : replacement, k ? k : 3);
		n += k ? k : 3;
		i += k ? k : 1;
	}
	val = json_stringn_nocheck(buf, n);
	free(buf);
	return val;
}

json_t *report_string(const char *text)
{
	return text ? report_text(text, strlen(text)) : json_null();
}

json_t *report_hex(uint64_t val)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, val);
	return json_string(text);
}

json_t *report_count(uint64_t val)
{
	return json_integer(val <= INT64_MAX ? (json_int_t)val : INT64_MAX);
}

json_t *report_symbol(const struct report *r, uint64_t addr)
{
	char text[256];

	if (!words_symbol(r->pm, addr, text, sizeof(text)))
		return json_null();
	return report_string(text);
}

/* ---- parts -------------------------------------------------------------- */

static json_t *verdict(struct report *r)
{
	const struct trapmap_end *end = &r->pm->end;
	json_t *obj = json_object();

	report_set(r, obj, "kind", json_string(words_kind((int)end->kind)));
	report_set(r, obj, "status", json_integer(end->status));
	report_set(r, obj, "text", report_string(end->text));
	report_set(r, obj, "vcpu",
		   end->vcpu >= 0 ? json_integer(end->vcpu) : json_null());
	return obj;
}

static json_t *host(struct report *r)
{
	static const char *const kvm[] = {
		[TRAPMAP_KVM_UNKNOWN] = "unknown",
		[TRAPMAP_KVM_VTX] = "vt-x",
		[TRAPMAP_KVM_AMDV] = "amd-v",
		[TRAPMAP_KVM_SOFTWARE] = "software",
	};
	const struct postmortem *pm = r->pm;
	json_t *obj = json_object();

	report_set(r, obj, "kvm", json_string(kvm[pm->kvm_kind]));
	report_set(r, obj, "nested_paging",
		   pm->nested_paging < 0 ? json_null()
					 : json_boolean(pm->nested_paging));
	report_set(r, obj, "vendor",
		   report_text(pm->vendor, sizeof(pm->vendor)));
	report_set(r, obj, "doctor",
		   report_string(pm->doctor[0] ? pm->doctor : NULL));
	return obj;
}

static json_t *memory(struct report *r, const struct mem_back_config *m)
{
	static const char *const thp[] = {
		[TRAPMAP_THP_DEFAULT] = "default",
		[TRAPMAP_THP_ON] = "on",
		[TRAPMAP_THP_OFF] = "off",
	};
	json_t *obj = json_object();

	report_set(r, obj, "backing", json_string(mem_back_name(m->backing)));
	report_set(r, obj, "path", report_string(m->path));
	report_set(r, obj, "page_size",
		   m->page_size ? report_count(m->page_size) : json_null());
	report_set(r, obj, "thp", json_string(thp[m->thp]));
	report_set(r, obj, "prealloc", json_boolean(m->prealloc));
	report_set(r, obj, "lock", json_boolean(m->lock));
	return obj;
}

static json_t *guest(struct report *r)
{
	const struct postmortem *pm = r->pm;
	json_t *obj = json_object(), *initrds = json_array();
	unsigned i;

	report_set(r, obj, "kernel", report_string(pm->kernel));
	report_set(r, obj, "format", report_string(pm->format));
	report_set(r, obj, "boot", report_string(pm->boot));
	for (i = 0; i < pm->initrds; i++)
		report_add(r, initrds, report_string(pm->initrd[i]));
	report_set(r, obj, "initrds", initrds);
	report_set(r, obj, "cmdline", report_string(pm->cmdline));
	report_set(r, obj, "mem", report_count(pm->mem));
	report_set(r, obj, "memory",
		   pm->memory ? memory(r, pm->memory) : json_null());
	report_set(r, obj, "cpus", json_integer(pm->cpus));
	return obj;
}

struct stream_name {
	char text[16];
};

static struct stream_name stream_name(enum watch_stream stream)
{
	struct stream_name name;

	snprintf(name.text, sizeof(name.text), "com%d",
		 (int)stream - WATCH_COM1 + 1);
	if (stream == WATCH_DEBUGCON)
		name = (struct stream_name){ "debugcon" };
	else if (stream >= WATCH_HVC)
		snprintf(name.text, sizeof(name.text), "hvc%d",
			 (int)stream - WATCH_HVC);
	return name;
}

static const char *rule_name(enum trapmap_rule rule)
{
	switch (rule) {
	case TRAPMAP_RULE_PANIC: return "panic";
	case TRAPMAP_RULE_SPLAT: return "splat";
	case TRAPMAP_RULE_FAIL: return "fail";
	case TRAPMAP_RULE_EXPECT: break;
	}
	return "expect";
}

static json_t *console(struct report *r)
{
	const struct postmortem *pm = r->pm;
	json_t *obj = json_object(), *count = json_object();
	json_t *hits = json_array();
	size_t i;

	for (i = 0; i < WATCH_STREAMS; i++)
		if (i == WATCH_COM1 || i == WATCH_DEBUGCON || pm->bytes[i])
			report_set(r, count,
				   stream_name((enum watch_stream)i).text,
				   report_count(pm->bytes[i]));
	report_set(r, obj, "bytes", count);
	report_set(r, obj, "silent", json_boolean(pm->silent));
	for (i = 0; i < pm->hits; i++) {
		const struct watch_hit *hit = &pm->hit[i];
		json_t *h = json_object();

		report_set(r, h, "rule", json_string(rule_name(hit->rule)));
		report_set(r, h, "what", report_string(hit->what));
		report_set(r, h, "stream",
			   json_string(stream_name(hit->stream).text));
		report_set(r, h, "line", report_count(hit->number));
		report_set(r, h, "text",
			   report_text(hit->line, sizeof(hit->line)));
		report_add(r, hits, h);
	}
	report_set(r, obj, "hits", hits);
	report_set(r, obj, "missing", report_string(pm->missing));
	return obj;
}

static json_t *post_codes(struct report *r)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < r->pm->posts; i++) {
		const struct pm_post *p = &r->pm->post[i];
		json_t *post = json_object();

		report_set(r, post, "code", report_hex(p->code));
		report_set(r, post, "count", report_count(p->count));
		report_set(r, post, "time_us",
			   json_real(-(double)p->before_ns / 1e3));
		report_add(r, list, post);
	}
	return list;
}

static json_t *unclaimed_list(struct report *r, bool is_mmio,
			      const struct pm_unclaimed *u, unsigned len)
{
	json_t *list = json_array();
	uint64_t first, last;
	unsigned i;

	for (i = 0; i < len; i++) {
		json_t *obj = json_object();

		report_set(r, obj, "address", report_hex(u[i].addr));
		report_set(r, obj, "reads", report_count(u[i].reads));
		report_set(r, obj, "writes", report_count(u[i].writes));
		report_set(r, obj, "place",
			   report_string(words_place(is_mmio, u[i].addr, &first,
						     &last)));
		report_add(r, list, obj);
	}
	return list;
}

static json_t *unclaimed(struct report *r)
{
	const struct postmortem *pm = r->pm;
	json_t *obj = json_object();

	report_set(r, obj, "pio",
		   unclaimed_list(r, false, pm->pio_unclaimed,
				  pm->pio_unclaimed_len));
	report_set(r, obj, "mmio",
		   unclaimed_list(r, true, pm->mmio_unclaimed,
				  pm->mmio_unclaimed_len));
	report_set(r, obj, "pio_others", report_count(pm->pio_others));
	report_set(r, obj, "mmio_others", report_count(pm->mmio_others));
	return obj;
}

/* ---- statistics --------------------------------------------------------- */

static json_t *stats_rows(struct report *r, const struct stats_row *row,
			  size_t count, bool places)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < count; i++, row++) {
		const char *name = flight_reason(row->reason);
		json_t *obj = json_object();

		report_set(r, obj, "reason",
			   name ? json_string(name) : json_integer(row->reason));
		if (places) {
			report_set(r, obj, "first",
				   row->others ? json_null()
					       : report_hex(row->first));
			report_set(r, obj, "last",
				   row->others ? json_null()
					       : report_hex(row->last));
			report_set(r, obj, "device", report_string(row->device));
		}
		report_set(r, obj, "count", report_count(row->count));
		report_set(r, obj, "total_ns", report_count(row->total_ns));
		report_set(r, obj, "worst_ns", report_count(row->worst_ns));
		report_add(r, list, obj);
	}
	return list;
}

static json_t *known(uint64_t val)
{
	return val == STATS_UNKNOWN ? json_null() : report_count(val);
}

static json_t *stats_queues(struct report *r, const struct stats_queue *q,
			    size_t count)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < count; i++, q++) {
		const struct {
			const char *name;
			uint64_t val;
		} figure[] = {
			{ "requests", q->requests },
			{ "bytes", q->bytes },
			{ "notifications", q->notifications },
			{ "notifications_saved", q->notifications_saved },
			{ "interrupts", q->interrupts },
			{ "interrupts_saved", q->interrupts_saved },
		};
		json_t *obj = json_object();
		size_t k;

		report_set(r, obj, "device", report_string(q->device));
		report_set(r, obj, "queue", json_integer(q->queue));
		report_set(r, obj, "in_kernel", json_boolean(q->in_kernel));
		for (k = 0; k < ARRAY_SIZE(figure); k++)
			report_set(r, obj, figure[k].name,
				   q->in_kernel ? json_null() :
						  report_count(figure[k].val));
		report_add(r, list, obj);
	}
	return list;
}

static json_t *stats_balloon(struct report *r, const struct stats_balloon *b)
{
	json_t *obj = json_object();

	report_set(r, obj, "target", report_count(b->target));
	report_set(r, obj, "actual", report_count(b->actual));
	report_set(r, obj, "inflated", report_count(b->inflated));
	report_set(r, obj, "reported", report_count(b->reported));
	return obj;
}

static json_t *stats(struct report *r)
{
	const struct stats_total *t = r->pm->stats;
	json_t *obj, *time;

	if (!t)
		return json_null();
	obj = json_object();
	time = json_object();
	report_set(r, obj, "reasons",
		   stats_rows(r, t->reasons, t->reason_count, false));
	report_set(r, obj, "places",
		   stats_rows(r, t->places, t->place_count, true));
	report_set(r, time, "wall_ns", known(t->time.wall_ns));
	report_set(r, time, "trapmap_ns", known(t->time.trapmap_ns));
	report_set(r, time, "standing_ns", known(t->time.standing_ns));
	report_set(r, time, "guest_ns", known(t->time.guest_ns));
	report_set(r, time, "halted_ns", known(t->time.halted_ns));
	report_set(r, time, "kvm_ns", known(t->time.kvm_ns));
	report_set(r, obj, "time", time);
	report_set(r, obj, "queues",
		   stats_queues(r, t->queues, t->queue_count));
	report_set(r, obj, "balloon",
		   t->has_balloon ? stats_balloon(r, &t->balloon) :
				    json_null());
	return obj;
}

/* ---- the rest ----------------------------------------------------------- */

static json_t *symbols(struct report *r)
{
	static const char *const fit[] = {
		[SYMBOLS_FIT] = "fit",
		[SYMBOLS_MISFIT] = "misfit",
		[SYMBOLS_UNKNOWN] = "unknown",
	};
	const struct pm_symbols *s = &r->pm->symbols;
	json_t *obj;

	if (!s->file)
		return json_null();
	obj = json_object();
	report_set(r, obj, "file", report_string(s->file));
	report_set(r, obj, "fit",
		   json_string(s->table ? fit[s->fit] : "unreadable"));
	report_set(r, obj, "offset",
		   s->table && s->fit == SYMBOLS_FIT ? report_hex(s->offset)
						     : json_null());
	report_set(r, obj, "note", report_string(s->note[0] ? s->note : NULL));
	return obj;
}

static json_t *hints(struct report *r)
{
	char hint[PM_HINTS][PM_NOTE];
	unsigned i, n = postmortem_hints(r->pm, hint);
	json_t *list = json_array();

	for (i = 0; i < n; i++)
		report_add(r, list, report_string(hint[i]));
	return list;
}

static json_t *vcpus(struct report *r)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < r->pm->vcpus; i++)
		report_add(r, list, report_vcpu(r, &r->pm->vcpu[i]));
	return list;
}

char *postmortem_report(const struct postmortem *pm)
{
	struct report r = { .pm = pm };
	json_t *root = json_object();
	char *text = NULL;

	report_set(&r, root, "schema", json_integer(SCHEMA_VERSION));
	report_set(&r, root, "trapmap", json_string(trapmap_version()));
	report_set(&r, root, "verdict", verdict(&r));
	report_set(&r, root, "duration_ms",
		   pm->began.ns && pm->over.ns > pm->began.ns
			   ? json_real((double)(pm->over.ns - pm->began.ns) / 1e6)
			   : json_null());
	report_set(&r, root, "host", host(&r));
	report_set(&r, root, "guest", guest(&r));
	report_set(&r, root, "console", console(&r));
	report_set(&r, root, "post_codes", post_codes(&r));
	report_set(&r, root, "unclaimed", unclaimed(&r));
	report_set(&r, root, "stats", stats(&r));
	report_set(&r, root, "symbols", symbols(&r));
	report_set(&r, root, "vcpus", vcpus(&r));
	report_set(&r, root, "hints", hints(&r));
	/* Twelve digits: nanoseconds of a run of days; 17 would show roundings. */
	if (root && !r.failed)
		text = json_dumps(root,
				  JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	json_decref(root);
	return text;
}
