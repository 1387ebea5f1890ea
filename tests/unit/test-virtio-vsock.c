// SPDX-License-Identifier: MIT
/* VIRTIO 1.2, 5.10: stream sockets between a guest and a host that is a fake. */
#include "virtio_vsock_rig.h"

static void it_is_a_socket_device_with_an_address(void **state)
{
	uint8_t config[8];

	assert_int_equal(f.vd->ops->id, 19);
	assert_int_equal(f.vd->queues, 3);
	/* Streams; no sequential packets. */
	assert_int_equal(f.vd->offered & 0xffffff, 1);
	virtio_config_read(f.vd, 0, config, sizeof(config));
	assert_int_equal(get_le64(config), CID);
}

static void a_guest_talks_to_a_host(void **state)
{
	static const unsigned flags[] = { 0, VDRV_EVENT_IDX, VDRV_PACKED,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	static const uint32_t sizes[] = { 1, 4, 128 };
	struct fake_stream *fs;
	struct packet p;
	unsigned i, k;

	for (i = 0; i < ARRAY_SIZE(flags) * ARRAY_SIZE(sizes); i++) {
		bring_up(sizes[i % 3], flags[i / 3]);
		fs = connected();
		for (k = 0; k < 10; k++) {
			fs->out_len = 0;
			send_data(bytes, 1000);
			assert_int_equal(fs->out_len, 1000);
			assert_memory_equal(fs->out, bytes, 1000);
			fs->in = bytes + k;
			fs->in_len = 777;
			fake_stream_ready(&f.host, fs);
			p = expect(RW);
			assert_int_equal(p.len, 777);
			assert_memory_equal(p.data, bytes + k, 777);
			assert_int_equal(p.fwd_cnt, 1000 * (k + 1));
			assert_true(p.buf_alloc >= 0x10000);
		}
	}
}

static void a_port_without_a_listener_refuses(void **state)
{
	struct packet p = packet(REQUEST);

	bring_up(8, 0);
	p.dst_port = 81;
	send_packet(p);
	p = expect(RST);
	assert_int_equal(p.src_port, 81);
	assert_int_equal(p.dst_port, 1000);
	expect_nothing();
}

static void a_host_calls_a_guest(void **state)
{
	struct packet p, answer = packet(RESPONSE);
	struct fake_stream *fs;

	assert_null(fake_vsock_connect(&f.host, 22)); /* no driver yet */
	bring_up(8, 0);
	fs = fake_vsock_connect(&f.host, 22);
	assert_non_null(fs);
	p = expect(REQUEST);
	assert_int_equal(p.dst_port, 22);
	assert_true(p.src_port >= 0x40000000);
	assert_int_equal(fs->port, 0);
	assert_int_equal(fs->wants, 0);
	answer.src_port = 22;
	answer.dst_port = p.src_port;
	send_packet(answer);
	assert_int_equal(fs->port, p.src_port);
	assert_int_equal(fs->wants, LOOP_IN);
	fs->in = bytes;
	fs->in_len = 3;
	fake_stream_ready(&f.host, fs);
	assert_int_equal(expect(RW).len, 3);
	/* A second call has a port of its own; the guest refuses it. */
	fs = fake_vsock_connect(&f.host, 22);
	p = expect(REQUEST);
	assert_int_not_equal(p.src_port, answer.dst_port);
	answer.op = RST;
	answer.dst_port = p.src_port;
	send_packet(answer);
	assert_true(fs->freed);
	expect_nothing();
}

static void a_header_may_have_a_buffer_of_its_own(void **state)
{
	/* As Linux has it before 6.3; and cut in the midst of the header. */
	static const struct vdrv_buf cuts[][4] = {
		{ { RX_AT(0), 44, true },
		  { RX_AT(1), 2000, true },
		  { RX_AT(2), 2000, true } },
		{ { RX_AT(0), 20, true },
		  { RX_AT(0) + 20, 24, true },
		  { RX_AT(1), 2000, true },
		  { RX_AT(2), 2000, true } },
	};
	struct fake_stream *fs;
	uint32_t id, len = 0;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cuts); i++) {
		bring_up(8, 0);
		fs = connected();
		fs->in = bytes + i;
		fs->in_len = 3000;
		assert_true(vdrv_add(&f.drv[RX], cuts[i], 3 + i) >= 0);
		fake_stream_ready(&f.host, fs);
		assert_true(vdrv_take(&f.drv[RX], &id, &len));
		assert_int_equal(len, 44 + 3000);
		assert_int_equal(get_le16(f.ram + RX_AT(0) + 30), RW);
		assert_int_equal(get_le32(f.ram + RX_AT(0) + 24), 3000);
		assert_memory_equal(f.ram + RX_AT(1), bytes + i, 2000);
		assert_memory_equal(f.ram + RX_AT(2), bytes + i + 2000, 1000);
	}
}

