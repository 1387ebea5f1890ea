// SPDX-License-Identifier: MIT
/* report.c: every way in which a guest ends, chosen by its argument. */
#include <trapmap/guest_abi.h>

#include "kut.h"

int test_main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (same(how, "panic")) {
		outb(TRAPMAP_PVPANIC_PORT, TRAPMAP_PVPANIC_PANICKED);
		put("still here\n");
	}
	if (same(how, "hang"))
		for (;;)
			asm volatile("sti; hlt");
	if (same(how, "byte")) {
		report(true, "an exit by a write of one byte");
		report_summary();
		outb(TRAPMAP_DEBUG_EXIT_PORT, 0);
	}
	if (same(how, "word")) {
		report(true, "an exit by a write of two bytes");
		report_summary();
		outw(TRAPMAP_DEBUG_EXIT_PORT, 0);
	}
	if (same(how, "skip"))
		report_skip("it was asked to");
	else
		report(true, "a good one");
	if (same(how, "fail"))
		report(false, "a bad one");
	return report_summary();
}
