// SPDX-License-Identifier: MIT
#include "postmortem/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/words.h"

#define COLUMNS 92

/* vCPUs that are told of at length; the report has them all. */
#define FULL_VCPUS 16

/* vCPUs of a short text, and how many lines of its exits each gets. */
#define SHORT_VCPUS 4
#define SHORT_EXITS 4

/* ---- vCPUs -------------------------------------------------------------- */

/* "halted, interrupts on, at 0x1000 = default_idle+0xb" */
static void put_place(FILE *f, const struct postmortem *pm,
		      const struct pm_vcpu *v)
{
	char symbol[128];

	fprintf(f, "%s", words_state(v->state));
	if (!v->has_regs || v->after_reset || v->state == PM_NOT_STARTED ||
	    v->state == PM_WAITING)
		return;
	fprintf(f, ", at %#" PRIx64, v->code_walk.linear);
	if (words_symbol(pm, v->code_walk.linear, symbol, sizeof(symbol)))
		fprintf(f, " = %s", symbol);
}

/* Whether one line says all that is of interest. */
static bool is_dull(const struct pm_vcpu *v)
{
	return v->state == PM_NOT_STARTED || v->state == PM_WAITING ||
	       v->state == PM_IDLE;
}

static void put_dull(FILE *f, const struct postmortem *pm, unsigned first,
		     unsigned last)
{
	if (first == last)
		fprintf(f, "vCPU %u: ", pm->vcpu[first].id);
	else
		fprintf(f, "vCPUs %u to %u: ", pm->vcpu[first].id,
			pm->vcpu[last].id);
	put_place(f, pm, &pm->vcpu[first]);
	fprintf(f, "\n");
}

/*
 * The vCPU of the verdict, or one that runs: where a guest has stopped all but
 * one, as Linux does that panics, it is that one. Or one that is not dull.
 */
static const struct pm_vcpu *most_telling(const struct postmortem *pm)
{
	unsigned i;

	if (pm->end.vcpu >= 0 && (unsigned)pm->end.vcpu < pm->vcpus)
		return &pm->vcpu[pm->end.vcpu];
	for (i = 0; i < pm->vcpus; i++)
		if (pm->vcpu[i].state == PM_RUNNING)
			return &pm->vcpu[i];
	for (i = 0; i < pm->vcpus; i++)
		if (!is_dull(&pm->vcpu[i]))
			return &pm->vcpu[i];
	return pm->vcpus ? &pm->vcpu[0] : NULL;
}

/*
 * The most telling one first; where all are dull, it is in full. Dull ones, and
 * those beyond the first few, are one line.
 */
static void put_vcpus(FILE *f, const struct postmortem *pm)
{
	const struct pm_vcpu *first;
	unsigned i, last, full = 1;
	bool more = false;

	if (!pm->vcpu)
		return;
	first = most_telling(pm);
	if (first)
		text_vcpu(f, pm, first);
	for (i = 0; i < pm->vcpus; i++) {
		const struct pm_vcpu *v = &pm->vcpu[i];

		if (v == first)
			continue;
		if (!is_dull(v) && full < FULL_VCPUS) {
			text_vcpu(f, pm, v);
			full++;
			continue;
		}
		more = more || !is_dull(v);
		last = i;
		while (v->state == PM_NOT_STARTED && last + 1 < pm->vcpus &&
		       pm->vcpu[last + 1].state == PM_NOT_STARTED &&
		       &pm->vcpu[last + 1] != first)
			last++;
		put_dull(f, pm, i, last);
		i = last;
	}
	if (more)
		fprintf(f,
			"The report (--report FILE) has all of every vCPU.\n");
}

static void put_short_vcpus(FILE *f, const struct postmortem *pm)
{
	unsigned i, shown = 0;

	for (i = 0; i < pm->vcpus && shown < SHORT_VCPUS; i++) {
		const struct pm_vcpu *v = &pm->vcpu[i];

		if (v->state == PM_NOT_STARTED)
			continue;
		fprintf(f, "vCPU %u: ", v->id);
		put_place(f, pm, v);
		fprintf(f, "\n");
		text_exits(f, pm, v, SHORT_EXITS);
		shown++;
	}
}

/* ---- what it touched ---------------------------------------------------- */

