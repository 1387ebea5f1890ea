// SPDX-License-Identifier: MIT
/* The file of an NVRAM against docs/nvram.md, whose offsets are written out anew. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/nvram_file.h"
#include "core/base.h"
#include "empty_folder.h"

static char dir[] = "/tmp/test-nvram.XXXXXX";
static char path[64];
static char said[256];
static unsigned notices;

static void on_notice(void *opaque, const char *text)
{
	snprintf(said, sizeof(said), "%s", text);
	notices++;
}

static const struct notice notice = { .say = on_notice };

static int setup(void **state)
{
	strcpy(dir, "/tmp/test-nvram.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/nvram", dir);
	notices = 0;
	return 0;
}

static int teardown(void **state)
{
	empty_folder(open(dir, O_RDONLY | O_DIRECTORY));
	return rmdir(dir);
}

static struct rtc_kept kept_of(uint8_t fill, int64_t sec)
{
	struct rtc_kept kept = { .offset_sec = sec, .offset_ns = fill };

	memset(kept.ram, fill, sizeof(kept.ram));
	return kept;
}

static struct nvram_file *open_it(void)
{
	struct nvram_file *file = NULL;
	char why[NVRAM_WHY_LEN];

	assert_int_equal(nvram_file_open(path, &notice, &file, why), 0);
	return file;
}

static void refused(int r, const char *text)
{
	struct nvram_file *file = NULL;
	char why[NVRAM_WHY_LEN];

	assert_int_equal(nvram_file_open(path, &notice, &file, why), r);
	assert_null(file);
	assert_string_equal(why, text);
}

static void put(uint8_t fill, int64_t sec)
{
	struct nvram_file *file = open_it();
	struct rtc_kept kept = kept_of(fill, sec);

	nvram_file_put(file, &kept);
	nvram_file_free(file);
}

static void assert_kept(uint8_t fill, int64_t sec)
{
	struct rtc_kept want = kept_of(fill, sec);
	struct nvram_file *file = open_it();
	const struct rtc_kept *kept = nvram_file_kept(file);

	assert_non_null(kept);
	assert_memory_equal(kept->ram, want.ram, sizeof(want.ram));
	assert_int_equal(kept->offset_sec, sec);
	assert_int_equal(kept->offset_ns, fill);
	nvram_file_free(file);
}

static void read_raw(uint8_t raw[1024])
{
	int fd = open(path, O_RDONLY);

	assert_int_equal(read(fd, raw, 1024), 1024);
	assert_int_equal(read(fd, raw, 1), 0);
	close(fd);
}

static void write_raw(const void *raw, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, raw, len), (ssize_t)len);
	close(fd);
}

static void what_was_put_is_there_the_next_time(void **state)
{
	put(7, 86400);
	assert_kept(7, 86400);
	put(8, -5);
	assert_kept(8, -5);
	put(9, 0);
	assert_kept(9, 0);
	assert_int_equal(notices, 0);
}

static void the_format_is_as_documented(void **state)
{
	uint8_t raw[1024];
	unsigned i;

	put(0x11, -2);
	put(0x22, 3);
	read_raw(raw);
	for (i = 0; i < 2; i++) {
		/* The first write is number 1, in the second slot. */
		const uint8_t *slot = raw + (i ? 0 : 512);
		uint8_t fill = i ? 0x22 : 0x11;

		assert_memory_equal(slot, "TRAPCMOS", 8);
		assert_int_equal(get_le32(slot + 8), 1);
		assert_true(get_le64(slot + 16) == i + 1);
		assert_true((int64_t)get_le64(slot + 24) == (i ? 3 : -2));
		assert_int_equal(get_le32(slot + 32), fill);
		assert_int_equal(slot[128], fill);
		assert_int_equal(slot[255], fill);
		assert_int_equal(slot[256], 0);
		/* Python's zlib.crc32() of the 508 bytes before. */
		assert_int_equal(get_le32(slot + 508),
				 i ? 0xc8436d5f : 0x6f89e831);
	}
}

static void one_damaged_slot_leaves_the_other_one(void **state)
{
	uint8_t raw[1024];

	put(1, 1);
	put(2, 2);
	read_raw(raw);
	/* Number 2, in the first slot, was never finished. */
	memset(raw + 200, 0, 312);
	write_raw(raw, sizeof(raw));
	assert_kept(1, 1);
	/* So it is written again. */
	put(3, 3);
	assert_kept(3, 3);
	read_raw(raw);
	assert_true(get_le64(raw + 16) == 2);
}

