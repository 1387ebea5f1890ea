// SPDX-License-Identifier: MIT
#include "backend/nvram_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backend/file_lock.h"
#include "core/base.h"

/* From one write to the next: a guest may store byte after byte, and for ever. */
#define PACE (100 * NSEC_PER_MSEC)

struct nvram_file {
	char *path;
	int fd;
	bool created; /* and nothing has been put into it */
	struct notice notice;
	bool had; /* `opened` is set */
	struct rtc_kept opened;

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t wanted; /* by the thread; by the monotonic clock */
	pthread_cond_t done; /* by flush */
	pthread_t thread;
	bool running;
	bool quit;
	bool hurry; /* somebody waits in flush */
	bool dirty; /* `next` is to be written */
	bool busy; /* something is being written */
	struct rtc_kept next; /* what was put last */
	struct rtc_kept written; /* what the file has */
	uint64_t sequence; /* of that */
	bool blank; /* the file has nothing yet */
};

static bool same(const struct rtc_kept *a, const struct rtc_kept *b)
{
	return a->offset_sec == b->offset_sec && a->offset_ns == b->offset_ns &&
	       memcmp(a->ram, b->ram, sizeof(a->ram)) == 0;
}

static int write_slot(int fd, const struct rtc_kept *kept, uint64_t sequence)
{
	uint8_t slot[NVRAM_SLOT_LEN];
	ssize_t n;

	nvram_encode(kept, sequence, slot);
	n = pwrite(fd, slot, sizeof(slot),
		   (off_t)(sequence % 2 * NVRAM_SLOT_LEN));
	if (n >= 0 && n != (ssize_t)sizeof(slot))
		return -ENOSPC;
	return n < 0 || fdatasync(fd) < 0 ? -errno : 0;
}

static void tell_failure(const struct nvram_file *f, int r)
{
	char text[NVRAM_WHY_LEN];

	snprintf(text, sizeof(text),
		 "cannot be written: %s; it keeps what it had",
		 strerrordesc_np(-r) ?: "unknown error");
	notice_say(&f->notice, text);
}

/* Called and returns with the lock held. */
static void write_next(struct nvram_file *f)
{
	struct rtc_kept kept = f->next;
	uint64_t sequence = f->sequence + 1;
	int r = 0;

	f->dirty = false;
	if (f->blank || !same(&kept, &f->written)) {
		f->busy = true;
		pthread_mutex_unlock(&f->lock);
		r = write_slot(f->fd, &kept, sequence);
		if (r < 0)
			tell_failure(f, r);
		pthread_mutex_lock(&f->lock);
		f->busy = false;
	}
	/*
	 * The slot of a write that failed may be half of one: the next goes there
	 * as well, and the other slot still counts.
	 */
	if (r == 0 && (f->blank || !same(&kept, &f->written))) {
		f->written = kept;
		f->sequence = sequence;
		f->blank = false;
	}
	pthread_cond_broadcast(&f->done);
}

/* Lets more come in, unless somebody waits. With the lock held. */
static void rest(struct nvram_file *f)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PACE;
	if (until.tv_nsec >= NSEC_PER_SEC) {
		until.tv_nsec -= NSEC_PER_SEC;
		until.tv_sec++;
	}
	while (!f->quit && !f->hurry)
		if (pthread_cond_timedwait(&f->wanted, &f->lock, &until))
			return;
}

static void *writer(void *opaque)
{
	struct nvram_file *f = opaque;

	(void)prctl(PR_SET_NAME, "trapmap-nvram");
	pthread_mutex_lock(&f->lock);
	for (;;) {
		if (f->dirty) {
			write_next(f);
			rest(f);
		} else if (f->quit) {
			break;
		} else {
			pthread_cond_wait(&f->wanted, &f->lock);
		}
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* With every signal blocked, from the first instruction on. */
static int start_thread(struct nvram_file *f)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = -pthread_create(&f->thread, NULL, writer, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	f->running = r == 0;
	return r;
}

/* O_NONBLOCK: a FIFO would wait for its other end. */
static int open_or_create(struct nvram_file *f)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	f->fd = open(f->path, flags);
	if (f->fd < 0 && errno == ENOENT) {
		f->fd = open(f->path, flags | O_CREAT | O_EXCL, 0666);
		f->created = f->fd >= 0;
	}
	/* Made by somebody else meanwhile; or a link that leads nowhere. */
	if (f->fd < 0 && errno == EEXIST)
		f->fd = open(f->path, flags);
	return f->fd < 0 ? -errno : 0;
}

static int read_all(struct nvram_file *f, struct nvram_image *ret_image,
		    char why[NVRAM_WHY_LEN])
{
	uint8_t buf[NVRAM_FILE_LEN] = { 0 };
	struct stat st;
	ssize_t n;

	if (fstat(f->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, NVRAM_WHY_LEN, "is not a regular file");
		return -EINVAL;
	}
	n = (ssize_t)st.st_size;
	if (n == NVRAM_FILE_LEN)
		n = pread(f->fd, buf, sizeof(buf), 0);
	if (n < 0)
		return -errno;
	return nvram_decode(buf, (size_t)n, ret_image, why, NVRAM_WHY_LEN);
}

/*
 * Its whole length, so that it has that between the first two writes, too. Beyond the
 * limit the kernel would send SIGXFSZ.
 */
static int make_room(struct nvram_file *f, char why[NVRAM_WHY_LEN])
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	if (limit.rlim_cur < NVRAM_FILE_LEN) {
		snprintf(why, NVRAM_WHY_LEN,
			 "cannot be made: this process may write files of %llu "
			 "bytes (ulimit -f); it takes %u",
			 (unsigned long long)limit.rlim_cur, NVRAM_FILE_LEN);
		return -EFBIG;
	}
	return ftruncate(f->fd, NVRAM_FILE_LEN) < 0 ? -errno : 0;
}

