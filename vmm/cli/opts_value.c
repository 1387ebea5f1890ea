// SPDX-License-Identifier: MIT
/* opts_value.c: what is wrong with a value, in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nearest.h"
#include "opts_parts.h"
#include "value.h"

int opts_fail(char *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, OPTS_ERR_SIZE, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int opts_bad_list(char *err, const char *option, const char *text, int r)
{
	if (r == -E2BIG)
		return opts_fail(err, "%s: a value is longer than any path",
				 option);
	return opts_fail(err,
			 "%s '%s': an empty item; KEY=VALUE[,KEY=VALUE] is "
			 "expected (a comma in a value is written twice)",
			 option, text);
}

/* Adds 'name' to a list of names, if it has room. */
static void add_name(char *list, size_t size, const char *joint,
		     const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s'%s'", joint, name);
}

int opts_bad_key(char *err, const char *option, const char *key,
		 const char *const *keys, size_t count)
{
	const char *known = nearest(key, keys, count);
	char list[128] = "";
	size_t i;

	if (known)
		return opts_fail(err, "%s: unknown key '%s'; did you mean '%s'?",
				 option, key, known);
	for (i = 0; i < count; i++)
		add_name(list, sizeof(list), i ? ", " : "", keys[i]);
	return opts_fail(err, "%s: unknown key '%s'; known: %s", option, key,
			 list);
}

int opts_choose(char *err, const char *option, const char *text,
		const struct opts_choice *choices, size_t count, int *ret_value)
{
	char list[128] = "";
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(text, choices[i].name) == 0) {
			*ret_value = choices[i].value;
			return 0;
		}
		add_name(list, sizeof(list),
			 i == 0		 ? ""
			 : i + 1 < count ? ", "
					 : " or ",
			 choices[i].name);
	}
	return opts_fail(err, "%s '%s': %s is expected", option, text, list);
}

int opts_duration(char *err, const char *option, const char *text, int64_t max,
		  int64_t *ret_ms)
{
	const char *why;
	int64_t ms = 0;

	if (value_duration(text, &ms, &why))
		return opts_fail(err, "%s '%s': %s", option, text, why);
	if (ms > max)
		return opts_fail(err, "%s '%s': too long; %lld s at most",
				 option, text, (long long)max / 1000);
	*ret_ms = ms;
	return 0;
}

int opts_path(char *err, const char *option, const char *text,
	      const char **ret_path)
{
	if (!*text)
		return opts_fail(err, "%s '': a path is expected", option);
	*ret_path = text;
	return 0;
}
