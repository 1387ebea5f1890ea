/* SPDX-License-Identifier: MIT */
/*
 * bios.h: the real-mode services: what their files share. 16-bit code from C: it
 * runs in segment TRAPMAP_BIOS_SEGMENT, with CS, DS, ES and SS the same, so that a
 * pointer is an offset in that segment. All else is reached by far_*() and flat_*().
 */
#ifndef FIRMWARE_BIOS_H
#define FIRMWARE_BIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trapmap/guest_abi.h>

#include "io.h"

/* One register, by its names' last letters. */
union reg {
	uint32_t e; /* EAX */
	uint16_t x; /* AX */
	struct {
		uint8_t l, h; /* AL, AH */
	};
};

/* The caller's registers, as entry.S puts them; changes go back to it. */
struct regs {
	union reg di, si, bp, sp, b, d, c, a;
	uint16_t gs, fs, es, ds;
	uint16_t vector;
	uint16_t ip, cs, flags;
};

#define FLAG_CF 0x0001
#define FLAG_ZF 0x0040
#define FLAG_IF 0x0200

static inline void set_flag(struct regs *r, uint16_t flag, bool on)
{
	r->flags = (uint16_t)(on ? r->flags | flag : r->flags & ~flag);
}

/* What most services say when they do not know a function. */
static inline void unsupported(struct regs *r)
{
	r->a.h = 0x86;
	set_flag(r, FLAG_CF, true);
}

/* The first bytes of the image, which the monitor has filled in. */
extern struct trapmap_bios bios;

/* ---- memory -------------------------------------------------------------- */

#define BDA_SEGMENT 0x40
#define BDA_EQUIPMENT 0x10
#define BDA_MEMORY_KIB 0x13
#define BDA_KEYS_HEAD 0x1a
#define BDA_KEYS_TAIL 0x1c
#define BDA_VIDEO_MODE 0x49
#define BDA_COLUMNS 0x4a
#define BDA_CURSOR 0x50
#define BDA_CURSOR_SHAPE 0x60
#define BDA_TICKS 0x6c
#define BDA_MIDNIGHT 0x70
#define BDA_DISK_STATUS 0x74
#define BDA_LAST_ROW 0x84
#define BDA_KEYS_START 0x80
#define BDA_KEYS_END 0x82

static inline void set_gs(uint16_t segment)
{
	asm volatile("movw %0, %%gs" : : "r"(segment) : "memory");
}

static inline uint8_t far_read8(uint16_t segment, uint16_t off)
{
	uint8_t val;

	set_gs(segment);
	asm volatile("movb %%gs:(%1), %0" : "=q"(val) : "r"((uint32_t)off));
	return val;
}

static inline uint16_t far_read16(uint16_t segment, uint16_t off)
{
	uint16_t val;

	set_gs(segment);
	asm volatile("movw %%gs:(%1), %0" : "=r"(val) : "r"((uint32_t)off));
	return val;
}

static inline void far_write8(uint16_t segment, uint16_t off, uint8_t val)
{
	set_gs(segment);
	asm volatile("movb %0, %%gs:(%1)"
		     :
		     : "q"(val), "r"((uint32_t)off)
		     : "memory");
}

static inline void far_write16(uint16_t segment, uint16_t off, uint16_t val)
{
	set_gs(segment);
	asm volatile("movw %0, %%gs:(%1)"
		     :
		     : "r"(val), "r"((uint32_t)off)
		     : "memory");
}

static inline uint16_t bda_read16(uint16_t off)
{
	return far_read16(BDA_SEGMENT, off);
}

static inline void bda_write16(uint16_t off, uint16_t val)
{
	far_write16(BDA_SEGMENT, off, val);
}

static inline uint32_t bda_read32(uint16_t off)
{
	return bda_read16(off) | (uint32_t)bda_read16(off + 2) << 16;
}

static inline void bda_write32(uint16_t off, uint32_t val)
{
	bda_write16(off, (uint16_t)val);
	bda_write16(off + 2, (uint16_t)(val >> 16));
}

/* As the processor does, at the end of a segment they go on at its beginning. */
static inline void far_copy_out(uint16_t segment, uint16_t off,
				const void *from, unsigned len)
{
	const uint8_t *p = from;

	while (len-- > 0)
		far_write8(segment, off++, *p++);
}

static inline void far_copy_in(void *to, uint16_t segment, uint16_t off,
			       unsigned len)
{
	uint8_t *p = to;

	while (len-- > 0)
		*p++ = far_read8(segment, off++);
}

/*
 * entry.S: makes FS reach all of 4 GiB until the service ends; then flat_*() work.
 * A trip into protected mode and back: not from virtual-8086 mode.
 */
void flat_begin(void);

/* entry.S: lets interrupts in: sleep() waits for one. */
void sleep(void);
void breathe(void);

static inline uint32_t flat_read32(uint32_t addr)
{
	uint32_t val;

	asm volatile("movl %%fs:(%1), %0" : "=r"(val) : "r"(addr) : "memory");
	return val;
}

static inline void flat_write32(uint32_t addr, uint32_t val)
{
	asm volatile("movl %0, %%fs:(%1)" : : "r"(val), "r"(addr) : "memory");
}

static inline uint8_t flat_read8(uint32_t addr)
{
	uint8_t val;

	asm volatile("movb %%fs:(%1), %0" : "=q"(val) : "r"(addr) : "memory");
	return val;
}

static inline void flat_write8(uint32_t addr, uint8_t val)
{
	asm volatile("movb %0, %%fs:(%1)" : : "q"(val), "r"(addr) : "memory");
}

/* The address of what a pointer of ours points to. */
static inline uint32_t flat_of(const volatile void *p)
{
	return ((uint32_t)TRAPMAP_BIOS_SEGMENT << 4) + (uint32_t)(uintptr_t)p;
}

/* ---- the services, each in its file -------------------------------------- */

void service(struct regs *r); /* by r->vector */

void int10_video(struct regs *r);
void int13_disk(struct regs *r);
void int14_serial(struct regs *r);
void int15_system(struct regs *r);
void int16_keyboard(struct regs *r);
void int1a_clock(struct regs *r);

void serial_put(uint8_t c);
void serial_text(const char *text);
bool serial_has_input(void);
uint8_t serial_get(void); /* only when there is some */
void serial_wait(void); /* until there may be some */

void clock_begin(void); /* the ticks since midnight, by the RTC */

/*
 * virtio_blk.c. disk: 0 is the first. The results are INT 13h's statuses; 0 is
 * success.
 */
bool blk_find(unsigned disk, uint64_t *ret_sectors);
uint8_t blk_transfer(unsigned disk, bool write, uint64_t lba, uint64_t addr,
		     unsigned sectors);

#define DISK_INVALID 0x01
#define DISK_PROTECTED 0x03
#define DISK_NOT_FOUND 0x04
#define DISK_CONTROLLER 0x20
#define DISK_TIMEOUT 0x80

#endif
