// SPDX-License-Identifier: MIT
/* Datasheet: National Semiconductor PC16550D, June 1995. */
#include "uart16550_state.h"

#include "core/base.h"
#include "uart16550_regs.h"

#define CRYSTAL_HZ 1843200

static unsigned rx_trigger(const struct uart_state *s)
{
	static const uint8_t level[] = { 1, 4, 8, 14 };

	return s->rx.fifo ? level[s->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* In loopback the receiver does not see the line. */
bool uart_listens(const struct uart_state *s)
{
	if (s->mcr & MCR_LOOP)
		return false;
	return (s->ier & IER_ERBFI) || s->rx.polls == UART_RX_POLLS;
}

size_t uart_line_room(const struct uart_state *s)
{
	if (!uart_listens(s) || s->rx.held_count)
		return 0;
	return uart_rx_room(&s->rx);
}

/*
 * Table IV. A reached trigger level and a time-out share a rank; the trigger level
 * tells the guest more.
 */
unsigned uart_interrupt_id(const struct uart_state *s)
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

bool uart_interrupts(const struct uart_state *s)
{
	return uart_interrupt_id(s) != IIR_NONE &&
	       (s->mcr & (MCR_OUT2 | MCR_LOOP));
}

int64_t uart_four_characters_ns(const struct uart_state *s)
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

bool uart_timeout_possible(const struct uart_state *s)
{
	return s->rx.fifo && (s->ier & IER_ERBFI) && s->rx.count &&
	       s->rx.count < rx_trigger(s) && !s->rx.timeout;
}

uint8_t uart_modem_inputs(const struct uart_state *s, bool peer)
{
	unsigned mcr = s->mcr;

	if (mcr & MCR_LOOP)
		return (uint8_t)((mcr & MCR_DTR ? MSR_DSR : 0) |
				 (mcr & MCR_RTS ? MSR_CTS : 0) |
				 (mcr & MCR_OUT1 ? MSR_RI : 0) |
				 (mcr & MCR_OUT2 ? MSR_DCD : 0));
	return peer ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
}

uint8_t uart_read_iir(struct uart_state *s)
{
	unsigned id = uart_interrupt_id(s);

	if (id == IIR_THR_EMPTY)
		s->thre_pending = false;
	return (uint8_t)(id | (s->rx.fifo ? IIR_FIFOS_ON : 0));
}

uint8_t uart_read_msr(struct uart_state *s)
{
	uint8_t msr = s->msr;

	s->msr &= MSR_INPUTS;
	return msr;
}

void uart_write_ier(struct uart_state *s, uint8_t val)
{
	/* THRE is set, so enabling its interrupt raises it. */
	if ((val & ~s->ier) & IER_ETBEI)
		s->thre_pending = true;
	s->ier = val & IER_MASK;
}

void uart_write_fcr(struct uart_state *s, uint8_t val)
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

void uart_write_mcr(struct uart_state *s, uint8_t val, bool peer)
{
	unsigned now, edges;

	s->mcr = val & MCR_MASK;
	now = uart_modem_inputs(s, peer);
	edges = (now ^ s->msr) & MSR_INPUTS;
	/* RI counts only when it ends. */
	edges &= ~(now & MSR_RI);
	s->msr = (uint8_t)(now | (s->msr & MSR_DELTAS) | edges >> 4);
}

void uart_forget_polls(struct uart_state *s)
{
	if (s->rx.polls < UART_RX_POLLS)
		s->rx.polls = 0;
}
