/* SPDX-License-Identifier: MIT */
/*
 * crash-real-stack.S: a crash in real mode for want of a stack: SS is where a VGA
 * card would be, so nothing that is pushed there stays.
 *
 * format: flat
 *
 * case crash-real-no-stack
 *	status: 8
 *	err: vCPU 0(: KVM here \(VT-x.*\) gave up on an exception| triple-faulted): #DE at CS:IP 1000:000a
 *	err: real mode
 *	report: verdict.text ~ #DE
 *	report: vcpus.0.segments.ss.base = 0xa0000
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
