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

	/* What messages call data. Copied; NULL: "(in memory)". */
	const char *name;
};

/*
 * The kernel, recognised by content: bzImage, multiboot, ELF (Linux's own boot
 * protocol, or PVH), boot sector (512 bytes that end in 55 AA), or a flat
 * real-mode binary (anything else of at most 575 KiB). Without one the built-in
 * guest runs. The content is looked at by trapmap_vm_start().
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
	TRAPMAP_BOOT_LINUX32, /* bzImage or ELF32: in protected mode */
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
 * Firmware that runs in place of the kernel: an image of whole pages, up to 16 MiB,
 * that ends at 4 GiB and begins at the reset vector, 16 bytes before. Its last 128 KiB
 * lie below 1 MiB as well. Kernel, initrds and command line are what it finds in
 * fw_cfg. Returns as trapmap_vm_set_kernel().
 */
int trapmap_vm_set_firmware(struct trapmap_vm *vm,
			    const struct trapmap_source *source);

/*
 * Adds a file to QEMU's fw_cfg (docs/specs/fw_cfg there), whose names begin with
 * "opt/" by convention. name has 1 to 55 bytes and is copied. Up to 32. Returns as
 * trapmap_vm_set_kernel(), or -EINVAL (name), -EEXIST or -E2BIG.
 */
int trapmap_vm_add_fw_cfg(struct trapmap_vm *vm, const char *name,
			  const struct trapmap_source *source);

/* The devicetree that a Linux kernel is handed, as SETUP_DTB. */
enum trapmap_dtb {
	/* The machine's own after trapmap_vm_set_board(), else none. */
	TRAPMAP_DTB_DEFAULT = 0,
	TRAPMAP_DTB_NONE,
	TRAPMAP_DTB_AUTO, /* the machine's own: trapmap_vm_devicetree()'s */
	TRAPMAP_DTB_FILE, /* the source, untouched */
};

/*
 * Chooses it. source goes with TRAPMAP_DTB_FILE and is NULL otherwise; unlike others
 * it is read at once. With AUTO and FILE start refuses what is not booted by the Linux
 * boot protocol, and so takes none; also a tree of more than 256 KiB, which no Linux
 * reads. Returns as trapmap_vm_set_kernel(), or -EINVAL or -EFBIG: no devicetree blob
 * (the error text says why).
 */
int trapmap_vm_set_dtb(struct trapmap_vm *vm, enum trapmap_dtb dtb,
		       const struct trapmap_source *source);

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
