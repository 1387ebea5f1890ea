// SPDX-License-Identifier: MIT
/* Which format an image is taken for, what a guest may write to it, overlays. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/block_image.h"
#include "backend/qcow2_parts.h"
#include "core/base.h"
#include "core/notice.h"
#include "fake_loop.h"

static struct fake_loop fl;
static char path[64], why[BLOCK_WHY_MAX], said[256];

static void say(void *opaque, const char *text)
{
	snprintf(said, sizeof(said), "%s", text);
}

static const struct notice notice = { say, NULL };

static int setup(void **state)
{
	int fd;

	fake_loop_init(&fl, 0);
	said[0] = '\0';
	strncpy(path, "/tmp/test-block-image-XXXXXX", sizeof(path) - 1);
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, 65536) < 0)
		return -1;
	return close(fd);
}

static int teardown(void **state)
{
	return unlink(path);
}

/* What the image begins with. */
static void put_front(const char *bytes, size_t len, off_t at)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0 && pwrite(fd, bytes, len, at) == (ssize_t)len);
	close(fd);
}

static int try(enum block_format format, bool ro, bool temporary,
	       struct block **ret_blk)
{
	const struct block_image_config config = {
		.loop = &fl.loop,
		.path = path,
		.read_only = ro,
		.format = format,
		.temporary = temporary,
		.notice = &notice,
	};

	*ret_blk = NULL;
	return block_image_new(&config, ret_blk, why);
}

static int move(struct block *blk, enum block_op op, void *buf, uint64_t off,
		uint64_t len)
{
	struct iovec iov[2] = { { buf, len / 2 },
				{ (void *)((uintptr_t)buf + len / 2),
				  len - len / 2 } };
	struct block_request req = { .op = op, .iov = iov,
				     .iov_count = buf ? 2 : 0,
				     .offset = off, .len = len };

	block_submit(blk, &req);
	block_kick(blk);
	block_drain(blk);
	assert_ptr_equal(block_reap(blk), &req);
	return req.err;
}

static void the_magic_tells_qcow2_from_raw(void **state)
{
	struct block_opened file = { .fd = -1 };
	struct block *blk;

	assert_int_equal(try(BLOCK_FORMAT_AUTO, false, false, &blk), 0);
	assert_int_equal(blk->info.size, 65536);
	block_free(blk);
	assert_int_equal(try(BLOCK_FORMAT_QCOW2, false, false, &blk), -EINVAL);
	assert_string_equal(why, "is not a qcow2 image: it does not begin with "
				 "'QFI\\xfb'");
	put_front("QFI\xfb", 4, 0);
	assert_int_equal(try(BLOCK_FORMAT_AUTO, false, false, &blk), -EOPNOTSUPP);
	assert_string_equal(why, "it is of version 0; 2 and 3 are known");
	/* Who says raw gets raw. */
	assert_int_equal(try(BLOCK_FORMAT_RAW, false, false, &blk), 0);
	block_free(blk);

	file.fd = open(path, O_RDWR | O_TRUNC);
	assert_int_equal(qcow2_create(&file, MIB(10)), 0);
	close(file.fd);
	assert_int_equal(try(BLOCK_FORMAT_AUTO, false, false, &blk), 0);
	assert_int_equal(blk->info.size, MIB(10));
	assert_true(blk->info.discard && blk->info.write_zeroes);
	assert_int_equal(blk->info.discard_size, 65536);
	block_free(blk);
	assert_int_equal(try(BLOCK_FORMAT_QCOW2, true, false, &blk), 0);
	assert_true(blk->info.read_only);
	assert_false(blk->info.discard || blk->info.write_zeroes);
	block_free(blk);
}

static void other_formats_are_refused_by_name(void **state)
{
	struct block *blk;

	put_front("KDMV", 4, 0);
	assert_int_equal(try(BLOCK_FORMAT_AUTO, false, false, &blk), -EOPNOTSUPP);
	assert_string_equal(why, "is a VMDK image, which is not supported; "
				 "'qemu-img convert -O qcow2' makes one that is "
				 "(format=raw takes it for a disk as it stands)");
	put_front("\0\0\0\0", 4, 0);
	put_front("\x7f\x10\xda\xbe", 4, 0x40);
	assert_int_equal(try(BLOCK_FORMAT_AUTO, true, true, &blk), -EOPNOTSUPP);
	assert_non_null(strstr(why, "is a VDI image"));
}

