/* SPDX-License-Identifier: MIT */
/* post_code.h: port 0x80, where a PC says how far its start has come. */
#ifndef TRAPMAP_POST_CODE_H
#define TRAPMAP_POST_CODE_H

#include <stddef.h>
#include <stdint.h>

struct device;
struct loop;

/* A code, when it replaced another, and how often it came until the next. */
struct post_code_entry {
	uint8_t code;
	int64_t ns;	/* by LOOP_CLOCK_VM */
	uint64_t count; /* writes in a row, at least 1 */
};

#define POST_CODE_HISTORY 16

/* loop outlives the device. */
int post_code_new(struct loop *loop, struct device **ret_dev);

/* The last code written, or -1 if none was since the reset. Any thread. */
int post_code_last(struct device *dev);

/*
 * The last changes since the reset, at most max and at most POST_CODE_HISTORY,
 * oldest first. Returns how many. Any thread.
 */
size_t post_code_history(struct device *dev, struct post_code_entry *ret,
			 size_t max);

#endif
