// SPDX-License-Identifier: MIT
/* lib.c: console, results, arguments, fw_cfg, and the end. */
#include <trapmap/guest_abi.h>

#include "kut.h"

#define COM1 0x3f8
#define LCR 3
#define LSR 5
#define LCR_8N1 3
#define LSR_THRE 0x20

#define FW_CFG_SELECTOR 0x510
#define FW_CFG_DATA 0x511

#define LOADER_MAGIC 0x2badb002
#define ARGS_MAX 32

void start(uint32_t magic, const struct multiboot_info *info);

const struct multiboot_info *boot_info;
static unsigned tests, failures, skipped;

void put(const char *s)
{
	for (; *s; s++) {
		while (!(inb(COM1 + LSR) & LSR_THRE))
			cpu_relax();
		outb(COM1, (uint8_t)*s);
	}
}

void put_number(uint64_t n)
{
	/* 32 bits at a time: there is no library to divide 64 in a 32-bit guest. */
	uint32_t small = (uint32_t)n;
	char text[11], *p = text + 10;

	*p = '\0';
	do
		*--p = (char)('0' + small % 10);
	while ((small /= 10) != 0);
	put(p);
}

void report(bool pass, const char *what)
{
	tests++;
	failures += !pass;
	put(pass ? "PASS: " : "FAIL: ");
	put(what);
	put("\n");
}

void report_skip(const char *why)
{
	tests++;
	skipped++;
	put("SKIP: ");
	put(why);
	put("\n");
}

int report_summary(void)
{
	put("SUMMARY: ");
	put_number(tests);
	put(" tests");
	if (failures) {
		put(", ");
		put_number(failures);
		put(" unexpected failures");
	}
	if (skipped) {
		put(", ");
		put_number(skipped);
		put(" skipped");
	}
	put("\n");
	if (skipped == tests)
		return EXIT_SKIPPED;
	return failures > 0;
}

_Noreturn void test_exit(uint32_t code)
{
	outl(TRAPMAP_DEBUG_EXIT_PORT, code);
	for (;;)
		asm volatile("hlt");
}

uint64_t number(const char *s)
{
	uint64_t n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (uint64_t)(*s - '0');
	return n;
}

bool same(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

uint64_t fw_cfg(uint16_t item, unsigned size)
{
	uint64_t val = 0;
	unsigned i;

	outw(FW_CFG_SELECTOR, item);
	for (i = 0; i < size; i++)
		val |= (uint64_t)inb(FW_CFG_DATA) << (8 * i);
	return val;
}

void start(uint32_t magic, const struct multiboot_info *info)
{
	static char *argv[ARGS_MAX + 1];
	int argc = 0;
	char *s;

	outb(COM1 + LCR, LCR_8N1);
	if (magic != LOADER_MAGIC || !(info->flags & MULTIBOOT_CMDLINE)) {
		put("ABORT: not started by multiboot, or without arguments\n");
		test_exit(127);
	}
	boot_info = info;
	/* The loader's copy is ours to cut. */
	s = (char *)(uintptr_t)info->cmdline;
	while (argc < ARGS_MAX) {
		while (*s == ' ')
			s++;
		if (!*s)
			break;
		argv[argc++] = s;
		while (*s && *s != ' ')
			s++;
		if (*s)
			*s++ = '\0';
	}
	test_exit((uint32_t)test_main(argc, argv));
}
