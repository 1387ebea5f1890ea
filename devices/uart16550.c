// SPDX-License-Identifier: MIT
/*
 * A 16550A serial port as a PC has it, or with its registers further apart, as on
 * boards where it lies in memory.
 *
 * Datasheet: National Semiconductor PC16550D, June 1995. Its names are used for
 * registers and bits.
 *
 * The PC's wiring: OUT2 opens the buffer between INTR and the bus, so without
 * MCR bit 3 there is no interrupt, except in loopback, where the datasheet has
 * all interrupts at work. The peer on the line holds CTS, DSR and DCD active;
 * with no peer the modem inputs are inactive.
 *
 * Not modelled:
 *  - the time that output takes: a character is gone as soon as it is written,
 *    so THRE and TEMT always read as 1, and the transmitter's FIFO as empty;
 *  - word length, parity and stop bits on the line: every character has 8 bits
 *    and arrives intact (a guest that never sets LCR can print, too). They
 *    count only for the length of the character time-out. A break is reported
 *    as BI alone, without the framing error that its missing stop bit is;
 *  - a break sent by the guest: LCR bit 6 keeps characters off the line, as it
 *    must, and the peer sees nothing;
 *  - a peer that sends while nobody listens: see uart16550_rx.h;
 *  - the DMA pins RXRDY and TXRDY, so FCR bit 3 does nothing.
 */
#include "uart16550.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/chardev.h"
#include "core/base.h"
#include "core/device.h"
#include "core/loop.h"
#include "uart16550_regs.h"
#include "uart16550_state.h"

/*
 * The datasheet leaves the divisor undefined until it is written. 9600 baud is
 * what a PC's firmware leaves there, and what early consoles then find.
 */
#define DIVISOR_9600 12

struct uart {
	struct device dev;
	struct uart_state s;

	struct loop *loop;
	struct chardev *chr;
	struct irq_line irq;
	unsigned reg_shift;
	struct loop_timer *timer;
	int64_t timer_at;	       /* what the timer is set to */
	struct loop_timer *held_timer; /* when what is held arrives again */
	bool held_soon;		       /* it is set */
	bool room_was_0;	       /* the back end waits for want_input() */
};

static struct uart *to_uart(struct device *dev)
{
	return container_of(dev, struct uart, dev);
}

static void update_irq(struct uart *u)
{
	irq_set(&u->irq, uart_interrupts(&u->s));
}

/*
 * A deadline that moves further away leaves the timer as it is: on_timer()
 * looks again. So a guest that empties the FIFO sets it once, not per byte.
 */
static void update_timer(struct uart *u)
{
	int64_t at = LOOP_NEVER;

	if (uart_timeout_possible(&u->s))
		at = u->s.rx_active + uart_four_characters_ns(&u->s);
	if (at == u->timer_at || (at > u->timer_at && at != LOOP_NEVER))
		return;
	u->timer_at = at;
	loop_timer_set(u->loop, u->timer, at);
}

/* A character time or so later, as if the peer had sent it just then. */
static void update_held(struct uart *u)
{
	struct uart_state *s = &u->s;

	if (u->held_soon || !s->rx.held_count || !uart_listens(s) ||
	    !uart_rx_room(&s->rx))
		return;
	u->held_soon = true;
	loop_timer_set(u->loop, u->held_timer,
		       loop_now(u->loop, LOOP_CLOCK_VM) + NSEC_PER_MSEC);
}

/* The end of every change of state. */
static void changed(struct uart *u)
{
	update_irq(u);
	update_timer(u);
	update_held(u);
	/* All of it at once, or the back end would come for each character. */
	if (u->chr && u->room_was_0 && !u->s.rx.count && uart_line_room(&u->s)) {
		u->room_was_0 = false;
		u->chr->ops->want_input(u->chr);
	}
}

/* The receiver was used, so the character time-out starts anew. */
static void rx_touch(struct uart *u)
{
	if (u->s.rx.fifo)
		u->s.rx_active = loop_now(u->loop, LOOP_CLOCK_VM);
}

