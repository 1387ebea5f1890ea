// SPDX-License-Identifier: MIT
/*
 * A writer is killed, a hundred times for each kind of image, at any moment: what its
 * driver was told is flushed is there, whole, or something newer; and a qcow2 image
 * is sound (qemu-img, where it is).
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "blk_real_rig.h"

#define KILLS 100
#define BLOCK 4096u
#define BLOCKS 512u /* that are looked at, and as many again that come and go */
#define DISK (2 * BLOCKS * BLOCK)
#define BATCH 8u
#define RUN_US_MAX 15000

/* What the one tells and the other reads when the first is dead. */
struct shared {
	volatile uint64_t next; /* number of a write */
	volatile uint64_t flushed[BLOCKS]; /* at least this one is there */
	volatile uint64_t writing[BLOCKS];
	volatile uint64_t written[BLOCKS];
	volatile uint64_t flushes;
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

/* Block and number of the write, and what follows from them. */
static void fill(uint8_t *p, uint64_t block, uint64_t number)
{
	unsigned i;

	put_le64(p, number);
	for (i = 8; i < BLOCK; i += 8)
		put_le64(p + i, mix(block << 40 ^ number << 12 ^ i));
}

static bool is_whole(const uint8_t *p, uint64_t block)
{
	uint8_t want[BLOCK];

	fill(want, block, get_le64(p));
	return !memcmp(p, want, BLOCK);
}

static void write_batch(struct real *real, struct shared *s)
{
	uint64_t block[BATCH], number[BATCH], r;
	unsigned i, k;
	bool again;

	for (i = 0; i < BATCH; i++) {
		number[i] = ++s->next;
		do {
			block[i] = mix(number[i] + s->flushes) % BLOCKS;
			for (again = false, k = 0; k < i; k++)
				again |= block[k] == block[i];
			s->flushes += again; /* one number more */
		} while (again);
		s->writing[block[i]] = number[i];
		fill(at(&real->rig, DATA_AT(i)), block[i], number[i]);
		add(&real->rig, 0, i, OUT, block[i] * 8, BLOCK);
	}
	/* Elsewhere room is taken and given up again. */
	r = mix(s->next);
	memset(at(&real->rig, DATA_AT(BATCH)), 0x11, BLOCK);
	add(&real->rig, 0, BATCH, OUT, (BLOCKS + r % BLOCKS) * 8, BLOCK);
	put_le64(at(&real->rig, DATA_AT(BATCH + 1)),
		 (BLOCKS + (r >> 20) % (BLOCKS - 64)) * 8);
	put_le32((uint8_t *)at(&real->rig, DATA_AT(BATCH + 1)) + 8, 64 * 8);
	put_le32((uint8_t *)at(&real->rig, DATA_AT(BATCH + 1)) + 12, 0);
	add(&real->rig, 0, BATCH + 1, DISCARD, 0, 16);
	notify(&real->rig, 0);
	real_take(real, BATCH + 2);
	for (i = 0; i < BATCH; i++)
		s->written[block[i]] = number[i];
	if ((r & 3) == 0)
		return;
	add(&real->rig, 0, 0, FLUSH, 0, 0);
	notify(&real->rig, 0);
	real_take(real, 1);
	assert_int_equal(status_of(&real->rig, 0), OK);
	s->flushes++;
	for (i = 0; i < BLOCKS; i++)
		s->flushed[i] = s->written[i];
}

/* The kernel takes its time with the ring of one that is dead. */
static int open_free(struct real *real, const char *path, enum kind kind)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned i;
	int r = -EBUSY;

	for (i = 0; r == -EBUSY && i < 2000; i++) {
		r = real_open(real, path, kind);
		if (r < 0)
			real_done(real);
		if (r == -EBUSY)
			nanosleep(&ms, NULL);
	}
	return r;
}

static void write_until_killed(const char *path, enum kind kind,
			       struct shared *s)
{
	static struct real real;

