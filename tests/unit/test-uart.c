// SPDX-License-Identifier: MIT
/* Against the PC16550D datasheet; registers and bits are written as numbers. */
#include "test.h"

#include <stdbool.h>

#include "core/base.h"
#include "fake_chardev.h"
#include "fake_loop.h"
#include "uart16550.h"

enum { RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR, MCR, LSR, MSR, SCR };

static struct fake_loop fl;
static struct fake_chardev fc;
static struct fake_line line;
static struct device *uart;

static void make(struct chardev *chr)
{
	struct uart_config config = {
		.loop = &fl.loop,
		.chr = chr,
		.irq = { .set = fake_line_set, .opaque = &line },
	};

	fake_loop_init(&fl, 1000 * NSEC_PER_SEC);
	fake_chardev_init(&fc);
	line = (struct fake_line){ 0 };
	assert_int_equal(uart_new(&config, &uart), 0);
}

static int setup(void **state)
{
	make(&fc.chr);
	return 0;
}

static int setup_without_peer(void **state)
{
	make(NULL);
	return 0;
}

static int teardown(void **state)
{
	uart = device_free(uart);
	assert_int_equal(fake_loop_armed(&fl), 0);
	return 0;
}

static unsigned in(unsigned reg)
{
	return (unsigned)dev_read(uart, reg, 1);
}

static void out(unsigned reg, unsigned val)
{
	dev_write(uart, reg, 1, val);
}

static void set_divisor(unsigned divisor)
{
	unsigned lcr = in(LCR);

	out(LCR, lcr | 0x80);
	out(0, divisor & 0xff);
	out(1, divisor >> 8);
	out(LCR, lcr & 0x7f);
}

static void type(const char *text, size_t len)
{
	assert_int_equal(fake_chardev_type(&fc, text, len), len);
}

/* Input that nobody asked room for: how an overrun comes about. */
static void force(const char *text, size_t len)
{
	fc.front.receive(fc.front.opaque, (const uint8_t *)text, len);
}

static void a_reset_gives_table_1(void **state)
{
	int again;

	for (again = 0; again < 2; again++) {
		assert_int_equal(in(IER), 0);
		assert_int_equal(in(IIR), 0x01);
		assert_int_equal(in(LCR), 0);
		assert_int_equal(in(MCR), 0);
		assert_int_equal(in(LSR), 0x60);
		assert_int_equal(in(MSR), 0xb0);
		assert_int_equal(line.level, 0);

		out(FCR, 0xc1);
		type("abcdefgh", 8);
		uart_break(uart);
		out(IER, 0x0f);
		out(MCR, 0x1f);
		out(MCR, 0x0b);
		out(LCR, 0x1b);
		assert_int_equal(line.level, 1);
		device_reset(uart);
	}
}

static void a_reset_leaves_scr_and_the_divisor(void **state)
{
	out(SCR, 0x5a);
	set_divisor(0x1234);
	device_reset(uart);
	assert_int_equal(in(SCR), 0x5a);
	out(LCR, 0x80);
	assert_int_equal(in(0), 0x34);
	assert_int_equal(in(1), 0x12);
}

static void lcr_reads_back_every_value(void **state)
{
	unsigned v;

	for (v = 0; v < 256; v++) {
		out(LCR, v);
		assert_int_equal(in(LCR), v);
	}
}

static void dlab_puts_the_divisor_in_place_of_data_and_ier(void **state)
{
	out(IER, 0x05);
	out(LCR, 0x83);
	out(0, 0x01);
	out(1, 0xc2);
	assert_int_equal(in(0), 0x01);
	assert_int_equal(in(1), 0xc2);
	assert_int_equal(fc.out_len, 0);
	type("x", 1);
	assert_int_equal(in(0), 0x01);

	out(LCR, 0x03);
	assert_int_equal(in(IER), 0x05);
	assert_int_equal(in(RBR), 'x');
}

static void unused_bits_of_ier_and_mcr_read_as_zero(void **state)
{
	out(IER, 0xff);
	assert_int_equal(in(IER), 0x0f);
	out(MCR, 0xff);
	assert_int_equal(in(MCR), 0x1f);
	out(SCR, 0xa5);
	assert_int_equal(in(SCR), 0xa5);
	out(LSR, 0xff);
	out(MSR, 0xff);
	assert_int_equal(in(LSR), 0x60);
}

