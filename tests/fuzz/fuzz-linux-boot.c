// SPDX-License-Identifier: MIT
/*
 * What a kernel is given in memory, for any kernel that the parsers take and
 * any sizes: boot_params, the setup code's header, or PVH's start info. Sixteen
 * bytes of sizes come first, then the file.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "boot/linux.h"
#include "boot/pvh.h"
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
	check(bp.hdr.boot_flag == 0xaa55 && bp.hdr.version >= 0x0202);
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

/* Only the header of the setup code changes, and never its code. */
static void check_setup(const uint8_t *ram)
{
	const uint8_t *setup = ram + LAYOUT_SETUP;

	check(get_le32(setup + 0x228) == LAYOUT_CMDLINE);
	check(setup[0x210] == 0xff && setup[0x211] & 0x80);
	check(setup[0x1f0] == 0xcc && setup[0x26c] == 0xcc);
	check(ram[LAYOUT_BOOT_PARAMS] == 0xcc);
}

/* Modules of the sizes' own, all with one name. */
static void write_pvh(const struct gmem *gm, const uint8_t *sizes,
		      const char *cmdline)
{
	static const struct e820_range map[E820_TOP];
	static struct pvh_module module[64];
	static char name[1025];
	struct boot_error err;
	struct pvh_boot boot = {
		.cmdline = cmdline,
		.cmdline_max = 2047,
		.e820 = map,
		.e820_count = sizes[3],
		.module = module,
		.modules = sizes[14] % 65,
	};
	uint8_t *ram = low_ram();
	unsigned i;

	memset(ram, 0xcc, MIB(1) / 4);
	memset(name, 'n', sizeof(name));
	name[sizes[15] * 4u] = 0;
	for (i = 0; i < 64; i++)
		module[i].cmdline = sizes[2] & 4 ? name : NULL;
	if (pvh_write(gm, &boot, &err) < 0) {
		check(err.text[0] && ram[LAYOUT_PVH] == 0xcc);
		return;
	}
	check(get_le32(ram + LAYOUT_PVH) == PVH_MAGIC);
	check(get_le32(ram + LAYOUT_PVH + 12) == boot.modules);
	check(ram[LAYOUT_PVH - 1] == 0xcc);
	check(ram[LAYOUT_PVH + LAYOUT_PVH_MAX] == 0xcc);
	check(strcmp((const char *)ram + LAYOUT_CMDLINE, cmdline) == 0);
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
	if (boot->plan->protocol == BOOT_LINUX16) {
		memcpy(ram + LAYOUT_SETUP + 0x1f1, boot->setup,
		       boot->plan->setup_len);
		memset(ram + LAYOUT_SETUP + 0x26c, 0xcc, 0x100);
		if (linux_setup_write(gm, boot, &err) == 0)
			check_setup(ram);
	} else {
		r = linux_boot_write(gm, boot, &err);
		if (r == 0)
			check_written(ram, boot);
		else
			check(r == -EINVAL && err.text[0] &&
			      ram[LAYOUT_BOOT_PARAMS] == 0xcc);
	}
	write_pvh(gm, sizes, cmdline);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *sizes = data;
	uint64_t mem, initrd_len;
	struct linux_boot boot = { 0 };
	struct boot_image image = { 0 };
	struct gmem gm = { 0 };
	struct boot_plan plan;
	struct boot_error err;

	if (len < SIZES)
		return 0;
	data += SIZES;
	len -= SIZES;
	if (len > BOOT_HEAD_LEN)
		len = BOOT_HEAD_LEN;
	image.head = data;
	image.head_len = len;
	image.len = len;
	image.want = (enum trapmap_boot)(sizes[2] >> 4);
	if (boot_recognise(&image, &plan, &err) < 0)
		return 0;

	mem = (get_le32(sizes + 6) % (LAYOUT_HOLE >> 12) + 1) << 12;
	initrd_len = (uint64_t)get_le32(sizes + 10) + 1;
	check(gmem_add(&gm, 0, mem, low_ram()) == 0);
	boot_plan_fits(&gm, &plan, &err);
	if (plan.protocol != BOOT_LINUX64 && plan.protocol != BOOT_LINUX32 &&
	    plan.protocol != BOOT_LINUX16)
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
