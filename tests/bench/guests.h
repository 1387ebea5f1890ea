/* SPDX-License-Identifier: MIT */
/* guests.h: the guests of guests.S, and the clock of all benchmarks. */
#ifndef TRAPMAP_BENCH_GUESTS_H
#define TRAPMAP_BENCH_GUESTS_H

#include <stdint.h>
#include <time.h>

extern const uint8_t guest_start[], guest_start_end[];
extern const uint8_t guest_exits[], guest_exits_end[];
extern const uint8_t guest_exits_count[], guest_exits_access[];
extern const uint8_t guest_idle[], guest_idle_end[];

/* The port where guest_start says its byte, and that of guest_exits' marks. */
#define PORT_SAY 0xea
#define PORT_MARK 0xe0

/* How guest_start ends: its 0x10, as QEMU's debug-exit device turns it round. */
#define PORT_END 0xf4
#define GUEST_STATUS 0x21

static inline double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

#endif
