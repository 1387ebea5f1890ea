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

#endif
