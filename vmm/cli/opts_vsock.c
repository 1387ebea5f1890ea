// SPDX-License-Identifier: MIT
/* opts_vsock.c: --vsock. */
#include <stdlib.h>
#include <string.h>

#include "opts_parts.h"
#include "opts_vsock.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opts_key keys[] = {
	{ "path", OPTS_KEY_TEXT, offsetof(struct opts_vsock, path) },
	{ "cid", OPTS_KEY_TEXT, offsetof(struct opts_vsock, cid_text) },
};

static int vsock_add(struct attached *a, struct trapmap_vm *vm)
{
	const struct opts_vsock *vsock = (const struct opts_vsock *)a;
	struct trapmap_vsock to = TRAPMAP_VSOCK_INIT;

	to.cid = vsock->cid;
	to.vhost = !strcmp(vsock->path, "vhost");
	to.path = to.vhost ? NULL : vsock->path;
	return trapmap_vm_set_vsock(vm, &to);
}

static void vsock_free(struct attached *a)
{
	opts_keys_done(keys, COUNT(keys), a);
	free(a);
}

static const struct attached_ops vsock_ops = {
	.option = "--vsock: ",
	.what = "a socket",
	.add = vsock_add,
	.free = vsock_free,
};

static int check(const char *text, const struct run_opts *opts,
		 struct opts_vsock *vsock, char *err)
{
	const char *why;
	unsigned i;

	if (!vsock->path)
		return opts_fail(err,
				 "--vsock '%s': a path or 'vhost' is expected: "
				 "PATH[,cid=N]",
				 text);
	if (vsock->cid_text && (value_count(vsock->cid_text, &vsock->cid, &why) ||
				vsock->cid < 3 || vsock->cid == UINT32_MAX))
		return opts_fail(err,
				 "--vsock cid '%s': a number from 3 to "
				 "4294967294 is expected",
				 vsock->cid_text);
	for (i = 0; i < opts->attached_count; i++)
		if (opts->attached[i]->ops == &vsock_ops)
			return opts_fail(err, "--vsock is given twice; a guest "
					      "has one address");
	return 0;
}

int opts_vsock(const char *text, struct run_opts *opts, char *err)
{
	struct opts_vsock *vsock = calloc(1, sizeof(*vsock));
	int r;

	if (!vsock)
		return opts_fail(err, "out of memory");
	vsock->attached.ops = &vsock_ops;
	r = opts_keys("--vsock", text, keys, COUNT(keys), vsock, err);
	if (r == 0)
		r = check(text, opts, vsock, err);
	if (r) {
		vsock_free(&vsock->attached);
		return r;
	}
	return attached_keep(opts, &vsock->attached, err);
}
