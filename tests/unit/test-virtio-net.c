// SPDX-License-Identifier: MIT
/* The network device, VIRTIO 1.2, 5.1: what it offers, and frames that are sent. */
#include <errno.h>

#include "virtio_net_rig.h"

static const uint8_t plain[12];

static uint64_t config(struct rig *rig, unsigned off, unsigned len)
{
	uint8_t buf[8] = { 0 };

	virtio_config_read(rig->vd, off, buf, len);
	return get_le64(buf);
}

static void the_configuration_space_says_what_the_network_is(void **state)
{
	struct rig *rig = rig_prepare();
	uint8_t mac[6];

	rig->fn.net.info.mtu = 9000;
	rig_device(rig, 3, 0);
	assert_int_equal(rig->vd->ops->id, 1);
	assert_int_equal(rig->vd->queues, 7);
	virtio_config_read(rig->vd, 0, mac, 6);
	assert_memory_equal(mac, rig_mac, 6);
	assert_int_equal(config(rig, 6, 2), 1); /* status: VIRTIO_NET_S_LINK_UP */
	assert_int_equal(config(rig, 8, 2), 3);	    /* max_virtqueue_pairs */
	assert_int_equal(config(rig, 10, 2), 9000); /* mtu */
	assert_in_range(config(rig, 12, 4), 0, INT32_MAX); /* speed */
	assert_int_equal(config(rig, 16, 1), 1);	   /* duplex: full */
	rig_done(rig);
}

static void what_is_offered_is_what_the_network_can_do(void **state)
{
	/* MAC, MRG_RXBUF, STATUS, CTRL_VQ, CTRL_RX, CTRL_VLAN, CTRL_RX_EXTRA,
	 * CTRL_MAC_ADDR, SPEED_DUPLEX */
	const uint64_t always = F(5) | F(15) | F(16) | F(17) | F(18) | F(19) |
				F(20) | F(23) | F(63);
	/* What of 5.1.3 each thing that the network can do adds. */
	static const struct {
		struct net_offload from, to;
		uint64_t bits;
	} cases[] = {
		{ { 0 }, { 0 }, 0 },
		{ { .csum = true }, { 0 }, F(0) },
		{ { .csum = true, .tso4 = true }, { 0 }, F(0) | F(11) },
		{ { .csum = true, .tso6 = true }, { 0 }, F(0) | F(12) },
		{ { .csum = true, .tso6 = true, .ecn = true },
		  { 0 },
		  F(0) | F(12) | F(13) },
		{ { .csum = true, .ufo = true }, { 0 }, F(0) | F(14) },
		{ { .csum = true, .uso = true }, { 0 }, F(0) | F(56) },
		/* 5.1.3.1: none of them without another. */
		{ { .tso4 = true, .ufo = true, .uso = true }, { 0 }, 0 },
		{ { .csum = true, .ecn = true }, { 0 }, F(0) },
		{ { 0 }, { .csum = true }, F(1) | F(2) },
		{ { 0 },
		  { .csum = true, .tso4 = true, .tso6 = true, .ecn = true },
		  F(1) | F(2) | F(7) | F(8) | F(9) },
		{ { 0 }, { .csum = true, .ufo = true }, F(1) | F(2) | F(10) },
		{ { 0 },
		  { .csum = true, .uso = true },
		  F(1) | F(2) | F(54) | F(55) },
		{ { 0 }, { .tso4 = true, .tso6 = true, .ecn = true }, 0 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig *rig = rig_prepare();

		rig->fn.net.info.from_guest = cases[i].from;
		rig->fn.net.info.to_guest = cases[i].to;
		rig_device(rig, 1, 0);
		assert_int_equal(rig->vd->offered & ~(UINT64_C(0xff) << 28),
				 always | cases[i].bits);
		rig_done(rig);
	}
	{
		struct rig *rig = rig_prepare();

		rig->fn.net.info.mtu = 1500;
		rig_device(rig, 2, 0);
		assert_true(rig->vd->offered & F(3));  /* MTU */
		assert_true(rig->vd->offered & F(22)); /* MQ */
		rig_done(rig);
	}
}

static void a_network_is_told_what_the_driver_has_agreed_to(void **state)
{
	struct rig *rig = rig_prepare();

	rig_device(rig, 2, 0);
	rig_start(rig, 16, F_ALL, 0);
	assert_true(rig->fn.to_guest.csum && rig->fn.to_guest.tso4 &&
		    rig->fn.to_guest.tso6 && rig->fn.to_guest.ecn &&
		    rig->fn.to_guest.ufo && rig->fn.to_guest.uso);
	assert_int_equal(rig->fn.pairs, 1);
	rig_reset(rig);
	rig_start(rig, 16, F(GUEST_CSUM) | F(GUEST_TSO6), 0);
	assert_true(rig->fn.to_guest.csum && rig->fn.to_guest.tso6);
	assert_false(rig->fn.to_guest.tso4 || rig->fn.to_guest.ecn ||
		     rig->fn.to_guest.ufo || rig->fn.to_guest.uso);
	rig_reset(rig);
	/* A driver that took it without what it needs does not get it. */
	rig_start(rig, 16, F(GUEST_TSO4), 0);
	assert_false(rig->fn.to_guest.csum || rig->fn.to_guest.tso4);
	rig_done(rig);
}

static void bad_sizes_are_refused(void **state)
{
	static const struct {
		unsigned queues;
		uint16_t size;
	} cases[] = { { 17, 0 }, { 3, 0 }, { 1, 100 }, { 1, 2048 } };
	struct rig *rig = rig_prepare();
	struct virtio_device *vd = NULL;
	unsigned i;

	rig->fn.net.info.queues = 2;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct virtio_net_config bad = {
			.ram = &rig->ram,
			.net = &rig->fn.net,
			.queues = cases[i].queues,
			.queue_size = cases[i].size,
		};

		assert_int_equal(virtio_net_new(&bad, &vd), -EINVAL);
		assert_null(vd);
	}
	rig_device(rig, 2, 0);
	rig_done(rig);
}

