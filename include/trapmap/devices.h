/* SPDX-License-Identifier: MIT */
/*
 * devices.h: what can be attached to a VM: disks, networks, consoles, sockets,
 * shared folders. Part of trapmap.h, which includes it; its conventions hold here.
 *
 * Each is a virtio device. Within a kind the guest finds them in the order in which
 * they were added. Whatever belongs to the host (a file, an interface, a socket)
 * is opened by trapmap_vm_start(), and refused there with a sentence in
 * trapmap_vm_error(); the VM keeps it until trapmap_vm_free(). All strings are
 * copied; descriptors are duplicated at once and stay the caller's.
 *
 * Unless it says otherwise a function returns 0; -EINVAL: a value is outside its
 * range (the error text names it); -E2BIG: there are TRAPMAP_ATTACHED_MAX devices,
 * or as many of this kind as there may be; -EBUSY: the VM has been started; -EBADF;
 * -EMFILE; -ENOMEM.
 */
#ifndef TRAPMAP_DEVICES_H
#define TRAPMAP_DEVICES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct trapmap_vm;

/*
 * Devices that can be attached in all. With TRAPMAP_TRANSPORT_MMIO there is room
 * for seven; start says so.
 */
#define TRAPMAP_ATTACHED_MAX 28

/*
 * Every struct below has an `iothread`: NULL for the VM's own I/O thread, or the
 * name (1 to 8 letters, digits or '-') of one that the devices share which name
 * the same.
 */

/* ---- disks -------------------------------------------------------------- */

struct trapmap_disk {
	size_t size; /* sizeof(struct trapmap_disk) */
	const char *path;
	/*
	 * Used if path is NULL. Open for reading and, unless
	 * read_only, writing. Its flags are not changed.
	 */
	int fd;
	int read_only; /* not 0: the guest cannot write to it */
	/*
	 * Not 0: past the host's page cache, by O_DIRECT, with which fd must
	 * have been opened.
	 */
	int direct;
	const char *serial; /* up to 20 bytes. NULL: none */
	const char *iothread;
	/*
	 * The host could not do what the guest asked for (err is an errno, as
	 * ENOSPC). Called for each such request, on a thread of the VM's with
	 * locks held: it must return soon and call nothing of this library. May
	 * be NULL.
	 */
	void (*failed)(void *opaque, int err);
	void *opaque;
};

#define TRAPMAP_DISK_INIT { .size = sizeof(struct trapmap_disk), .fd = -1 }

/*
 * A block device over an image: a regular file or a block device. A raw image's
 * size is rounded down to sectors of 512 bytes. The image stays locked from start
 * to free, against all other users, or where it is only read against writers (an
 * open file description lock on the whole file; of fd it is the caller's too).
 * What is no image, or is in use, is refused by start.
 */
int trapmap_vm_add_disk(struct trapmap_vm *vm, const struct trapmap_disk *disk);

#ifdef __cplusplus
}
#endif

#endif
