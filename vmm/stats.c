// SPDX-License-Identifier: MIT
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"
#include "flight.h"
#include "kvm_stats.h"

/* Addresses that a vCPU can tell apart; a power of two. */
#define SLOTS 1024
/* Places looked at for one; behind them it counts as one of the others. */
#define PROBES 16
/* Reasons from the last on share a place. */
#define REASONS 64

struct slot {
	uint64_t addr;
	uint64_t count; /* 0: free */
	uint64_t ticks;
	uint64_t worst;
	uint32_t reason;
};

struct stats {
	struct slot slot[SLOTS];
	struct slot others[REASONS]; /* by reason: found no place above */
	uint64_t entered; /* TSC at the thread's start; 0: not running */
	uint64_t wall;
	uint64_t work;
	uint64_t standing;
	/* By the kernel, in nanoseconds; unknown as soon as it was once. */
	uint64_t guest_ns;
	uint64_t halted_ns;
};

int stats_new(struct stats **ret_stats)
{
	struct stats *stats = calloc(1, sizeof(*stats));

	if (!stats)
		return -ENOMEM;
	*ret_stats = stats;
	return 0;
}

struct stats *stats_free(struct stats *stats)
{
	free(stats);
	return NULL;
}

/* ---- while the guest runs ----------------------------------------------- */

static void count_in(struct slot *slot, uint64_t ticks)
{
	slot->count++;
	slot->ticks += ticks;
	if (ticks > slot->worst)
		slot->worst = ticks;
}

static unsigned hash(uint32_t reason, uint64_t addr)
{
	uint64_t h = (addr + reason * UINT64_C(0x100000000)) *
		     UINT64_C(0x9e3779b97f4a7c15);

	return (unsigned)(h >> 32) % SLOTS;
}

void stats_count(struct stats *stats, const struct flight_record *rec,
		 uint64_t ticks)
{
	unsigned i, at = hash(rec->reason, rec->addr);
	struct slot *slot;

	for (i = 0; i < PROBES; i++) {
		slot = &stats->slot[(at + i) % SLOTS];
		if (slot->count == 0) {
			slot->reason = rec->reason;
			slot->addr = rec->addr;
		} else if (slot->reason != rec->reason ||
			   slot->addr != rec->addr) {
			continue;
		}
		count_in(slot, ticks);
		return;
	}
	slot = &stats->others[rec->reason < REASONS ? rec->reason :
						      REASONS - 1];
	slot->reason = rec->reason;
	count_in(slot, ticks);
}

void stats_outside(struct stats *stats, uint64_t ticks, bool standing)
{
	if (standing)
		stats->standing += ticks;
	else
		stats->work += ticks;
}

void stats_enter(struct stats *stats)
{
	stats->entered = tsc_read();
}

static void add_known(uint64_t *sum, bool known, uint64_t ns)
{
	if (!known || *sum == STATS_UNKNOWN)
		*sum = STATS_UNKNOWN;
	else
		*sum += ns;
}

/*
 * guest_time of this thread: field 43 of proc(5)'s stat, in clock ticks. A kernel
 * that does not tell guests from the rest leaves it at 0, as does a guest that ran
 * for less than a tick: neither is a figure.
 */
static bool guest_time(uint64_t *ret_ns)
{
	unsigned long long ticks = 0;
	long hz = sysconf(_SC_CLK_TCK);
	char buf[1024], *p;
	ssize_t n;
	int fd, field;

	fd = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0 || hz <= 0)
		return false;
	buf[n] = '\0';
	/* The name, field 2, may hold blanks and brackets: not the last one. */
	p = strrchr(buf, ')');
	for (field = 2; p && field < 43; field++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	if (!p || sscanf(p, "%llu", &ticks) != 1 || ticks == 0)
		return false;
	*ret_ns = ticks * (uint64_t)NSEC_PER_SEC / (uint64_t)hz;
	return true;
}

static bool halted_time(int vcpu_fd, uint64_t *ret_ns)
{
	struct kvm_stats stats = KVM_STATS_INIT;
	uint64_t wait = 0, polls = 0, failed = 0;
	bool known;

	if (kvm_stats_open(&stats, vcpu_fd) < 0)
		return false;
	known = kvm_stats_get(&stats, "halt_wait_ns", &wait) &&
		kvm_stats_get(&stats, "halt_poll_success_ns", &polls) &&
		kvm_stats_get(&stats, "halt_poll_fail_ns", &failed);
	kvm_stats_close(&stats);
	if (known)
		*ret_ns = wait + polls + failed;
	return known;
}

void stats_leave(struct stats *stats, int vcpu_fd)
{
	uint64_t ns = 0;
	bool known;

	if (!stats->entered)
		return;
	stats->wall += tsc_read() - stats->entered;
	stats->entered = 0;
	known = guest_time(&ns);
	add_known(&stats->guest_ns, known, ns);
	known = halted_time(vcpu_fd, &ns);
	add_known(&stats->halted_ns, known, ns);
}

/* ---- the sum -------------------------------------------------------------- */

struct sum {
	const struct bus *pio, *mmio;
	const struct tsc_mark *from, *to;
	struct stats_row *row;
	size_t count;
};

static struct stats_row *add_row(struct sum *sum, const struct slot *slot)
{
	struct stats_row *row = &sum->row[sum->count++];