static void a_host_sends_no_more_than_there_is_room_for(void **state)
{
	struct packet p = packet(REQUEST);
	struct fake_stream *fs;

	bring_up(8, 0);
	p.buf_alloc = 1000;
	send_packet(p);
	expect(RESPONSE);
	fs = &f.host.stream[0];
	fs->in = bytes;
	fs->in_len = 5000;
	fake_stream_ready(&f.host, fs);
	assert_int_equal(expect(RW).len, 1000);
	/* It asks, and waits. */
	expect(CREDIT_REQUEST);
	expect_nothing();
	assert_int_equal(fs->wants & LOOP_IN, 0);
	p = packet(CREDIT_UPDATE);
	p.buf_alloc = 1000;
	p.fwd_cnt = 400;
	send_packet(p);
	assert_int_equal(expect(RW).len, 400);
	expect(CREDIT_REQUEST);
	/* Lies: more acknowledged than was sent, less room than was used. */
	p.fwd_cnt = 90000;
	send_packet(p);
	expect_nothing();
	p.fwd_cnt = 1400;
	p.buf_alloc = 0;
	send_packet(p);
	expect_nothing();
	p.buf_alloc = UINT32_MAX;
	send_packet(p);
	assert_int_equal(expect(RW).len, 3600);
}

static void a_guest_is_held_to_its_credit(void **state)
{
	struct fake_stream *fs;
	struct packet p = packet(CREDIT_REQUEST);
	uint32_t room;

	bring_up(8, 0);
	fs = connected();
	fs->takes = 100;
	send_packet(p);
	p = expect(CREDIT_UPDATE);
	room = p.buf_alloc;
	assert_int_equal(p.fwd_cnt, 0);
	send_data(bytes, 0x10000);
	send_data(bytes + 0x10000, room - 0x10000);
	assert_int_equal(fs->out_len, 100);
	/* As the host takes it the guest hears of room. */
	fs->takes = room / 2;
	assert_true(fake_stream_ready(&f.host, fs));
	p = expect(CREDIT_UPDATE);
	assert_int_equal(p.fwd_cnt, 100 + room / 2);
	fs->takes = SIZE_MAX;
	assert_true(fake_stream_ready(&f.host, fs));
	assert_int_equal(fs->out_len, room);
	assert_memory_equal(fs->out, bytes, room);
	assert_int_equal(fs->wants & LOOP_OUT, 0);
	send_op(CREDIT_REQUEST);
	assert_int_equal(expect(CREDIT_UPDATE).fwd_cnt, room);
	/* A byte more than there is room for ends it. */
	fs->takes = 0;
	send_data(bytes, room);
	send_data(bytes, 1);
	expect(RST);
	assert_true(fs->freed);
}

