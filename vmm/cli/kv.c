// SPDX-License-Identifier: MIT
#include "kv.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

int kv_next(struct kv_list *list, struct kv *ret_kv)
{
	const char *p = list->rest;
	size_t len = 0;
	char *equals;

	if (!p)
		return 0;
	for (; *p; p++) {
		if (*p == ',' && *++p != ',') {
			p--;
			break;
		}
		if (len == sizeof(ret_kv->text) - 1)
			return -E2BIG;
		ret_kv->text[len++] = *p;
	}
	ret_kv->text[len] = '\0';
	equals = strchr(ret_kv->text, '=');
	if (len == 0 || equals == ret_kv->text)
		return -EINVAL;
	ret_kv->key = ret_kv->text;
	ret_kv->value = NULL;
	if (equals) {
		*equals = '\0';
		ret_kv->value = equals + 1;
	} else if (list->taken == 0) {
		ret_kv->key = NULL;
		ret_kv->value = ret_kv->text;
	}
	list->rest = *p ? p + 1 : NULL;
	list->taken++;
	return 1;
}
