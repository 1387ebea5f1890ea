/* SPDX-License-Identifier: MIT */
/*
 * stats.h: exits counted and timed, by reason and address (--stats). Each vCPU
 * has a table of its own; they are added up at the end.
 */
#ifndef TRAPMAP_STATS_H
#define TRAPMAP_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tsc.h"

struct bus;
struct flight_record;
struct machine;
struct stats;

/* ---- while the guest runs ---------------------------------------------- */

/* A vCPU's own. Returns 0 or -ENOMEM. */
int stats_new(struct stats **ret_stats);
/* Accepts NULL. Returns NULL. */
struct stats *stats_free(struct stats *stats);

/* The vCPU's thread begins, and is about to quit; again after a reboot. */
void stats_enter(struct stats *stats);
void stats_leave(struct stats *stats, int vcpu_fd);

/* An exit that took Trapmap `ticks` of the TSC. The vCPU's thread. */
void stats_count(struct stats *stats, const struct flight_record *rec,
		 uint64_t ticks);

/*
 * Ticks that the thread was out of KVM_RUN: at work for the guest, or (standing)
 * paused, or waiting for a reader of the console or the trace. Its own thread.
 */
void stats_outside(struct stats *stats, uint64_t ticks, bool standing);

/* ---- the sum ------------------------------------------------------------ */

struct stats_row {
	uint32_t reason; /* KVM_EXIT_* */
	/*
	 * Ports, physical addresses, MSRs or hypercalls: a device's whole range,
	 * or one address that no device claims. A row of `reasons`: 0.
	 */
	uint64_t first, last;
	const char *device; /* its name; NULL: none */
	bool others; /* addresses beyond what the tables hold, together */
	uint64_t count; /* exits */
	uint64_t total_ns; /* Trapmap's time for them */
	uint64_t worst_ns; /* for one of them */
};

#define STATS_UNKNOWN UINT64_MAX

/*
 * Where the wall time of all vCPU threads went, in nanoseconds. What the kernel
 * does not tell is STATS_UNKNOWN, and so is then kvm_ns, as what remains.
 */
struct stats_time {
	uint64_t wall_ns; /* from each thread's start to its end, added up */
	uint64_t trapmap_ns; /* at work, by the TSC */
	uint64_t standing_ns; /* paused, or waiting for a reader */
	uint64_t guest_ns; /* the kernel's guest_time, which it may count by ticks */
	uint64_t halted_ns; /* KVM's halt_wait_ns and halt_poll_*_ns */
	/*
	 * The rest of KVM_RUN: KVM itself, and waiting there for a start (a
	 * SIPI) or for one of the host's processors.
	 */
	uint64_t kvm_ns;
};

/* A queue of a virtio device, of those that were used. */
struct stats_queue {
	const char *device; /* as in messages: "disk 'root.img'" */
	unsigned queue;
	/* The host's kernel moves the data (vhost): the rest is not known. */
	bool in_kernel;
	uint64_t requests, bytes; /* done; read and written */
	/* From the driver, and requests that came without one of their own. */
	uint64_t notifications, notifications_saved;
	/* To the driver, and those that it did not want. */
	uint64_t interrupts, interrupts_saved;
};

/* In bytes. */
struct stats_balloon {
	uint64_t target; /* asked of the guest */
	uint64_t actual; /* given up */
	/* Back with the host, in all: what was given up, and free pages. */
	uint64_t inflated, reported;
};

struct stats_total {
	struct stats_row *reasons; /* by total_ns, the most first */
	size_t reason_count;
	struct stats_row *places; /* of ports, memory, MSRs, hypercalls; likewise */
	size_t place_count;
	struct stats_time time;
	unsigned cpus;
	struct stats_queue *queues; /* in the order of the board */
	size_t queue_count;
	bool has_balloon;
	struct stats_balloon balloon;
};

/*
 * Adds up the tables of `cpus` vCPUs that have quit; names are the devices'. The
 * marks are any two moments of the run. Returns 0 or -ENOMEM.
 */
int stats_add_up(struct stats *const *stats, unsigned cpus,
		 const struct bus *pio, const struct bus *mmio,
		 const struct tsc_mark *from, const struct tsc_mark *to,
		 struct stats_total **ret_total);

/*
 * stats_virtio.c: adds what the board's virtio devices have counted; the names stay
 * the board's. Returns 0 or -ENOMEM.
 */
int stats_add_virtio(struct stats_total *total, const struct machine *machine);

/* Accepts NULL. Returns NULL. */
struct stats_total *stats_total_free(struct stats_total *total);

/* stats_text.c: the table for people, to free(). NULL: memory ran out. */
char *stats_text(const struct stats_total *total);

#endif
