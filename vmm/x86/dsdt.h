/* SPDX-License-Identifier: MIT */
/* dsdt.h: the body of the DSDT: the devices that ACPI names, without methods. */
#ifndef TRAPMAP_X86_DSDT_H
#define TRAPMAP_X86_DSDT_H

#include "platform.h"
#include "x86/aml.h"

/* What does not fit sets a->full. */
void dsdt_write(struct aml *a, const struct platform *platform);

/* The first serial port that it names, or NULL. */
const struct platform_place *dsdt_console(const struct platform *platform);

#endif
