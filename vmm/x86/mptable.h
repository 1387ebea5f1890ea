/* SPDX-License-Identifier: MIT */
/* mptable.h: the Intel MultiProcessor Specification 1.4 tables. */
#ifndef TRAPMAP_X86_MPTABLE_H
#define TRAPMAP_X86_MPTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"
#include "platform.h"

/*
 * Writes the floating pointer structure, then the configuration table, into buf,
 * which the guest sees at gpa (a multiple of 16). Returns 0 with the bytes used, or
 * -ENOSPC.
 */
int mptable_build(uint8_t *buf, size_t len, gpa_t gpa,
		  const struct platform *platform, size_t *ret_used);

#endif
