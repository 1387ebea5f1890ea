/* SPDX-License-Identifier: MIT */
/*
 * bios-sector.S: a boot sector that starts as on a PC: interrupts are on, the clock
 * goes, DL is the disk, from which it reads what it prints.
 *
 * format: boot sector
 *
 * case bios-sector
 *	setup: truncate -s 64K $dir/disk
 *	setup: printf 'Read by INT 13h.\r\n' | dd of=$dir/disk bs=512 seek=1 conv=notrunc status=none
 *	options: -d $dir/disk --rtc base=2024-01-01T01:00:05,clock=vm
 *	status: 33
 *	out: Read by INT 13h.
 * case bios-sector-qcow2
 *	if: command -v qemu-img >/dev/null
 *	setup: truncate -s 64K $dir/raw
 *	setup: printf 'Read by INT 13h.\r\n' | dd of=$dir/raw bs=512 seek=1 conv=notrunc status=none
 *	setup: qemu-img convert -O qcow2 $dir/raw $dir/disk
 *	options: -d $dir/disk,ro --rtc base=2024-01-01T01:00:05,clock=vm
 *	status: 33
 *	out: Read by INT 13h.
 * case bios-sector-no-disk
 *	options: --rtc base=2024-01-01T01:00:05,clock=vm
 *	status: 7
 */
#include <trapmap/guest_abi.h>

	.code16
	.globl	_start
_start:
	movb	$1, %bl			/* what is wrong, if anything is */
	pushfw
	popw	%ax
	testb	$2, %ah			/* IF */
	jz	end
	incb	%bl
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movb	%dl, drive

	movb	$0, %ah			/* an hour after midnight: 0x10007 ticks */
	int	$0x1a
	cmpw	$1, %cx
	jne	end
	movw	%dx, ticks
	hlt
	hlt
	movb	$0, %ah
	int	$0x1a
	cmpw	ticks, %dx
	je	end

	incb	%bl
	cmpb	$0x80, drive
	jne	end
	incb	%bl
	pushw	%bx
	movb	drive, %dl
	movw	$0x0201, %ax		/* one sector, the second one */
	movw	$0x0002, %cx
	movb	$0, %dh
	movw	$0x7e00, %bx
	int	$0x13
	popw	%bx
	jc	end

	movw	$0x7e00, %si
print:	lodsb
	testb	%al, %al
	jz	good
	movb	$0x0e, %ah
	int	$0x10
	jmp	print
good:	movb	$0x10, %bl
end:	movb	%bl, %al
	outb	%al, $TRAPMAP_DEBUG_EXIT_PORT
	cli
	hlt

drive:	.byte	0
	.balign	2
ticks:	.word	0

	.org	510
	.byte	0x55, 0xaa

	.section .note.GNU-stack, "", @progbits
