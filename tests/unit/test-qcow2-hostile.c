// SPDX-License-Identifier: MIT
/*
 * qcow2 images that are cut off, mangled, or made by an enemy: refused with one
 * sentence where that can be told at once, and else an I/O error with a notice.
 */
#include "qcow2_rig.h"

#include <errno.h>
#include <time.h>

static void put32(struct rig *rig, const char *name, off_t at, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
			 (uint8_t)(v >> 8), (uint8_t)v };
	int fd = open(rig_path(rig, name), O_WRONLY);

	assert_true(fd >= 0 && pwrite(fd, b, 4, at) == 4);
	close(fd);
}

static void put64(struct rig *rig, const char *name, off_t at, uint64_t v)
{
	put32(rig, name, at, (uint32_t)(v >> 32));
	put32(rig, name, at + 4, (uint32_t)v);
}

/*
 * Header, refcount table, refcount block, L1 at 0x30000, an L2 table at 0x40000, and
 * one cluster of data behind it.
 */
static void make(struct rig *rig)
{
	rig_init(rig);
	assert_int_equal(sh(rig, "qemu-img create -q -f qcow2 disk 4M && qemu-io "
			    "-f qcow2 -c 'write -P 7 0 64k' disk >/dev/null"), 0);
}

static void assert_refused(struct rig *rig, bool ro, const char *want)
{
	int r = rig_open(rig, "disk", ro, false);

	assert_true(r < 0);
	if (!strstr(rig->why, want))
		assert_string_equal(rig->why, want);
	assert_null(rig->q);
}

static void headers_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		unsigned at, size;
		uint64_t v;
		bool ro; /* refused even so */
		const char *why;
	} cases[] = {
		{ 4, 4, 1, true, "version 1" },
		{ 4, 4, 4, true, "version 4" },
		{ 20, 4, 8, true, "2^8 bytes" },
		{ 20, 4, 22, true, "2^22 bytes" },
		{ 20, 4, 0xffffffff, true, "2^4294967295 bytes" },
		{ 24, 8, UINT64_MAX, true, "more than any" },
		{ 24, 8, UINT64_C(1) << 60, true, "cluster_size=" },
		{ 24, 8, UINT64_C(1) << 30, true, "needs 2" },
		{ 32, 4, 1, true, "encrypted" },
		{ 32, 4, 2, true, "encrypted" },
		{ 36, 4, 0, true, "0 entries" },
		{ 36, 4, 0xffffffff, true, "32 MiB" },
		{ 40, 8, 0, true, "L1 table is at offset 0" },
		{ 40, 8, 0x30001, true, "L1 table is at offset 0x30001" },
		{ 40, 8, 0x800000, true, "cut off" },
		{ 40, 8, UINT64_MAX << 16, true, "cut off" },
		{ 48, 8, 0, false, "refcount table is at offset 0" },
		{ 48, 8, UINT64_C(1) << 62, false, "cut off" },
		{ 56, 4, 0, false, "0 clusters" },
		{ 56, 4, 0xffffffff, false, "4294967295 clusters" },
		{ 72, 8, 1, false, "dirty bit" },
		{ 72, 8, 2, false, "corrupt" },
		{ 72, 8, 4, true, "data_file" },
		{ 72, 8, 16, true, "extended_l2" },
		{ 72, 8, UINT64_C(1) << 40, true, "bit 40" },
		{ 72, 8, 8, true, "compression type is 0" },
		{ 96, 4, 7, true, "2^7 bits" },
		{ 100, 4, 72, true, "72 bytes" },
		{ 100, 4, 0xfffffff8, true, "header has" },
		{ 100, 4, 105, true, "105 bytes" },
	};
	struct rig rig;
	unsigned i;
	int r;

	need_qemu_img();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		make(&rig);
		if (cases[i].size == 4)
			put32(&rig, "disk", cases[i].at, (uint32_t)cases[i].v);
		else
			put64(&rig, "disk", cases[i].at, cases[i].v);
		assert_refused(&rig, false, cases[i].why);
		if (cases[i].ro) {
			assert_refused(&rig, true, cases[i].why);
		} else {
			/* Who only reads can do without. */
			r = rig_open(&rig, "disk", true, false);
			assert_int_equal(r, 0);
		}
		rig_done(&rig);
	}
}

static void an_unknown_feature_is_named(void **state)
{
	struct rig rig;

	need_qemu_img();
	make(&rig);
	/* qemu-img's table of names has bit 4; here it is bit 5. */
	put32(&rig, "disk", 76, 1u << 5);
	assert_int_equal(sh(&rig, "printf '\\0\\005moon phase\\0' | dd of=disk bs=1 "
			    "seek=120 conv=notrunc status=none"), 0);
	assert_refused(&rig, true, "moon phase (bit 5");
	rig_done(&rig);
}

