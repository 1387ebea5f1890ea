// SPDX-License-Identifier: MIT
#include "attached.h"

#include <string.h>

#include "opts.h"
#include "opts_parts.h"
#include "say.h"

int attached_keep(struct run_opts *opts, struct attached *a, char *err)
{
	if (opts->attached_count == TRAPMAP_ATTACHED_MAX) {
		a->ops->free(a);
		return opts_fail(err, "more than %d devices",
				 TRAPMAP_ATTACHED_MAX);
	}
	opts->attached[opts->attached_count++] = a;
	return 0;
}

int attached_add(const struct run_opts *opts, struct trapmap_vm *vm)
{
	unsigned i;
	int r;

	for (i = 0; i < opts->attached_count; i++) {
		struct attached *a = opts->attached[i];

		r = a->ops->add(a, vm);
		if (r)
			return say_refused(vm, a->ops->option, r);
	}
	return 0;
}

void attached_tell(const struct run_opts *opts)
{
	unsigned i;

	for (i = 0; i < opts->attached_count; i++)
		if (opts->attached[i]->ops->tell)
			opts->attached[i]->ops->tell(opts->attached[i]);
}

const char *attached_use(const struct run_opts *opts, const char *path)
{
	unsigned i;

	for (i = 0; i < opts->attached_count; i++) {
		const struct attached *a = opts->attached[i];
		const char *file = a->ops->file ? a->ops->file(a) : NULL;

		if (file && strcmp(file, path) == 0)
			return a->ops->what;
	}
	return NULL;
}

void attached_free(struct run_opts *opts)
{
	for (; opts->attached_count; opts->attached_count--) {
		struct attached *a = opts->attached[opts->attached_count - 1];

		a->ops->free(a);
	}
}