static void output_is_with_the_peer_at_once(void **state)
{
	unsigned i;

	for (i = 0; i < 256; i++) {
		out(THR, i);
		assert_int_equal(in(LSR), 0x60);
	}
	assert_int_equal(fc.out_len, 256);
	for (i = 0; i < 256; i++)
		assert_int_equal(fc.out[i], i);
}

static void without_a_peer_output_vanishes_and_modem_inputs_are_off(void **state)
{
	out(THR, 'x');
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(MSR), 0x00);
	uart_break(uart);
	assert_int_equal(in(LSR), 0x71);
}

static void a_break_that_the_guest_sends_keeps_characters_off_the_line(
	void **state)
{
	out(LCR, 0x43);
	out(THR, 'x');
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(fc.out_len, 0);
	out(LCR, 0x03);
	out(THR, 'y');
	assert_int_equal(fc.out_len, 1);
	assert_int_equal(fc.out[0], 'y');
}

/* The one that ORs its sources' numbers together reads 0x06 here. */
static void receive_with_thr_empty_identifies_as_receive(void **state)
{
	out(IER, 0x03);
	type("x", 1);
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(RBR), 'x');
	/* Those reads did not show THRE, so they have not cleared it. */
	assert_int_equal(in(IIR), 0x02);
	assert_int_equal(in(IIR), 0x01);
}

/* Every set of pending sources under every IER: table IV. */
static void the_highest_enabled_source_is_identified(void **state)
{
	unsigned pending, ier;

	for (pending = 0; pending < 16; pending++) {
		for (ier = 0; ier < 16; ier++) {
			unsigned active = pending & ier;
			unsigned want = active & 4 ? 0x06 :
					active & 1 ? 0x04 :
					active & 2 ? 0x02 :
					active & 8 ? 0x00 :
						     0x01;

			device_reset(uart);
			out(IER, 0x02);
			if (!(pending & 2)) /* enabled, then cleared */
				assert_int_equal(in(IIR), 0x02);
			if (pending & 4)
				uart_break(uart);
			else
				type("x", 1);
			if (!(pending & 1))
				in(RBR);
			out(MCR, 0x18); /* CTS and DSR change twice */
			out(MCR, 0x08);
			if (!(pending & 8))
				in(MSR);
			out(IER, ier);
			assert_int_equal(line.level, want != 0x01);
			assert_int_equal(in(IIR), want);
		}
	}
}

static void each_source_is_cleared_as_table_4_says(void **state)
{
	out(MCR, 0x08);
	out(IER, 0x0f);
	out(MCR, 0x18);
	out(MCR, 0x08); /* CTS, DSR and DCD went away and came back */
	force("ab", 2);
	assert_int_equal(in(IIR), 0x06);
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(RBR), 'b');
	assert_int_equal(in(IIR), 0x02);
	assert_int_equal(in(IIR), 0x00);
	assert_int_equal(in(IIR), 0x00);
	assert_int_equal(line.level, 1);
	assert_int_equal(in(MSR), 0xb3);
	assert_int_equal(in(IIR), 0x01);
	assert_int_equal(line.level, 0);
	assert_int_equal(in(MSR), 0xb0);
}

static void enabling_etbei_raises_thre_and_reading_iir_clears_it(void **state)
{
	out(MCR, 0x08);
	out(IER, 0x02);
	assert_int_equal(line.level, 1);
	assert_int_equal(in(IIR), 0x02);
	assert_int_equal(line.level, 0);
	assert_int_equal(in(IIR), 0x01);
	out(IER, 0x02); /* it was on already */
	assert_int_equal(line.level, 0);
	out(IER, 0x00);
	out(IER, 0x02);
	assert_int_equal(line.level, 1);
	assert_int_equal(line.rises, 2);
}

/* An 8259 in edge mode needs a new edge even if nobody looked at IIR. */
static void each_emptying_of_thr_is_an_edge(void **state)
{
	out(MCR, 0x08);
	out(IER, 0x02);
	assert_int_equal(line.rises, 1);
	out(THR, 'a');
	assert_int_equal(line.rises, 2);
	out(THR, 'b');
	assert_int_equal(line.rises, 3);
	assert_int_equal(in(IIR), 0x02);
	out(THR, 'c');
	assert_int_equal(line.rises, 4);
	assert_int_equal(line.level, 1);
}

