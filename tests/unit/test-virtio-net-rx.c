// SPDX-License-Identifier: MIT
/* Frames that a driver receives: VIRTIO 1.2, 5.1.6.3 and 5.1.6.4. */
#include <errno.h>

#include "virtio_net_rig.h"

#define NO_MRG (F_ALL & ~F(MRG_RXBUF))

static uint16_t num_buffers(struct rig *rig, gpa_t gpa)
{
	return get_le16(at(rig, gpa) + 10);
}

static void a_frame_fills_one_buffer_and_no_more(void **state)
{
	static const unsigned flags[] = { 0, VDRV_PACKED, VDRV_EVENT_IDX,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	static const uint64_t wanted[] = { F_ALL, NO_MRG };
	struct rig *rig = rig_prepare();
	unsigned i, k, m;
	int id;

	rig_device(rig, 1, 0);
	for (i = 0; i < 8; i++) {
		m = i / 4;
		rig_start(rig, 16, wanted[m], flags[i % 4]);
		for (k = 0; k < 40; k++) {
			vdrv_interrupts(&rig->drv[0], true);
			id = offer(rig, 0, RX_AT(k), 1526);
			notify(rig, 0);
			fake_net_put(&rig->fn, 0, (uint8_t)k, 1514 - k);
			settle(rig);
			assert_int_equal(take(rig, 0, id), 12 + 1514 - k);
			assert_frame(rig, RX_AT(k) + 12, (uint8_t)k, 1514 - k);
			assert_int_equal(at(rig, RX_AT(k))[12 + 1514 - k],
					 k ? 0xee : 0);
			assert_int_equal(num_buffers(rig, RX_AT(k)), 1);
		}
		assert_int_equal(rig->interrupts[0], 40);
		rig->interrupts[0] = 0;
		rig_reset(rig);
	}
	rig_done(rig);
}

static void a_long_frame_takes_as_many_buffers_as_it_needs(void **state)
{
	static const size_t lens[] = { 14,   88,   89,	 188,  189, 4000,
				       9000, 5000, 1000, 6000, 60,  6300 };
	struct rig *rig = rig_prepare();
	unsigned flags, i, k, n, used = 0, given = 0;
	size_t left, off;

	rig_device(rig, 1, 0);
	for (flags = 0; flags < 4; flags++) {
		rig_start(rig, 256, F_ALL, flags);
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			/* Some wait all the time, some come just now. */
			while (given - used < 100)
				offer(rig, 0, BIG_AT + given++ % 200 * 128, 100);
			notify(rig, 0);
			fake_net_put(&rig->fn, 0, (uint8_t)i, lens[i]);
			settle(rig);
			n = (unsigned)((12 + lens[i] + 99) / 100);
			left = 12 + lens[i];
			for (k = 0, off = 0; k < n; k++, used++) {
				gpa_t to = BIG_AT + used % 200 * 128;
				uint32_t id, len, skip = k ? 0 : 12;

				assert_true(vdrv_take(&rig->drv[0], &id, &len));
				assert_int_equal(len, left < 100 ? left : 100);
				if (k == 0)
					assert_int_equal(num_buffers(rig, to),
							 n);
				assert_frame(rig, to + skip, (uint8_t)(i + off),
					     len - skip);
				off += len - skip;
				left -= len;
			}
			assert_true(nothing_used(rig, 0));
		}
		rig_reset(rig);
		used = given = 0;
	}
	rig_done(rig);
}

static void a_buffer_may_be_in_pieces(void **state)
{
	const struct vdrv_buf bufs[] = {
		{ TX_AT(0), 8, false }, /* no business of ours */
		{ RX_AT(0), 1, true },	{ RX_AT(1), 10, true },
		{ RX_AT(2), 5, true },	{ RX_AT(3), 2000, true },
	};
	struct rig *rig = rig_init(F_ALL);
	int id = vdrv_add(&rig->drv[0], bufs, ARRAY_SIZE(bufs));

	memset(at(rig, TX_AT(0)), 0xee, 8);
	notify(rig, 0);
	fake_net_put(&rig->fn, 0, 1, 100);
	settle(rig);
	assert_int_equal(take(rig, 0, id), 112);
	assert_int_equal(at(rig, RX_AT(1))[9], 1); /* num_buffers, low */
	assert_int_equal(at(rig, RX_AT(2))[0], 0);
	assert_frame(rig, RX_AT(2) + 1, 1, 4);
	assert_frame(rig, RX_AT(3), 5, 96);
	assert_int_equal(at(rig, TX_AT(0))[0], 0xee);
	rig_done(rig);
}

