// SPDX-License-Identifier: MIT
/*
 * Not here: drives, a symbol table, a configuration table, APM, VBE and
 * framebuffer; their flags are clear.
 *
 * The command line's first word is the kernel's name, as QEMU and GRUB legacy
 * have it: kernels that take arguments skip it.
 */
#include "boot/multiboot.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base.h"
#include "layout.h"

/* Offsets in the information structure. */
#define INFO_FLAGS 0
#define INFO_MEM_LOWER 4
#define INFO_MEM_UPPER 8
#define INFO_CMDLINE 16
#define INFO_MODS_COUNT 20
#define INFO_MODS_ADDR 24
#define INFO_MMAP_LENGTH 44
#define INFO_MMAP_ADDR 48
#define INFO_LOADER_NAME 64
#define INFO_LEN 116

#define FLAG_MEM BIT(0)
#define FLAG_CMDLINE BIT(2)
#define FLAG_MODS BIT(3)
#define FLAG_MMAP BIT(6)
#define FLAG_LOADER_NAME BIT(9)

#define MODULE_LEN 16u
#define MMAP_LEN 24u /* with its size field, which does not count itself */

static const char loader_name[] = "Trapmap";

/* Takes memory from the page that starts at LAYOUT_MULTIBOOT. */
struct arena {
	uint8_t *base;
	size_t used;
};

static uint8_t *take(struct arena *arena, size_t len, uint32_t *ret_gpa)
{
	size_t off = (size_t)align_up(arena->used, 4);

	if (len > LAYOUT_MULTIBOOT_MAX - off)
		return NULL;
	arena->used = off + len;
	*ret_gpa = LAYOUT_MULTIBOOT + (uint32_t)off;
	return arena->base + off;
}

static int put_string(struct arena *arena, const char *text, uint32_t *ret_gpa)
{
	size_t len = strlen(text) + 1;
	uint8_t *to = take(arena, len, ret_gpa);

	if (!to)
		return -ENOSPC;
	memcpy(to, text, len);
	return 0;
}

/* RAM at 1 MiB, in KiB, as far as it goes without a hole. */
static uint32_t mem_upper(const struct multiboot_boot *boot)
{
	unsigned i;

	for (i = 0; i < boot->e820_count; i++)
		if (boot->e820[i].type == E820_RAM &&
		    boot->e820[i].base == LAYOUT_HIGH_RAM)
			return (uint32_t)(boot->e820[i].len >> 10);
	return 0;
}

static int write_map(struct arena *arena, const struct multiboot_boot *boot,
		     uint8_t *info)
{
	uint32_t gpa = 0, len = boot->e820_count * MMAP_LEN;
	uint8_t *to = take(arena, len, &gpa);
	unsigned i;

	if (!to)
		return -ENOSPC;
	for (i = 0; i < boot->e820_count; i++, to += MMAP_LEN) {
		put_le32(to, MMAP_LEN - 4);
		put_le64(to + 4, boot->e820[i].base);
		put_le64(to + 12, boot->e820[i].len);
		put_le32(to + 20, boot->e820[i].type);
	}
	put_le32(info + INFO_MMAP_LENGTH, len);
	put_le32(info + INFO_MMAP_ADDR, gpa);
	return 0;
}

static int write_modules(struct arena *arena, const struct multiboot_boot *boot,
			 uint8_t *info)
{
	uint32_t gpa = 0, name = 0;
	uint8_t *to = take(arena, boot->modules * MODULE_LEN, &gpa);
	unsigned i;

	if (!to)
		return -ENOSPC;
	for (i = 0; i < boot->modules; i++, to += MODULE_LEN) {
		const struct multiboot_module *m = &boot->module[i];

		if (put_string(arena, m->name, &name) < 0)
			return -ENOSPC;
		put_le32(to, (uint32_t)m->gpa);
		put_le32(to + 4, (uint32_t)(m->gpa + m->len));
		put_le32(to + 8, name);
	}
	put_le32(info + INFO_MODS_COUNT, boot->modules);
	put_le32(info + INFO_MODS_ADDR, gpa);
	return 0;
}

static int write_cmdline(const struct gmem *gm,
			 const struct multiboot_boot *boot, uint8_t *info,
			 struct boot_error *err)
{
	size_t name = strlen(boot->kernel), rest = strlen(boot->cmdline);
	uint8_t *to = gmem_ptr(gm, LAYOUT_CMDLINE, LAYOUT_CMDLINE_MAX);

	if (name > LAYOUT_CMDLINE_MAX - 2 ||
	    rest > LAYOUT_CMDLINE_MAX - name - 2)
		return boot_refuse(err, 0,
				   "command line has %zu bytes with the kernel's name; at most %u can be had",
				   name + rest + 1, LAYOUT_CMDLINE_MAX - 1);
	memcpy(to, boot->kernel, name);
	to[name] = rest ? ' ' : 0;
	memcpy(to + name + 1, boot->cmdline, rest + 1);
	put_le32(info + INFO_CMDLINE, LAYOUT_CMDLINE);
	return 0;
}

int multiboot_write(const struct gmem *gm, const struct multiboot_boot *boot,
		    struct boot_error *err)
{
	struct arena arena = {
		.base = gmem_ptr(gm, LAYOUT_MULTIBOOT, LAYOUT_MULTIBOOT_MAX),
	};
	uint32_t gpa = 0;
	uint8_t *info = take(&arena, INFO_LEN, &gpa);
	int r;

	memset(info, 0, INFO_LEN);
	put_le32(info + INFO_FLAGS, FLAG_MEM | FLAG_CMDLINE | FLAG_MODS |
					    FLAG_MMAP | FLAG_LOADER_NAME);
	put_le32(info + INFO_MEM_LOWER, LAYOUT_EBDA >> 10);
	put_le32(info + INFO_MEM_UPPER, mem_upper(boot));
	r = write_cmdline(gm, boot, info, err);
	if (r < 0)
		return r;
	r = put_string(&arena, loader_name, &gpa);
	put_le32(info + INFO_LOADER_NAME, gpa);
	if (r == 0)
		r = write_map(&arena, boot, info);
	if (r == 0)
		r = write_modules(&arena, boot, info);
	if (r < 0)
		return boot_refuse(err, 0,
				   "the names of %u modules are too long",
				   boot->modules);
	return 0;
}
