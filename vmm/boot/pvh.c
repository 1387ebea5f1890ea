// SPDX-License-Identifier: MIT
/*
 * pvh.c: hvm_start_info, version 1. Sources: Xen's docs/misc/pvh.pandoc and
 * xen/include/public/arch-x86/hvm/start_info.h.
 *
 * Not here: flags (Xen's own: of an initial domain), and a XenStore or a
 * hypercall page, as there is no Xen.
 */
#include "boot/pvh.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base.h"
#include "layout.h"

#define VERSION 1

/* Offsets in hvm_start_info. */
#define INFO_MAGIC 0
#define INFO_VERSION 4
#define INFO_MODULES 12
#define INFO_MODLIST 16
#define INFO_CMDLINE 24
#define INFO_RSDP 32
#define INFO_MEMMAP 40
#define INFO_MEMMAP_ENTRIES 48
#define INFO_LEN 56u

#define MODULE_LEN 32u /* paddr, size, cmdline_paddr, reserved */
#define MEMMAP_LEN 24u /* addr, size, type, reserved */

/* One after another from LAYOUT_PVH on, the strings last. */
struct places {
	uint32_t memmap, modlist, strings, end;
};

static struct places find_places(const struct pvh_boot *boot)
{
	struct places p;
	uint64_t end;
	unsigned i;

	p.memmap = align_up(INFO_LEN, 8);
	p.modlist = p.memmap + boot->e820_count * MEMMAP_LEN;
	p.strings = p.modlist + boot->modules * MODULE_LEN;
	end = p.strings;
	for (i = 0; i < boot->modules; i++)
		if (boot->module[i].cmdline)
			end += strlen(boot->module[i].cmdline) + 1;
	p.end = end < UINT32_MAX ? (uint32_t)end : UINT32_MAX;
	return p;
}

static int check(const struct pvh_boot *boot, const struct places *p,
		 struct boot_error *err)
{
	size_t len = strlen(boot->cmdline);
	uint32_t max = boot->cmdline_max;

	if (max > LAYOUT_CMDLINE_MAX - 1)
		max = LAYOUT_CMDLINE_MAX - 1;
	if (len > max)
		return boot_refuse(err, BOOT_NOWHERE,
				   "command line has %zu bytes, this kernel takes at most %" PRIu32,
				   len, max);
	if (p->end > LAYOUT_PVH_MAX)
		return boot_refuse(err, BOOT_NOWHERE,
				   "the names of %u modules are too long",
				   boot->modules);
	return 0;
}

static void write_modules(const struct pvh_boot *boot, const struct places *p,
			  uint8_t *info)
{
	uint8_t *to = info + p->modlist;
	uint32_t string = p->strings;
	unsigned i;

	for (i = 0; i < boot->modules; i++, to += MODULE_LEN) {
		const struct pvh_module *m = &boot->module[i];

		put_le64(to, m->gpa);
		put_le64(to + 8, m->len);
		put_le64(to + 16, 0);
		put_le64(to + 24, 0);
		if (m->cmdline) {
			size_t len = strlen(m->cmdline) + 1;

			memcpy(info + string, m->cmdline, len);
			put_le64(to + 16, LAYOUT_PVH + string);
			string += (uint32_t)len;
		}
	}
}

int pvh_write(const struct gmem *gm, const struct pvh_boot *boot,
	      struct boot_error *err)
{
	struct places p = find_places(boot);
	uint8_t *info, *cmdline, *to;
	unsigned i;
	int r;

	r = check(boot, &p, err);
	if (r < 0)
		return r;
	info = gmem_ptr(gm, LAYOUT_PVH, LAYOUT_PVH_MAX);
	cmdline = gmem_ptr(gm, LAYOUT_CMDLINE, LAYOUT_CMDLINE_MAX);
	if (!info || !cmdline)
		return boot_refuse(err, BOOT_NOWHERE,
				   "no memory at 0x%x for what a kernel is given",
				   LAYOUT_PVH);
	memset(info, 0, INFO_LEN);
	put_le32(info + INFO_MAGIC, PVH_MAGIC);
	put_le32(info + INFO_VERSION, VERSION);
	put_le32(info + INFO_MODULES, boot->modules);
	put_le64(info + INFO_MODLIST,
		 boot->modules ? LAYOUT_PVH + p.modlist : 0);
	put_le64(info + INFO_CMDLINE, LAYOUT_CMDLINE);
	put_le64(info + INFO_RSDP, boot->acpi_rsdp);
	put_le64(info + INFO_MEMMAP, LAYOUT_PVH + p.memmap);
	put_le32(info + INFO_MEMMAP_ENTRIES, boot->e820_count);
	to = info + p.memmap;
	for (i = 0; i < boot->e820_count; i++, to += MEMMAP_LEN) {
		put_le64(to, boot->e820[i].base);
		put_le64(to + 8, boot->e820[i].len);
		put_le32(to + 16, boot->e820[i].type);
		put_le32(to + 20, 0);
	}
	write_modules(boot, &p, info);
	memcpy(cmdline, boot->cmdline, strlen(boot->cmdline) + 1);
	return 0;
}
