/* SPDX-License-Identifier: MIT */
/* p9_table.h: a hash table of things that have a struct p9_link in them. */
#ifndef TRAPMAP_BACKEND_P9_TABLE_H
#define TRAPMAP_BACKEND_P9_TABLE_H

#include <stdint.h>

struct p9_link {
	struct p9_link *next;
	uint32_t hash;
};

struct p9_table {
	struct p9_link **bucket;
	uint32_t mask; /* buckets - 1 */
	uint32_t count;
};

/* Returns 0 or -ENOMEM. */
int p9_table_init(struct p9_table *table);
/* What is in it stays as it is. */
void p9_table_done(struct p9_table *table);

/* Cannot fail: without memory to grow it only gets slower. */
void p9_table_add(struct p9_table *table, struct p9_link *link, uint32_t hash);
void p9_table_remove(struct p9_table *table, struct p9_link *link);

/* The first with this hash, and the next; or NULL. */
struct p9_link *p9_table_first(const struct p9_table *table, uint32_t hash);
struct p9_link *p9_table_next(const struct p9_link *link);

/* Any of all, or NULL. Where the last was found is where the next is looked for. */
struct p9_link *p9_table_any(const struct p9_table *table, uint32_t *hint);

#endif
