// SPDX-License-Identifier: MIT
/*
 * rtc-irq.c: the clock's three interrupts on IRQ 8. Reading register C says
 * which it was and lets the next one through.
 *
 * case rtc-periodic
 *	options: --params periodic
 *	status: 0
 *	out: 32 interrupts
 * case rtc-update-ended
 *	options: --params update
 *	status: 0
 *	out: 2 interrupts
 * case rtc-alarm-every-second
 *	options: --params every-second
 *	status: 0
 *	out: 2 interrupts
 * case rtc-alarm
 *	options: --params alarm
 *	status: 0
 *	out: 1 interrupts
 */
#include "guest.h"

#define IRQ_RTC 8
#define RTC_SECONDS_ALARM 0x01
#define RTC_MINUTES_ALARM 0x03
#define RTC_HOURS_ALARM 0x05
#define RTC_A 0x0a
#define RTC_B 0x0b
#define RTC_C 0x0c
#define A_256HZ 0x28
#define B_24H 0x02
#define PERIODIC 0x40 /* PIE in B, PF in C */
#define ALARM 0x20    /* AIE, AF */
#define UPDATE 0x10   /* UIE, UF */
#define C_IRQF 0x80
#define ANY 0xc0 /* an alarm byte from 0xc0 on matches every value */

static volatile unsigned count;
static volatile uint8_t causes;

static void on_irq(struct trap_frame *frame)
{
	uint8_t c = rtc_read(RTC_C);

	CHECK(c & C_IRQF);
	causes |= c;
	count++;
}

static void set_alarm(uint8_t hour, uint8_t minute, uint8_t second)
{
	rtc_write(RTC_HOURS_ALARM, hour);
	rtc_write(RTC_MINUTES_ALARM, minute);
	rtc_write(RTC_SECONDS_ALARM, second);
}

int guest_main(void)
{
	const struct rtc_time before_noon = { 2024, 5, 6, 11, 59, 59, 2 };
	const char *what = boot_cmdline();
	uint8_t enable = ALARM;
	unsigned wanted = 2, i;

	rtc_write(RTC_B, B_24H);
	rtc_write(RTC_A, A_256HZ);
	if (!strcmp(what, "periodic")) {
		enable = PERIODIC;
		wanted = 32;
	} else if (!strcmp(what, "update")) {
		enable = UPDATE;
	} else if (!strcmp(what, "every-second")) {
		set_alarm(ANY, 0xff, ANY);
	} else {
		rtc_set(&before_noon);
		set_alarm(0x12, ANY, 0x00);
		wanted = 1;
	}

	pic_init();
	trap_handler(VECTOR_IRQ + IRQ_RTC, on_irq);
	pic_unmask(IRQ_RTC);
	rtc_read(RTC_C);
	rtc_write(RTC_B, B_24H | enable);
	while (count < wanted)
		wait_for_interrupt();
	rtc_write(RTC_B, B_24H);
	CHECK(causes & enable);

	/* Disabled, it keeps quiet, though the flags still come up. */
	rtc_read(RTC_C);
	i = count;
	interrupts_on();
	while (!(rtc_read(RTC_C) & PERIODIC))
		cpu_relax();
	interrupts_off();
	CHECK_EQ(count, i);
	print("%u interrupts\n", count);
	return 0;
}
