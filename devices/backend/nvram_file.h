/* SPDX-License-Identifier: MIT */
/*
 * nvram_file.h: what the battery of a PC's clock keeps, in a file. It has the old
 * content or the new at any moment, whatever ends the process or the host. The format
 * is in docs/nvram.md.
 *
 *	0    slot 0   the even sequence numbers
 *	512  slot 1   the odd ones
 *
 * The slot with the older number is overwritten, in place: so the file stays the same
 * one, with its lock, its owner, and whatever link or mount leads to it, and nobody
 * has to be allowed to write to its folder. A slot whose checksum is wrong is one
 * that was being written; then the other one counts.
 */
#ifndef TRAPMAP_BACKEND_NVRAM_FILE_H
#define TRAPMAP_BACKEND_NVRAM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/notice.h"
#include "rtc_kept.h"

#define NVRAM_SLOT_LEN 512u
#define NVRAM_FILE_LEN (2 * NVRAM_SLOT_LEN)

/* ---- the format: pure ---- */

struct nvram_image {
	bool fresh; /* nothing has been written to it yet; `kept` is not set */
	uint64_t sequence; /* of what follows */
	struct rtc_kept kept;
};

/*
 * Reads a file of len bytes. Returns 0, or -EINVAL with what was wrong, where and
 * what was expected.
 */
int nvram_decode(const uint8_t *file, size_t len, struct nvram_image *ret_image,
		 char *why, size_t why_len);

void nvram_encode(const struct rtc_kept *kept, uint64_t sequence,
		  uint8_t slot[NVRAM_SLOT_LEN]);

/* ---- the file ---- */

struct nvram_file;

#define NVRAM_WHY_LEN 160

/*
 * Opens path, or creates it, and locks it; notice is where a failure to write is
 * told. Returns 0, or -errno with a text that follows the file's name. A file that
 * was created and never put into is gone again after nvram_file_free().
 */
int nvram_file_open(const char *path, const struct notice *notice,
		    struct nvram_file **ret_file, char why[NVRAM_WHY_LEN]);

/* What it had when it was opened, or NULL: nothing yet. */
const struct rtc_kept *nvram_file_kept(const struct nvram_file *file);

/*
 * Has it written soon, on a thread of the file's own; what is in the file already is
 * not written again. Never waits for the disk. Any thread.
 */
void nvram_file_put(struct nvram_file *file, const struct rtc_kept *kept);

/* Returns when all that was put is in the file, or could not be written. */
void nvram_file_flush(struct nvram_file *file);

/* Flushes. Accepts NULL. */
void nvram_file_free(struct nvram_file *file);

#endif
