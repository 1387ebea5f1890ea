/* SPDX-License-Identifier: MIT */
/*
 * read.h: a board as a flattened devicetree describes it. Sources: Devicetree
 * Specification 0.4; the bindings that devicetree.c names. docs/machines.md says what
 * is read and what is not.
 */
#ifndef TRAPMAP_BOARD_READ_H
#define TRAPMAP_BOARD_READ_H

#include <stddef.h>

#include "platform.h"

/* Longer ones are no board's. */
#define BOARD_LEN_MAX (1u << 20)
#define BOARD_NOTES_MAX 32

struct tree_board {
	/*
	 * Of which memory (rams 0), processors (cpus 0) and the places of virtio
	 * devices (slots 0) may be none: the tree says nothing of them. transport
	 * is MMIO or PCI. `virtio` is not set.
	 */
	struct platform platform;
	char *model; /* NULL: none */
	char *bootargs; /* as well */
	/* "/soc/watchdog@d0100000: no model for 'arm,sp805'" */
	char *note[BOARD_NOTES_MAX];
	unsigned notes;
	unsigned withheld; /* nodes beyond these */
};

/* The largest line that board_read() fails with. */
#define BOARD_ERR_LEN 400

/*
 * Whether that is a devicetree that a guest can be handed. Returns 0, or -EINVAL with
 * a line in err. blob is aligned to 8 bytes, here and below.
 */
int board_check_blob(const void *blob, size_t len, char err[BOARD_ERR_LEN]);

/*
 * Reads it. Returns 0 with *ret_board, which board_free() releases; -EINVAL with a
 * line in err that begins with the path of the node at fault; or -ENOMEM.
 */
int board_read(const void *blob, size_t len, struct tree_board **ret_board,
	       char err[BOARD_ERR_LEN]);

void board_free(struct tree_board *board);

#endif
