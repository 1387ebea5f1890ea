// SPDX-License-Identifier: MIT
#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)

static int wrong(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

/*
 * The decimal digits at *p, which moves behind them. Without the white space
 * and the signs of strtoull(), which turns -1 into a huge number. Returns 0;
 * -EINVAL: none; -ERANGE: too many.
 */
static int digits(const char **p, uint64_t *ret_val)
{
	const char *s = *p;
	uint64_t val = 0;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(val, 10, &val) ||
		    __builtin_add_overflow(val, (uint64_t)(*s - '0'), &val))
			return -ERANGE;
	*p = s;
	*ret_val = val;
	return 0;
}

static bool is_negative(const char *text)
{
	return *text == '-' && isdigit((unsigned char)text[1]);
}

int value_mem(const char *text, uint64_t *ret_bytes, const char **ret_why)
{
	uint64_t val, unit;
	int r;

	if (is_negative(text))
		return wrong(ret_why, "memory cannot be negative");
	r = digits(&text, &val);
	if (r == -ERANGE)
		return wrong(ret_why, "more than 64 bits can count");
	if (r)
		return wrong(ret_why,
			     "not a size; a whole number with K, M, G or T is expected (without one: MiB)");
	switch (*text) {
	case '\0': unit = MIB; break;
	case 'k':
	case 'K': unit = KIB; break;
	case 'm':
	case 'M': unit = MIB; break;
	case 'g':
	case 'G': unit = MIB << 10; break;
	case 't':
	case 'T': unit = MIB << 20; break;
	case '.':
	case ',':
		return wrong(ret_why,
			     "fractions are not taken; use a smaller unit (1536M for 1.5G)");
	default:
		return wrong(ret_why,
			     "unknown unit; K, M, G, T or nothing (MiB) is expected");
	}
	if (*text && text[1])
		return wrong(ret_why,
			     "unknown unit; K, M, G, T or nothing (MiB) is expected");
	if (__builtin_mul_overflow(val, unit, &val))
		return wrong(ret_why, "more than 64 bits can count");
	if (val < MIB)
		return wrong(ret_why, "too little memory; at least 1M is needed");
	if (val % (4 * KIB))
		return wrong(ret_why, "not a multiple of 4K, the size of a page");
	*ret_bytes = val;
	return 0;
}

int value_count(const char *text, uint32_t *ret_count, const char **ret_why)
{
	uint64_t val;
	int r = digits(&text, &val);

	if (r == -ERANGE)
		return wrong(ret_why, "far too many");
	if (r || *text)
		return wrong(ret_why, "a whole number above 0 is expected");
	if (val > UINT32_MAX)
		return wrong(ret_why, "far too many");
	if (val == 0)
		return wrong(ret_why, "at least 1 is needed");
	*ret_count = (uint32_t)val;
	return 0;
}

int value_duration(const char *text, int64_t *ret_ms, const char **ret_why)
{
	static const char expected[] =
		"a whole number above 0 is expected, in seconds or with ms, s or m";
	uint64_t val, unit;

	switch (digits(&text, &val)) {
	case 0: break;
	case -ERANGE: return wrong(ret_why, "longer than a hundred years");
	default: return wrong(ret_why, expected);
	}
	if (*text == '\0' || strcmp(text, "s") == 0)
		unit = 1000;
	else if (strcmp(text, "ms") == 0)
		unit = 1;
	else if (strcmp(text, "m") == 0)
		unit = 60 * 1000;
	else
		return wrong(ret_why, expected);
	if (val == 0)
		return wrong(ret_why, expected);
	/* A century: it leaves room to add the time of day to it. */
	if (val > UINT64_C(100) * 366 * 24 * 3600 * 1000 / unit)
		return wrong(ret_why, "longer than a hundred years");
	*ret_ms = (int64_t)(val * unit);
	return 0;
}

