/* SPDX-License-Identifier: MIT */
/*
 * vhost.h: virtqueues that the host's kernel works on: /dev/vhost-net, and
 * /dev/vhost-vsock alike. linux/vhost.h; drivers/vhost/vhost.c.
 *
 * It reads and writes the guest's memory and rings by itself, is told of new buffers
 * by an eventfd (kick), and tells of used ones by another (call).
 *
 * Thread: one at a time, the device's lock.
 */
#ifndef TRAPMAP_BACKEND_VHOST_H
#define TRAPMAP_BACKEND_VHOST_H

#include <stdint.h>

#include "core/gmem.h"

struct vhost;

/* How the kernel is asked; a test has its own. */
struct vhost_sys {
	/* Returns 0 or more, or -errno. */
	int (*ioctl)(void *opaque, int fd, unsigned long request, void *arg);
	void *opaque;
};

/* A split ring, in the host's memory. */
struct vhost_ring {
	uint32_t size;
	void *desc, *driver, *device;
	int kick, call; /* stay the caller's */
};

#define VHOST_RINGS_MAX 4

/*
 * Opens a device node, or duplicates fd if path is NULL, and makes it this
 * process's. sys: NULL for the kernel. Returns 0; -errno of open() (ENOENT: the
 * module is not loaded; EACCES), of the ioctls, or -ENOMEM.
 */
int vhost_new(const char *path, int fd, const struct vhost_sys *sys,
	      struct vhost **ret_vhost);
/* After its rings have been stopped. Accepts NULL. */
void vhost_free(struct vhost *vhost);

/* Feature bits that the kernel knows. */
uint64_t vhost_features(const struct vhost *vhost);

/* What was agreed, and the guest's memory; then its rings. 0 or -errno. */
int vhost_start(struct vhost *vhost, uint64_t features, const struct gmem *ram);
int vhost_set_ring(struct vhost *vhost, unsigned index,
		   const struct vhost_ring *ring);
/* Has the kernel look at a ring. */
void vhost_kick(const struct vhost *vhost, unsigned index);

/*
 * VHOST_NET_SET_BACKEND: from here on the ring is worked on; with -1, when it
 * returns, it no longer is, and nothing touches memory any more.
 */
int vhost_net_set_backend(struct vhost *vhost, unsigned index, int fd);

/* Any other request, as VHOST_VSOCK_SET_RUNNING. 0 or more, or -errno. */
int vhost_ioctl(const struct vhost *vhost, unsigned long request, void *arg);

#endif
