// SPDX-License-Identifier: MIT
#include "backend/block_image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/block_magic.h"
#include "backend/block_open.h"
#include "backend/block_qcow2.h"
#include "backend/qcow2.h"

/* Whether it is qcow2; *ret_guard: raw, but only by its looks. */
static int choose(const struct block_image_config *config,
		  const struct block_opened *file, bool *ret_qcow2,
		  bool *ret_guard, char *why)
{
	uint8_t front[BLOCK_OPEN_FRONT];
	const char *magic;
	bool is_qcow2;
	int r;

	*ret_qcow2 = *ret_guard = false;
	if (config->format == BLOCK_FORMAT_RAW)
		return 0;
	r = block_read_front(file, front);
	if (r < 0)
		return r;
	magic = block_magic(front);
	is_qcow2 = magic && !strcmp(magic, BLOCK_MAGIC_QCOW2);
	if (config->format == BLOCK_FORMAT_QCOW2 && !is_qcow2) {
		snprintf(why, BLOCK_WHY_MAX,
			 "is not a qcow2 image: it does not begin with 'QFI\\xfb'");
		return -EINVAL;
	}
	if (magic && !is_qcow2) {
		snprintf(why, BLOCK_WHY_MAX,
			 "is a %s image, which is not supported; 'qemu-img "
			 "convert -O qcow2' makes one that is (format=raw takes "
			 "it for a disk as it stands)",
			 magic);
		return -EOPNOTSUPP;
	}
	*ret_qcow2 = is_qcow2;
	*ret_guard = !is_qcow2;
	return 0;
}

static int open_overlay(struct qcow2 *below, struct qcow2 **ret_q, char *why)
{
	struct block_opened file;
	char inner[QCOW2_WHY_MAX] = "";
	const char *dir;
	int r = block_open_temporary(&file, &dir);

	if (r < 0) {
		snprintf(why, BLOCK_WHY_MAX,
			 "a temporary file cannot be made in '%.300s': %s "
			 "(TMPDIR names another folder)",
			 dir, strerrordesc_np(-r) ?: "unknown error");
		qcow2_close(below);
		return r;
	}
	r = qcow2_open_overlay(&file, below, ret_q, inner);
	if (r < 0)
		snprintf(why, BLOCK_WHY_MAX,
			 "a temporary image cannot be made in '%.200s': %.200s",
			 dir, inner);
	return r;
}

/* What is not just a raw file: by threads. */
static int open_layers(const struct block_image_config *config,
		       struct block_opened *file, bool is_qcow2,
		       struct block **ret_blk, char *why)
{
	const struct qcow2_config qcow2 = {
		.file = file,
		.path = config->path,
		.notice = config->notice,
	};
	struct qcow2 *q;
	int r;

	r = is_qcow2 ? qcow2_open(&qcow2, &q, why) : qcow2_open_raw(file, &q);
	if (r == 0 && config->temporary && !config->read_only)
		r = open_overlay(q, &q, why);
	return r < 0 ? r : block_qcow2_new(config->loop, q, ret_blk);
}

int block_image_new(const struct block_image_config *config,
		    struct block **ret_blk, char *why)
{
	const struct block_open_config open = {
		.path = config->path,
		.fd = config->fd,
		.read_only = config->read_only || config->temporary,
		.direct = config->direct,
	};
	struct block_file_config raw = {
		.loop = config->loop,
		.notice = config->notice,
	};
	struct block_opened file;
	bool is_qcow2;
	int r;

	why[0] = '\0';
	r = block_open(&open, &file);
	if (r < 0)
		return r;
	r = choose(config, &file, &is_qcow2, &raw.guard, why);
	if (r < 0) {
		block_opened_close(&file);
		return r;
	}
	if (is_qcow2 || config->temporary)
		return open_layers(config, &file, is_qcow2, ret_blk, why);
	raw.guard = raw.guard && !config->read_only;
	raw.opened = &file;
	return block_file_new(&raw, ret_blk);
}
