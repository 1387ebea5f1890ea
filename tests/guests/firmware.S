/* SPDX-License-Identifier: MIT */
/*
 * firmware.S: a page of firmware: starts at the reset vector, where its ROM cannot be
 * written; goes on in the copy below 1 MiB, which can; takes a file, the size of the
 * kernel (itself once more) and QEMU's signature by DMA from fw_cfg.
 *
 * format: firmware
 *
 * case firmware
 *	options: --firmware "$guest" --fw-cfg opt/greeting,string='Hello from the reset vector.'
 *	status: 0
 *	out: Hello from the reset vector.
 * case firmware-of-two-cpus
 *	options: --firmware "$guest" --fw-cfg name=opt/greeting,string=Hello -c 2 -m 1
 *	status: 0
 *	out: Hello
 */
#include <trapmap/guest_abi.h>

	.set	SELECTOR, 0x510
	.set	DATA, 0x511
	.set	DMA_HIGH, 0x514
	.set	DMA_LOW, 0x518
	.set	DESCRIPTOR, 0x600
	.set	BUFFER, 0x700

	.code16
	.globl	_start
_start:
	cld
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7000, %sp

	movb	$1, %bl			/* what is wrong, if anything is */
	movb	$0, %cs:probe		/* a ROM */
	cmpb	$0x5a, %cs:probe
	jne	end
	ljmp	$0xf000, $shadowed
shadowed:
	incb	%bl			/* 2 */
	movb	$0, %cs:probe		/* memory */
	cmpb	$0, %cs:probe
	jne	end

	incb	%bl			/* 3: the kernel's size */
	movw	$SELECTOR, %dx
	movw	$0x08, %ax
	outw	%ax, %dx
	call	dword
	cmpl	$4096, %eax
	jne	end

	incb	%bl			/* 4: the signature, by DMA */
	movl	$DESCRIPTOR, %edi
	movl	$0x0a000000, (%di)	/* select item 0 (bit 3), read (bit 1) */
	movl	$0x04000000, 4(%di)
	movl	$0, 8(%di)
	movl	$BUFFER, %eax
	bswap	%eax
	movl	%eax, 12(%di)
	movw	$DMA_LOW, %dx
	movl	%edi, %eax
	bswap	%eax
	outl	%eax, %dx
	cmpl	$0, (%di)
	jne	end
	cmpl	$0x554d4551, BUFFER
	jne	end

	movw	$SELECTOR, %dx		/* the second file; the first is etc/e820 */
	movw	$0x21, %ax
	outw	%ax, %dx
	movw	$DATA, %dx
next:	inb	%dx, %al
	testb	%al, %al
	jz	done
	movw	$0x3f8, %dx
	outb	%al, %dx
	movw	$DATA, %dx
	jmp	next
done:	movw	$0x3f8, %dx
	movb	$'\n', %al
	outb	%al, %dx
	xorb	%bl, %bl
end:	movw	$TRAPMAP_TEST_EXIT_PORT, %dx
	movb	%bl, %al
	outb	%al, %dx
	cli
	hlt

/* Four bytes from the data port, the first one lowest. */
dword:	movw	$DATA, %dx
	movw	$4, %cx
1:	inb	%dx, %al
	rorl	$8, %eax
	loop	1b
	ret

probe:	.byte	0x5a

	.org	0xff0
	jmp	_start
	.org	0x1000

	.section .note.GNU-stack, "", @progbits
