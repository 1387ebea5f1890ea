// SPDX-License-Identifier: MIT
#include "backend/p9_table.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS_MIN 64u
#define BUCKETS_MAX (1u << 19)

int p9_table_init(struct p9_table *table)
{
	*table = (struct p9_table){ .mask = BUCKETS_MIN - 1 };
	table->bucket = calloc(BUCKETS_MIN, sizeof(struct p9_link *));
	return table->bucket ? 0 : -ENOMEM;
}

void p9_table_done(struct p9_table *table)
{
	free(table->bucket);
	table->bucket = NULL;
}

static void insert(struct p9_link **bucket, uint32_t mask, struct p9_link *link)
{
	struct p9_link **at = &bucket[link->hash & mask];

	link->next = *at;
	*at = link;
}

static void grow(struct p9_table *table)
{
	uint32_t i, mask = table->mask * 2 + 1;
	struct p9_link **bucket, *link;

	bucket = calloc((size_t)mask + 1, sizeof(struct p9_link *));
	if (!bucket)
		return;
	for (i = 0; i <= table->mask; i++) {
		while ((link = table->bucket[i])) {
			table->bucket[i] = link->next;
			insert(bucket, mask, link);
		}
	}
	free(table->bucket);
	table->bucket = bucket;
	table->mask = mask;
}

void p9_table_add(struct p9_table *table, struct p9_link *link, uint32_t hash)
{
	if (table->count > table->mask && table->mask + 1 < BUCKETS_MAX)
		grow(table);
	link->hash = hash;
	insert(table->bucket, table->mask, link);
	table->count++;
}

void p9_table_remove(struct p9_table *table, struct p9_link *link)
{
	struct p9_link **at = &table->bucket[link->hash & table->mask];

	while (*at && *at != link)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = link->next;
	table->count--;
}

static struct p9_link *same(struct p9_link *link, uint32_t hash)
{
	while (link && link->hash != hash)
		link = link->next;
	return link;
}

struct p9_link *p9_table_first(const struct p9_table *table, uint32_t hash)
{
	return same(table->bucket[hash & table->mask], hash);
}

struct p9_link *p9_table_next(const struct p9_link *link)
{
	return same(link->next, link->hash);
}

struct p9_link *p9_table_any(const struct p9_table *table, uint32_t *hint)
{
	uint32_t i;

	for (i = 0; i <= table->mask; i++, ++*hint)
		if (table->bucket[*hint & table->mask])
			return table->bucket[*hint & table->mask];
	return NULL;
}
