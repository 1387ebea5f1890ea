/* SPDX-License-Identifier: MIT */
/* embed.S: the real-mode services' image as bytes of the library. */
	.section .rodata
	.globl	bios_image
	.hidden	bios_image
	.balign	16
	.type	bios_image, @object
bios_image:
	.incbin	BIOS_IMAGE
	.size	bios_image, . - bios_image

	.section .note.GNU-stack, "", @progbits
