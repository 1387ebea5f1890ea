// SPDX-License-Identifier: MIT
/* opts_pmem.c: --pmem. */
#include <stdlib.h>

#include "opts_parts.h"
#include "opts_pmem.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opts_key keys[] = {
	{ "file", OPTS_KEY_TEXT, offsetof(struct opts_pmem, path) },
};

static int pmem_add(struct attached *a, struct trapmap_vm *vm)
{
	const struct opts_pmem *pmem = (const struct opts_pmem *)a;
	struct trapmap_pmem to = TRAPMAP_PMEM_INIT;

	to.path = pmem->path;
	return trapmap_vm_add_pmem(vm, &to);
}

static const char *pmem_file(const struct attached *a)
{
	return ((const struct opts_pmem *)a)->path;
}

static void pmem_free(struct attached *a)
{
	opts_keys_done(keys, COUNT(keys), a);
	free(a);
}

static const struct attached_ops pmem_ops = {
	.option = "--pmem: ",
	.what = "an image",
	.add = pmem_add,
	.file = pmem_file,
	.free = pmem_free,
};

int opts_pmem(const char *text, struct run_opts *opts, char *err)
{
	struct opts_pmem *pmem = calloc(1, sizeof(*pmem));
	int r;

	if (!pmem)
		return opts_fail(err, "out of memory");
	pmem->attached.ops = &pmem_ops;
	r = opts_keys("--pmem", text, keys, COUNT(keys), pmem, err);
	if (r == 0 && !pmem->path)
		r = opts_fail(err, "--pmem '%s': a file is expected", text);
	if (r) {
		pmem_free(&pmem->attached);
		return r;
	}
	return attached_keep(opts, &pmem->attached, err);
}