static void rx_push(struct uart *u, uint8_t data, uint8_t errors)
{
	uart_rx_push(&u->s.rx, data, errors);
	rx_touch(u);
}

static uint8_t read_rbr(struct uart *u)
{
	rx_touch(u);
	return uart_rx_pop(&u->s.rx);
}

static void send(struct uart *u, uint8_t byte)
{
	if (u->s.mcr & MCR_LOOP)
		rx_push(u, byte, 0);
	else if (u->chr && !(u->s.lcr & LCR_BREAK))
		u->chr->ops->write(u->chr, &byte, 1);
}

/*
 * Filling THR takes the THRE interrupt away, its emptying brings it back, and
 * an edge-triggered controller needs to see both: a handler may write without
 * a look at IIR. With FIFOs up to 16 characters written in a row leave
 * together, so there is one such edge for all of them, not one for each.
 */
static void write_thr(struct uart *u, uint8_t byte)
{
	struct uart_state *s = &u->s;

	if (!s->tx_burst) {
		s->thre_pending = false;
		update_irq(u);
	}
	s->tx_burst = s->rx.fifo ? (s->tx_burst + 1) % UART_FIFO_SIZE : 0;
	send(u, byte);
	s->thre_pending = true;
}

/* Registers have the low byte of their places; the others lead nowhere. */
static unsigned reg_at(const struct uart *u, uint64_t off)
{
	if (off & ((1u << u->reg_shift) - 1))
		return REG_NONE;
	return (unsigned)(off >> u->reg_shift);
}

static uint64_t uart_read(struct device *dev, uint64_t off, unsigned size)
{
	struct uart *u = to_uart(dev);
	struct uart_state *s = &u->s;
	bool dlab = s->lcr & LCR_DLAB;
	unsigned reg = reg_at(u, off);
	uint8_t val;

	if (reg == REG_NONE)
		return 0;
	s->tx_burst = 0;
	if (reg != REG_LSR && reg != REG_DATA)
		uart_forget_polls(s);
	switch (reg) {
	case REG_DATA: val = dlab ? s->dll : read_rbr(u); break;
	case REG_IER: val = dlab ? s->dlm : s->ier; break;
	case REG_IIR: val = uart_read_iir(s); break;
	case REG_LCR: val = s->lcr; break;
	case REG_MCR: val = s->mcr; break;
	case REG_LSR:
		val = LSR_THRE | LSR_TEMT | uart_rx_read_status(&s->rx);
		break;
	case REG_MSR: val = uart_read_msr(s); break;
	default: val = s->scr; break;
	}
	changed(u);
	return val;
}

static void uart_write(struct device *dev, uint64_t off, unsigned size,
		       uint64_t wide)
{
	struct uart *u = to_uart(dev);
	struct uart_state *s = &u->s;
	bool dlab = s->lcr & LCR_DLAB;
	unsigned reg = reg_at(u, off);
	uint8_t val = (uint8_t)wide;

	if (reg == REG_NONE)
		return;
	if (reg != REG_DATA || dlab)
		s->tx_burst = 0;
	uart_forget_polls(s);
	switch (reg) {
	case REG_DATA:
		if (dlab)
			s->dll = val;
		else
			write_thr(u, val);
		break;
	case REG_IER:
		if (dlab)
			s->dlm = val;
		else
			uart_write_ier(s, val);
		break;
	case REG_IIR: uart_write_fcr(s, val); break;
	case REG_LCR: s->lcr = val; break;
	case REG_MCR: uart_write_mcr(s, val, u->chr != NULL); break;
	case REG_SCR: s->scr = val; break;
	default: break; /* LSR and MSR are for reading */
	}
	changed(u);
}

static void on_timer(void *opaque)
{
	struct uart *u = opaque;
	struct uart_state *s = &u->s;

	device_lock(&u->dev);
	u->timer_at = LOOP_NEVER;
	if (uart_timeout_possible(s) &&
	    loop_now(u->loop, LOOP_CLOCK_VM) - s->rx_active >=
		    uart_four_characters_ns(s))
		s->rx.timeout = true;
	changed(u);
	device_unlock(&u->dev);
}

