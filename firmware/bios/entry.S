/* SPDX-License-Identifier: MIT */
/*
 * entry.S: the real-mode services' way in and out: where the machine starts, the
 * interrupt table, hardware interrupts, and the way from an INT to C and back.
 *
 * Sources: IBM PC AT Technical Reference, "System BIOS"; 8259A and 8254 datasheets;
 * SDM volume 3, 9.9 (switching modes) and 20.1.4 (interrupts in real mode).
 */
#include <trapmap/guest_abi.h>

#define STACK_LEN 4096
/* struct regs and struct trapmap_bios, as C has them. */
#define REGS_LEN 48
#define BIOS_START 16

#define PIC1 0x20
#define PIC2 0xa0
#define PIC_EOI 0x20
#define PIC_READ_ISR 0x0b
#define PIT_COUNTER0 0x40
#define PIT_CONTROL 0x43
#define I8042_COMMAND 0x64
#define I8042_RESET 0xfe

#define BDA_SEGMENT 0x40
#define BDA_TICKS 0x6c
#define BDA_MIDNIGHT 0x70
#define TICKS_A_DAY 0x1800b0

	.code16
	.text

/* ---- the start ----------------------------------------------------------- */

/*
 * Where the first processor begins. The monitor has filled tables and data areas;
 * what is left is what only port writes can do. Then the guest, as `bios` says.
 */
	.globl	post
post:	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$stack_end, %esp

	movb	$0x11, %al		/* ICW1: edges, cascaded, an ICW4 */
	outb	%al, $PIC1
	outb	%al, $PIC2
	movb	$0x08, %al		/* ICW2: vectors */
	outb	%al, $PIC1 + 1
	movb	$0x70, %al
	outb	%al, $PIC2 + 1
	movb	$0x04, %al		/* ICW3: the second on input 2 */
	outb	%al, $PIC1 + 1
	movb	$0x02, %al
	outb	%al, $PIC2 + 1
	movb	$0x01, %al		/* ICW4: 8086 */
	outb	%al, $PIC1 + 1
	outb	%al, $PIC2 + 1
	movb	$0xf8, %al		/* open: timer, keyboard, cascade */
	outb	%al, $PIC1 + 1
	movb	$0xff, %al
	outb	%al, $PIC2 + 1

	movb	$0x36, %al		/* counter 0, mode 3, from 65536 */
	outb	%al, $PIT_CONTROL
	xorb	%al, %al
	outb	%al, $PIT_COUNTER0
	outb	%al, $PIT_COUNTER0

	testb	$TRAPMAP_BIOS_SET_CLOCK, bios + BIOS_START + 14
	jz	1f
	calll	clock_begin
1:
	/* struct trapmap_bios_start: ip, cs, flags, ss, sp, ds, dx, what */
	movw	$bios + BIOS_START, %si
	movzwl	8(%si), %eax
	movw	6(%si), %ss
	movl	%eax, %esp
	pushw	4(%si)
	pushw	2(%si)
	pushw	0(%si)
	movzwl	12(%si), %edx
	movw	10(%si), %ax
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ds
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%esi, %esi
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	iretw

/* A jump to FFFF:0000 asks for a new start. */
	.globl	restart
restart:
	movb	$I8042_RESET, %al
	outb	%al, $I8042_COMMAND
1:	hlt
	jmp	1b

/* ---- from an INT to C ---------------------------------------------------- */

	.macro	calls_c vector
int\vector:
	pushw	$0x\vector
	jmp	enter
	.endm

	calls_c	00			/* exceptions */
	calls_c	06
	calls_c	07
	calls_c	0c
	calls_c	0d

	calls_c	10			/* services */
	calls_c	11
	calls_c	12
	calls_c	13
	calls_c	14
	calls_c	15
	calls_c	16
	calls_c	18
	calls_c	19
	calls_c	1a

/*
 * The caller's registers go on its own stack, and a copy of them to ours, as a
 * struct regs, for C code needs SS = DS. On the way back the copy goes home. A hook
 * of the guest's may call while a service sleeps: then our stack is the caller's, or
 * is in use above stack_top.
 */
enter:	pushw	%ds
	pushw	%es
	pushw	%fs
	pushw	%gs
	pushal
	cld
	movw	%cs, %dx
	movw	%ss, %bx
	movw	%bx, %ds
	movw	%dx, %es
	movzwl	%sp, %esi
	movl	%esp, %ebp
	movl	%cs:stack_top, %edi
	cmpw	%dx, %bx
	jne	1f
	movl	%esi, %edi
1:	subl	$REGS_LEN, %edi
	movl	%edi, %eax
	movl	$REGS_LEN / 4, %ecx
	rep movsl (%esi), %es:(%edi)

	movw	%dx, %ss
	movl	%eax, %esp
	movw	%dx, %ds
	pushw	%bx
	pushl	%ebp
	calll	service
	popl	%ebp
	popw	%bx

	movw	%bx, %es
	movzwl	%sp, %esi
	movzwl	%bp, %edi
	movl	$REGS_LEN / 4, %ecx
	rep movsl (%esi), %es:(%edi)
	movw	%bx, %ss
	movl	%ebp, %esp
	popal
	popw	%gs
	popw	%fs
	popw	%es
	popw	%ds
	addw	$2, %sp
	iretw

