/* SPDX-License-Identifier: MIT */
/* text.h: strings, of which a program without a C library has none. */
#ifndef FIRMWARE_EXEC_TEXT_H
#define FIRMWARE_EXEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

static inline size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline bool text_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static inline bool text_ends(const char *s, const char *end)
{
	size_t n = text_len(s), m = text_len(end);

	return n >= m && text_same(s + n - m, end);
}

static inline bool text_starts(const char *s, const char *begin)
{
	while (*begin && *s == *begin) {
		s++;
		begin++;
	}
	return !*begin;
}

/* A line that is put together; what does not fit is cut. */
struct text {
	char s[512];
	size_t len;
};

static inline void text_add(struct text *t, const char *s)
{
	while (*s && t->len < sizeof(t->s) - 1)
		t->s[t->len++] = *s++;
	t->s[t->len] = '\0';
}

static inline void text_add_number(struct text *t, unsigned long n)
{
	char digits[21];
	size_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	text_add(t, digits + i);
}

#endif
