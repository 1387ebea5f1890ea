// SPDX-License-Identifier: MIT
/*
 * Setting the RTC's time, and when it changes, against the MC146818A datasheet
 * (the DS12887's where it is cited).
 */
#include "rtc_rig.h"

#define SEC NSEC_PER_SEC

/* Datasheet, Table 6 (32.768 kHz): tBUC and tUC. */
#define BEFORE_UPDATE 244000
#define UPDATE 1984000

static void set_holds_whatever_was_written(void **state)
{
	static const uint8_t reg[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x32 };
	unsigned i, v;

	put(&rig, 0x0b, 0x82);
	for (v = 0; v < 256; v += 5) {
		for (i = 0; i < ARRAY_SIZE(reg); i++)
			put(&rig, reg[i], (uint8_t)(v + i));
		advance(&rig, 3 * SEC + 7);
		for (i = 0; i < ARRAY_SIZE(reg); i++)
			assert_int_equal(get(&rig, reg[i]), (uint8_t)(v + i));
	}
	assert_int_equal(get(&rig, 0x00), 0x30);
}

/* SET inhibits updates but not the divider, which keeps its phase. */
static void release_of_set_keeps_the_fraction_of_the_second(void **state)
{
	advance(&rig, SEC * 3 / 10);
	put(&rig, 0x0b, 0x82);
	load_date(&rig, "1987-06-05 04:03:02");
	advance(&rig, SEC * 3 / 10 + 5 * SEC);
	put(&rig, 0x0b, 0x02);
	assert_shows(&rig, "1987-06-05 04:03:02");
	advance(&rig, SEC * 4 / 10 - 1);
	assert_shows(&rig, "1987-06-05 04:03:02");
	advance(&rig, 1);
	assert_shows(&rig, "1987-06-05 04:03:03");
	advance(&rig, 86400 * SEC);
	assert_shows(&rig, "1987-06-06 04:03:03");
}

/* Datasheet, register A: released, the first update begins in half a second. */
static void divider_reset_chooses_the_fraction(void **state)
{
	static const uint8_t reset[] = { 0x66, 0x76 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(reset); i++) {
		advance(&rig, SEC * 3 / 10 + 12345);
		put(&rig, 0x0b, 0x82);
		put(&rig, 0x0a, reset[i]);
		load_date(&rig, "1999-12-31 23:59:59");
		put(&rig, 0x0b, 0x02);
		advance(&rig, 3600 * SEC);
		assert_shows(&rig, "1999-12-31 23:59:59");
		put(&rig, 0x0a, 0x26);
		advance(&rig, SEC / 2 - BEFORE_UPDATE - 1);
		assert_int_equal(get(&rig, 0x0a), 0x26);
		advance(&rig, 1);
		assert_int_equal(get(&rig, 0x0a), 0xa6);
		advance(&rig, BEFORE_UPDATE + UPDATE - 1);
		assert_shows(&rig, "1999-12-31 23:59:59");
		advance(&rig, 1);
		assert_int_equal(get(&rig, 0x0a), 0x26);
		assert_shows(&rig, "2000-01-01 00:00:00");
		advance(&rig, SEC - 1);
		assert_shows(&rig, "2000-01-01 00:00:00");
		advance(&rig, 1);
		assert_shows(&rig, "2000-01-01 00:00:01");
	}
}

/* DS12887: 010 is the only combination with which it keeps time. */
static void only_dv_010_counts(void **state)
{
	unsigned dv;

	for (dv = 0; dv < 8; dv++) {
		rig_restart("2024-05-15 10:20:30");
		put(&rig, 0x0a, (uint8_t)(dv << 4 | 6));
		assert_int_equal(get(&rig, 0x0a), dv << 4 | 6);
		advance(&rig, 10 * SEC);
		assert_shows(&rig, dv == 2 ? "2024-05-15 10:20:40" :
					     "2024-05-15 10:20:30");
		assert_int_equal(get(&rig, 0x0c), dv == 2 ? 0x50 : 0);
	}
}

static void writing_the_same_dv_does_not_restart_the_divider(void **state)
{
	advance(&rig, SEC - 1);
	put(&rig, 0x0a, 0x2f);
	assert_shows(&rig, "2024-05-15 10:20:30");
	advance(&rig, 1);
	assert_shows(&rig, "2024-05-15 10:20:31");
}

static void uip_announces_the_update_by_244_us(void **state)
{
	unsigned i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(get(&rig, 0x0a), 0x26);
		advance(&rig, SEC - UPDATE - BEFORE_UPDATE - 1);
		assert_int_equal(get(&rig, 0x0a), 0x26);
		advance(&rig, 1);
		assert_int_equal(get(&rig, 0x0a), 0xa6);
		/* A reader who saw it low may take 244 us. */
		advance(&rig, BEFORE_UPDATE + UPDATE - 1);
		assert_int_equal(get(&rig, 0x0a), 0xa6);
		assert_int_equal(get(&rig, 0x00), 0x30 + i);
		advance(&rig, 1);
		assert_int_equal(get(&rig, 0x0a), 0x26);
		assert_int_equal(get(&rig, 0x00), 0x31 + i);
	}
}

