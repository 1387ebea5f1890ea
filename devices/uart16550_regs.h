/* SPDX-License-Identifier: MIT */
/*
 * uart16550_regs.h: registers and bits of a 16550A, by the datasheet's names
 * (National Semiconductor PC16550D, June 1995, tables II and IV).
 */
#ifndef TRAPMAP_UART16550_REGS_H
#define TRAPMAP_UART16550_REGS_H

#include "core/base.h"

enum {
	REG_DATA = 0, /* RBR, THR; DLL while DLAB is set */
	REG_IER = 1, /* DLM while DLAB is set */
	REG_IIR = 2, /* read; FCR when written */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
	REG_NONE = 8, /* no register at all */
};

#define IER_ERBFI BIT(0) /* received data, character time-out */
#define IER_ETBEI BIT(1) /* THR empty */
#define IER_ELSI BIT(2) /* receiver line status */
#define IER_EDSSI BIT(3) /* modem status */
#define IER_MASK 0x0fu

#define IIR_NONE 0x01u
#define IIR_LINE_STATUS 0x06u
#define IIR_DATA 0x04u
#define IIR_TIMEOUT 0x0cu
#define IIR_THR_EMPTY 0x02u
#define IIR_MODEM_STATUS 0x00u
#define IIR_FIFOS_ON 0xc0u

#define FCR_ENABLE BIT(0)
#define FCR_RX_RESET BIT(1)
#define FCR_TRIGGER_SHIFT 6

#define LCR_WLS 0x03u
#define LCR_STB BIT(2)
#define LCR_PEN BIT(3)
#define LCR_BREAK BIT(6)
#define LCR_DLAB BIT(7)

#define MCR_DTR BIT(0)
#define MCR_RTS BIT(1)
#define MCR_OUT1 BIT(2)
#define MCR_OUT2 BIT(3)
#define MCR_LOOP BIT(4)
#define MCR_MASK 0x1fu

#define LSR_DR BIT(0)
#define LSR_OE BIT(1)
#define LSR_PE BIT(2)
#define LSR_FE BIT(3)
#define LSR_BI BIT(4)
#define LSR_THRE BIT(5)
#define LSR_TEMT BIT(6)
#define LSR_FIFO_ERROR BIT(7)
#define LSR_CHAR_ERRORS (LSR_PE | LSR_FE | LSR_BI)

#define MSR_DELTAS 0x0fu /* DCTS, DDSR, TERI, DDCD: four below their inputs */
#define MSR_CTS BIT(4)
#define MSR_DSR BIT(5)
#define MSR_RI BIT(6)
#define MSR_DCD BIT(7)
#define MSR_INPUTS 0xf0u

#endif
