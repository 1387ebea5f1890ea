// SPDX-License-Identifier: MIT
/* Disks: the setter of the public interface, and the opening of their images. */
#include "attach/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block.h"
#include "backend/block_image.h"
#include "core/base.h"
#include "core/gmem.h"
#include "virtio/blk.h"
#include "vm.h"

struct disk {
	struct attachment at;
	struct attach_file file;
	enum block_format format;
	bool read_only, direct, temporary, stop;
	char *serial;
	const struct machine_host *host;
	struct notice_source source;
	struct notice notice;
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
		return disk->read_only || disk->temporary ?
			       "is being written to by another program" :
			       "is in use by another program, or mounted, or "
			       "given twice; an image that is written to can "
			       "have one user";
	case -EISDIR:
		return "is a directory; an image or a block device was "
		       "expected";
	case -ENOTBLK: return "is neither a regular file nor a block device";
	case -ENODATA: return "is shorter than one sector, so there is no disk";
	case -EBADF:
		return disk->read_only || disk->temporary ?
			       "is not open for reading" :
			       "is not open for reading and writing";
	case -EOPNOTSUPP:
		return disk->file.fd < 0 ?
			       "its filesystem has no direct I/O (O_DIRECT)" :
			       "is not open with O_DIRECT";
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return disk->read_only || disk->temporary ?
			       "may not be read" :
			       "may not be written to; as a read-only disk it "
			       "only has to be readable";
	default: return strerrordesc_np(-r) ?: "unknown error";
	}
}

/* The first change for which the host has no room; the device has kept it. */
static void disk_full(void *opaque)
{
	struct disk *disk = opaque;

	notice_say(&disk->notice,
		   "no space left on the host; the guest is paused: make room, "
		   "then let it go on");
	if (disk->host && disk->host->pause)
		disk->host->pause(disk->host->opaque);
}

static void disk_failed(void *opaque, int err)
{
	struct disk *disk = opaque;

	if (disk->failed)
		disk->failed(disk->opaque, err);
}

static void disk_resume(struct attachment *at)
{
	if (to_disk(at)->stop)
		virtio_blk_resume(at->vd);
}

/* Guest memory, for a disk that is `pinned`; without it works as well. */
static void pin(struct disk *disk, struct block *blk, const struct gmem *ram)
{
	struct iovec regions[GMEM_MAX_REGIONS];
	char text[200];
	unsigned i;
	int r;

	for (i = 0; i < ram->count; i++) {
		regions[i].iov_base = ram->region[i].host;
		regions[i].iov_len = ram->region[i].len;
	}
	r = block_pin(blk, regions, ram->count);
	if (r == 0)
		return;
	disk->at.pins = false;
	if (r == -EOPNOTSUPP)
		snprintf(text, sizeof(text),
			 "memory is not pinned: only a raw image by io_uring "
			 "has a use for it");
	else
		snprintf(text, sizeof(text),
			 "memory is not pinned: %s%s",
			 strerrordesc_np(-r) ?: "unknown error",
			 r == -ENOMEM ? " (the limit of locked memory, 'ulimit "
					"-l', may be less than the guest's)" :
					"");
	notice_say(&disk->notice, text);
}

static int open_image(struct disk *disk, const struct attach_site *site,
		      struct block **ret_blk, struct error *err)
{
	const struct block_image_config image = {
		.loop = site->loop,
		.path = disk->file.fd < 0 ? disk->file.name : NULL,
		.fd = disk->file.fd,
		.read_only = disk->read_only,
		.direct = disk->direct,
		.format = disk->format,
		.temporary = disk->temporary,
		.notice = &disk->notice,
	};
	char why[BLOCK_WHY_MAX];
	int r = block_image_new(&image, ret_blk, why);

	if (r == 0)
		return 0;
	if (attach_is_ours(r))
		return error_host(err, r, "%s", disk->at.name);
	return error_set(err, ERROR_INPUT, r, "%s: %s", disk->at.name,
			 why[0] ? why : open_error(disk, r));
}

static int disk_device(struct attachment *at, const struct attach_site *site,
		       struct virtio_device **ret_vd, struct error *err)
{
	struct disk *disk = to_disk(at);
	struct virtio_blk_config blk = {
		.ram = site->ram,
		.queues = site->cpus < VIRTIO_BLK_QUEUES_MAX ?
				  site->cpus :
				  VIRTIO_BLK_QUEUES_MAX,
		.serial = disk->serial,
		.failed = disk_failed,
		.full = disk->stop ? disk_full : NULL,
		.opaque = disk,
	};
	int r;

	disk->host = site->host;
	if (site->host && site->host->notices)
		disk->notice = notice_from(&disk->source, site->host->notices,
					   at->name);
	r = open_image(disk, site, &blk.blk, err);
	if (r < 0)
		return r;
	if (at->pins)
		pin(disk, blk.blk, site->ram);
	r = virtio_blk_new(&blk, ret_vd);
	if (r < 0) {
		block_free(blk.blk);
		return error_host(err, r, "%s", at->name);
	}
	return 0;
}

static const struct attachment_ops disk_ops = {
	.device = disk_device,
	.resume = disk_resume,
	.free = disk_free,
};

static bool is_format(enum trapmap_disk_format format)
{
	/* One list in two places: struct block_image_config has the other. */
	_Static_assert((int)TRAPMAP_DISK_FORMAT_AUTO == (int)BLOCK_FORMAT_AUTO &&
		       (int)TRAPMAP_DISK_FORMAT_RAW == (int)BLOCK_FORMAT_RAW &&
		       (int)TRAPMAP_DISK_FORMAT_QCOW2 ==
			       (int)BLOCK_FORMAT_QCOW2, "formats");

	return format == TRAPMAP_DISK_FORMAT_AUTO ||
	       format == TRAPMAP_DISK_FORMAT_RAW ||
	       format == TRAPMAP_DISK_FORMAT_QCOW2;
}

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
	if (!is_format(from->format))
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_disk: unknown format %d",
				 (int)from->format);
	if (from->werror != TRAPMAP_DISK_WERROR_REPORT &&
	    from->werror != TRAPMAP_DISK_WERROR_STOP)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_disk: unknown werror %d",
				 (int)from->werror);
	disk = calloc(1, sizeof(*disk));
	if (!disk)
		return error_set(&vm->error, ERROR_HOST, -ENOMEM,
				 "out of memory");
	disk->at.ops = &disk_ops;
	disk->read_only = from->read_only != 0;
	disk->direct = from->direct != 0;
	disk->format = (enum block_format)from->format;
	disk->temporary = from->temporary != 0;
	disk->stop = from->werror == TRAPMAP_DISK_WERROR_STOP;
	disk->at.pins = from->pinned != 0;
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
