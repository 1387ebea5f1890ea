// SPDX-License-Identifier: MIT
/*
 * fw_items.c: the items by which QEMU tells a firmware what to boot. Sources: QEMU's
 * docs/specs/fw_cfg and hw/i386/x86-common.c, for the addresses that go with them;
 * Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
 *
 * A kernel that is no bzImage is served whole, without an address. Large files are
 * read as the guest asks for them.
 */
#include "fw_items.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/device.h"
#include "fw_cfg.h"
#include "load.h"
#include "mem.h"
#include "x86/e820.h"

/* Where QEMU has a firmware put them. */
#define SETUP_AT 0x10000u
#define CMDLINE_AT 0x20000u
#define KERNEL_AT 0x100000u

#define SECTOR 512u
#define HEADER_MAGIC 0x53726448u /* "HdrS" */
#define AT(field) (offsetof(struct boot_params, hdr.field))
#define HEADER_END (AT(init_size) + 4)
/* boot.rst: the heap ends 0x200 below what heap_end_ptr means. */
#define HEAP_END (CMDLINE_AT - SETUP_AT - 0x200u)
#define INITRD_MAX_OLD 0x37ffffffu /* before protocol 2.03 */

#define E820_ENTRY 20u

/* ---- the memory map ----------------------------------------------------- */

/* "etc/e820": address, length, type of each range, as INT 15h has them. */
static int set_e820(struct fw_items *items, struct device *fw,
		    const struct platform *p)
{
	struct e820_range map[E820_MAX];
	unsigned n = e820_build(p, map), i;

	items->e820 = calloc(n, E820_ENTRY);
	if (!items->e820)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		uint8_t *to = items->e820 + (size_t)i * E820_ENTRY;

		put_le64(to, map[i].base);
		put_le64(to + 8, map[i].len);
		put_le32(to + 16, map[i].type);
	}
	return fw_cfg_set_file(fw, FW_ITEMS_E820,
			       &(struct fw_cfg_item){ .data = items->e820,
						      .len = n * E820_ENTRY });
}

static int open_file(struct source *src, struct error *err)
{
	int r = source_open(src, err);

	if (r == 0 && src->len > UINT32_MAX)
		r = error_set(err, ERROR_INPUT, -EFBIG,
			      "%s: larger than 4 GiB, which fw_cfg cannot serve",
			      src->name);
	return r;
}

/* ---- the initrds, one after another at multiples of four ----------------- */

static uint64_t initrds_len(const struct fw_items *items)
{
	uint64_t len = 0;
	unsigned i;

	for (i = 0; i < items->initrds; i++)
		len = align_up(len, 4) + items->initrd[i].len;
	return len;
}

static int read_initrds(void *opaque, uint64_t off, void *buf, size_t len)
{
	const struct fw_items *items = opaque;
	uint64_t at = 0, end = off + len;
	struct error err;
	unsigned i;
	int r = 0;

	memset(buf, 0, len);
	for (i = 0; i < items->initrds && at < end && r == 0; i++) {
		const struct source *src = &items->initrd[i];
		uint64_t from = off > at ? off - at : 0;
		uint64_t to = end - at < src->len ? end - at : src->len;

		if (from < to)
			r = source_read(src, from,
					(uint8_t *)buf + (at + from - off),
					to - from, &err);
		at = align_up(at + src->len, 4);
	}
	return r;
}

/* As high as kernel and memory allow. */
static int set_initrd(struct fw_items *items, struct device *fw,
		      const struct platform *p, uint64_t highest,
		      uint32_t *ret_at, struct error *err)
{
	uint64_t len, end = platform_low_ram_end(p);
	unsigned i;
	int r = 0;

	for (i = 0; i < items->initrds && r == 0; i++)
		r = open_file(&items->initrd[i], err);
	if (r < 0)
		return r;
	if (end > highest)
		end = highest + 1;
	len = initrds_len(items);
	if (end < KERNEL_AT || len > end - KERNEL_AT)
		return error_set(err, ERROR_INPUT, -E2BIG,
				 "%s: initrds of %llu bytes do not fit between "
				 "%#x and %#llx, %s",
				 items->initrd[0].name,
				 (unsigned long long)len, KERNEL_AT,
				 (unsigned long long)end,
				 end > highest ?
					 "above which the kernel takes none" :
					 "where memory ends; more is needed");
	*ret_at = (uint32_t)align_down(end - len, MEM_PAGE);
	fw_cfg_set_int(fw, FW_CFG_INITRD_ADDR, *ret_at, 4);
	fw_cfg_set_int(fw, FW_CFG_INITRD_SIZE, len, 4);
	fw_cfg_set(fw, FW_CFG_INITRD_DATA,
		   &(struct fw_cfg_item){ .read = read_initrds,
					  .opaque = items,
					  .len = (uint32_t)len });
	return 0;
}

/* ---- the kernel ---------------------------------------------------------- */

static int read_kernel(void *opaque, uint64_t off, void *buf, size_t len)
{
	const struct fw_items *items = opaque;
	struct error err;

	return source_read(items->kernel, items->kernel_off + off, buf, len,
			   &err);
}

/* Reads a bzImage's setup sectors, if that is what it is. 0 or -errno. */
static int read_setup(struct fw_items *items, uint32_t *ret_len,
		      struct error *err)
{
	struct source *kernel = items->kernel;
	uint8_t head[HEADER_END];
	uint32_t sects, len;