/* Whatever part of a slot reached the disk. */
static void a_torn_write_is_the_old_content_or_the_new(void **state)
{
	uint8_t old[1024], new[1024], torn[1024];
	struct nvram_image image;
	char why[160];
	unsigned i, from;

	put(1, 1);
	put(2, 2);
	read_raw(old);
	put(3, 3);
	read_raw(new);
	for (i = 0; i < 2 * 512; i++) {
		/* Its first i bytes, or all but them. */
		bool front = i % 2;

		from = 512 + i / 2;
		memcpy(torn, front ? old : new, sizeof(torn));
		memcpy(torn + 512, (front ? new : old) + 512, from - 512);
		assert_int_equal(
			nvram_decode(torn, 1024, &image, why, sizeof(why)), 0);
		assert_int_equal(image.kept.ram[0],
				 memcmp(torn, new, sizeof(torn)) ? 2 : 3);
		assert_int_equal(image.kept.ram[127], image.kept.ram[0]);
		assert_int_equal(image.kept.offset_sec, image.kept.ram[0]);
	}
}

static void a_new_file_may_be_empty_or_all_zero(void **state)
{
	static const uint8_t zero[1024];
	struct nvram_file *file;

	write_raw(zero, 0);
	file = open_it();
	assert_null(nvram_file_kept(file));
	nvram_file_free(file);
	write_raw(zero, sizeof(zero));
	file = open_it();
	assert_null(nvram_file_kept(file));
	nvram_file_free(file);
	put(4, 4);
	assert_kept(4, 4);
}

/* A start that failed leaves nothing behind; a file that was there stays. */
static void what_was_made_and_not_used_is_gone_again(void **state)
{
	struct nvram_file *file = open_it();

	assert_int_equal(access(path, F_OK), 0);
	nvram_file_free(file);
	assert_int_equal(access(path, F_OK), -1);
	put(1, 1);
	nvram_file_free(open_it());
	assert_kept(1, 1);
}

static void what_is_no_nvram_file_is_refused(void **state)
{
	uint8_t raw[1024], bad[1024];

	put(1, 1);
	put(2, 2);
	read_raw(raw);

	write_raw(raw, 1023);
	refused(-EINVAL, "is 1023 bytes long; an NVRAM file has 1024, or none "
			 "while it is new");
	memset(bad, 'x', sizeof(bad));
	write_raw(bad, sizeof(bad));
	refused(-EINVAL, "at offset 0: no NVRAM file of Trapmap's ('TRAPCMOS' "
			 "was expected)");
	memcpy(bad, raw, sizeof(bad));
	bad[8] = bad[512 + 8] = 2;
	write_raw(bad, sizeof(bad));
	refused(-EINVAL, "at offset 0: a version that is not known here (1 was "
			 "expected)");
	memcpy(bad, raw, sizeof(bad));
	bad[130] ^= 1;
	bad[512 + 130] ^= 1;
	write_raw(bad, sizeof(bad));
	refused(-EINVAL, "at offset 0: damaged (the checksum is wrong)");
	memset(bad, 0, 512);
	write_raw(bad, sizeof(bad));
	refused(-EINVAL, "at offset 512: damaged (the checksum is wrong)");
	memcpy(bad, raw + 512, 512);
	memset(bad + 512, 0, 512);
	write_raw(bad, sizeof(bad));
	refused(-EINVAL, "at offset 0: a sequence number that does not belong "
			 "there");
	/* What would be written next might be none, or wrap to the lowest. */
	memset(bad, 0, sizeof(bad));
	nvram_encode(&(struct rtc_kept){ 0 }, UINT64_MAX - 1, bad);
	write_raw(bad, sizeof(bad));
	refused(-EINVAL, "at offset 0: a sequence number that does not belong "
			 "there");
	nvram_encode(&(struct rtc_kept){ .offset_sec = INT64_MAX }, 2, bad);
	write_raw(bad, sizeof(bad));
	refused(-EINVAL, "at offset 0: a clock that is more than 10000 years "
			 "wrong");
}

