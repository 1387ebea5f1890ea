// SPDX-License-Identifier: MIT
/* The network device under a driver that does what it must not. */
#include "virtio_net_rig.h"

/* flags, gso_type, hdr_len, gso_size, csum_start, csum_offset */
struct header {
	uint8_t flags, gso;
	uint16_t hdr_len, gso_size, start, offset;
};

static const uint8_t plain[12];

/* Sends 100 bytes with that header. Does the network get it? */
static bool passes(struct rig *rig, const struct header *h)
{
	const uint8_t bytes[12] = {
		h->flags,
		h->gso,
		(uint8_t)h->hdr_len,
		(uint8_t)(h->hdr_len >> 8),
		(uint8_t)h->gso_size,
		(uint8_t)(h->gso_size >> 8),
		(uint8_t)h->start,
		(uint8_t)(h->start >> 8),
		(uint8_t)h->offset,
		(uint8_t)(h->offset >> 8),
		0xff, /* num_buffers, which nobody reads */
		0xff,
	};
	int id = send_frame(rig, 0, 0, bytes, 100);

	fake_net_forget_sent(&rig->fn);
	notify(rig, 1);
	assert_int_equal(take(rig, 1, id), 0);
	assert_int_equal(rig->vd->status, 15);
	return rig->fn.sent_count == 1;
}

/* 5.1.6.2.1; the fake network checks what reaches it once more. */
static void only_headers_that_make_sense_pass(void **state)
{
	static const struct {
		struct header h;
		uint64_t needs; /* features without which it does not pass */
		bool passes;
	} cases[] = {
		{ { 0, 0, 0, 0, 0, 0 }, 0, true },
		{ { 1, 0, 0, 0, 34, 16 }, F(0), true },
		{ { 1, 0, 0, 0, 82, 16 }, F(0), true }, /* to the last byte */
		{ { 1, 0, 0, 0, 83, 16 }, 0, false },
		{ { 1, 0, 0, 0, 0xffff, 0xffff }, 0, false },
		{ { 1, 0, 0, 0, 0xffff, 1 }, 0, false },
		/* Without the flag they say nothing; nor does hdr_len. */
		{ { 0, 0, 0xffff, 0xffff, 0xffff, 0xffff }, 0, true },
		{ { 0xfe, 0, 0, 0, 0, 0 }, 0, true },
		{ { 1, 1, 54, 40, 34, 16 }, F(0) | F(11), true },
		{ { 1, 4, 74, 10, 54, 16 }, F(0) | F(12), true },
		{ { 1, 0x81, 54, 40, 34, 16 }, F(0) | F(11) | F(13), true },
		{ { 1, 0x84, 74, 10, 54, 16 }, F(0) | F(12) | F(13), true },
		{ { 1, 3, 42, 40, 34, 6 }, F(0) | F(14), true },
		{ { 1, 5, 42, 40, 34, 6 }, F(0) | F(56), true },
		{ { 1, 0x83, 42, 40, 34, 6 }, 0, false },
		{ { 1, 0x80, 0, 40, 34, 6 }, 0, false },
		{ { 1, 2, 54, 40, 34, 16 }, 0, false },
		{ { 1, 0x7f, 54, 40, 34, 16 }, 0, false },
		/* Segments of nothing, without a checksum, past the end. */
		{ { 1, 1, 54, 0, 34, 16 }, 0, false },
		{ { 0, 1, 54, 40, 34, 16 }, 0, false },
		{ { 1, 1, 100, 40, 34, 16 }, F(0) | F(11), true },
		{ { 1, 1, 101, 40, 34, 16 }, 0, false },
	};
	struct rig *rig = rig_prepare();
	struct virtio_net_drops drops;
	unsigned i, bit, dropped = 0;

	rig_device(rig, 1, 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		rig_start(rig, 16, F_ALL, 0);
		assert_int_equal(passes(rig, &cases[i].h), cases[i].passes);
		dropped += !cases[i].passes;
		virtio_net_drops(rig->vd, &drops);
		assert_int_equal(drops.sent, dropped);
		rig_reset(rig);
		for (bit = 0; bit < 64; bit++) {
			if (!(cases[i].needs >> bit & 1))
				continue;
			rig_start(rig, 16, F_ALL & ~F(bit), 0);
			assert_false(passes(rig, &cases[i].h));
			dropped++;
			rig_reset(rig);
		}
	}
	rig_done(rig);
}

