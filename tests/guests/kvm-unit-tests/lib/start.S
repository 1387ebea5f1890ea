/* SPDX-License-Identifier: MIT */
/*
 * start.S: from the boot loader to start(), for 32 and for 64 bits, and for the
 * latter from a start-up IPI to ap_main(). Sources: Multiboot Specification
 * 0.6.96, 3.1 and 3.2; SDM volume 3, 9.4 and 9.8.5.
 */
#define MAGIC 0x1badb002
#define CR0_PE_PG 0x80000001
#define CR0_NW_CD 0x60000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define LARGE_PAGE 0x83		/* present, writable, of 2 MiB */
#define STACK 4096
#define AP_STACKS 16

#define CODE32 0x08
#define CODE64 0x10
#define DATA 0x18

	.section .text.start, "ax"
	.balign	4
	.long	MAGIC, 0, -MAGIC

	.code32
	.globl	_start
_start:
	movl	$stack_top, %esp
#ifndef __x86_64__
	pushl	%ebx
	pushl	%eax
	call	start
#else
	movl	%eax, %ebp
	movl	$page_directories, %edi
	movl	$LARGE_PAGE, %eax
1:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	jnc	1b			/* until 4 GiB */
	lgdt	gdt_pointer
	call	long_mode
	ljmpl	$CODE64, $boot_64

long_mode:
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PE_PG, %eax
	andl	$~CR0_NW_CD, %eax
	movl	%eax, %cr0
	ret

	.code64
boot_64:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%ebp, %edi
	movl	%ebx, %esi
	call	start

	/*
	 * Copied below 1 MiB, where a processor begins, at an address that it
	 * does not know: it reads nothing but through CS.
	 */
	.code16
	.globl	ap_begin, ap_end
ap_begin:
	cli
	lgdtl	%cs:(ap_gdt_pointer - ap_begin)
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$CODE32, $ap_32
ap_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
ap_end:

	.code32
ap_32:
	movw	$DATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	/* They come all at once: each takes the next stack. */
	movl	$1, %eax
	lock xaddl %eax, stacks_taken
	cmpl	$AP_STACKS, %eax
	jae	halt
	incl	%eax
	imull	$STACK, %eax, %esp
	addl	$ap_stacks, %esp
	call	long_mode
	ljmpl	$CODE64, $ap_64
halt:
	cli
	hlt
	jmp	halt

	.code64
ap_64:
	call	ap_main
	cli
	hlt

	.data
	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* CODE32 */
	.quad	0x00af9b000000ffff	/* CODE64 */
	.quad	0x00cf93000000ffff	/* DATA */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
	.balign	4096
pml4:
	.quad	page_directory_pointers + 3
	.balign	4096
page_directory_pointers:
	.quad	page_directories + 3
	.quad	page_directories + 0x1003
	.quad	page_directories + 0x2003
	.quad	page_directories + 0x3003
	.balign	4096

	.bss
	.balign	4096
page_directories:
	.skip	4 * 4096
ap_stacks:
	.skip	AP_STACKS * STACK
stacks_taken:
	.skip	4
#endif

	.bss
	.balign	16
	.skip	STACK
stack_top:

	.section .note.GNU-stack, "", @progbits
