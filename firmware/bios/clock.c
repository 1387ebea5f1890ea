// SPDX-License-Identifier: MIT
/*
 * clock.c: INT 1Ah: the ticks, the RTC's time and date, and PCI's services, which
 * are not there. Source for the RTC: Motorola MC146818A datasheet.
 *
 * Not here: the alarm; an RTC that counts 12 hours is taken at its word.
 */
#include "bios/bios.h"

#define RTC_SECONDS 0x00
#define RTC_MINUTES 0x02
#define RTC_HOURS 0x04
#define RTC_DAY 0x07
#define RTC_MONTH 0x08
#define RTC_YEAR 0x09
#define RTC_A 0x0a
#define RTC_B 0x0b
#define RTC_CENTURY 0x32
#define A_UIP 0x80
#define B_DSE 0x01
#define B_24_12 0x02
#define B_DM 0x04
#define B_SET 0x80

/* An update takes 2 ms at most; a read is slower than a microsecond. */
#define UPDATE_LOOKS 10000

static uint8_t rtc_read(uint8_t reg)
{
	outb(bios.rtc, reg);
	return inb(bios.rtc + 1);
}

static void rtc_write(uint8_t reg, uint8_t val)
{
	outb(bios.rtc, reg);
	outb(bios.rtc + 1, val);
}

static void wait_for_update(void)
{
	unsigned i;

	for (i = 0; i < UPDATE_LOOKS && rtc_read(RTC_A) & A_UIP; i++)
		;
}

static uint8_t to_bcd(uint8_t n)
{
	return (uint8_t)(n / 10 % 10 << 4 | n % 10);
}

static uint8_t from_bcd(uint8_t n)
{
	return (uint8_t)((n >> 4) * 10 + (n & 15));
}

static bool is_binary(void)
{
	return rtc_read(RTC_B) & B_DM;
}

static uint8_t get(uint8_t reg)
{
	uint8_t val = rtc_read(reg);

	return is_binary() ? to_bcd(val) : val;
}

static void put(uint8_t reg, uint8_t bcd)
{
	rtc_write(reg, is_binary() ? from_bcd(bcd) : bcd);
}

void clock_begin(void)
{
	uint32_t s;

	if (!bios.rtc)
		return;
	wait_for_update();
	s = from_bcd(get(RTC_HOURS)) * 3600u +
	    from_bcd(get(RTC_MINUTES)) * 60u + from_bcd(get(RTC_SECONDS));
	/* 1193182 / 65536 a second, without a 64-bit product. */
	bda_write32(BDA_TICKS, s * 18 + s * 2065 / 10000);
}

static void rtc_service(struct regs *r)
{
	uint8_t b;

	set_flag(r, FLAG_CF, !bios.rtc);
	if (!bios.rtc)
		return;
	b = rtc_read(RTC_B);
	switch (r->a.h) {
	case 0x02:
		wait_for_update();
		r->c.h = get(RTC_HOURS);
		r->c.l = get(RTC_MINUTES);
		r->d.h = get(RTC_SECONDS);
		r->d.l = b & B_DSE;
		break;
	case 0x03:
		rtc_write(RTC_B, b | B_SET);
		put(RTC_HOURS, r->c.h);
		put(RTC_MINUTES, r->c.l);
		put(RTC_SECONDS, r->d.h);
		b = (uint8_t)(b & ~(B_SET | B_DSE));
		rtc_write(RTC_B, (uint8_t)(b | B_24_12 | (r->d.l & B_DSE)));
		break;
	case 0x04:
		wait_for_update();
		r->c.h = get(RTC_CENTURY);
		r->c.l = get(RTC_YEAR);
		r->d.h = get(RTC_MONTH);
		r->d.l = get(RTC_DAY);
		break;
	case 0x05:
		rtc_write(RTC_B, b | B_SET);
		put(RTC_CENTURY, r->c.h);
		put(RTC_YEAR, r->c.l);
		put(RTC_MONTH, r->d.h);
		put(RTC_DAY, r->d.l);
		rtc_write(RTC_B, (uint8_t)(b & ~B_SET));
		break;
	}
}

void int1a_clock(struct regs *r)
{
	uint32_t ticks;

	switch (r->a.h) {
	case 0x00:
		ticks = bda_read32(BDA_TICKS);
		r->c.x = (uint16_t)(ticks >> 16);
		r->d.x = (uint16_t)ticks;
		r->a.l = far_read8(BDA_SEGMENT, BDA_MIDNIGHT);
		far_write8(BDA_SEGMENT, BDA_MIDNIGHT, 0);
		break;
	case 0x01:
		bda_write32(BDA_TICKS, (uint32_t)r->c.x << 16 | r->d.x);
		far_write8(BDA_SEGMENT, BDA_MIDNIGHT, 0);
		break;
	case 0x02:
	case 0x03:
	case 0x04:
	case 0x05: rtc_service(r); break;
	case 0xb1:
		r->a.h = 0x81; /* PCI BIOS: not supported */
		set_flag(r, FLAG_CF, true);
		break;
	default: set_flag(r, FLAG_CF, true);
	}
}
