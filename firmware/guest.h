/* SPDX-License-Identifier: MIT */
/*
 * guest.h: the tiny-guest runtime: what a kernel of one screenful needs so that
 * it can say something, be interrupted, and end.
 *
 * A guest is a C file with a guest_main(). Linked with the runtime it is a
 * static ELF64 executable at 1 MiB that starts by the Linux 64-bit boot
 * protocol: long mode, RAM below 3 GiB mapped one to one, RSI = boot_params,
 * interrupts off. start.S adds a stack, a GDT and an IDT that reports
 * exceptions, then calls guest_main(); what that returns goes to the test-exit
 * port, so `return 0` is exit status 0.
 *
 *	start.S	  entry, stack, GDT		trap.c, stubs.S	exceptions, IRQs
 *	serial.c  COM1, by polling		print.c		print()
 *	boot.c	  e820, command line, initrd	acpi.c		tables, power, reset
 *	paging.c  mapping what is not mapped	pic.c, lapic.c	interrupt controllers
 *	time.c	  TSC, PIT			rtc.c		port 0x70/0x71
 *	smp.c, trampoline.S  the other processors
 *
 * No floating point, no SSE, no heap, no library.
 */
#ifndef FIRMWARE_GUEST_H
#define FIRMWARE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

int guest_main(void);

/* ---- the end ------------------------------------------------------------ */

/* Exit status 0 for 0, else (value << 1) | 1. */
_Noreturn void test_exit(uint32_t value);
_Noreturn void acpi_power_off(void);
_Noreturn void acpi_reset(void);
/* For good: the machine has been told to end and takes a moment. */
_Noreturn void halt_forever(void);

/* Test-exit values of the runtime's own. */
#define EXIT_CHECK 1 /* a CHECK() that does not hold: status 3 */
#define EXIT_EXCEPTION 0x20 /* an exception without a handler: status 65 */

/* A claim about the machine. If it is false, says so and ends the run. */
#define CHECK(claim) \
	do { \
		if (!(claim)) \
			check_failed(__FILE_NAME__, __LINE__, #claim); \
	} while (0)

/* The same for two numbers, which are printed. */
#define CHECK_EQ(found, expected) \
	check_eq(__FILE_NAME__, __LINE__, #found, (found), (expected))

_Noreturn void check_failed(const char *file, int line, const char *claim);
void check_eq(const char *file, int line, const char *what, uint64_t found,
	      uint64_t expected);

/* ---- output ------------------------------------------------------------- */

#define COM1 0x3f8

/* "\n" goes out as CR LF. */
void serial_put(char c);

/*
 * %c %s %d %u %x %%, with a width, '-' (left), '0' (zeros) and 'l' (64 bits).
 */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- strings ------------------------------------------------------------ */

void *memset(void *dst, int c, size_t len);
void *memcpy(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

/*
 * A number, decimal or with 0x, at *s after blanks; moves *s past it. Returns
 * 0 where there is none.
 */
uint64_t parse_number(const char **s);

/* ---- what the boot loader left ------------------------------------------ */

enum { E820_RAM = 1, E820_RESERVED = 2 };

struct e820_entry {
	uint64_t base;
	uint64_t len;
	uint32_t type;
} __attribute__((packed));

/* How many entries there are; *ret_map has them in order. */
unsigned boot_e820(const struct e820_entry **ret_map);
const char *boot_cmdline(void);
/* NULL with *ret_len = 0 where there is none. */
const uint8_t *boot_initrd(uint64_t *ret_len);
/* The RSDP's address, or 0. */
uint64_t boot_rsdp(void);

/* ---- memory beyond what the boot loader mapped -------------------------- */

/*
 * Maps the 2 MiB page around gpa one to one, so that it can be touched.
 * Returns gpa as a pointer. Up to PAGING_POOL page-table pages are at hand.
 */
#define PAGING_POOL 10
void *map_page(uint64_t gpa);

/* ---- exceptions and interrupts ------------------------------------------ */

/* IRQ n of the PICs comes as vector VECTOR_IRQ + n. */
#define VECTOR_IRQ 32
/* For the IOAPIC and the LAPIC: VECTOR_APIC to VECTOR_SPURIOUS - 1. */
#define VECTOR_APIC 48
#define VECTOR_SPURIOUS 63
#define VECTORS 64

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/*
 * What to do on a vector, with interrupts off. The end-of-interrupt is sent
 * after it returns. Without a handler an exception is reported and ends the
 * run; an interrupt is acknowledged and dropped.
 */
void trap_handler(unsigned vector, void (*handler)(struct trap_frame *frame));
void trap_init(void);

/* Moves the PICs to VECTOR_IRQ, all inputs masked but the cascade. */
void pic_init(void);
void pic_unmask(unsigned irq);
void pic_mask(unsigned irq);
void pic_eoi(unsigned irq);

#define LAPIC_ID 0x20
#define LAPIC_VERSION 0x30
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0

/* This processor's, by MMIO or MSR as its mode asks; init enables it. */
void lapic_init(void);
/* Changes this one, before init, to x2APIC mode. Ids above 254 need it. */
void lapic_x2apic(void);
bool lapic_is_x2apic(void);
uint32_t lapic_read(uint32_t reg);
void lapic_write(uint32_t reg, uint32_t val);
uint32_t lapic_id(void);
void lapic_eoi(void);
/* Interrupt command: low word, destination APIC id. */
void lapic_send(uint32_t command, uint32_t apic_id);

/*
 * Routes an IOAPIC input to a vector on this processor; active high, on the
 * edge or the level.
 */
void ioapic_route(unsigned input, unsigned vector, bool level);
void ioapic_mask(unsigned input);

/* ---- time --------------------------------------------------------------- */

/*
 * kHz of the TSC, from CPUID where it says, else measured against the PM timer
 * for 20 ms. *ret_source, for people, says which. 0 if neither is there.
 */
uint32_t tsc_khz(const char **ret_source);

#define PIT_HZ 1193182

/* PIT counter 0 in mode 2: IRQ 0 every `count` of its clocks. */
void pit_start(uint16_t count);

struct rtc_time {
	unsigned year, month, day, hour, minute, second;
	unsigned weekday; /* 1 is Sunday */
};

uint8_t rtc_read(uint8_t index);
void rtc_write(uint8_t index, uint8_t val);
/* Between two updates; BCD or binary and 12 or 24 hours as register B says. */
struct rtc_time rtc_get(void);
void rtc_set(const struct rtc_time *t);

/* ---- ACPI --------------------------------------------------------------- */

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

/* The table that the XSDT lists with this signature, or NULL. */
const struct acpi_header *acpi_find(const char *signature);
/* Whether len bytes at p add up to zero. */
bool acpi_checksum_ok(const void *p, size_t len);
/* A field of the FADT by its offset; 0 where the table is too short. */
uint32_t acpi_fadt32(unsigned offset);
#define FADT_PM1A_EVENT 56
#define FADT_PM1A_CONTROL 64
#define FADT_PM_TIMER 76

/* ---- processors --------------------------------------------------------- */

#define SMP_MAX 1024

/* APIC ids of the usable processors by the MADT; how many there are. */
unsigned smp_list(uint32_t ids[SMP_MAX]);

/*
 * Starts the processor with this APIC id in long mode on a stack of its own
 * (of 1 KiB), on this one's page tables, in entry(), with interrupts off. When
 * that returns the processor halts. The caller has called lapic_init(), and before
 * that, where an id is above 254, lapic_x2apic(), which the other then does too.
 */
void smp_start(uint32_t apic_id, void (*entry)(void));

#endif