	*ret_len = 0;
	if (kernel->len < sizeof(head))
		return 0;
	if (source_read(kernel, 0, head, sizeof(head), err) < 0)
		return -EIO;
	if (get_le32(head + AT(header)) != HEADER_MAGIC)
		return 0;
	sects = head[AT(setup_sects)] ? head[AT(setup_sects)] : 4;
	len = (sects + 1) * SECTOR;
	if (kernel->len <= len)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: bzImage is truncated: its setup code "
				 "takes %u bytes, the file has %llu",
				 kernel->name, len,
				 (unsigned long long)kernel->len);
	items->setup = malloc(len);
	if (!items->setup)
		return error_host(err, -ENOMEM, "%s", kernel->name);
	*ret_len = len;
	return source_read(kernel, 0, items->setup, len, err);
}

/* What a boot loader fills in. */
static void fill_header(uint8_t *setup, uint32_t initrd_at, uint32_t initrd_len)
{
	setup[AT(type_of_loader)] = 0xff; /* none of the registered ones */
	setup[AT(loadflags)] |= CAN_USE_HEAP;
	put_le16(setup + AT(heap_end_ptr), HEAP_END);
	put_le32(setup + AT(cmd_line_ptr), CMDLINE_AT);
	put_le32(setup + AT(ramdisk_image), initrd_at);
	put_le32(setup + AT(ramdisk_size), initrd_len);
}

static int set_kernel(struct fw_items *items, struct device *fw,
		      const struct load_request *rq, struct error *err)
{
	uint64_t highest = LAYOUT_HOLE - 1;
	uint32_t setup_len = 0, initrd_at = 0;
	int r;

	r = open_file(items->kernel, err);
	if (r == 0)
		r = read_setup(items, &setup_len, err);
	if (r < 0)
		return r;
	if (setup_len)
		highest = get_le16(items->setup + AT(version)) >= 0x203 ?
				  get_le32(items->setup + AT(initrd_addr_max)) :
				  INITRD_MAX_OLD;
	if (items->initrds) {
		r = set_initrd(items, fw, &rq->platform, highest, &initrd_at,
			       err);
		if (r < 0)
			return r;
	}
	if (setup_len) {
		fill_header(items->setup, initrd_at,
			    (uint32_t)initrds_len(items));
		fw_cfg_set_int(fw, FW_CFG_SETUP_ADDR, SETUP_AT, 4);
		fw_cfg_set_int(fw, FW_CFG_SETUP_SIZE, setup_len, 4);
		fw_cfg_set(fw, FW_CFG_SETUP_DATA,
			   &(struct fw_cfg_item){ .data = items->setup,
						  .len = setup_len });
		fw_cfg_set_int(fw, FW_CFG_KERNEL_ADDR, KERNEL_AT, 4);
	}
	items->kernel_off = setup_len;
	fw_cfg_set_int(fw, FW_CFG_KERNEL_SIZE, items->kernel->len - setup_len,
		       4);
	fw_cfg_set(fw, FW_CFG_KERNEL_DATA,
		   &(struct fw_cfg_item){
			   .read = read_kernel,
			   .opaque = items,
			   .len = (uint32_t)(items->kernel->len - setup_len) });
	return 0;
}

/* ---- all of them --------------------------------------------------------- */

static int read_file(void *opaque, uint64_t off, void *buf, size_t len)
{
	const struct fw_file *file = opaque;
	struct error err;

	return source_read(&file->source, off, buf, len, &err);
}

static int set_file(struct device *fw, struct fw_file *file, struct error *err)
{
	int r = open_file(&file->source, err);

	if (r < 0)
		return r;
	r = fw_cfg_set_file(fw, file->name,
			    &(struct fw_cfg_item){
				    .read = read_file,
				    .opaque = file,
				    .len = (uint32_t)file->source.len });
	if (r < 0)
		return error_host(err, r, "fw_cfg file '%s'", file->name);
	return 0;
}

int fw_items_set(struct fw_items *items, struct device *fw,
		 const struct load_request *request, struct fw_file *file,
		 unsigned files, struct error *err)
{
	const struct platform *p = &request->platform;
	uint32_t len = (uint32_t)strlen(request->cmdline) + 1;
	unsigned i;
	int r;

	fw_items_done(items);
	fw_cfg_set_int(fw, FW_CFG_RAM_SIZE, p->mem, 8);
	fw_cfg_set_int(fw, FW_CFG_NB_CPUS, p->cpus, 2);
	/* Linux and SeaBIOS take it for where ids end. */
	fw_cfg_set_int(fw, FW_CFG_MAX_CPUS, platform_apic_id(p, p->cpus - 1) + 1,
		       2);
	fw_cfg_set_int(fw, FW_CFG_CMDLINE_ADDR, CMDLINE_AT, 4);
	fw_cfg_set_int(fw, FW_CFG_CMDLINE_SIZE, len, 4);
	fw_cfg_set(fw, FW_CFG_CMDLINE_DATA,
		   &(struct fw_cfg_item){ .data = request->cmdline,
					  .len = len });
	r = set_e820(items, fw, p);
	if (r < 0)
		return error_host(err, r, "fw_cfg");
	for (i = 0; i < files; i++) {
		r = set_file(fw, &file[i], err);
		if (r < 0)
			return r;
	}
	if (!request->firmware)
		return 0;
	if (!request->kernel->name && request->initrds)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: firmware finds an initrd only beside a "
				 "kernel; name one with -k",
				 request->initrd[0].name);
	if (!request->kernel->name)
		return 0;
	items->kernel = request->kernel;
	items->initrd = request->initrd;
	items->initrds = request->initrds;
	return set_kernel(items, fw, request, err);
}

void fw_items_done(struct fw_items *items)
{
	free(items->e820);
	free(items->setup);
	*items = (struct fw_items){ 0 };
}
