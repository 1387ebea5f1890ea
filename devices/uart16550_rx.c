// SPDX-License-Identifier: MIT
/*
 * The receiver of a 16550A. Datasheet: PC16550D, sections "Line Status
 * Register" and "FIFO Control Register".
 */
#include "uart16550_rx.h"

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

void uart_rx_clear(struct uart_rx *rx)
{
	rx->head = 0;
	rx->count = 0;
	rx->timeout = false;
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
	return (uint8_t)lsr;
}
