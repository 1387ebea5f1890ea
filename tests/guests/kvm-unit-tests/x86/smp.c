// SPDX-License-Identifier: MIT
/*
 * smp.c: enters long mode, starts all other processors and compares their number
 * with fw_cfg's and with the argument, if there is one.
 */
#include "apic.h"
#include "kut.h"

static bool all_differ(unsigned count)
{
	unsigned i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < i; j++)
			if (processor_id(i) == processor_id(j))
				return false;
	return true;
}

int test_main(int argc, char **argv)
{
	unsigned expected = (unsigned)fw_cfg(FW_CFG_NB_CPUS, 2), count;
	uint64_t efer = rdmsr(0xc0000080);

	report(efer >> 10 & 1, "long mode is active");
	if (argc > 1)
		report(number(argv[1]) == expected, "fw_cfg: processors");
	if (expected > PROCESSORS_MAX) {
		report_skip("more processors than there are stacks");
		return report_summary();
	}
	count = start_processors(expected);
	put("processors: ");
	put_number(count);
	put("\n");
	report(count == expected, "all processors run");
	report(count <= PROCESSORS_MAX && all_differ(count),
	       "each has an APIC id of its own");
	return report_summary();
}
