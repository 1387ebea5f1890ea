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
bool elf_is(const uint8_t *head, size_t head_len);

/*
 * The header of an executable for x86: x86-64 of class 64, and with allow_32
 * also i386 or x86-64 of class 32. 0, or -EINVAL with *err.
 */
int elf_header(const uint8_t *head, size_t head_len, uint64_t file_len,
	       bool allow_32, Elf64_Ehdr *ret_ehdr, struct boot_error *err);

/*
 * Adds its PT_LOADs to the plan and sets entry and reserve. 0, or -EINVAL with
 * *err.
 */
int elf_load(const uint8_t *head, size_t head_len, uint64_t file_len,
	     const Elf64_Ehdr *ehdr, struct boot_plan *plan,
	     struct boot_error *err);

/*
 * Checks one segment, whose header is at off in the file, and adds it to the
 * plan. 0, or -EINVAL with *err.
 */
int elf_add_segment(struct boot_plan *plan, const Elf64_Phdr *phdr,
		    uint64_t off, uint64_t file_len, struct boot_error *err);

#endif
