/* SPDX-License-Identifier: MIT */
/*
 * start.S: the first instructions of a guest. By the Linux 64-bit boot
 * protocol (Documentation/arch/x86/boot.rst): long mode, CS = 0x10, DS = ES =
 * SS = 0x18, RSI = boot_params, interrupts off.
 */
	.section .text.start, "ax"
	.globl	_start
_start:
	cld
	/* The boot loader's GDT is in memory that a guest may want. */
	lgdt	gdt_pointer(%rip)
	leaq	stack_top(%rip), %rsp
	movq	%rsi, boot_params(%rip)
	call	trap_init
	call	guest_main
	movl	%eax, %edi
	call	test_exit

	.section .rodata
	.globl	gdt_pointer
	.balign	8
gdt:
	.quad	0
	.quad	0
	.quad	0x00af9b000000ffff	/* 0x10: code, 64-bit */
	.quad	0x00cf93000000ffff	/* 0x18: data */
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.quad	gdt

	.bss
	.balign	16
	.skip	16384
stack_top:

	.section .note.GNU-stack, "", @progbits
