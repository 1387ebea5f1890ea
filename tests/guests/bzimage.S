/* SPDX-License-Identifier: MIT */
/*
 * bzimage.S: a bzImage of its own: setup code for real mode, and code with a
 * 32-bit and a 64-bit entry. Each looks at what it was given
 * (Documentation/arch/x86/boot.rst, "Running the Kernel", "32-bit Boot Protocol",
 * "64-bit Boot Protocol") and prints where it was entered, its command line and
 * its initrd. The setup code has the BIOS tell the memory map, and goes on to the
 * 32-bit entry as Linux does, on its own header.
 *
 * format: bzImage by linux64
 *
 * case bzimage-64
 *	setup: printf 'an initrd\n' >$dir/initrd
 *	options: --params "first 'second one'" -i $dir/initrd
 *	status: 0
 *	out: entry: 64 bits
 *	out: command line: <first 'second one'>
 *	out: initrd: an initrd
 *	report: guest.format = bzImage
 *	report: guest.boot = linux64
 * case bzimage-linux64
 *	options: --boot=linux64
 *	status: 0
 *	out: entry: 64 bits
 *	out: command line: <>
 * case bzimage-linux32
 *	format: bzImage by linux32
 *	setup: printf 'an initrd\n' >$dir/initrd
 *	options: --boot=linux32 --params "first 'second one'" -i $dir/initrd
 *	status: 0
 *	out: entry: 32 bits
 *	out: command line: <first 'second one'>
 *	out: initrd: an initrd
 *	report: guest.boot = linux32
 * case bzimage-linux16
 *	format: bzImage by linux16
 *	setup: printf 'an initrd\n' >$dir/initrd
 *	options: --boot=linux16 --params "first 'second one'" -i $dir/initrd
 *	status: 0
 *	out: entry: 16 bits
 *	out: entry: 32 bits
 *	out: command line: <first 'second one'>
 *	out: initrd: an initrd
 *	report: guest.boot = linux16
 * case bzimage-linux32-and-its-dump
 *	format: bzImage by linux32
 *	options: --boot=linux32 --transport mmio-cmdline -p quiet --dump-dtb $dir/dtb
 *	status: 0
 *	out: command line: <quiet virtio_mmio.device=4K@0xd0000000:5>
 *	check: grep -a -q 'quiet virtio_mmio.device=4K@0xd0000000:5' "$dir/dtb"
 * case bzimage-linux16-and-its-dump
 *	format: bzImage by linux16
 *	options: --boot=linux16 --transport mmio-cmdline -p quiet --dump-dtb $dir/dtb
 *	status: 0
 *	out: command line: <quiet virtio_mmio.device=4K@0xd0000000:5>
 *	check: grep -a -q 'quiet virtio_mmio.device=4K@0xd0000000:5' "$dir/dtb"
 * case bzimage-pvh
 *	options: --boot=pvh
 *	status: 2
 *	err: bzimage.bin: a bzImage of boot protocol 2.15, which offers linux64, linux32 and linux16; pvh was asked for
 * case bzimage-sector
 *	options: --boot=sector
 *	status: 2
 *	err: which offers .*; sector was asked for
 */
#include <trapmap/guest_abi.h>

#define COM1 0x3f8

	.set	setup_sects, 3
	.set	code, (setup_sects + 1) * 512	/* in the file */
	.set	load, 0x200000			/* in memory */

	.code16
	.globl	_start
_start:
	.byte	0xfa, 0xf4			/* cli; hlt: it is no boot sector */

	.org	0x1f1
	.byte	setup_sects
	.word	0				/* root_flags */
	.long	(end - code_start) / 16		/* syssize */
	.word	0				/* ram_size */
	.word	0x1234				/* vid_mode: the loader's to say */
	.word	0				/* root_dev */
	.word	0xaa55
	.byte	0xeb, header_end - 0x202	/* 0x200: the entry */
	.ascii	"HdrS"
	.word	0x20f				/* version */
	.long	0				/* realmode_swtch */
	.word	0, 0				/* start_sys_seg, kernel_version */
type_of_loader:
	.byte	0