static void what_is_no_file_is_refused(void **state)
{
	assert_int_equal(mkdir(path, 0700), 0);
	refused(-EISDIR, "is a folder");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(-EINVAL, "is not a regular file");
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/no/nvram", dir);
	refused(-ENOENT, "cannot be opened: No such file or directory");
}

static void one_machine_has_it_at_a_time(void **state)
{
	struct nvram_file *file = open_it();

	refused(-EBUSY, "is in use by another program; a machine has it for "
			"itself");
	assert_int_equal(access(path, F_OK), 0);
	nvram_file_free(file);
	nvram_file_free(open_it());
}

/* In place: a link leads to the same file, and who may read it stays. */
static void a_link_and_a_mode_stay_what_they_are(void **state)
{
	char link[64], target[64];
	struct stat before, after;

	snprintf(target, sizeof(target), "%s/target", dir);
	snprintf(link, sizeof(link), "%s/nvram", dir);
	assert_int_equal(symlink(target, link), 0);
	close(open(target, O_WRONLY | O_CREAT, 0640));
	assert_int_equal(chmod(target, 0640), 0);
	assert_int_equal(stat(target, &before), 0);
	put(5, 5);
	assert_int_equal(lstat(link, &after), 0);
	assert_true(S_ISLNK(after.st_mode));
	assert_int_equal(stat(target, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_true(after.st_ino == before.st_ino);
}

static void what_cannot_be_written_is_told_and_the_rest_stays(void **state)
{
	struct rtc_kept kept = kept_of(9, 9);
	struct rlimit old, none;
	struct nvram_file *file;

	put(1, 1);
	put(2, 2);
	file = open_it();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = old;
	none.rlim_cur = 600; /* in the midst of the second slot */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	nvram_file_put(file, &kept);
	nvram_file_flush(file);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(notices, 1);
	assert_string_equal(said, "cannot be written: No space left on device; "
				  "it keeps what it had");
	nvram_file_free(file);
	assert_kept(2, 2);
	/* Where there is room again, it goes on. */
	put(3, 3);
	assert_kept(3, 3);
}

/* And no SIGXFSZ, which ends the process. */
static void a_limit_that_leaves_no_room_for_one_is_told(void **state)
{
	struct rlimit old, less;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	less = old;
	less.rlim_cur = 1023;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
	refused(-EFBIG, "cannot be made: this process may write files of 1023 "
			"bytes (ulimit -f); it takes 1024");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void flush_has_it_in_the_file_and_the_same_again_is_not_written(void **state)
{
	struct rtc_kept kept = kept_of(6, 6);
	struct nvram_file *file = open_it();
	uint8_t raw[1024], again[1024];

	nvram_file_put(file, &kept);
	nvram_file_flush(file);
	read_raw(raw);
	assert_int_equal(raw[512 + 128], 6);
	nvram_file_put(file, &kept);
	nvram_file_flush(file);
	nvram_file_flush(file);
	read_raw(again);
	assert_memory_equal(raw, again, sizeof(raw));
	nvram_file_free(file);
}

/* A guest that stores without end costs a write now and then, of the newest. */
static void many_changes_are_few_writes(void **state)
{
	struct nvram_file *file = open_it();
	uint8_t raw[1024];
	unsigned i;

	for (i = 0; i < 100000; i++) {
		struct rtc_kept kept = kept_of((uint8_t)i, i);

		nvram_file_put(file, &kept);
	}
	nvram_file_free(file);
	assert_kept((uint8_t)(i - 1), i - 1);
	read_raw(raw);
	assert_in_range(get_le64(raw + 16) + get_le64(raw + 512 + 16), 1, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(what_was_put_is_there_the_next_time),
		T(the_format_is_as_documented),
		T(one_damaged_slot_leaves_the_other_one),
		T(a_torn_write_is_the_old_content_or_the_new),
		T(a_new_file_may_be_empty_or_all_zero),
		T(what_was_made_and_not_used_is_gone_again),
		T(what_is_no_nvram_file_is_refused),
		T(what_is_no_file_is_refused),
		T(one_machine_has_it_at_a_time),
		T(a_link_and_a_mode_stay_what_they_are),
		T(what_cannot_be_written_is_told_and_the_rest_stays),
		T(a_limit_that_leaves_no_room_for_one_is_told),
		T(flush_has_it_in_the_file_and_the_same_again_is_not_written),
		T(many_changes_are_few_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
