/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks' guests: flat real-mode code that needs no data segment and no
 * stack, so it runs as well from the end of a firmware image. guests.h tells
 * what they are to the programs that they are linked into.
 */
#include <trapmap/guest_abi.h>

	.section .rodata
	.code16

/*
 * Says one byte, where somebody listens, and ends. At port 0xea that is the
 * first exit; COM1 is for a monitor that has no device there.
 */
	.globl	guest_start, guest_start_end
guest_start:
	movb	$'x', %al
	outb	%al, $0xea
	movw	$0x3f8, %dx
	outb	%al, %dx
	movb	$0x10, %al
	outb	%al, $TRAPMAP_DEBUG_EXIT_PORT
guest_start_end:

/*
 * For ever: a mark, many accesses, a mark. The program fills in how many and
 * which.
 */
	.globl	guest_exits, guest_exits_count, guest_exits_access
	.globl	guest_exits_end
guest_exits:
	movl	$0, %ecx
guest_exits_count:			/* past the count's last byte */
	movb	$0x0d, %al		/* as an RTC index: register D */
	outb	%al, $0xe0
guest_exits_access:
	outb	%al, $0x80
	decl	%ecx
	jnz	guest_exits_access
	outb	%al, $0xe0
	jmp	guest_exits
guest_exits_end:

/* Stays, and does nothing. */
	.globl	guest_idle, guest_idle_end
guest_idle:
	sti
	hlt
	jmp	guest_idle
guest_idle_end:

	.section .note.GNU-stack, "", @progbits
