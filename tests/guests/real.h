/* SPDX-License-Identifier: MIT */
/* real.h: 16-bit guests in C: they call the BIOS as a C compiler cannot. */
#ifndef GUEST_REAL_H
#define GUEST_REAL_H

#include <stdint.h>

struct call {
	uint32_t edi, esi, ebp, ebx, edx, ecx, eax;
	uint16_t es, ds; /* 0 unless set: segment() is this guest's own */
	uint16_t flags;	 /* after it */
};

#define CF 0x0001
#define ZF 0x0040
#define IF 0x0200

/* real.S: INT vector with these registers, which are then what it left. */
void interrupt(uint8_t vector, struct call *c);

void guest_main(void); /* interrupts are off */

/* ---- real.c ---------------------------------------------------------------- */

struct call call(uint8_t vector, struct call c);
uint16_t segment(void); /* this guest's own */
void text(const char *s);
/* Text with numbers in it: %2, %4 or %8 is the next, of so many digits. */
void say(const char *fmt, ...);
void fail(const char *what); /* ends with a failure */
unsigned high(uint32_t eax); /* AH */

#endif