static void tables_that_lead_nowhere_are_refused(void **state)
{
	struct rig rig;

	need_qemu_img();
	make(&rig);
	put64(&rig, "disk", 0x30000, 0x8000000000000000 | 0x990000);
	assert_refused(&rig, true, "L2 table is at offset 0x990000");
	put64(&rig, "disk", 0x30000, 0x8000000000000000 | 0x40200);
	assert_refused(&rig, true, "L2 table is at offset 0x40200");
	put64(&rig, "disk", 0x30000, 0x7000000000040000);
	assert_refused(&rig, true, "means nothing");
	put64(&rig, "disk", 0x30000, 0x8000000000040000);
	put64(&rig, "disk", 0x10000, 0x20001);
	assert_refused(&rig, false, "refcount block is at offset 0x20001");
	put64(&rig, "disk", 0x10000, 0);
	assert_refused(&rig, false, "offset 0, which holds one of its tables");
	rig_done(&rig);

	make(&rig);
	assert_int_equal(truncate(rig_path(&rig, "disk"), 0x38000), 0);
	assert_refused(&rig, true, "L2 table");
	assert_int_equal(truncate(rig_path(&rig, "disk"), 0x8000), 0);
	assert_refused(&rig, true, "cut off");
	assert_int_equal(truncate(rig_path(&rig, "disk"), 100), 0);
	assert_refused(&rig, true, "cut off");
	assert_int_equal(truncate(rig_path(&rig, "disk"), 0), 0);
	assert_refused(&rig, true, "version 0");
	rig_done(&rig);
}

static void entries_that_lead_nowhere_are_io_errors(void **state)
{
	static const struct {
		uint64_t entry;
		const char *said;
	} cases[] = {
		{ 0x8000000000990000, "leads to 0x990000, and the file is only" },
		{ 0x8000000000050200, "no multiple of the cluster size" },
		{ 0x8000000000050002, "bits that mean nothing" },
		{ 0xa000000000050000, "bits that mean nothing" },
		{ 0x40ffffffffffffff, "leads to" },
		{ 0x4000000000050000, "what is compressed at offset 0x50000 is "
				      "no cluster" },
	};
	struct rig rig;
	uint8_t buf[512];
	unsigned i;

	need_qemu_img();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		make(&rig);
		put64(&rig, "disk", 0x40000, cases[i].entry);
		assert_int_equal(rig_open(&rig, "disk", false, false), 0);
		assert_int_equal(rig_move(&rig, false, buf, 0, 512), -EIO);
		assert_int_equal(rig.notices, 1);
		assert_non_null(strstr(rig.said, "is damaged: "));
		if (!strstr(rig.said, cases[i].said))
			assert_string_equal(rig.said, cases[i].said);
		/* Once is enough. */
		assert_int_equal(rig_move(&rig, true, buf, 0, 512), -EIO);
		assert_int_equal(rig.notices, 1);
		/* What is next to it is not its fault. */
		assert_int_equal(rig_move(&rig, true, buf, 0x10000, 512), 0);
		rig_done(&rig);
	}
}

static void a_table_that_counts_as_free_is_not_overwritten(void **state)
{
	struct rig rig;
	uint8_t buf[512] = { 0 };

	need_qemu_img();
	make(&rig);
	/* The L2 table and the data, uncounted: the table is not in danger. */
	put32(&rig, "disk", 0x20000 + 8, 0);
	assert_int_equal(rig_open(&rig, "disk", false, false), 0);
	assert_int_equal(rig_move(&rig, true, buf, 0x20000, 512), 0);
	qcow2_close(rig.q);
	rig.q = NULL;
	/* L1 itself: refused. */
	put32(&rig, "disk", 0x20000 + 4, 0);
	assert_refused(&rig, false, "counts as free");
	rig_done(&rig);
}

