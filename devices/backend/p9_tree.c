// SPDX-License-Identifier: MIT
#include "backend/p9_tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"

/* As many as a client can hold, twice: those on the way to them count, too. */
#define NODES_MAX (1u << 20)

static struct p9_node *to_node(struct p9_link *link)
{
	return link ? container_of(link, struct p9_node, link) : NULL;
}

/* FNV-1a; begun with the parent, so that one name in many folders spreads. */
static uint32_t hash_of(const struct p9_node *parent, const char *name)
{
	uint64_t seed = (uintptr_t)parent * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t h = (uint32_t)(seed >> 32);

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

int p9_tree_init(struct p9_tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	tree->root.refs = 1;
	return p9_table_init(&tree->table);
}

void p9_tree_done(struct p9_tree *tree)
{
	p9_table_done(&tree->table);
}

struct p9_node *p9_node_get(struct p9_node *node)
{
	node->refs++;
	return node;
}

void p9_node_put(struct p9_tree *tree, struct p9_node *node)
{
	struct p9_node *parent;

	for (; node && --node->refs == 0; node = parent) {
		parent = node->parent;
		if (parent)
			p9_table_remove(&tree->table, &node->link);
		free(node->name);
		free(node);
	}
}

struct p9_node *p9_tree_find(const struct p9_tree *tree,
			     const struct p9_node *parent, const char *name)
{
	struct p9_link *link;
	struct p9_node *node;

	link = p9_table_first(&tree->table, hash_of(parent, name));
	for (; link; link = p9_table_next(link)) {
		node = to_node(link);
		if (node->parent == parent && strcmp(node->name, name) == 0)
			return node;
	}
	return NULL;
}

/* Under a name that no other has. */
static void put_at(struct p9_tree *tree, struct p9_node *node,
		   struct p9_node *parent, char *name)
{
	node->parent = p9_node_get(parent);
	node->name = name;
	p9_table_add(&tree->table, &node->link, hash_of(parent, name));
}

struct p9_node *p9_tree_child(struct p9_tree *tree, struct p9_node *parent,
			      const char *name)
{
	struct p9_node *node = p9_tree_find(tree, parent, name);
	char *copy;

	if (node)
		return p9_node_get(node);
	if (tree->table.count >= NODES_MAX)
		return NULL;
	node = calloc(1, sizeof(*node));
	copy = strdup(name);
	if (!node || !copy) {
		free(node);
		free(copy);
		return NULL;
	}
	node->refs = 1;
	put_at(tree, node, parent, copy);
	return node;
}

void p9_tree_kill(struct p9_tree *tree, struct p9_node *node)
{
	struct p9_node *parent = node->parent;

	if (!parent)
		return;
	p9_table_remove(&tree->table, &node->link);
	node->parent = NULL;
	p9_node_put(tree, parent);
}

static bool is_below(const struct p9_node *node, const struct p9_node *top)
{
	while (node && node != top)
		node = node->parent;
	return node != NULL;
}

void p9_tree_move(struct p9_tree *tree, struct p9_node *node,
		  struct p9_node *parent, const char *name)
{
	struct p9_node *other = p9_tree_find(tree, parent, name);
	char *copy;

	if (other == node)
		return;
	if (other)
		p9_tree_kill(tree, other);
	copy = strdup(name);
	/*
	 * The host itself does not move a folder into one below it. But it may
	 * have moved that one elsewhere without our knowing: then the tree is
	 * not what it was, and must not become a ring.
	 */
	if (!copy || is_below(parent, node)) {
		free(copy);
		p9_tree_kill(tree, node);
		return;
	}
	p9_tree_kill(tree, node);
	free(node->name);
	put_at(tree, node, parent, copy);
}

int p9_tree_path(const struct p9_tree *tree, const struct p9_node *node,
		 const char *name, char path[PATH_MAX])
{
	size_t at = PATH_MAX - 1, len;

	path[at] = '\0';
	for (;;) {
		if (name) {
			len = strlen(name);
			if (len + 1 > at)
				return -ENAMETOOLONG;
			if (path[at])
				path[--at] = '/';
			at -= len;
			memcpy(path + at, name, len);
		}
		if (node == &tree->root)
			break;
		if (!node->parent)
			return -ENOENT;
		name = node->name;
		node = node->parent;
	}
	if (!path[at])
		path[--at] = '.';
	memmove(path, path + at, PATH_MAX - at);
	return 0;
}
