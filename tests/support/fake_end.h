/* SPDX-License-Identifier: MIT */
/* fake_end.h: a sink for end requests that counts and remembers the last. */
#ifndef TRAPMAP_TEST_FAKE_END_H
#define TRAPMAP_TEST_FAKE_END_H

#include "core/end.h"

struct fake_end {
	unsigned count;
	enum end_request kind;
	uint32_t value;
	const char *who;
};

static inline void fake_end_request(void *opaque, enum end_request kind,
				    uint32_t value, const char *who)
{
	struct fake_end *end = opaque;

	end->count++;
	end->kind = kind;
	end->value = value;
	end->who = who;
}

#endif
