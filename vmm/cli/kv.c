// SPDX-License-Identifier: MIT
#include "kv.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

int kv_item(struct kv_list *list, char ret_text[KV_ITEM_MAX])
{
	const char *p = list->rest;
	size_t len = 0;

	if (!p)
		return 0;
	for (; *p; p++) {
		if (*p == ',' && *++p != ',') {
			p--;
			break;
		}
		if (len == KV_ITEM_MAX - 1)
			return -E2BIG;
		ret_text[len++] = *p;
	}
	ret_text[len] = '\0';
	if (len == 0)
		return -EINVAL;
	list->rest = *p ? p + 1 : NULL;
	list->taken++;
	return 1;
}

int kv_next(struct kv_list *list, struct kv *ret_kv)
{
	unsigned taken = list->taken;
	char *equals;
	int r = kv_item(list, ret_kv->text);

	if (r <= 0)
		return r;
	equals = strchr(ret_kv->text, '=');
	if (equals == ret_kv->text)
		return -EINVAL;
	ret_kv->key = ret_kv->text;
	ret_kv->value = NULL;
	if (equals) {
		*equals = '\0';
		ret_kv->value = equals + 1;
	} else if (taken == 0) {
		ret_kv->key = NULL;
		ret_kv->value = ret_kv->text;
	}
	return 1;
}
