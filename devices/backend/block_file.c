// SPDX-License-Identifier: MIT
/*
 * A raw image, from its opening to its end.
 *
 * Not modelled: an image that grows or shrinks while the guest runs (what is cut
 * off reads as an error), zoned devices.
 */
#include "backend/block_file.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/block_file_io.h"
#include "core/base.h"
#include "core/loop.h"

#define DEPTH_DEFAULT 128

static struct block_file *to_file(struct block *blk)
{
	return container_of(blk, struct block_file, block);
}

/* Size and sizes of blocks. */
static int describe(struct block_file *bf)
{
	const struct block_opened *file = &bf->file;
	uint32_t logical = file->align > file->sector ? file->align
						      : file->sector;

	bf->align = file->align;
	bf->block.info = (struct block_info){
		.size = align_down(file->size, logical),
		.block_size = logical,
		.physical_size = file->physical_size > logical
					 ? file->physical_size
					 : logical,
		.read_only = file->read_only,
		.discard = !file->read_only,
		.write_zeroes = !file->read_only,
	};
	return bf->block.info.size ? 0 : -ENODATA;
}

static int open_engine(struct block_file *bf, enum block_file_engine which,
		       unsigned depth)
{
	int r = -EOPNOTSUPP;

	if (which != BLOCK_FILE_THREADS)
		r = block_uring_new(bf->file.fd, depth, &bf->engine);
	if (which == BLOCK_FILE_THREADS || (r < 0 && which == BLOCK_FILE_AUTO))
		r = block_threads_new(bf->file.fd, depth, &bf->engine);
	return r;
}

static void on_ready(void *opaque, unsigned events)
{
	struct block_file *bf = opaque;

	bf->ready(bf->opaque);
}

static void file_attach(struct block *blk, void (*ready)(void *opaque),
			void *opaque)
{
	struct block_file *bf = to_file(blk);

	bf->ready = ready;
	bf->opaque = opaque;
	loop_watch_set(bf->loop, bf->watch, LOOP_IN);
}

static int file_pin(struct block *blk, const struct iovec *memory,
		    unsigned count)
{
	struct block_engine *engine = to_file(blk)->engine;

	return engine->ops->pin ? engine->ops->pin(engine, memory, count)
				: -EOPNOTSUPP;
}

static void file_free(struct block *blk)
{
	struct block_file *bf = to_file(blk);

	loop_watch_free(bf->loop, bf->watch);
	block_file_io_done(bf);
	block_engine_free(bf->engine);
	block_opened_close(&bf->file);
	free(bf);
}

static const struct block_ops file_ops = {
	.attach = file_attach,
	.submit = block_file_submit,
	.kick = block_file_kick,
	.reap = block_file_reap,
	.drain = block_file_drain,
	.pin = file_pin,
	.free = file_free,
};

static int open_all(struct block_file *bf,
		    const struct block_file_config *config)
{
	const struct block_open_config open = {
		.path = config->path,
		.fd = config->fd,
		.read_only = config->read_only,
		.direct = config->direct,
	};
	unsigned depth = config->depth ? config->depth : DEPTH_DEFAULT;
	int r;

	bf->file = (struct block_opened){ .fd = -1 };
	if (config->opened) {
		bf->file = *config->opened;
		*config->opened = (struct block_opened){ .fd = -1 };
	} else {
		r = block_open(&open, &bf->file);
		if (r < 0)
			return r;
	}
	r = describe(bf) ?:
	    block_file_io_init(bf, depth) ?:
	    open_engine(bf, config->engine, depth);
	if (r < 0 || !bf->engine)
		return r < 0 ? r : -EINVAL;
	return loop_watch_new(bf->loop, bf->engine->ready_fd, 0, on_ready, bf,
			      &bf->watch);
}

int block_file_new(const struct block_file_config *config,
		   struct block **ret_blk)
{
	struct block_file *bf = calloc(1, sizeof(*bf));
	int r;

	if (!bf)
		return -ENOMEM;
	bf->block.ops = &file_ops;
	bf->loop = config->loop;
	bf->guard = config->guard;
	bf->notice = config->notice;
	r = open_all(bf, config);
	if (r < 0) {
		file_free(&bf->block);
		return r;
	}
	*ret_blk = &bf->block;
	return 0;
}

const char *block_file_engine_name(const struct block *blk)
{
	const struct block_file *bf = container_of(blk, const struct block_file,
						   block);

	return bf->engine->ops->name;
}
