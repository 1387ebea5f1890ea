// SPDX-License-Identifier: MIT
/*
 * elf_kernel.c: a kernel as the linker leaves it (Linux's vmlinux), entered by
 * Linux's boot protocol or where its PVH note says.
 *
 * Sources: Documentation/arch/x86/boot.rst, "32-bit Boot Protocol" and "64-bit
 * Boot Protocol"; Xen's docs/misc/pvh.pandoc.
 */
#include "boot/elf.h"
#include "boot/multiboot.h"
#include "core/base.h"
#include "layout.h"

/* An ELF says nothing of its kernel's limit: Linux's COMMAND_LINE_SIZE - 1. */
#define CMDLINE_MAX 2047

uint32_t elf_offers(const struct boot_image *image, const Elf64_Ehdr *e)
{
	uint32_t mask = 0;

	if (multiboot_find(image) >= 0)
		mask |= BIT(TRAPMAP_BOOT_MULTIBOOT);
	if (image->notes.has_pvh)
		mask |= BIT(TRAPMAP_BOOT_PVH);
	if (!elf_is_32(e) && e->e_entry)
		mask |= BIT(TRAPMAP_BOOT_LINUX64);
	if (elf_is_32(e) && image->notes.is_linux)
		mask |= BIT(TRAPMAP_BOOT_LINUX32);
	return mask;
}

/*
 * A PVH note on what is not Linux means that nothing speaks for its knowing
 * boot_params. Linux has more from its own protocol: a random seed at once, and
 * all else that setup_data can hold.
 */
static enum trapmap_boot choose(const struct boot_image *image,
				const Elf64_Ehdr *e, uint32_t offers)
{
	if (offers & BIT(image->want) && image->want != TRAPMAP_BOOT_MULTIBOOT)
		return image->want;
	if (image->notes.has_pvh && !image->notes.is_linux)
		return TRAPMAP_BOOT_PVH;
	return elf_is_32(e) ? TRAPMAP_BOOT_LINUX32 : TRAPMAP_BOOT_LINUX64;
}

int elf_parse(const struct boot_image *image, struct boot_plan *ret_plan,
	      struct boot_error *err)
{
	const struct boot_notes *notes = &image->notes;
	struct boot_plan plan = {
		.format = "ELF",
		.cmdline_max = CMDLINE_MAX,
		.initrd_max = LAYOUT_HOLE - 1,
	};
	struct elf_entry entry;
	Elf64_Ehdr e = { 0 };
	int r;

	if (!elf_is(image))
		return 0;
	r = elf_header(image, notes->has_pvh || notes->is_linux, &e, err);
	if (r < 0)
		return r;
	entry = elf_entry(&e);
	plan.offers = elf_offers(image, &e);
	plan.boot = choose(image, &e, plan.offers);
	switch (plan.boot) {
	case TRAPMAP_BOOT_PVH:
		plan.protocol = BOOT_PVH;
		entry = (struct elf_entry){ notes->pvh_entry, notes->pvh_off,
					    true };
		break;
	case TRAPMAP_BOOT_LINUX32: plan.protocol = BOOT_LINUX32; break;
	default: plan.protocol = BOOT_LINUX64; break;
	}
	plan.is_linux = notes->is_linux || plan.protocol != BOOT_PVH;
	r = elf_load(image, &e, &entry, &plan, err);
	if (r < 0)
		return r;
	*ret_plan = plan;
	return 1;
}
