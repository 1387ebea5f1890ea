// SPDX-License-Identifier: MIT
/*
 * multiboot.c: kernels for the boot loader interface that GRUB made common, as
 * many small kernels and kvm-unit-tests have it.
 *
 * Source: Multiboot Specification 0.6.96, 3.1 "OS image format". The header is
 * found by its magic number in the first 8192 bytes. An ELF file, of either
 * class, is loaded by its program headers; any other by the addresses in the
 * header.
 *
 * Not here: a video mode (flag 2 asks for one; none is set, and the information
 * that the kernel gets says so), Multiboot 2.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "boot/elf.h"
#include "boot/multiboot.h"
#include "core/base.h"
#include "layout.h"

#define HEADER_SEARCH 8192u
#define HEADER_LEN 12u
#define HEADER_LEN_ADDRESSES 32u

#define FLAG_ADDRESSES BIT(16)
/* What a loader must know, or refuse: page-aligned modules, memory, video. */
#define FLAGS_REQUIRED 0xffffu
#define FLAGS_KNOWN 0x7u

int64_t multiboot_find(const struct boot_image *image)
{
	size_t off, end = image->head_len;

	if (end > HEADER_SEARCH)
		end = HEADER_SEARCH;
	for (off = 0; off + HEADER_LEN <= end; off += 4) {
		const uint8_t *at = image->head + off;
		uint32_t magic = get_le32(at);
		uint32_t flags = get_le32(at + 4);
		uint32_t checksum = get_le32(at + 8);

		if (magic == MULTIBOOT_HEADER_MAGIC &&
		    magic + flags + checksum == 0)
			return (int64_t)off;
	}
	return -1;
}

/*
 * No ELF, but addresses: header_addr is where the header itself is to lie, which
 * tells what part of the file is at load_addr.
 */
static int load_by_addresses(const struct boot_image *image, uint64_t off,
			     struct boot_plan *plan, struct boot_error *err)
{
	const uint8_t *head = image->head;
	const struct elf_phdr_at at = {
		.header = off,
		.offset = off + 16,
		.paddr = off + 16,
		.filesz = off + 20,
	};
	uint32_t header_addr, load_addr, load_end, bss_end, entry;
	Elf64_Phdr ph = { .p_type = PT_LOAD };

	if (off + HEADER_LEN_ADDRESSES > image->head_len)
		return boot_refuse(err, off,
				   "multiboot header is truncated: 32 bytes expected");
	header_addr = get_le32(head + off + 12);
	load_addr = get_le32(head + off + 16);
	load_end = get_le32(head + off + 20);
	bss_end = get_le32(head + off + 24);
	entry = get_le32(head + off + 28);

	if (load_addr > header_addr || header_addr - load_addr > off)
		return boot_refuse(err, off + 16,
				   "multiboot load_addr 0x%" PRIx32
				   " does not fit a header at 0x%" PRIx32
				   " in memory and 0x%" PRIx64 " in the file",
				   load_addr, header_addr, off);
	ph.p_paddr = load_addr;
	ph.p_offset = off - (header_addr - load_addr);
	ph.p_filesz = image->len - ph.p_offset;
	if (load_end) {
		if (load_end < load_addr)
			return boot_refuse(err, off + 20,
					   "multiboot load_end_addr 0x%" PRIx32
					   " is below load_addr 0x%" PRIx32,
					   load_end, load_addr);
		ph.p_filesz = load_end - load_addr;
	}
	ph.p_memsz = ph.p_filesz;
	if (bss_end) {
		if (bss_end < load_addr || bss_end - load_addr < ph.p_filesz)
			return boot_refuse(err, off + 24,
					   "multiboot bss_end_addr 0x%" PRIx32
					   " is below what is loaded at 0x%"
					   PRIx32,
					   bss_end, load_addr);
		ph.p_memsz = bss_end - load_addr;
	}
	if (entry < load_addr || entry - load_addr >= ph.p_filesz)
		return boot_refuse(err, off + 28,
				   "multiboot entry_addr 0x%" PRIx32
				   " is not in what is loaded",
				   entry);
	plan->entry = entry;
	plan->reserve = load_addr;
	plan->reserve_len = ph.p_memsz;
	return elf_add_segment(plan, &ph, &at, image->len, err);
}

int multiboot_parse(const struct boot_image *image, struct boot_plan *ret_plan,
		    struct boot_error *err)
{
	struct boot_plan plan = {
		.format = "multiboot kernel",
		.offers = BIT(TRAPMAP_BOOT_MULTIBOOT),
		.boot = TRAPMAP_BOOT_MULTIBOOT,
		.protocol = BOOT_MULTIBOOT,
		.cmdline_max = LAYOUT_CMDLINE_MAX - 1,
		.initrd_max = LAYOUT_HOLE - 1,
	};
	int64_t off = multiboot_find(image);
	struct elf_entry entry;
	uint32_t flags;
	Elf64_Ehdr e = { 0 };
	int r;

	if (off < 0)
		return 0;
	flags = get_le32(image->head + off + 4);
	if (flags & FLAGS_REQUIRED & ~FLAGS_KNOWN)
		return boot_refuse(err, (uint64_t)off + 4,
				   "multiboot flags 0x%" PRIx32
				   " require what no loader of this version has",
				   flags);
	if (flags & FLAG_ADDRESSES) {
		r = load_by_addresses(image, (uint64_t)off, &plan, err);
	} else if (elf_is(image)) {
		r = elf_header(image, true, &e, err);
		entry = elf_entry(&e);
		if (r == 0)
			r = elf_load(image, &e, &entry, &plan, err);
		plan.offers = elf_offers(image, &e);
	} else {
		r = boot_refuse(err, (uint64_t)off + 4,
				"multiboot flag 16 (addresses) is clear, and this is no ELF: nothing says where it is to lie");
	}
	if (r < 0)
		return r;
	*ret_plan = plan;
	return 1;
}
