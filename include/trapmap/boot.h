/* SPDX-License-Identifier: MIT */
/*
 * boot.h: what a VM runs: kernel, initial RAM disks, command line. Part of
 * trapmap.h, whose conventions hold here too.
 */
#ifndef TRAPMAP_BOOT_H
#define TRAPMAP_BOOT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct trapmap_vm;

/*
 * A file for the guest: exactly one of a path, an open descriptor, or bytes.
 */
struct trapmap_source {
	size_t size; /* sizeof(struct trapmap_source) */

	/*
	 * Opened and read during trapmap_vm_start(), which waits for the
	 * writer of a FIFO; kept open until the VM is freed. Copied.
	 */
	const char *path;

	/*
	 * Used if path and data are NULL: duplicated at once, read from its
	 * beginning (a pipe: from where it stands, once).
	 */
	int fd;

	/*
	 * Not copied: must stay valid and unchanged until the VM is freed.
	 */
	const void *data;
	size_t len;
};

/*
 * The kernel, recognised by content: bzImage (64-bit entry), ELF x86-64
 * (64-bit Linux boot protocol), boot sector (512 bytes that end in 55 AA), or
 * a flat real-mode binary (anything else of at most 576 KiB). Without one the
 * built-in guest runs. The content is looked at by trapmap_vm_start().
 * Returns 0, -EINVAL, -EBUSY, -EBADF, -EMFILE or -ENOMEM.
 */
int trapmap_vm_set_kernel(struct trapmap_vm *vm,
			  const struct trapmap_source *source);

/*
 * By which protocol a kernel starts. What a file can be started by, it says
 * itself; docs/boot.md has the state in which each one starts.
 */
enum trapmap_boot {
	TRAPMAP_BOOT_AUTO = 0, /* the one that hands over the most */
	TRAPMAP_BOOT_LINUX64, /* bzImage or ELF: in long mode */
	TRAPMAP_BOOT_LINUX32, /* bzImage: in protected mode */
	TRAPMAP_BOOT_LINUX16, /* bzImage: its setup code, in real mode */
	TRAPMAP_BOOT_PVH, /* ELF with a PVH note: in protected mode */
	TRAPMAP_BOOT_MULTIBOOT,
	TRAPMAP_BOOT_SECTOR, /* 512 bytes at 0x7c00 */
	TRAPMAP_BOOT_FLAT, /* any file, as real-mode code */
	/* bzImage: the kernel inside it, unpacked before the guest starts. */
	TRAPMAP_BOOT_UNPACK,
};

/*
 * Chooses it. Whether the kernel has that protocol trapmap_vm_start() finds
 * out. Returns 0, -EINVAL (unknown) or -EBUSY.
 */
int trapmap_vm_set_boot(struct trapmap_vm *vm, enum trapmap_boot boot);

/*
 * Adds an initial RAM disk. Several are laid one after another in the order
 * given, each at a multiple of four bytes. At most 64. Returns as
 * trapmap_vm_set_kernel(), or -E2BIG.
 */
int trapmap_vm_add_initrd(struct trapmap_vm *vm,
			  const struct trapmap_source *source);

/*
 * The kernel's command line, handed on untouched. Copied. Returns 0, -EBUSY,
 * -ENOMEM. One that is longer than the kernel takes fails in start.
 */
int trapmap_vm_set_cmdline(struct trapmap_vm *vm, const char *cmdline);

#ifdef __cplusplus
}
#endif

#endif
