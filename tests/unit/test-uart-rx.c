// SPDX-License-Identifier: MIT
/* A 16550A receiving: FIFO, character time-out, overrun, break and room. */
#include "uart_rig.h"

static void the_fifo_interrupts_at_its_trigger_level(void **state)
{
	static const unsigned level[] = { 1, 4, 8, 14 };
	unsigned i, n;

	out(MCR, 0x08);
	out(IER, 0x01);
	for (i = 0; i < 4; i++) {
		empty();
		out(FCR, 0x03 | i << 6);
		for (n = 1; n < level[i]; n++) {
			type("x", 1);
			assert_int_equal(in(IIR), 0xc1);
		}
		type("x", 1);
		assert_int_equal(in(IIR), 0xc4);
		assert_int_equal(line.level, 1);
		/* Drops as soon as the FIFO is below it again. */
		in(RBR);
		assert_int_equal(in(IIR), 0xc1);
		assert_int_equal(line.level, 0);
	}
}

static void the_fifo_keeps_sixteen_in_order(void **state)
{
	unsigned i;

	out(FCR, 0x01);
	listen();
	assert_int_equal(fake_chardev_type(&fc, "0123456789abcdefgh", 18), 16);
	for (i = 0; i < 16; i++) {
		assert_int_equal(in(LSR), 0x61);
		assert_int_equal(in(RBR), "0123456789abcdef"[i]);
	}
	assert_int_equal(in(LSR), 0x60);
}

static void changing_the_mode_and_fcr_bit_1_empty_the_fifo(void **state)
{
	force("x", 1);
	out(FCR, 0x01);
	assert_int_equal(in(LSR), 0x60);
	force("xyz", 3);
	out(FCR, 0x05); /* the transmitter's is not the receiver's */
	assert_int_equal(in(LSR), 0x61);
	out(FCR, 0x03);
	assert_int_equal(in(LSR), 0x60);
	force("xyz", 3);
	out(FCR, 0x00);
	assert_int_equal(in(LSR), 0x60);
}

static void the_time_out_comes_after_four_characters(void **state)
{
	/* "160 ms at 300 baud with a 12-bit character" */
	out(LCR, 0x0f);
	set_divisor(384);
	out(MCR, 0x08);
	out(FCR, 0x81);
	out(IER, 0x01);
	assert_int_equal(fake_loop_armed(&fl), 0);
	type("x", 1);
	fake_loop_advance(&fl, 159 * NSEC_PER_MSEC);
	assert_int_equal(in(IIR), 0xc1);
	fake_loop_advance(&fl, 1 * NSEC_PER_MSEC);
	assert_int_equal(line.level, 1);
	assert_int_equal(in(IIR), 0xcc);
	assert_int_equal(in(IIR), 0xcc);
	assert_int_equal(in(RBR), 'x');
	assert_int_equal(in(IIR), 0xc1);
	assert_int_equal(line.level, 0);
}

/* Four characters of `bits` at 115200 baud. */
static void check_timeout(unsigned lcr, double bits)
{
	int64_t ns = (int64_t)(4 * bits * NSEC_PER_SEC / 115200);

	empty();
	out(LCR, lcr);
	out(FCR, 0x83);
	type("x", 1);
	fake_loop_advance(&fl, ns - 2);
	assert_int_equal(in(IIR), 0xc1);
	fake_loop_advance(&fl, 4);
	assert_int_equal(in(IIR), 0xcc);
}

static void the_time_out_counts_every_bit_of_a_character(void **state)
{
	set_divisor(1);
	out(IER, 0x01);
	check_timeout(0x03, 10); /* 8N1 */
	check_timeout(0x00, 7); /* 5N1 */
	check_timeout(0x04, 7.5); /* 5N1.5 */
	check_timeout(0x1a, 10); /* 7E1 */
	check_timeout(0x0f, 12); /* 8O2 */
	set_divisor(0); /* as 65536 */
	check_timeout(0x03, 655360);
}

static void reads_and_arrivals_put_the_time_out_off(void **state)
{
	int64_t four = 4 * 10 * NSEC_PER_SEC / 9600;
	unsigned sets;

	set_divisor(12);
	out(LCR, 0x03);
	out(FCR, 0xc1);
	out(IER, 0x01);
	type("abc", 3);
	fake_loop_advance(&fl, four - 10);
	type("d", 1);
	fake_loop_advance(&fl, four - 10);
	assert_int_equal(in(RBR), 'a');
	fake_loop_advance(&fl, four - 10);
	assert_int_equal(in(IIR), 0xc1);
	fake_loop_advance(&fl, 20);
	assert_int_equal(in(IIR), 0xcc);

	/* A new character does not clear it; one read does. */
	type("e", 1);
	assert_int_equal(in(IIR), 0xcc);
	sets = fl.timer_sets;
	assert_int_equal(in(RBR), 'b');
	assert_int_equal(in(IIR), 0xc1);
	assert_int_equal(in(RBR), 'c');
	assert_int_equal(in(RBR), 'd');
	/* Emptying the FIFO sets the timer once, not once a byte. */
	assert_int_equal(fl.timer_sets - sets, 1);
	assert_int_equal(in(RBR), 'e');
	assert_int_equal(fake_loop_armed(&fl), 0);
}

