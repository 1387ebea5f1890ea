/* SPDX-License-Identifier: MIT */
/* real.S: the start of 16-bit guests in C, and INT. The file is one segment. */
	.code16
	.section .text.start, "ax"
	.globl	_start
_start:	movzwl	%sp, %esp
	cld
	calll	guest_main
1:	cli
	hlt
	jmp	1b

	.text
	.globl	interrupt
interrupt:			/* AL, EDX */
	pushal
	pushw	%ds
	pushw	%es
	movb	%al, number
	movl	%edx, pointer
	movl	0(%edx), %edi
	movl	4(%edx), %esi
	movl	8(%edx), %ebp
	movl	12(%edx), %ebx
	movl	20(%edx), %ecx
	movl	24(%edx), %eax
	pushw	28(%edx)
	pushw	30(%edx)
	movl	16(%edx), %edx
	popw	%ds
	popw	%es
	.byte	0xcd		/* INT */
number:	.byte	0
	/* What it left goes to the pointer's struct, which DS may not reach now. */
	pushfw
	pushw	%ds
	movw	%cs, %cs:own
	movw	%cs:own, %ds
	popw	own_ds
	pushl	%edx
	movl	pointer, %edx
	movl	%edi, 0(%edx)
	movl	%esi, 4(%edx)
	movl	%ebp, 8(%edx)
	movl	%ebx, 12(%edx)
	popl	16(%edx)
	movl	%ecx, 20(%edx)
	movl	%eax, 24(%edx)
	movw	%es, 28(%edx)
	movw	own_ds, %ax
	movw	%ax, 30(%edx)
	popw	32(%edx)
	popw	%es
	popw	%ds
	popal
	cld
	retl

	.data
	.balign	4
pointer:
	.long	0
own:	.word	0
own_ds:	.word	0

	.section .note.GNU-stack, "", @progbits
