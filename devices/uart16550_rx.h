/* SPDX-License-Identifier: MIT */
/*
 * uart16550_rx.h: the receiver of a 16550A: its FIFO, and the errors that
 * travel with each character. Values only: no time, no lines, no locks.
 */
#ifndef TRAPMAP_UART16550_RX_H
#define TRAPMAP_UART16550_RX_H

#include <stdbool.h>
#include <stdint.h>

#define UART_FIFO_SIZE 16

/* A character, with those of its LSR bits that LSR has not shown yet. */
struct uart_rx_char {
	uint8_t data;
	uint8_t errors;
};

/*
 * Nothing that came over the line gets lost on the way to a guest's driver:
 * - The peer sends only while somebody listens: the received-data interrupt is
 *   enabled, or LSR has been read UART_RX_POLLS times in a row. (A driver that
 *   has yet to set the port up would throw away what came before.)
 * - What a guest clears from the FIFO without having read it counts as not yet
 *   sent: it is held, and arrives again.
 */
#define UART_RX_POLLS 16

struct uart_rx {
	bool fifo; /* FIFO mode; else one character, as in a 16450 */
	bool timeout; /* the character time-out indication */
	uint8_t errors; /* OE, PE, FE, BI as LSR will show them next */
	uint8_t rbr; /* the last character read: what an empty RBR holds */
	uint8_t head, count;
	struct uart_rx_char ch[UART_FIFO_SIZE];
	uint8_t polls; /* LSR reads in a row; stays at UART_RX_POLLS */
	uint8_t held_count;
	uint8_t held[UART_FIFO_SIZE]; /* the oldest first */
};

/*
 * Empties it; errors that LSR shows stay until it is read. With hold_it, what
 * was in it goes in front of what is held already.
 */
void uart_rx_clear(struct uart_rx *rx, bool hold_it);

/* The oldest byte held arrives, if there is one, and room for it. */
bool uart_rx_release(struct uart_rx *rx);

unsigned uart_rx_room(const struct uart_rx *rx);

/* A character has arrived, with LSR_PE, FE or BI in errors. */
void uart_rx_push(struct uart_rx *rx, uint8_t data, uint8_t errors);

/* RBR is read. */
uint8_t uart_rx_pop(struct uart_rx *rx);

/* LSR's receiver bits are read: DR, OE, PE, FE, BI and the FIFO error. */
uint8_t uart_rx_read_status(struct uart_rx *rx);

#endif
