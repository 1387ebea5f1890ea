// SPDX-License-Identifier: MIT
/* VIRTIO 1.2, 5.3: a console and two ports. */
#include "virtio_console_rig.h"

static void it_is_a_console_with_room_for_its_ports(void **state)
{
	uint8_t config[12];

	assert_int_equal(f.vd->ops->id, 3);
	assert_int_equal(f.vd->queues, QUEUES);
	assert_int_equal(f.vd->offered & 0xffffff,
			 F_SIZE | F_MULTIPORT | F_EMERG);
	virtio_config_read(f.vd, 0, config, sizeof(config));
	assert_int_equal(get_le16(config), 80);
	assert_int_equal(get_le16(config + 2), 25);
	assert_int_equal(get_le32(config + 4), PORTS);
}

static void a_driver_of_one_port_has_a_console(void **state)
{
	uint8_t *in;
	uint32_t len = 0;

	bring_up(4, 0, 0);
	assert_string_equal(f.events, "+0 ");
	put(TX(0), "hello", 5);
	notify(TX(0));
	assert_out(0, "hello");
	in = offer(RX(0), 16);
	notify(RX(0));
	assert_int_equal(f.port[0].wants, 1);
	assert_int_equal(fake_port_type(&f.port[0], "typed", 5), 5);
	assert_true(take(RX(0), &len));
	assert_int_equal(len, 5);
	assert_memory_equal(in, "typed", 5);
	/* The other queues are none of its business. */
	put(CTL_TX, "\0\0\0\0\0\0\1", 8);
	notify(CTL_TX);
	offer(CTL_RX, 64);
	expect_silence();
	assert_int_equal(fake_port_type(&f.port[1], "x", 1), 0);
	assert_int_equal(f.vd->status, 15);
}

static void ports_are_made_known_as_the_driver_asks(void **state)
{
	static const unsigned flags[] = { 0, VDRV_EVENT_IDX, VDRV_PACKED,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		bring_up(16, F_MULTIPORT, flags[i]);
		offer(CTL_RX, 256);
		expect_silence();
		bring_up(16, F_MULTIPORT, flags[i]);
		meet_ports();
		offer(CTL_RX, 256);
		expect_silence();
		/* A second time it is no news. */
		say(0, READY, 1);
		say(1, PORT_READY, 1);
		expect_silence();
	}
}

static void output_goes_out_whatever_its_pieces(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 64 };
	static const char text[] = "0123456789abcdef";
	struct vdrv_buf bufs[5];
	uint32_t len = 1;
	unsigned i, k, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bring_up(sizes[i], F_MULTIPORT, VDRV_EVENT_IDX);
		f.port[1].out_len = 0;
		for (n = 0; n < 100; n++) {
			memcpy(f.ram + BUF(TX(1), 0), text, 16);
			/* Unaligned, one empty, one not ours to read. */
			for (k = 0; k < 5; k++)
				bufs[k] = (struct vdrv_buf){
					BUF(TX(1), 0) + 5 * (k - (k > 1)),
					k == 1	 ? 0
					: k == 3 ? 6
						 : 5,
					false
				};
			bufs[4] = (struct vdrv_buf){ BUF(TX(1), 1), 8, true };
			assert_true(vdrv_add_indirect(&f.drv[TX(1)], bufs, 5,
						      BUF(TX(1), 2)) >= 0);
			notify(TX(1));
			assert_true(take(TX(1), &len));
			assert_int_equal(len, 0);
		}
		assert_int_equal(f.port[1].out_len, 1600);
		for (n = 0; n < 1600; n++)
			assert_int_equal(f.port[1].out[n], text[n % 16]);
	}
}

static void a_slow_reader_makes_its_own_port_wait(void **state)
{
	uint32_t len;

	bring_up(8, F_MULTIPORT, 0);
	f.port[1].takes = 3;
	put(TX(1), "abcdef", 6);
	put(TX(1), "ghi", 3);
	notify(TX(1));
	assert_out(1, "abc");
	assert_false(take(TX(1), &len));
	notify(TX(1));
	assert_out(1, "abc");
	/* Not so its neighbour. */
	put(TX(0), "x", 1);
	notify(TX(0));
	assert_out(0, "x");
	assert_true(take(TX(0), &len));
	fake_port_take(&f.port[1], 4);
	assert_out(1, "abcdefg");
	assert_true(take(TX(1), &len));
	assert_false(take(TX(1), &len));
	fake_port_take(&f.port[1], SIZE_MAX);
	assert_out(1, "abcdefghi");
	assert_true(take(TX(1), &len));
	assert_int_equal(f.port[0].out_len, 1);
}