static void a_frame_that_is_sent_arrives_as_it_was(void **state)
{
	static const unsigned flags[] = { 0, VDRV_PACKED, VDRV_EVENT_IDX,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	struct rig *rig = rig_prepare();
	unsigned i, k;
	int id;

	rig_device(rig, 1, 0);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		rig_start(rig, 16, F_ALL, flags[i]);
		for (k = 0; k < 40; k++) {
			vdrv_interrupts(&rig->drv[1], true);
			id = send_frame(rig, 0, 0, plain, 14 + k);
			notify(rig, 1);
			assert_int_equal(take(rig, 1, id), 0);
			assert_int_equal(rig->fn.sent_count, 1);
			assert_int_equal(rig->fn.sent[0].len, 12 + 14 + k);
			assert_memory_equal(rig->fn.sent[0].bytes,
					    at(rig, TX_AT(0)), 12 + 14 + k);
			/* The header's copy and the guest's own memory. */
			assert_int_equal(rig->fn.sent[0].spans, 2);
			fake_net_forget_sent(&rig->fn);
		}
		assert_int_equal(rig->interrupts[1], 40);
		rig->interrupts[1] = 0;
		rig_reset(rig);
	}
	rig_done(rig);
}

/* 2.7.4.2 */
static void a_frame_may_be_cut_anywhere(void **state)
{
	struct rig *rig = rig_init(F_ALL);
	uint32_t cut;

	for (cut = 1; cut < 12 + 60; cut++) {
		const struct vdrv_buf bufs[] = {
			{ TX_AT(0), cut, false },
			{ TX_AT(0) + cut, 12 + 60 - cut, false },
			{ TX_AT(9), 4, true }, /* no business of ours */
		};
		int id;

		memset(at(rig, TX_AT(0)), 0, 12);
		memset(at(rig, TX_AT(0)) + 12, (int)cut, 60);
		id = vdrv_add(&rig->drv[1], bufs, 3);
		notify(rig, 1);
		assert_int_equal(take(rig, 1, id), 0);
		assert_int_equal(rig->fn.sent_count, 1);
		assert_int_equal(rig->fn.sent[0].len, 72);
		assert_memory_equal(rig->fn.sent[0].bytes, at(rig, TX_AT(0)),
				    72);
		fake_net_forget_sent(&rig->fn);
	}
	rig_done(rig);
}

