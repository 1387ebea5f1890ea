/* SPDX-License-Identifier: MIT */
/*
 * crash-real.S: a crash in real mode: the interrupt table is of no length, and
 * lies where there is no memory, so no exception has a vector.
 *
 * format: flat
 *
 * case crash-real-no-ivt
 *	status: 8
 *	err: vCPU 0 triple-faulted
 *	err: real mode
 *	report: verdict.kind = crash
 *	report: verdict.text ~ IDT limit 0
 */
	.code16
	.globl	_start
_start:
	lidtl	%cs:none
	xorw	%cx, %cx
	divw	%cx
	cli
	hlt

none:	.word	0
	.long	0xd0000000

	.section .note.GNU-stack, "", @progbits