static void the_timer_is_armed_only_where_a_time_out_can_follow(void **state)
{
	out(IER, 0x01);
	type("x", 1); /* no FIFO */
	assert_int_equal(fake_loop_armed(&fl), 0);
	out(IER, 0x00);
	empty();
	out(FCR, 0x41);
	type("xyz", 3); /* not enabled */
	assert_int_equal(fake_loop_armed(&fl), 0);
	out(IER, 0x01);
	assert_int_equal(fake_loop_armed(&fl), 1);
	type("x", 1); /* at the trigger level */
	assert_int_equal(fake_loop_armed(&fl), 0);
	in(RBR);
	assert_int_equal(fake_loop_armed(&fl), 1);
	empty();
	assert_int_equal(fake_loop_armed(&fl), 0);
	fake_loop_advance(&fl, NSEC_PER_SEC);
	assert_int_equal(in(IIR), 0xc1);
}

static void an_overrun_loses_the_newcomer_from_a_full_fifo(void **state)
{
	unsigned i;

	out(FCR, 0x01);
	out(IER, 0x04);
	out(MCR, 0x08);
	type("0123456789abcdef", 16);
	force("X", 1);
	assert_int_equal(in(IIR), 0xc6);
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(line.level, 0);
	for (i = 0; i < 16; i++)
		assert_int_equal(in(RBR), "0123456789abcdef"[i]);
	assert_int_equal(in(LSR), 0x60);
}

static void an_overrun_without_fifos_loses_the_unread_one(void **state)
{
	force("ab", 2);
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(RBR), 'b');
	assert_int_equal(in(LSR), 0x60);
}

static void a_break_shows_when_it_reaches_the_top_of_the_fifo(void **state)
{
	out(FCR, 0xc1);
	out(IER, 0x04);
	out(MCR, 0x08);
	type("ab", 2);
	uart_break(uart);
	type("c", 1);
	/* Bit 7 tells that one is in there. */
	assert_int_equal(in(LSR), 0xe1);
	assert_int_equal(in(LSR), 0xe1);
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(line.level, 0);
	assert_int_equal(in(RBR), 'b');
	assert_int_equal(line.level, 1);
	assert_int_equal(in(IIR), 0xc6);
	assert_int_equal(in(LSR), 0xf1);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(line.level, 0);
	assert_int_equal(in(RBR), 0);
	assert_int_equal(in(RBR), 'c');
	assert_int_equal(in(LSR), 0x60);
}

static void a_break_without_fifos_is_a_nul_with_bi(void **state)
{
	uart_break(uart);
	assert_int_equal(in(LSR), 0x71);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(in(RBR), 0);
	assert_int_equal(in(LSR), 0x60);
}

static void a_slow_guest_gets_everything(void **state)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog";
	size_t sent = 0, got = 0;
	bool asked;
	int fifo;

	for (fifo = 0; fifo < 2; fifo++) {
		out(FCR, fifo);
		listen();
		fc.wants = 0;
		sent = got = 0;
		asked = true;
		while (got < sizeof(text)) {
			unsigned wants = fc.wants;

			while (asked && sent < sizeof(text) &&
			       fake_chardev_type(&fc, text + sent, 1))
				sent++;
			asked = false;
			assert_int_equal(in(LSR), 0x61);
			assert_int_equal(fc.wants, wants);
			assert_int_equal(in(RBR), text[got++]);
			/* If it was turned away, once there is room for all. */
			asked = fc.wants != wants;
			assert_int_equal(fc.wants - wants,
					 sent < sizeof(text) && got == sent);
		}
	}
}

static void room_is_asked_for_again_after_loopback_and_reset(void **state)
{
	out(IER, 0x01);
	assert_int_equal(fake_chardev_type(&fc, "a", 1), 1);
	assert_int_equal(fake_chardev_type(&fc, "b", 1), 0);
	assert_int_equal(fc.wants, 0);
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(fc.wants, 1);

	out(MCR, 0x10);
	assert_int_equal(fake_chardev_type(&fc, "b", 1), 0);
	out(MCR, 0x00);
	assert_int_equal(fc.wants, 2);

	device_reset(uart);
	assert_int_equal(fake_chardev_type(&fc, "b", 1), 0);
	assert_int_equal(fc.wants, 2);
	out(IER, 0x01);
	assert_int_equal(fc.wants, 3);
}

