/* SPDX-License-Identifier: MIT */
/*
 * Tiny real-mode guests, as data: flat binaries that run at 1000:0000. Port
 * 0x500 is a device of the test's.
 */
	.section .rodata
	.code16

	.macro	guest name
	.balign	16
	.global	\name, \name\()_end
\name:
	.endm

	.macro	end_guest name
\name\()_end:
	.endm

guest guest_debug_exit
	mov	$0x10, %al
	out	%al, $0xf4
1:	hlt
	jmp	1b
end_guest guest_debug_exit

guest guest_poweroff
	mov	$0x604, %dx
	mov	$0x2000, %ax
	out	%ax, %dx
1:	hlt
	jmp	1b
end_guest guest_poweroff

/* Powers off once PM1a_STS has PWRBTN_STS. */
guest guest_button
	mov	$0x601, %dx
1:	in	%dx, %al
	test	$1, %al
	jz	1b
	mov	$0x604, %dx
	mov	$0x2000, %ax
	out	%ax, %dx
2:	hlt
	jmp	2b
end_guest guest_button

guest guest_reset
	mov	$0xfe, %al
	out	%al, $0x64
1:	hlt
	jmp	1b
end_guest guest_reset

/* An exception with no interrupt table to take it. */
guest guest_triple_fault
	mov	%cs, %ax
	mov	%ax, %ds
	lidtw	(empty_idt - guest_triple_fault)
	ud2
empty_idt:
	.word	0
	.long	0
end_guest guest_triple_fault

guest guest_spin
1:	jmp	1b
end_guest guest_spin

/* Waits for an interrupt that nobody sends. */
guest guest_quiet
	sti
1:	hlt
	jmp	1b
end_guest guest_quiet

guest guest_sleep
	cli
1:	hlt
	jmp	1b
end_guest guest_sleep

/*
 * Takes as many ticks of the timer (18.2 a second) as the test gives, tells the
 * test, and halts for good.
 */
guest guest_dies_later
	xor	%ax, %ax
	mov	%ax, %ds
	movw	$(got_tick - guest_dies_later), 8 * 4
	mov	%cs, 8 * 4 + 2
	mov	$0x11, %al		/* the first 8259A: IRQ 0 is vector 8 */
	out	%al, $0x20
	mov	$8, %al
	out	%al, $0x21
	mov	$4, %al
	out	%al, $0x21
	mov	$1, %al
	out	%al, $0x21
	mov	$0xfe, %al
	out	%al, $0x21
	mov	$0x34, %al		/* the 8254: channel 0, mode 2, 65536 */
	out	%al, $0x43
	xor	%al, %al
	out	%al, $0x40
	out	%al, $0x40
	mov	$0x500, %dx
	in	%dx, %ax
	mov	%ax, %cx
1:	sti
	hlt
	loop	1b
	cli
	out	%al, %dx
2:	hlt
	jmp	2b
got_tick:
	push	%ax
	mov	$0x20, %al
	out	%al, $0x20
	pop	%ax
	iret
end_guest guest_dies_later

/* Counts on the test's port for ever. */
guest guest_count
	mov	$0x500, %dx
	xor	%eax, %eax
1:	out	%eax, %dx
	inc	%eax
	jmp	1b
end_guest guest_count

/* Tells the test what the PM timer shows, for ever. */
guest guest_pm_timer
	mov	$0x608, %dx
	in	%dx, %eax
	mov	$0x500, %dx
	out	%eax, %dx
	jmp	guest_pm_timer
end_guest guest_pm_timer

/*
 * Asks the test for a year of the century (BCD), sets the clock to the first of
 * May of that year, and tells the test the year that the clock then shows.
 */
guest guest_clock
	.macro	rtc_write reg, from
	mov	$\reg, %al
	out	%al, $0x70
	mov	\from, %al
	out	%al, $0x71
	.endm
	mov	$0x500, %dx
	in	%dx, %al
	mov	%al, %bl
	rtc_write 0x0b, $0x82		/* SET, 24 hours, BCD */
	rtc_write 0x00, $0
	rtc_write 0x02, $0
	rtc_write 0x04, $0x12
	rtc_write 0x07, $0x01
	rtc_write 0x08, $0x05
	rtc_write 0x09, %bl
	rtc_write 0x0b, $0x02
	mov	$0x09, %al
	out	%al, $0x70
	in	$0x71, %al
	out	%al, %dx
1:	hlt
	jmp	1b
end_guest guest_clock

/*
 * Writes the index for ever and reads it back through the register that it
 * selects: shows the test any value that another VM's index has brought in.
 * NVRAM bytes 0x20 and 0x21 hold what the test gave.
 */