	if (open_free(&real, path, kind))
		_exit(1);
	rig_device(&real.rig, 1, 64, NULL);
	rig_start(&real.rig, 64, F_ALL, 0);
	for (;;)
		write_batch(&real, s);
}

static void verify(const char *path, enum kind kind, struct shared *s)
{
	static uint8_t disk[BLOCKS * BLOCK];
	struct real real;
	char command[200];
	uint64_t i, number;
	struct iovec iov = { disk, sizeof(disk) };
	struct block_request req = { .op = BLOCK_READ, .iov = &iov,
				     .iov_count = 1, .len = sizeof(disk) };
	int r;

	if (kind == QCOW2 &&
	    system("qemu-img --version >/dev/null 2>&1") == 0) {
		snprintf(command, sizeof(command),
			 "qemu-img check -q -f qcow2 %s >/dev/null 2>&1", path);
		r = system(command);
		/* 3: leaks and no more */
		assert_true(WEXITSTATUS(r) == 0 || WEXITSTATUS(r) == 3);
	}
	assert_int_equal(open_free(&real, path, kind), 0);
	block_submit(real.rig.blk, &req);
	block_kick(real.rig.blk);
	block_drain(real.rig.blk);
	assert_ptr_equal(block_reap(real.rig.blk), &req);
	assert_int_equal(req.err, 0);
	block_free(real.rig.blk);
	real.rig.blk = NULL;
	real_done(&real);
	for (i = 0; i < BLOCKS; i++) {
		number = get_le64(disk + i * BLOCK);
		/* One that was being written may be half there. */
		if (s->writing[i] == s->written[i] && number)
			assert_true(is_whole(disk + i * BLOCK, i));
		assert_true(number >= s->flushed[i]);
		assert_true(number <= s->writing[i]);
		/* What was lost of it is not written any more. */
		s->flushed[i] = s->written[i] = s->writing[i] = number;
	}
}

static void what_was_flushed_survives(enum kind kind)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char path[] = "/tmp/test-blk-kill-XXXXXX";
	struct real real;
	struct timespec ts = { 0 };
	unsigned i;
	pid_t pid;
	int fd, r;

	assert_ptr_not_equal(s, MAP_FAILED);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	real_create(path, kind, DISK);
	r = real_open(&real, path, kind);
	if (r == 0)
		block_free(real.rig.blk);
	real.rig.blk = NULL;
	real_done(&real);
	if (r == -EPERM || r == -ENOSYS || r == -EOPNOTSUPP) {
		unlink(path);
		print_message("%s: not here\n", kind_names[kind]);
		skip();
	}
	assert_int_equal(r, 0);
	for (i = 0; i < KILLS; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			write_until_killed(path, kind, s);
		ts.tv_nsec = 1000 * (long)(mix(i + 1) % RUN_US_MAX);
		nanosleep(&ts, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &r, 0), pid);
		assert_true(WIFSIGNALED(r));
		verify(path, kind, s);
	}
	print_message("%s: %llu writes, %llu flushes\n", kind_names[kind],
		      (unsigned long long)s->next,
		      (unsigned long long)s->flushes);
	assert_true(s->next > KILLS);
	unlink(path);
	munmap(s, sizeof(*s));
}

static void what_was_flushed_survives_on_raw_images_by_io_uring(void **state)
{
	what_was_flushed_survives(RAW_URING);
}

static void what_was_flushed_survives_on_raw_images_by_threads(void **state)
{
	what_was_flushed_survives(RAW_THREADS);
}

static void what_was_flushed_survives_on_qcow2_images(void **state)
{
	what_was_flushed_survives(QCOW2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_was_flushed_survives_on_raw_images_by_io_uring),
		cmocka_unit_test(
			what_was_flushed_survives_on_raw_images_by_threads),
		cmocka_unit_test(what_was_flushed_survives_on_qcow2_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