static void the_peer_waits_until_somebody_listens(void **state)
{
	unsigned i;

	assert_int_equal(fake_chardev_type(&fc, "a", 1), 0);
	/* What a driver does to set the port up is no wait for input. */
	out(FCR, 0x01);
	out(MCR, 0x0b);
	for (i = 0; i < 40; i++) {
		in(LSR);
		if (i % 8 == 0)
			out(SCR, i);
	}
	assert_int_equal(fake_chardev_type(&fc, "a", 1), 0);
	for (i = 0; i < 15; i++)
		in(LSR);
	assert_int_equal(fc.wants, 1); /* with the seven before: sixteen */
	assert_int_equal(fake_chardev_type(&fc, "a", 1), 1);
	assert_int_equal(in(RBR), 'a');
}

static void the_received_data_interrupt_listens_too(void **state)
{
	assert_int_equal(fake_chardev_type(&fc, "a", 1), 0);
	out(IER, 0x02);
	assert_int_equal(fc.wants, 0);
	out(IER, 0x01);
	assert_int_equal(fc.wants, 1);
	assert_int_equal(fake_chardev_type(&fc, "a", 1), 1);
}

static void what_was_cleared_unread_comes_again_first(void **state)
{
	static const char text[] = "abcdef";
	unsigned i;

	out(IER, 0x01);
	out(FCR, 0x01);
	assert_int_equal(fake_chardev_type(&fc, text, 3), 3);
	assert_int_equal(in(RBR), 'a');
	out(FCR, 0x03);
	assert_int_equal(in(LSR), 0x60);
	/* New input keeps its place behind. */
	assert_int_equal(fake_chardev_type(&fc, text + 3, 3), 0);
	fake_loop_advance(&fl, 10 * NSEC_PER_MSEC);
	assert_int_equal(fake_chardev_type(&fc, text + 3, 3), 3);
	for (i = 1; i < 6; i++)
		assert_int_equal(in(RBR), text[i]);
	assert_int_equal(in(LSR), 0x60);
}

static void what_was_cleared_comes_one_at_a_time_without_fifos(void **state)
{
	out(IER, 0x01);
	out(FCR, 0x01);
	assert_int_equal(fake_chardev_type(&fc, "abc", 3), 3);
	out(FCR, 0x00);
	fake_loop_advance(&fl, 10 * NSEC_PER_MSEC);
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(in(LSR), 0x60);
	fake_loop_advance(&fl, 10 * NSEC_PER_MSEC);
	assert_int_equal(in(RBR), 'b');
	fake_loop_advance(&fl, 10 * NSEC_PER_MSEC);
	assert_int_equal(in(RBR), 'c');
}

static void what_was_cleared_waits_for_a_listener_even_over_a_reset(void **state)
{
	out(IER, 0x01);
	out(FCR, 0x01);
	assert_int_equal(fake_chardev_type(&fc, "ab", 2), 2);
	device_reset(uart);
	fake_loop_advance(&fl, NSEC_PER_SEC);
	assert_int_equal(in(LSR), 0x60);
	out(FCR, 0x01);
	listen();
	fake_loop_advance(&fl, 10 * NSEC_PER_MSEC);
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(in(RBR), 'b');
}

static void what_loopback_left_is_gone_when_cleared(void **state)
{
	out(FCR, 0x01);
	out(MCR, 0x10);
	out(THR, 'x');
	out(FCR, 0x03);
	out(MCR, 0x00);
	out(IER, 0x01);
	fake_loop_advance(&fl, NSEC_PER_SEC);
	assert_int_equal(in(LSR), 0x60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_fifo_interrupts_at_its_trigger_level),
		T(the_fifo_keeps_sixteen_in_order),
		T(changing_the_mode_and_fcr_bit_1_empty_the_fifo),
		T(the_time_out_comes_after_four_characters),
		T(the_time_out_counts_every_bit_of_a_character),
		T(reads_and_arrivals_put_the_time_out_off),
		T(the_timer_is_armed_only_where_a_time_out_can_follow),
		T(an_overrun_loses_the_newcomer_from_a_full_fifo),
		T(an_overrun_without_fifos_loses_the_unread_one),
		T(a_break_shows_when_it_reaches_the_top_of_the_fifo),
		T(a_break_without_fifos_is_a_nul_with_bi),
		T(a_slow_guest_gets_everything),
		T(room_is_asked_for_again_after_loopback_and_reset),
		T(the_peer_waits_until_somebody_listens),
		T(the_received_data_interrupt_listens_too),
		T(what_was_cleared_unread_comes_again_first),
		T(what_was_cleared_comes_one_at_a_time_without_fifos),
		T(what_was_cleared_waits_for_a_listener_even_over_a_reset),
		T(what_loopback_left_is_gone_when_cleared),
	};

	return RUN_EACH_SHIFT(tests);
}