guest guest_index
	.macro	nvram reg
	mov	$\reg, %al
	out	%al, $0x70
	.endm
	mov	$0x500, %dx
	in	%dx, %al
	mov	%al, %bl
	nvram	0x20
	mov	%bl, %al
	out	%al, $0x71
	nvram	0x21
	mov	%bl, %al
	not	%al
	out	%al, $0x71
	mov	$2000, %cx
1:	nvram	0x20
	in	$0x71, %al
	cmp	%bl, %al
	jne	2f
	nvram	0x21
	in	$0x71, %al
	not	%al
	cmp	%bl, %al
	jne	2f
	loop	1b
	xor	%al, %al
	out	%al, %dx		/* 0: never torn */
3:	hlt
	jmp	3b
2:	mov	$1, %al
	out	%al, %dx
	jmp	3b
end_guest guest_index

/* Sends back what comes in on COM1, and ends after a 'q'. */
guest guest_echo
1:	mov	$0x3fd, %dx
	in	%dx, %al
	test	$1, %al
	jz	1b
	mov	$0x3f8, %dx
	in	%dx, %al
	out	%al, %dx
	cmp	$'q', %al
	jne	1b
	xor	%al, %al
	mov	$0x560, %dx
	out	%al, %dx
end_guest guest_echo

/* 64 KiB out of COM1 by string output, which never looks at the UART. */
guest guest_flood
	mov	%cs, %ax
	mov	%ax, %ds
	mov	$0x3f8, %dx
	mov	$64, %bx
1:	mov	$1024, %cx
	mov	$(flood_text - guest_flood), %si
	rep outsb
	dec	%bx
	jnz	1b
	xor	%al, %al
	mov	$0x560, %dx
	out	%al, %dx
flood_text:
	.rept	64
	.ascii	"0123456789abcde\n"
	.endr
end_guest guest_flood

/*
 * Says what the test has put behind it: a port, a text and its NUL, and a letter
 * for what to do then: 'p'ower off, 'r'eset, 'h'alt with interrupts off, or spin.
 */
guest guest_say
	mov	%cs, %ax
	mov	%ax, %ds
	mov	$(say_what - guest_say), %si
	cld
	lodsw
	mov	%ax, %dx
1:	lodsb
	test	%al, %al
	jz	2f
	out	%al, %dx
	jmp	1b
2:	lodsb
	cmp	$'p', %al
	je	4f
	cmp	$'r', %al
	je	5f
	cmp	$'h', %al
	je	6f
3:	jmp	3b
4:	mov	$0x604, %dx
	mov	$0x2000, %ax
	out	%ax, %dx
5:	mov	$0xfe, %al
	out	%al, $0x64
6:	cli
7:	hlt
	jmp	7b
say_what:
end_guest guest_say

/* Tells the test how often it has started; resets itself until the third. */
guest guest_boots
	mov	$0x0e, %al
	out	%al, $0x70
	in	$0x71, %al
	inc	%al
	mov	%al, %bl
	mov	$0x0e, %al
	out	%al, $0x70
	mov	%bl, %al
	out	%al, $0x71
	mov	$0x500, %dx
	out	%al, %dx
	cmp	$3, %al
	je	1f
	mov	$0xfe, %al
	out	%al, $0x64
1:	mov	$0x604, %dx
	mov	$0x2000, %ax
	out	%ax, %dx
2:	hlt
	jmp	2b
end_guest guest_boots

/* Stores 0x5a at 0x3000 of its own memory, then reads unmapped memory. */
guest guest_memory
	xor	%ax, %ax
	mov	%ax, %ds
	movb	$0x5a, 0x3000
	mov	$0xa000, %ax
	mov	%ax, %ds
	mov	0x10, %eax
	mov	$0x500, %dx
	out	%eax, %dx
	movl	$0x11223344, 0x20
1:	hlt
	jmp	1b
end_guest guest_memory

/* Reads an MSR that no processor has: 0x10 to the debug-exit port after #GP. */
guest guest_bad_msr
	xor	%ax, %ax
	mov	%ax, %ds
	movw	$(got_gp - guest_bad_msr), 13 * 4
	mov	%cs, 13 * 4 + 2
	mov	$0x12345678, %ecx
	rdmsr
	mov	$1, %al
	out	%al, $0xf4
got_gp:
	mov	$0x10, %al
	out	%al, $0xf4
1:	hlt
	jmp	1b
end_guest guest_bad_msr

	.section .note.GNU-stack, "", @progbits
