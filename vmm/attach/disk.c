// SPDX-License-Identifier: MIT
/* Disks: the setter of the public interface, and the opening of their images. */
#include "attach/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block.h"
#include "backend/block_file.h"
#include "core/base.h"
#include "virtio/blk.h"
#include "vm.h"

struct disk {
	struct attachment at;
	struct attach_file file;
	bool read_only, direct;
	char *serial;
	void (*failed)(void *opaque, int err); /* trapmap_disk.failed */
	void *opaque;
};

static struct disk *to_disk(struct attachment *at)
{
	return container_of(at, struct disk, at);
}

static void disk_free(struct attachment *at)
{
	struct disk *disk = to_disk(at);

	attach_file_done(&disk->file);
	free(disk->serial);
	free(disk);
}

/* What is wrong with the image, and what to do about it. */
static const char *open_error(const struct disk *disk, int r)
{
	switch (r) {
	case -EBUSY:
		return disk->read_only ?
			       "is being written to by another program" :
			       "is in use by another program, or mounted; an "
			       "image that is written to can have one user";
	case -EISDIR:
		return "is a directory; an image or a block device was "
		       "expected";
	case -ENOTBLK: return "is neither a regular file nor a block device";
	case -ENODATA: return "is shorter than one sector, so there is no disk";
	case -EBADF:
		return disk->read_only ? "is not open for reading" :
					 "is not open for reading and writing";
	case -EOPNOTSUPP:
		return disk->file.fd < 0 ?
			       "its filesystem has no direct I/O (O_DIRECT)" :
			       "is not open with O_DIRECT";
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return disk->read_only ? "may not be read" :
					 "may not be written to; as a "
					 "read-only disk it only has to be "
					 "readable";
	default: return strerrordesc_np(-r) ?: "unknown error";
	}
}

static int disk_device(struct attachment *at, const struct attach_site *site,
		       struct virtio_device **ret_vd, struct error *err)
{
	const struct disk *disk = to_disk(at);
	const struct block_file_config file = {
		.loop = site->loop,
		.path = disk->file.fd < 0 ? disk->file.name : NULL,
		.fd = disk->file.fd,
		.read_only = disk->read_only,
		.direct = disk->direct,
	};
	struct virtio_blk_config blk = {
		.ram = site->ram,
		.queues = site->cpus < VIRTIO_BLK_QUEUES_MAX ?
				  site->cpus :
				  VIRTIO_BLK_QUEUES_MAX,
		.serial = disk->serial,
		.failed = disk->failed,
		.opaque = disk->opaque,
	};
	int r;

	r = block_file_new(&file, &blk.blk);
	if (r < 0 && !attach_is_ours(r))
		return error_set(err, ERROR_INPUT, r, "%s: %s", at->name,
				 open_error(disk, r));
	if (r == 0)
		r = virtio_blk_new(&blk, ret_vd);
	if (r < 0) {
		block_free(blk.blk);
		return error_host(err, r, "%s", at->name);
	}
	return 0;
}

static const struct attachment_ops disk_ops = {
	.device = disk_device,
	.free = disk_free,
};

int trapmap_vm_add_disk(struct trapmap_vm *vm, const struct trapmap_disk *from)
{
	struct disk *disk;
	int r;

	r = attach_check(vm, from->size, sizeof(*from), "trapmap_disk");
	if (r < 0)
		return r;
	if (from->path && !*from->path)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_disk: the path is empty");
	if (from->serial && strlen(from->serial) > VIRTIO_BLK_ID_LEN)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_disk: the serial number is "
				 "longer than 20 bytes");
	disk = calloc(1, sizeof(*disk));
	if (!disk)
		return error_set(&vm->error, ERROR_HOST, -ENOMEM,
				 "out of memory");
	disk->at.ops = &disk_ops;
	disk->read_only = from->read_only != 0;
	disk->direct = from->direct != 0;
	disk->failed = from->failed;
	disk->opaque = from->opaque;
	r = attach_file_init(&disk->file, from->path, from->fd);
	if (r == 0 && from->serial) {
		disk->serial = strdup(from->serial);
		r = disk->serial ? 0 : -ENOMEM;
	}
	if (r < 0) {
		attach_free(&disk->at);
		return error_set(&vm->error, ERROR_INPUT, r, "disk: %s",
				 strerrordesc_np(-r));
	}
	return attach_add(vm, &disk->at, from->iothread, "disk '%s'",
			  disk->file.name);
}
