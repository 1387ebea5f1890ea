// SPDX-License-Identifier: MIT
/*
 * linux.c: what a kernel finds in memory. Source:
 * Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header", "32-bit Boot
 * Protocol" and "64-bit Boot Protocol"; Documentation/arch/x86/zero-page.rst.
 *
 * Not here: a screen (screen_info stays zero: no VGA), EFI, EDD, APM, alt_mem_k
 * (the e820 map is always there); of the command line "vga=", which the setup
 * code would have from the loader.
 */
#include "boot/linux.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base.h"
#include "layout.h"

#define PAGE 4096u

#define PROTOCOL_SETUP_DATA 0x0209
#define NORMAL_VGA 0xffff /* vid_mode: the mode stays as it is */
#define HEAP_END_BIAS 0x200 /* heap_end_ptr counts from behind the boot sector */

#define LOADER_UNDEFINED 0xff /* type_of_loader: none of the registered ones */
#define SETUP_MAX \
	(offsetof(struct boot_params, edd_mbr_sig_buffer) - \
	 offsetof(struct boot_params, hdr))

/* ---- boot_params -------------------------------------------------------- */

/*
 * The header of a kernel that has none, for an ELF kernel reads the same
 * fields: chiefly the version, which tells it which of them to believe.
 */
static void make_header(struct setup_header *hdr, const struct boot_plan *plan)
{
	hdr->boot_flag = 0xaa55;
	hdr->header = 0x53726448; /* "HdrS" */
	hdr->version = 0x020f;
	hdr->kernel_alignment = MIB(2);
	hdr->xloadflags = XLF_KERNEL_64;
	hdr->cmdline_size = plan->cmdline_max;
	hdr->initrd_addr_max = (uint32_t)plan->initrd_max;
	hdr->pref_address = plan->reserve;
	hdr->init_size = (uint32_t)plan->reserve_len;
}

static void fill_header(struct setup_header *hdr, const struct linux_boot *boot)
{
	hdr->type_of_loader = LOADER_UNDEFINED;
	hdr->loadflags |= LOADED_HIGH;
	/* The heap is the setup code's, which as a rule never runs. */
	hdr->loadflags &= (uint8_t)~CAN_USE_HEAP;
	if (boot->plan->is_moved)
		hdr->loadflags |= KASLR_FLAG;
	hdr->code32_start = (uint32_t)boot->plan->segment[0].gpa;
	hdr->cmd_line_ptr = LAYOUT_CMDLINE;
	if (boot->initrd_len) {
		hdr->ramdisk_image = (uint32_t)boot->initrd;
		hdr->ramdisk_size = (uint32_t)boot->initrd_len;
	} else {
		hdr->ramdisk_image = 0;
		hdr->ramdisk_size = 0;
	}
	/* Before that its code is in the place of it. */
	if (hdr->version >= PROTOCOL_SETUP_DATA)
		hdr->setup_data = boot->rng_seed ? LAYOUT_SETUP_DATA :
				  boot->dtb	 ? LAYOUT_DTB :
						   0;
}

static void fill_params(struct boot_params *bp, const struct linux_boot *boot)
{
	unsigned i;

	/* All else in the file's first page is not for boot_params. */
	memset(bp, 0, sizeof(*bp));
	if (boot->setup && boot->plan->setup_len)
		memcpy((uint8_t *)bp + offsetof(struct boot_params, hdr),
		       boot->setup, boot->plan->setup_len);
	else
		make_header(&bp->hdr, boot->plan);
	fill_header(&bp->hdr, boot);

	if (boot->initrd_len) {
		bp->ext_ramdisk_image = (uint32_t)(boot->initrd >> 32);
		bp->ext_ramdisk_size = (uint32_t)(boot->initrd_len >> 32);
	}
	bp->acpi_rsdp_addr = boot->acpi_rsdp;
	bp->e820_entries = (uint8_t)boot->e820_count;
	for (i = 0; i < boot->e820_count; i++) {
		bp->e820_table[i].addr = boot->e820[i].base;
		bp->e820_table[i].size = boot->e820[i].len;
		bp->e820_table[i].type = boot->e820[i].type;
	}
}

static bool is_loaded_at(const struct boot_plan *plan, gpa_t gpa, uint64_t len)
{
	unsigned i;

	for (i = 0; i < plan->segments; i++)
		if (gpa < plan->segment[i].gpa + plan->segment[i].mem_len &&
		    plan->segment[i].gpa < gpa + len)
			return true;
	return false;
}

