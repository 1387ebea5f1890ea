// SPDX-License-Identifier: MIT
/* The block device over real images: resets with requests under way, pinned memory. */
#include "blk_real_rig.h"

#define DISK MIB(4)

static void over_each_kind(void (*test)(struct real *real, enum kind kind))
{
	char path[] = "/tmp/test-blk-real-XXXXXX";
	struct real real;
	unsigned kind;
	int fd, r;

	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	for (kind = RAW_URING; kind <= QCOW2; kind++) {
		real_create(path, kind, DISK);
		r = real_open(&real, path, kind);
		if (r == 0)
			test(&real, kind);
		else
			print_message("not here: %s\n", kind_names[kind]);
		assert_true(r == 0 || kind == RAW_URING);
		real_done(&real);
	}
	unlink(path);
}

/* After the reset nothing of before reaches memory: neither data nor a status. */
static void reset_often(struct real *real, enum kind kind)
{
	struct rig *rig = &real->rig;
	unsigned round, i;

	rig_device(rig, 1, 128, NULL);
	for (round = 0; round < 40; round++) {
		rig_start(rig, 128, F_ALL, round & 1 ? VDRV_PACKED : 0);
		for (i = 0; i < 32; i++) {
			memset(at(rig, DATA_AT(i)), (int)(round + 1), 4096);
			add(rig, 0, i, i & 1 ? IN : OUT, i * 16 + round, 4096);
		}
		add(rig, 0, 32, FLUSH, 0, 0);
		notify(rig, 0);
		if (round & 2)
			real_wait(real, 5);
		rig_reset(rig);
		memset(rig->mem, 0xcd, RAM_LEN);
		real_wait(real, 1);
		for (i = 0; i < RAM_LEN; i++)
			if (rig->mem[i] != 0xcd)
				break;
		assert_int_equal(i, RAM_LEN);
	}
	rig_start(rig, 128, F_ALL, 0);
	add(rig, 0, 0, IN, 0, 512);
	notify(rig, 0);
	real_take(real, 1);
	assert_int_equal(status_of(rig, 0), OK);
}

static void a_reset_stops_what_is_under_way(void **state)
{
	over_each_kind(reset_often);
}

static void go_round(struct real *real, enum kind kind)
{
	static const struct { uint16_t size; unsigned flags; } queues[] = {
		{ 1, VDRV_PACKED }, { 4, 0 }, { 1024, 0 }, { 1024, VDRV_PACKED },
	};
	struct rig *rig = &real->rig;
	unsigned i, n;
	int id;

	rig_device(rig, 1, 1024, NULL);
	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		rig_start(rig, queues[i].size, F_ALL, queues[i].flags);
		for (n = 0; n < 300; n++) {
			struct vdrv_buf bufs[] = {
				{ HEADER_AT(0), 16, false },
				{ DATA_AT(0), 512, false },
				{ STATUS_AT(0), 1, true },
			};

			put_header(rig, 0, OUT, n);
			put_le32(at(rig, DATA_AT(0)), n);
			id = vdrv_add_indirect(&rig->drv[0], bufs, 3,
					       TABLE_AT(0));
			assert_true(id >= 0);
			notify(rig, 0);
			real_take(real, 1);
			assert_int_equal(status_of(rig, 0), OK);
		}
		rig_reset(rig);
	}
}

static void queues_of_one_entry_and_of_many_go_round(void **state)
{
	over_each_kind(go_round);
}

static void read_back(struct real *real, enum kind kind)
{
	struct rig *rig = &real->rig;
	struct iovec memory = { rig->mem, RAM_LEN };
	int r = block_pin(rig->blk, &memory, 1);

	if (kind != RAW_URING)
		assert_int_equal(r, -EOPNOTSUPP);
	else
		/* The one error that a sane host may give. */
		assert_true(r == 0 || r == -ENOMEM);
	rig_device(rig, 1, 64, NULL);
	rig_start(rig, 64, F_ALL, 0);
	memset(at(rig, DATA_AT(0)), 0x77, 4096);
	memset(at(rig, DATA_AT(1)), 0, 4096);
	add(rig, 0, 0, OUT, 40, 4096);
	notify(rig, 0);
	real_take(real, 1);
	add(rig, 0, 1, IN, 40, 4096);
	notify(rig, 0);
	real_take(real, 1);
	assert_memory_equal(at(rig, DATA_AT(0)), at(rig, DATA_AT(1)), 4096);
}

static void memory_may_be_pinned(void **state)
{
	over_each_kind(read_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_stops_what_is_under_way),
		cmocka_unit_test(queues_of_one_entry_and_of_many_go_round),
		cmocka_unit_test(memory_may_be_pinned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
