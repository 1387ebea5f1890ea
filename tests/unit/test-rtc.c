// SPDX-License-Identifier: MIT
/*
 * The RTC's registers, time and RAM against the MC146818A datasheet. Setting
 * the time is in test-rtc-set.c, interrupts are in test-rtc-irq.c.
 */
#include "rtc_rig.h"

#include <errno.h>

#define SEC NSEC_PER_SEC

static void starts_as_a_pcs_firmware_leaves_it(void **state)
{
	assert_int_equal(get(&rig, 0x0a), 0x26); /* 32.768 kHz, 1024 Hz */
	assert_int_equal(get(&rig, 0x0b), 0x02); /* BCD, 24 hours */
	assert_int_equal(get(&rig, 0x0c), 0x00);
	assert_int_equal(get(&rig, 0x0d), 0x80); /* VRT */
	assert_shows(&rig, "2024-05-15 10:20:30");
	assert_int_equal(get(&rig, 0x06), 4); /* a Wednesday; Sunday is 1 */
}

static void shows_its_clock_plus_the_offset_to_the_nanosecond(void **state)
{
	struct rtc_config config = {
		.loop = &rig.fl.loop,
		.clock = LOOP_CLOCK_HOST,
		.offset_sec = 3600,
		.offset_ns = 250000000,
	};
	struct rtc_rig other = { 0 };

	/* In 1234567890.750 by the clock a second of the RTC's begins. */
	bus_init(&other.bus, 0xffff);
	assert_int_equal(rtc_new(&config, &other.dev), 0);
	assert_int_equal(bus_add(&other.bus, 0x70, 2, other.dev, 0), 0);
	assert_shows(&other, "2009-02-14 00:31:30");
	rig.fl.now[LOOP_CLOCK_HOST] = INT64_C(1234567890749999999);
	assert_shows(&other, "2009-02-14 00:31:30");
	rig.fl.now[LOOP_CLOCK_HOST] = INT64_C(1234567890750000000);
	assert_shows(&other, "2009-02-14 00:31:31");
	rig.fl.now[LOOP_CLOCK_HOST] = INT64_C(1234567891750000000);
	assert_shows(&other, "2009-02-14 00:31:32");
	rig_done(&other);
}

static void refuses_a_time_that_it_cannot_show(void **state)
{
	struct rtc_config config = { .loop = &rig.fl.loop };
	struct device *dev = (struct device *)&rig;

	config.offset_ns = -1;
	assert_int_equal(rtc_new(&config, &dev), -EINVAL);
	config.offset_ns = 1000000000;
	assert_int_equal(rtc_new(&config, &dev), -EINVAL);
	config.offset_ns = 0;
	config.offset_sec = INT64_MAX;
	assert_int_equal(rtc_new(&config, &dev), -ERANGE);
	config.offset_sec = seconds_of("9999-12-31 23:59:59");
	assert_int_equal(rtc_new(&config, &dev), -ERANGE);
	config.offset_sec = INT64_MIN;
	assert_int_equal(rtc_new(&config, &dev), -ERANGE);
	assert_ptr_equal(dev, &rig);
}

static void a_loop_without_timers_is_told_and_leaks_nothing(void **state)
{
	struct rtc_config config = { .loop = &rig.fl.loop };
	struct device *dev = NULL;
	unsigned free_timers;

	for (free_timers = 0; free_timers < 2; free_timers++) {
		unsigned i;

		for (i = 0; i < FAKE_LOOP_MAX; i++)
			rig.fl.timer[i].used = i + free_timers < FAKE_LOOP_MAX;
		assert_int_equal(rtc_new(&config, &dev), -ENOMEM);
		assert_null(dev);
		assert_int_equal(rig.fl.timer[FAKE_LOOP_MAX - 1].used,
				 free_timers == 0);
	}
}

static void bit_7_of_the_index_is_not_the_rtcs(void **state)
{
	put(&rig, 0x80 | 0x40, 0x5a); /* NMI masked */
	assert_int_equal(get(&rig, 0x40), 0x5a);
	assert_int_equal(get(&rig, 0xc0), 0x5a);
}

