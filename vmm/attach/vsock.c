// SPDX-License-Identifier: MIT
/* Sockets: the setter of the public interface, and the host's side of them. */
#include "attach/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/vhost.h"
#include "backend/vsock.h"
#include "backend/vsock_unix.h"
#include "core/base.h"
#include "virtio/vsock.h"
#include "vm.h"

#define VHOST_PATH "/dev/vhost-vsock"

struct vsock {
	struct attachment at;
	uint64_t cid;
	char *path; /* NULL: vhost */
};

static struct vsock *to_vsock(struct attachment *at)
{
	return container_of(at, struct vsock, at);
}

static int unix_error(const struct vsock *vsock, int r, struct error *err)
{
	const char *name = vsock->at.name;

	if (attach_is_ours(r))
		return error_host(err, r, "%s", name);
	switch (r) {
	case -EADDRINUSE:
		return error_set(err, ERROR_INPUT, r,
				 "%s: there is something of that name already; "
				 "if no other program listens there, remove it",
				 name);
	case -ENAMETOOLONG:
		return error_set(err, ERROR_INPUT, r,
				 "%s: the path is longer than %d bytes, so that "
				 "there is no room for a port behind it",
				 name, VSOCK_UNIX_PATH_MAX);
	default:
		return error_set(err, ERROR_INPUT, r, "%s: cannot listen: %s",
				 name, strerrordesc_np(-r) ?: "unknown error");
	}
}

static int unix_device(struct vsock *vsock, const struct attach_site *site,
		       struct virtio_device **ret_vd, struct error *err)
{
	struct virtio_vsock_config config = {
		.ram = site->ram,
		.cid = vsock->cid,
		.loop = site->loop,
	};
	int r;

	r = vsock_unix_new(site->loop, vsock->path, &config.host);
	if (r < 0)
		return unix_error(vsock, r, err);
	r = virtio_vsock_new(&config, ret_vd);
	if (r == 0)
		return 0;
	config.host->ops->free(config.host);
	return error_host(err, r, "%s", vsock->at.name);
}

static int vhost_error(const struct vsock *vsock, int r, struct error *err)
{
	const char *name = vsock->at.name;

	switch (r) {
	case -EADDRINUSE:
		return error_set(err, ERROR_INPUT, r,
				 "%s: the address (CID) %llu is another "
				 "guest's; choose another",
				 name, (unsigned long long)vsock->cid);
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return error_set(err, ERROR_INPUT, r,
				 "%s: there is no " VHOST_PATH "; load the "
				 "module vhost_vsock, or give a path for a unix "
				 "socket",
				 name);
	case -EACCES:
	case -EPERM:
		return error_set(err, ERROR_INPUT, r,
				 "%s: " VHOST_PATH " may not be opened; give "
				 "this user access to it, or a path for a unix "
				 "socket",
				 name);
	default: return error_host(err, r, "%s: " VHOST_PATH, name);
	}
}

static int vhost_device(struct vsock *vsock, const struct attach_site *site,
			struct virtio_device **ret_vd, struct error *err)
{
	struct virtio_vsock_vhost_config config = {
		.ram = site->ram,
		.cid = vsock->cid,
	};
	int r;

	r = vhost_new(VHOST_PATH, -1, NULL, &config.vhost);
	if (r < 0)
		return vhost_error(vsock, r, err);
	r = virtio_vsock_vhost_new(&config, ret_vd);
	if (r == 0)
		return 0;
	vhost_free(config.vhost);
	return vhost_error(vsock, r, err);
}

static int vsock_device(struct attachment *at, const struct attach_site *site,
			struct virtio_device **ret_vd, struct error *err)
{
	struct vsock *vsock = to_vsock(at);

	return vsock->path ? unix_device(vsock, site, ret_vd, err)
			   : vhost_device(vsock, site, ret_vd, err);
}

static void vsock_free(struct attachment *at)
{
	struct vsock *vsock = to_vsock(at);

	free(vsock->path);
	free(vsock);
}

static const struct attachment_ops vsock_ops = {
	.device = vsock_device,
	.free = vsock_free,
};

static int bad(struct trapmap_vm *vm, const char *what)
{
	return error_set(&vm->error, ERROR_INPUT, -EINVAL,
			 "struct trapmap_vsock: %s", what);
}

int trapmap_vm_set_vsock(struct trapmap_vm *vm, const struct trapmap_vsock *from)
{
	struct vsock *vsock;
	int r;

	r = attach_check(vm, from->size, sizeof(*from), "trapmap_vsock");
	if (r < 0)
		return r;
	if (from->cid &&
	    (from->cid < VIRTIO_VSOCK_CID_MIN || from->cid >= UINT32_MAX))
		return bad(vm, "a cid from 3 to 4294967294 is expected");
	if (from->path && from->vhost)
		return bad(vm, "a path or vhost is expected, not both");
	if (from->path ? !*from->path : !from->vhost)
		return bad(vm, "a path or vhost is expected");
	if (attach_find(vm, &vsock_ops))
		return error_set(&vm->error, ERROR_INPUT, -E2BIG,
				 "there is a socket device already");
	vsock = calloc(1, sizeof(*vsock));
	if (!vsock)
		return error_set(&vm->error, ERROR_HOST, -ENOMEM,
				 "out of memory");
	vsock->at.ops = &vsock_ops;
	vsock->cid = from->cid ? from->cid : VIRTIO_VSOCK_CID_MIN;
	if (from->path) {
		vsock->path = strdup(from->path);
		if (!vsock->path) {
			attach_free(&vsock->at);
			return error_set(&vm->error, ERROR_HOST, -ENOMEM,
					 "out of memory");
		}
	}
	return attach_add(vm, &vsock->at, NULL, "vsock '%s'",
			  from->path ? from->path : "vhost");
}
