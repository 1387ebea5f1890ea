// SPDX-License-Identifier: MIT
/*
 * Compressed files. The samples are what the formats' own tools wrote
 * (tests/unit/unpack_samples.py): "Trapmap" 4096 times, in each way there is.
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/unpack.h"
#include "core/base.h"
#include "unpack_samples.h"

#define TEXT "Trapmap"
#define TEXT_LEN (sizeof(TEXT) - 1)
#define TIMES 4096
#define LEN (TEXT_LEN * TIMES)

static uint8_t *out;
static size_t out_len;
static struct boot_error err;

static int teardown(void **state)
{
	free(out);
	out = NULL;
	return 0;
}

/* From a copy of its own size, so that ASan sees a read past the end. */
static int unpacks(const void *in, size_t len, uint64_t max)
{
	uint8_t *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, in, len);
	free(out);
	out = NULL;
	memset(&err, 0, sizeof(err));
	r = unpack(copy, len, max, &out, &out_len, &err);
	if (r < 0)
		assert_null(out);
	free(copy);
	return r;
}

static bool is_text(size_t times)
{
	size_t i;

	if (out_len != times * LEN)
		return false;
	for (i = 0; i < out_len; i += TEXT_LEN)
		if (memcmp(out + i, TEXT, TEXT_LEN) != 0)
			return false;
	return true;
}

static bool is_supported(const struct unpack_sample *s)
{
	if (unpacks(s->bytes, s->len, UNPACK_MAX) == 0 ||
	    !strstr(err.text, "was built without"))
		return true;
	print_message("[  INFO  ] %s: %s\n", s->name, err.text);
	return false;
}

#define EACH(s)                                                       \
	(s) = unpack_samples; (s) < unpack_samples + ARRAY_SIZE(unpack_samples); (s)++

/* The refusal has that offset and a piece of text; or the test fails. */
static void assert_says(const struct unpack_sample *s, uint64_t off,
			const char *what)
{
	if (err.off != off || !strstr(err.text, what))
		fail_msg("%s: \"%s\" at %llu; \"%s\" at %llu expected", s->name,
			 err.text, (unsigned long long)err.off, what,
			 (unsigned long long)off);
}

static void what_each_tool_wrote_comes_back(void **state)
{
	const struct unpack_sample *s;

	for (EACH(s)) {
		assert_string_equal(unpack_recognise(s->bytes, 32), s->format);
		if (!is_supported(s))
			continue;
		if (unpacks(s->bytes, s->len, UNPACK_MAX) != 0 || !is_text(1))
			fail_msg("%s: %s", s->name, err.text);
	}
}

/* Never read past the end, never taken for whole; and the end is named. */
static void cut_off_anywhere_it_is_refused(void **state)
{
	const struct unpack_sample *s;
	size_t len;

	for (EACH(s)) {
		if (!is_supported(s))
			continue;
		for (len = 13; len < s->len; len++) {
			assert_int_equal(unpacks(s->bytes, len, UNPACK_MAX),
					 -EINVAL);
			/* Legacy frames have no end of their own. */
			if (s->ends)
				assert_says(s, len, "is truncated");
		}
	}
}

/* Checks in the formats find nearly all; none may do more harm than a refusal. */
static void a_byte_that_is_wrong_is_no_crash(void **state)
{
	const struct unpack_sample *s;
	unsigned refused;
	uint8_t *bad;
	size_t i;

	for (EACH(s)) {
		if (!is_supported(s))
			continue;
		bad = malloc(s->len);
		refused = 0;
		for (i = 0; i < s->len; i++) {
			memcpy(bad, s->bytes, s->len);
			bad[i] ^= 0x55;
			refused += unpacks(bad, s->len, MIB(1)) == -EINVAL;
		}
		free(bad);
		assert_true(refused > s->len / 2);
	}
}

