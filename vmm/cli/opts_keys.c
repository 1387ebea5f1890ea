// SPDX-License-Identifier: MIT
/* opts_keys.c: an option that is a list of keys, by a table of them. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kv.h"
#include "opts_parts.h"

static int set_text(const char *option, const char *key, const char *value,
		    char **to, char *err)
{
	if (*to)
		return opts_fail(err, "%s: '%s' is given twice", option, key);
	if (!value || !*value)
		return opts_fail(err, "%s: '%s' needs a value", option, key);
	*to = strdup(value);
	return *to ? 0 : opts_fail(err, "out of memory");
}

static int set_flag(const char *option, const char *key, const char *value,
		    bool *to, char *err)
{
	if (value)
		return opts_fail(err, "%s: '%s' takes no value", option, key);
	if (*to)
		return opts_fail(err, "%s: '%s' is given twice", option, key);
	*to = true;
	return 0;
}

static int add_text(const char *option, const char *key, const char *value,
		    struct opts_texts *to, char *err)
{
	char *copy = NULL;
	int r;

	if (to->count == OPTS_TEXTS_MAX)
		return opts_fail(err, "%s: more than %d '%s'", option,
				 OPTS_TEXTS_MAX, key);
	r = set_text(option, key, value, &copy, err);
	if (r == 0)
		to->text[to->count++] = copy;
	return r;
}

/* Unknown keys are told with the first of those that mean the same. */
static int unknown(const char *option, const char *key,
		   const struct opts_key *keys, size_t count, char *err)
{
	const char *name[OPTS_KEYS_MAX];
	size_t i, n = 0;

	for (i = 0; i < count && n < OPTS_KEYS_MAX; i++)
		if (i == 0 || keys[i].offset != keys[i - 1].offset)
			name[n++] = keys[i].name;
	return opts_bad_key(err, option, key, name, n);
}

static int set(const char *option, const struct kv *kv,
	       const struct opts_key *keys, size_t count, void *to, char *err)
{
	const char *key = kv->key ? kv->key : keys[0].name;
	void *field;
	size_t i;

	for (i = 0; i < count && strcmp(key, keys[i].name); i++)
		;
	if (i == count)
		return unknown(option, key, keys, count, err);
	field = (char *)to + keys[i].offset;
	switch (keys[i].kind) {
	case OPTS_KEY_TEXT:
		return set_text(option, key, kv->value, field, err);
	case OPTS_KEY_FLAG:
		return set_flag(option, key, kv->value, field, err);
	case OPTS_KEY_TEXTS:
		return add_text(option, key, kv->value, field, err);
	}
	return -EINVAL;
}

int opts_keys(const char *option, const char *text, const struct opts_key *keys,
	      size_t count, void *to, char *err)
{
	struct kv_list list = kv_list(text);
	struct kv kv;
	int r;

	while ((r = kv_next(&list, &kv)) > 0) {
		r = set(option, &kv, keys, count, to, err);
		if (r)
			return r;
	}
	return r ? opts_bad_list(err, option, text, r) : 0;
}

void opts_keys_done(const struct opts_key *keys, size_t count, void *from)
{
	struct opts_texts *texts;
	char **text;
	size_t i;

	for (i = 0; i < count; i++) {
		void *field = (char *)from + keys[i].offset;

		switch (keys[i].kind) {
		case OPTS_KEY_FLAG: break;
		case OPTS_KEY_TEXT:
			text = field;
			free(*text);
			*text = NULL;
			break;
		case OPTS_KEY_TEXTS:
			for (texts = field; texts->count; texts->count--)
				free(texts->text[texts->count - 1]);
			break;
		}
	}
}
