// SPDX-License-Identifier: MIT
/* The control queue: VIRTIO 1.2, 5.1.6.5. Classes and commands are its numbers. */
#include <errno.h>

#include "virtio_net_rig.h"

enum { OK = 0, ERR = 1 };

static const uint8_t other[6] = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc };
static const uint8_t group[6] = { 0x01, 0, 0x5e, 0, 0, 0xfb };
static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static struct rig *filtering(void)
{
	struct rig *rig = rig_init(F_ALL);

	assert_int_equal(command(rig, 0, 0, "\0", 1), OK); /* PROMISC off */
	return rig;
}

/* Does a frame to this address come through? vlan: 0 for none. */
static bool arrives(struct rig *rig, const uint8_t mac[6], unsigned vlan)
{
	static const uint8_t header[12];
	uint8_t frame[64] = { 0 };
	uint32_t id, len;

	memcpy(frame, mac, 6);
	frame[12] = vlan ? 0x81 : 0x08;
	frame[14] = (uint8_t)(0xe0 | vlan >> 8); /* with a priority */
	frame[15] = (uint8_t)vlan;
	fake_net_put_bytes(&rig->fn, 0, header, frame, sizeof(frame));
	offer(rig, 0, RX_AT(0), 1526);
	notify(rig, 0);
	settle(rig);
	assert_int_equal(fake_net_waiting(&rig->fn, 0), 0);
	if (!vdrv_take(&rig->drv[0], &id, &len))
		return false;
	assert_int_equal(len, 12 + 64);
	return true;
}

static uint8_t set_flag(struct rig *rig, uint8_t cmd, bool on)
{
	const uint8_t val = on;

	return command(rig, 0, cmd, &val, 1);
}

static void nothing_is_filtered_until_the_driver_says_so(void **state)
{
	struct rig *rig = rig_init(F_ALL);

	assert_true(arrives(rig, rig_mac, 0));
	assert_true(arrives(rig, other, 0));
	assert_true(arrives(rig, group, 0));
	assert_true(arrives(rig, other, 77));
	assert_int_equal(set_flag(rig, 0, false), OK);
	assert_true(arrives(rig, rig_mac, 0));
	assert_true(arrives(rig, all, 0));
	assert_false(arrives(rig, other, 0));
	assert_false(arrives(rig, group, 0));
	rig_reset(rig);
	rig_start(rig, 16, F_ALL, 0);
	assert_true(arrives(rig, other, 0));
	rig_done(rig);
}

static void the_receive_modes_do_what_they_say(void **state)
{
	static const struct {
		uint8_t cmd;
		bool mine, others, groups, alls; /* with it on */
	} cases[] = {
		{ 0, true, true, true, true },	  /* PROMISC */
		{ 1, true, false, true, true },	  /* ALLMULTI */
		{ 2, true, true, false, true },	  /* ALLUNI */
		{ 3, true, false, false, true },  /* NOMULTI */
		{ 4, false, false, false, true }, /* NOUNI */
		{ 5, true, false, false, false }, /* NOBCAST */
	};
	struct rig *rig = filtering();
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(set_flag(rig, cases[i].cmd, true), OK);
		assert_int_equal(arrives(rig, rig_mac, 0), cases[i].mine);
		assert_int_equal(arrives(rig, other, 0), cases[i].others);
		assert_int_equal(arrives(rig, group, 0), cases[i].groups);
		assert_int_equal(arrives(rig, all, 0), cases[i].alls);
		assert_int_equal(set_flag(rig, cases[i].cmd, false), OK);
	}
	rig_done(rig);
}

static uint32_t put_macs(uint8_t *p, uint32_t count, const uint8_t *mac)
{
	uint32_t i;

	put_le32(p, count);
	for (i = 0; i < count; i++)
		memcpy(p + 4 + 6 * i, mac, 6);
	return 4 + 6 * count;
}

static void addresses_are_filtered_by_table(void **state)
{
	static const uint8_t third[6] = { 2, 0, 0, 0, 0, 1 };
	struct rig *rig = filtering();
	uint8_t buf[2000];
	uint32_t len;

	len = put_macs(buf, 2, other);
	len += put_macs(buf + len, 1, group);
	assert_int_equal(command(rig, 1, 0, buf, len), OK);
	assert_true(arrives(rig, rig_mac, 0));
	assert_true(arrives(rig, other, 0));
	assert_true(arrives(rig, group, 0));
	assert_false(arrives(rig, third, 0));
	/* A table that is cut short changes nothing. */
	assert_int_equal(command(rig, 1, 0, buf, len - 1), ERR);
	put_le32(buf, UINT32_MAX);
	assert_int_equal(command(rig, 1, 0, buf, len), ERR);
	put_le32(buf, 0x2aaaaaab); /* times 6 is 2 in 32 bits */
	assert_int_equal(command(rig, 1, 0, buf, len), ERR);
	assert_true(arrives(rig, group, 0));
	/* One too large lets all of its kind through. */
	len = put_macs(buf, 200, other);
	len += put_macs(buf + len, 0, group);
	assert_int_equal(command(rig, 1, 0, buf, len), OK);
	assert_true(arrives(rig, third, 0));
	assert_false(arrives(rig, group, 0));
	len = put_macs(buf, 0, other);
	len += put_macs(buf + len, 0, group);
	assert_int_equal(command(rig, 1, 0, buf, len), OK);
	assert_false(arrives(rig, third, 0));
	rig_done(rig);
}