static void a_guest_cannot_make_a_raw_image_another(void **state)
{
	uint8_t buf[4096] = "QFI\xfb", got[4096];
	struct block *blk;

	assert_int_equal(try(BLOCK_FORMAT_AUTO, false, false, &blk), 0);
	assert_int_equal(move(blk, BLOCK_WRITE, buf, 0, 4096), -EPERM);
	assert_string_equal(said, "the guest may not write what begins a qcow2 "
				  "image to the first sector of one whose format "
				  "was not given; format=raw permits it");
	memset(got, 1, sizeof(got));
	assert_int_equal(move(blk, BLOCK_READ, got, 0, 4096), 0);
	assert_int_equal(got[0], 0);
	/* Elsewhere, and anything else, is its own affair. */
	assert_int_equal(move(blk, BLOCK_WRITE, buf, 512, 4096), 0);
	buf[0] = 'q';
	assert_int_equal(move(blk, BLOCK_WRITE, buf, 0, 4096), 0);
	assert_int_equal(move(blk, BLOCK_READ, got, 0, 4096), 0);
	assert_memory_equal(buf, got, 4096);
	block_free(blk);

	assert_int_equal(try(BLOCK_FORMAT_RAW, false, false, &blk), 0);
	buf[0] = 'Q';
	assert_int_equal(move(blk, BLOCK_WRITE, buf, 0, 4096), 0);
	block_free(blk);
}

static void a_temporary_overlay_leaves_the_image_alone(void **state)
{
	static uint8_t buf[65536], got[65536];
	struct block *blk, *other;
	unsigned round;

	put_front("base", 4, 5000);
	assert_int_equal(chmod(path, 0400), 0);
	for (round = 0; round < 2; round++) {
		assert_int_equal(try(BLOCK_FORMAT_AUTO, false, true, &blk), 0);
		assert_false(blk->info.read_only);
		assert_int_equal(blk->info.size, 65536);
		assert_int_equal(move(blk, BLOCK_READ, got, 0, 65536), 0);
		assert_memory_equal(got + 5000, "base", 4);
		memset(buf, 0x33, sizeof(buf));
		assert_int_equal(move(blk, BLOCK_WRITE, buf, 4096, 512), 0);
		/* There is no danger for whoever opens the overlay next. */
		memcpy(buf, "QFI\xfb", 4);
		assert_int_equal(move(blk, BLOCK_WRITE, buf, 0, 512), 0);
		assert_int_equal(move(blk, BLOCK_FLUSH, NULL, 0, 0), 0);
		assert_int_equal(move(blk, BLOCK_READ, got, 0, 65536), 0);
		assert_memory_equal(got, "QFI\xfb", 4);
		assert_int_equal(got[4096], 0x33);
		assert_memory_equal(got + 5000, "base", 4);
		/* Readers may share it. */
		assert_int_equal(try(BLOCK_FORMAT_AUTO, false, true, &other), 0);
		assert_int_equal(move(other, BLOCK_READ, got, 0, 512), 0);
		assert_int_equal(got[0], 0);
		block_free(other);
		block_free(blk);
	}
}

static void a_temporary_file_needs_a_folder(void **state)
{
	struct block *blk;

	assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
	assert_int_equal(try(BLOCK_FORMAT_AUTO, false, true, &blk), -ENOENT);
	assert_string_equal(why, "a temporary file cannot be made in '/nowhere': "
				 "No such file or directory (TMPDIR names another "
				 "folder)");
	/* For one that is only read there is no need of it. */
	assert_int_equal(try(BLOCK_FORMAT_AUTO, true, true, &blk), 0);
	assert_true(blk->info.read_only);
	block_free(blk);
	unsetenv("TMPDIR");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_magic_tells_qcow2_from_raw),
		T(other_formats_are_refused_by_name),
		T(a_guest_cannot_make_a_raw_image_another),
		T(a_temporary_overlay_leaves_the_image_alone),
		T(a_temporary_file_needs_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
