/* SPDX-License-Identifier: MIT */
/*
 * kv.h: the key=value lists that options take: "base=utc,clock=vm". The key of
 * the first item can be left out; a later item without a value is true. A comma
 * inside a value is written twice.
 */
#ifndef TRAPMAP_CLI_KV_H
#define TRAPMAP_CLI_KV_H

#define KV_ITEM_MAX 4200 /* a path and its key */

struct kv {
	const char *key; /* NULL: left out, so this is the first item */
	const char *value; /* NULL: left out, so this is true */
	char text[KV_ITEM_MAX];
};

struct kv_list {
	const char *rest;
	unsigned taken;
};

static inline struct kv_list kv_list(const char *text)
{
	return (struct kv_list){ .rest = text };
}

/*
 * Takes the next item as it stands: keys and values are not told apart, so that
 * it may contain '='. Returns as kv_next().
 */
int kv_item(struct kv_list *list, char ret_text[KV_ITEM_MAX]);

/*
 * Takes the next item. Returns 1; 0 at the end of the list; -EINVAL: an empty
 * item or key; -E2BIG: one longer than any path.
 */
int kv_next(struct kv_list *list, struct kv *ret_kv);

#endif
