// SPDX-License-Identifier: MIT
/*
 * load.c: makes work for a disk, a network or a console, and says how much of it
 * was done, as one number.
 *
 *	load disk FILE rand|seq DEPTH JOBS SECONDS [cached]
 *	                                             requests a second; rand 4 KiB
 *	                                             each, seq 128 KiB
 *	load write FILE BYTES                        KiB a second, until all is out
 *	load serve PORT                              the other end for tcp
 *	load tcp ADDRESS PORT send|recv SECONDS      MiB a second
 *	load tcp ADDRESS PORT ping SECONDS           questions and answers a second
 *	load end [FILE TEXT]                         powers off, once FILE has TEXT
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "load.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RANDOM_BYTES 4096u
#define SEQUENTIAL_BYTES (128u << 10)
#define DEPTH_MAX 256u
#define JOBS_MAX 16u

void load_die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- disk --------------------------------------------------------------- */

struct job {
	int fd;
	bool random;
	unsigned depth;
	double seconds;
	uint64_t blocks, at; /* of `bytes` */
	uint32_t bytes;
	uint64_t seed;
	pthread_t thread;
	double rate;
};

/* Marsaglia's xorshift: the same places in each run. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void place(struct job *job, struct iocb *cb)
{
	if (job->random)
		job->at = next_random(&job->seed) % job->blocks;
	else
		job->at = (job->at + 1) % job->blocks;
	cb->aio_offset = (int64_t)(job->at * job->bytes);
}

static void submit(aio_context_t context, struct iocb **list, long n)
{
	long r;

	for (; n > 0; n -= r, list += r) {
		r = syscall(SYS_io_submit, context, n, list);
		if (r < 0)
			load_die("io_submit");
	}
}

/* Keeps `depth` reads under way by the kernel's own asynchronous calls. */
static void *read_for_a_while(void *opaque)
{
	struct iocb cb[DEPTH_MAX] = { 0 }, *list[DEPTH_MAX];
	struct io_event event[DEPTH_MAX];
	struct job *job = opaque;
	aio_context_t context = 0;
	uint64_t done = 0;
	double start, now;
	void *buffers;
	unsigned i;
	long n;

	if (posix_memalign(&buffers, 4096, (size_t)job->depth * job->bytes))
		load_die("buffers");
	if (syscall(SYS_io_setup, job->depth, &context) < 0)
		load_die("io_setup");
	for (i = 0; i < job->depth; i++) {
		cb[i].aio_lio_opcode = IOCB_CMD_PREAD;
		cb[i].aio_fildes = (uint32_t)job->fd;
		cb[i].aio_buf = (uintptr_t)buffers + (uint64_t)i * job->bytes;
		cb[i].aio_nbytes = job->bytes;
		place(job, &cb[i]);
		list[i] = &cb[i];
	}
	start = load_now();
	submit(context, list, (long)job->depth);
	do {
		n = syscall(SYS_io_getevents, context, 1L, (long)job->depth,
			    event, NULL);
		if (n < 0)
			load_die("io_getevents");
		for (i = 0; i < (unsigned)n; i++) {
			if (event[i].res != job->bytes)
				load_die("a short read");
			list[i] = (struct iocb *)(uintptr_t)event[i].obj;
			place(job, list[i]);
		}
		done += (uint64_t)n;
		now = load_now();
		if (now - start < job->seconds)
			submit(context, list, n);
	} while (now - start < job->seconds);
	job->rate = (double)done / (now - start);
	/* Waits for what is still under way. */
	syscall(SYS_io_destroy, context);
	free(buffers);
	return NULL;
}

static int disk(int argc, char **argv)
{
	struct job jobs[JOBS_MAX];
	bool random, cached = argc == 6;
	unsigned i, depth, count;
	double rate = 0;
	off_t size;
	int fd;

	if (argc != 5 && argc != 6)
		return 2;
	random = !strcmp(argv[1], "rand");
	depth = (unsigned)strtoul(argv[2], NULL, 0);
	count = (unsigned)strtoul(argv[3], NULL, 0);
	if (depth < 1 || depth > DEPTH_MAX || count < 1 || count > JOBS_MAX)
		return 2;
	fd = open(argv[0], O_RDONLY | (cached ? 0 : O_DIRECT));
	if (fd < 0 || (size = lseek(fd, 0, SEEK_END)) < 0)
		load_die(argv[0]);
	for (i = 0; i < count; i++) {
		struct job *job = &jobs[i];

		*job = (struct job){
			.fd = fd,
			.random = random,
			.depth = depth,
			.seconds = strtod(argv[4], NULL),
			.bytes = random ? RANDOM_BYTES : SEQUENTIAL_BYTES,
			.seed = 88172645463325252u + i,
		};
		job->blocks = (uint64_t)size / job->bytes;
		if (job->blocks == 0)
			return 2;
		job->at = job->blocks / count * i;
		if (pthread_create(&job->thread, NULL, read_for_a_while, job))
			load_die("a thread");
	}
	for (i = 0; i < count; i++) {
		pthread_join(jobs[i].thread, NULL);
		rate += jobs[i].rate;
	}
	printf("%.1f\n", rate);
	return 0;
}

/* ---- console ------------------------------------------------------------ */

/* Lines of 64 bytes, as they are, by calls of 4 KiB. */
static int write_lines(int argc, char **argv)
{
	uint64_t total, left;
	struct termios tio;
	char text[4096];
	double start;
	ssize_t r;
	size_t i;
	int fd;

	if (argc != 2)
		return 2;
	total = left = strtoull(argv[1], NULL, 0);
	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 64 == 63 ? '\n' : (char)('!' + i % 64);
	fd = open(argv[0], O_WRONLY | O_NOCTTY);
	if (fd < 0)
		load_die(argv[0]);
	if (tcgetattr(fd, &tio) == 0) {
		cfmakeraw(&tio);
		tcsetattr(fd, TCSANOW, &tio);
	}
	start = load_now();
	for (; left > 0; left -= (uint64_t)r) {
		r = write(fd, text, left < sizeof(text) ? left : sizeof(text));
		if (r < 0)
			load_die(argv[0]);
	}
	(void)tcdrain(fd);
	printf("%.2f\n", (double)total / 1024 / (load_now() - start));
	return 0;
}

/* Process 1's last call; LINE goes to FILE before. */
static int end(int argc, char **argv)
{
	int fd;

	if (argc == 2) {
		fd = open(argv[0], O_WRONLY | O_NOCTTY);
		if (fd < 0 || write(fd, argv[1], strlen(argv[1])) < 0)
			load_die(argv[0]);
	}
	return reboot(RB_POWER_OFF) < 0;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "disk", disk },    { "write", write_lines }, { "serve", load_serve },
	{ "tcp", load_tcp }, { "end", end },
};

int main(int argc, char **argv)
{
	size_t i;
	int r = 2;

	for (i = 0; i < COUNT(commands) && argc > 1; i++)
		if (!strcmp(argv[1], commands[i].name))
			r = commands[i].run(argc - 2, argv + 2);
	if (r == 2)
		fprintf(stderr, "usage: load disk|write|serve|tcp|end, "
				"see load.c\n");
	return r;
}