	*row = (struct stats_row){
		.reason = slot->reason,
		.first = slot->addr,
		.last = slot->addr,
		.count = slot->count,
		.total_ns = tsc_to_ns(sum->from, sum->to, slot->ticks),
		.worst_ns = tsc_to_ns(sum->from, sum->to, slot->worst),
	};
	return row;
}

static void add_place(struct sum *sum, const struct slot *slot)
{
	struct bus_range range = { 0 };
	bool there = false;
	struct stats_row *row;

	switch (slot->reason) {
	case KVM_EXIT_IO: there = bus_locate(sum->pio, slot->addr, &range); break;
	case KVM_EXIT_MMIO: there = bus_locate(sum->mmio, slot->addr, &range); break;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
	case KVM_EXIT_HYPERCALL: break;
	default: return; /* no address */
	}
	row = add_row(sum, slot);
	if (!there)
		return;
	row->first = range.base;
	row->last = range.last;
	row->device = range.dev->ops->name;
}

static int compare_place(const void *a, const void *b)
{
	const struct stats_row *x = a, *y = b;

	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	if (x->others != y->others)
		return x->others ? 1 : -1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static int compare_total(const void *a, const void *b)
{
	const struct stats_row *x = a, *y = b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return compare_place(a, b);
}

/* Rows of the same place become one; then the dearest come first. */
static size_t merge(struct stats_row *row, size_t count)
{
	size_t i, n = 0;

	if (count == 0)
		return 0;
	qsort(row, count, sizeof(*row), compare_place);
	for (i = 1; i < count; i++) {
		struct stats_row *to = &row[n];

		if (compare_place(to, &row[i]) != 0) {
			row[++n] = row[i];
			continue;
		}
		to->count += row[i].count;
		to->total_ns += row[i].total_ns;
		if (row[i].worst_ns > to->worst_ns)
			to->worst_ns = row[i].worst_ns;
	}
	n++;
	qsort(row, n, sizeof(*row), compare_total);
	return n;
}

static size_t rows_of(const struct stats *stats)
{
	size_t i, n = 0;

	for (i = 0; i < SLOTS; i++)
		n += stats->slot[i].count != 0;
	for (i = 0; i < REASONS; i++)
		n += stats->others[i].count != 0;
	return n;
}

static void add_places(struct sum *sum, const struct stats *stats)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (stats->slot[i].count)
			add_place(sum, &stats->slot[i]);
	for (i = 0; i < REASONS; i++)
		if (stats->others[i].count)
			add_row(sum, &stats->others[i])->others = true;
}

static void add_reasons(struct sum *sum, const struct stats *stats)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (stats->slot[i].count) {
			struct stats_row *row = add_row(sum, &stats->slot[i]);

			row->first = row->last = 0;
		}
	for (i = 0; i < REASONS; i++)
		if (stats->others[i].count)
			(void)add_row(sum, &stats->others[i]);
}

static void add_time(struct stats_time *t, const struct stats *stats,
		     const struct sum *sum)
{
	t->wall_ns += tsc_to_ns(sum->from, sum->to, stats->wall);
	t->trapmap_ns += tsc_to_ns(sum->from, sum->to, stats->work);
	t->standing_ns += tsc_to_ns(sum->from, sum->to, stats->standing);
	add_known(&t->guest_ns, stats->guest_ns != STATS_UNKNOWN,
		  stats->guest_ns);
	add_known(&t->halted_ns, stats->halted_ns != STATS_UNKNOWN,
		  stats->halted_ns);
}

/* What remains of KVM_RUN, where the other parts of it are known. */
static void find_kvm_time(struct stats_time *t)
{
	uint64_t known = t->trapmap_ns + t->standing_ns;

	t->kvm_ns = STATS_UNKNOWN;
	if (t->guest_ns == STATS_UNKNOWN || t->halted_ns == STATS_UNKNOWN)
		return;
	known += t->guest_ns + t->halted_ns;
	/* The kernel's clock is a coarse one: it can be ahead of ours. */
	t->kvm_ns = t->wall_ns > known ? t->wall_ns - known : 0;
}

int stats_add_up(struct stats *const *stats, unsigned cpus,
		 const struct bus *pio, const struct bus *mmio,
		 const struct tsc_mark *from, const struct tsc_mark *to,
		 struct stats_total **ret_total)
{
	struct sum sum = { .pio = pio, .mmio = mmio, .from = from, .to = to };
	struct stats_total *total = calloc(1, sizeof(*total));
	size_t room = 1;
	unsigned i;

	if (!total)
		return -ENOMEM;
	for (i = 0; i < cpus; i++)
		room += rows_of(stats[i]);
	total->cpus = cpus;
	total->reasons = calloc(room, sizeof(*total->reasons));
	total->places = calloc(room, sizeof(*total->places));
	if (!total->reasons || !total->places) {
		stats_total_free(total);
		return -ENOMEM;
	}
	sum.row = total->reasons;
	for (i = 0; i < cpus; i++)
		add_reasons(&sum, stats[i]);
	total->reason_count = merge(sum.row, sum.count);
	sum.row = total->places;
	sum.count = 0;
	for (i = 0; i < cpus; i++) {
		add_places(&sum, stats[i]);
		add_time(&total->time, stats[i], &sum);
	}
	total->place_count = merge(sum.row, sum.count);
	find_kvm_time(&total->time);
	*ret_total = total;
	return 0;
}

struct stats_total *stats_total_free(struct stats_total *total)
{
	if (!total)
		return NULL;
	free(total->reasons);
	free(total->places);
	free(total->queues);
	free(total);
	return NULL;
}
