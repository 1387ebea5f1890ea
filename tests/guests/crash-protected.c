// SPDX-License-Identifier: MIT
/*
 * crash-protected.c: crashes in 32-bit protected mode, without paging.
 *
 * format: multiboot
 *
 * case crash-protected-no-idt
 *	options: --params no-idt
 *	status: 8
 *	err: vCPU 0 triple-faulted: .*#UD.*IDT limit 0
 *	err: protected mode
 *	report: verdict.text ~ IDT limit 0
 * case crash-protected-no-stack
 *	options: --params no-stack
 *	status: 8
 *	err: vCPU 0(: KVM here \(VT-x.*\) gave up on an exception| triple-faulted): .*[Ss]tack
 *	report: verdict.text ~ [Ss]tack
 */
#include <stdint.h>

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
};

void crash_main(const struct info *info);

/*
 * The IDT has a gate for each of the first 32 exceptions, whose handler ends the
 * run with status 85: it is not to be reached.
 */
asm(".section .text.start, \"ax\"\n"
    ".balign 4\n"
    ".long 0x1badb002, 0, -0x1badb002\n"
    ".globl _start\n"
    "_start:\n"
    "	lgdt gdt_pointer\n"
    "	ljmp $0x08, $1f\n"
    "1:	movl $0x10, %eax\n"
    "	movl %eax, %ds\n"
    "	movl %eax, %es\n"
    "	movl %eax, %ss\n"
    "	movl $stack_top, %esp\n"
    "	pushl %ebx\n"
    "	call crash_main\n"
    ".globl handler\n"
    "handler:\n"
    "	movb $0x2a, %al\n"
    "	outb %al, $0xf4\n"
    "2:	hlt\n"
    "	jmp 2b\n"
    ".data\n"
    ".balign 8\n"
    "gdt:	.quad 0\n"
    "	.quad 0x00cf9b000000ffff\n"
    "	.quad 0x00cf93000000ffff\n"
    "gdt_pointer:\n"
    "	.word gdt_pointer - gdt - 1\n"
    "	.long gdt\n"
    ".bss\n"
    ".skip 4096\n"
    "stack_top:\n"
    ".text\n");

extern const char handler[];

#define VECTORS 32
static uint64_t idt[VECTORS];

static void load_idt(uint16_t limit)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) p = { limit, (uint32_t)(uintptr_t)idt };

	asm volatile("lidt %0" : : "m"(p));
}

static void fill_idt(void)
{
	uint32_t to = (uint32_t)(uintptr_t)handler;
	unsigned i;

	for (i = 0; i < VECTORS; i++)
		idt[i] = (to & 0xffff) | 0x08u << 16 |
			 (uint64_t)(0x8e00u | (to & 0xffff0000)) << 32;
}

void crash_main(const struct info *info)
{
	const char *how = (const char *)(uintptr_t)info->cmdline;

	while (*how && *how != ' ')
		how++;
	if (how[0] && how[1] && how[2] && how[3] && how[4] == 'i') {
		load_idt(0);
		asm volatile("ud2");
	}
	fill_idt();
	load_idt(sizeof(idt) - 1);
	/* A push would cross the end of the segment. */
	asm volatile("movl $2, %esp\n"
		     "ud2\n");
}