static void without_buffers_nobody_listens(void **state)
{
	static const unsigned flags[] = { 0, VDRV_EVENT_IDX };
	struct rig *rig = rig_prepare();
	unsigned i;

	rig_device(rig, 1, 0);
	for (i = 0; i < 2; i++) {
		rig_start(rig, 16, F_ALL, flags[i]);
		assert_false(rig->fn.pair[0].listening);
		fake_net_put(&rig->fn, 0, 0, 60);
		offer(rig, 0, RX_AT(0), 1526);
		assert_true(vdrv_should_notify(&rig->drv[0]));
		notify(rig, 0);
		assert_int_equal(fake_net_waiting(&rig->fn, 0), 0);
		/* And it has asked for a notification before it stopped. */
		assert_false(rig->fn.pair[0].listening);
		offer(rig, 0, RX_AT(1), 1526);
		assert_true(vdrv_should_notify(&rig->drv[0]));
		notify(rig, 0);
		assert_true(rig->fn.pair[0].listening);
		/* Further buffers are no news. */
		offer(rig, 0, RX_AT(2), 1526);
		assert_false(vdrv_should_notify(&rig->drv[0]));
		rig_reset(rig);
		assert_false(rig->fn.pair[0].listening);
	}
	rig_done(rig);
}

static void a_frame_waits_half_received_for_more_buffers(void **state)
{
	struct rig *rig = rig_init(F_ALL);
	int id[5];
	unsigned i, at_byte = 0;

	for (i = 0; i < 2; i++)
		id[i] = offer(rig, 0, RX_AT(i), 1000);
	notify(rig, 0);
	fake_net_put(&rig->fn, 0, 9, 4500);
	fake_net_put(&rig->fn, 0, 1, 60);
	settle(rig);
	assert_true(nothing_used(rig, 0));
	assert_false(rig->fn.pair[0].listening);
	id[2] = offer(rig, 0, RX_AT(2), 1000);
	notify(rig, 0);
	assert_true(nothing_used(rig, 0));
	for (i = 3; i < 5; i++)
		id[i] = offer(rig, 0, RX_AT(i), 1000);
	notify(rig, 0);
	settle(rig);
	for (i = 0; i < 5; i++) {
		unsigned skip = i ? 0 : 12;
		uint32_t len = take(rig, 0, id[i]);

		assert_int_equal(len, i == 4 ? 512 : 1000);
		assert_frame(rig, RX_AT(i) + skip, (uint8_t)(9 + at_byte),
			     len - skip);
		at_byte += len - skip;
	}
	assert_int_equal(num_buffers(rig, RX_AT(0)), 5);
	id[0] = offer(rig, 0, RX_AT(0), 1000);
	notify(rig, 0);
	assert_int_equal(take(rig, 0, id[0]), 72);
	rig_done(rig);
}

static void what_does_not_fit_is_lost_and_the_buffer_kept(void **state)
{
	struct rig *rig = rig_init(NO_MRG);
	struct virtio_net_drops drops;
	int id = offer(rig, 0, RX_AT(0), 1526);

	notify(rig, 0);
	fake_net_put(&rig->fn, 0, 0, 1515);
	fake_net_put(&rig->fn, 0, 0, 13); /* less than an Ethernet header */
	fake_net_put(&rig->fn, 0, 0, 65551);
	fake_net_put(&rig->fn, 0, 0, 200000);
	fake_net_put(&rig->fn, 0, 5, 1514);
	settle(rig);
	assert_int_equal(take(rig, 0, id), 1526);
	assert_frame(rig, RX_AT(0) + 12, 5, 1514);
	virtio_net_drops(rig->vd, &drops);
	assert_int_equal(drops.received, 4);
	rig_done(rig);
}

static void the_longest_frame_gets_through(void **state)
{
	static const uint64_t wanted[] = { F_ALL, NO_MRG };
	struct rig *rig = rig_prepare();
	unsigned i;
	int id;

	rig_device(rig, 1, 0);
	for (i = 0; i < 2; i++) {
		rig_start(rig, 16, wanted[i], 0);
		id = offer(rig, 0, BIG_AT, 65562);
		notify(rig, 0);
		fake_net_put(&rig->fn, 0, 3, 65550);
		settle(rig);
		assert_int_equal(take(rig, 0, id), 65562);
		assert_frame(rig, BIG_AT + 12, 3, 65550);
		rig_reset(rig);
	}
	rig_done(rig);
}

/* 5.1.6.4.1 */
static void the_header_is_the_networks_own(void **state)
{
	/* NEEDS_CSUM, TCPV4, hdr_len 54, gso_size 1448, csum 34 + 16 */
	static const uint8_t header[12] = { 1,	1, 54, 0, 0xa8, 5,
					    34, 0, 16, 0, 0xaa, 0xaa };
	uint8_t bytes[200] = { 0 };
	struct rig *rig = rig_init(F_ALL);

	offer(rig, 0, RX_AT(0), 1526);
	notify(rig, 0);
	fake_net_put_bytes(&rig->fn, 0, header, bytes, sizeof(bytes));
	settle(rig);
	assert_memory_equal(at(rig, RX_AT(0)), header, 10);
	assert_int_equal(num_buffers(rig, RX_AT(0)), 1);
	rig_reset(rig);

	/* Without GUEST_CSUM flags are 0, whatever the host says of a checksum. */
	rig_start(rig, 16, F_ALL & ~F(GUEST_CSUM), 0);
	offer(rig, 0, RX_AT(0), 1526);
	notify(rig, 0);
	fake_net_put_bytes(&rig->fn, 0, (const uint8_t[12]){ 2 }, bytes,
			   sizeof(bytes));
	settle(rig);
	assert_int_equal(at(rig, RX_AT(0))[0], 0);
	rig_done(rig);
}

