/* SPDX-License-Identifier: MIT */
/*
 * aout.S: a multiboot kernel that is no ELF: its header says where it is to lie
 * (flag 16). It finds itself there, its zeroes behind it, and ends.
 *
 * format: multiboot
 *
 * case multiboot-addresses
 *	status: 0
 *	out: Loaded by addresses.
 */
#include <trapmap/guest_abi.h>

	.code32
	.globl	_start
_start:
	.balign	4
header:
	.long	0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
	.long	header, _start, image_end, image_end + 0x10000, entry

entry:
	movl	$1, %ebx
	cmpl	$0x2badb002, %eax
	jne	end
	incl	%ebx
	cmpl	$0, image_end + 0xfffc
	jne	end
	movl	$0x3f8, %edx
	movl	$text, %esi
	movl	$text_len, %ecx
	cld
print:	lodsb
	outb	%al, %dx
	loop	print
	xorl	%ebx, %ebx
end:	movl	$TRAPMAP_TEST_EXIT_PORT, %edx
	movl	%ebx, %eax
	outl	%eax, %dx
	cli
	hlt

text:	.ascii	"Loaded by addresses.\r\n"
	.set	text_len, . - text
	.balign	4
image_end:

	.section .note.GNU-stack, "", @progbits
