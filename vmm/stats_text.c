// SPDX-License-Identifier: MIT
#include "stats.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>

#include "flight.h"

/* A reader wants the dearest places; the report has them all. */
#define PLACES_MAX 40

/* Where a share of the time ends. */
#define SHARE 50
#define COLUMN 42 /* where the figures begin */

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void put_figures(FILE *f, const struct stats_row *row)
{
	fprintf(f, "%10" PRIu64 " %12.3f %11.1f\n", row->count,
		ms(row->total_ns), (double)row->worst_ns / 1e3);
}

static void put_head(FILE *f, const char *title)
{
	fprintf(f, "%-*s%10s %12s %11s\n", COLUMN, title, "count", "total ms",
		"worst us");
}

static void put_reasons(FILE *f, const struct stats_total *total)
{
	size_t i;

	put_head(f, "Exits by reason");
	for (i = 0; i < total->reason_count; i++) {
		const struct stats_row *row = &total->reasons[i];
		const char *name = flight_reason(row->reason);
		int n = name ? fprintf(f, "  %s", name) :
			       fprintf(f, "  reason %" PRIu32, row->reason);

		fprintf(f, "%*s", COLUMN - n, "");
		put_figures(f, row);
	}
	if (total->reason_count == 0)
		fprintf(f, "  none\n");
}

static const char *what_answers(const struct stats_row *row)
{
	if (row->device)
		return row->device;
	if (row->reason == KVM_EXIT_IO || row->reason == KVM_EXIT_MMIO)
		return "unclaimed";
	if (row->reason == KVM_EXIT_X86_RDMSR)
		return "read";
	if (row->reason == KVM_EXIT_X86_WRMSR)
		return "written";
	return "";
}

static void put_place(FILE *f, const struct stats_row *row)
{
	char range[48];
	int n;

	if (row->first == row->last)
		snprintf(range, sizeof(range), "%#" PRIx64, row->first);
	else
		snprintf(range, sizeof(range), "%#" PRIx64 "-%#" PRIx64,
			 row->first, row->last);
	if (row->others)
		n = fprintf(f, "  other addresses");
	else
		n = fprintf(f, "  %-21s  %s", range, what_answers(row));
	fprintf(f, "%*s", n < COLUMN ? COLUMN - n : 1, "");
	put_figures(f, row);
}

/* Under one title the places of up to two reasons. */
static void put_places(FILE *f, const struct stats_total *total,
		       const char *title, uint32_t reason, uint32_t reason2)
{
	size_t i, n = 0;

	for (i = 0; i < total->place_count; i++) {
		const struct stats_row *row = &total->places[i];

		if (row->reason != reason && row->reason != reason2)
			continue;
		if (n == 0) {
			fputc('\n', f);
			put_head(f, title);
		}
		if (n++ < PLACES_MAX)
			put_place(f, row);
	}
	if (n > PLACES_MAX)
		fprintf(f, "  and %zu more\n", n - PLACES_MAX);
}

static void put_share(FILE *f, const char *what, uint64_t ns, uint64_t wall)
{
	if (ns == STATS_UNKNOWN) {
		fprintf(f, "  %-34s %12s\n", what, "not known");
		return;
	}
	fprintf(f, "  %-34s %12.3f ms %5.1f %%\n", what, ms(ns),
		wall ? 100.0 * (double)ns / (double)wall : 0.0);
}

static void put_time(FILE *f, const struct stats_total *total)
{
	const struct stats_time *t = &total->time;
	uint64_t out = t->trapmap_ns + t->standing_ns;
	uint64_t in = t->wall_ns > out ? t->wall_ns - out : 0;
	int n;

	n = fprintf(f, "\nWall time of %u vCPU%s", total->cpus,
		    total->cpus == 1 ? "" : "s");
	fprintf(f, "%*.3f ms\n", SHARE - n, ms(t->wall_ns));
	put_share(f, "in Trapmap", t->trapmap_ns, t->wall_ns);
	put_share(f, "paused or waiting for a reader", t->standing_ns,
		  t->wall_ns);
	put_share(f, "in KVM_RUN", in, t->wall_ns);
	put_share(f, "  the guest", t->guest_ns, t->wall_ns);
	put_share(f, "  halted", t->halted_ns,
		  t->wall_ns);
	put_share(f, "  KVM itself, and waiting in it", t->kvm_ns,
		  t->wall_ns);
}

static uint64_t mib(uint64_t bytes)
{
	return bytes >> 20;
}

static void put_balloon(FILE *f, const struct stats_balloon *b)
{
	fprintf(f,
		"\nBalloon: %" PRIu64 " MiB asked for, %" PRIu64
		" MiB given up\n  back with the host, in all: %" PRIu64
		" MiB of such, %" PRIu64 " MiB of free pages\n",
		mib(b->target), mib(b->actual), mib(b->inflated),
		mib(b->reported));
}

static void put_queues(FILE *f, const struct stats_total *total)
{
	const char *device = NULL;
	size_t i;

	for (i = 0; i < total->queue_count; i++) {
		const struct stats_queue *q = &total->queues[i];

		if (i == 0)
			fprintf(f, "\n%-16s%9s %13s %9s %9s %9s %9s\n",
				"Virtio queues", "requests", "bytes",
				"notified", "saved", "interr.", "saved");
		if (q->device != device)
			fprintf(f, "  %s\n", q->device);
		device = q->device;
		fprintf(f, "    queue %-6u", q->queue);
		if (q->in_kernel)
			fprintf(f, "  in the kernel\n");
		else
			fprintf(f,
				"%9" PRIu64 " %13" PRIu64 " %9" PRIu64
				" %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n",
				q->requests, q->bytes, q->notifications,
				q->notifications_saved, q->interrupts,
				q->interrupts_saved);
	}
	if (total->has_balloon)
		put_balloon(f, &total->balloon);
}

char *stats_text(const struct stats_total *total)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	put_reasons(f, total);
	put_places(f, total, "Exits by port", KVM_EXIT_IO, KVM_EXIT_IO);
	put_places(f, total, "Exits by memory range", KVM_EXIT_MMIO,
		   KVM_EXIT_MMIO);
	put_places(f, total, "Exits by MSR that KVM refuses",
		   KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR);
	put_places(f, total, "Exits by hypercall", KVM_EXIT_HYPERCALL,
		   KVM_EXIT_HYPERCALL);
	put_queues(f, total);
	put_time(f, total);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