static void frames_too_short_or_too_long_are_dropped(void **state)
{
	static const struct {
		uint32_t len; /* header included */
		bool passes;
	} cases[] = {
		{ 0, false },	 { 1, false },	   { 11, false },
		{ 12, false },	 { 25, false },	   { 26, true },
		{ 65562, true }, { 65563, false }, { 200000, false },
	};
	struct rig *rig = rig_init(F_ALL);
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct vdrv_buf buf = { BIG_AT, cases[i].len, false };
		int id = vdrv_add(&rig->drv[1], &buf, 1);

		notify(rig, 1);
		assert_int_equal(take(rig, 1, id), 0);
		assert_int_equal(rig->fn.sent_count, cases[i].passes);
		fake_net_forget_sent(&rig->fn);
	}
	assert_int_equal(rig->vd->status, 15);
	rig_done(rig);
}

static void only_writable_buffers_send_nothing(void **state)
{
	const struct vdrv_buf buf = { BIG_AT, 100, true };
	struct rig *rig = rig_init(F_ALL);
	int id = vdrv_add(&rig->drv[1], &buf, 1);

	notify(rig, 1);
	assert_int_equal(take(rig, 1, id), 0);
	assert_int_equal(rig->fn.sends, 0);
	rig_done(rig);
}

/* Each ends with DEVICE_NEEDS_RESET, one notice, and goes on after a reset. */
static void broken_chains_need_a_reset(void **state)
{
	static const struct {
		unsigned queue;
		struct vdrv_buf buf;
	} cases[] = {
		{ 0, { RX_AT(0), 11, true } }, /* 5.1.6.3.1 */
		{ 0, { RX_AT(0), 0, true } },
		{ 0, { RX_AT(0), 1526, false } },
		{ 0, { RAM_BASE + RAM_LEN - 8, 1526, true } },
		{ 0, { UINT64_MAX - 8, 1526, true } },
		{ 1, { RAM_BASE + RAM_LEN - 8, 100, false } },
		{ 1, { 0, 100, false } },
		{ 2, { CMD_AT, 16, false } }, /* no room for an answer */
		{ 2, { CMD_AT, 16, true } },  /* no command */
		{ 2, { CMD_AT, 1, false } },
		{ 2, { 0, 16, false } },
	};
	struct rig *rig = rig_prepare();
	unsigned i;
	int id;

	rig_device(rig, 1, 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		rig_start(rig, 16, F_ALL, i & 1 ? VDRV_PACKED : 0);
		rig->notices = rig->config_changes = 0;
		vdrv_add(&rig->drv[cases[i].queue], &cases[i].buf, 1);
		notify(rig, cases[i].queue);
		assert_int_equal(rig->vd->status, 15 | 64);
		assert_int_equal(rig->notices, 1);
		assert_int_equal(rig->config_changes, 1);
		assert_true(nothing_used(rig, cases[i].queue));
		fake_net_put(&rig->fn, 0, 0, 60);
		settle(rig);
		rig->fn.ready(rig->fn.opaque, 0);
		assert_int_equal(rig->notices, 1);
		rig_reset(rig);
		rig_start(rig, 16, F_ALL, 0);
		id = offer(rig, 0, RX_AT(0), 1526);
		notify(rig, 0);
		assert_int_equal(take(rig, 0, id), 72);
		id = send_frame(rig, 0, 0, plain, 60);
		notify(rig, 1);
		assert_int_equal(take(rig, 1, id), 0);
		rig_reset(rig);
	}
	rig_done(rig);
}

