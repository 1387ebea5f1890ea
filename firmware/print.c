// SPDX-License-Identifier: MIT
/*
 * print.c: as much of printf() as a guest of one screenful wants, the checks
 * that test guests are made of, and the few string functions that the compiler
 * may call by itself.
 */
#include <stdarg.h>

#include "guest.h"

struct format {
	unsigned width;
	bool left;
	bool zero;
};

static void put_text(const char *s, size_t len, const struct format *f)
{
	size_t pad = f->width > len ? f->width - len : 0;

	if (!f->left)
		for (; pad; pad--)
			serial_put(f->zero ? '0' : ' ');
	for (; len; len--)
		serial_put(*s++);
	for (; pad; pad--)
		serial_put(' ');
}

static void put_number(uint64_t val, unsigned base, const struct format *f)
{
	char buf[20];
	size_t i = sizeof(buf);

	do {
		buf[--i] = "0123456789abcdef"[val % base];
		val /= base;
	} while (val);
	put_text(buf + i, sizeof(buf) - i, f);
}

static void put_signed(int64_t val, const struct format *f)
{
	struct format rest = *f;

	if (val >= 0) {
		put_number((uint64_t)val, 10, f);
		return;
	}
	serial_put('-');
	if (rest.width)
		rest.width--;
	put_number(-(uint64_t)val, 10, &rest);
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		struct format f = { 0, false, false };
		bool wide = false;
		const char *s;
		char c;

		if (*fmt != '%') {
			serial_put(*fmt);
			continue;
		}
		for (fmt++; *fmt == '-' || *fmt == '0'; fmt++) {
			f.left |= *fmt == '-';
			f.zero |= *fmt == '0';
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			f.width = f.width * 10 + (unsigned)(*fmt - '0');
		for (; *fmt == 'l'; fmt++)
			wide = true;

		switch (*fmt) {
		case 'd':
			put_signed(wide ? va_arg(ap, int64_t) :
					  va_arg(ap, int),
				   &f);
			break;
		case 'u':
		case 'x':
			put_number(wide ? va_arg(ap, uint64_t) :
					  va_arg(ap, unsigned),
				   *fmt == 'u' ? 10 : 16, &f);
			break;
		case 's':
			s = va_arg(ap, const char *);
			put_text(s, strlen(s), &f);
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			put_text(&c, 1, &f);
			break;
		case '\0':
			fmt--;
			break;
		default:
			serial_put(*fmt);
		}
	}
	va_end(ap);
}

void check_failed(const char *file, int line, const char *claim)
{
	print("FAILED at %s:%d: %s\n", file, line, claim);
	test_exit(EXIT_CHECK);
}

void check_eq(const char *file, int line, const char *what, uint64_t found,
	      uint64_t expected)
{
	if (found == expected)
		return;
	print("FAILED at %s:%d: %s is 0x%lx, not 0x%lx\n", file, line, what,
	      found, expected);
	test_exit(EXIT_CHECK);
}

void *memset(void *dst, int c, size_t len)
{
	void *p = dst;

	asm volatile("rep stosb" : "+D"(p), "+c"(len) : "a"(c) : "memory");
	return dst;
}

void *memcpy(void *dst, const void *src, size_t len)
{
	void *p = dst;

	asm volatile("rep movsb" : "+D"(p), "+S"(src), "+c"(len) : : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;

	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	/* Keeps the compiler from making this loop a call of strlen(). */
	while (s[n]) {
		asm volatile("" : "+r"(n));
		n++;
	}
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (uint8_t)*a - (uint8_t)*b;
}

uint64_t parse_number(const char **s)
{
	const char *p = *s;
	unsigned base = 10;
	uint64_t val = 0;

	while (*p == ' ')
		p++;
	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	for (;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (base == 16 && *p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a') + 10;
		else
			break;
		val = val * base + digit;
	}
	*s = p;
	return val;
}
