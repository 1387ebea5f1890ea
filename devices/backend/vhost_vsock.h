/* SPDX-License-Identifier: MIT */
/* vhost_vsock.h: what /dev/vhost-vsock has beyond backend/vhost.h (linux/vhost.h). */
#ifndef TRAPMAP_BACKEND_VHOST_VSOCK_H
#define TRAPMAP_BACKEND_VHOST_VSOCK_H

#include <stdbool.h>
#include <stdint.h>

struct vhost;

/* The guest's address. Returns 0 or -errno; -EADDRINUSE: another guest has it. */
int vhost_vsock_set_cid(struct vhost *vhost, uint64_t cid);

/*
 * From here on the rings are worked on; or, when it returns, they no longer are, and
 * nothing touches memory any more. Returns 0 or -errno.
 */
int vhost_vsock_set_running(struct vhost *vhost, bool on);

#endif
