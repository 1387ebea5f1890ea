// SPDX-License-Identifier: MIT
/*
 * A guest at a 16550A's registers, a peer that types and breaks, and time.
 * Each step is two bytes: what to do, and with which value.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"
#include "fake_chardev.h"
#include "fake_loop.h"
#include "uart16550.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct fake_loop fl;
	struct fake_chardev fc;
	struct device *uart;
	unsigned reg_shift;
	bool level;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void set_line(void *opaque, bool level)
{
	struct world *w = opaque;

	check(level != w->level);
	w->level = level;
}

static uint8_t get(struct world *w, unsigned reg)
{
	uint64_t val;

	device_lock(w->uart);
	val = w->uart->ops->read(w->uart, reg << w->reg_shift,
				 1u << w->reg_shift);
	device_unlock(w->uart);
	check(val <= 0xff);
	return (uint8_t)val;
}

static void put(struct world *w, unsigned reg, uint8_t val)
{
	device_lock(w->uart);
	w->uart->ops->write(w->uart, reg << w->reg_shift, 1u << w->reg_shift,
			    val);
	device_unlock(w->uart);
}

/* What holds after every step, whatever came before. */
static void check_state(struct world *w)
{
	static const uint8_t ids[] = { 0x01, 0x06, 0x04, 0x0c, 0x02, 0x00 };
	bool line = w->level, known = false;
	uint8_t mcr = get(w, 4), iir = get(w, 2);
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		known |= ids[i] == (iir & 0x3f);
	check(known);
	check((iir & 0xc0) == 0xc0 || (iir & 0xc0) == 0);
	check(line == ((iir & 0x0f) != 0x01 && (mcr & 0x18)));
	/* The time-out's timer, and that of what is held. */
	check(fake_loop_armed(&w->fl) <= ((iir & 0xc0) ? 2 : 1));
	check(mcr & 0x10 ? w->fc.front.room(w->fc.front.opaque) == 0 : true);
}

static void step(struct world *w, uint8_t what, uint8_t val)
{
	static const uint8_t text[32] = "abcdefghijklmnopqrstuvwxyz01234";
	size_t sent = w->fc.out_len;
	unsigned reg = what & 7;

	switch (what >> 3 & 7) {
	case 0:
	case 1: get(w, reg); break;
	case 2:
	case 3: put(w, reg, val); break;
	case 4: fake_chardev_type(&w->fc, text, val % 32); break;
	case 5: /* more than there is room for */
		w->fc.front.receive(w->fc.front.opaque, text, val % 32);
		break;
	case 6:
		fake_loop_advance(&w->fl, (int64_t)val * val * NSEC_PER_USEC);
		break;
	default:
		if (val == 0)
			device_reset(w->uart);
		else
			uart_break(w->uart);
		break;
	}
	check(w->fc.out_len - sent <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world w = { .level = false };
	struct uart_config config = {
		.loop = &w.fl.loop,
		.chr = &w.fc.chr,
		.irq = { .set = set_line, .opaque = &w },
	};
	size_t i;

	/* Bit 7 of what to do is for nothing else. */
	w.reg_shift = len && (data[0] & 0x80) ? 2 : 0;
	config.reg_shift = w.reg_shift;
	fake_loop_init(&w.fl, 0);
	fake_chardev_init(&w.fc);
	check(uart_new(&config, &w.uart) == 0);
	for (i = 0; i + 1 < len; i += 2) {
		step(&w, data[i], data[i + 1]);
		/* Its look at IIR changes the state, so not always. */
		if (data[i] & 0x40)
			check_state(&w);
	}
	check_state(&w);
	device_free(w.uart);
	return 0;
}
