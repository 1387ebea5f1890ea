/* SPDX-License-Identifier: MIT */
/*
 * trace.h: every exit, to a file, as it happens (--trace). Each vCPU puts
 * records into a ring of its own; one thread formats and writes them, in the
 * format of docs/trace.md. A vCPU whose ring is full stands until there is room;
 * a write that fails ends the trace and lets all go.
 */
#ifndef TRAPMAP_TRACE_H
#define TRAPMAP_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct bus;
struct flight_record;
struct trace;
struct trapmap_trace;

/* For trapmap_trace.kinds: the bit of an exit reason (KVM_EXIT_*). */
uint32_t trace_kind(uint32_t reason);

/* Both on the trace's thread, no lock held. */
struct trace_hooks {
	void (*room)(void *opaque); /* trace_is_full() has become false */
	void (*drained)(void *opaque); /* trace_drain() would return true */
	void *opaque;
};

/*
 * Starts it, for `cpus` vCPUs. config->fd stays the caller's; the buses name the
 * devices. Returns 0 or -errno.
 */
int trace_new(const struct trapmap_trace *config, unsigned cpus,
	      const struct bus *pio, const struct bus *mmio,
	      const struct trace_hooks *hooks, struct trace **ret_trace);

/*
 * An exit that took Trapmap `ticks` of the TSC. The vCPU's thread. Returns
 * whether its ring is full: then it must not enter the guest while
 * trace_is_full(). There is room yet for what finishes an instruction (2048
 * exits); beyond that, the trace ends with -EOVERFLOW.
 */
bool trace_put(struct trace *trace, unsigned vcpu,
	       const struct flight_record *rec, uint64_t ticks);

/* Any thread. */
bool trace_is_full(const struct trace *trace, unsigned vcpu);

/*
 * The vCPUs have quit: has what is left written, then kernel_offset (what KASLR
 * added to its symbols' addresses; 0: not known). Returns whether that is done,
 * else the hook will tell. A reader that takes nothing for two seconds ends the
 * trace with -ETIMEDOUT, so that it is done some time.
 */
bool trace_drain(struct trace *trace, uint64_t kernel_offset);

/*
 * The same, and waits. Returns 0 or the -errno of the write that ended it, and
 * how many exits are in the file.
 */
int trace_finish(struct trace *trace, uint64_t kernel_offset,
		 uint64_t *ret_exits);

/* Nobody wants the rest of it: the writer ends soon. Any thread. */
void trace_abandon(struct trace *trace);

/* Writes no more. Accepts NULL. Returns NULL. */
struct trace *trace_free(struct trace *trace);

#endif