loadflags:
	.byte	1				/* LOADED_HIGH */
	.word	0				/* setup_move_size */
code32_start:
	.long	0x100000
	.long	0, 0, 0				/* ramdisk, bootsect_kludge */
heap_end_ptr:
	.word	0
	.byte	0, 0				/* ext_loader_ver, _type */
	.long	0				/* cmd_line_ptr */
	.long	0x7fffffff			/* initrd_addr_max */
	.long	0x200000			/* kernel_alignment */
	.byte	1, 21				/* relocatable, min_alignment */
	.word	1				/* xloadflags: XLF_KERNEL_64 */
	.long	2047				/* cmdline_size */
	.long	0				/* hardware_subarch */
	.quad	0
	.long	0, 0				/* payload: none */
	.quad	0				/* setup_data */
	.quad	load				/* pref_address */
	.long	0x100000			/* init_size */
	.long	0, 0				/* handover, kernel_info */
header_end:

/* ---- 16 bits: CS:IP is X >> 4 + 0x20:0, all else is X >> 4 ---------------- */

	cld
	movb	$0x61, %bl			/* what is wrong, if anything is */
	pushfw
	popw	%ax
	testw	$0x200, %ax			/* interrupts are off */
	jnz	end16
	incb	%bl
	movw	%cs, %ax
	movw	%ds, %cx
	addw	$0x20, %cx
	cmpw	%cx, %ax
	jne	end16
	incb	%bl
	movw	%ds, %ax
	.irp	segment, es, ss, fs, gs
	movw	%\segment, %cx
	cmpw	%cx, %ax
	jne	end16
	.endr
	incb	%bl
	testb	$0x80, loadflags		/* CAN_USE_HEAP */
	jz	end16
	cmpb	$0, type_of_loader
	je	end16
	incb	%bl
	movw	heap_end_ptr, %ax
	cmpw	$code, %ax			/* behind the setup code */
	jb	end16
	addw	$0x200, %ax			/* and the stack above it */
	cmpw	%ax, %sp
	ja	end16
	incb	%bl
	cmpl	$load, code32_start
	jne	end16
	cmpw	$0xffff, 0x1fa			/* vid_mode: normal */
	jne	end16

	/* INT 15h, E820h: at least an entry, which begins at 0. */
	incb	%bl
	pushw	%bx
	movl	$0xe820, %eax
	movl	$0x534d4150, %edx		/* "SMAP" */
	xorl	%ebx, %ebx
	movl	$20, %ecx
	movw	$entry, %di
	int	$0x15
	popw	%bx
	jc	end16
	cmpl	$0x534d4150, %eax
	jne	end16
	cmpl	$0, entry
	jne	end16
	cmpl	$1, entry + 16			/* RAM */
	jne	end16

	movw	$text16, %si
	movw	$text16_len, %cx
	movw	$COM1, %dx
1:	lodsb
	outb	%al, %dx
	loop	1b

	/* As Linux's own setup code goes on. */
	cli
	xorl	%eax, %eax
	movw	%ds, %ax
	shll	$4, %eax
	movl	%eax, %esi
	addl	%eax, gdt_pointer + 2
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	jmp	1f
1:	movw	$0x18, %ax
	.irp	segment, ds, es, ss, fs, gs
	movw	%ax, %\segment
	.endr
	xorl	%ebp, %ebp
	xorl	%edi, %edi
	xorl	%ebx, %ebx
	ljmpl	$0x10, $load

end16:	movw	$TRAPMAP_TEST_EXIT_PORT, %dx
	movb	%bl, %al
	outb	%al, %dx
	cli
	hlt

text16:	.ascii	"entry: 16 bits\r\n"
	.set	text16_len, . - text16
	.balign	8
entry:	.skip	24
gdt:	.quad	0, 0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

/* ---- 32 bits: ESI is boot_params ------------------------------------------ */

	.org	code
