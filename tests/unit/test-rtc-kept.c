// SPDX-License-Identifier: MIT
/*
 * What a battery keeps for a clock: the RAM and how far it is from UTC. A clock that
 * is made from it must be the same clock.
 */
#include "rtc_rig.h"

#include "core/device.h"

#define SEC NSEC_PER_SEC

static struct rtc_kept told;
static unsigned tellings;

static void changed(void *opaque, const struct rtc_kept *kept)
{
	told = *kept;
	tellings++;
}

/* On a clock that has come as far as host and vm. */
static void start(enum loop_clock clock, int64_t host, int64_t vm,
		  const struct rtc_kept *kept)
{
	struct rtc_config config = {
		.loop = &rig.fl.loop,
		.clock = clock,
		.irq = { .set = fake_line_set, .opaque = &rig.line },
		.kept = kept,
		.changed = changed,
	};
	int64_t ns = host - (clock == LOOP_CLOCK_HOST ? host : vm);

	memset(&rig, 0, sizeof(rig));
	fake_loop_init(&rig.fl, host);
	rig.fl.now[LOOP_CLOCK_VM] = vm;
	if (kept) {
		config.offset_sec = kept->offset_sec;
		ns += kept->offset_ns;
	}
	config.offset_sec += ns / SEC;
	config.offset_ns = (int32_t)(ns % SEC);
	bus_init(&rig.bus, 0xffff);
	assert_int_equal(rtc_new(&config, &rig.dev), 0);
	assert_int_equal(bus_add(&rig.bus, 0x70, 2, rig.dev, 0), 0);
	tellings = 0;
}

static struct rtc_kept stop(void)
{
	struct rtc_kept kept;

	rtc_keep(rig.dev, &kept);
	rig_done(&rig);
	return kept;
}

static int fresh(void **state)
{
	start(LOOP_CLOCK_HOST, RIG_NOW, 0, NULL);
	return 0;
}

/* As Linux sets it: SET, the divider in reset, the bytes, and both back. */
static void set_clock(const char *date)
{
	put(&rig, 0x0b, 0x82);
	put(&rig, 0x0a, 0x76);
	load_date(&rig, date);
	put(&rig, 0x0b, 0x02);
	put(&rig, 0x0a, 0x26);
}

static void a_clock_that_nobody_has_set_is_not_off(void **state)
{
	struct rtc_kept kept;

	advance(&rig, 12345678901);
	kept = stop();
	assert_int_equal(kept.offset_sec, 0);
	assert_int_equal(kept.offset_ns, 0);
	assert_int_equal(tellings, 0);
	start(LOOP_CLOCK_HOST, RIG_NOW, 0, &kept);
	assert_shows(&rig, "2009-02-13 23:31:30");
}

static void the_ram_comes_back_byte_for_byte(void **state)
{
	struct rtc_kept kept;
	unsigned i;

	for (i = 0x0e; i < 0x80; i++)
		if (i != 0x32)
			put(&rig, (uint8_t)i, (uint8_t)(i * 37));
	alarm_at(0x12, 0x34, 0x56);
	put(&rig, 0x0d, 0x17);
	kept = stop();
	start(LOOP_CLOCK_HOST, RIG_NOW + 86400 * SEC, 0, &kept);
	for (i = 0x0e; i < 0x80; i++)
		if (i != 0x32)
			assert_int_equal(get(&rig, (uint8_t)i),
					 (uint8_t)(i * 37));
	assert_int_equal(get(&rig, 0x05), 0x12);
	assert_int_equal(get(&rig, 0x03), 0x34);
	assert_int_equal(get(&rig, 0x01), 0x56);
	assert_int_equal(get(&rig, 0x0d), 0x97);
	assert_shows(&rig, "2009-02-14 23:31:30");
}

