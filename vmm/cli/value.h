/* SPDX-License-Identifier: MIT */
/*
 * value.h: what people write on a command line, as numbers. Each function takes
 * the whole text. On failure it returns -EINVAL and *ret_why says what is wrong
 * and what was expected, in a static string that can follow "'TEXT': ".
 */
#ifndef TRAPMAP_CLI_VALUE_H
#define TRAPMAP_CLI_VALUE_H

#include <stdint.h>

/*
 * Guest memory: a whole number, then K, M, G, T (of either case) or nothing for
 * MiB. At least 1 MiB and a multiple of 4 KiB. In bytes.
 */
int value_mem(const char *text, uint64_t *ret_bytes, const char **ret_why);

/* A whole number from 1 to UINT32_MAX. */
int value_count(const char *text, uint32_t *ret_count, const char **ret_why);

/* A whole number above 0 of seconds, or with the unit ms, s or m. */
int value_duration(const char *text, int64_t *ret_ms, const char **ret_why);

/*
 * Addresses, FIRST-LAST or one alone, in decimal or with 0x. LAST is at least 1
 * and not below FIRST.
 */
int value_range(const char *text, uint64_t *ret_first, uint64_t *ret_last,
		const char **ret_why);

/*
 * A time in UTC: YYYY-MM-DD, YYYY-MM-DDTHH:MM or YYYY-MM-DDTHH:MM:SS, each with
 * or without a final Z, or @SECONDS since 1970. In seconds since 1970-01-01
 * 00:00. The years 1 to 9999, by the Gregorian calendar throughout.
 */
int value_date(const char *text, int64_t *ret_epoch, const char **ret_why);

#endif
