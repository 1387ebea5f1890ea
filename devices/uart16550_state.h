/* SPDX-License-Identifier: MIT */
/*
 * uart16550_state.h: the registers of a 16550A, and what follows from them. Values
 * only: no time, no lines, no locks.
 */
#ifndef TRAPMAP_UART16550_STATE_H
#define TRAPMAP_UART16550_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uart16550_rx.h"

struct uart_state {
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	bool thre_pending; /* the THRE interrupt, whether enabled or not */
	uint8_t tx_burst; /* characters of a burst into the transmitter's FIFO */
	struct uart_rx rx;
	int64_t rx_active; /* VM clock: the last arrival or read of the FIFO */
};

/* Whether somebody takes what comes over the line. */
bool uart_listens(const struct uart_state *s);

/* How much new input there is room for: what is held comes first. */
size_t uart_line_room(const struct uart_state *s);

/*
 * The enabled interrupt of the highest priority, as IIR's bits 3:0: the only
 * place that decides it.
 */
unsigned uart_interrupt_id(const struct uart_state *s);

/* Whether INTR is active, and passes the PC's buffer. */
bool uart_interrupts(const struct uart_state *s);

/* Four characters of start bit, data, parity and stop bits. */
int64_t uart_four_characters_ns(const struct uart_state *s);

/* Whether a character time-out would come if the line stayed quiet. */
bool uart_timeout_possible(const struct uart_state *s);

/* The modem's inputs as MSR has them; peer: somebody is at the line's end. */
uint8_t uart_modem_inputs(const struct uart_state *s, bool peer);

/* Accesses to registers, with what they bring about in others. */
uint8_t uart_read_iir(struct uart_state *s);
uint8_t uart_read_msr(struct uart_state *s);
void uart_write_ier(struct uart_state *s, uint8_t val);
void uart_write_fcr(struct uart_state *s, uint8_t val);
void uart_write_mcr(struct uart_state *s, uint8_t val, bool peer);

/* Reads of LSR that something else came between are not a wait for input. */
void uart_forget_polls(struct uart_state *s);

#endif