static void set_and_divider_reset_keep_uip_low(void **state)
{
	advance(&rig, SEC - UPDATE);
	assert_int_equal(get(&rig, 0x0a), 0xa6);
	put(&rig, 0x0b, 0x82);
	assert_int_equal(get(&rig, 0x0a), 0x26);
	put(&rig, 0x0b, 0x02);
	assert_int_equal(get(&rig, 0x0a), 0xa6);
	put(&rig, 0x0a, 0x76);
	assert_int_equal(get(&rig, 0x0a), 0x76);
	advance(&rig, SEC);
	assert_int_equal(get(&rig, 0x0a), 0x76);
}

static void an_update_that_set_aborts_does_not_take_place(void **state)
{
	advance(&rig, SEC - UPDATE / 2);
	put(&rig, 0x0b, 0x82);
	advance(&rig, UPDATE);
	put(&rig, 0x0b, 0x02);
	assert_shows(&rig, "2024-05-15 10:20:30");
	assert_int_equal(get(&rig, 0x0c) & 0x10, 0);
	advance(&rig, SEC - UPDATE / 2);
	assert_shows(&rig, "2024-05-15 10:20:31");
}

static void bytes_can_be_written_without_set(void **state)
{
	/* By way of 31 February, which must not spoil the date. */
	load_date(&rig, "2023-02-31 23:59:58");
	put(&rig, 0x08, 0x01);
	assert_shows(&rig, "2023-01-31 23:59:58");
	advance(&rig, SEC);
	assert_shows(&rig, "2023-01-31 23:59:59");
	advance(&rig, SEC);
	assert_shows(&rig, "2023-02-01 00:00:00");
}

static void an_impossible_date_becomes_the_nearest_at_the_update(void **state)
{
	static const struct {
		const char *loaded, *after;
	} rows[] = {
		{ "2023-13-10 10:00:00", "2023-12-10 10:00:01" },
		{ "2023-00-10 10:00:00", "2023-01-10 10:00:01" },
		{ "2023-02-31 23:59:59", "2023-03-01 00:00:00" },
		{ "2024-04-31 10:00:00", "2024-04-30 10:00:01" },
		{ "2023-04-00 10:00:00", "2023-04-01 10:00:01" },
		{ "2023-04-10 3f:00:00", "2023-04-10 23:00:01" },
		{ "2023-04-10 10:60:79", "2023-04-10 11:00:00" },
		{ "2023-04-10 10:1f:00", "2023-04-10 10:25:01" },
		{ "ffff-ff-ff ff:ff:7f", "0000-01-01 00:00:00" },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		put(&rig, 0x0b, 0x82);
		load_date(&rig, rows[i].loaded);
		put(&rig, 0x0b, 0x02);
		assert_shows(&rig, rows[i].loaded);
		advance(&rig, SEC);
		assert_shows(&rig, rows[i].after);
	}
}

/* It counts days; nothing ties it to the date. */
static void the_day_of_week_is_the_guests_own(void **state)
{
	unsigned i;

	put(&rig, 0x06, 0x06); /* said to be a Friday */
	for (i = 0; i < 9; i++) {
		assert_int_equal(get(&rig, 0x06), (5 + i) % 7 + 1);
		advance(&rig, 86400 * SEC);
	}
	advance(&rig, 365 * 86400 * SEC);
	assert_int_equal(get(&rig, 0x06), (5 + 9 + 365) % 7 + 1);
}

static void a_held_clock_does_not_follow_the_hosts_steps(void **state)
{
	put(&rig, 0x0b, 0x82);
	rig.fl.now[LOOP_CLOCK_HOST] -= 3600 * SEC;
	put(&rig, 0x0b, 0x02);
	assert_shows(&rig, "2024-05-15 10:20:30");
	put(&rig, 0x0a, 0x76);
	rig.fl.now[LOOP_CLOCK_HOST] += 7200 * SEC;
	put(&rig, 0x0a, 0x26);
	assert_shows(&rig, "2024-05-15 10:20:30");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(set_holds_whatever_was_written),
		T(release_of_set_keeps_the_fraction_of_the_second),
		T(divider_reset_chooses_the_fraction),
		T(only_dv_010_counts),
		T(writing_the_same_dv_does_not_restart_the_divider),
		T(uip_announces_the_update_by_244_us),
		T(set_and_divider_reset_keep_uip_low),
		T(an_update_that_set_aborts_does_not_take_place),
		T(bytes_can_be_written_without_set),
		T(an_impossible_date_becomes_the_nearest_at_the_update),
		T(the_day_of_week_is_the_guests_own),
		T(a_held_clock_does_not_follow_the_hosts_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
