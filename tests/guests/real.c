// SPDX-License-Identifier: MIT
/* real.c: what 16-bit guests have in common: text by INT 10h, and how a call went. */
#include <stdarg.h>

#include "io.h"
#include "real.h"

#include <trapmap/guest_abi.h>

struct call call(uint8_t vector, struct call c)
{
	interrupt(vector, &c);
	return c;
}

uint16_t segment(void)
{
	uint16_t cs;

	asm("movw %%cs, %0" : "=r"(cs));
	return cs;
}

static void put(char c)
{
	call(0x10, (struct call){ .eax = 0x0e00 | (uint8_t)c, .ebx = 7 });
}

void text(const char *s)
{
	while (*s)
		put(*s++);
}

static void hex(uint32_t val, unsigned digits)
{
	while (digits-- > 0)
		put("0123456789abcdef"[val >> digits * 4 & 15]);
}

/* Text with numbers in it: %2, %4 or %8 is the next, of so many digits. */
void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++)
		if (*fmt == '%')
			hex(va_arg(ap, uint32_t), (unsigned)(*++fmt - '0'));
		else
			put(*fmt);
	va_end(ap);
	text("\r\n");
}

void fail(const char *what)
{
	say(what);
	outb(TRAPMAP_TEST_EXIT_PORT, 7);
}

unsigned high(uint32_t eax)
{
	return eax >> 8 & 0xff;
}
