// SPDX-License-Identifier: MIT
/*
 * load_firmware.c: Source: SDM volume 3, 10.1.4 (First Instruction Executed): a
 * processor starts at 4 GiB - 16. A PC has the last 128 KiB of its ROM below 1 MiB
 * as well, where real-mode code can reach it.
 */
#include "load_firmware.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "layout.h"
#include "mem.h"

#define RESET_VECTOR_LEN 16u
#define SHADOW_MAX KIB(128)

static int refuse(struct error *err, const struct source *src, const char *text)
{
	return error_set(err, ERROR_INPUT, -EINVAL, "%s: %s", src->name, text);
}

int load_firmware_size(struct source *firmware, uint64_t *ret_len,
		       struct error *err)
{
	int r = source_open(firmware, err);

	if (r < 0)
		return r;
	if (firmware->len % MEM_PAGE || firmware->len > LAYOUT_ROM_MAX)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: a firmware image of %llu bytes; whole "
				 "pages of %u bytes expected, %llu MiB at most",
				 firmware->name,
				 (unsigned long long)firmware->len, MEM_PAGE,
				 LAYOUT_ROM_MAX / MIB(1));
	*ret_len = firmware->len;
	return 0;
}

/* What an empty flash chip has there, or a file that is something else. */
static bool all_the_same(const uint8_t *p, size_t len)
{
	return (p[0] == 0 || p[0] == 0xff) && memcmp(p, p + 1, len - 1) == 0;
}

int load_firmware(const struct gmem *gm, struct source *firmware,
		  struct loaded *ret_loaded, struct error *err)
{
	uint64_t len = firmware->len;
	uint64_t shadow = len < SHADOW_MAX ? len : SHADOW_MAX;
	uint8_t *rom = gmem_rom(gm, LAYOUT_HOLE_END - len, len);
	uint8_t *low = gmem_ptr(gm, LAYOUT_HIGH_RAM - shadow, shadow);
	int r;

	if (!rom || !low)
		return error_host(err, -EFAULT, "%s: no room for the firmware",
				  firmware->name);
	r = source_read(firmware, 0, rom, len, err);
	if (r < 0)
		return r;
	if (all_the_same(rom + len - RESET_VECTOR_LEN, RESET_VECTOR_LEN))
		return refuse(err, firmware,
			      "no code in its last 16 bytes, where a processor "
			      "starts; a firmware image expected");
	memcpy(low, rom + len - shadow, shadow);
	*ret_loaded = (struct loaded){
		.plan = { .format = "firmware", .protocol = BOOT_RESET },
	};
	return 0;
}
