/* SPDX-License-Identifier: MIT */
/*
 * crash-real-stack.S: a crash in real mode for want of a stack: with SP = 1 a
 * push crosses the segment's end, which faults, and so does the next (SDM
 * volume 2, INT n: "#SS if the stack limit is violated").
 *
 * case crash-real-no-stack
 *	status: 8
 *	err: vCPU 0 triple-faulted: .*[Ss]tack
 *	err: real mode
 *	report: verdict.text ~ [Ss]tack
 */
	.code16
	.globl	_start
_start:
	movw	$0xa000, %ax
	movw	%ax, %ss
	movw	$0x100, %sp
	xorw	%cx, %cx
	divw	%cx
	cli
	hlt

	.section .note.GNU-stack, "", @progbits
