// SPDX-License-Identifier: MIT
/* opts_share.c: --share. */
#include <stdlib.h>
#include <string.h>

#include "opts_parts.h"
#include "opts_share.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As long as a tag may be. */
#define TAG_MAX 31

static const struct opts_key keys[] = {
	{ "dir", OPTS_KEY_TEXT, offsetof(struct opts_share, path) },
	{ "tag", OPTS_KEY_TEXT, offsetof(struct opts_share, tag) },
	{ "ro", OPTS_KEY_FLAG, offsetof(struct opts_share, read_only) },
	{ "iothread", OPTS_KEY_TEXT, offsetof(struct opts_share, iothread) },
};

static int share_add(struct attached *a, struct trapmap_vm *vm)
{
	const struct opts_share *share = (const struct opts_share *)a;
	struct trapmap_share to = TRAPMAP_SHARE_INIT;

	to.path = share->path;
	to.tag = share->tag;
	to.read_only = share->read_only;
	to.iothread = share->iothread;
	return trapmap_vm_add_share(vm, &to);
}

static void share_free(struct attached *a)
{
	opts_keys_done(keys, COUNT(keys), a);
	free(a);
}

static const struct attached_ops share_ops = {
	.option = "--share: ",
	.what = "a shared folder",
	.add = share_add,
	.free = share_free,
};

static int check(const char *text, const struct run_opts *opts,
		 const struct opts_share *share, char *err)
{
	unsigned i;

	if (!share->path)
		return opts_fail(err,
				 "--share '%s': a folder is expected: "
				 "DIR[,tag=NAME][,ro]",
				 text);
	if (!share->tag)
		return 0;
	if (strlen(share->tag) > TAG_MAX)
		return opts_fail(err,
				 "--share tag '%s': at most %d bytes are "
				 "expected",
				 share->tag, TAG_MAX);
	for (i = 0; i < opts->attached_count; i++) {
		const struct opts_share *other =
			(const struct opts_share *)opts->attached[i];

		if (other->attached.ops == &share_ops && other->tag &&
		    !strcmp(other->tag, share->tag))
			return opts_fail(err,
					 "--share '%s' and '%s' have the tag "
					 "'%s' both; each needs its own",
					 other->path, share->path, share->tag);
	}
	return 0;
}

int opts_share(const char *text, struct run_opts *opts, char *err)
{
	struct opts_share *share = calloc(1, sizeof(*share));
	int r;

	if (!share)
		return opts_fail(err, "out of memory");
	share->attached.ops = &share_ops;
	r = opts_keys("--share", text, keys, COUNT(keys), share, err);
	if (r == 0)
		r = check(text, opts, share, err);
	if (r) {
		share_free(&share->attached);
		return r;
	}
	return attached_keep(opts, &share->attached, err);
}
