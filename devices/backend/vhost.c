// SPDX-License-Identifier: MIT
/*
 * The order of requests is that of drivers/vhost/vhost.c: owner, features, memory,
 * then size, base, addresses, call and kick of each ring, then what it works on.
 */
#include "backend/vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base.h"

struct vhost {
	int fd;
	struct vhost_sys sys;
	uint64_t features;
	int kick[VHOST_RINGS_MAX];
};

static int kernel_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

int vhost_ioctl(const struct vhost *vhost, unsigned long request, void *arg)
{
	return vhost->sys.ioctl(vhost->sys.opaque, vhost->fd, request, arg);
}

uint64_t vhost_features(const struct vhost *vhost)
{
	return vhost->features;
}

int vhost_new(const char *path, int fd, const struct vhost_sys *sys,
	      struct vhost **ret_vhost)
{
	struct vhost *vhost = calloc(1, sizeof(*vhost));
	int r;

	if (!vhost)
		return -ENOMEM;
	vhost->sys = sys ? *sys : (struct vhost_sys){ .ioctl = kernel_ioctl };
	vhost->fd = path ? open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
			 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	r = vhost->fd < 0 ? -errno : 0;
	if (r == 0)
		r = vhost_ioctl(vhost, VHOST_SET_OWNER, NULL);
	if (r >= 0)
		r = vhost_ioctl(vhost, VHOST_GET_FEATURES, &vhost->features);
	if (r < 0) {
		vhost_free(vhost);
		return r;
	}
	*ret_vhost = vhost;
	return 0;
}

void vhost_free(struct vhost *vhost)
{
	if (!vhost)
		return;
	if (vhost->fd >= 0)
		close(vhost->fd);
	free(vhost);
}

static int set_memory(struct vhost *vhost, const struct gmem *ram)
{
	struct vhost_memory *mem;
	unsigned i, n = 0;
	int r;

	mem = calloc(1, sizeof(*mem) + ram->count * sizeof(mem->regions[0]));
	if (!mem)
		return -ENOMEM;
	for (i = 0; i < ram->count; i++) {
		if (ram->region[i].rom)
			continue;
		mem->regions[n++] = (struct vhost_memory_region){
			.guest_phys_addr = ram->region[i].base,
			.memory_size = ram->region[i].len,
			.userspace_addr = (uintptr_t)ram->region[i].host,
		};
	}
	mem->nregions = n;
	r = vhost_ioctl(vhost, VHOST_SET_MEM_TABLE, mem);
	free(mem);
	return r < 0 ? r : 0;
}

int vhost_start(struct vhost *vhost, uint64_t features, const struct gmem *ram)
{
	int r = vhost_ioctl(vhost, VHOST_SET_FEATURES, &features);

	return r < 0 ? r : set_memory(vhost, ram);
}

int vhost_set_ring(struct vhost *vhost, unsigned index,
		   const struct vhost_ring *ring)
{
	struct vhost_vring_state size = { .index = index, .num = ring->size };
	struct vhost_vring_state base = { .index = index };
	struct vhost_vring_addr addr = {
		.index = index,
		.desc_user_addr = (uintptr_t)ring->desc,
		.avail_user_addr = (uintptr_t)ring->driver,
		.used_user_addr = (uintptr_t)ring->device,
	};
	struct vhost_vring_file call = { .index = index, .fd = ring->call };
	struct vhost_vring_file kick = { .index = index, .fd = ring->kick };
	const struct {
		unsigned long request;
		void *arg;
	} steps[] = {
		{ VHOST_SET_VRING_NUM, &size },
		{ VHOST_SET_VRING_BASE, &base },
		{ VHOST_SET_VRING_ADDR, &addr },
		{ VHOST_SET_VRING_CALL, &call },
		{ VHOST_SET_VRING_KICK, &kick },
	};
	unsigned i;
	int r = 0;

	if (index >= VHOST_RINGS_MAX)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(steps) && r >= 0; i++)
		r = vhost_ioctl(vhost, steps[i].request, steps[i].arg);
	if (r < 0)
		return r;
	vhost->kick[index] = ring->kick;
	return 0;
}

void vhost_kick(const struct vhost *vhost, unsigned index)
{
	uint64_t one = 1;

	/* EAGAIN: it has been told often enough. */
	(void)!write(vhost->kick[index], &one, sizeof(one));
}

int vhost_net_set_backend(struct vhost *vhost, unsigned index, int fd)
{
	struct vhost_vring_file file = { .index = index, .fd = fd };
	int r = vhost_ioctl(vhost, VHOST_NET_SET_BACKEND, &file);

	return r < 0 ? r : 0;
}