static int open_file(struct nvram_file *f, struct nvram_image *ret_image,
		     char why[NVRAM_WHY_LEN])
{
	int r = open_or_create(f);

	if (r == -EISDIR) {
		snprintf(why, NVRAM_WHY_LEN, "is a folder");
		return r;
	}
	if (r == 0)
		r = file_lock(f->fd, false);
	if (r == -EBUSY) {
		f->created = false; /* somebody else has begun with it */
		snprintf(why, NVRAM_WHY_LEN,
			 "is in use by another program; a machine has it for "
			 "itself");
		return r;
	}
	if (r == 0)
		r = read_all(f, ret_image, why);
	if (r == 0 && ret_image->fresh)
		r = make_room(f, why);
	if (r < 0 && !*why)
		snprintf(why, NVRAM_WHY_LEN, "cannot be %s: %s",
			 f->fd < 0 ? "opened" : "used",
			 strerrordesc_np(-r) ?: "unknown error");
	return r;
}

static void init_conditions(struct nvram_file *f)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wanted, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&f->done, NULL);
}

int nvram_file_open(const char *path, const struct notice *notice,
		    struct nvram_file **ret_file, char why[NVRAM_WHY_LEN])
{
	struct nvram_file *f = calloc(1, sizeof(*f));
	struct nvram_image image = { 0 };
	int r;

	why[0] = '\0';
	if (!f) {
		snprintf(why, NVRAM_WHY_LEN, "out of memory");
		return -ENOMEM;
	}
	f->fd = -1;
	f->notice = *notice;
	pthread_mutex_init(&f->lock, NULL);
	init_conditions(f);
	f->path = strdup(path);
	r = f->path ? open_file(f, &image, why) : -ENOMEM;
	if (r == 0) {
		f->had = !image.fresh;
		f->opened = image.kept;
		f->blank = image.fresh;
		f->written = image.kept;
		f->sequence = image.sequence;
		r = start_thread(f);
	}
	if (r < 0) {
		if (!*why)
			snprintf(why, NVRAM_WHY_LEN, "%s", strerrordesc_np(-r));
		nvram_file_free(f);
		return r;
	}
	*ret_file = f;
	return 0;
}

const struct rtc_kept *nvram_file_kept(const struct nvram_file *file)
{
	return file->had ? &file->opened : NULL;
}

void nvram_file_put(struct nvram_file *file, const struct rtc_kept *kept)
{
	pthread_mutex_lock(&file->lock);
	file->next = *kept;
	file->created = false;
	file->dirty = true;
	pthread_cond_signal(&file->wanted);
	pthread_mutex_unlock(&file->lock);
}

void nvram_file_flush(struct nvram_file *file)
{
	pthread_mutex_lock(&file->lock);
	file->hurry = true;
	pthread_cond_signal(&file->wanted);
	while (file->dirty || file->busy)
		pthread_cond_wait(&file->done, &file->lock);
	file->hurry = false;
	pthread_mutex_unlock(&file->lock);
}

void nvram_file_free(struct nvram_file *file)
{
	if (!file)
		return;
	if (file->running) {
		pthread_mutex_lock(&file->lock);
		file->quit = true;
		pthread_cond_signal(&file->wanted);
		pthread_mutex_unlock(&file->lock);
		pthread_join(file->thread, NULL);
	}
	if (file->created && file->path)
		unlink(file->path);
	if (file->fd >= 0) {
		file_unlock(file->fd);
		close(file->fd);
	}
	pthread_cond_destroy(&file->wanted);
	pthread_cond_destroy(&file->done);
	pthread_mutex_destroy(&file->lock);
	free(file->path);
	free(file);
}