/* A place that has a name is one line, however many addresses it is. */
static void put_unclaimed(FILE *f, bool is_mmio, const struct pm_unclaimed *u,
			  unsigned len, uint64_t others)
{
	unsigned i, from;

	if (len == 0)
		return;
	fprintf(f, "Unclaimed %s (reads gave all ones, writes vanished):\n",
		is_mmio ? "addresses" : "ports");
	for (i = 0; i < len;) {
		uint64_t first = 0, last = 0, reads = 0, writes = 0;
		const char *name = words_place(is_mmio, u[i].addr, &first,
					       &last);

		for (from = i;
		     i < len && (i == from || (name && u[i].addr <= last)); i++) {
			reads += u[i].reads;
			writes += u[i].writes;
		}
		fprintf(f, "  %#" PRIx64, u[from].addr);
		if (i - from > 1)
			fprintf(f, " to %#" PRIx64, u[i - 1].addr);
		fprintf(f, ": %" PRIu64 " read%s, %" PRIu64 " write%s", reads,
			reads == 1 ? "" : "s", writes, writes == 1 ? "" : "s");
		if (name)
			fprintf(f, "  (%s)", name);
		fprintf(f, "\n");
	}
	if (others)
		fprintf(f, "  others: %" PRIu64 " accesses\n", others);
}

static void put_posts(FILE *f, const struct postmortem *pm)
{
	unsigned i;

	if (pm->posts == 0)
		return;
	fprintf(f, "POST codes (port 0x80), the oldest first:\n");
	for (i = 0; i < pm->posts; i++) {
		const struct pm_post *p = &pm->post[i];

		fprintf(f, "  %#04x  ", p->code);
		text_before(f, (double)p->before_ns / 1e3);
		if (p->count > 1)
			fprintf(f, ", %" PRIu64 " in a row", p->count);
		fprintf(f, "\n");
	}
}

/* ---- consoles ----------------------------------------------------------- */

static void put_silence(FILE *f, const struct postmortem *pm)
{
	if (!pm->silent)
		return;
	fprintf(f, "The guest was silent: not a byte came out of a console.");
	if (pm->bytes[WATCH_DEBUGCON])
		fprintf(f,
			" What it wrote to the debug console (%" PRIu64
			" %s) went nowhere: that is not connected.",
			pm->bytes[WATCH_DEBUGCON],
			pm->bytes[WATCH_DEBUGCON] == 1 ? "byte" : "bytes");
	if (pm->posts == 0)
		fprintf(f, " No POST code was written.");
	fprintf(f, "\n");
}

static void put_consoles(FILE *f, const struct postmortem *pm)
{
	size_t i;

	if (!pm->silent)
		fprintf(f,
			"Consoles: %" PRIu64 " bytes on the serial port%s, "
			"%" PRIu64 " on the debug console",
			pm->serial_bytes,
			pm->serial_bytes > pm->bytes[WATCH_COM1] ? "s" : "",
			pm->bytes[WATCH_DEBUGCON]);
	if (!pm->silent && pm->hvc_bytes)
		fprintf(f, ", %" PRIu64 " on virtio consoles", pm->hvc_bytes);
	if (!pm->silent)
		fprintf(f, "\n");
	for (i = 0; i < pm->hits; i++)
		fprintf(f, "  %s, line %" PRIu64 " (%s): %s\n",
			words_stream(pm->hit[i].stream), pm->hit[i].number,
			pm->hit[i].what, pm->hit[i].line);
	if (pm->missing)
		fprintf(f, "  no line matched: %s\n", pm->missing);
}

/* ---- what to try -------------------------------------------------------- */

/* "  - text", wrapped. */
static void put_wrapped(FILE *f, const char *text)
{
	size_t column = 4, n;

	fprintf(f, "  - ");
	for (;;) {
		n = strcspn(text, " ");
		if (column > 4 && column + 1 + n > COLUMNS) {
			fprintf(f, "\n    ");
			column = 4;
		} else if (column > 4) {
			fprintf(f, " ");
			column++;
		}
		fprintf(f, "%.*s", (int)n, text);
		column += n;
		if (!text[n])
			break;
		text += n + 1;
	}
	fprintf(f, "\n");
}

static void put_hints(FILE *f, const struct postmortem *pm)
{
	char hint[PM_HINTS][PM_NOTE];
	unsigned i, n = postmortem_hints(pm, hint);

	if (n)
		fprintf(f, "What to try next:\n");
	for (i = 0; i < n; i++)
		put_wrapped(f, hint[i]);
}

char *postmortem_text(const struct postmortem *pm)
{
	char *text = NULL;
	size_t len;
	FILE *f;

	f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	put_silence(f, pm);
	if (pm->symbols.note[0])
		fprintf(f, "Symbols: %s\n", pm->symbols.note);
	if (pm->depth == PM_FULL)
		put_vcpus(f, pm);
	else if (pm->depth == PM_SHORT)
		put_short_vcpus(f, pm);
	put_posts(f, pm);
	put_unclaimed(f, false, pm->pio_unclaimed, pm->pio_unclaimed_len,
		      pm->pio_others);
	put_unclaimed(f, true, pm->mmio_unclaimed, pm->mmio_unclaimed_len,
		      pm->mmio_others);
	if (pm->depth == PM_FULL)
		put_consoles(f, pm);
	put_hints(f, pm);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