static void a_huge_buffer_is_written_in_rounds(void **state)
{
	const struct vdrv_buf buf = { 0, MIB(3), false };
	uint32_t len;

	bring_up(1, F_MULTIPORT, 0);
	assert_true(vdrv_add(&f.drv[TX(1)], &buf, 1) >= 0);
	device_lock(&f.lock);
	virtio_notify(f.vd, TX(1));
	device_unlock(&f.lock);
	assert_in_range(f.port[1].out_len, 1, MIB(2));
	assert_true(f.agains[TX(1)] == 1);
	notify(TX(1));
	assert_int_equal(f.port[1].out_len, MIB(3));
	assert_true(take(TX(1), &len));
}

static void input_waits_for_an_open_port_and_a_buffer(void **state)
{
	uint32_t len = 0;
	uint8_t *a, *b;

	bring_up(8, F_MULTIPORT, VDRV_EVENT_IDX);
	a = offer(RX(1), 4);
	notify(RX(1));
	assert_int_equal(fake_port_type(&f.port[1], "abcdef", 6), 0);
	say(1, OPEN, 1);
	assert_int_equal(f.port[1].wants, 1);
	assert_int_equal(fake_port_type(&f.port[1], "abcdef", 6), 4);
	assert_int_equal(fake_port_type(&f.port[1], "ef", 2), 0);
	/* One without room is given back, and the next is taken. */
	offer(RX(1), 0);
	b = offer(RX(1), 4096);
	notify(RX(1));
	assert_int_equal(f.port[1].wants, 2);
	assert_int_equal(fake_port_type(&f.port[1], "ef", 2), 2);
	assert_true(take(RX(1), &len) && len == 4);
	assert_true(take(RX(1), &len) && len == 0);
	assert_true(take(RX(1), &len) && len == 2);
	assert_memory_equal(a, "abcd", 4);
	assert_memory_equal(b, "ef", 3);
	/* Closed again: a driver would throw it away. */
	offer(RX(1), 16);
	say(1, OPEN, 0);
	assert_int_equal(fake_port_type(&f.port[1], "x", 1), 0);
	say(1, OPEN, 1);
	assert_int_equal(fake_port_type(&f.port[1], "x", 1), 1);
}

static void somebody_coming_and_going_is_told(void **state)
{
	bring_up(8, F_MULTIPORT, 0);
	/* Before the driver knows the port there is nothing to say. */
	f.port[2].front.connected(f.port[2].front.opaque, true);
	f.port[2].front.connected(f.port[2].front.opaque, false);
	meet_ports();
	f.port[2].front.connected(f.port[2].front.opaque, true);
	expect(2, OPEN, 1, 0);
	f.port[2].front.connected(f.port[2].front.opaque, false);
	expect(2, OPEN, 0, 0);
	/* Without a buffer to tell it in, what is true in the end counts. */
	f.port[1].front.connected(f.port[1].front.opaque, false);
	f.port[1].front.connected(f.port[1].front.opaque, true);
	f.port[1].front.connected(f.port[1].front.opaque, false);
	expect(1, OPEN, 0, 0);
	offer(CTL_RX, 256);
	expect_silence();
}

static void a_new_size_is_told_in_the_driver_s_way(void **state)
{
	const uint8_t *more;
	uint8_t config[4];

	/* 5.3.6.2: columns, then rows. */
	bring_up(8, F_MULTIPORT | F_SIZE, 0);
	meet_ports();
	assert_int_equal(virtio_console_resize(f.vd, 0, 132, 43), 0);
	more = expect(0, RESIZE, 1, 4);
	assert_int_equal(get_le16(more), 132);
	assert_int_equal(get_le16(more + 2), 43);
	assert_int_equal(f.changes, 0);
	assert_int_equal(virtio_console_resize(f.vd, 1, 1, 1), -ENOENT);
	assert_int_equal(virtio_console_resize(f.vd, 9, 1, 1), -ENOENT);
	/* 5.3.5: or in the configuration space. */
	bring_up(8, F_SIZE, 0);
	assert_int_equal(virtio_console_resize(f.vd, 0, 100, 30), 0);
	assert_int_equal(f.changes, 1);
	virtio_config_read(f.vd, 0, config, 4);
	assert_int_equal(get_le16(config), 100);
	assert_int_equal(get_le16(config + 2), 30);
	bring_up(8, 0, 0);
	assert_int_equal(virtio_console_resize(f.vd, 0, 101, 30), 0);
	assert_int_equal(f.changes, 1);
}

static void an_emergency_write_needs_no_driver(void **state)
{
	virtio_config_write(f.vd, 8, "!\0\0", 4);
	assert_out(0, "!");
	virtio_config_write(f.vd, 8, "?", 1);
	virtio_config_write(f.vd, 0, "abcd", 4);
	virtio_config_write(f.vd, 9, "abc", 3);
	assert_out(0, "!?");
}

