/* SPDX-License-Identifier: MIT */
/*
 * guest_abi.h: what Trapmap offers a guest beyond a PC's own hardware. For
 * guests in C and in assembler (define __ASSEMBLER__, as gcc does for .S).
 */
#ifndef TRAPMAP_GUEST_ABI_H
#define TRAPMAP_GUEST_ABI_H

/*
 * Debug exit, as QEMU's isa-debug-exit: a write of 1, 2 or 4 bytes ends the
 * run with exit status (value << 1) | 1 (its low eight bits), always odd. With
 * --debug-exit=plain the status is the value's low eight bits.
 */
#define TRAPMAP_DEBUG_EXIT_PORT 0xf4

/*
 * Test exit: a write of 1, 2 or 4 bytes ends the run. 0 is success, exit
 * status 0; any other value is a failure, with exit status (value << 1) | 1
 * (its low eight bits). Reads as zero, so that a guest can tell that it is
 * there (a port that nothing claims reads as all ones).
 */
#define TRAPMAP_TEST_EXIT_PORT 0x560

/*
 * Debug console: each byte written appears on the host's --debugcon. The first
 * (Bochs') reads as 0xe9, so that a guest can tell that it is there; the second
 * is SeaBIOS' and OVMF's and reads as 0xe9 too.
 */
#define TRAPMAP_DEBUGCON_PORT 0xe9
#define TRAPMAP_DEBUGCON_PORT_2 0x402

/*
 * pvpanic (QEMU's docs/specs/pvpanic): reads as the events that are understood,
 * a write tells of them. PANICKED ends the run with status 10; CRASHLOADED (the
 * guest goes on, into its own crash kernel) turns a later good end into it.
 */
#define TRAPMAP_PVPANIC_PORT 0x505
#define TRAPMAP_PVPANIC_PANICKED 1
#define TRAPMAP_PVPANIC_CRASHLOADED 2

/* POST codes, as on a PC: one byte that says how far the guest has come. */
#define TRAPMAP_POST_PORT 0x80

/*
 * The real-mode services (the BIOS): their image lies in the upper half of segment
 * F000h and begins with struct trapmap_bios, which the monitor fills in. Between the
 * two of them only: a guest calls the services by INT.
 */
#define TRAPMAP_BIOS_SEGMENT 0xf000
#define TRAPMAP_BIOS_OFFSET 0x8000
#define TRAPMAP_BIOS_LEN 0x8000
#define TRAPMAP_BIOS_MAGIC 0x424d5254 /* "TRMB" */
#define TRAPMAP_BIOS_DISKS 4
#define TRAPMAP_BIOS_RANGES 32
/* What IDTR holds when an exception found no handler but the image's. */
#define TRAPMAP_BIOS_NO_VECTORS 0xffff0000
/* For trapmap_bios_start.what: sets the ticks since midnight by the RTC. */
#define TRAPMAP_BIOS_SET_CLOCK 1

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Of the memory map, as INT 15h AX=E820h has it. */
struct trapmap_bios_range {
	uint64_t base, len;
	uint32_t type;
} __attribute__((packed));

/* The registers with which the guest begins; ES, FS and GS are DS. */
struct trapmap_bios_start {
	uint16_t ip, cs, flags, ss, sp, ds, dx;
	uint16_t what;
};

struct trapmap_bios {
	/* The image's own. Offsets in the segment: */
	uint32_t magic;
	uint32_t vectors; /* of 256 words: the handlers' offsets, or 0 */
	uint32_t entry; /* where the first processor begins */
	/* The machine's. */
	uint16_t com1, rtc; /* ports; 0: there is none */
	struct trapmap_bios_start start;
	uint32_t disk[TRAPMAP_BIOS_DISKS]; /* virtio-mmio; 0: no more */
	uint32_t ranges;
	struct trapmap_bios_range range[TRAPMAP_BIOS_RANGES];
} __attribute__((packed, aligned(4)));
#endif

#endif
