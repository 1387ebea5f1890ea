// SPDX-License-Identifier: MIT
/*
 * pvh.c: a kernel with a PVH note and no other header: an ELF32, entered in
 * 32-bit protected mode. It looks at what Xen's docs/misc/pvh.pandoc and
 * xen/include/public/arch-x86/hvm/start_info.h promise, and prints it. pvh64.c
 * is the same as an ELF64.
 *
 * format: ELF by pvh
 *
 * case pvh
 *	options: --params "first 'second one'"
 *	status: 0
 *	out: arguments: first 'second one'
 *	out: usable: 261759 KiB
 *	out: above 4 GiB: 0 KiB
 *	out: modules: 0
 *	report: guest.format = ELF
 *	report: guest.boot = pvh
 * case pvh-asked-for
 *	options: --boot=pvh
 *	status: 0
 *	out: arguments:
 * case pvh-5G
 *	options: -m 5G
 *	status: 0
 *	out: above 4 GiB: 2097152 KiB
 * case pvh-modules
 *	setup: printf 'one\n' >$dir/a; printf 'the second\n' >$dir/b
 *	options: -i $dir/a -i $dir/b
 *	status: 0
 *	out: modules: 2
 *	match: ^module: [^ ]+/a, 4 bytes: one$
 *	match: ^module: [^ ]+/b, 11 bytes: the second$
 * case pvh-not-linux
 *	options: --boot=linux32
 *	status: 2
 *	err: pvh.elf: an ELF, which offers pvh; linux32 was asked for
 */
#include <stdint.h>

#include <trapmap/guest_abi.h>

#include "io.h"

#define COM1 0x3f8

#define STRING(x) #x
#define VALUE(x) STRING(x)

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
	uint32_t memmap_entries, reserved;
};

struct module {
	uint64_t paddr, size, cmdline_paddr, reserved;
};

struct map_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};

/* What only the first instructions can see. */
struct state {
	uint32_t cr0, cr4, eflags, cs, ds, es, ss;
};

void pvh_main(const struct start_info *info, const struct state *state);

/* e_entry is where nothing is to start: it ends with status 15. */
asm(".section .text.start, \"ax\"\n"
    ".globl _start\n"
    "_start:\n"
    "	movb $7, %al\n"
    "	movw $" VALUE(TRAPMAP_TEST_EXIT_PORT) ", %dx\n"
    "	outb %al, %dx\n"
    "	hlt\n"
    "pvh_start:\n"
    "	movl $stack_top, %esp\n"
    "	pushl %ss\n"
    "	pushl %es\n"
    "	pushl %ds\n"
    "	pushl %cs\n"
    "	pushfl\n"
    "	cld\n"
    "	movl %cr4, %eax\n"
    "	pushl %eax\n"
    "	movl %cr0, %eax\n"
    "	pushl %eax\n"
    "	movl %esp, %eax\n"
    "	pushl %eax\n"
    "	pushl %ebx\n"
    "	call pvh_main\n"
    ".section .note.Xen, \"a\", @note\n"
    "	.balign 4\n"
    "	.long 4, 4, 18\n" /* XEN_ELFNOTE_PHYS32_ENTRY */
    "	.asciz \"Xen\"\n"
    "	.long pvh_start\n"
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

static _Noreturn void end(uint8_t code)
{
	outb(TRAPMAP_TEST_EXIT_PORT, code);
	for (;;)
		asm volatile("hlt");
}

static void expect(int holds, const char *what)
{
	if (holds)
		return;
	put("wrong: ");
	put(what);
	put("\n");
	end(1);
}

static const void *at(uint64_t gpa)
{
	expect(gpa >> 32 == 0, "an address above 4 GiB");
	return (const void *)(uintptr_t)gpa;
}

static void check_state(const struct state *s)
{
	expect((s->cr0 & ~0x10u) == 1, "CR0"); /* ET cannot be cleared */
	expect(s->cr4 == 0, "CR4");
	expect((s->eflags & 0x20300) == 0, "EFLAGS");
	expect(s->cs != s->ds, "CS");
}

static void show_memory(const struct start_info *info)
{
	const struct map_entry *e = at(info->memmap_paddr);
	uint64_t usable = 0, high = 0;
	uint32_t i;

	for (i = 0; i < info->memmap_entries; i++, e++) {
		expect(e->reserved == 0, "a reserved field of the memory map");
		if (e->type == 1)
			usable += e->size >> 10;
		if (e->type == 1 && e->addr >> 32)
			high += e->size >> 10;
	}
	put("usable: ");
	put_number((uint32_t)usable);
	put(" KiB\nabove 4 GiB: ");
	put_number((uint32_t)high);
	put(" KiB\n");
}

static void show_modules(const struct start_info *info)
{
	const struct module *m = at(info->modlist_paddr);
	uint32_t i, n;

	put("modules: ");
	put_number(info->nr_modules);
	put("\n");
	for (i = 0; i < info->nr_modules; i++, m++) {
		const uint8_t *bytes = at(m->paddr);

		expect(m->paddr % 4096 == 0, "a module is not at a page");
		put("module: ");
		put(at(m->cmdline_paddr));
		put(", ");
		put_number((uint32_t)m->size);
		put(" bytes: ");
		for (n = 0; n < m->size; n++)
			outb(COM1, bytes[n]);
	}
}

void pvh_main(const struct start_info *info, const struct state *state)
{
	const char *args, *rsdp;

	check_state(state);
	expect(info->magic == 0x336ec578, "the magic number");
	expect(info->version == 1, "the version");
	expect(info->flags == 0 && info->reserved == 0, "flags");
	rsdp = at(info->rsdp_paddr);
	expect(rsdp[0] == 'R' && rsdp[4] == 'P', "the RSDP");

	args = at(info->cmdline_paddr);
	put(*args ? "arguments: " : "arguments:");
	put(args);
	put("\n");
	show_memory(info);
	show_modules(info);
	end(0);
}
