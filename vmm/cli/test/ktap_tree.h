/* SPDX-License-Identifier: MIT */
/* ktap_tree.h: what the reader of lines (ktap.c) builds (ktap_tree.c). */
#ifndef TRAPMAP_CLI_TEST_KTAP_TREE_H
#define TRAPMAP_CLI_TEST_KTAP_TREE_H

#include "test/ktap.h"
#include "test/span.h"

/* A string of the caller's, or NULL where s is empty. */
char *ktap_keep(struct ktap *k, struct span s);

/* Takes name and detail, which may be NULL. */
void ktap_add(struct ktap *k, char *name, enum ktap_result result,
	      char *detail);

/* A failure that no result line tells of. Takes detail. */
void ktap_add_failure(struct ktap *k, const char *name, char *detail);

/* "name" of those from first on becomes "parent.name". */
void ktap_put_parent(struct ktap *k, size_t first, const char *parent);

/* The level that a line with this indentation belongs to. */
struct ktap_level *ktap_level_for(struct ktap *k, size_t indent,
				  bool is_result);

/* A version line, or a second plan: what came before at this level is over. */
void ktap_begin(struct ktap *k, size_t indent);

/* claimed: the result of the level's parent is the line in hand. */
void ktap_close_level(struct ktap *k, bool claimed);

/* A line of TAP was seen: only such lines count now. */
void ktap_set_is_tap(struct ktap *k);

#endif
