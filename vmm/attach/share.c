// SPDX-License-Identifier: MIT
/*
 * Shared folders: the setter of the public interface, and the opening of the folder.
 * One without a tag is "share", the next "share1", and so on: a name that a script in
 * the guest can rely on.
 */
#include "attach/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/p9_share.h"
#include "core/base.h"
#include "virtio/p9.h"
#include "vm.h"

struct share {
	struct attachment at;
	struct attach_file file;
	bool read_only;
	char tag[VIRTIO_9P_TAG_MAX + 1];
};

static struct share *to_share(struct attachment *at)
{
	return container_of(at, struct share, at);
}

static void share_free(struct attachment *at)
{
	struct share *share = to_share(at);

	attach_file_done(&share->file);
	free(share);
}

/* What is wrong with the folder, and what to do about it. */
static const char *open_error(int r)
{
	switch (r) {
	case -ENOTDIR: return "is not a folder";
	case -ENOENT: return "there is no such folder";
	case -EACCES:
	case -EPERM: return "may not be entered or read by this user";
	case -ENOSYS:
		return "this kernel, or the container's filter, has no "
		       "openat2(2), without which no folder is shared; Linux "
		       "5.6 has it";
	case -ENXIO:
		return "there is no procfs at /proc, without which its files "
		       "cannot be opened safely; mount it";
	default: return strerrordesc_np(-r) ?: "unknown error";
	}
}

static int share_device(struct attachment *at, const struct attach_site *site,
			struct virtio_device **ret_vd, struct error *err)
{
	const struct share *share = to_share(at);
	const struct p9_share_config folder = {
		.path = share->file.fd < 0 ? share->file.name : NULL,
		.fd = share->file.fd,
		.read_only = share->read_only,
	};
	struct virtio_9p_config p9 = { .ram = site->ram, .tag = share->tag };
	int r;

	r = p9_share_new(&folder, &p9.server);
	if (r < 0 && !attach_is_ours(r))
		return error_set(err, ERROR_INPUT, r, "%s: %s", at->name,
				 open_error(r));
	if (r == 0)
		r = virtio_9p_new(&p9, ret_vd);
	if (r < 0) {
		p9_free(p9.server);
		return error_host(err, r, "%s", at->name);
	}
	return 0;
}

static const struct attachment_ops share_ops = {
	.device = share_device,
	.free = share_free,
};

/* The one that has this tag, or NULL. */
static const struct share *tagged(const struct trapmap_vm *vm, const char *tag)
{
	struct attachment *at;
	unsigned i;

	for (i = 0; i < vm->config.machine.attached_count; i++) {
		at = vm->config.attached[i];
		if (at->ops == &share_ops && !strcmp(to_share(at)->tag, tag))
			return to_share(at);
	}
	return NULL;
}

static int set_tag(struct trapmap_vm *vm, struct share *share, const char *tag)
{
	const struct share *other;
	unsigned n;

	snprintf(share->tag, sizeof(share->tag), "%s", tag ?: "share");
	for (n = 1; !tag && tagged(vm, share->tag); n++)
		snprintf(share->tag, sizeof(share->tag), "share%u", n);
	other = tagged(vm, share->tag);
	if (!other)
		return 0;
	return error_set(&vm->error, ERROR_INPUT, -EINVAL,
			 "share '%s': the tag '%s' is that of %s; each needs "
			 "its own",
			 share->file.name, tag, other->at.name);
}

static int check(struct trapmap_vm *vm, const struct trapmap_share *from)
{
	int r = attach_check(vm, from->size, sizeof(*from), "trapmap_share");

	if (r < 0)
		return r;
	if (from->path && !*from->path)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_share: the path is empty");
	if (from->tag && (!*from->tag || strlen(from->tag) > VIRTIO_9P_TAG_MAX))
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_share: the tag has %s bytes; 1 "
				 "to %d are expected",
				 *from->tag ? "more" : "no", VIRTIO_9P_TAG_MAX);
	return 0;
}

int trapmap_vm_add_share(struct trapmap_vm *vm, const struct trapmap_share *from)
{
	struct share *share;
	int r;

	r = check(vm, from);
	if (r < 0)
		return r;
	share = calloc(1, sizeof(*share));
	if (!share)
		return error_set(&vm->error, ERROR_HOST, -ENOMEM,
				 "out of memory");
	share->at.ops = &share_ops;
	share->read_only = from->read_only != 0;
	r = attach_file_init(&share->file, from->path, from->fd);
	if (r < 0)
		error_set(&vm->error, ERROR_INPUT, r, "share: %s",
			  strerrordesc_np(-r));
	else
		r = set_tag(vm, share, from->tag);
	if (r < 0) {
		attach_free(&share->at);
		return r;
	}
	return attach_add(vm, &share->at, from->iothread, "share '%s'",
			  share->file.name);
}
