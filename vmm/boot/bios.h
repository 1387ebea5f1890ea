/* SPDX-License-Identifier: MIT */
/*
 * bios.h: what a PC's firmware leaves in memory: its data areas; and for who starts
 * in real mode the project's own services, firmware/bios/, behind the interrupt table.
 */
#ifndef TRAPMAP_BOOT_BIOS_H
#define TRAPMAP_BOOT_BIOS_H

#include "boot/plan.h"
#include "core/gmem.h"
#include "platform.h"

/* firmware/bios/, TRAPMAP_BIOS_LEN bytes. */
extern const unsigned char bios_image[];

/*
 * The BIOS data area and the extended one, as a kernel of any kind may look at them.
 * Returns 0, or -EFAULT: there is no memory there.
 */
int bios_write_data(const struct gmem *gm, const struct platform *p);

/*
 * After that, the image, its struct trapmap_bios and the interrupt table. The plan, of
 * BOOT_REAL or BOOT_LINUX16, then starts in the image, which goes on where it did. A
 * boot sector begins as on a PC: interrupts on, DL is the first disk, if there is one.
 * Returns 0; -EFAULT: there is no memory there; -E2BIG: the memory map does not fit.
 * *plan is untouched then.
 */
int bios_write(const struct gmem *gm, const struct platform *p,
	       struct boot_plan *plan);

#endif