static int64_t own_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void used_clusters_without_end_are_not_searched_for_ever(void **state)
{
	struct rig rig;
	uint8_t buf[512] = { 0 };
	int64_t began, first;
	unsigned i;

	need_qemu_img();
	make(&rig);
	/* All of the refcount table leads to one block that is full. */
	assert_int_equal(sh(&rig, "head -c 65536 /dev/zero | tr '\\0' '\\1' | dd "
			    "of=disk bs=64k seek=2 conv=notrunc status=none"), 0);
	for (i = 0; i < 8192; i++)
		put64(&rig, "disk", 0x10000 + i * 8, 0x20000);
	/* Which takes a while, as the file is said to be long. */
	assert_int_equal(sh(&rig, "truncate -s 100G disk"), 0);
	assert_int_equal(rig_open(&rig, "disk", false, false), 0);
	began = own_time();
	assert_int_equal(rig_move(&rig, true, buf, 0x100000, 512), -EIO);
	first = own_time() - began;
	assert_non_null(strstr(rig.said, "beyond its end"));
	/* Once: a guest writes again and again. */
	began = own_time();
	for (i = 0; i < 10; i++)
		assert_int_equal(rig_move(&rig, true, buf, 0x100000, 512), -EIO);
	assert_true(own_time() - began < first);
	rig_done(&rig);
}

static void backing_files_are_chosen_with_care(void **state)
{
	struct rig rig;

	need_qemu_img();
	rig_init(&rig);
	assert_int_equal(sh(&rig, "qemu-img create -q -f qcow2 base 1M && qemu-img "
			    "create -q -f qcow2 -b base -F qcow2 disk && truncate "
			    "-s 1M raw && qemu-img create -q -f qcow2 -b raw -F raw "
			    "r"), 0);
	assert_int_equal(rig_open(&rig, "disk", false, false), 0);
	qcow2_close(rig.q);
	rig.q = NULL;

	/* The format's extension becomes one that nobody knows. */
	put32(&rig, "disk", 112, 0x11111111);
	assert_refused(&rig, true, "looks like qcow2");
	put32(&rig, "r", 112, 0x11111111);
	assert_int_equal(rig_open(&rig, "r", true, false), 0);
	qcow2_close(rig.q);
	rig.q = NULL;

	assert_int_equal(sh(&rig, "qemu-img rebase -u -b raw -F qcow2 disk"), 0);
	assert_refused(&rig, true, "said to be a qcow2 image and is none");
	assert_int_equal(sh(&rig, "qemu-img rebase -u -b base -F vmdk disk"), 0);
	assert_refused(&rig, true, "has the format 'vmdk'");
	assert_int_equal(sh(&rig, "qemu-img rebase -u -b none -F raw disk"), 0);
	assert_refused(&rig, true, "none': No such file or directory");
	assert_int_equal(sh(&rig, "qemu-img rebase -u -b nbd:h:1 -F raw disk"), 0);
	assert_refused(&rig, true, "'nbd:h:1', which is not a file");
	assert_int_equal(sh(&rig, "qemu-img rebase -u -b /tmp -F raw disk"), 0);
	assert_refused(&rig, true, "'/tmp': is a directory");
	/* A circle. */
	assert_int_equal(sh(&rig, "qemu-img rebase -u -b disk -F qcow2 disk"), 0);
	assert_refused(&rig, true, "or a circle");
	/* One that is damaged says which it is. */
	assert_int_equal(sh(&rig, "qemu-img rebase -u -b base -F qcow2 disk"), 0);
	put32(&rig, "base", 20, 30);
	assert_refused(&rig, true, "base': its clusters have 2^30");
	rig_done(&rig);
}

static void backing_files_are_locked_against_writers(void **state)
{
	struct block_open_config open = { 0 };
	struct block_opened file;
	struct rig rig;

	need_qemu_img();
	rig_init(&rig);
	assert_int_equal(sh(&rig, "truncate -s 1M base && qemu-img create -q -f "
			    "qcow2 -b base -F raw disk && qemu-img create -q -f "
			    "qcow2 -b base -F raw other"), 0);
	open.path = rig_path(&rig, "base");
	assert_int_equal(block_open(&open, &file), 0);
	assert_refused(&rig, false, "is being written to by another program");
	block_opened_close(&file);
	assert_int_equal(rig_open(&rig, "disk", false, false), 0);
	open.path = rig_path(&rig, "base");
	assert_int_equal(block_open(&open, &file), -EBUSY);
	/* But it can have many readers. */
	open.read_only = true;
	assert_int_equal(block_open(&open, &file), 0);
	block_opened_close(&file);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_that_make_no_sense_are_refused),
		cmocka_unit_test(an_unknown_feature_is_named),
		cmocka_unit_test(tables_that_lead_nowhere_are_refused),
		cmocka_unit_test(entries_that_lead_nowhere_are_io_errors),
		cmocka_unit_test(a_table_that_counts_as_free_is_not_overwritten),
		cmocka_unit_test(
			used_clusters_without_end_are_not_searched_for_ever),
		cmocka_unit_test(backing_files_are_chosen_with_care),
		cmocka_unit_test(backing_files_are_locked_against_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
