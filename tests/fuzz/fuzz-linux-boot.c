// SPDX-License-Identifier: MIT
/*
 * What a kernel is given in memory, for any kernel that the parsers take and
 * any sizes. Sixteen bytes of sizes come first, then the file.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "boot/linux.h"
#include "core/base.h"
#include "layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SIZES 16
#define CMDLINE_TOP 0x11000u
#define E820_TOP 256u

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* All of low RAM has addresses, only its first MiB has memory. */
static uint8_t *low_ram(void)
{
	static uint8_t *ram;

	if (!ram) {
		ram = mmap(NULL, LAYOUT_HOLE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		check(ram != MAP_FAILED);
		check(mprotect(ram, MIB(1), PROT_READ | PROT_WRITE) == 0);
	}
	return ram;
}

static void check_initrd(const struct boot_plan *plan, uint64_t mem, gpa_t at,
			 uint64_t len)
{
	gpa_t kernel_end = plan->reserve + plan->reserve_len;

	check(at % 4096 == 0 && at >= LAYOUT_HIGH_RAM);
	check(at <= mem && len <= mem - at);
	check(at + len - 1 <= plan->initrd_max);
	check(at >= kernel_end || at + len <= plan->reserve);
}

static void check_written(const uint8_t *ram, const struct linux_boot *boot)
{
	struct boot_params bp;

	memcpy(&bp, ram + LAYOUT_BOOT_PARAMS, sizeof(bp));
	check(bp.sentinel == 0);
	check(bp.hdr.boot_flag == 0xaa55 && bp.hdr.version >= 0x020c);
	check(bp.hdr.type_of_loader == 0xff);
	check(bp.hdr.cmd_line_ptr == LAYOUT_CMDLINE);
	check(bp.e820_entries == boot->e820_count);
	check(strcmp((const char *)ram + LAYOUT_CMDLINE, boot->cmdline) == 0);
	/* Nothing before, between and after. */
	check(ram[LAYOUT_BOOT_PARAMS - 1] == 0xcc);
	check(ram[LAYOUT_SETUP_DATA + LAYOUT_SETUP_DATA_MAX] == 0xcc);
	check(ram[LAYOUT_CMDLINE - 1] == 0xcc);
	check(ram[LAYOUT_CMDLINE + LAYOUT_CMDLINE_MAX] == 0xcc);
}

static void write_it(const struct gmem *gm, struct linux_boot *boot,
		     const uint8_t *sizes)
{
	static const struct e820_range map[E820_TOP];
	static const uint8_t seed[0x10000];
	static char cmdline[CMDLINE_TOP + 1];
	unsigned len = get_le16(sizes) + (sizes[2] & 1) * 0x1000u;
	struct boot_error err;
	uint8_t *ram = low_ram();
	int r;

	memset(ram, 0xcc, MIB(1) / 4);
	memset(cmdline, 'x', len);
	cmdline[len] = 0;
	boot->cmdline = cmdline;
	boot->e820 = map;
	boot->e820_count = sizes[3];
	boot->rng_seed = sizes[2] & 2 ? seed : NULL;
	boot->rng_seed_len = get_le16(sizes + 4);
	r = linux_boot_write(gm, boot, &err);
	if (r == 0)
		check_written(ram, boot);
	else
		check(r == -EINVAL && err.text[0] &&
		      ram[LAYOUT_BOOT_PARAMS] == 0xcc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *sizes = data;
	uint64_t mem, initrd_len;
	struct linux_boot boot = { 0 };
	struct gmem gm = { 0 };
	struct boot_plan plan;
	struct boot_error err;

	if (len < SIZES)
		return 0;
	data += SIZES;
	len -= SIZES;
	if (len > BOOT_HEAD_LEN)
		len = BOOT_HEAD_LEN;
	if (boot_recognise(data, len, len, &plan, &err) < 0)
		return 0;

	mem = (get_le32(sizes + 6) % (LAYOUT_HOLE >> 12) + 1) << 12;
	initrd_len = (uint64_t)get_le32(sizes + 10) + 1;
	check(gmem_add(&gm, 0, mem, low_ram()) == 0);
	boot_plan_fits(&gm, &plan, &err);
	if (plan.protocol != BOOT_LINUX64)
		return 0;
	boot.plan = &plan;
	boot.setup = plan.setup_len ? data + plan.setup_off : NULL;
	if (linux_place_initrd(&gm, &plan, initrd_len, &boot.initrd, &err) ==
	    0) {
		check_initrd(&plan, mem, boot.initrd, initrd_len);
		boot.initrd_len = initrd_len;
	}
	write_it(&gm, &boot, sizes);
	return 0;
}