static void an_open_port_is_one_that_the_driver_opened(void **state)
{
	bring_up(8, F_MULTIPORT, 0);
	meet_ports();
	assert_string_equal(f.events, "");
	say(1, OPEN, 1);
	say(1, OPEN, 1);
	assert_string_equal(f.events, "+1 ");
	/* What was written before it was closed comes before the news. */
	f.port[1].takes = 2;
	put(TX(1), "abcd", 4);
	say(1, OPEN, 0);
	assert_out(1, "ab");
	assert_string_equal(f.events, "+1 ");
	fake_port_take(&f.port[1], SIZE_MAX);
	assert_out(1, "abcd");
	assert_string_equal(f.events, "+1 -1 ");
	say(2, OPEN, 1);
	bring_up(8, 0, 0);
	assert_string_equal(f.events, "+1 -1 +2 -2 +0 ");
}

static void a_reset_in_the_midst_leaves_nothing_behind(void **state)
{
	uint32_t len;

	bring_up(8, F_MULTIPORT, 0);
	meet_ports();
	say(1, OPEN, 1);
	offer(RX(1), 16);
	notify(RX(1));
	assert_int_equal(f.port[1].front.room(f.port[1].front.opaque), 16);
	f.port[1].takes = 1;
	put(TX(1), "abc", 3);
	notify(TX(1));
	assert_out(1, "a");
	bring_up(8, F_MULTIPORT, VDRV_PACKED);
	assert_int_equal(virtio_console_pending(f.vd), 0);
	/* What it now says is of another time. */
	f.port[1].front.receive(f.port[1].front.opaque, (const uint8_t *)"x", 1);
	fake_port_take(&f.port[1], SIZE_MAX);
	assert_out(1, "a");
	meet_ports();
	put(TX(1), "z", 1);
	notify(TX(1));
	assert_out(1, "az");
	assert_true(take(TX(1), &len));
}

static void at_the_end_all_is_taken_that_nobody_told_of(void **state)
{
	bring_up(8, F_MULTIPORT, 0);
	f.port[2].takes = 1;
	put(TX(0), "last", 4);
	put(TX(2), "words", 5);
	assert_false(virtio_console_finish(f.vd));
	assert_out(0, "last");
	assert_int_equal(virtio_console_pending(f.vd), 4);
	f.port[0].pending = 100;
	assert_int_equal(virtio_console_pending(f.vd), 104);
	assert_int_equal(f.drained, 0);
	fake_port_take(&f.port[2], SIZE_MAX);
	assert_out(2, "words");
	assert_int_equal(f.drained, 1);
	assert_true(virtio_console_finish(f.vd));
	assert_int_equal(virtio_console_pending(f.vd), 100);
	assert_int_equal(virtio_console_discard(f.vd), 100);
	assert_int_equal(virtio_console_pending(f.vd), 0);
}

/* A guest may start again before it has a driver, and after a first end. */
static void at_a_later_end_all_is_taken_too(void **state)
{
	assert_true(virtio_console_finish(f.vd));
	bring_up(8, F_MULTIPORT, 0);
	put(TX(0), "one", 3);
	assert_true(virtio_console_finish(f.vd));
	assert_out(0, "one");
	bring_up(8, F_MULTIPORT, 0);
	put(TX(0), "two", 3);
	assert_true(virtio_console_finish(f.vd));
	assert_out(0, "onetwo");
}

static void a_reader_that_was_slow_before_a_reset_is_waited_for(void **state)
{
	bring_up(8, F_MULTIPORT, 0);
	f.port[1].takes = 0;
	put(TX(1), "lost", 4);
	notify(TX(1));
	bring_up(8, F_MULTIPORT, 0);
	put(TX(1), "kept", 4);
	notify(TX(1));
	assert_false(virtio_console_finish(f.vd));
	fake_port_take(&f.port[1], SIZE_MAX);
	assert_out(1, "kept");
	assert_int_equal(f.drained, 1);
	assert_true(virtio_console_finish(f.vd));
	/* Or not. */
	f.port[1].takes = 0;
	bring_up(8, F_MULTIPORT, 0);
	put(TX(1), "a", 1);
	notify(TX(1));
	bring_up(8, F_MULTIPORT, 0);
	put(TX(1), "bc", 2);
	assert_false(virtio_console_finish(f.vd));
	assert_int_equal(virtio_console_discard(f.vd), 2);
	assert_true(virtio_console_finish(f.vd));
}