/*
 * Interrupts on, until one comes or for a moment; our stack is safe from services that
 * they call.
 */
	.globl	sleep, breathe
sleep:	pushl	stack_top
	movl	%esp, stack_top
	sti
	hlt
	jmp	awake
breathe:
	pushl	stack_top
	movl	%esp, stack_top
	sti
	pause
awake:	cli
	popl	stack_top
	retl

	.data
	.balign	4
stack_top:
	.long	stack_end
	.text

/* FS: all of 4 GiB. The limit that protected mode loads stays in real mode. */
	.globl	flat_begin
flat_begin:
	subl	$8, %esp
	sgdtl	(%esp)
	lgdtl	flat_gdtr
	movl	%cr0, %eax
	movl	%eax, %edx
	orb	$1, %al
	movl	%eax, %cr0
	movw	$8, %cx
	movw	%cx, %fs
	movl	%edx, %cr0
	lgdtl	(%esp)
	addl	$8, %esp
	xorw	%cx, %cx
	movw	%cx, %fs
	retl

	.balign	8
flat_gdt:
	.quad	0
	.quad	0x00cf93000000ffff	/* data, base 0, 4 GiB, accessed */
flat_gdtr:
	.word	. - flat_gdt - 1
	.long	(TRAPMAP_BIOS_SEGMENT << 4) + flat_gdt

/* ---- hardware ------------------------------------------------------------ */

/* IRQ 0, 18.2 times a second. */
tick:	pushw	%ds
	pushw	%ax
	movw	$BDA_SEGMENT, %ax
	movw	%ax, %ds
	incl	BDA_TICKS
	cmpl	$TICKS_A_DAY, BDA_TICKS
	jb	1f
	movl	$0, BDA_TICKS
	movb	$1, BDA_MIDNIGHT
1:	int	$0x1c
	movb	$PIC_EOI, %al
	outb	%al, $PIC1
	popw	%ax
	popw	%ds
	iretw

irq:	pushw	%ax
	movb	$PIC_EOI, %al
	outb	%al, $PIC1
	popw	%ax
nothing:
	iretw

irq_second:
	pushw	%ax
	movb	$PIC_EOI, %al
	outb	%al, $PIC2
	outb	%al, $PIC1
	popw	%ax
	iretw

/* Vectors that are an exception's, too: was it the PIC that asked for it? */
	.macro	irq_or line, not_irq
	pushw	%ax
	movb	$PIC_READ_ISR, %al
	outb	%al, $PIC1
	inb	$PIC1, %al
	testb	$1 << \line, %al
	popw	%ax
	jnz	irq
	jmp	\not_irq
	.endm

irq4:	irq_or	4, int0c		/* or #SS */
irq5:	irq_or	5, int0d		/* or #GP */
irq7:	irq_or	7, nothing		/* or none: the 8259A's spurious one */

/* ---- tables -------------------------------------------------------------- */

/* Offsets in our segment; 0: the vector is 0000:0000, as on a PC. */
	.section .rodata, "a"
	.balign	4
	.globl	vectors
vectors:
	.word	int00, nothing, nothing, nothing	/* #DE, #DB, NMI, #BP */
	.word	nothing, nothing, int06, int07		/* #OF, #BR, #UD, #NM */
	.word	tick, irq, irq, irq
	.word	irq4, irq5, irq, irq7
	.word	int10, int11, int12, int13
	.word	int14, int15, int16, nothing
	.word	int18, int19, int1a, nothing
	.word	nothing, 0, diskette, 0
	.rept	0x40 - 0x20
	.word	nothing
	.endr
	.word	nothing, 0, nothing, 0, nothing, nothing, 0, nothing
	.rept	0x60 - 0x48
	.word	nothing
	.endr
	.rept	0x68 - 0x60
	.word	0
	.endr			/* for users */
	.rept	0x70 - 0x68
	.word	nothing
	.endr
	.rept	0x78 - 0x70
	.word	irq_second
	.endr
	.rept	0x100 - 0x78
	.word	0
	.endr

/* INT 1Eh, the diskette parameters: boot sectors of old copy them unasked. */
diskette:
	.byte	0xdf, 0x02, 0x25, 2, 18, 0x1b, 0xff, 0x6c, 0xf6, 15, 8

	.section .reset, "ax"
	ljmp	$TRAPMAP_BIOS_SEGMENT, $restart
	.org	0xe
	.byte	0xfc			/* an AT */
	.byte	0

	.section .bss
	.balign	16
	.skip	STACK_LEN
stack_end:

	.section .note.GNU-stack, "", @progbits
