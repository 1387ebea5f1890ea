// SPDX-License-Identifier: MIT
/* A 16550A: registers, output, interrupts, modem lines and loopback. */
#include "uart_rig.h"

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
		force("abcdefgh", 8);
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
				force("x", 1);
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

/* A bus of 32 bits has a register in the low byte of each word. */
static void accesses_of_other_widths_reach_the_low_byte_only(void **state)
{
	unsigned size, lane, step = 1u << reg_shift;

	for (size = 1; size <= step; size *= 2) {
		dev_write(uart, (uint64_t)SCR << reg_shift, size, 0x1122334455);
		assert_int_equal(
			dev_read(uart, (uint64_t)SCR << reg_shift, size), 0x55);
		assert_true(uart->ops->sizes & size);
	}
	assert_false(uart->ops->sizes & size);
	for (lane = 1; lane < step; lane++) {
		dev_write(uart, (SCR << reg_shift) + lane, 1, 0xaa);
		assert_int_equal(dev_read(uart, (SCR << reg_shift) + lane, 1),
				 0);
	}
	assert_int_equal(in(SCR), 0x55);
	/* What an access beside it would have done to a register. */
	out(FCR, 0x01);
	type("x", 1);
	for (lane = 1; lane < step; lane++)
		dev_read(uart, lane, 1);
	assert_int_equal(in(RBR), 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_reset_gives_table_1),
		T(a_reset_leaves_scr_and_the_divisor),
		T(accesses_of_other_widths_reach_the_low_byte_only),
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
		T(out2_opens_the_way_for_interrupts),
		T(loopback_returns_what_is_sent),
		T(loopback_returns_the_modem_outputs),
		T(modem_status_interrupts_in_loopback),
	};

	return RUN_EACH_SHIFT(tests);
}
