// SPDX-License-Identifier: MIT
/* VIRTIO 1.2, 5.3, with named ports over rings of every kind, and broken buffers. */
#include "virtio_console_rig.h"

static void every_kind_and_size_of_queue_carries_ports(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 64 };
	const uint8_t *in;
	uint32_t len;
	unsigned i, k;

	for (i = 0; i < QUEUES; i++)
		assert_int_equal(f.vd->queue[i].size_max, 64);
	for (i = 0; i < 4 * ARRAY_SIZE(sizes); i++) {
		bring_up(sizes[i / 4], F_MULTIPORT,
			 (i & 1 ? VDRV_PACKED : 0) |
				 (i & 2 ? VDRV_EVENT_IDX : 0));
		meet_ports();
		say(1, OPEN, 1);
		f.port[1].out_len = 0;
		for (k = 0; k < 5; k++) {
			put(TX(1), "abc", 3);
			notify(TX(1));
			assert_true(take(TX(1), &len));
			in = offer(RX(1), 2);
			notify(RX(1));
			assert_int_equal(fake_port_type(&f.port[1], "xyz", 3),
					 2);
			assert_true(take(RX(1), &len));
			assert_int_equal(len, 2);
			assert_memory_equal(in, "xy", 2);
		}
		assert_out(1, "abcabcabcabcabc");
	}
}

/* 5.3.3: SIZE, MULTIPORT and EMERG_WRITE, in any company. */
static void each_feature_may_be_taken_or_left(void **state)
{
	unsigned features;

	assert_true((f.vd->offered & 0xffffff) ==
		    (F_SIZE | F_MULTIPORT | F_EMERG));
	for (features = 0; features < 8; features++) {
		bring_up(8, features, 0);
		if (features & F_MULTIPORT)
			meet_ports();
		f.port[0].out_len = 0;
		put(TX(0), "hello", 5);
		notify(TX(0));
		assert_out(0, "hello");
		/* Nobody has opened it, or nobody has to. */
		assert_int_equal(f.port[0].front.room(f.port[0].front.opaque),
				 0);
		offer(RX(0), 5);
		notify(RX(0));
		if (features & F_MULTIPORT)
			say(0, OPEN, 1);
		assert_int_equal(fake_port_type(&f.port[0], "x", 1), 1);
	}
}

/* Whatever a chain is, it is of no port's business but its own. */
static void broken_buffers_need_a_reset(void **state)
{
	static const struct {
		unsigned queue;
		struct vdrv_buf buf;
		bool input; /* it shows once there is some */
	} cases[] = {
		{ CTL_TX, { BUF(CTL_TX, 0), 0, false }, false },
		{ CTL_TX, { BUF(CTL_TX, 0), 64, true }, false },
		{ CTL_TX, { RAM - 7, 8, false }, false },
		{ CTL_RX, { BUF(CTL_RX, 0), 0, true }, false },
		{ CTL_RX, { BUF(CTL_RX, 0), 256, false }, false },
		{ CTL_RX, { RAM - 255, 256, true }, false },
		{ TX(1), { RAM, 1, false }, false },
		{ TX(2), { UINT64_MAX, 2, false }, false },
		{ RX(1), { RAM - 1, 2, true }, true },
		{ RX(1), { UINT64_MAX - 1, 2, true }, true },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bring_up(8, F_MULTIPORT, i % 2 ? VDRV_PACKED : 0);
		meet_ports();
		say(1, OPEN, 1);
		assert_true(vdrv_add(&f.drv[cases[i].queue], &cases[i].buf,
				     1) >= 0);
		notify(cases[i].queue);
		if (cases[i].queue == CTL_RX)
			virtio_console_resize(f.vd, 0,
					      (uint16_t)(100 + i), 30);
		if (cases[i].input)
			assert_int_equal(fake_port_type(&f.port[1], "x", 1),
					 0);
		assert_int_equal(f.vd->status, 15 | 64);
		if (cases[i].queue == CTL_RX)
			virtio_console_resize(f.vd, 0, 80, 25);
	}
	bring_up(8, F_MULTIPORT, 0);
	meet_ports();
}

/* They come back and do no harm. */
static void buffers_without_use_come_back(void **state)
{
	static const struct vdrv_buf empty = { BUF(RX(1), 0), 0, true };
	static const struct vdrv_buf readable = { BUF(RX(1), 0), 64, false };
	static const struct vdrv_buf writable = { BUF(TX(1), 0), 64, true };
	const struct vdrv_buf none = { UINT64_MAX, 0, false };
	uint32_t len;

	bring_up(8, F_MULTIPORT, 0);
	meet_ports();
	say(1, OPEN, 1);
	assert_true(vdrv_add(&f.drv[RX(1)], &empty, 1) >= 0);
	assert_true(vdrv_add(&f.drv[RX(1)], &readable, 1) >= 0);
	notify(RX(1));
	assert_int_equal(fake_port_type(&f.port[1], "x", 1), 0);
	assert_true(take(RX(1), &len) && len == 0);
	assert_true(take(RX(1), &len) && len == 0);
	assert_true(vdrv_add(&f.drv[TX(1)], &writable, 1) >= 0);
	assert_true(vdrv_add(&f.drv[TX(1)], &none, 1) >= 0);
	notify(TX(1));
	assert_true(take(TX(1), &len) && len == 0);
	assert_true(take(TX(1), &len) && len == 0);
	assert_int_equal(f.port[1].out_len, 0);
	assert_int_equal(f.vd->status, 15);
}

/* A message that is its own answer's place, and input on top of output. */
static void buffers_may_overlap(void **state)
{
	const struct vdrv_buf both[] = { { BUF(CTL_TX, 0), 8, false },
					 { BUF(CTL_TX, 0), 8, true } };
	const struct vdrv_buf one = { BUF(TX(1), 0), 64, false };
	const struct vdrv_buf other = { BUF(TX(1), 0) + 1, 64, true };
	uint32_t len;

	bring_up(8, F_MULTIPORT, 0);
	meet_ports();
	put_le32(f.ram + BUF(CTL_TX, 0), 1);
	put_le16(f.ram + BUF(CTL_TX, 0) + 4, OPEN);
	put_le16(f.ram + BUF(CTL_TX, 0) + 6, 1);
	assert_true(vdrv_add(&f.drv[CTL_TX], both, 2) >= 0);
	notify(CTL_TX);
	assert_true(take(CTL_TX, &len));
	assert_string_equal(f.events, "+1 ");
	assert_true(vdrv_add(&f.drv[RX(1)], &other, 1) >= 0);
	assert_true(vdrv_add(&f.drv[TX(1)], &one, 1) >= 0);
	notify(RX(1));
	assert_int_equal(fake_port_type(&f.port[1], "xy", 2), 2);
	notify(TX(1));
	assert_int_equal(f.port[1].out_len, 64);
	assert_memory_equal(f.port[1].out, "\0xy", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_kind_and_size_of_queue_carries_ports),
		T(each_feature_may_be_taken_or_left),
		T(broken_buffers_need_a_reset),
		T(buffers_without_use_come_back),
		T(buffers_may_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
