// SPDX-License-Identifier: MIT
/*
 * rtc-nvram.c: 114 bytes of memory behind the clock's registers; bit 7 of port
 * 0x70 (which masks the NMI on a PC) is no part of the index. With a file they are
 * there the next time, and the clock has gone on.
 *
 * case rtc-nvram
 *	options: --params check
 *	status: 0
 * case rtc-nvram-file
 *	setup: timeout 20 "$trapmap" run -q "$guest" --params write --rtc nvram="$dir/nv"
 *	options: --params read --rtc nvram="$dir/nv"
 *	status: 0
 *	out: 2030-01-02 03:04
 * case rtc-nvram-base
 *	setup: timeout 20 "$trapmap" run -q "$guest" --params write --rtc nvram="$dir/nv"
 *	options: --params read --rtc base=2024-05-06T11:59:30,nvram="$dir/nv"
 *	status: 0
 *	out: 2024-05-06 11:59
 * case rtc-nvram-new
 *	options: --params check --rtc nvram="$dir/nv"
 *	status: 0
 *	check: [ "$(wc -c <"$dir/nv")" = 1024 ]
 * case rtc-nvram-refused
 *	setup: echo nonsense >"$dir/nv"
 *	options: --params check --rtc nvram="$dir/nv"
 *	status: 2
 *	err: ^trapmap: NVRAM '[^']+nv' is 9 bytes long; an NVRAM file has 1024
 *	check: [ "$(cat "$dir/nv")" = nonsense ]
 * case rtc-nvram-not-made-in-vain
 *	options: --rtc nvram="$dir/nv" -i /dev/null/none
 *	status: 2
 *	check: [ ! -e "$dir/nv" ]
 *
 * With "generations" it stores one generation after the other for ever, each in
 * SET so that it is one change: every byte is the generation's, but for two with
 * their sum; see tests/guests/nvram-kill.sh.
 */
#include "guest.h"

#define REG_B 0x0b
#define B_SET 0x80
#define CENTURY 0x32
#define FIRST 0x0e
#define LAST 0x7f
#define SUM 0x7e /* and 0x7f */

static bool is_ram(unsigned i)
{
	return i != CENTURY;
}

static void write_all(void)
{
	unsigned i;

	for (i = FIRST; i <= LAST; i++)
		if (is_ram(i))
			rtc_write((uint8_t)i, (uint8_t)(i * 37));
}

static void check_all(void)
{
	unsigned i;

	for (i = FIRST; i <= LAST; i++)
		if (is_ram(i))
			CHECK_EQ(rtc_read((uint8_t)(i | 0x80)),
				 (uint8_t)(i * 37));
}

/* The generation that is there: all of it, or the run fails. */
static uint32_t found(void)
{
	uint32_t generation = 0;
	uint16_t sum = 0;
	unsigned i;

	for (i = 0; i < 4; i++)
		generation |= (uint32_t)rtc_read((uint8_t)(FIRST + i))
			      << 8 * i;
	for (i = FIRST; i < SUM; i++) {
		if (!is_ram(i))
			continue;
		sum = (uint16_t)(sum + rtc_read((uint8_t)i));
		if (i >= FIRST + 4)
			CHECK_EQ(rtc_read((uint8_t)i),
				 (uint8_t)(generation * i));
	}
	CHECK_EQ(rtc_read(SUM) | rtc_read(SUM + 1) << 8, sum);
	return generation;
}

static void store(uint32_t generation)
{
	uint8_t b = rtc_read(REG_B), val;
	uint16_t sum = 0;
	unsigned i;

	rtc_write(REG_B, b | B_SET);
	for (i = FIRST; i < SUM; i++) {
		if (!is_ram(i))
			continue;
		val = i < FIRST + 4 ?
			      (uint8_t)(generation >> 8 * (i - FIRST)) :
			      (uint8_t)(generation * i);
		sum = (uint16_t)(sum + val);
		rtc_write((uint8_t)i, val);
	}
	rtc_write(SUM, (uint8_t)sum);
	rtc_write(SUM + 1, (uint8_t)(sum >> 8));
	rtc_write(REG_B, b);
}

int guest_main(void)
{
	const struct rtc_time new_time = { 2030, 1, 2, 3, 4, 5, 4 };
	const char *what = boot_cmdline();
	struct rtc_time t;
	uint32_t generation;

	if (!strcmp(what, "generations")) {
		generation = found();
		print("generation %u\n", generation);
		for (;;)
			store(++generation);
	}
	if (!strcmp(what, "read")) {
		check_all();
		t = rtc_get();
		print("%04u-%02u-%02u %02u:%02u\n", t.year, t.month, t.day,
		      t.hour, t.minute);
		return 0;
	}
	write_all();
	check_all();
	if (!strcmp(what, "write"))
		rtc_set(&new_time);
	return 0;
}
