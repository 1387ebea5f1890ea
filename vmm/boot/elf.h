/* SPDX-License-Identifier: MIT */
/*
 * elf.h: ELF files of both classes as one: headers in their 64-bit form, and
 * the segments to load as a plan.
 */
#ifndef TRAPMAP_BOOT_ELF_H
#define TRAPMAP_BOOT_ELF_H

#include <elf.h>
#include <stdbool.h>

#include "boot/plan.h"

/* Whether the file begins with ELF's magic number. */
bool elf_is(const struct boot_image *image);
bool elf_is_32(const Elf64_Ehdr *ehdr);

/*
 * The header of an executable for x86: x86-64 of class 64, and with allow_32
 * also i386 or x86-64 of class 32. 0, or -EINVAL with *err.
 */
int elf_header(const struct boot_image *image, bool allow_32,
	       Elf64_Ehdr *ret_ehdr, struct boot_error *err);

/* Program header i, which elf_header() has found to be there. */
Elf64_Phdr elf_phdr(const struct boot_image *image, const Elf64_Ehdr *ehdr,
		    unsigned i);
uint64_t elf_phdr_off(const Elf64_Ehdr *ehdr, unsigned i);

/*
 * Adds its PT_LOADs to the plan and sets entry and reserve. 0, or -EINVAL with
 * *err. physical: the entry is no address by e_entry's rules, which may also
 * be a virtual one; off is where the file has it.
 */
struct elf_entry {
	uint64_t addr;
	uint64_t off;
	bool physical;
};
int elf_load(const struct boot_image *image, const Elf64_Ehdr *ehdr,
	     const struct elf_entry *entry, struct boot_plan *plan,
	     struct boot_error *err);

/* Where e_entry says. */
struct elf_entry elf_entry(const Elf64_Ehdr *ehdr);

/* How an ELF file can start: BIT(enum trapmap_boot) of each. */
uint32_t elf_offers(const struct boot_image *image, const Elf64_Ehdr *ehdr);

/*
 * Checks one segment and adds it to the plan. 0, or -EINVAL with *err; at tells
 * where in the file its figures are.
 */
struct elf_phdr_at {
	uint64_t header, offset, paddr, filesz;
};
int elf_add_segment(struct boot_plan *plan, const Elf64_Phdr *phdr,
		    const struct elf_phdr_at *at, uint64_t file_len,
		    struct boot_error *err);

#endif
