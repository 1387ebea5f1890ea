// SPDX-License-Identifier: MIT
/* opts_boot.c: --boot, by which protocol the kernel starts. */
#include "opts_parts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opts_choice choices[] = {
	{ "auto", TRAPMAP_BOOT_AUTO },
	{ "linux64", TRAPMAP_BOOT_LINUX64 },
	{ "linux32", TRAPMAP_BOOT_LINUX32 },
	{ "linux16", TRAPMAP_BOOT_LINUX16 },
	{ "pvh", TRAPMAP_BOOT_PVH },
	{ "multiboot", TRAPMAP_BOOT_MULTIBOOT },
	{ "sector", TRAPMAP_BOOT_SECTOR },
	{ "flat", TRAPMAP_BOOT_FLAT },
	{ "unpack", TRAPMAP_BOOT_UNPACK },
};

int opts_boot(const char *text, enum trapmap_boot *boot, char *err)
{
	int value = 0;
	int r = opts_choose(err, "--boot", text, choices, COUNT(choices),
			    &value);

	if (r == 0)
		*boot = (enum trapmap_boot)value;
	return r;
}
