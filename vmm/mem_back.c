// SPDX-License-Identifier: MIT
/*
 * mem_back.c: guest memory on the host, as mmap(2), memfd_create(2) and madvise(2)
 * have it.
 *
 * A page that cannot be had when it is touched ends the process (SIGBUS), or the
 * guest. So what a backing must have is taken or reserved at once: huge pages by the
 * mapping, a file's room by fallocate(2). A file that somebody else makes shorter
 * meanwhile is out of our hands.
 *
 * Not here: NUMA nodes, a part of a file, memory of another process.
 */
#include "mem_back.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base.h"
#include "mem_file.h"
#include "mem_room.h"

static const char *reason(int r)
{
	return strerrordesc_np(-r) ?: "unknown error";
}

const char *mem_back_name(enum trapmap_memory_backing backing)
{
	switch (backing) {
	case TRAPMAP_MEMORY_MEMFD: return "memfd";
	case TRAPMAP_MEMORY_FILE: return "file";
	case TRAPMAP_MEMORY_HUGETLB: return "hugetlb";
	case TRAPMAP_MEMORY_ANON: break;
	}
	return "anon";
}

const char *mem_back_keeps(const struct mem_back_config *config)
{
	if (config->lock)
		return "guest memory is locked";
	if (config->backing == TRAPMAP_MEMORY_FILE)
		return "guest memory is a file, which keeps its size";
	if (config->backing == TRAPMAP_MEMORY_HUGETLB)
		return "guest memory is of huge pages, which are the guest's";
	return NULL;
}

/* ---- what it is made of -------------------------------------------------- */

/* Beyond the limit the kernel would send SIGXFSZ, also for a file without a name. */
static int give_size(const struct mem_back *b, struct error *err)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	char size[32], text[32];

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	if (limit.rlim_cur != RLIM_INFINITY && b->len > limit.rlim_cur)
		return error_set(err, ERROR_HOST, -EFBIG,
				 "guest memory of %s: this process may make "
				 "files of at most %s (ulimit -f)",
				 mem_size_text(size, b->len),
				 mem_size_text(text, limit.rlim_cur));
	if (ftruncate(b->fd, (off_t)b->len) < 0)
		return error_host(err, -errno, "guest memory of %s",
				  mem_size_text(size, b->len));
	return 0;
}

