/* SPDX-License-Identifier: MIT */
/*
 * builtin.h: the guest that runs when there is no kernel: an ELF file, as if it
 * had been read from disk. Made from firmware/builtin.c.
 */
#ifndef TRAPMAP_BOOT_BUILTIN_H
#define TRAPMAP_BOOT_BUILTIN_H

/* [builtin_guest, builtin_guest_end), page aligned. */
extern const unsigned char builtin_guest[];
extern const unsigned char builtin_guest_end[];

#endif