static void the_address_can_be_changed_until_a_reset(void **state)
{
	struct rig *rig = filtering();
	uint8_t mac[6];

	assert_int_equal(command(rig, 1, 1, other, 5), ERR);
	assert_int_equal(command(rig, 1, 1, other, 6), OK);
	assert_true(arrives(rig, other, 0));
	assert_false(arrives(rig, rig_mac, 0));
	virtio_config_read(rig->vd, 0, mac, 6);
	assert_memory_equal(mac, other, 6);
	rig_reset(rig);
	virtio_config_read(rig->vd, 0, mac, 6);
	assert_memory_equal(mac, rig_mac, 6);
	rig_done(rig);
}

static void vlans_are_filtered_by_number(void **state)
{
	struct rig *rig = filtering();

	assert_false(arrives(rig, rig_mac, 0x123));
	assert_int_equal(command(rig, 2, 0, "\x23\x01", 2), OK);
	assert_true(arrives(rig, rig_mac, 0x123));
	assert_false(arrives(rig, other, 0x123));
	assert_false(arrives(rig, rig_mac, 0x23));
	assert_int_equal(command(rig, 2, 1, "\x23\x01", 2), OK);
	assert_false(arrives(rig, rig_mac, 0x123));
	assert_int_equal(command(rig, 2, 0, "\xff\x0f", 2), OK);
	assert_true(arrives(rig, rig_mac, 0xfff));
	assert_int_equal(command(rig, 2, 0, "\x00\x10", 2), ERR);
	assert_int_equal(command(rig, 2, 0, "\x00", 1), ERR);
	rig_reset(rig);
	/* A driver that does not filter them gets them all. */
	rig_start(rig, 16, F_ALL & ~F(CTRL_VLAN), 0);
	assert_int_equal(set_flag(rig, 0, false), OK);
	assert_true(arrives(rig, rig_mac, 0x123));
	rig_done(rig);
}

static void offloads_can_be_turned_off_and_on(void **state)
{
	struct rig *rig = rig_prepare();
	uint8_t bits[8];

	rig_device(rig, 1, 0);
	rig_start(rig, 16, F_ALL & ~F(GUEST_TSO6), 0);
	assert_true(rig->fn.to_guest.tso4);
	put_le64(bits, 0);
	assert_int_equal(command(rig, 5, 0, bits, 8), OK);
	assert_false(rig->fn.to_guest.csum || rig->fn.to_guest.tso4);
	put_le64(bits, F(GUEST_CSUM) | F(GUEST_TSO4));
	assert_int_equal(command(rig, 5, 0, bits, 8), OK);
	assert_true(rig->fn.to_guest.csum && rig->fn.to_guest.tso4);
	assert_false(rig->fn.to_guest.ecn);
	/* What was not agreed to, and what is no offload. */
	put_le64(bits, F(GUEST_CSUM) | F(GUEST_TSO6));
	assert_int_equal(command(rig, 5, 0, bits, 8), ERR);
	put_le64(bits, F(MRG_RXBUF));
	assert_int_equal(command(rig, 5, 0, bits, 8), ERR);
	assert_int_equal(command(rig, 5, 0, bits, 7), ERR);
	assert_true(rig->fn.to_guest.tso4);
	rig_done(rig);
}

static void pairs_are_used_once_they_are_asked_for(void **state)
{
	static const uint8_t header[12];
	struct rig *rig = rig_prepare();
	uint8_t buf[2];
	unsigned i;
	int id;

	rig_device(rig, 3, 0);
	rig_start(rig, 16, F_ALL, 0);
	assert_int_equal(rig->fn.pairs, 1);
	for (i = 0; i < 3; i++) {
		offer(rig, i, RX_AT(i), 1526);
		notify(rig, 2 * i);
		fake_net_put(&rig->fn, i, (uint8_t)i, 60);
	}
	settle(rig);
	assert_false(nothing_used(rig, 0));
	assert_true(nothing_used(rig, 2));
	for (i = 0; i < 5; i++) {
		put_le16(buf, (uint16_t)(i == 4 ? 0x8000 : i));
		assert_int_equal(command(rig, 4, 0, buf, 2),
				 i >= 1 && i <= 3 ? OK : ERR);
	}
	assert_int_equal(command(rig, 4, 0, buf, 1), ERR);
	assert_int_equal(rig->fn.pairs, 3);
	/* Buffers that they were given before are used now. */
	for (i = 1; i < 3; i++) {
		assert_false(nothing_used(rig, 2 * i));
		assert_frame(rig, RX_AT(i) + 12, (uint8_t)i, 60);
	}
	id = send_frame(rig, 2, 0, header, 60);
	notify(rig, 5);
	assert_int_equal(take(rig, 5, id), 0);
	assert_int_equal(rig->fn.sent_pair, 2);

	/* Fewer again: nothing comes any more. */
	offer(rig, 2, RX_AT(9), 1526);
	notify(rig, 4);
	assert_true(rig->fn.pair[2].listening);
	assert_int_equal(command(rig, 4, 0, "\1\0", 2), OK);
	assert_int_equal(rig->fn.pairs, 1);
	assert_false(rig->fn.pair[2].listening);
	notify(rig, 4);
	assert_false(rig->fn.pair[2].listening);
	rig_reset(rig);
	rig_start(rig, 16, F_ALL, 0);
	assert_int_equal(rig->fn.pairs, 1);
	rig_done(rig);
}