static void on_held_timer(void *opaque)
{
	struct uart *u = opaque;

	device_lock(&u->dev);
	u->held_soon = false;
	if (uart_listens(&u->s)) {
		while (uart_rx_release(&u->s.rx))
			rx_touch(u);
	}
	changed(u);
	device_unlock(&u->dev);
}

static size_t front_room(void *opaque)
{
	struct uart *u = opaque;
	size_t room;

	device_lock(&u->dev);
	room = uart_line_room(&u->s);
	u->room_was_0 = room == 0;
	device_unlock(&u->dev);
	return room;
}

/*
 * Between room() and here the guest may have turned the FIFOs off, or loopback
 * on: then this is an overrun, or on a line that nobody listens to.
 */
static void front_receive(void *opaque, const uint8_t *buf, size_t len)
{
	struct uart *u = opaque;
	size_t i;

	device_lock(&u->dev);
	for (i = 0; i < len && !(u->s.mcr & MCR_LOOP); i++)
		rx_push(u, buf[i], 0);
	changed(u);
	device_unlock(&u->dev);
}

void uart_break(struct device *dev)
{
	struct uart *u = to_uart(dev);

	device_lock(dev);
	if (!(u->s.mcr & MCR_LOOP))
		rx_push(u, 0, LSR_BI);
	changed(u);
	device_unlock(dev);
}

/* Table I: a reset does not reach SCR and the divisor. */
static void uart_reset(struct device *dev)
{
	struct uart *u = to_uart(dev);
	struct uart_state old;

	uart_rx_clear(&u->s.rx, !(u->s.mcr & MCR_LOOP));
	old = u->s;
	u->s = (struct uart_state){
		.scr = old.scr,
		.dll = old.dll,
		.dlm = old.dlm,
		.rx.held_count = old.rx.held_count,
	};
	memcpy(u->s.rx.held, old.rx.held, sizeof(old.rx.held));
	u->s.msr = uart_modem_inputs(&u->s, u->chr != NULL);
	changed(u);
}

static void uart_free(struct device *dev)
{
	struct uart *u = to_uart(dev);

	loop_timer_free(u->loop, u->timer);
	loop_timer_free(u->loop, u->held_timer);
	device_done(dev);
	free(u);
}

#define UART_OPS(widths)                                                     \
	{                                                                    \
		.name = "16550A", .sizes = widths, .read = uart_read,        \
		.write = uart_write, .reset = uart_reset, .free = uart_free, \
	}

/* By reg_shift: an access is as wide as a register's place, or narrower. */
static const struct device_ops uart_ops[UART_REG_SHIFT_MAX + 1] = {
	UART_OPS(1),
	UART_OPS(1 | 2),
	UART_OPS(1 | 2 | 4),
	UART_OPS(1 | 2 | 4 | 8),
};

int uart_new(const struct uart_config *config, struct device **ret_dev)
{
	struct uart *u;
	int r;

	if (config->reg_shift > UART_REG_SHIFT_MAX)
		return -EINVAL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	device_init(&u->dev, &uart_ops[config->reg_shift]);
	u->reg_shift = config->reg_shift;
	u->loop = config->loop;
	u->chr = config->chr;
	u->irq = config->irq;
	u->timer_at = LOOP_NEVER;
	u->s.dll = DIVISOR_9600;
	r = loop_timer_new(u->loop, LOOP_CLOCK_VM, on_timer, u, &u->timer);
	if (r == 0)
		r = loop_timer_new(u->loop, LOOP_CLOCK_VM, on_held_timer, u,
				   &u->held_timer);
	if (r < 0) {
		device_free(&u->dev);
		return r;
	}
	device_reset(&u->dev);
	if (u->chr)
		u->chr->ops->attach(u->chr, &(struct chardev_front){
						    .room = front_room,
						    .receive = front_receive,
						    .opaque = u,
					    });
	*ret_dev = &u->dev;
	return 0;
}