static void the_index_cannot_be_read(void **state)
{
	uint64_t val;

	assert_true(bus_write(&rig.bus, 0x70, 1, 0x0d));
	assert_true(bus_read(&rig.bus, 0x70, 1, &val));
	assert_int_equal(val, 0xff);
}

static void a_16_bit_out_sets_index_and_data(void **state)
{
	uint64_t val;

	assert_true(bus_write(&rig.bus, 0x70, 2, 0xa540));
	assert_int_equal(get(&rig, 0x40), 0xa5);
	assert_true(bus_read(&rig.bus, 0x70, 2, &val));
	assert_int_equal(val, 0xa5ff);
}

static void keeps_114_bytes_of_ram(void **state)
{
	unsigned i;

	for (i = 0x0e; i < 0x80; i++)
		put(&rig, (uint8_t)i, (uint8_t)(i * 7));
	advance(&rig, SEC / 2);
	for (i = 0x0e; i < 0x80; i++)
		assert_int_equal(get(&rig, (uint8_t)i), (uint8_t)(i * 7));
	put(&rig, 0x32, 0x20);
	assert_shows(&rig, "2024-05-15 10:20:30");
}

static void read_only_bits_stay(void **state)
{
	put(&rig, 0x0c, 0xff);
	assert_int_equal(get(&rig, 0x0c), 0x00);
	put(&rig, 0x0d, 0x00);
	assert_int_equal(get(&rig, 0x0d), 0x80);
	put(&rig, 0x0a, 0xa6);
	assert_int_equal(get(&rig, 0x0a), 0x26);
	put(&rig, 0x0b, 0x82);
	put(&rig, 0x00, 0xd9);
	assert_int_equal(get(&rig, 0x00), 0x59);
}

static void sqwe_and_dse_are_stored(void **state)
{
	put(&rig, 0x0b, 0x0b);
	assert_int_equal(get(&rig, 0x0b), 0x0b);
	/* DSE: no hour is skipped on an American last Sunday of April. */
	put(&rig, 0x0b, 0x8b);
	load_date(&rig, "2024-04-28 01:59:59");
	put(&rig, 0x06, 0x01);
	put(&rig, 0x0b, 0x0b);
	advance(&rig, SEC);
	assert_shows(&rig, "2024-04-28 02:00:00");
}

static void carries_into_every_byte(void **state)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{ "2024-05-15 10:20:59", "2024-05-15 10:21:00" },
		{ "2024-05-15 10:59:59", "2024-05-15 11:00:00" },
		{ "2024-05-15 23:59:59", "2024-05-16 00:00:00" },
		{ "2024-01-31 23:59:59", "2024-02-01 00:00:00" },
		{ "2024-04-30 23:59:59", "2024-05-01 00:00:00" },
		{ "2023-12-31 23:59:59", "2024-01-01 00:00:00" },
		{ "1999-12-31 23:59:59", "2000-01-01 00:00:00" },
		{ "2023-02-28 23:59:59", "2023-03-01 00:00:00" },
		{ "2024-02-28 23:59:59", "2024-02-29 00:00:00" },
		{ "2024-02-29 23:59:59", "2024-03-01 00:00:00" },
		{ "1900-02-28 23:59:59", "1900-03-01 00:00:00" },
		{ "2000-02-28 23:59:59", "2000-02-29 00:00:00" },
		{ "2100-02-28 23:59:59", "2100-03-01 00:00:00" },
		{ "2400-02-28 23:59:59", "2400-02-29 00:00:00" },
		{ "0000-02-28 23:59:59", "0000-02-29 00:00:00" },
		{ "9999-12-31 23:59:59", "0000-01-01 00:00:00" },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		time_t sec = seconds_of(rows[i].before);
		struct tm tm;
		int next;

		gmtime_r(&sec, &tm);
		rig_restart(rows[i].before);
		assert_shows(&rig, rows[i].before);
		assert_int_equal(get(&rig, 0x06), tm.tm_wday + 1);
		advance(&rig, SEC - 1);
		assert_shows(&rig, rows[i].before);
		advance(&rig, 1);
		assert_shows(&rig, rows[i].after);
		next = (tm.tm_wday + !strcmp(rows[i].after + 11, "00:00:00")) % 7;
		assert_int_equal(get(&rig, 0x06), next + 1);
	}
}

