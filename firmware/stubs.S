/* SPDX-License-Identifier: MIT */
/*
 * stubs.S: a few bytes for each vector that bring every exception and interrupt
 * to trap_dispatch() with a struct trap_frame of the same shape.
 */
#define STUB_SIZE 16

	.text
	.globl	trap_stubs
	.balign	STUB_SIZE
trap_stubs:
	.set	vector, 0
	.rept	64			/* VECTORS */
	.balign	STUB_SIZE
	/* These vectors push an error code; the others get a zero in its place. */
	.if	vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	/* The CPU aligned RSP to 16, then pushed 5 + 2 + 15 quadwords. */
	call	trap_dispatch
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
