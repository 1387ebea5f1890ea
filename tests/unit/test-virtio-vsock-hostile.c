// SPDX-License-Identifier: MIT
/* VIRTIO 1.2, 5.10, with a driver that has rings, lengths and figures of its own. */
#include "virtio_vsock_rig.h"

static void every_kind_and_size_of_queue_carries_a_talk(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 128 };
	struct fake_stream *fs;
	struct packet p;
	unsigned i;

	assert_int_equal(f.vd->queue[TX].size_max, 128);
	for (i = 0; i < 4 * ARRAY_SIZE(sizes); i++) {
		bring_up(sizes[i / 4], (i & 1 ? VDRV_PACKED : 0) |
					       (i & 2 ? VDRV_EVENT_IDX : 0));
		fs = connected();
		send_data(bytes, 300);
		send_data(bytes + 300, 4096);
		assert_int_equal(fs->out_len, 4396);
		assert_memory_equal(fs->out, bytes, 4396);
		fs->in = bytes;
		fs->in_len = 5000;
		fake_stream_ready(&f.host, fs);
		p = expect(RW);
		assert_int_equal(p.len, 4096);
		assert_memory_equal(p.data, bytes, 4096);
		p = expect(RW);
		assert_int_equal(p.len, 904);
		assert_memory_equal(p.data, bytes + 4096, 904);
	}
}

static void features_may_be_taken_or_left(void **state)
{
	/* STREAM is what a driver without any feature has, too (5.10.3). */
	static const uint64_t features[] = { 0, 1, BIT64(28), BIT64(29) };
	unsigned i;

	assert_true((f.vd->offered & 0xffffff) == 1);
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		device_lock(&f.lock);
		virtio_set_status(f.vd, 0);
		virtio_set_status(f.vd, 3);
		virtio_set_features(f.vd, BIT64(32) | features[i]);
		virtio_set_status(f.vd, 11);
		assert_int_equal(f.vd->status, 11);
		device_unlock(&f.lock);
	}
	/* Sequential packets are not there. */
	device_lock(&f.lock);
	virtio_set_status(f.vd, 0);
	virtio_set_status(f.vd, 3);
	virtio_set_features(f.vd, BIT64(32) | 2);
	virtio_set_status(f.vd, 11);
	assert_int_equal(f.vd->status, 3);
	device_unlock(&f.lock);
}

/* What lies behind the payload is not part of it. */
static void a_payload_is_as_long_as_it_says(void **state)
{
	struct packet p = packet(RW);
	struct fake_stream *fs;

	bring_up(8, 0);
	fs = connected();
	p.data = bytes;
	p.len = 10;
	send_raw(&p, 100);
	assert_int_equal(fs->out_len, 10);
	p.len = 0;
	send_raw(&p, 100);
	send_raw(&p, 0);
	assert_int_equal(fs->out_len, 10);
	p.data = bytes + 10;
	p.len = 90;
	send_raw(&p, 90);
	assert_int_equal(fs->out_len, 100);
	assert_memory_equal(fs->out, bytes, 100);
	assert_int_equal(f.vd->status, 15);
}

static void buffers_may_be_cut_into_bytes(void **state)
{
	static struct vdrv_buf bufs[44 + 20];
	struct packet p = packet(RW);
	struct fake_stream *fs;
	uint32_t id, len;
	unsigned i;

	bring_up(128, 0);
	fs = connected();
	p.len = 20;
	encode(&p, f.ram + TX_AT + 1);
	memcpy(f.ram + TX_AT + 45, bytes, 20);
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i] = (struct vdrv_buf){ TX_AT + 1 + i, 1, false };
	assert_true(vdrv_add(&f.drv[TX], bufs, ARRAY_SIZE(bufs)) >= 0);
	notify(TX);
	assert_true(vdrv_take(&f.drv[TX], &id, &len));
	assert_int_equal(fs->out_len, 20);
	assert_memory_equal(fs->out, bytes, 20);

	fs->in = bytes;
	fs->in_len = 20;
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i] = (struct vdrv_buf){ RX_AT(0) + 1 + i, 1, true };
	assert_true(vdrv_add(&f.drv[RX], bufs, ARRAY_SIZE(bufs)) >= 0);
	notify(RX);
	fake_stream_ready(&f.host, fs);
	assert_true(vdrv_take(&f.drv[RX], &id, &len));
	assert_int_equal(len, 44 + 20);
	assert_int_equal(get_le32(f.ram + RX_AT(0) + 1 + 24), 20);
	assert_memory_equal(f.ram + RX_AT(0) + 45, bytes, 20);
}

