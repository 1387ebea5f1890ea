/* SPDX-License-Identifier: MIT */
/*
 * attach.h: what devices.h attaches to a VM. Each kind is one file of this folder:
 * the function of the public interface, which keeps what was asked for; the opening
 * of the host's side, at start; and the virtio device over it. The board takes them
 * all alike, in the order in which they were added.
 */
#ifndef TRAPMAP_ATTACH_ATTACH_H
#define TRAPMAP_ATTACH_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct attachment;
struct gmem;
struct loop;
struct machine_host;
struct trapmap_vm;
struct unix_listener;
struct virtio_device;

/* Where a device is made. All of it outlives the device. */
struct attach_site {
	const struct gmem *ram;
	unsigned cpus;
	struct loop *loop; /* of the thread that the device works on */
	const struct machine_host *host;
};

struct attachment_ops {
	/*
	 * At start: opens the host's side and makes the device. Returns 0, or
	 * -errno with *err, a sentence that begins with at->name.
	 */
	int (*device)(struct attachment *at, const struct attach_site *site,
		      struct virtio_device **ret_vd, struct error *err);
	/* The VM goes on after a pause. May be NULL. Any thread. */
	void (*resume)(struct attachment *at);
	/*
	 * For what a guest says to the host, all three or NULL. No vCPU runs any
	 * more: takes what the guest has given; false while that is not all of
	 * it, after which machine_host.drained() is called. The I/O thread.
	 */
	bool (*finish)(struct attachment *at);
	/* As machine_output_pending() and _discard(). Any thread. */
	size_t (*pending)(struct attachment *at);
	size_t (*discard)(struct attachment *at);
	/* The device has been freed. */
	void (*free)(struct attachment *at);
};

/* Embedded, first, in what a kind keeps. */
struct attachment {
	const struct attachment_ops *ops;
	char *name; /* for messages: "disk 'root.img'" */
	char *iothread; /* NULL: the VM's own */
	/* Guest memory must stay where it is: nothing of it can be given back. */
	bool pins;
	struct virtio_device *vd; /* from start to free */
};

/*
 * What each setter begins with: whether the VM can still be configured, and the
 * struct is of this library's size. Returns 0, or -errno with vm->error.
 */
int attach_check(struct trapmap_vm *vm, size_t size, size_t want,
		 const char *what);

/*
 * Gives at its name and its thread and the VM the attachment, which is freed if
 * that fails. Returns 0, or -errno with vm->error.
 */
int attach_add(struct trapmap_vm *vm, struct attachment *at,
	       const char *iothread, const char *name_fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The first of a kind, or NULL. */
struct attachment *attach_find(const struct trapmap_vm *vm,
			       const struct attachment_ops *ops);

/* The first that has guest memory pinned, or NULL. */
const struct attachment *attach_pinned(const struct trapmap_vm *vm);

void attach_free(struct attachment *at);

/* A file, by path or by descriptor. */
struct attach_file {
	char *name; /* the path, or "file descriptor 7" */
	int fd; /* ours; -1: name is a path */
};

/* Returns 0 or -errno; attach_file_done() is due either way. */
int attach_file_init(struct attach_file *file, const char *path, int fd);
void attach_file_done(struct attach_file *file);

/*
 * Makes a socket at path and listens; name is what it is for. Returns 0, or -errno
 * with *err.
 */
int attach_listen(struct unix_listener *listener, const char *name,
		  const char *path, struct error *err);

/*
 * Whether r says that the host, or this process, has run out of something, rather
 * than that what was asked for is wrong.
 */
bool attach_is_ours(int r);

#endif
