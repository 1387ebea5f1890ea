/* SPDX-License-Identifier: MIT */
/*
 * p9_tree.h: where in the shared folder the things are that a client holds: a tree
 * of names from the folder down. No file is held open for it, so that there can be
 * as many as the client likes; a path is made of the names whenever one is needed.
 * What the client renames takes along all that is below it.
 *
 * A node lives as long as somebody has a reference to it or to one below it. One
 * whose name is gone, for the client has removed it or put another in its place, is
 * dead: it has no path any more, and neither has what is below it.
 *
 * Thread: one at a time, but for p9_tree_path(), which only needs that no node is
 * moved or dies meanwhile. See p9_share_parts.h.
 */
#ifndef TRAPMAP_BACKEND_P9_TREE_H
#define TRAPMAP_BACKEND_P9_TREE_H

#include <limits.h>
#include <stddef.h>

#include "backend/p9_table.h"

struct p9_file;

struct p9_node {
	struct p9_link link;
	struct p9_node *parent; /* NULL: the root, or dead */
	struct p9_file *files; /* open ones that were opened through it */
	unsigned refs;
	char *name;
};

struct p9_tree {
	struct p9_table table; /* all but the root and the dead */
	struct p9_node root;
};

/* Returns 0 or -ENOMEM. */
int p9_tree_init(struct p9_tree *tree);
/* There is no reference any more. */
void p9_tree_done(struct p9_tree *tree);

/* One more reference, and one less. */
struct p9_node *p9_node_get(struct p9_node *node);
void p9_node_put(struct p9_tree *tree, struct p9_node *node);

/* The one of this name, without a reference, or NULL. */
struct p9_node *p9_tree_find(const struct p9_tree *tree,
			     const struct p9_node *parent, const char *name);

/* The same, or a new one, with a reference. NULL: no memory. */
struct p9_node *p9_tree_child(struct p9_tree *tree, struct p9_node *parent,
			      const char *name);

/* The thing has got another name; what had that before is dead. */
void p9_tree_move(struct p9_tree *tree, struct p9_node *node,
		  struct p9_node *parent, const char *name);

/* The thing is no more. */
void p9_tree_kill(struct p9_tree *tree, struct p9_node *node);

/*
 * The path from the root, "." of the root itself, with name behind it unless that is
 * NULL. Returns 0; -ENOENT: it is dead; -ENAMETOOLONG: no system call takes it.
 */
int p9_tree_path(const struct p9_tree *tree, const struct p9_node *node,
		 const char *name, char path[PATH_MAX]);

#endif
