/* SPDX-License-Identifier: MIT */
/*
 * trampoline.S: where another processor begins: in real mode at 0800:0000,
 * where smp.c has put a copy of the first part. Protected mode first, for a
 * segment that reaches the image above 1 MiB, then long mode on the page tables
 * and the stack that smp.c left for it. Source: SDM volume 3, section 9.8.5.
 */
#define TRAMPOLINE 0x8000
#define AT(label) (TRAMPOLINE + (label) - trampoline)

#define CR0_PE_PG 0x80000001
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

	.section .text.trampoline, "ax"
	.globl	trampoline, trampoline_end
	.code16
trampoline:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	AT(low_gdt_pointer)
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$trampoline_cr3, %ebx
	/* The image is above 1 MiB: a 32-bit address, so a flat segment first. */
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$0x08, $AT(flat)

	.code32
flat:
	movw	$0x18, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	(%ebx), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PE_PG, %eax
	/* Caching on: a processor starts with it disabled. */
	andl	$~0x60000000, %eax
	movl	%eax, %cr0
	ljmpl	$0x10, $ap_long

	.balign	8
low_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08: code, 32-bit */
	.quad	0x00af9b000000ffff	/* 0x10: code, 64-bit */
	.quad	0x00cf93000000ffff	/* 0x18: data */
low_gdt_pointer:
	.word	low_gdt_pointer - low_gdt - 1
	.long	AT(low_gdt)
trampoline_end:

	.text
	.code64
ap_long:
	lgdt	gdt_pointer(%rip)
	movq	trampoline_stack(%rip), %rsp
	call	ap_main

	.bss
	.globl	trampoline_cr3, trampoline_stack
	.balign	8
trampoline_cr3:
	.skip	8
trampoline_stack:
	.skip	8

	.section .note.GNU-stack, "", @progbits