/* A frame that nobody takes must not keep the I/O thread busy until the reset. */
static void a_broken_device_does_not_listen_to_the_host(void **state)
{
	const struct vdrv_buf bad = { 0, 100, false };
	struct rig *rig = rig_init(F_ALL);

	offer(rig, 0, RX_AT(0), 1526);
	notify(rig, 0);
	assert_true(rig->fn.pair[0].listening);
	vdrv_add(&rig->drv[1], &bad, 1);
	notify(rig, 1);
	assert_int_equal(rig->vd->status, 15 | 64);
	fake_net_put(&rig->fn, 0, 0, 60);
	(void)fake_net_ready(&rig->fn, 0);
	assert_false(rig->fn.pair[0].listening);

	rig_reset(rig);
	rig_start(rig, 64, F_ALL, 0);
	offer(rig, 0, RX_AT(0), 1526);
	notify(rig, 0);
	assert_false(nothing_used(rig, 0));
	rig_done(rig);
}

static void buffers_that_overlap_hurt_nobody_else(void **state)
{
	struct rig *rig = rig_init(F_ALL);
	unsigned i;

	for (i = 0; i < 8; i++)
		offer(rig, 0, RX_AT(0) + 3 * i, 40);
	notify(rig, 0);
	fake_net_put(&rig->fn, 0, 0, 300);
	settle(rig);
	for (i = 0; i < 8; i++)
		assert_false(nothing_used(rig, 0));
	assert_int_equal(rig->vd->status, 15);
	rig_done(rig);
}

/* Buffers as small as they may be, and more of them than one frame can have. */
static void a_frame_in_too_many_buffers_is_dropped(void **state)
{
	struct rig *rig = rig_prepare();
	struct virtio_net_drops drops;
	unsigned i;

	rig_device(rig, 1, 1024);
	rig_start(rig, 1024, F_ALL, 0);
	for (i = 0; i < 1024; i++)
		offer(rig, 0, BIG_AT + i * 16, 12);
	notify(rig, 0);
	fake_net_put(&rig->fn, 0, 0, 65550);
	fake_net_put(&rig->fn, 0, 0, 12000);
	fake_net_put(&rig->fn, 0, 5, 100);
	settle(rig);
	assert_int_equal(fake_net_waiting(&rig->fn, 0), 0);
	virtio_net_drops(rig->vd, &drops);
	assert_int_equal(drops.received, 1);
	assert_int_equal(rig->vd->status, 15);
	for (i = 0; i < 1001 + 10; i++)
		assert_false(nothing_used(rig, 0));
	assert_true(nothing_used(rig, 0));
	rig_done(rig);
}

static void a_chain_longer_than_the_host_takes_is_an_error(void **state)
{
	static struct vdrv_buf bufs[1024];
	struct rig *rig = rig_prepare();
	unsigned i;

	for (i = 0; i < 1024; i++)
		bufs[i] = (struct vdrv_buf){ TX_AT(0) + i * 16, 16, false };
	rig_device(rig, 1, 1024);
	rig_start(rig, 1024, F_ALL, 0);
	assert_true(vdrv_add_indirect(&rig->drv[1], bufs, 1023, RX_AT(0)) >= 0);
	notify(rig, 1);
	assert_int_equal(rig->fn.sent_count, 1);
	assert_false(nothing_used(rig, 1));
	assert_true(vdrv_add_indirect(&rig->drv[1], bufs, 1024, RX_AT(0)) >= 0);
	notify(rig, 1);
	assert_int_equal(rig->vd->status, 15 | 64);
	rig_done(rig);
}

#define T(fn) cmocka_unit_test(fn)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(only_headers_that_make_sense_pass),
		T(frames_too_short_or_too_long_are_dropped),
		T(only_writable_buffers_send_nothing),
		T(broken_chains_need_a_reset),
		T(a_broken_device_does_not_listen_to_the_host),
		T(buffers_that_overlap_hurt_nobody_else),
		T(a_frame_in_too_many_buffers_is_dropped),
		T(a_chain_longer_than_the_host_takes_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
