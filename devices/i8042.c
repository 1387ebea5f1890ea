// SPDX-License-Identifier: MIT
/*
 * The keyboard and auxiliary device controller of a PC: Intel's 8042 with
 * IBM's program in it.
 *
 * Sources: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller"; Intel UPI-41A/41AH/42AH User's Manual (status
 * register, one-byte output buffer); IBM PC AT Technical Reference (commands
 * 0xc0, 0xe0 to 0xff).
 *
 * Nothing is plugged in. A byte sent to a device is not clocked out by it, and
 * the controller reports what it reports then: 0xfe with the time-out bit.
 *
 * Not modelled: devices, and so scan codes and their translation; the time a
 * command takes (the input buffer is always empty, a time-out comes at once);
 * passwords; commands 0xac, 0xc1, 0xc2 and 0xe0. The A20 bit is kept and reads
 * back, but the address line is always open. A reply replaces a byte that was
 * not read.
 */
#include "i8042.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"

#define I8042_DATA 0
#define I8042_COMMAND 4

/* Status register, read at I8042_COMMAND. */
#define STAT_OBF 0x01 /* output buffer full */
#define STAT_SYS 0x04 /* system flag: bit 2 of the command byte */
#define STAT_CD 0x08 /* the last write was a command, not data */
#define STAT_UNLOCKED 0x10 /* the inhibit switch is open */
#define STAT_AUXB 0x20 /* the output buffer's byte is the aux device's */
#define STAT_TO 0x40 /* general time-out */

/* Command byte: byte 0 of the controller's RAM. */
#define CB_INT 0x01 /* IRQ 1 when the output buffer fills */
#define CB_INT2 0x02 /* IRQ 12 when the aux device fills it */
#define CB_SYS 0x04
#define CB_DISABLE 0x10
#define CB_DISABLE_AUX 0x20
#define CB_XLATE 0x40

/* Output port. */
#define OUT_NOT_RESET 0x01 /* low resets the processor */
#define OUT_A20 0x02
#define OUT_IRQ1 0x10
#define OUT_IRQ12 0x20
#define OUT_LINES 0xcc /* data and clock lines of both devices, idle high */

/* Input port: both data lines idle high, no jumper, inhibit switch open. */
#define IN_IDLE 0xa3

#define CMD_READ_RAM 0x20 /* to 0x3f */
#define CMD_WRITE_RAM 0x60 /* to 0x7f */
#define CMD_TEST_PASSWORD 0xa4
#define CMD_DISABLE_AUX 0xa7
#define CMD_ENABLE_AUX 0xa8
#define CMD_TEST_AUX 0xa9
#define CMD_SELF_TEST 0xaa
#define CMD_TEST_KBD 0xab
#define CMD_DISABLE_KBD 0xad
#define CMD_ENABLE_KBD 0xae
#define CMD_READ_INPUT 0xc0
#define CMD_READ_OUTPUT 0xd0
#define CMD_WRITE_OUTPUT 0xd1
#define CMD_WRITE_OBUF 0xd2
#define CMD_WRITE_AUX_OBUF 0xd3
#define CMD_WRITE_AUX 0xd4
#define CMD_A20_OFF 0xdd
#define CMD_A20_ON 0xdf
#define CMD_PULSE 0xf0 /* to 0xff: a clear bit 0 to 3 pulses that line low */

#define RAM_MASK 0x1f

#define PASSWORD_NONE 0xf1
#define SELF_TEST_OK 0x55
#define LINE_TEST_OK 0x00
#define RESEND 0xfe

struct i8042_state {
	uint8_t ram[RAM_MASK + 1]; /* ram[0] is the command byte */
	uint8_t status; /* without STAT_SYS */
	uint8_t outbuf;
	uint8_t outport; /* without OUT_IRQ1 and OUT_IRQ12 */
	uint8_t pending; /* the command that waits for its data byte, or 0 */
};

struct i8042 {
	struct device dev;
	struct irq_line irq_kbd;
	struct irq_line irq_aux;
	struct end_sink end;
	struct i8042_state s;
};

static struct i8042 *to_i8042(struct device *dev)
{
	return container_of(dev, struct i8042, dev);
}

static bool obf_kbd(const struct i8042_state *s)
{
	return (s->status & (STAT_OBF | STAT_AUXB)) == STAT_OBF;
}

static bool obf_aux(const struct i8042_state *s)
{
	return (s->status & (STAT_OBF | STAT_AUXB)) == (STAT_OBF | STAT_AUXB);
}

static void update_irq(struct i8042 *kbc)
{
	const struct i8042_state *s = &kbc->s;

	irq_set(&kbc->irq_kbd, obf_kbd(s) && s->ram[0] & CB_INT);
	irq_set(&kbc->irq_aux, obf_aux(s) && s->ram[0] & CB_INT2);
}

/* Puts a byte into the output buffer; flags of STAT_AUXB and STAT_TO. */
static void fill(struct i8042_state *s, uint8_t byte, uint8_t flags)
{
	s->outbuf = byte;
	s->status &= (uint8_t)~(STAT_AUXB | STAT_TO);
	s->status |= STAT_OBF | flags;
}

static void set_outport(struct i8042 *kbc, uint8_t val)
{
	kbc->s.outport = val & (uint8_t)~(OUT_IRQ1 | OUT_IRQ12);
	if (!(val & OUT_NOT_RESET))
		end_request(&kbc->end, END_RESET, 0, "i8042 output port");
}

static uint8_t get_outport(const struct i8042_state *s)
{
	uint8_t val = s->outport;

	if (obf_kbd(s))
		val |= OUT_IRQ1;
	if (obf_aux(s))
		val |= OUT_IRQ12;
	return val;
}