/* As digits(), also in hexadecimal behind 0x. */
static int address(const char **p, uint64_t *ret_val)
{
	const char *s = *p;
	uint64_t val = 0;

	if (s[0] != '0' || (s[1] != 'x' && s[1] != 'X'))
		return digits(p, ret_val);
	s += 2;
	if (!isxdigit((unsigned char)*s))
		return -EINVAL;
	for (; isxdigit((unsigned char)*s); s++) {
		int c = tolower((unsigned char)*s);

		if (val >> 60)
			return -ERANGE;
		val = val << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*p = s;
	*ret_val = val;
	return 0;
}

int value_range(const char *text, uint64_t *ret_first, uint64_t *ret_last,
		const char **ret_why)
{
	static const char expected[] =
		"FIRST-LAST is expected, each a number as 0x3f8 or 1016";
	uint64_t first = 0, last;
	int r = address(&text, &first);

	last = first;
	if (r == 0 && *text == '-') {
		text++;
		r = address(&text, &last);
	}
	if (r == -ERANGE)
		return wrong(ret_why, "more than 64 bits can count");
	if (r || *text)
		return wrong(ret_why, expected);
	if (first > last)
		return wrong(ret_why, "the first address is above the last");
	if (last == 0)
		return wrong(ret_why, "the last address must be above 0");
	*ret_first = first;
	*ret_last = last;
	return 0;
}

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* From 1970-01-01 to the first day of the year. */
static int64_t days_to_year(unsigned year)
{
	int64_t y = (int64_t)year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

/* Exactly n digits at *p, which moves behind them. */
static bool field(const char **p, unsigned n, unsigned *ret_val)
{
	unsigned val = 0;

	for (; n; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		val = val * 10 + (unsigned)(**p - '0');
	}
	*ret_val = val;
	return true;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static int seconds_since_1970(const char *text, int64_t *ret_epoch,
			      const char **ret_why)
{
	uint64_t val;
	bool negative = skip(&text, '-');

	/* Within the years 1 to 9999. */
	if (digits(&text, &val) || *text)
		return wrong(ret_why,
			     "@ and a whole number of seconds is expected");
	if (val > (negative ? UINT64_C(62135596800) : UINT64_C(253402300799)))
		return wrong(ret_why, "outside the years 1 to 9999");
	*ret_epoch = negative ? -(int64_t)val : (int64_t)val;
	return 0;
}

int value_date(const char *text, int64_t *ret_epoch, const char **ret_why)
{
	static const char expected[] =
		"not a time; YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS] (UTC) or @SECONDS since 1970 is expected";
	static const unsigned char month_days[] = { 31, 28, 31, 30, 31, 30,
						    31, 31, 30, 31, 30, 31 };
	unsigned year, month, day, hour = 0, minute = 0, second = 0, last, m;
	int64_t days;

	if (skip(&text, '@'))
		return seconds_since_1970(text, ret_epoch, ret_why);
	if (!field(&text, 4, &year) || !skip(&text, '-') ||
	    !field(&text, 2, &month) || !skip(&text, '-') ||
	    !field(&text, 2, &day))
		return wrong(ret_why, expected);
	if (skip(&text, 'T')) {
		if (!field(&text, 2, &hour) || !skip(&text, ':') ||
		    !field(&text, 2, &minute))
			return wrong(ret_why, expected);
		if (skip(&text, ':') && !field(&text, 2, &second))
			return wrong(ret_why, expected);
	}
	skip(&text, 'Z');
	if (*text)
		return wrong(ret_why, expected);
	if (year == 0 || month == 0 || month > 12)
		return wrong(ret_why, "there is no such month");
	last = month_days[month - 1] + (month == 2 && is_leap(year));
	if (day == 0 || day > last)
		return wrong(ret_why, "there is no such day");
	if (hour > 23 || minute > 59 || second > 59)
		return wrong(ret_why, "there is no such time of day");
	days = days_to_year(year) + day - 1;
	for (m = 1; m < month; m++)
		days += month_days[m - 1] + (m == 2 && is_leap(year));
	*ret_epoch = ((days * 24 + hour) * 60 + minute) * 60 + second;
	return 0;
}
