// SPDX-License-Identifier: MIT
/* Disks: the setter of the public interface, and the opening of their images. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/block.h"
#include "backend/block_file.h"
#include "virtio/blk.h"
#include "vm.h"

/* The smallest struct ever released; a later one is larger. */
#define SIZE_DISK sizeof(struct trapmap_disk)

static int name_disk(struct disk *disk, const struct trapmap_disk *from)
{
	if (from->path)
		disk->name = strdup(from->path);
	else if (asprintf(&disk->name, "file descriptor %d", from->fd) < 0)
		disk->name = NULL;
	if (from->serial)
		disk->serial = strdup(from->serial);
	return !disk->name || (from->serial && !disk->serial) ? -ENOMEM : 0;
}

static int copy_disk(struct disk *disk, const struct trapmap_disk *from)
{
	int r;

	*disk = (struct disk){
		.fd = -1,
		.read_only = from->read_only != 0,
		.direct = from->direct != 0,
		.failed = from->failed,
		.opaque = from->opaque,
	};
	r = name_disk(disk, from);
	if (r < 0)
		return r;
	if (from->path)
		return 0;
	disk->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 3);
	return disk->fd < 0 ? -errno : 0;
}

int trapmap_vm_add_disk(struct trapmap_vm *vm, const struct trapmap_disk *disk)
{
	struct vm_config *c = &vm->config;
	struct disk *to = &c->disk[c->machine.disks];
	const char *why = NULL;
	int r = -EINVAL;

	if (vm->state != VM_CONFIGURED) {
		r = -EBUSY;
		why = "the VM has been started already";
	} else if (disk->size != SIZE_DISK) {
		why = "struct trapmap_disk: wrong size";
	} else if (disk->path && !*disk->path) {
		why = "struct trapmap_disk: the path is empty";
	} else if (disk->serial && strlen(disk->serial) > VIRTIO_BLK_ID_LEN) {
		why = "struct trapmap_disk: the serial number is longer than "
		      "20 bytes";
	} else if (c->machine.disks == TRAPMAP_DISKS_MAX) {
		r = -E2BIG;
		why = "more than 6 disks";
	}
	if (why)
		return error_set(&vm->error, ERROR_INPUT, r, "%s", why);
	r = copy_disk(to, disk);
	if (r < 0) {
		disk_done(to);
		return error_set(&vm->error, ERROR_INPUT, r, "disk: %s",
				 strerrordesc_np(-r));
	}
	c->machine.disk = c->disk;
	c->machine.disks++;
	return 0;
}

void disk_done(struct disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	free(disk->name);
	free(disk->serial);
	*disk = (struct disk){ .fd = -1 };
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
		return disk->fd < 0 ?
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

static bool is_ours(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EAGAIN;
}

int disk_device(const struct disk *disk, const struct gmem *ram, unsigned cpus,
		struct loop *loop, struct virtio_device **ret_vd,
		struct error *err)
{
	const struct block_file_config file = {
		.loop = loop,
		.path = disk->fd < 0 ? disk->name : NULL,
		.fd = disk->fd,
		.read_only = disk->read_only,
		.direct = disk->direct,
	};
	struct virtio_blk_config blk = {
		.ram = ram,
		.queues = cpus < VIRTIO_BLK_QUEUES_MAX ? cpus :
							 VIRTIO_BLK_QUEUES_MAX,
		.serial = disk->serial,
		.failed = disk->failed,
		.opaque = disk->opaque,
	};
	int r;

	r = block_file_new(&file, &blk.blk);
	if (r < 0 && !is_ours(r))
		return error_set(err, ERROR_INPUT, r, "disk '%s': %s",
				 disk->name, open_error(disk, r));
	if (r == 0)
		r = virtio_blk_new(&blk, ret_vd);
	if (r < 0) {
		block_free(blk.blk);
		return error_host(err, r, "disk '%s'", disk->name);
	}
	return 0;
}
