/* SPDX-License-Identifier: MIT */
/*
 * unpack.h: what a compressed file holds: gzip, xz, lzma, zstd, lz4, each by the
 * library that its own tool is made of. Bytes in, bytes out, within a limit.
 */
#ifndef TRAPMAP_BOOT_UNPACK_H
#define TRAPMAP_BOOT_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"

/*
 * The most that a file may have, and may become: a kernel with all its debug
 * information fits, what only wants to fill a host's memory does not.
 */
#define UNPACK_MAX (UINT64_C(1) << 30)

/* "xz", if a file that begins so is compressed in a way known here; or NULL. */
const char *unpack_recognise(const uint8_t *head, size_t len);

/*
 * Unpacks the whole of in, all its members one after another as the format's own
 * tool would, to at most max bytes (no more than UNPACK_MAX). Returns 0; -ENOMEM;
 * or -EINVAL with *err: cut off, corrupt, followed by something else, more than
 * max, or a format that this build is without. The caller frees *ret_out.
 */
int unpack(const uint8_t *in, size_t in_len, uint64_t max, uint8_t **ret_out,
	   size_t *ret_len, struct boot_error *err);

#endif
