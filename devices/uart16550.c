// SPDX-License-Identifier: MIT
/*
 * A 16550A serial port as a PC has it.
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
#include "uart16550_rx.h"

/*
 * The datasheet leaves the divisor undefined until it is written. 9600 baud is
 * what a PC's firmware leaves there, and what early consoles then find.
 */
#define DIVISOR_9600 12
#define CRYSTAL_HZ 1843200

struct uart_state {
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	bool thre_pending; /* the THRE interrupt, whether enabled or not */
	uint8_t tx_burst; /* see write_thr() */
	struct uart_rx rx;
	int64_t rx_active; /* VM clock: the last arrival or read of the FIFO */
};

struct uart {
	struct device dev;
	struct uart_state s;

	struct loop *loop;
	struct chardev *chr;
	struct irq_line irq;
	struct loop_timer *timer;
	int64_t timer_at; /* what the timer is set to */
	struct loop_timer *held_timer; /* when what is held arrives again */
	bool held_soon; /* it is set */
	bool room_was_0; /* the back end waits for want_input() */
};

static struct uart *to_uart(struct device *dev)
{
	return container_of(dev, struct uart, dev);
}

static unsigned rx_trigger(const struct uart_state *s)
{
	static const uint8_t level[] = { 1, 4, 8, 14 };

	return s->rx.fifo ? level[s->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* In loopback the receiver does not see the line. */
static bool listens(const struct uart_state *s)
{
	if (s->mcr & MCR_LOOP)
		return false;
	return (s->ier & IER_ERBFI) || s->rx.polls == UART_RX_POLLS;
}

/* For new input: what is held comes first. */
static size_t line_room(const struct uart_state *s)
{
	if (!listens(s) || s->rx.held_count)
		return 0;
	return uart_rx_room(&s->rx);
}

/*
 * The enabled interrupt of the highest priority, as IIR's bits 3:0: the only
 * place that decides it. Table IV. A reached trigger level and a time-out share
 * a rank; the trigger level tells the guest more.
 */
static unsigned interrupt_id(const struct uart_state *s)
{
	if ((s->ier & IER_ELSI) && s->rx.errors)
		return IIR_LINE_STATUS;
	if ((s->ier & IER_ERBFI) && s->rx.count >= rx_trigger(s))
		return IIR_DATA;
	if ((s->ier & IER_ERBFI) && s->rx.timeout)
		return IIR_TIMEOUT;
	if ((s->ier & IER_ETBEI) && s->thre_pending)
		return IIR_THR_EMPTY;
	if ((s->ier & IER_EDSSI) && (s->msr & MSR_DELTAS))
		return IIR_MODEM_STATUS;
	return IIR_NONE;
}

static void update_irq(struct uart *u)
{
	irq_set(&u->irq, interrupt_id(&u->s) != IIR_NONE &&
				 (u->s.mcr & (MCR_OUT2 | MCR_LOOP)));
}

/* Four characters of start bit, data, parity and stop bits. */
static int64_t four_characters_ns(const struct uart_state *s)
{
	unsigned wls = s->lcr & LCR_WLS;
	unsigned half_bits = 2 * (1 + 5 + wls + (s->lcr & LCR_PEN ? 1 : 0));
	uint64_t divisor = s->dll | s->dlm << 8;

	/* With STB, 5-bit words have a stop bit and a half. */
	half_bits += !(s->lcr & LCR_STB) ? 2 : wls ? 4 : 3;
	/* A 16-bit down-counter loaded with 0 would run the longest way. */
	if (!divisor)
		divisor = 0x10000;
	/* 4 characters * half_bits / 2 * 16 clocks a bit * divisor */
	return (int64_t)(half_bits * divisor * 32 * NSEC_PER_SEC / CRYSTAL_HZ);
}

static bool timeout_possible(const struct uart_state *s)
{
	return s->rx.fifo && (s->ier & IER_ERBFI) && s->rx.count &&
	       s->rx.count < rx_trigger(s) && !s->rx.timeout;
}

/*
 * A deadline that moves further away leaves the timer as it is: on_timer()
 * looks again. So a guest that empties the FIFO sets it once, not per byte.
 */
static void update_timer(struct uart *u)
{
	int64_t at = LOOP_NEVER;

	if (timeout_possible(&u->s))
		at = u->s.rx_active + four_characters_ns(&u->s);
	if (at == u->timer_at || (at > u->timer_at && at != LOOP_NEVER))
		return;
	u->timer_at = at;
	loop_timer_set(u->loop, u->timer, at);
}

/* A character time or so later, as if the peer had sent it just then. */
static void update_held(struct uart *u)
{
	struct uart_state *s = &u->s;

	if (u->held_soon || !s->rx.held_count || !listens(s) ||
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
	if (u->room_was_0 && line_room(&u->s)) {
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

static uint8_t read_iir(struct uart_state *s)
{
	unsigned id = interrupt_id(s);

	if (id == IIR_THR_EMPTY)
		s->thre_pending = false;
	return (uint8_t)(id | (s->rx.fifo ? IIR_FIFOS_ON : 0));
}

static uint8_t read_msr(struct uart_state *s)
{
	uint8_t msr = s->msr;

	s->msr &= MSR_INPUTS;
	return msr;
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

static void write_ier(struct uart_state *s, uint8_t val)
{
	/* THRE is set, so enabling its interrupt raises it. */
	if ((val & ~s->ier) & IER_ETBEI)
		s->thre_pending = true;
	s->ier = val & IER_MASK;
}

static void write_fcr(struct uart_state *s, uint8_t val)
{
	bool is_line = !(s->mcr & MCR_LOOP);

	/* Without bit 0 the others are not programmed. */
	if (!(val & FCR_ENABLE))
		val = 0;
	if ((val ^ s->fcr) & FCR_ENABLE) {
		uart_rx_clear(&s->rx, is_line);
		s->thre_pending = true; /* "immediate" */
	}
	if (val & FCR_RX_RESET)
		uart_rx_clear(&s->rx, is_line);
	s->fcr = val;
	s->rx.fifo = val & FCR_ENABLE;
}

static uint8_t modem_inputs(const struct uart *u)
{
	unsigned mcr = u->s.mcr;

	if (mcr & MCR_LOOP)
		return (uint8_t)((mcr & MCR_DTR ? MSR_DSR : 0) |
				 (mcr & MCR_RTS ? MSR_CTS : 0) |
				 (mcr & MCR_OUT1 ? MSR_RI : 0) |
				 (mcr & MCR_OUT2 ? MSR_DCD : 0));
	return u->chr ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
}

static void write_mcr(struct uart *u, uint8_t val)
{
	struct uart_state *s = &u->s;
	unsigned now, edges;

	s->mcr = val & MCR_MASK;
	now = modem_inputs(u);
	edges = (now ^ s->msr) & MSR_INPUTS;
	/* RI counts only when it ends. */
	edges &= ~(now & MSR_RI);
	s->msr = (uint8_t)(now | (s->msr & MSR_DELTAS) | edges >> 4);
}

/* Reads of LSR that something else came between are not a wait for input. */
static void forget_polls(struct uart_state *s)
{
	if (s->rx.polls < UART_RX_POLLS)
		s->rx.polls = 0;
}

static uint64_t uart_read(struct device *dev, uint64_t off, unsigned size)
{
	struct uart *u = to_uart(dev);
	struct uart_state *s = &u->s;
	bool dlab = s->lcr & LCR_DLAB;
	uint8_t val;

	s->tx_burst = 0;
	if (off != REG_LSR && off != REG_DATA)
		forget_polls(s);
	switch (off) {
	case REG_DATA: val = dlab ? s->dll : read_rbr(u); break;
	case REG_IER: val = dlab ? s->dlm : s->ier; break;
	case REG_IIR: val = read_iir(s); break;
	case REG_LCR: val = s->lcr; break;
	case REG_MCR: val = s->mcr; break;
	case REG_LSR:
		val = LSR_THRE | LSR_TEMT | uart_rx_read_status(&s->rx);
		break;
	case REG_MSR: val = read_msr(s); break;
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
	uint8_t val = (uint8_t)wide;

	if (off != REG_DATA || dlab)
		s->tx_burst = 0;
	forget_polls(s);
	switch (off) {
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
			write_ier(s, val);
		break;
	case REG_IIR: write_fcr(s, val); break;
	case REG_LCR: s->lcr = val; break;
	case REG_MCR: write_mcr(u, val); break;
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
	if (timeout_possible(s) &&
	    loop_now(u->loop, LOOP_CLOCK_VM) - s->rx_active >=
		    four_characters_ns(s))
		s->rx.timeout = true;
	changed(u);
	device_unlock(&u->dev);
}

static void on_held_timer(void *opaque)
{
	struct uart *u = opaque;

	device_lock(&u->dev);
	u->held_soon = false;
	if (listens(&u->s)) {
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
	room = line_room(&u->s);
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
	u->s.msr = modem_inputs(u);
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

static const struct device_ops uart_ops = {
	.name = "16550A",
	.sizes = 1,
	.read = uart_read,
	.write = uart_write,
	.reset = uart_reset,
	.free = uart_free,
};

int uart_new(const struct uart_config *config, struct device **ret_dev)
{
	struct uart *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	device_init(&u->dev, &uart_ops);
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
