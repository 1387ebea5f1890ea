/* SPDX-License-Identifier: MIT */
/*
 * block_file_io.h: what block_file.c, which opens a raw image, and
 * block_file_io.c, which moves its data, share. Nobody else includes it.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_FILE_IO_H
#define TRAPMAP_BACKEND_BLOCK_FILE_IO_H

#include "backend/block.h"
#include "backend/block_engine.h"
#include "backend/block_open.h"

struct loop_watch;
struct notice;

/* A piece of a request whose buffers O_DIRECT does not take as they are. */
#define BLOCK_BOUNCE_LEN (64u * 1024)
/* How much of a range is zeroed by one write. */
#define BLOCK_ZERO_LEN (64u * 1024)
#define BLOCK_ZERO_SPANS 16

struct block_list {
	struct block_request *first, **last;
};

/* A request under way; it takes one system call after another. */
struct block_slot {
	struct block_task task; /* first: how a result finds its slot */
	struct block_request *req;
	uint64_t done; /* bytes */
	bool bounced;
	bool by_hand; /* zeroes are written, as the host has no other way */
	bool synced;
	uint8_t *bounce; /* BLOCK_BOUNCE_LEN, or NULL: never needed */
	struct iovec span[BLOCK_ZERO_SPANS];
	struct block_slot *next; /* of those that are free */
};

struct block_file {
	struct block block;
	struct loop *loop;
	struct loop_watch *watch;
	void (*ready)(void *opaque);
	void *opaque;
	struct block_opened file;
	bool guard; /* block_file_config.guard */
	const struct notice *notice;
	/* O_DIRECT: of buffers' addresses and lengths. 1 without. */
	uint32_t align;

	struct block_engine *engine;
	struct block_slot *slot;
	unsigned depth;
	struct block_slot *free;
	unsigned active; /* slots */
	bool kick; /* a task was started since the last kick */
	struct block_list waiting, finished;

	/* Zeroes, then the slots' bounce buffers. */
	uint8_t *pages;
	size_t pages_len;
};

/* Slots, pages and lists; bf is zero but for align. Returns 0 or -errno. */
int block_file_io_init(struct block_file *bf, unsigned depth);
/* Drains. */
void block_file_io_done(struct block_file *bf);

void block_file_submit(struct block *blk, struct block_request *req);
void block_file_kick(struct block *blk);
struct block_request *block_file_reap(struct block *blk);
void block_file_drain(struct block *blk);

#endif