static void a_spoilt_checksum_is_corrupt(void **state)
{
	const struct unpack_sample *s;
	uint8_t *bad;

	for (EACH(s)) {
		if (!is_supported(s) || !s->check)
			continue;
		bad = malloc(s->len);
		memcpy(bad, s->bytes, s->len);
		bad[s->check] ^= 1;
		assert_int_equal(unpacks(bad, s->len, UNPACK_MAX), -EINVAL);
		if (!strstr(err.text, "corrupt ") ||
		    !strstr(err.text, s->format))
			fail_msg("%s: %s", s->name, err.text);
		free(bad);
	}
}

/* Joined with cat, as the tools have it; .lzma has no such thing. */
static void members_one_after_another_are_one(void **state)
{
	const struct unpack_sample *s;
	uint8_t *twice;

	for (EACH(s)) {
		if (!is_supported(s))
			continue;
		twice = malloc(2 * s->len);
		memcpy(twice, s->bytes, s->len);
		memcpy(twice + s->len, s->bytes, s->len);
		if (strcmp(s->format, "lzma") == 0) {
			assert_int_equal(unpacks(twice, 2 * s->len, UNPACK_MAX),
					 -EINVAL);
			assert_says(s, s->len, "ends here");
		} else if (unpacks(twice, 2 * s->len, UNPACK_MAX) != 0 ||
			   !is_text(2)) {
			fail_msg("%s: %s", s->name, err.text);
		}
		free(twice);
	}
}

static void what_follows_and_is_something_else_is_refused(void **state)
{
	const struct unpack_sample *s;
	uint8_t *longer;

	for (EACH(s)) {
		if (!is_supported(s))
			continue;
		longer = malloc(s->len + 8);
		memcpy(longer, s->bytes, s->len);
		memcpy(longer + s->len, "\xee\xee\xee\xee\xee\xee\xee\xee", 8);
		assert_int_equal(unpacks(longer, s->len + 8, UNPACK_MAX),
				 -EINVAL);
		assert_says(s, s->len, s->ends ? "ends here" : "block");
		/* Zeroes: padding for two of them. */
		memset(longer + s->len, 0, 8);
		assert_int_equal(unpacks(longer, s->len + 8, UNPACK_MAX),
				 s->pads ? 0 : -EINVAL);
		free(longer);
	}
}

static void the_limit_is_met_exactly(void **state)
{
	const struct unpack_sample *s;

	for (EACH(s)) {
		if (!is_supported(s))
			continue;
		assert_int_equal(unpacks(s->bytes, s->len, LEN), 0);
		assert_int_equal(unpacks(s->bytes, s->len, LEN - 1), -EINVAL);
		assert_says(s, 0, "more than 28671 bytes");
		assert_int_equal(unpacks(s->bytes, s->len, 0), -EINVAL);
	}
	assert_int_equal(unpacks(unpack_samples[0].bytes, 40, UNPACK_MAX + 1),
			 -EINVAL);
}

/* 64 MiB of zeroes in a few bytes: no more memory than the limit allows. */
static void a_bomb_stops_at_the_limit(void **state)
{
	const struct unpack_sample *s = &unpack_bomb;

	if (!is_supported(s))
		skip();
	assert_int_equal(out_len, MIB(64));
	assert_int_equal(unpacks(s->bytes, s->len, MIB(4)), -EINVAL);
	assert_says(s, 0, "more than 4194304 bytes");
}

static void what_is_not_compressed_is_not_recognised(void **state)
{
	assert_null(unpack_recognise((const uint8_t *)"\177ELF", 4));
	assert_null(unpack_recognise((const uint8_t *)"\x1f\x8b", 2));
	assert_null(unpack_recognise((const uint8_t *)"", 0));
	assert_int_equal(unpacks("\177ELF", 4, UNPACK_MAX), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_each_tool_wrote_comes_back),
		cmocka_unit_test(cut_off_anywhere_it_is_refused),
		cmocka_unit_test(a_byte_that_is_wrong_is_no_crash),
		cmocka_unit_test(a_spoilt_checksum_is_corrupt),
		cmocka_unit_test(members_one_after_another_are_one),
		cmocka_unit_test(what_follows_and_is_something_else_is_refused),
		cmocka_unit_test(the_limit_is_met_exactly),
		cmocka_unit_test(a_bomb_stops_at_the_limit),
		cmocka_unit_test(what_is_not_compressed_is_not_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
