/* SPDX-License-Identifier: MIT */
/*
 * kut.h: what guests need that follow the conventions of kvm-unit-tests on x86:
 * a multiboot 1 kernel in a 32-bit ELF at 4 MiB, also where its code is 64-bit;
 * results on COM1 as lines that begin with PASS, FAIL or SKIP, then one that
 * begins with SUMMARY; the exit code written to port 0xf4; memory and processors
 * from fw_cfg.
 *
 * Built twice: with -m32 (no paging), and for 64 bits, where start.S enters long
 * mode by itself with 4 GiB mapped one to one.
 */
#ifndef KVM_UNIT_TESTS_KUT_H
#define KVM_UNIT_TESTS_KUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io.h"

#define EXIT_SKIPPED 77

/* A test: argv[0] is its file, the others are the words of test_args. */
int test_main(int argc, char **argv);

void put(const char *s);
void put_number(uint64_t n);
void report(bool pass, const char *what);
void report_skip(const char *why);
/* Prints the sum. Returns the exit code: 0, 1, or 77 where all was skipped. */
int report_summary(void);
_Noreturn void test_exit(uint32_t code);

/* A decimal number. */
uint64_t number(const char *s);
bool same(const char *a, const char *b);

#define FW_CFG_RAM_SIZE 3
#define FW_CFG_NB_CPUS 5

/* An item of so many bytes, the first one lowest. */
uint64_t fw_cfg(uint16_t item, unsigned size);

/* What the boot loader left: Multiboot Specification 0.6.96, 3.3. */
struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

#define MULTIBOOT_MEMORY 0x1u
#define MULTIBOOT_CMDLINE 0x4u
#define MULTIBOOT_MMAP 0x40u

extern const struct multiboot_info *boot_info;

#endif