static int check(const struct linux_boot *boot, size_t cmdline_len,
		 struct boot_error *err)
{
	const struct boot_plan *plan = boot->plan;
	uint32_t max = plan->cmdline_max;

	if (max > LAYOUT_CMDLINE_MAX - 1)
		max = LAYOUT_CMDLINE_MAX - 1;
	if (cmdline_len > max)
		return boot_refuse(err, 0,
				   "command line has %zu bytes, this kernel takes at most %" PRIu32,
				   cmdline_len, max);
	if (boot->setup && plan->setup_len > SETUP_MAX)
		return boot_refuse(err, 0,
				   "setup header has %" PRIu32
				   " bytes, boot_params has room for %zu",
				   plan->setup_len, SETUP_MAX);
	if (boot->e820_count > E820_MAX_ENTRIES_ZEROPAGE)
		return boot_refuse(err, 0,
				   "memory map has %u entries, boot_params has room for %u",
				   boot->e820_count, E820_MAX_ENTRIES_ZEROPAGE);
	if (boot->rng_seed && boot->rng_seed_len >
	    LAYOUT_SETUP_DATA_MAX - sizeof(struct setup_data))
		return boot_refuse(err, 0,
				   "random seed has %u bytes, there is room for %zu",
				   boot->rng_seed_len,
				   LAYOUT_SETUP_DATA_MAX -
					   sizeof(struct setup_data));
	if (boot->dtb &&
	    boot->dtb_len > LAYOUT_DTB_MAX - sizeof(struct setup_data))
		return boot_refuse(err, 0,
				   "devicetree has %zu bytes, a kernel takes at most %zu",
				   boot->dtb_len,
				   LAYOUT_DTB_MAX - sizeof(struct setup_data));
	/* All else that is written has a place that no ELF segment may take. */
	if (boot->dtb && is_loaded_at(plan, LAYOUT_DTB,
				      sizeof(struct setup_data) + boot->dtb_len))
		return boot_refuse(err, 0,
				   "the kernel has a segment at 0x%x, where its devicetree of %zu bytes would go (--dtb none leaves that out)",
				   LAYOUT_DTB, boot->dtb_len);
	return 0;
}

static void put_setup_data(uint8_t *at, gpa_t next, uint32_t type,
			   const void *data, size_t len)
{
	const struct setup_data sd = {
		.next = next,
		.type = type,
		.len = (uint32_t)len,
	};

	memcpy(at, &sd, sizeof(sd));
	memcpy(at + sizeof(sd), data, len);
}

/* Command line and setup_data. */
static int write_parts(const struct gmem *gm, const struct linux_boot *boot,
		       struct boot_error *err)
{
	size_t cmdline_len = strlen(boot->cmdline);
	uint8_t *seed, *cmdline, *dtb;
	int r;

	r = check(boot, cmdline_len, err);
	if (r < 0)
		return r;
	seed = gmem_ptr(gm, LAYOUT_SETUP_DATA, LAYOUT_SETUP_DATA_MAX);
	cmdline = gmem_ptr(gm, LAYOUT_CMDLINE, cmdline_len + 1);
	dtb = gmem_ptr(gm, LAYOUT_DTB, LAYOUT_DTB_MAX);
	if (!seed || !cmdline || !dtb)
		return boot_refuse(err, 0,
				   "no memory at 0x%x for what a kernel is given",
				   LAYOUT_SETUP_DATA);
	memcpy(cmdline, boot->cmdline, cmdline_len + 1);
	if (boot->rng_seed)
		put_setup_data(seed, boot->dtb ? LAYOUT_DTB : 0, SETUP_RNG_SEED,
			       boot->rng_seed, boot->rng_seed_len);
	if (boot->dtb)
		put_setup_data(dtb, 0, SETUP_DTB, boot->dtb, boot->dtb_len);
	return 0;
}

int linux_boot_write(const struct gmem *gm, const struct linux_boot *boot,
		     struct boot_error *err)
{
	struct boot_params *bp;
	int r;

	bp = gmem_ptr(gm, LAYOUT_BOOT_PARAMS, sizeof(*bp));
	if (!bp)
		return boot_refuse(err, 0,
				   "no memory at 0x%x for what a kernel is given",
				   LAYOUT_BOOT_PARAMS);
	r = write_parts(gm, boot, err);
	if (r == 0)
		fill_params(bp, boot);
	return r;
}