static void each_side_may_end_first(void **state)
{
	struct packet p = packet(SHUTDOWN);
	struct fake_stream *fs;

	bring_up(8, 0);
	fs = connected();
	fs->ended = true;
	assert_true(fake_stream_ready(&f.host, fs));
	assert_int_equal(expect(SHUTDOWN).flags, 2); /* it sends no more */
	/* It still hears, to the last byte. */
	fs->takes = 2;
	send_data(bytes, 4);
	p.flags = 2;
	send_packet(p);
	assert_false(fs->shut_writing);
	fs->takes = SIZE_MAX;
	fake_stream_ready(&f.host, fs);
	assert_int_equal(fs->out_len, 4);
	assert_true(fs->shut_writing);
	expect_nothing();
	p.flags = 3;
	send_packet(p);
	expect(RST); /* of a clean disconnect */
	assert_true(fs->freed);
	expect_nothing();
}

static void a_guest_that_closes_leaves_nothing_unsaid(void **state)
{
	struct packet p = packet(SHUTDOWN);
	struct fake_stream *fs;

	bring_up(8, 0);
	fs = connected();
	fs->takes = 1;
	send_data(bytes, 100);
	p.flags = 3;
	send_packet(p);
	expect_nothing();
	fs->takes = SIZE_MAX;
	fake_stream_ready(&f.host, fs);
	assert_int_equal(fs->out_len, 100);
	expect(RST);
	assert_true(fs->freed);
}

static void a_host_that_goes_resets(void **state)
{
	struct fake_stream *fs;

	bring_up(8, 0);
	fs = connected();
	fs->err = -ECONNRESET;
	fake_stream_ready(&f.host, fs);
	expect(RST);
	assert_true(fs->freed);
	fs = connected();
	fs->err = -EPIPE;
	send_data(bytes, 1);
	expect(RST);
	assert_true(fs->freed);
	/* The guest's own end asks for no answer. */
	fs = connected();
	send_op(RST);
	assert_true(fs->freed);
	expect_nothing();
}

static void what_belongs_to_no_connection_is_reset(void **state)
{
	static const uint16_t ops[] = {
		RESPONSE, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST, 0, 99
	};
	struct packet p;
	unsigned i;

	bring_up(8, 0);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		send_op(ops[i]);
		expect(RST);
	}
	send_op(RST);
	expect_nothing();
	/* An unknown type, even to a listener (5.10.6.4). */
	p = packet(REQUEST);
	p.type = 2;
	send_packet(p);
	p = expect(RST);
	assert_int_equal(p.type, 2);
	/* Not for the host, or not from this guest. */
	p = packet(REQUEST);
	p.dst_cid = 7;
	send_packet(p);
	p = packet(REQUEST);
	p.src_cid = 2;
	send_packet(p);
	expect_nothing();
	assert_int_equal(f.vd->status, 15);
}

static void what_does_not_fit_a_connection_ends_it(void **state)
{
	static const uint16_t ops[] = { REQUEST, RESPONSE, 0, 99 };
	struct fake_stream *fs;
	unsigned i;

	bring_up(8, 0);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		fs = connected();
		send_op(ops[i]);
		expect(RST);
		assert_true(fs->freed);
	}
	/* Words after the last word. */
	fs = connected();
	send_packet((struct packet){ .src_cid = CID,
				     .dst_cid = 2,
				     .src_port = 1000,
				     .dst_port = 80,
				     .type = 1,
				     .op = SHUTDOWN,
				     .flags = 2 });
	send_data(bytes, 1);
	expect(RST);
	assert_int_equal(fs->out_len, 0);
}

static void answers_wait_for_buffers_and_so_does_the_guest(void **state)
{
	const struct vdrv_buf buf = { TX_AT, 44, false };
	struct packet p = packet(RW);
	uint32_t id, len;
	unsigned i, n = 0;

	bring_up(128, VDRV_EVENT_IDX);
	encode(&p, f.ram + TX_AT);
	for (i = 0; i < 128; i++)
		assert_true(vdrv_add(&f.drv[TX], &buf, 1) >= 0);
	notify(TX);
	while (vdrv_take(&f.drv[TX], &id, &len))
		n++;
	assert_in_range(n, 1, 127);
	for (i = 0; i < 128; i++)
		expect(RST);
	expect_nothing();
	while (vdrv_take(&f.drv[TX], &id, &len))
		n++;
	assert_int_equal(n, 128);
}