/* An update comes half a second after the divider's release. */
static void a_clock_that_was_set_goes_on(void **state)
{
	struct rtc_kept kept;

	set_clock("2030-01-02 03:04:05");
	advance(&rig, 10 * SEC);
	assert_shows(&rig, "2030-01-02 03:04:15");
	kept = stop();
	start(LOOP_CLOCK_HOST, RIG_NOW + 30 * SEC, 0, &kept);
	assert_shows(&rig, "2030-01-02 03:04:35");
	/* To the ns: the update was due at half a second and 1984 us. */
	advance(&rig, 501984000 - 1);
	assert_shows(&rig, "2030-01-02 03:04:35");
	advance(&rig, 1);
	assert_shows(&rig, "2030-01-02 03:04:36");
}

static void a_clock_of_the_vms_own_goes_on_by_the_hosts(void **state)
{
	struct rtc_kept kept;

	stop();
	start(LOOP_CLOCK_VM, RIG_NOW, 77, NULL);
	set_clock("2030-01-02 03:04:05");
	advance(&rig, 10 * SEC);
	/* The VM stood still for an hour. */
	rig.fl.now[LOOP_CLOCK_HOST] += 3600 * SEC;
	assert_shows(&rig, "2030-01-02 03:04:15");
	kept = stop();
	start(LOOP_CLOCK_VM, RIG_NOW + 3630 * SEC, 5, &kept);
	assert_shows(&rig, "2030-01-02 03:04:35");
}

/* Nothing else than the guest's doing is told, and never a date half set. */
static void every_change_is_told_once_the_date_is_whole(void **state)
{
	put(&rig, 0x40, 0x99);
	assert_int_equal(tellings, 1);
	assert_int_equal(told.ram[0x40], 0x99);
	get(&rig, 0x40);
	advance(&rig, 5 * SEC);
	device_reset(rig.dev);
	assert_int_equal(tellings, 1);
	put(&rig, 0x0b, 0x82);
	load_date(&rig, "2030-01-02 03:04:05");
	put(&rig, 0x41, 0x55);
	assert_int_equal(tellings, 1);
	put(&rig, 0x0b, 0x02);
	assert_int_equal(tellings, 2);
	assert_int_equal(told.ram[0x41], 0x55);
	assert_int_equal(told.offset_sec,
			 seconds_of("2030-01-02 03:04:05") -
				 (RIG_NOW + 5 * SEC) / SEC);
}

/* Interrupts, SET and the periodic rate begin anew; how bytes are written stays. */
static void registers_begin_as_firmware_leaves_them(void **state)
{
	struct rtc_kept kept;

	put(&rig, 0x0a, 0x2f);
	put(&rig, 0x0b, 0x7d | 0x80); /* all but 24 hours */
	load_date(&rig, "1407-05-0f 8a:14:1e"); /* 2007-05-15 10:20:30 PM */
	kept = stop();
	start(LOOP_CLOCK_HOST, RIG_NOW, 0, &kept);
	assert_int_equal(get(&rig, 0x0a) & 0x7f, 0x26);
	assert_int_equal(get(&rig, 0x0b), 0x05);
	assert_shows(&rig, "1407-05-0f 8a:14:1e");
	assert_int_equal(fake_loop_armed(&rig.fl), 0);
}

static void a_clock_comes_to_the_end_of_the_calendar_while_off(void **state)
{
	struct rtc_kept kept;

	set_clock("9999-12-31 23:59:58");
	kept = stop();
	start(LOOP_CLOCK_HOST, RIG_NOW + 3 * SEC, 0, &kept);
	/* The first second of a clock that was released lasts half of one. */
	assert_shows(&rig, "0000-01-01 00:00:01");
	/* The file may say anything within the calendar's length. */
	rig_done(&rig);
	kept.offset_sec = -RTC_KEPT_OFFSET_MAX;
	start(LOOP_CLOCK_HOST, RIG_NOW, 0, &kept);
	assert_int_equal(get(&rig, 0x0d), 0x80);
}

#undef T
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_clock_that_nobody_has_set_is_not_off),
		T(the_ram_comes_back_byte_for_byte),
		T(a_clock_that_was_set_goes_on),
		T(a_clock_of_the_vms_own_goes_on_by_the_hosts),
		T(every_change_is_told_once_the_date_is_whole),
		T(registers_begin_as_firmware_leaves_them),
		T(a_clock_comes_to_the_end_of_the_calendar_while_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
