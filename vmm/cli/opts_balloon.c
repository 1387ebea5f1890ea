// SPDX-License-Identifier: MIT
/* opts_balloon.c: --balloon. */
#include <stdlib.h>
#include <string.h>

#include "opts_balloon.h"
#include "opts_parts.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opts_key keys[] = {
	{ "size", OPTS_KEY_TEXT, offsetof(struct opts_balloon, size) },
	{ "reporting", OPTS_KEY_FLAG, offsetof(struct opts_balloon, reporting) },
	{ "deflate-on-oom", OPTS_KEY_FLAG,
	  offsetof(struct opts_balloon, deflate_on_oom) },
};

static int balloon_add(struct attached *a, struct trapmap_vm *vm)
{
	const struct opts_balloon *b = (const struct opts_balloon *)a;
	struct trapmap_balloon to = TRAPMAP_BALLOON_INIT;

	to.target = b->target;
	to.reporting = b->reporting;
	to.deflate_on_oom = b->deflate_on_oom;
	return trapmap_vm_set_balloon(vm, &to);
}

static void balloon_free(struct attached *a)
{
	opts_keys_done(keys, COUNT(keys), a);
	free(a);
}

static const struct attached_ops balloon_ops = {
	.option = "--balloon: ",
	.what = "a balloon",
	.add = balloon_add,
	.free = balloon_free,
};

/*
 * The first word of a list would be taken for the size, but a flag can stand there
 * too: those in front are taken here. Returns what is left, or NULL: nothing.
 */
static const char *take_flags(const char *text, struct opts_balloon *b)
{
	size_t i, len;

	for (i = 1; i < COUNT(keys); i++) {
		bool *flag = (bool *)((char *)b + keys[i].offset);

		len = strlen(keys[i].name);
		if (*flag || strncmp(text, keys[i].name, len) ||
		    (text[len] && text[len] != ','))
			continue;
		*flag = true;
		return text[len] ? take_flags(text + len + 1, b) : NULL;
	}
	return text;
}

static int check(struct opts_balloon *b, const struct run_opts *opts, char *err)
{
	const char *why;
	unsigned i;

	for (i = 0; i < opts->attached_count; i++)
		if (opts->attached[i]->ops == &balloon_ops)
			return opts_fail(err, "--balloon is given twice; a "
					      "machine can have one");
	if (b->size && value_mem(b->size, &b->target, &why))
		return opts_fail(err, "--balloon '%s': %s", b->size, why);
	return 0;
}

int opts_balloon(const char *text, struct run_opts *opts, char *err)
{
	struct opts_balloon *b = calloc(1, sizeof(*b));
	int r = 0;

	if (!b)
		return opts_fail(err, "out of memory");
	b->attached.ops = &balloon_ops;
	text = take_flags(text, b);
	if (text)
		r = opts_keys("--balloon", text, keys, COUNT(keys), b, err);
	if (r == 0)
		r = check(b, opts, err);
	if (r) {
		balloon_free(&b->attached);
		return r;
	}
	return attached_keep(opts, &b->attached, err);
}
