// SPDX-License-Identifier: MIT
#include "backend/vhost_vsock.h"

#include <linux/vhost.h>

#include "backend/vhost.h"

int vhost_vsock_set_cid(struct vhost *vhost, uint64_t cid)
{
	int r = vhost_ioctl(vhost, VHOST_VSOCK_SET_GUEST_CID, &cid);

	return r < 0 ? r : 0;
}

int vhost_vsock_set_running(struct vhost *vhost, bool on)
{
	int running = on;
	int r = vhost_ioctl(vhost, VHOST_VSOCK_SET_RUNNING, &running);

	return r < 0 ? r : 0;
}