/* They wait for a guest that does not look: others need not. */
static void connections_that_come_to_nothing_make_room(void **state)
{
	struct packet p = packet(REQUEST);
	unsigned resets = 0;

	bring_up(8, 0);
	for (p.src_port = 1; p.src_port <= 512; p.src_port++) {
		p.dst_port = 81; /* where nobody listens */
		send_packet(p);
	}
	p = packet(REQUEST);
	send_packet(p);
	assert_true(f.host.stream[0].used);
	while (receive(&p) && p.op == RST) {
		assert_int_equal(p.src_port, 81);
		resets++;
	}
	assert_int_equal(p.op, RESPONSE);
	assert_int_equal(p.dst_port, 1000);
	assert_int_equal(resets, 511);
	send_data(bytes, 4);
	assert_int_equal(f.host.stream[0].out_len, 4);
}

static void a_reset_ends_all_connections(void **state)
{
	struct fake_stream *fs, *called;

	bring_up(8, 0);
	fs = connected();
	called = fake_vsock_connect(&f.host, 22);
	fs->takes = 1;
	send_data(bytes, 100);
	bring_up(8, VDRV_PACKED);
	assert_true(fs->freed && called->freed);
	expect_nothing();
	fs = connected();
	send_data(bytes, 4);
	assert_int_equal(fs->out_len, 4);
}

static void packets_that_are_none_need_a_reset(void **state)
{
	struct vdrv_buf buf = { TX_AT, 43, false };
	struct packet p = packet(RW);

	bring_up(8, 0);
	assert_true(vdrv_add(&f.drv[TX], &buf, 1) >= 0);
	notify(TX);
	assert_int_equal(f.vd->status, 15 | 64);
	assert_string_equal(f.vd->why,
			    "a packet of 43 bytes, less than a header");

	/* A payload that is not all there. */
	bring_up(8, 0);
	connected();
	p.len = 101;
	send_raw(&p, 100);
	assert_int_equal(f.vd->status, 15 | 64);
	bring_up(8, 0);
	p.len = UINT32_MAX;
	send_raw(&p, 0);
	assert_int_equal(f.vd->status, 15 | 64);

	bring_up(8, 0);
	buf = (struct vdrv_buf){ RX_AT(0), 44, true };
	assert_true(vdrv_add(&f.drv[RX], &buf, 1) >= 0);
	send_op(RW);
	assert_int_equal(f.vd->status, 15 | 64);

	bring_up(8, 0);
	buf = (struct vdrv_buf){ RAM - 20, 44, false };
	assert_true(vdrv_add(&f.drv[TX], &buf, 1) >= 0);
	notify(TX);
	assert_int_equal(f.vd->status, 15 | 64);
	bring_up(8, 0);
	connected();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_a_socket_device_with_an_address),
		T(a_guest_talks_to_a_host),
		T(a_port_without_a_listener_refuses),
		T(a_host_calls_a_guest),
		T(a_header_may_have_a_buffer_of_its_own),
		T(a_host_sends_no_more_than_there_is_room_for),
		T(a_guest_is_held_to_its_credit),
		T(each_side_may_end_first),
		T(a_guest_that_closes_leaves_nothing_unsaid),
		T(a_host_that_goes_resets),
		T(what_belongs_to_no_connection_is_reset),
		T(what_does_not_fit_a_connection_ends_it),
		T(answers_wait_for_buffers_and_so_does_the_guest),
		T(connections_that_come_to_nothing_make_room),
		T(a_reset_ends_all_connections),
		T(packets_that_are_none_need_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
