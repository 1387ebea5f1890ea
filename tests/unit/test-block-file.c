// SPDX-License-Identifier: MIT
/* Requests to raw images, by each engine: block.h's contract on real files. */
#include "block_file_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void what_is_written_is_in_the_file_and_is_read_back(void **state)
{
	uint8_t a[700], b[1], c[835], all[1536];
	struct iovec iov[] = { { a, 700 }, { b, 1 }, { c, 835 } };
	struct block_request req = { .op = BLOCK_WRITE, .iov = iov,
				     .iov_count = 3, .offset = 1024,
				     .len = 1536, .durable = true };
	struct rig rig;

	rig_init(&rig, IMAGE_LEN);
	assert_int_equal(open_image(&rig, state, &(struct block_file_config){ 0 }),
			 0);
	assert_int_equal(rig.blk->info.size, IMAGE_LEN);
	assert_int_equal(rig.blk->info.block_size, 512);
	assert_false(rig.blk->info.read_only);
	memset(a, 0xaa, sizeof(a));
	memset(b, 0xbb, sizeof(b));
	memset(c, 0xcc, sizeof(c));
	assert_int_equal(run(&rig, &req), 0);
	assert_true(rig.ready > 0);

	assert_int_equal(pread(rig.fd, all, sizeof(all), 1024), sizeof(all));
	assert_memory_equal(all, a, 700);
	assert_int_equal(all[700], 0xbb);
	assert_memory_equal(all + 701, c, 835);
	memset(all, 0, sizeof(all));
	assert_int_equal(transfer(&rig, BLOCK_READ, all, 1536, 512), 0);
	assert_int_equal(all[511], pattern(1023));
	assert_memory_equal(all + 512, a, 700);
	rig_done(&rig);
}

static void more_requests_than_calls_at_a_time_are_all_done(void **state)
{
	enum { N = 64 };
	struct block_request req[N] = { 0 };
	struct iovec iov[N];
	uint8_t buf[N][512];
	struct rig rig;
	unsigned i;

	rig_init(&rig, IMAGE_LEN);
	assert_int_equal(open_image(&rig, state,
				    &(struct block_file_config){ .depth = 3 }),
			 0);
	for (i = 0; i < N; i++) {
		memset(buf[i], (int)i, 512);
		iov[i] = (struct iovec){ buf[i], 512 };
		req[i] = (struct block_request){ .op = BLOCK_WRITE,
						 .iov = &iov[i],
						 .iov_count = 1,
						 .offset = i * 1024ull,
						 .len = 512 };
		block_submit(rig.blk, &req[i]);
	}
	block_kick(rig.blk);
	for (i = 0; i < N; i++)
		assert_int_equal(next_finished(&rig)->err, 0);
	assert_null(block_reap(rig.blk));
	for (i = 0; i < N; i++) {
		uint8_t got[1024];

		assert_int_equal(pread(rig.fd, got, 1024, i * 1024), 1024);
		assert_memory_equal(got, buf[i], 512);
		assert_int_equal(got[512], pattern(i * 1024 + 512));
	}
	rig_done(&rig);
}

static void more_spans_than_a_system_call_takes(void **state)
{
	enum { N = 2048 };
	struct block_request req = { .op = BLOCK_READ, .len = N * 64 };
	struct iovec *iov = calloc(N, sizeof(*iov));
	uint8_t *buf = malloc(N * 64);
	struct rig rig;
	unsigned i;

	assert_true(iov && buf);
	rig_init(&rig, IMAGE_LEN);
	assert_int_equal(open_image(&rig, state, &(struct block_file_config){ 0 }),
			 0);
	/* The spans lie backwards, so each must go where it says. */
	for (i = 0; i < N; i++)
		iov[i] = (struct iovec){ buf + (size_t)(N - 1 - i) * 64, 64 };
	req.iov = iov;
	req.iov_count = N;
	assert_int_equal(run(&rig, &req), 0);
	for (i = 0; i < N * 64; i++)
		assert_int_equal(buf[(N - 1 - i / 64) * 64 + i % 64],
				 pattern(i));
	rig_done(&rig);
	free(iov);
	free(buf);
}