int linux_setup_write(const struct gmem *gm, const struct linux_boot *boot,
		      struct boot_error *err)
{
	struct setup_header *hdr;
	int r;

	hdr = gmem_ptr(gm,
		       LAYOUT_SETUP + offsetof(struct boot_params, hdr),
		       sizeof(*hdr));
	if (!hdr)
		return boot_refuse(err, 0,
				   "no memory at 0x%x for a kernel's setup code",
				   LAYOUT_SETUP);
	r = write_parts(gm, boot, err);
	if (r < 0)
		return r;
	fill_header(hdr, boot);
	hdr->vid_mode = NORMAL_VGA;
	hdr->loadflags |= CAN_USE_HEAP;
	hdr->heap_end_ptr = LAYOUT_SETUP_HEAP_END - HEAP_END_BIAS;
	return 0;
}

/* ---- initrd ------------------------------------------------------------- */

struct gap {
	gpa_t start, end;
};

static uint64_t gap_len(const struct gap *gap)
{
	return gap->end > gap->start ? gap->end - gap->start : 0;
}

/* Whole pages above and below the kernel, in RAM from 1 MiB to ram_end. */
static void find_gaps(const struct boot_plan *plan, uint64_t ram_end,
		      struct gap *ret_above, struct gap *ret_below)
{
	gpa_t end = ram_end, reserve_end = plan->reserve + plan->reserve_len;

	if (end > LAYOUT_HOLE)
		end = LAYOUT_HOLE;
	if (end > plan->initrd_max)
		end = plan->initrd_max + 1;
	end = align_down(end, PAGE);

	*ret_above = (struct gap){ LAYOUT_HIGH_RAM, end };
	if (reserve_end > LAYOUT_HIGH_RAM)
		ret_above->start = align_up(reserve_end, PAGE);

	*ret_below = (struct gap){ LAYOUT_HIGH_RAM,
				   align_down(plan->reserve, PAGE) };
	if (ret_below->end > end)
		ret_below->end = end;
}

static uint64_t most_room(const struct gap *above, const struct gap *below)
{
	uint64_t a = gap_len(above), b = gap_len(below);

	return a > b ? a : b;
}

static uint64_t high_ram_end(const struct gmem *gm)
{
	unsigned i;

	for (i = 0; i < gm->count; i++) {
		const struct gmem_region *r = &gm->region[i];

		if (r->base <= LAYOUT_HIGH_RAM &&
		    LAYOUT_HIGH_RAM - r->base < r->len)
			return r->base + r->len;
	}
	return LAYOUT_HIGH_RAM;
}

static int refuse_initrd(const struct boot_plan *plan, uint64_t len,
			 uint64_t room, struct boot_error *err)
{
	/* Small ones in KiB, so that the two numbers differ. */
	uint64_t unit = len < MIB(10) ? KIB(1) : MIB(1);
	const char *name = len < MIB(10) ? "KiB" : "MiB";
	uint64_t has = (len - 1) / unit + 1;
	uint64_t most, enough;
	struct gap above, below;

	find_gaps(plan, LAYOUT_HOLE, &above, &below);
	most = most_room(&above, &below);
	if (len > most)
		return boot_refuse(err, 0,
				   "initrd has %" PRIu64
				   " %s, this kernel has room for %" PRIu64
				   " %s however much memory there is",
				   has, name, most / unit, name);
	enough = align_up(above.start + len, MIB(1)) / MIB(1);
	return boot_refuse(err, 0,
			   "initrd has %" PRIu64 " %s, room for %" PRIu64
			   " %s; more memory is needed, %" PRIu64
			   " MiB at least",
			   has, name, room / unit, name, enough);
}

int linux_place_initrd(const struct gmem *gm, const struct boot_plan *plan,
		       uint64_t len, gpa_t *ret_gpa, struct boot_error *err)
{
	struct gap above, below;

	find_gaps(plan, high_ram_end(gm), &above, &below);
	if (len <= gap_len(&above))
		*ret_gpa = align_down(above.end - len, PAGE);
	else if (len <= gap_len(&below))
		*ret_gpa = align_down(below.end - len, PAGE);
	else
		return refuse_initrd(plan, len, most_room(&above, &below),
				     err);
	return 0;
}