/* What a queue that takes its time has to give when another breaks. */
static void a_driver_that_breaks_the_rules_last_does_not_hold_the_end(void **state)
{
	const struct vdrv_buf huge = { 0x100000, MIB(2) + 1, false };
	const struct vdrv_buf nowhere = { RAM, 8, false };
	unsigned queue;

	for (queue = CTL_TX; queue <= TX(2); queue += TX(2) - CTL_TX) {
		bring_up(8, F_MULTIPORT, 0);
		f.drained = 0;
		assert_true(vdrv_add(&f.drv[TX(1)], &huge, 1) >= 0);
		assert_false(virtio_console_finish(f.vd));
		assert_true(vdrv_add(&f.drv[queue], &nowhere, 1) >= 0);
		notify(queue);
		assert_int_equal(f.vd->status & 64, 64);
		assert_int_equal(f.drained, 1);
		assert_true(virtio_console_finish(f.vd));
		f.agains[TX(1)] = 0;
	}
	/* Both in the first look. */
	bring_up(8, F_MULTIPORT, 0);
	assert_true(vdrv_add(&f.drv[TX(1)], &huge, 1) >= 0);
	assert_true(vdrv_add(&f.drv[TX(2)], &nowhere, 1) >= 0);
	assert_true(virtio_console_finish(f.vd));
	/* But a reader who has what is held is waited for. */
	bring_up(8, F_MULTIPORT, 0);
	f.port[1].out_len = 0;
	f.port[1].takes = 2;
	put(TX(1), "abcd", 4);
	assert_true(vdrv_add(&f.drv[TX(2)], &nowhere, 1) >= 0);
	assert_false(virtio_console_finish(f.vd));
	f.drained = 0;
	fake_port_take(&f.port[1], SIZE_MAX);
	assert_out(1, "abcd");
	assert_int_equal(f.drained, 1);
}

static void what_is_discarded_is_counted(void **state)
{
	bring_up(8, F_MULTIPORT, 0);
	f.port[1].takes = 1;
	put(TX(1), "abc", 3);
	put(TX(1), "defg", 4);
	assert_false(virtio_console_finish(f.vd));
	assert_int_equal(virtio_console_discard(f.vd), 6);
	assert_true(virtio_console_finish(f.vd));
	assert_int_equal(virtio_console_pending(f.vd), 0);
}

static void messages_that_make_no_sense_are_passed_over(void **state)
{
	bring_up(8, F_MULTIPORT, 0);
	say(0, READY, 0);
	say(99, PORT_READY, 1);
	say(UINT32_MAX, OPEN, 1);
	say(0, 77, 1);
	say(0, ADD, 1);
	say(1, PORT_READY, 0);
	offer(CTL_RX, 256);
	expect_silence();
	assert_string_equal(f.events, "");
	assert_int_equal(f.vd->status, 15);
}

static void needs_reset(void)
{
	assert_int_equal(f.vd->status, 15 | 64);
	bring_up(8, F_MULTIPORT, 0);
	meet_ports();
}

static void a_driver_that_breaks_the_rules_needs_a_reset(void **state)
{
	const struct vdrv_buf beyond = { RAM - 8, 16, false };

	bring_up(8, F_MULTIPORT, 0);
	put(CTL_TX, "1234567", 7);
	notify(CTL_TX);
	assert_string_equal(f.vd->why, "control: a message of 7 bytes");
	needs_reset();
	/* No room for a message. */
	bring_up(8, F_MULTIPORT, 0);
	offer(CTL_RX, 7);
	say(0, READY, 1);
	assert_string_equal(f.vd->why,
			    "control: a buffer of 7 bytes for a message of 8");
	needs_reset();
	assert_true(vdrv_add(&f.drv[TX(1)], &beyond, 1) >= 0);
	notify(TX(1));
	assert_int_equal(f.port[1].out_len, 0);
	needs_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_a_console_with_room_for_its_ports),
		T(a_driver_of_one_port_has_a_console),
		T(ports_are_made_known_as_the_driver_asks),
		T(output_goes_out_whatever_its_pieces),
		T(a_slow_reader_makes_its_own_port_wait),
		T(a_huge_buffer_is_written_in_rounds),
		T(input_waits_for_an_open_port_and_a_buffer),
		T(somebody_coming_and_going_is_told),
		T(a_new_size_is_told_in_the_driver_s_way),
		T(an_emergency_write_needs_no_driver),
		T(an_open_port_is_one_that_the_driver_opened),
		T(a_reset_in_the_midst_leaves_nothing_behind),
		T(at_the_end_all_is_taken_that_nobody_told_of),
		T(at_a_later_end_all_is_taken_too),
		T(a_reader_that_was_slow_before_a_reset_is_waited_for),
		T(a_driver_that_breaks_the_rules_last_does_not_hold_the_end),
		T(what_is_discarded_is_counted),
		T(messages_that_make_no_sense_are_passed_over),
		T(a_driver_that_breaks_the_rules_needs_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
