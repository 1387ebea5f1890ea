/* SPDX-License-Identifier: MIT */
/*
 * bootsector.S: 512 bytes that end in 55 AA, started at 0000:7C00 as a BIOS
 * does, with all of it in memory.
 *
 * format: boot sector
 *
 * case bootsector
 *	status: 33
 *	out: A boot sector.
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
	testw	%ax, %ax
	jnz	end
	movw	%ax, %ds
	incb	%bl
	cmpw	$0xaa55, signature
	jne	end

	movw	$0x3f8, %dx
	movw	$text, %si
	movw	$text_len, %cx
print:	lodsb
	outb	%al, %dx
	loop	print
	movb	$0x10, %bl
end:	movb	%bl, %al
	outb	%al, $TRAPMAP_DEBUG_EXIT_PORT
	cli
	hlt

text:	.ascii	"A boot sector.\r\n"
	.set	text_len, . - text

	.org	510
signature:
	.byte	0x55, 0xaa

	.section .note.GNU-stack, "", @progbits
