/* SPDX-License-Identifier: MIT */
/*
 * tsc.h: the host's time stamp counter, which costs a few nanoseconds to read,
 * and what its ticks are worth: found out by two looks at it and at the clock.
 */
#ifndef TRAPMAP_TSC_H
#define TRAPMAP_TSC_H

#include <stdint.h>
#include <time.h>

static inline uint64_t tsc_read(void)
{
	return __builtin_ia32_rdtsc();
}

/* One moment by both. */
struct tsc_mark {
	uint64_t tsc;
	uint64_t ns; /* CLOCK_MONOTONIC */
};

static inline struct tsc_mark tsc_mark(void)
{
	struct tsc_mark best = { 0 };
	uint64_t width = UINT64_MAX;
	int i;

	/* Whoever is interrupted between the two looks again. */
	for (i = 0; i < 4; i++) {
		uint64_t before = tsc_read(), after;
		struct timespec ts;

		clock_gettime(CLOCK_MONOTONIC, &ts);
		after = tsc_read();
		if (after - before >= width)
			continue;
		width = after - before;
		best.tsc = before + width / 2;
		best.ns = (uint64_t)ts.tv_sec * 1000000000u +
			  (uint64_t)ts.tv_nsec;
	}
	return best;
}

/* Ticks in nanoseconds, by what passed between the marks; 0 where nothing did. */
static inline uint64_t tsc_to_ns(const struct tsc_mark *from,
				 const struct tsc_mark *to, uint64_t ticks)
{
	uint64_t span = to->tsc - from->tsc;

	if (to->tsc <= from->tsc || to->ns <= from->ns)
		return 0;
	return (uint64_t)((unsigned __int128)ticks * (to->ns - from->ns) /
			  span);
}

#endif