static void drain_finishes_what_was_not_even_begun(void **state)
{
	struct block_request req[8] = { 0 };
	struct iovec iov[8];
	uint8_t buf[8][512];
	unsigned i, n = 0;
	struct rig rig;

	rig_init(&rig, IMAGE_LEN);
	assert_int_equal(open_image(&rig, state,
				    &(struct block_file_config){ .depth = 2 }),
			 0);
	for (i = 0; i < 8; i++) {
		iov[i] = (struct iovec){ buf[i], 512 };
		req[i] = (struct block_request){ .op = BLOCK_READ,
						 .iov = &iov[i],
						 .iov_count = 1,
						 .offset = i * 512ull,
						 .len = 512 };
		block_submit(rig.blk, &req[i]);
	}
	block_drain(rig.blk);
	for (i = 0; i < 8; i++)
		assert_int_equal(buf[i][5], pattern(i * 512 + 5));
	while (block_reap(rig.blk))
		n++;
	assert_int_equal(n, 8);
	/* A free in the middle waits too: ASan would see it. */
	for (i = 0; i < 8; i++) {
		req[i].iov = &iov[i];
		iov[i] = (struct iovec){ buf[i], 512 };
		req[i].iov_count = 1;
		block_submit(rig.blk, &req[i]);
	}
	block_kick(rig.blk);
	rig_done(&rig);
}

static void ranges_become_zeroes_and_the_file_keeps_its_size(void **state)
{
	struct block_request req = { .op = BLOCK_WRITE_ZEROES, .offset = 4096,
				     .len = 65536 + 512 };
	static const uint8_t zeroes[65536 + 512];
	static uint8_t buf[65536 + 512];
	struct stat st;
	struct rig rig;

	rig_init(&rig, IMAGE_LEN);
	assert_int_equal(open_image(&rig, state, &(struct block_file_config){ 0 }),
			 0);
	assert_true(rig.blk->info.write_zeroes && rig.blk->info.discard);
	assert_int_equal(run(&rig, &req), 0);
	assert_int_equal(pread(rig.fd, buf, sizeof(buf), 4096), sizeof(buf));
	assert_memory_equal(buf, zeroes, sizeof(buf));
	assert_int_equal(pread(rig.fd, buf, 1, 4095), 1);
	assert_int_equal(buf[0], pattern(4095));
	assert_int_equal(pread(rig.fd, buf, 1, 4096 + 65536 + 512), 1);
	assert_int_equal(buf[0], pattern(4096 + 65536 + 512));

	req = (struct block_request){ .op = BLOCK_WRITE_ZEROES,
				      .may_unmap = true,
				      .durable = true,
				      .offset = 131072,
				      .len = IMAGE_LEN - 131072 };
	assert_int_equal(run(&rig, &req), 0);
	assert_int_equal(pread(rig.fd, buf, sizeof(buf), 131072), sizeof(buf));
	assert_memory_equal(buf, zeroes, sizeof(buf));

	req = (struct block_request){ .op = BLOCK_DISCARD, .len = 4096 };
	assert_int_equal(run(&rig, &req), 0);
	req = (struct block_request){ .op = BLOCK_FLUSH };
	assert_int_equal(run(&rig, &req), 0);
	assert_int_equal(fstat(rig.fd, &st), 0);
	assert_int_equal(st.st_size, IMAGE_LEN);
	rig_done(&rig);
}

static void a_file_that_was_cut_reads_as_an_error(void **state)
{
	struct rig rig;
	uint8_t buf[2048];

	rig_init(&rig, IMAGE_LEN);
	assert_int_equal(open_image(&rig, state, &(struct block_file_config){ 0 }),
			 0);
	assert_int_equal(ftruncate(rig.fd, 1024), 0);
	assert_int_equal(transfer(&rig, BLOCK_READ, buf, 2048, 0), -EIO);
	assert_int_equal(transfer(&rig, BLOCK_READ, buf, 512, 4096), -EIO);
	assert_int_equal(transfer(&rig, BLOCK_READ, buf, 1024, 0), 0);
	rig_done(&rig);
}

