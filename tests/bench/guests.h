/* SPDX-License-Identifier: MIT */
/* guests.h: the guests of guests.S, and what the programs share around them. */
#ifndef TRAPMAP_BENCH_GUESTS_H
#define TRAPMAP_BENCH_GUESTS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const uint8_t guest_start[], guest_start_end[];
extern const uint8_t guest_exits[], guest_exits_end[];
extern const uint8_t guest_exits_count[], guest_exits_access[];
extern const uint8_t guest_idle[], guest_idle_end[];

/* The port where guest_start says its byte, and that of guest_exits' marks. */
#define PORT_SAY 0xe9
#define PORT_MARK 0xe0

/* What a program exits with: the guest's value 0x10, as QEMU turns it round. */
#define GUEST_STATUS 0x21

#define GUEST_MAX 256

/*
 * guest_exits with `count` accesses, each "out PORT" or "in PORT" with PORT
 * below 0x100. Puts it into buf of GUEST_MAX bytes and returns its length, or 0
 * for an access of another kind.
 */
static inline size_t make_exits_guest(uint8_t *buf, const char *access,
				      uint32_t count)
{
	size_t len = (size_t)(guest_exits_end - guest_exits);
	uint8_t *at = buf + (guest_exits_access - guest_exits);

	memcpy(buf, guest_exits, len);
	memcpy(buf + (guest_exits_count - guest_exits) - sizeof(count), &count,
	       sizeof(count));
	if (strncmp(access, "out:", 4) == 0) {
		at[0] = 0xe6; /* OUT imm8, AL */
		at[1] = (uint8_t)strtoul(access + 4, NULL, 0);
	} else if (strncmp(access, "in:", 3) == 0) {
		at[0] = 0xe4; /* IN AL, imm8 */
		at[1] = (uint8_t)strtoul(access + 3, NULL, 0);
	} else {
		return 0;
	}
	return len;
}

static inline double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

#endif