static void pulse(struct i8042 *kbc, uint8_t cmd)
{
	if (cmd & OUT_NOT_RESET)
		return;
	end_request(&kbc->end, END_RESET, 0,
		    cmd == 0xfe ? "i8042 command 0xfe" : "i8042 reset pulse");
}

static void command(struct i8042 *kbc, uint8_t cmd)
{
	struct i8042_state *s = &kbc->s;

	s->status |= STAT_CD;
	s->pending = 0;

	switch (cmd) {
	case CMD_READ_RAM ... CMD_READ_RAM + RAM_MASK:
		fill(s, s->ram[cmd & RAM_MASK], 0);
		break;
	case CMD_WRITE_RAM ... CMD_WRITE_RAM + RAM_MASK:
	case CMD_WRITE_OUTPUT:
	case CMD_WRITE_OBUF:
	case CMD_WRITE_AUX_OBUF:
	case CMD_WRITE_AUX: s->pending = cmd; break;
	case CMD_TEST_PASSWORD: fill(s, PASSWORD_NONE, 0); break;
	case CMD_DISABLE_AUX: s->ram[0] |= CB_DISABLE_AUX; break;
	case CMD_ENABLE_AUX: s->ram[0] &= (uint8_t)~CB_DISABLE_AUX; break;
	case CMD_TEST_AUX: fill(s, LINE_TEST_OK, 0); break;
	case CMD_SELF_TEST:
		s->ram[0] |= CB_SYS;
		fill(s, SELF_TEST_OK, 0);
		break;
	case CMD_TEST_KBD: fill(s, LINE_TEST_OK, 0); break;
	case CMD_DISABLE_KBD: s->ram[0] |= CB_DISABLE; break;
	case CMD_ENABLE_KBD: s->ram[0] &= (uint8_t)~CB_DISABLE; break;
	case CMD_READ_INPUT: fill(s, IN_IDLE, 0); break;
	case CMD_READ_OUTPUT: fill(s, get_outport(s), 0); break;
	case CMD_A20_OFF: s->outport &= (uint8_t)~OUT_A20; break;
	case CMD_A20_ON: s->outport |= OUT_A20; break;
	case CMD_PULSE ... 0xff: pulse(kbc, cmd); break;
	default: break;
	}
}

static void data(struct i8042 *kbc, uint8_t val)
{
	struct i8042_state *s = &kbc->s;
	uint8_t cmd = s->pending;

	s->status &= (uint8_t)~STAT_CD;
	s->pending = 0;

	switch (cmd) {
	case CMD_WRITE_RAM ... CMD_WRITE_RAM + RAM_MASK:
		s->ram[cmd & RAM_MASK] = val;
		break;
	case CMD_WRITE_OUTPUT: set_outport(kbc, val); break;
	case CMD_WRITE_OBUF: fill(s, val, 0); break;
	case CMD_WRITE_AUX_OBUF: fill(s, val, STAT_AUXB); break;
	/* To talk to a device, the controller lets go of its clock line. */
	case CMD_WRITE_AUX:
		s->ram[0] &= (uint8_t)~CB_DISABLE_AUX;
		fill(s, RESEND, STAT_AUXB | STAT_TO);
		break;
	default:
		s->ram[0] &= (uint8_t)~CB_DISABLE;
		fill(s, RESEND, STAT_TO);
		break;
	}
}

static uint64_t i8042_read(struct device *dev, uint64_t off, unsigned size)
{
	struct i8042 *kbc = to_i8042(dev);
	struct i8042_state *s = &kbc->s;

	switch (off) {
	case I8042_DATA:
		s->status &= (uint8_t)~STAT_OBF;
		update_irq(kbc);
		return s->outbuf;
	case I8042_COMMAND:
		return s->status | (s->ram[0] & CB_SYS ? STAT_SYS : 0);
	default: return UINT64_MAX;
	}
}

static void i8042_write(struct device *dev, uint64_t off, unsigned size,
			uint64_t val)
{
	struct i8042 *kbc = to_i8042(dev);

	if (off == I8042_DATA)
		data(kbc, (uint8_t)val);
	else if (off == I8042_COMMAND)
		command(kbc, (uint8_t)val);
	update_irq(kbc);
}

/*
 * As a PC's firmware leaves it when it finds no keyboard, since here no
 * firmware runs: self-test passed, translation on, both devices off, A20 open.
 */
static void i8042_reset(struct device *dev)
{
	struct i8042 *kbc = to_i8042(dev);

	kbc->s = (struct i8042_state){
		.ram = { CB_SYS | CB_DISABLE | CB_DISABLE_AUX | CB_XLATE },
		.status = STAT_UNLOCKED,
		.outport = OUT_NOT_RESET | OUT_A20 | OUT_LINES,
	};
	update_irq(kbc);
}

static void i8042_free(struct device *dev)
{
	struct i8042 *kbc = to_i8042(dev);

	device_done(dev);
	free(kbc);
}

static const struct device_ops i8042_ops = {
	.name = "i8042",
	.sizes = 1,
	.read = i8042_read,
	.write = i8042_write,
	.reset = i8042_reset,
	.free = i8042_free,
};

int i8042_new(const struct i8042_config *config, struct device **ret_dev)
{
	struct i8042 *kbc = calloc(1, sizeof(*kbc));

	if (!kbc)
		return -ENOMEM;
	device_init(&kbc->dev, &i8042_ops);
	kbc->irq_kbd = config->irq_kbd;
	kbc->irq_aux = config->irq_aux;
	kbc->end = config->end;
	i8042_reset(&kbc->dev);
	*ret_dev = &kbc->dev;
	return 0;
}
