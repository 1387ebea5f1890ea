/* SPDX-License-Identifier: MIT */
/* builtin.S: the built-in guest's file as bytes of the library. */
	.section .rodata
	.globl	builtin_guest, builtin_guest_end
	.hidden	builtin_guest, builtin_guest_end
	.balign	4096
	.type	builtin_guest, @object
	.type	builtin_guest_end, @object
builtin_guest:
	.incbin	BUILTIN_GUEST
	.size	builtin_guest, . - builtin_guest
builtin_guest_end:
	.size	builtin_guest_end, 0

	.section .note.GNU-stack, "", @progbits
