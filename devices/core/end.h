/* SPDX-License-Identifier: MIT */
/*
 * end.h: how a device tells the board that the guest asked for an end.
 */
#ifndef TRAPMAP_CORE_END_H
#define TRAPMAP_CORE_END_H

#include <stdint.h>

enum end_request {
	END_POWEROFF, /* value: unused */
	END_RESET, /* value: unused */
	END_DEBUG_EXIT, /* value: as written to the debug-exit port */
	END_TEST_EXIT, /* value: as written to the test-exit port */
	END_PANIC, /* value: unused */
	/*
	 * The guest has panicked and goes on in a crash kernel of its own: not
	 * an end yet, but no later one is a good one. value: unused
	 */
	END_CRASHLOADED,
};

/*
 * A sink for such requests, injected at creation. `who` names the register for
 * the verdict's sentence, in static storage: "ACPI S5", "i8042 command 0xfe".
 * Called with the device's lock held; returns before the run has ended.
 */
struct end_sink {
	void (*request)(void *opaque, enum end_request kind, uint32_t value,
			const char *who);
	void *opaque;
};

static inline void end_request(const struct end_sink *sink,
			       enum end_request kind, uint32_t value,
			       const char *who)
{
	sink->request(sink->opaque, kind, value, who);
}

#endif
