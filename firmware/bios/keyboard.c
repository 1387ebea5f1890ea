// SPDX-License-Identifier: MIT
/*
 * keyboard.c: INT 16h. A key is a character that came in on COM1, with the scan code
 * that the key for it has on a US keyboard.
 *
 * Not here: what a terminal sends as an escape sequence (arrows, F1) comes as that
 * sequence; shift states (always none); key clicks and the repeat rate.
 */
#include "bios/bios.h"

#define SCAN_ESC 0x01
#define SCAN_BACKSPACE 0x0e
#define SCAN_ENTER 0x1c
#define DEL 0x7f

/* By ASCII code, from a blank on. */
static const uint8_t scan[] = {
	0x39, 0x02, 0x28, 0x04, 0x05, 0x06, 0x08, 0x28, /* " !"#$%&' */
	0x0a, 0x0b, 0x09, 0x0d, 0x33, 0x0c, 0x34, 0x35, /* ()*+,-./ */
	0x0b, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* 01234567 */
	0x09, 0x0a, 0x27, 0x27, 0x33, 0x0d, 0x34, 0x35, /* 89:;<=>? */
	0x03, 0x1e, 0x30, 0x2e, 0x20, 0x12, 0x21, 0x22, /* @ABCDEFG */
	0x23, 0x17, 0x24, 0x25, 0x26, 0x32, 0x31, 0x18, /* HIJKLMNO */
	0x19, 0x10, 0x13, 0x1f, 0x14, 0x16, 0x2f, 0x11, /* PQRSTUVW */
	0x2d, 0x15, 0x2c, 0x1a, 0x2b, 0x1b, 0x07, 0x0c, /* XYZ[\]^_ */
};

static uint8_t scan_code(uint8_t c)
{
	switch (c) {
	case '\b': return SCAN_BACKSPACE;
	case '\t': return 0x0f;
	case '\r': return SCAN_ENTER;
	case 0x1b: return SCAN_ESC;
	case '`':
	case '~': return 0x29;
	case '{': return 0x1a;
	case '|': return 0x2b;
	case '}': return 0x1b;
	}
	if (c >= 'a' && c <= 'z')
		c -= 'a' - 'A';
	else if (c < ' ')
		c += '@'; /* with Ctrl */
	return c < ' ' + sizeof(scan) ? scan[c - ' '] : 0;
}

/* As the keys have it: Enter is CR, and what terminals send as DEL is Backspace. */
static uint16_t key(uint8_t c)
{
	if (c == '\n')
		c = '\r';
	else if (c == DEL)
		c = '\b';
	return (uint16_t)(scan_code(c) << 8 | c);
}

/* ---- the buffer in the BIOS data area ------------------------------------ */

static uint16_t after(uint16_t slot)
{
	slot += 2;
	return slot == bda_read16(BDA_KEYS_END) ? bda_read16(BDA_KEYS_START) :
						  slot;
}

static bool put_key(uint16_t val)
{
	uint16_t tail = bda_read16(BDA_KEYS_TAIL), next = after(tail);

	if (next == bda_read16(BDA_KEYS_HEAD))
		return false;
	bda_write16(tail, val);
	bda_write16(BDA_KEYS_TAIL, next);
	return true;
}

/* Whether there is one, after a look at the line. */
static bool has_key(void)
{
	if (bda_read16(BDA_KEYS_HEAD) != bda_read16(BDA_KEYS_TAIL))
		return true;
	return serial_has_input() && put_key(key(serial_get()));
}

static uint16_t first_key(void)
{
	return bda_read16(bda_read16(BDA_KEYS_HEAD));
}

void int16_keyboard(struct regs *r)
{
	switch (r->a.h) {
	case 0x00:
	case 0x10:
		while (!has_key())
			serial_wait();
		r->a.x = first_key();
		bda_write16(BDA_KEYS_HEAD, after(bda_read16(BDA_KEYS_HEAD)));
		break;
	case 0x01:
	case 0x11:
		set_flag(r, FLAG_ZF, !has_key());
		if (!(r->flags & FLAG_ZF))
			r->a.x = first_key();
		break;
	case 0x02: r->a.l = 0; break;
	case 0x05: r->a.l = !put_key(r->c.x); break;
	case 0x12: r->a.x = 0; break;
	}
}