static void direct_takes_buffers_at_any_address(void **state)
{
	struct block_file_config direct = { .direct = true };
	size_t len = KIB(200);
	uint8_t *buf = malloc(len + 4096), *p;
	struct iovec iov[2];
	struct block_request req = { .op = BLOCK_READ, .iov = iov,
				     .iov_count = 2, .len = len };
	struct rig rig;
	size_t i;
	int r;

	assert_non_null(buf);
	rig_init(&rig, IMAGE_LEN);
	fsync(rig.fd);
	r = open_image(&rig, state, &direct);
	if (r == -EOPNOTSUPP) {
		rig_done(&rig);
		free(buf);
		skip();
	}
	assert_int_equal(r, 0);
	p = buf + 3;
	iov[0] = (struct iovec){ p, 5001 };
	iov[1] = (struct iovec){ p + 5001, len - 5001 };
	assert_int_equal(run(&rig, &req), 0);
	for (i = 0; i < len; i++)
		assert_int_equal(p[i], pattern(i));

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 3);
	iov[0] = (struct iovec){ p, 77777 };
	iov[1] = (struct iovec){ p + 77777, len - 77777 };
	req = (struct block_request){ .op = BLOCK_WRITE, .iov = iov,
				      .iov_count = 2, .len = len };
	assert_int_equal(run(&rig, &req), 0);
	memset(p, 0, len);
	assert_int_equal(pread(rig.fd, p, len, 0), len);
	for (i = 0; i < len; i++)
		assert_int_equal(p[i], (uint8_t)(i * 3));
	rig_done(&rig);
	free(buf);
}

/* A tmpfs cannot zero a range, only give it up (fallocate(2)). */
static bool zeroes_by_hand(struct rig *rig, int fd)
{
	struct block_request req = { .op = BLOCK_WRITE_ZEROES, .offset = 512,
				     .len = KIB(20) };
	uint8_t buf[KIB(20) + 1024];
	size_t i;

	memset(buf, 0x55, sizeof(buf));
	if (pwrite(fd, buf, sizeof(buf), 0) != sizeof(buf) ||
	    run(rig, &req) != 0 ||
	    pread(fd, buf, sizeof(buf), 0) != sizeof(buf))
		return false;
	for (i = 0; i < sizeof(buf); i++)
		if (buf[i] != (i < 512 || i >= 512 + KIB(20) ? 0x55 : 0))
			return false;
	return true;
}

/* On a filesystem of 64 KiB, in a mount namespace of its own. */
static int fill_up(void **state)
{
	struct block_file_config config = { .path = "/tmp/full.img" };
	static uint8_t buf[KIB(128)];
	struct rig rig = { .fd = -1 };
	int r, fd;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", 0, "size=64k") < 0)
		return 77;
	fd = open(config.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(buf)) < 0)
		return 77;
	fake_loop_init(&rig.fl, 0);
	if (open_image(&rig, state, &config) < 0)
		return 1;
	if (!zeroes_by_hand(&rig, fd))
		return 2;
	r = transfer(&rig, BLOCK_WRITE, buf, sizeof(buf), 0);
	/* And goes on: there was room for the beginning. */
	if (r == -ENOSPC && transfer(&rig, BLOCK_READ, buf, 512, 0) == 0)
		r = 0;
	block_free(rig.blk);
	return r == 0 ? 0 : 1;
}

static void a_small_tmpfs_is_zeroed_by_hand_and_then_full(void **state)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fill_up(state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* no mounts for us here */
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define ALL(e)                                                       \
	BY(e, what_is_written_is_in_the_file_and_is_read_back),      \
	BY(e, more_requests_than_calls_at_a_time_are_all_done),      \
	BY(e, more_spans_than_a_system_call_takes),                  \
	BY(e, drain_finishes_what_was_not_even_begun),               \
	BY(e, ranges_become_zeroes_and_the_file_keeps_its_size),     \
	BY(e, a_file_that_was_cut_reads_as_an_error),                \
	BY(e, direct_takes_buffers_at_any_address),                  \
	BY(e, a_small_tmpfs_is_zeroed_by_hand_and_then_full)

int main(void)
{
	const struct CMUnitTest by_threads[] = { ALL(threads) };
	const struct CMUnitTest by_uring[] = { ALL(uring) };

	return RUN_BOTH(by_threads, by_uring);
}
