/* SPDX-License-Identifier: MIT */
/*
 * board.h: which board a VM has: a PC, or what a devicetree describes with what was
 * asked for in its place; and which devicetree its kernel is handed.
 */
#ifndef TRAPMAP_BOARD_H
#define TRAPMAP_BOARD_H

#include <stddef.h>

#include "error.h"
#include "trapmap/trapmap.h"

struct load_request;
struct tree_board;
struct trapmap_vm;

/* Of struct vm_config; all zero: a PC, and no tree for the kernel. */
struct board_config {
	char *name; /* of the file, for messages */
	struct tree_board *tree; /* NULL: a PC */
	enum trapmap_dtb dtb;
	void *blob; /* with TRAPMAP_DTB_FILE */
	size_t blob_len;
};

/*
 * Makes config.machine.platform of what was asked for, and says what of a tree no
 * model serves. Returns 0, or -errno with *err.
 */
int board_make(struct trapmap_vm *vm, struct error *err);

/* What the board is called, or NULL. */
const char *board_model(const struct trapmap_vm *vm);

/* What the request says of a tree for the kernel. */
void board_request(const struct trapmap_vm *vm, struct load_request *request);

void board_config_done(struct board_config *config);

#endif