/* Room to send, which came while it was not used, is not told again. */
static void a_pair_that_is_used_again_sends_what_waited(void **state)
{
	static const uint8_t header[12];
	struct rig *rig = rig_prepare();
	int id;

	rig_device(rig, 2, 0);
	rig_start(rig, 16, F_ALL, 0);
	assert_int_equal(command(rig, 4, 0, "\2\0", 2), OK);
	rig->fn.send_error = -EAGAIN;
	id = send_frame(rig, 1, 0, header, 60);
	notify(rig, 3);
	assert_true(nothing_used(rig, 3));
	assert_int_equal(command(rig, 4, 0, "\1\0", 2), OK);
	rig->fn.send_error = 0;
	rig->fn.ready(rig->fn.opaque, 1);
	assert_true(nothing_used(rig, 3));
	assert_int_equal(command(rig, 4, 0, "\2\0", 2), OK);
	assert_int_equal(take(rig, 3, id), 0);
	assert_int_equal(rig->fn.sent_pair, 1);
	rig_done(rig);
}

/* 5.1.2: then the control queue is the third. */
static void without_mq_there_is_one_pair(void **state)
{
	struct rig *rig = rig_prepare();

	rig_device(rig, 3, 0);
	rig_start(rig, 16, F_ALL & ~F(MQ), 0);
	assert_int_equal(set_flag(rig, 0, false), OK);
	assert_int_equal(command(rig, 4, 0, "\2\0", 2), ERR);
	offer(rig, 2, RX_AT(9), 1526);
	notify(rig, 4);
	notify(rig, 6);
	assert_int_equal(rig->fn.pairs, 1);
	rig_done(rig);
}

static void what_was_not_agreed_to_is_an_error(void **state)
{
	static const struct {
		unsigned feature;
		uint8_t class, cmd, data[8], len;
	} cases[] = {
		{ CTRL_RX, 0, 0, { 0 }, 1 },
		{ RX_EXTRA, 0, 2, { 1 }, 1 },
		{ CTRL_RX, 1, 0, { 0 }, 8 },
		{ CTRL_MAC, 1, 1, { 2 }, 6 },
		{ CTRL_VLAN, 2, 0, { 1 }, 2 },
		{ MQ, 4, 0, { 1 }, 2 },
		{ GUEST_OFFLOADS, 5, 0, { 0 }, 8 },
	};
	struct rig *rig = rig_prepare();
	unsigned i;

	rig_device(rig, 2, 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		rig_start(rig, 16, F_ALL, 0);
		assert_int_equal(command(rig, cases[i].class, cases[i].cmd,
					 cases[i].data, cases[i].len),
				 OK);
		rig_reset(rig);
		rig_start(rig, 16, F_ALL & ~F(cases[i].feature), 0);
		assert_int_equal(command(rig, cases[i].class, cases[i].cmd,
					 cases[i].data, cases[i].len),
				 ERR);
		rig_reset(rig);
	}
	rig_start(rig, 16, F_ALL, 0);
	assert_int_equal(command(rig, 3, 0, "", 0), ERR); /* ANNOUNCE_ACK */
	assert_int_equal(command(rig, 0, 6, "\1", 1), ERR);
	assert_int_equal(command(rig, 0, 0, "", 0), ERR);
	assert_int_equal(command(rig, 255, 255, "\1", 1), ERR);
	rig_reset(rig);
	/* Without the feature there is no such queue. */
	rig_start(rig, 16, F(MRG_RXBUF), 0);
	offer(rig, 1, CMD_AT, 16);
	notify(rig, 2);
	assert_true(nothing_used(rig, 2));
	assert_int_equal(rig->vd->status, 15);
	rig_done(rig);
}

#define T(fn) cmocka_unit_test(fn)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_is_filtered_until_the_driver_says_so),
		T(the_receive_modes_do_what_they_say),
		T(addresses_are_filtered_by_table),
		T(the_address_can_be_changed_until_a_reset),
		T(vlans_are_filtered_by_number),
		T(offloads_can_be_turned_off_and_on),
		T(pairs_are_used_once_they_are_asked_for),
		T(a_pair_that_is_used_again_sends_what_waited),
		T(without_mq_there_is_one_pair),
		T(what_was_not_agreed_to_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
