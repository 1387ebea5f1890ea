// SPDX-License-Identifier: MIT
/*
 * main.c: which service answers which interrupt, and the smallest of them.
 *
 * Sources for all of these files: IBM PC AT and PS/2 BIOS Interface Technical
 * References; Ralf Brown's Interrupt List; where a file needs more it says so.
 * docs/firmware.md lists the functions.
 */
#include "bios/bios.h"

/* entry.S */
void post(void);
extern const uint16_t vectors[];

__attribute__((section(".header"), used)) struct trapmap_bios bios = {
	.magic = TRAPMAP_BIOS_MAGIC,
	.vectors = (uint32_t)vectors,
	.entry = (uint32_t)post,
};

_Static_assert(sizeof(struct regs) == 48 &&
		       offsetof(struct trapmap_bios, start) == 16,
	       "as entry.S has it");

static void put_hex(uint16_t val)
{
	unsigned digit = 4;

	while (digit-- > 0)
		serial_put((uint8_t)"0123456789abcdef"[val >> digit * 4 & 15]);
}

/*
 * One for which the guest has no handler. It is told, and the instruction runs again
 * with an interrupt table of no length, where there is no memory (KVM's emulator looks
 * at that alone), and interrupts off: a triple fault, with all registers as they were.
 */
static void exception(struct regs *r, const char *name)
{
	static const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) none = { 0, TRAPMAP_BIOS_NO_VECTORS };

	serial_text("BIOS: ");
	serial_text(name);
	serial_text(" at CS:IP ");
	put_hex(r->cs);
	serial_put(':');
	put_hex(r->ip);
	serial_text(", for which the guest has no handler\r\n");
	set_flag(r, FLAG_IF, false);
	asm volatile("lidtl %0" : : "m"(none));
}

static void __attribute__((noreturn)) stop(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

/* The guest cannot go on; what called it is at fault, not the machine. */
static void __attribute__((noreturn)) int18_no_boot(void)
{
	serial_text("BIOS: INT 18h: the guest found nothing to boot\r\n");
	outb(TRAPMAP_TEST_EXIT_PORT, 1);
	stop();
}

/* What was started came from outside of the machine: only a reset starts it again. */
static void __attribute__((noreturn)) int19_boot(void)
{
	serial_text("BIOS: INT 19h: the guest asks for a new start\r\n");
	outb(0x64, 0xfe);
	stop();
}

void service(struct regs *r)
{
	switch (r->vector) {
	case 0x00: exception(r, "#DE"); break;
	case 0x06: exception(r, "#UD"); break;
	case 0x07: exception(r, "#NM"); break;
	case 0x0c: exception(r, "#SS"); break;
	case 0x0d: exception(r, "#GP"); break;
	case 0x10: int10_video(r); break;
	case 0x11: r->a.x = bda_read16(BDA_EQUIPMENT); break;
	case 0x12: r->a.x = bda_read16(BDA_MEMORY_KIB); break;
	case 0x13: int13_disk(r); break;
	case 0x14: int14_serial(r); break;
	case 0x15: int15_system(r); break;
	case 0x16: int16_keyboard(r); break;
	case 0x18: int18_no_boot();
	case 0x19: int19_boot();
	case 0x1a: int1a_clock(r); break;
	}
}