static void counts_in_binary_and_in_12_hours(void **state)
{
	static const struct {
		uint8_t reg_b, before, after;
	} rows[] = {
		{ 0x00, 0x91, 0x12 }, /* BCD: 11 PM, 12 AM */
		{ 0x00, 0x12, 0x01 }, { 0x00, 0x11, 0x92 },
		{ 0x00, 0x92, 0x81 }, { 0x00, 0x09, 0x10 },
		{ 0x00, 0x89, 0x90 }, { 0x04, 0x8b, 0x0c }, /* binary */
		{ 0x04, 0x0c, 0x01 }, { 0x04, 0x0b, 0x8c },
		{ 0x04, 0x8c, 0x81 }, { 0x04, 0x09, 0x0a },
		{ 0x06, 0x17, 0x00 }, { 0x06, 0x0b, 0x0c },
		{ 0x02, 0x23, 0x00 }, { 0x02, 0x19, 0x20 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t b = rows[i].reg_b;
		uint8_t midnight = b & 0x02 ? 0 : in_mode(12, b);
		bool next_day = rows[i].after == midnight;

		put(&rig, 0x0b, 0x80 | b);
		put(&rig, 0x32, in_mode(19, b));
		put(&rig, 0x09, in_mode(99, b));
		put(&rig, 0x08, in_mode(12, b));
		put(&rig, 0x07, in_mode(31, b));
		put(&rig, 0x06, 7);
		put(&rig, 0x04, rows[i].before);
		put(&rig, 0x02, in_mode(59, b));
		put(&rig, 0x00, in_mode(59, b));
		put(&rig, 0x0b, b);
		assert_int_equal(get(&rig, 0x04), rows[i].before);
		advance(&rig, SEC);
		assert_int_equal(get(&rig, 0x00), 0);
		assert_int_equal(get(&rig, 0x02), 0);
		assert_int_equal(get(&rig, 0x04), rows[i].after);
		assert_int_equal(get(&rig, 0x06), next_day ? 1 : 7);
		assert_int_equal(get(&rig, 0x07), in_mode(next_day ? 1 : 31, b));
		assert_int_equal(get(&rig, 0x08), in_mode(next_day ? 1 : 12, b));
		assert_int_equal(get(&rig, 0x09), in_mode(next_day ? 0 : 99, b));
		assert_int_equal(get(&rig, 0x32), in_mode(next_day ? 20 : 19, b));
	}
}

/* Whoever changes DM or 24/12 has to write all ten bytes anew. */
static void a_change_of_mode_converts_nothing(void **state)
{
	put(&rig, 0x0b, 0x06);
	assert_shows(&rig, "2024-05-15 10:20:30");
	put(&rig, 0x0b, 0x00);
	assert_shows(&rig, "2024-05-15 10:20:30");
}

static void two_clocks_in_one_process_know_nothing_of_each_other(void **state)
{
	int64_t host = rig.fl.now[LOOP_CLOCK_HOST];
	struct rtc_rig other;
	uint64_t val;

	rig_init(&other, LOOP_CLOCK_VM, "1969-07-20 20:17:40");
	put(&rig, 0x0b, 0x82);
	load_date(&rig, "1911-12-14 15:00:00");
	put(&rig, 0x0b, 0x02);

	/* Each has an index register of its own. */
	assert_true(bus_write(&rig.bus, 0x70, 1, 0x09));
	assert_true(bus_write(&other.bus, 0x70, 1, 0x0d));
	assert_true(bus_read(&rig.bus, 0x71, 1, &val));
	assert_int_equal(val, 0x11);
	assert_true(bus_read(&other.bus, 0x71, 1, &val));
	assert_int_equal(val, 0x80);

	advance(&rig, 10 * SEC);
	advance(&other, 20 * SEC);
	assert_shows(&rig, "1911-12-14 15:00:10");
	assert_shows(&other, "1969-07-20 20:18:00");
	assert_int_equal(rig.fl.now[LOOP_CLOCK_HOST], host + 10 * SEC);
	rig_done(&other);
}

static void on_the_vms_clock_it_stands_while_the_vm_does(void **state)
{
	struct rtc_rig vm;

	rig_init(&vm, LOOP_CLOCK_VM, "2024-05-15 10:20:30");
	vm.fl.now[LOOP_CLOCK_HOST] += 3600 * SEC;
	rig.fl.now[LOOP_CLOCK_HOST] += 3600 * SEC;
	assert_shows(&vm, "2024-05-15 10:20:30");
	assert_shows(&rig, "2024-05-15 11:20:30");
	advance(&vm, SEC);
	assert_shows(&vm, "2024-05-15 10:20:31");
	rig_done(&vm);
}

static void on_the_hosts_clock_it_follows_its_steps(void **state)
{
	rig.fl.now[LOOP_CLOCK_HOST] += 86400 * SEC;
	assert_shows(&rig, "2024-05-16 10:20:30");
	rig.fl.now[LOOP_CLOCK_HOST] -= 2 * 86400 * SEC + 31 * SEC;
	assert_shows(&rig, "2024-05-14 10:19:59");
	assert_int_equal(get(&rig, 0x06), 3);
	advance(&rig, SEC);
	assert_shows(&rig, "2024-05-14 10:20:00");
}

static void a_clock_at_the_ends_of_64_bits_does_no_harm(void **state)
{
	static const int64_t nows[] = { INT64_MAX, INT64_MIN, INT64_MAX, 0,
					-1, INT64_MIN, RIG_NOW };
	unsigned i;

	put(&rig, 0x05, 0xff);
	put(&rig, 0x0a, 0x23);
	put(&rig, 0x0b, 0x72);
	for (i = 0; i < ARRAY_SIZE(nows); i++) {
		rig.fl.now[LOOP_CLOCK_HOST] = nows[i];
		get(&rig, 0x0c);
		put(&rig, 0x0a, 0x73);
		put(&rig, 0x0a, 0x23);
	}
	put(&rig, 0x0b, 0x02);
	rig_restart("2024-05-15 10:20:30");
	for (i = 0; i < ARRAY_SIZE(nows); i++) {
		rig.fl.now[LOOP_CLOCK_HOST] = nows[i];
		get(&rig, 0x00);
	}
	assert_shows(&rig, "2024-05-15 10:20:30");
}

/* Datasheet, RESET: time, calendar and RAM stay; so do SET, DM, 24/12, DSE. */
static void reset_leaves_time_and_ram(void **state)
{
	put(&rig, 0x40, 0x5a);
	put(&rig, 0x01, 0x15);
	put(&rig, 0x0a, 0x2d);
	put(&rig, 0x0b, 0x7b);
	device_reset(rig.dev);
	assert_int_equal(get(&rig, 0x0b), 0x03);
	assert_int_equal(get(&rig, 0x0a), 0x2d);
	assert_int_equal(get(&rig, 0x0d), 0x80);
	assert_int_equal(get(&rig, 0x40), 0x5a);
	assert_int_equal(get(&rig, 0x01), 0x15);
	advance(&rig, SEC);
	assert_shows(&rig, "2024-05-15 10:20:31");
	put(&rig, 0x0b, 0x86);
	device_reset(rig.dev);
	assert_int_equal(get(&rig, 0x0b), 0x86);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(starts_as_a_pcs_firmware_leaves_it),
		T(shows_its_clock_plus_the_offset_to_the_nanosecond),
		T(refuses_a_time_that_it_cannot_show),
		T(a_loop_without_timers_is_told_and_leaks_nothing),
		T(bit_7_of_the_index_is_not_the_rtcs),
		T(the_index_cannot_be_read),
		T(a_16_bit_out_sets_index_and_data),
		T(keeps_114_bytes_of_ram),
		T(read_only_bits_stay),
		T(sqwe_and_dse_are_stored),
		T(carries_into_every_byte),
		T(counts_in_binary_and_in_12_hours),
		T(a_change_of_mode_converts_nothing),
		T(two_clocks_in_one_process_know_nothing_of_each_other),
		T(on_the_vms_clock_it_stands_while_the_vm_does),
		T(on_the_hosts_clock_it_follows_its_steps),
		T(a_clock_at_the_ends_of_64_bits_does_no_harm),
		T(reset_leaves_time_and_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
