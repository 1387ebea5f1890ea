// SPDX-License-Identifier: MIT
/*
 * multiboot.c: a kernel as kvm-unit-tests has them: an ELF32 with a multiboot
 * header, entered in 32-bit protected mode. It looks at what the boot loader
 * left (Multiboot Specification 0.6.96, 3.2 and 3.3), reads memory size and
 * processors from fw_cfg and an empty PCI bus, and ends through the debug-exit
 * port, where status 1 is success.
 *
 * format: multiboot
 *
 * case multiboot-arguments
 *	options: --params "first 'second one'"
 *	status: 1
 *	match: ^name: .*multiboot.elf$
 *	out: arguments: first 'second one'
 *	out: loader: Trapmap
 * case multiboot-no-arguments
 *	status: 1
 *	out: arguments:
 *	out: modules: 0
 * case multiboot-memory
 *	options: -m 300
 *	status: 1
 *	out: lower: 639 KiB
 *	out: upper: 306176 KiB
 *	out: usable: 306815 KiB
 * case multiboot-5G
 *	options: -m 5G
 *	status: 1
 *	out: above 4 GiB: 2097152 KiB
 * case multiboot-modules
 *	setup: printf 'one\n' >$dir/a; printf 'the second\n' >$dir/b
 *	options: -i $dir/a -i $dir/b
 *	status: 1
 *	out: modules: 2
 *	match: ^module: [^ ]+a, 4 bytes: one$
 *	match: ^module: [^ ]+b, 11 bytes: the second$
 * case multiboot-fw-cfg
 *	options: -c 3 -m 64
 *	status: 1
 *	out: fw_cfg: 3 processors, 65536 KiB
 * case multiboot-failure
 *	options: --params fail
 *	status: 3
 * case multiboot-skipped
 *	options: --params skip
 *	status: 155
 * case multiboot-plain-status
 *	options: --debug-exit=plain --params skip
 *	status: 77
 */
#include <stdint.h>

#include <trapmap/guest_abi.h>

#include "io.h"

#define COM1 0x3f8
#define FW_CFG_SELECT 0x510
#define FW_CFG_DATA 0x511
#define FW_CFG_RAM_SIZE 3
#define FW_CFG_NB_CPUS 5
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
	uint32_t drives[2], config_table, boot_loader_name;
};

struct module {
	uint32_t start, end, string, reserved;
};

struct map_entry {
	uint32_t size;
	uint64_t addr, len;
	uint32_t type;
} __attribute__((packed));

void multiboot_main(uint32_t magic, const struct info *info);

asm(".section .text.start, \"ax\"\n"
    ".balign 4\n"
    ".long 0x1badb002, 0, -0x1badb002\n"
    ".globl _start\n"
    "_start:\n"
    "	movl $stack_top, %esp\n"
    "	pushl %ebx\n"
    "	pushl %eax\n"
    "	call multiboot_main\n"
    ".bss\n"
    ".skip 4096\n"
    "stack_top:\n"
    ".text\n");

static void put(const char *s)
{
	for (; *s; s++)
		outb(COM1, (uint8_t)*s);
}

static void put_number(uint32_t n)
{
	char text[11], *p = text + 10;

	*p = 0;
	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	put(p);
}

static _Noreturn void end(uint32_t code)
{
	outl(TRAPMAP_DEBUG_EXIT_PORT, code);
	for (;;)
		asm volatile("hlt");
}

/* In a wrong state nothing is printed but this. */
static void expect(int holds, const char *what)
{
	if (holds)
		return;
	put("wrong: ");
	put(what);
	put("\n");
	end(9);
}

static uint64_t fw_cfg(uint16_t item, unsigned size)
{
	uint64_t val = 0;
	unsigned i;

	outw(FW_CFG_SELECT, item);
	for (i = 0; i < size; i++)
		val |= (uint64_t)inb(FW_CFG_DATA) << (8 * i);
	return val;
}

static const char *string(uint32_t addr)
{
	return (const char *)(uintptr_t)addr;
}

static int is(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

static void show_memory(const struct info *info)
{
	uint64_t usable = 0, high = 0;
	uint32_t off;

	for (off = 0; off < info->mmap_length;) {
		const struct map_entry *e =
			(const void *)(uintptr_t)(info->mmap_addr + off);

		if (e->type == 1)
			usable += e->len >> 10;
		if (e->type == 1 && e->addr >> 32)
			high += e->len >> 10;
		off += e->size + 4;
	}
	put("lower: ");
	put_number(info->mem_lower);
	put(" KiB\nupper: ");
	put_number(info->mem_upper);
	put(" KiB\nusable: ");
	put_number((uint32_t)usable);
	put(" KiB\nabove 4 GiB: ");
	put_number((uint32_t)high);
	put(" KiB\n");
}

static void show_modules(const struct info *info)
{
	const struct module *m = (const void *)(uintptr_t)info->mods_addr;
	uint32_t i, at;

	put("modules: ");
	put_number(info->mods_count);
	put("\n");
	for (i = 0; i < info->mods_count; i++, m++) {
		expect(m->start % 4096 == 0, "a module is not at a page");
		put("module: ");
		put(string(m->string));
		put(", ");
		put_number(m->end - m->start);
		put(" bytes: ");
		for (at = m->start; at < m->end; at++)
			outb(COM1, *(const uint8_t *)(uintptr_t)at);
	}
}

void multiboot_main(uint32_t magic, const struct info *info)
{
	const char *args;
	uint32_t cr0;

	expect(magic == 0x2badb002, "EAX");
	asm("mov %%cr0, %0" : "=r"(cr0));
	expect((cr0 & 1) && !(cr0 >> 31), "CR0");
	expect((info->flags & 0x24d) == 0x24d, "flags");

	args = string(info->cmdline);
	put("name: ");
	for (; *args && *args != ' '; args++)
		outb(COM1, (uint8_t)*args);
	if (*args == ' ')
		args++;
	put(*args ? "\narguments: " : "\narguments:");
	put(args);
	put("\nloader: ");
	put(string(info->boot_loader_name));
	put("\n");
	show_memory(info);
	show_modules(info);

	put("fw_cfg: ");
	put_number((uint32_t)fw_cfg(FW_CFG_NB_CPUS, 2));
	put(" processors, ");
	put_number((uint32_t)(fw_cfg(FW_CFG_RAM_SIZE, 8) >> 10));
	put(" KiB\n");

	outl(PCI_ADDRESS, 0x80000000);
	expect(inl(PCI_DATA) == 0xffffffff, "a PCI device");

	end(is(args, "fail") ? 1 : is(args, "skip") ? 77 : 0);
}
