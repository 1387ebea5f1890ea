/* SPDX-License-Identifier: MIT */
/*
 * uart_rig.h: a 16550A with a peer, a line and time in the test's hand.
 * Registers and bits are written as numbers, by the PC16550D datasheet.
 */
#ifndef TRAPMAP_TEST_UART_RIG_H
#define TRAPMAP_TEST_UART_RIG_H

#include "test.h"

#include "core/base.h"
#include "fake_chardev.h"
#include "fake_loop.h"
#include "uart16550.h"

enum { RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR, MCR, LSR, MSR, SCR };

static struct fake_loop fl;
static struct fake_chardev fc;
static struct fake_line line;
static struct device *uart;
/* How far apart the registers are; main() tries each. */
static unsigned reg_shift;

static inline void make(struct chardev *chr)
{
	struct uart_config config = {
		.loop = &fl.loop,
		.chr = chr,
		.irq = { .set = fake_line_set, .opaque = &line },
		.reg_shift = reg_shift,
	};

	fake_loop_init(&fl, 1000 * NSEC_PER_SEC);
	fake_chardev_init(&fc);
	line = (struct fake_line){ 0 };
	assert_int_equal(uart_new(&config, &uart), 0);
}

static inline int setup(void **state)
{
	make(&fc.chr);
	return 0;
}

static inline int setup_without_peer(void **state)
{
	make(NULL);
	return 0;
}

static inline int teardown(void **state)
{
	uart = device_free(uart);
	assert_int_equal(fake_loop_armed(&fl), 0);
	return 0;
}

static inline unsigned in(unsigned reg)
{
	return (unsigned)dev_read(uart, reg << reg_shift, 1u << reg_shift);
}

static inline void out(unsigned reg, unsigned val)
{
	dev_write(uart, reg << reg_shift, 1u << reg_shift, val);
}

static inline void set_divisor(unsigned divisor)
{
	unsigned lcr = in(LCR);

	out(LCR, lcr | 0x80);
	out(0, divisor & 0xff);
	out(1, divisor >> 8);
	out(LCR, lcr & 0x7f);
}

/* Waits for input as a polling guest does, so that the peer sends. */
static inline void listen(void)
{
	unsigned i;

	for (i = 0; i < 16; i++)
		in(LSR);
}

static inline void type(const char *text, size_t len)
{
	if (fc.front.room(fc.front.opaque) == 0)
		listen();
	assert_int_equal(fake_chardev_type(&fc, text, len), len);
}

/* Reads what is there, so that nothing is left to be held and come again. */
static inline void empty(void)
{
	while (in(LSR) & 0x01)
		in(RBR);
}

/* Input that nobody asked room for: how an overrun comes about. */
static inline void force(const char *text, size_t len)
{
	fc.front.receive(fc.front.opaque, (const uint8_t *)text, len);
}

/* All tests, with the registers at each distance. */
#define RUN_EACH_SHIFT(tests)                                         \
	({                                                            \
		int failed = 0;                                       \
                                                                      \
		for (reg_shift = 0; reg_shift <= UART_REG_SHIFT_MAX;  \
		     reg_shift++)                                     \
			failed += cmocka_run_group_tests(tests, NULL, \
							 NULL);       \
		failed;                                               \
	})

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
