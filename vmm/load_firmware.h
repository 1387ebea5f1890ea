/* SPDX-License-Identifier: MIT */
/*
 * load_firmware.h: an image that begins at the reset vector, in a kernel's place.
 */
#ifndef TRAPMAP_LOAD_FIRMWARE_H
#define TRAPMAP_LOAD_FIRMWARE_H

#include <stdint.h>

#include "core/gmem.h"
#include "error.h"
#include "load.h"

/*
 * Opens it, and finds out how much room it takes below 4 GiB. Returns 0, or -errno
 * with *err: it is too small or too large, or no whole pages.
 */
int load_firmware_size(struct source *firmware, uint64_t *ret_len,
		       struct error *err);

/*
 * Puts it there, and its end below 1 MiB too; what else lies there is overwritten.
 * Returns 0, or -errno with *err: it has no code at its reset vector.
 */
int load_firmware(const struct gmem *gm, struct source *firmware,
		  struct loaded *ret_loaded, struct error *err);

#endif
