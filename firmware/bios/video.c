// SPDX-License-Identifier: MIT
/*
 * video.c: INT 10h. There is no VGA: text goes to COM1, line by line, as it comes.
 * A place on the screen becomes a new line when it is in another row. The cursor in
 * the BIOS data area is kept as a screen of 80 by 25 would have it.
 *
 * Questions for a display adapter (AH=1Ah, AH=12h BL=10h, VESA's AH=4Fh) return with
 * all registers as they were, which is how a PC without one answers.
 */
#include "bios/bios.h"

#define COLUMNS 80
#define LAST_ROW 24
#define MODE_TEXT_80 3

static uint16_t cursor(void)
{
	return bda_read16(BDA_CURSOR);
}

static void set_cursor(uint8_t row, uint8_t column)
{
	bda_write16(BDA_CURSOR, (uint16_t)(row << 8 | column));
}

static void next_row(uint8_t row, uint8_t column)
{
	set_cursor(row < LAST_ROW ? row + 1 : LAST_ROW, column);
}

static void teletype(uint8_t c)
{
	uint8_t row = (uint8_t)(cursor() >> 8), column = (uint8_t)cursor();

	serial_put(c);
	switch (c) {
	case '\a': break;
	case '\b': set_cursor(row, column ? column - 1 : 0); break;
	case '\n': next_row(row, column); break;
	case '\r': set_cursor(row, 0); break;
	default:
		if (column + 1 < COLUMNS)
			set_cursor(row, column + 1);
		else
			next_row(row, 0);
	}
}

static void move_to(uint8_t row, uint8_t column)
{
	if (row != cursor() >> 8)
		serial_text("\r\n");
	else if (column == 0 && (cursor() & 0xff) != 0)
		serial_put('\r');
	set_cursor(row, column);
}

/* The cursor stays, so what comes next is most often a move behind it. */
static void write_here(uint8_t c, unsigned times)
{
	if (times > COLUMNS)
		times = COLUMNS;
	while (times-- > 0)
		serial_put(c);
}

/* AL bit 0: the cursor goes along; bit 1: each character has an attribute. */
static void write_string(const struct regs *r)
{
	uint16_t before = cursor(), from = r->bp.x;
	unsigned len = r->c.x;

	move_to(r->d.h, r->d.l);
	while (len-- > 0) {
		teletype(far_read8(r->es, from++));
		if (r->a.l & 2)
			from++;
	}
	if (!(r->a.l & 1))
		bda_write16(BDA_CURSOR, before);
}

void int10_video(struct regs *r)
{
	switch (r->a.h) {
	case 0x00:
		far_write8(BDA_SEGMENT, BDA_VIDEO_MODE, r->a.l & 0x7f);
		set_cursor(0, 0);
		break;
	case 0x01: bda_write16(BDA_CURSOR_SHAPE, r->c.x); break;
	case 0x02: move_to(r->d.h, r->d.l); break;
	case 0x03:
		r->c.x = bda_read16(BDA_CURSOR_SHAPE);
		r->d.x = cursor();
		break;
	case 0x08: r->a.x = 0x0720; break; /* a blank, grey on black */
	case 0x09:
	case 0x0a: write_here(r->a.l, r->c.x); break;
	case 0x0e: teletype(r->a.l); break;
	case 0x0f:
		r->a.l = far_read8(BDA_SEGMENT, BDA_VIDEO_MODE);
		r->a.h = COLUMNS;
		r->b.h = 0;
		break;
	case 0x13: write_string(r); break;
	}
}
