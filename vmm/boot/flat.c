// SPDX-License-Identifier: MIT
/*
 * flat.c: code that runs in real mode as it is in the file: a boot sector, or
 * a flat binary. No header, so no limits but the memory below 1 MiB.
 *
 * The BIOS that such code expects comes with bios.h.
 */
#include <errno.h>
#include <inttypes.h>

#include "boot/plan.h"
#include "core/base.h"
#include "layout.h"

#define SECTOR 512u

/* A flat binary's own 64 KiB segment, and its stack at the end of it. */
#define FLAT_SEGMENT (LAYOUT_FLAT >> 4)
#define FLAT_SP 0xfff0u
#define FLAT_STACK KIB(4)

/*
 * As a PC's BIOS does: at 0000:7C00. Where SS:SP points is not agreed upon
 * among BIOSes; here it is right below the sector, with 30 KiB to grow.
 */
int bootsector_parse(const struct boot_image *image,
		     struct boot_plan *ret_plan, struct boot_error *err)
{
	if (image->len != SECTOR || image->head_len != SECTOR)
		return 0;
	if (get_le16(image->head + SECTOR - 2) != 0xaa55)
		return 0;
	*ret_plan = (struct boot_plan){
		.format = "boot sector",
		.offers = BIT(TRAPMAP_BOOT_SECTOR) | BIT(TRAPMAP_BOOT_FLAT),
		.boot = TRAPMAP_BOOT_SECTOR,
		.protocol = BOOT_REAL,
		.segment = { {
			.file_len = SECTOR,
			.gpa = LAYOUT_BOOT_SECTOR,
			.mem_len = SECTOR,
		} },
		.segments = 1,
		.entry = LAYOUT_BOOT_SECTOR,
		.sp = LAYOUT_BOOT_SECTOR,
	};
	return 1;
}

/*
 * C compiled for real mode takes SS for DS, so a binary that leaves room has
 * its stack in its own segment. A bigger one gets the memory below it.
 */
int flat_parse(const struct boot_image *image, struct boot_plan *ret_plan,
	       struct boot_error *err)
{
	const uint64_t file_len = image->len;
	bool small = file_len <= FLAT_SP - FLAT_STACK;

	if (file_len == 0)
		return boot_refuse(err, 0, "the file is empty");
	if (file_len > LAYOUT_FLAT_MAX && image->head_len >= SECTOR &&
	    get_le16(image->head + SECTOR - 2) == 0xaa55)
		return boot_refuse(err, SECTOR - 2,
				   "a disk image, by its boot signature; a kernel expected: its first 512 bytes are one, with the whole as --disk");
	if (file_len > LAYOUT_FLAT_MAX)
		return boot_refuse(err, LAYOUT_FLAT_MAX,
				   "no kernel format that is known here, and too big for a flat binary: %" PRIu64
				   " bytes, at most %u expected",
				   file_len, LAYOUT_FLAT_MAX);
	*ret_plan = (struct boot_plan){
		.format = "flat binary",
		.offers = BIT(TRAPMAP_BOOT_FLAT),
		.boot = TRAPMAP_BOOT_FLAT,
		.protocol = BOOT_REAL,
		.segment = { {
			.file_len = file_len,
			.gpa = LAYOUT_FLAT,
			.mem_len = file_len,
		} },
		.segments = 1,
		.entry = 0,
		.cs = FLAT_SEGMENT,
		.ss = small ? FLAT_SEGMENT : 0,
		.sp = FLAT_SP,
	};
	return 1;
}