static void a_fifo_full_of_output_is_one_edge(void **state)
{
	unsigned i;

	out(FCR, 0x01);
	out(MCR, 0x08);
	out(IER, 0x02);
	assert_int_equal(in(IIR), 0xc2);
	assert_int_equal(line.rises, 1);
	for (i = 0; i < 16; i++)
		out(THR, 'x');
	assert_int_equal(line.rises, 2);
	assert_int_equal(line.level, 1);
	out(THR, 'x'); /* the 17th needs the FIFO to have emptied */
	assert_int_equal(line.rises, 3);
	in(LSR);
	out(THR, 'x');
	assert_int_equal(line.rises, 4);
	assert_int_equal(fc.out_len, 18);
}

static void iir_shows_whether_the_fifos_are_on(void **state)
{
	assert_int_equal(in(IIR), 0x01);
	out(FCR, 0x01);
	assert_int_equal(in(IIR), 0xc1);
	out(FCR, 0xc6); /* without bit 0 nothing else counts */
	assert_int_equal(in(IIR), 0x01);
}

static void the_fifo_interrupts_at_its_trigger_level(void **state)
{
	static const unsigned level[] = { 1, 4, 8, 14 };
	unsigned i, n;

	out(MCR, 0x08);
	out(IER, 0x01);
	for (i = 0; i < 4; i++) {
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
	assert_int_equal(fake_chardev_type(&fc, "0123456789abcdefgh", 18), 16);
	for (i = 0; i < 16; i++) {
		assert_int_equal(in(LSR), 0x61);
		assert_int_equal(in(RBR), "0123456789abcdef"[i]);
	}
	assert_int_equal(in(LSR), 0x60);
}

static void changing_the_mode_and_fcr_bit_1_empty_the_fifo(void **state)
{
	type("x", 1);
	out(FCR, 0x01);
	assert_int_equal(in(LSR), 0x60);
	type("xyz", 3);
	out(FCR, 0x05); /* the transmitter's is not the receiver's */
	assert_int_equal(in(LSR), 0x61);
	out(FCR, 0x03);
	assert_int_equal(in(LSR), 0x60);
	type("xyz", 3);
	out(FCR, 0x00);
	assert_int_equal(in(LSR), 0x60);
	type("x", 1);
	assert_int_equal(fake_chardev_type(&fc, "y", 1), 0);
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
	out(FCR, 0x41);
	type("xyz", 3); /* not enabled */
	assert_int_equal(fake_loop_armed(&fl), 0);
	out(IER, 0x01);
	assert_int_equal(fake_loop_armed(&fl), 1);
	type("x", 1); /* at the trigger level */
	assert_int_equal(fake_loop_armed(&fl), 0);
	in(RBR);
	assert_int_equal(fake_loop_armed(&fl), 1);
	out(FCR, 0x43);
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

static void out2_opens_the_way_for_interrupts(void **state)
{
	out(IER, 0x01);
	type("x", 1);
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(line.level, 0);
	out(MCR, 0x08);
	assert_int_equal(line.level, 1);
	out(MCR, 0x07);
	assert_int_equal(line.level, 0);
	out(MCR, 0x10); /* loopback: interrupts are fully operational */
	assert_int_equal(line.level, 1);
}

static void loopback_returns_what_is_sent(void **state)
{
	unsigned i;

	out(MCR, 0x10);
	out(FCR, 0x01);
	out(IER, 0x05);
	for (i = 0; i < 16; i++)
		out(THR, 0xf0 + i);
	assert_int_equal(in(IIR), 0xc4);
	assert_int_equal(line.level, 1);
	assert_int_equal(in(LSR), 0x61);
	out(THR, 0xff);
	assert_int_equal(in(IIR), 0xc6);
	assert_int_equal(in(LSR), 0x63);
	for (i = 0; i < 16; i++)
		assert_int_equal(in(RBR), 0xf0 + i);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(fc.out_len, 0);
	/* The line is not heard. */
	assert_int_equal(fake_chardev_type(&fc, "x", 1), 0);
	uart_break(uart);
	assert_int_equal(in(LSR), 0x60);
}

static void loopback_returns_the_modem_outputs(void **state)
{
	out(MCR, 0x10);
	assert_int_equal(in(MSR), 0x0b); /* CTS, DSR, DCD fell */
	out(MCR, 0x11); /* DTR is DSR */
	assert_int_equal(in(MSR), 0x22);
	out(MCR, 0x13); /* RTS is CTS */
	assert_int_equal(in(MSR), 0x31);
	out(MCR, 0x17); /* OUT1 is RI, whose start does not count */
	assert_int_equal(in(MSR), 0x70);
	out(MCR, 0x13); /* its end does */
	assert_int_equal(in(MSR), 0x34);
	out(MCR, 0x1b); /* OUT2 is DCD */
	assert_int_equal(in(MSR), 0xb8);
	assert_int_equal(in(MSR), 0xb0);
	/* How Linux looks for a UART. */
	out(MCR, 0x1a);
	assert_int_equal(in(MSR) & 0xf0, 0x90);
}

static void modem_status_interrupts_in_loopback(void **state)
{
	out(MCR, 0x10);
	in(MSR);
	out(IER, 0x08);
	assert_int_equal(line.level, 0);
	out(MCR, 0x12);
	out(MCR, 0x10); /* deltas add up until read */
	assert_int_equal(line.level, 1);
	assert_int_equal(in(IIR), 0x00);
	assert_int_equal(in(MSR), 0x01);
	assert_int_equal(line.level, 0);
}

static void a_slow_guest_gets_everything(void **state)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog";
	size_t sent = 0, got = 0;
	int fifo;

	for (fifo = 0; fifo < 2; fifo++) {
		out(FCR, fifo);
		fc.wants = 0;
		sent = got = 0;
		while (got < sizeof(text)) {
			unsigned wants = fc.wants;

			while (sent < sizeof(text) &&
			       fake_chardev_type(&fc, text + sent, 1))
				sent++;
			assert_int_equal(fc.wants, wants);
			assert_int_equal(in(LSR), 0x61);
			assert_int_equal(fc.wants, wants);
			assert_int_equal(in(RBR), text[got++]);
			/* Once, and only if it was turned away. */
			assert_int_equal(fc.wants - wants,
					 sent < sizeof(text));
		}
	}
}

static void room_is_asked_for_again_after_loopback_and_reset(void **state)
{
	assert_int_equal(fake_chardev_type(&fc, "a", 1), 1);
	assert_int_equal(fake_chardev_type(&fc, "b", 1), 0);
	assert_int_equal(fc.wants, 0);
	out(FCR, 0x01);
	assert_int_equal(fc.wants, 1);
	out(FCR, 0x03);
	assert_int_equal(fc.wants, 1);

	out(MCR, 0x10);
	assert_int_equal(fake_chardev_type(&fc, "b", 1), 0);
	out(MCR, 0x00);
	assert_int_equal(fc.wants, 2);

	out(FCR, 0x00);
	assert_int_equal(fake_chardev_type(&fc, "a", 1), 1);
	assert_int_equal(fake_chardev_type(&fc, "b", 1), 0);
	device_reset(uart);
	assert_int_equal(fc.wants, 3);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_reset_gives_table_1),
		T(a_reset_leaves_scr_and_the_divisor),
		T(lcr_reads_back_every_value),
		T(dlab_puts_the_divisor_in_place_of_data_and_ier),
		T(unused_bits_of_ier_and_mcr_read_as_zero),
		T(output_is_with_the_peer_at_once),
		cmocka_unit_test_setup_teardown(
			without_a_peer_output_vanishes_and_modem_inputs_are_off,
			setup_without_peer, teardown),
		T(a_break_that_the_guest_sends_keeps_characters_off_the_line),
		T(receive_with_thr_empty_identifies_as_receive),
		T(the_highest_enabled_source_is_identified),
		T(each_source_is_cleared_as_table_4_says),
		T(enabling_etbei_raises_thre_and_reading_iir_clears_it),
		T(each_emptying_of_thr_is_an_edge),
		T(a_fifo_full_of_output_is_one_edge),
		T(iir_shows_whether_the_fifos_are_on),
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
		T(out2_opens_the_way_for_interrupts),
		T(loopback_returns_what_is_sent),
		T(loopback_returns_the_modem_outputs),
		T(modem_status_interrupts_in_loopback),
		T(a_slow_guest_gets_everything),
		T(room_is_asked_for_again_after_loopback_and_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
