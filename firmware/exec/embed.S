/* SPDX-License-Identifier: MIT */
/* embed.S: the init as bytes of the command. */
	.section .rodata
	.globl	exec_init, exec_init_end
	.hidden	exec_init, exec_init_end
	.type	exec_init, @object
	.type	exec_init_end, @object
exec_init:
	.incbin	EXEC_INIT
	.size	exec_init, . - exec_init
exec_init_end:
	.size	exec_init_end, 0

	.section .note.GNU-stack, "", @progbits
