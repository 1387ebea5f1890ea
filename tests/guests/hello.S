/* SPDX-License-Identifier: MIT */
/*
 * hello.S: a flat real-mode binary: starts at 1000:0000 with a stack, finds
 * that low memory is there up to 640 KiB and no further, prints, and ends with
 * success.
 *
 * format: flat
 *
 * case hello
 *	status: 0
 *	out: Hello from real mode.
 * case hello-1M
 *	options: -m 1
 *	status: 0
 *	out: Hello from real mode.
 */
#include <trapmap/guest_abi.h>

	.code16
	.globl	_start
_start:
	cld
	call	here
here:	popw	%ax
	movb	$1, %bl			/* what is wrong, if anything is */
	cmpw	$here, %ax
	jne	end
	incb	%bl
	movw	%cs, %ax
	cmpw	$0x1000, %ax
	jne	end
	movw	%ax, %ds

	incb	%bl
	movw	$0x9fff, %ax		/* 9fff:000f is the last byte of RAM */
	movw	%ax, %es
	movw	$0xa55a, %es:0xe
	cmpw	$0xa55a, %es:0xe
	jne	end
	incb	%bl
	movw	$0x1234, %es:0x10
	cmpw	$0xffff, %es:0x10
	jne	end

	movw	$0x3f8, %dx
	movw	$text, %si
	movw	$text_len, %cx
print:	lodsb
	outb	%al, %dx
	loop	print
	xorb	%bl, %bl
end:	movw	$TRAPMAP_TEST_EXIT_PORT, %dx
	movb	%bl, %al
	outb	%al, %dx
	cli
	hlt

text:	.ascii	"Hello from real mode.\r\n"
	.set	text_len, . - text

	.section .note.GNU-stack, "", @progbits