code_start:
	.code32
	cld
	movl	%ebp, %eax
	orl	%edi, %eax
	orl	%ebx, %eax
	movb	$0x41, %bl
	jnz	end32
	incb	%bl
	movl	%cr0, %eax
	andl	$0x80000001, %eax		/* PE, not PG */
	cmpl	$1, %eax
	jne	end32
	incb	%bl
	movw	%cs, %ax
	cmpw	$0x10, %ax
	jne	end32
	.irp	segment, ds, es, ss
	movw	%\segment, %ax
	cmpw	$0x18, %ax
	jne	end32
	.endr
	/* There is no stack: one at the end of what init_size has. */
	movl	$load + 0x100000, %esp
	pushfl
	popl	%eax
	incb	%bl
	testl	$0x200, %eax
	jnz	end32
	/* The selectors have descriptors behind them. */
	ljmp	$0x10, $1f - code_start + load
1:	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$text32 - code_start + load, %edi
	call	put32
	jmp	common32

/* Prints the string at EDI. */
put32:	movw	$COM1, %dx
1:	movb	(%edi), %al
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	incl	%edi
	jmp	1b
2:	ret

end32:	movw	$TRAPMAP_TEST_EXIT_PORT, %dx
	movb	%bl, %al
	outb	%al, %dx
	cli
	hlt

/* ---- 64 bits: RSI is boot_params ------------------------------------------ */

	.org	code + 0x200
	.code64
	cld
	movb	$0x21, %bl
	movl	$0xc0000080, %ecx		/* EFER: LMA */
	rdmsr
	testl	$0x400, %eax
	jz	end64
	incb	%bl
	movw	%cs, %ax
	cmpw	$0x10, %ax
	jne	end64
	movw	%ds, %ax
	cmpw	$0x18, %ax
	jne	end64
	incb	%bl
	cmpb	$0, 0x1e8(%rsi)			/* e820_entries */
	je	end64
	incb	%bl
	cmpl	$0x20445352, 0xe0000		/* the RSDP: "RSD " */
	jne	end64
	cmpq	$0xe0000, 0x70(%rsi)		/* acpi_rsdp_addr */
	jne	end64
	incb	%bl
	movq	0x250(%rsi), %rdi		/* setup_data: a random seed */
	cmpl	$9, 8(%rdi)
	jne	end64
	movl	$load + 0x100000, %esp
	leaq	text64(%rip), %rdi
	call	put64
	leaq	common32(%rip), %rax
	/* What is the same in both is 32-bit code: compatibility mode. */
	lgdt	long_gdt_pointer(%rip)
	pushq	$8
	pushq	%rax
	lretq

put64:	movw	$COM1, %dx
1:	movb	(%rdi), %al
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	incq	%rdi
	jmp	1b
2:	ret

end64:	movw	$TRAPMAP_TEST_EXIT_PORT, %dx
	movb	%bl, %al
	outb	%al, %dx
	cli
	hlt

/* ---- both: command line and initrd ---------------------------------------- */

	.code32
common32:
	movb	$0x11, %bl
	cmpl	$0x53726448, 0x202(%esi)	/* the header is its own */
	jne	end32
	cmpl	$load, 0x214(%esi)
	jne	end32
	incb	%bl
	movl	0x250(%esi), %edi		/* setup_data, of all three */
	testl	%edi, %edi
	jz	end32
	cmpl	$9, 8(%edi)
	jne	end32

	movl	$text_line - code_start + load, %edi
	call	put32
	movl	0x228(%esi), %edi
	call	put32
	movl	$text_end - code_start + load, %edi
	call	put32

	movl	0x21c(%esi), %ecx
	jecxz	2f
	movl	$text_initrd - code_start + load, %edi
	call	put32
	movl	0x21c(%esi), %ecx
	movl	0x218(%esi), %edi
1:	movb	(%edi), %al
	outb	%al, %dx
	incl	%edi
	loop	1b
2:	xorb	%bl, %bl
	jmp	end32

text32:	.asciz	"entry: 32 bits\r\n"
text64:	.asciz	"entry: 64 bits\r\n"
text_line:
	.asciz	"command line: <"
text_initrd:
	.asciz	"initrd: "
text_end:
	.asciz	">\r\n"
	.balign	8
long_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00cf93000000ffff
long_gdt_pointer:
	.word	. - long_gdt - 1
	.quad	long_gdt - code_start + load

	.balign	16
end:

	.section .note.GNU-stack, "", @progbits
