// SPDX-License-Identifier: MIT
/*
 * The receiver of a 16550A. Datasheet: PC16550D, sections "Line Status
 * Register" and "FIFO Control Register".
 */
#include "uart16550_rx.h"

#include <string.h>

#include "uart16550_regs.h"

static unsigned capacity(const struct uart_rx *rx)
{
	return rx->fifo ? UART_FIFO_SIZE : 1;
}

/* LSR shows a character's errors once it is at the top of the FIFO. */
static void reveal_errors(struct uart_rx *rx)
{
	struct uart_rx_char *top = &rx->ch[rx->head];

	if (!rx->count)
		return;
	rx->errors |= top->errors;
	top->errors = 0;
}

/* A character that is an error, such as a break, was no byte of the peer's. */
static void hold(struct uart_rx *rx)
{
	uint8_t held[UART_FIFO_SIZE], n = 0, i;

	for (i = 0; i < rx->count; i++) {
		const struct uart_rx_char *ch =
			&rx->ch[(rx->head + i) % UART_FIFO_SIZE];

		if (!ch->errors)
			held[n++] = ch->data;
	}
	for (i = 0; i < rx->held_count && n < UART_FIFO_SIZE; i++)
		held[n++] = rx->held[i];
	memcpy(rx->held, held, n);
	rx->held_count = n;
}

void uart_rx_clear(struct uart_rx *rx, bool hold_it)
{
	if (hold_it)
		hold(rx);
	rx->head = 0;
	rx->count = 0;
	rx->timeout = false;
	rx->polls = 0;
}

bool uart_rx_release(struct uart_rx *rx)
{
	uint8_t byte = rx->held[0];

	if (!rx->held_count || !uart_rx_room(rx))
		return false;
	rx->held_count--;
	memmove(rx->held, rx->held + 1, rx->held_count);
	uart_rx_push(rx, byte, 0);
	return true;
}

unsigned uart_rx_room(const struct uart_rx *rx)
{
	return capacity(rx) - rx->count;
}

/*
 * On an overrun a full FIFO keeps what it has and the newcomer is lost; a 16450
 * loses the character that was not read.
 */
void uart_rx_push(struct uart_rx *rx, uint8_t data, uint8_t errors)
{
	unsigned i;

	if (rx->count == capacity(rx)) {
		rx->errors |= LSR_OE;
		if (rx->fifo)
			return;
		rx->count = 0;
	}
	i = (rx->head + rx->count) % UART_FIFO_SIZE;
	rx->ch[i] = (struct uart_rx_char){ data, errors };
	rx->count++;
	reveal_errors(rx);
}

uint8_t uart_rx_pop(struct uart_rx *rx)
{
	if (!rx->count)
		return rx->rbr;
	rx->rbr = rx->ch[rx->head].data;
	rx->head = (rx->head + 1) % UART_FIFO_SIZE;
	rx->count--;
	rx->timeout = false;
	reveal_errors(rx);
	return rx->rbr;
}

uint8_t uart_rx_read_status(struct uart_rx *rx)
{
	unsigned lsr = rx->errors | (rx->count ? LSR_DR : 0);
	unsigned all = rx->errors, i;

	for (i = 0; i < rx->count; i++)
		all |= rx->ch[(rx->head + i) % UART_FIFO_SIZE].errors;
	if (rx->fifo && (all & LSR_CHAR_ERRORS))
		lsr |= LSR_FIFO_ERROR;
	rx->errors = 0;
	if (rx->polls < UART_RX_POLLS)
		rx->polls++;
	return (uint8_t)lsr;
}