static void frames_are_read_where_they_belong_once_their_size_is_known(void **state)
{
	struct rig *rig = rig_init(F_ALL);
	unsigned i;

	for (i = 0; i < 40; i++)
		offer(rig, 0, RX_AT(i), 1526);
	notify(rig, 0);
	fake_net_put(&rig->fn, 0, 0, 9000);
	fake_net_put(&rig->fn, 0, 0, 9000);
	settle(rig);
	/* The six buffers that it took before, and the room behind. */
	assert_in_range(rig->fn.direct, 7, 16);
	for (i = 0; i < 12; i++)
		assert_false(nothing_used(rig, 0));
	assert_true(nothing_used(rig, 0));
	rig_done(rig);
}

static void many_frames_cost_few_interrupts(void **state)
{
	struct rig *rig = rig_prepare();
	unsigned i;

	rig_device(rig, 1, 1024);
	rig_start(rig, 1024, F_ALL, VDRV_EVENT_IDX);
	vdrv_interrupts(&rig->drv[0], true);
	for (i = 0; i < 600; i++) {
		offer(rig, 0, BIG_AT + i * 128, 128);
		fake_net_put(&rig->fn, 0, (uint8_t)i, 60);
	}
	notify(rig, 0);
	assert_int_equal(rig->agains[0], 1); /* others have their turn */
	settle(rig);
	assert_int_equal(fake_net_waiting(&rig->fn, 0), 0);
	assert_int_equal(rig->interrupts[0], 1);
	for (i = 0; i < 600; i++)
		assert_false(nothing_used(rig, 0));
	rig_done(rig);
}

static void a_network_that_breaks_is_left_alone(void **state)
{
	struct rig *rig = rig_init(F_ALL);

	offer(rig, 0, RX_AT(0), 1526);
	notify(rig, 0);
	rig->fn.receive_error = -EBADFD;
	fake_net_put(&rig->fn, 0, 0, 60);
	settle(rig);
	assert_false(rig->fn.pair[0].listening);
	assert_int_equal(rig->notices, 1);
	notify(rig, 0);
	assert_int_equal(rig->notices, 1);
	rig->fn.receive_error = 0;
	notify(rig, 0);
	assert_false(nothing_used(rig, 0));
	rig_done(rig);
}

static void a_reset_in_the_middle_forgets_it_all(void **state)
{
	struct rig *rig = rig_prepare();
	static const uint8_t header[12];
	unsigned i;

	rig_device(rig, 1, 0);
	for (i = 0; i < 200; i++) {
		rig_start(rig, 16, F_ALL, i & 1 ? VDRV_PACKED : 0);
		offer(rig, 0, RX_AT(0), 100);
		offer(rig, 0, RX_AT(1), 100);
		notify(rig, 0);
		fake_net_put(&rig->fn, 0, 0, 250);
		settle(rig); /* it lacks a buffer */
		rig->fn.send_error = -EAGAIN;
		send_frame(rig, 0, 0, header, 60);
		notify(rig, 1);
		rig_reset(rig);
		memset(at(rig, RX_AT(0)), 0x11, 0x2000);
		rig->fn.ready(rig->fn.opaque, 0); /* it was on its way */
		assert_true(nothing_used(rig, 0));
		assert_true(nothing_used(rig, 1));
		assert_int_equal(at(rig, RX_AT(0))[0], 0x11);
		assert_int_equal(at(rig, RX_AT(1))[0], 0x11);
		rig->fn.send_error = 0;
	}
	rig_start(rig, 16, F_ALL, 0);
	offer(rig, 0, RX_AT(0), 100);
	notify(rig, 0);
	fake_net_put(&rig->fn, 0, 4, 60);
	settle(rig);
	assert_false(nothing_used(rig, 0));
	assert_frame(rig, RX_AT(0) + 12, 4, 60);
	assert_int_equal(rig->fn.sent_count, 0);
	rig_done(rig);
}

#define T(fn) cmocka_unit_test(fn)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_frame_fills_one_buffer_and_no_more),
		T(a_long_frame_takes_as_many_buffers_as_it_needs),
		T(a_buffer_may_be_in_pieces),
		T(without_buffers_nobody_listens),
		T(a_frame_waits_half_received_for_more_buffers),
		T(what_does_not_fit_is_lost_and_the_buffer_kept),
		T(the_longest_frame_gets_through),
		T(the_header_is_the_networks_own),
		T(frames_are_read_where_they_belong_once_their_size_is_known),
		T(many_frames_cost_few_interrupts),
		T(a_network_that_breaks_is_left_alone),
		T(a_reset_in_the_middle_forgets_it_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