/* One buffer for both directions, and for header and payload. */
static void buffers_may_overlap(void **state)
{
	const struct vdrv_buf out[] = { { TX_AT, 44, false },
					{ TX_AT, 44, false } };
	const struct vdrv_buf in[] = { { TX_AT, 44, false },
				       { TX_AT, 44, true },
				       { TX_AT + 4, 100, true } };
	struct packet p = packet(RW);
	struct fake_stream *fs;
	uint8_t header[44];
	uint32_t id, len;

	bring_up(8, 0);
	fs = connected();
	p.len = 44;
	encode(&p, header);
	memcpy(f.ram + TX_AT, header, 44);
	assert_true(vdrv_add(&f.drv[TX], out, 2) >= 0);
	notify(TX);
	assert_true(vdrv_take(&f.drv[TX], &id, &len));
	assert_int_equal(fs->out_len, 44);
	assert_memory_equal(fs->out, header, 44);

	fs->in = bytes;
	fs->in_len = 200;
	assert_true(vdrv_add(&f.drv[RX], in, 3) >= 0);
	notify(RX);
	fake_stream_ready(&f.host, fs);
	assert_true(vdrv_take(&f.drv[RX], &id, &len));
	assert_int_equal(len, 144);
	assert_int_equal(fs->in_len, 100);
	assert_int_equal(f.vd->status, 15);
}

/* 5.10.6.3: figures that cannot be get no data, and hurt nobody. */
static void a_peer_that_lies_about_its_credit_gets_nothing(void **state)
{
	static const struct {
		uint32_t buf_alloc, fwd_cnt;
		bool room;
	} cases[] = {
		{ 0, 0, false },
		{ 0x1000, 1, false }, /* more than was sent */
		{ 0x1000, 0x80000000, false },
		{ 0, UINT32_MAX, false },
		{ 0, 0x1001, false },
		{ UINT32_MAX, 0, true },
		{ 1, 0, true },
	};
	struct packet p = packet(CREDIT_UPDATE);
	struct fake_stream *fs;
	unsigned i, k, got;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bring_up(16, 0);
		fs = connected();
		p.buf_alloc = cases[i].buf_alloc;
		p.fwd_cnt = cases[i].fwd_cnt;
		send_packet(p);
		fs->in = bytes;
		fs->in_len = 100;
		fake_stream_ready(&f.host, fs);
		got = 0;
		for (k = 0; k < 4; k++) {
			struct packet back;

			if (receive(&back) && back.op == RW)
				got += back.len;
		}
		assert_int_equal(got != 0, cases[i].room);
		assert_true(got <= 100 && got <= cases[i].buf_alloc);
		assert_int_equal(f.vd->status, 15);
	}
}

static void receive_buffers_too_small_or_not_writable_need_a_reset(void **state)
{
	static const struct vdrv_buf bufs[] = {
		{ RX_AT(0), 0, true },	   { RX_AT(0), 43, true },
		{ RX_AT(0), 4140, false }, { RAM - 4139, 4140, true },
		{ RAM, 4140, true },	   { UINT64_MAX - 44, 45, true },
	};
	const struct vdrv_buf least = { RAM - 45, 45, true };
	struct fake_stream *fs;
	uint32_t id, len;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bring_up(8, i % 2 ? VDRV_PACKED : 0);
		assert_true(vdrv_add(&f.drv[RX], &bufs[i], 1) >= 0);
		notify(RX);
		assert_non_null(fake_vsock_connect(&f.host, 22));
		assert_int_equal(f.vd->status, 15 | 64);
	}
	/* At the end of memory, for one byte at a time. */
	bring_up(8, 0);
	fs = connected();
	fs->in = bytes + 7;
	fs->in_len = 2;
	assert_true(vdrv_add(&f.drv[RX], &least, 1) >= 0);
	notify(RX);
	fake_stream_ready(&f.host, fs);
	assert_true(vdrv_take(&f.drv[RX], &id, &len));
	assert_int_equal(len, 45);
	assert_int_equal(f.ram[RAM - 1], bytes[7]);
	assert_int_equal(fs->in_len, 1);
}

/* Between the reset and the loop's next turn, its streams are still there. */
static void a_stream_that_calls_after_a_reset_is_not_heard(void **state)
{
	struct fake_stream *fs;

	bring_up(8, 0);
	fs = connected();
	fs->takes = 1;
	send_data(bytes, 100);
	fs->in = bytes;
	fs->in_len = 100;
	device_lock(&f.lock);
	virtio_set_status(f.vd, 0);
	device_unlock(&f.lock);
	assert_false(fs->freed);
	fs->takes = 100;
	f.host.front.ready(fs->stream.opaque, LOOP_IN | LOOP_OUT);
	assert_int_equal(fs->out_len, 1);
	assert_int_equal(fs->in_len, 100);
	fake_loop_advance(&f.fl, 1);
	assert_true(fs->freed);
	assert_null(fake_vsock_connect(&f.host, 22));
	bring_up(8, 0);
	connected();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_kind_and_size_of_queue_carries_a_talk),
		T(features_may_be_taken_or_left),
		T(a_payload_is_as_long_as_it_says),
		T(buffers_may_be_cut_into_bytes),
		T(buffers_may_overlap),
		T(a_peer_that_lies_about_its_credit_gets_nothing),
		T(receive_buffers_too_small_or_not_writable_need_a_reset),
		T(a_stream_that_calls_after_a_reset_is_not_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
