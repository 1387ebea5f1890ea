// SPDX-License-Identifier: MIT
/* Opening raw images: which are taken, and that nobody else has them. */
#include "block_file_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void what_follows_the_last_whole_sector_is_not_seen(void **state)
{
	struct rig rig;

	rig_init(&rig, 1000);
	assert_int_equal(open_image(&rig, state, &(struct block_file_config){ 0 }),
			 0);
	assert_int_equal(rig.blk->info.size, 512);
	rig_done(&rig);
	rig_init(&rig, 511);
	assert_int_equal(open_image(&rig, state, &(struct block_file_config){ 0 }),
			 -ENODATA);
	rig_done(&rig);
}

static void read_only_needs_no_right_to_write_and_says_so(void **state)
{
	struct block_file_config ro = { .read_only = true };
	uint8_t buf[512];
	struct rig rig;

	rig_init(&rig, 4096);
	assert_int_equal(open_image(&rig, state, &ro), 0);
	assert_true(rig.blk->info.read_only);
	assert_false(rig.blk->info.discard || rig.blk->info.write_zeroes);
	assert_int_equal(transfer(&rig, BLOCK_READ, buf, 512, 0), 0);
	assert_int_equal(buf[3], pattern(3));
	/* The device refuses them; and if it did not, the kernel does. */
	assert_int_equal(transfer(&rig, BLOCK_WRITE, buf, 512, 0), -EBADF);
	rig_done(&rig);
}

static void an_image_has_one_writer_or_many_readers(void **state)
{
	struct block_file_config rw = { 0 }, ro = { .read_only = true };
	struct rig rig, other;

	rig_init(&rig, 4096);
	other = rig;
	assert_int_equal(open_image(&rig, state, &rw), 0);
	assert_int_equal(open_image(&other, state, &rw), -EBUSY);
	assert_int_equal(open_image(&other, state, &ro), -EBUSY);
	/* Free at once, though a ring goes in its own time. */
	rig.blk = block_free(rig.blk);
	assert_int_equal(open_image(&rig, state, &ro), 0);
	assert_int_equal(open_image(&other, state, &ro), 0);
	other.blk = block_free(other.blk);
	assert_int_equal(open_image(&other, state, &rw), -EBUSY);
	rig.blk = block_free(rig.blk);
	assert_int_equal(open_image(&other, state, &rw), 0);
	other.blk = block_free(other.blk);
	rig_done(&rig);
}

static void what_is_no_image_is_refused_by_name(void **state)
{
	struct block_file_config config = { .path = "/tmp" };
	char pipe_path[80];
	struct rig rig;

	rig_init(&rig, 4096);
	assert_int_equal(open_image(&rig, state, &config), -EISDIR);
	config.path = "/dev/null";
	assert_int_equal(open_image(&rig, state, &config), -ENOTBLK);
	config.path = "/nowhere/disk.img";
	assert_int_equal(open_image(&rig, state, &config), -ENOENT);
	/* Does not wait for the other end. */
	snprintf(pipe_path, sizeof(pipe_path), "%s.pipe", rig.path);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	config.path = pipe_path;
	config.read_only = true;
	assert_int_equal(open_image(&rig, state, &config), -ENOTBLK);
	unlink(pipe_path);
	rig_done(&rig);
}

static void a_descriptor_is_taken_if_it_is_fit(void **state)
{
	struct block_file_config config = { 0 };
	struct rig rig;
	uint8_t buf[512];
	int r;

	rig_init(&rig, 4096);
	config.loop = &rig.fl.loop;
	config.engine = *(const enum block_file_engine *)*state;
	config.fd = open(rig.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(block_file_new(&config, &rig.blk), -EBADF);
	config.read_only = true;
	config.direct = true;
	assert_int_equal(block_file_new(&config, &rig.blk), -EOPNOTSUPP);
	config.direct = false;
	r = block_file_new(&config, &rig.blk);
	assert_int_equal(r, 0);
	block_attach(rig.blk, on_ready, &rig);
	close(config.fd);
	assert_int_equal(transfer(&rig, BLOCK_READ, buf, 512, 512), 0);
	assert_int_equal(buf[0], pattern(512));
	rig_done(&rig);
	config.fd = -1;
	assert_int_equal(block_file_new(&config, &rig.blk), -EBADF);
}

static void without_a_wish_there_is_an_engine_wherever_one_is(void **state)
{
	static const enum block_file_engine any = BLOCK_FILE_AUTO;
	void *wish = (void *)(uintptr_t)&any;
	struct rig rig;
	const char *name;

	rig_init(&rig, 4096);
	assert_int_equal(open_image(&rig, &wish, &(struct block_file_config){ 0 }),
			 0);
	name = block_file_engine_name(rig.blk);
	assert_true(!strcmp(name, "io_uring") || !strcmp(name, "threads"));
	rig_done(&rig);
}

#define ALL(e)                                                \
	BY(e, what_follows_the_last_whole_sector_is_not_seen), \
	BY(e, read_only_needs_no_right_to_write_and_says_so), \
	BY(e, an_image_has_one_writer_or_many_readers),       \
	BY(e, what_is_no_image_is_refused_by_name),           \
	BY(e, a_descriptor_is_taken_if_it_is_fit)

int main(void)
{
	const struct CMUnitTest by_threads[] = {
		ALL(threads),
		BY(threads, without_a_wish_there_is_an_engine_wherever_one_is),
	};
	const struct CMUnitTest by_uring[] = { ALL(uring) };

	return RUN_BOTH(by_threads, by_uring);
}