static void a_network_that_is_busy_is_waited_for(void **state)
{
	struct rig *rig = rig_init(F_ALL);
	int id[3];
	unsigned i;

	rig->fn.send_error = -EAGAIN;
	for (i = 0; i < 3; i++)
		id[i] = send_frame(rig, 0, i, plain, 20 + i);
	notify(rig, 1);
	assert_int_equal(rig->fn.sends, 1);
	assert_true(nothing_used(rig, 1));
	rig->fn.ready(rig->fn.opaque, 0); /* a little early */
	assert_int_equal(rig->fn.sends, 2);
	rig->fn.send_error = 0;
	rig->fn.ready(rig->fn.opaque, 0);
	assert_int_equal(rig->fn.sent_count, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(take(rig, 1, id[i]), 0);
		assert_int_equal(rig->fn.sent[i].len, 12 + 20 + i);
	}
	rig_done(rig);
}

static void a_frame_that_the_host_refuses_is_lost(void **state)
{
	struct rig *rig = rig_init(F_ALL);
	struct virtio_net_drops drops;
	int id;

	rig->fn.send_error = -EIO;
	id = send_frame(rig, 0, 0, plain, 60);
	notify(rig, 1);
	assert_int_equal(take(rig, 1, id), 0);
	virtio_net_drops(rig->vd, &drops);
	assert_int_equal(drops.sent, 1);
	assert_int_equal(rig->vd->status, 15);
	rig_done(rig);
}

static void a_full_queue_is_worked_off_with_few_interrupts(void **state)
{
	struct rig *rig = rig_prepare();
	const struct vdrv_buf buf = { TX_AT(0), 12 + 60, false };
	unsigned i;

	rig_device(rig, 1, 1024);
	rig_start(rig, 1024, F_ALL, VDRV_EVENT_IDX);
	vdrv_interrupts(&rig->drv[1], true);
	for (i = 0; i < 1024; i++)
		assert_true(vdrv_add(&rig->drv[1], &buf, 1) >= 0);
	notify(rig, 1);
	assert_int_equal(rig->agains[1], 1); /* others have their turn */
	settle(rig);
	assert_int_equal(rig->fn.sends, 1024);
	assert_int_equal(rig->interrupts[1], 1);
	for (i = 0; i < 1024; i++)
		assert_false(nothing_used(rig, 1));
	rig_done(rig);
}

/* The queues that the drivers of a pair need least and most. */
static void a_queue_of_one_entry_goes_round(void **state)
{
	static const unsigned flags[] = { 0, VDRV_PACKED };
	struct rig *rig = rig_prepare();
	unsigned i, k;

	rig_device(rig, 1, 0);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		rig_start(rig, 1, F_ALL, flags[i]);
		for (k = 0; k < 70; k++) {
			int id = send_frame(rig, 0, 0, plain, 60);

			notify(rig, 1);
			assert_int_equal(take(rig, 1, id), 0);
			id = offer(rig, 0, RX_AT(0), 1526);
			notify(rig, 0);
			fake_net_put(&rig->fn, 0, (uint8_t)k, 60);
			settle(rig);
			assert_int_equal(take(rig, 0, id), 72);
			assert_frame(rig, RX_AT(0) + 12, (uint8_t)k, 60);
		}
		/* More than the one buffer: there will never be another. */
		offer(rig, 0, RX_AT(0), 1526);
		notify(rig, 0);
		fake_net_put(&rig->fn, 0, 0, 4000);
		fake_net_put(&rig->fn, 0, 7, 60);
		settle(rig);
		assert_int_equal(fake_net_waiting(&rig->fn, 0), 0);
		assert_false(nothing_used(rig, 0));
		assert_frame(rig, RX_AT(0) + 12, 7, 60);
		rig_reset(rig);
	}
	rig_done(rig);
}

#define T(fn) cmocka_unit_test(fn)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_configuration_space_says_what_the_network_is),
		T(what_is_offered_is_what_the_network_can_do),
		T(a_network_is_told_what_the_driver_has_agreed_to),
		T(bad_sizes_are_refused),
		T(a_frame_that_is_sent_arrives_as_it_was),
		T(a_frame_may_be_cut_anywhere),
		T(a_network_that_is_busy_is_waited_for),
		T(a_frame_that_the_host_refuses_is_lost),
		T(a_full_queue_is_worked_off_with_few_interrupts),
		T(a_queue_of_one_entry_goes_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