static int open_memfd(struct mem_back *b, struct error *err)
{
	int r;

	b->fd = memfd_create("trapmap-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (b->fd < 0)
		return error_host(err, -errno, "guest memory: memfd_create()");
	r = give_size(b, err);
	if (r < 0)
		return r;
	/* Whoever is handed it cannot take pages away under the guest. */
	(void)fcntl(b->fd, F_ADD_SEALS,
		    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return 0;
}

static int open_huge(struct mem_back *b, struct error *err)
{
	unsigned log = (unsigned)__builtin_ctzll(b->config.page_size);
	char text[32];
	int r;

	b->fd = memfd_create("trapmap-ram", MFD_CLOEXEC | MFD_HUGETLB |
						    log << MFD_HUGE_SHIFT);
	if (b->fd < 0) {
		r = -errno;
		return error_set(err, ERROR_HOST, r,
				 "guest memory: this host's kernel has no huge "
				 "pages of %s (%s)",
				 mem_size_text(text, b->config.page_size),
				 reason(r));
	}
	return give_size(b, err);
}

static int check_huge_size(const struct mem_back *b, struct error *err)
{
	char size[32], page[32];

	if (b->config.page_size == 0 || b->len % b->config.page_size == 0)
		return 0;
	return error_set(err, ERROR_INPUT, -EINVAL,
			 "guest memory of %s is not made up of whole huge pages "
			 "of %s; ask for a multiple of that",
			 mem_size_text(size, b->len),
			 mem_size_text(page, b->config.page_size));
}

static int open_back(struct mem_back *b, struct error *err)
{
	int r;

	if (b->config.backing == TRAPMAP_MEMORY_FILE)
		return mem_file_open(b->config.path, b->len,
				     b->config.lock || b->config.prealloc,
				     &b->fd, &b->made, &b->config.page_size,
				     err);
	r = check_huge_size(b, err);
	if (r < 0 || b->config.backing == TRAPMAP_MEMORY_ANON)
		return r;
	return b->config.backing == TRAPMAP_MEMORY_MEMFD ? open_memfd(b, err) :
							   open_huge(b, err);
}

static int refuse_map(const struct mem_back *b, int r, struct error *err)
{
	uint64_t room = 0, all = 0, page = b->config.page_size;
	char size[32], text[32];

	if (!page)
		return error_set(err, ERROR_INPUT, r,
				 "this host has no room for %s of guest memory; "
				 "ask for less",
				 mem_size_text(size, b->len));
	(void)mem_room_huge(page, &room, &all);
	return error_set(err, ERROR_HOST, r,
			 "guest memory of %s takes %llu huge pages of %s, and "
			 "of %llu here %llu are free: see "
			 "/sys/kernel/mm/hugepages/hugepages-%llukB/nr_hugepages",
			 mem_size_text(size, b->len),
			 (unsigned long long)(b->len / page),
			 mem_size_text(text, page), (unsigned long long)all,
			 (unsigned long long)room,
			 (unsigned long long)page / 1024);
}

/* Somewhere, so that the place is ours before the pages are. */
static int reserve(struct mem_back *b, uint64_t align, struct error *err)
{
	char text[32];

	if (b->len > SIZE_MAX - align)
		return error_set(err, ERROR_INPUT, -ENOMEM,
				 "%s of memory cannot be addressed",
				 mem_size_text(text, b->len));
	b->map_len = b->len + align;
	b->map = mmap(NULL, b->map_len, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->map == MAP_FAILED) {
		b->map = NULL;
		return error_set(err, ERROR_INPUT, -errno,
				 "this host has no room for %s of guest memory; "
				 "ask for less",
				 mem_size_text(text, b->len));
	}
	b->host = (uint8_t *)align_up((uintptr_t)b->map, align);
	return 0;
}

static int map_back(struct mem_back *b, struct error *err)
{
	int flags = MAP_FIXED;

	flags |= b->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	/* Huge pages that were not reserved would be missing later. */
	if (!b->config.page_size)
		flags |= MAP_NORESERVE;
	if (mmap(b->host, b->len, PROT_READ | PROT_WRITE, flags, b->fd, 0) ==
	    MAP_FAILED)
		return refuse_map(b, -errno, err);
	/* A child of the embedder's must not make copies of guest pages. */
	(void)madvise(b->host, b->len, MADV_DONTFORK);
	return 0;
}

/* ---- what is done to it at once ------------------------------------------ */

static int set_thp(const struct mem_back *b, struct error *err)
{
	const char *off;

	if (b->config.thp == TRAPMAP_THP_OFF)
		/* A kernel that does not know the word has none. */
		(void)madvise(b->host, b->len, MADV_NOHUGEPAGE);
	if (b->config.thp != TRAPMAP_THP_ON)
		return 0;
	off = mem_room_thp_off(b->fd >= 0);
	if (off)
		return error_set(err, ERROR_HOST, -EOPNOTSUPP,
				 "guest memory: transparent huge pages are off "
				 "on this host, by %s",
				 off);
	if (madvise(b->host, b->len, MADV_HUGEPAGE) < 0)
		return error_host(err, -errno,
				  "guest memory: no transparent huge pages here");
	return 0;
}

static int check_room(const struct mem_back *b, struct error *err)
{
	const char *what = NULL;
	uint64_t room = mem_room_available(&what);
	char size[32];

	if (b->config.page_size || b->len <= room)
		return 0;
	return error_set(err, ERROR_HOST, -ENOMEM,
			 "guest memory of %s is to be taken at once, and this "
			 "host has %llu MiB (%s); ask for less",
			 mem_size_text(size, b->len),
			 (unsigned long long)(room / MIB(1)), what);
}

static int take_all(const struct mem_back *b, struct error *err)
{
	uint64_t page = b->config.page_size ? b->config.page_size : 4096;
	uint64_t done = 0;
	char size[32];
	int r;

	r = mem_populate(b->host, b->len, page, &done);
	if (r < 0)
		return error_set(err, ERROR_HOST, r,
				 "guest memory of %s cannot be taken at once: "
				 "there were %llu MiB (%s)",
				 mem_size_text(size, b->len),
				 (unsigned long long)(done / MIB(1)), reason(r));
	return 0;
}

/* As they come: the threads that take them are faster than mlock(). */
static int lock_all(const struct mem_back *b, struct error *err)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	char size[32], text[32];
	int r;

	if (mlock2(b->host, b->len, MLOCK_ONFAULT) == 0)
		return 0;
	r = -errno;
	(void)getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= b->len)
		return error_host(err, r, "guest memory of %s cannot be locked",
				  mem_size_text(size, b->len));
	return error_set(err, ERROR_HOST, r,
			 "guest memory of %s cannot be locked: this process may "
			 "lock %s (ulimit -l, or CAP_IPC_LOCK)",
			 mem_size_text(size, b->len),
			 mem_size_text(text, limit.rlim_cur));
}

