// SPDX-License-Identifier: MIT
/*
 * Images that the guest reads as memory: the setter of the public interface, and the
 * mapping of the file. Its pages are those of the host's page cache, so that all
 * VMs that use one image share them.
 *
 * The image comes first; what the guest's kernel wants for a round size follows as
 * zeroes, which cost nothing. A file that is cut short while the guest runs is one
 * whose pages are gone: the guest that touches them ends with a host failure.
 */
#include "attach/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/file_lock.h"
#include "core/base.h"
#include "machine.h"
#include "virtio/pmem.h"
#include "vm.h"

/*
 * Linux adds such memory by sections of 128 MiB, since 5.3 by parts of them of
 * 2 MiB: to those the size is rounded up, and each image begins a section. KVM can
 * map 2 MiB at once only where the host's address is as round as the guest's.
 */
#define START_ALIGN MIB(128)
#define SIZE_ALIGN MIB(2)

struct pmem {
	struct attachment at;
	struct attach_file file;
	int fd; /* -1: not open */
	bool locked; /* by ourselves */
	void *map; /* NULL: none; with slack for alignment */
	size_t map_len;
};

static struct pmem *to_pmem(struct attachment *at)
{
	return container_of(at, struct pmem, at);
}

static void pmem_free(struct attachment *at)
{
	struct pmem *pmem = to_pmem(at);

	if (pmem->map)
		munmap(pmem->map, pmem->map_len);
	if (pmem->locked)
		file_unlock(pmem->fd);
	if (pmem->fd >= 0)
		close(pmem->fd);
	attach_file_done(&pmem->file);
	free(pmem);
}

static int check_type(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	return S_ISREG(st->st_mode) || S_ISBLK(st->st_mode) ? 0 : -ENOTBLK;
}

static int open_path(const char *path)
{
	struct stat st;
	int fd, r;

	/* First: to open a pipe would wait for its other end. */
	if (stat(path, &st) < 0)
		return -errno;
	r = check_type(&st);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int dup_given(int given)
{
	int flags = fcntl(given, F_GETFL), fd;

	if (flags < 0)
		return -errno;
	if (flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	fd = fcntl(given, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

static int open_image(struct pmem *pmem, uint64_t *ret_size)
{
	uint64_t size;
	struct stat st;
	int r;

	pmem->fd = pmem->file.fd < 0 ? open_path(pmem->file.name) :
				       dup_given(pmem->file.fd);
	if (pmem->fd < 0)
		return pmem->fd;
	r = file_lock(pmem->fd, true);
	if (r < 0)
		return r;
	pmem->locked = pmem->file.fd < 0;
	if (fstat(pmem->fd, &st) < 0)
		return -errno;
	r = check_type(&st);
	if (r < 0)
		return r;
	size = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(pmem->fd, BLKGETSIZE64, &size) < 0)
		return -errno;
	if (size == 0)
		return -ENODATA;
	*ret_size = size;
	return 0;
}

/* Zeroes, and over their front the file. Returns where that begins, or NULL. */
static uint8_t *map_image(struct pmem *pmem, uint64_t size, uint64_t whole)
{
	uint8_t *host;

	if (whole < size || whole > SIZE_MAX - SIZE_ALIGN) {
		errno = EFBIG;
		return NULL;
	}
	pmem->map_len = whole + SIZE_ALIGN;
	pmem->map = mmap(NULL, pmem->map_len, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pmem->map == MAP_FAILED) {
		pmem->map = NULL;
		return NULL;
	}
	host = (uint8_t *)align_up((uintptr_t)pmem->map, SIZE_ALIGN);
	if (mmap(host, size, PROT_READ, MAP_SHARED | MAP_FIXED, pmem->fd, 0) ==
	    MAP_FAILED)
		return NULL;
	/* A child of the embedder's has no use for it. */
	(void)madvise(pmem->map, pmem->map_len, MADV_DONTFORK);
	return host;
}

static const char *open_error(int r)
{
	switch (r) {
	case -EBUSY: return "is being written to by another program";
	case -EISDIR:
		return "is a directory; an image or a block device was "
		       "expected";
	case -ENOTBLK: return "is neither a regular file nor a block device";
	case -ENODATA: return "is empty, so there is no image";
	case -EBADF: return "is not open for reading";
	case -EACCES:
	case -EPERM: return "may not be read";
	default: return strerrordesc_np(-r) ?: "unknown error";
	}
}

static int pmem_device(struct attachment *at, const struct attach_site *site,
		       struct virtio_device **ret_vd, struct error *err)
{
	struct virtio_pmem_config config = { .ram = site->ram };
	struct pmem *pmem = to_pmem(at);
	uint64_t size = 0;
	uint8_t *host;
	int r;

	r = open_image(pmem, &size);
	if (r < 0 && !attach_is_ours(r))
		return error_set(err, ERROR_INPUT, r, "%s: %s", at->name,
				 open_error(r));
	if (r < 0)
		return error_host(err, r, "%s", at->name);
	config.size = align_up(size, SIZE_ALIGN);
	host = map_image(pmem, size, config.size);
	if (!host)
		return error_host(err, -errno, "%s: cannot be mapped", at->name);
	r = site->host->map(site->host->opaque, host, config.size, START_ALIGN,
			    &config.start);
	if (r < 0)
		return error_set(err, ERROR_INPUT, r,
				 "%s: is larger than what a guest's processor "
				 "here can address",
				 at->name);
	r = virtio_pmem_new(&config, ret_vd);
	return r < 0 ? error_host(err, r, "%s", at->name) : 0;
}

static const struct attachment_ops pmem_ops = {
	.device = pmem_device,
	.free = pmem_free,
};

int trapmap_vm_add_pmem(struct trapmap_vm *vm, const struct trapmap_pmem *from)
{
	struct pmem *pmem;
	int r;

	r = attach_check(vm, from->size, sizeof(*from), "trapmap_pmem");
	if (r < 0)
		return r;
	if (from->path && !*from->path)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_pmem: the path is empty");
	pmem = calloc(1, sizeof(*pmem));
	if (!pmem)
		return error_set(&vm->error, ERROR_HOST, -ENOMEM,
				 "out of memory");
	pmem->at.ops = &pmem_ops;
	pmem->fd = -1;
	r = attach_file_init(&pmem->file, from->path, from->fd);
	if (r < 0) {
		attach_free(&pmem->at);
		return error_set(&vm->error, ERROR_INPUT, r, "pmem: %s",
				 strerrordesc_np(-r));
	}
	return attach_add(vm, &pmem->at, NULL, "pmem '%s'", pmem->file.name);
}