static int finish(const struct mem_back *b, struct error *err)
{
	int r = set_thp(b, err);

	if (r < 0 || !(b->config.prealloc || b->config.lock))
		return r;
	/* A file has looked for itself. */
	if (b->config.backing != TRAPMAP_MEMORY_FILE)
		r = check_room(b, err);
	if (r == 0 && b->config.lock)
		r = lock_all(b, err);
	return r == 0 ? take_all(b, err) : r;
}

int mem_back_map(struct mem_back *b, const struct mem_back_config *config,
		 uint64_t len, struct error *err)
{
	uint64_t align = MEM_BACK_ALIGN;
	int r;

	*b = (struct mem_back){ .config = *config, .len = len, .fd = -1 };
	if (config->page_size > align)
		align = config->page_size;
	r = reserve(b, align, err);
	if (r == 0)
		r = open_back(b, err);
	if (r == 0)
		r = map_back(b, err);
	if (r == 0)
		r = finish(b, err);
	if (r < 0) {
		mem_back_abandon(b);
		mem_back_unmap(b);
	}
	return r;
}

void mem_back_abandon(struct mem_back *b)
{
	if (b->made)
		unlink(b->config.path);
	b->made = false;
}

void mem_back_unmap(struct mem_back *b)
{
	if (b->map)
		munmap(b->map, b->map_len);
	if (b->fd >= 0)
		close(b->fd);
	*b = (struct mem_back){ .fd = -1 };
}

/* ---- while it is used ---------------------------------------------------- */

/* Those that nobody has touched are zeroes, and stay with the host. */
static void clear_huge(const struct mem_back *b)
{
	uint64_t off, page = b->config.page_size;
	unsigned char there;

	for (off = 0; off < b->len; off += page)
		if (mincore(b->host + off, 1, &there) < 0 || there & 1)
			memset(b->host + off, 0, page);
}

static int clear_shared(const struct mem_back *b, int how)
{
	off_t len = (off_t)b->len;

	if (fallocate(b->fd, how | FALLOC_FL_KEEP_SIZE, 0, len) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
		return -errno;
	memset(b->host, 0, b->len);
	return 0;
}

int mem_back_clear(struct mem_back *b, bool pinned, struct error *err)
{
	int r = 0;

	if (pinned || b->config.prealloc || b->config.lock)
		memset(b->host, 0, b->len);
	else if (b->config.page_size)
		clear_huge(b);
	else if (b->config.backing == TRAPMAP_MEMORY_ANON)
		r = madvise(b->host, b->len, MADV_DONTNEED) < 0 ? -errno : 0;
	else if (b->config.backing == TRAPMAP_MEMORY_MEMFD)
		r = clear_shared(b, FALLOC_FL_PUNCH_HOLE);
	else
		/* Its room on the file system stays. */
		r = clear_shared(b, FALLOC_FL_ZERO_RANGE);
	return r < 0 ? error_host(err, r, "cannot clear guest memory") : 0;
}

int mem_back_discard(const struct mem_back *b, void *host, size_t len)
{
	bool shared = b->config.backing != TRAPMAP_MEMORY_ANON;

	if (mem_back_keeps(&b->config))
		return -EOPNOTSUPP;
	/* Only the former would leave a memfd's pages where they are. */
	return madvise(host, len, shared ? MADV_REMOVE : MADV_DONTNEED) < 0 ?
		       -errno :
		       0;
}
