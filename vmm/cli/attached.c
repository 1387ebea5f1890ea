// SPDX-License-Identifier: MIT
#include "attached.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opts.h"
#include "opts_parts.h"
#include "say.h"

int attached_keep(struct run_opts *opts, struct attached *a, char *err)
{
	if (opts->attached_count == OPTS_ATTACHED_MAX) {
		a->ops->free(a);
		return opts_fail(err, "more than %d devices and files",
				 OPTS_ATTACHED_MAX);
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

		if (a->ops->open)
			continue;
		r = a->ops->add(a, vm);
		if (r)
			return say_refused(vm, a->ops->option, r);
	}
	return 0;
}

int attached_add_files(const struct run_opts *opts, struct trapmap_vm *vm,
		       struct outfiles *files)
{
	unsigned i;
	int r;

	for (i = 0; i < opts->attached_count; i++) {
		struct attached *a = opts->attached[i];

		if (!a->ops->open)
			continue;
		r = a->ops->open(a, files);
		if (r)
			return r;
		r = a->ops->add(a, vm);
		if (r)
			return say_refused(vm, a->ops->option, r);
	}
	return 0;
}

/* line and word, with a blank between, in place of both. */
static char *append(char *line, char *word)
{
	char *all = NULL;

	if (!line || !*line) {
		free(line);
		return word;
	}
	if (word && asprintf(&all, "%s %s", line, word) < 0)
		all = NULL;
	free(line);
	free(word);
	return all;
}

char *attached_params(const struct run_opts *opts)
{
	char *line = NULL, *word;
	unsigned i;

	for (i = 0; i < opts->attached_count; i++) {
		const struct attached *a = opts->attached[i];

		word = a->ops->params ? a->ops->params(a, opts) : NULL;
		if (word)
			line = append(line, word);
	}
	if (!line)
		return NULL;
	return append(strdup(opts->params ? opts->params : "console=ttyS0"),
		      line);
}

bool attached_paused(const struct run_opts *opts, bool forget)
{
	bool paused = false;
	unsigned i;

	for (i = 0; i < opts->attached_count; i++) {
		struct attached *a = opts->attached[i];

		if (a->ops->paused && a->ops->paused(a, forget))
			paused = true;
	}
	return paused;
}

void attached_tell(const struct run_opts *opts)
{
	unsigned i;

	for (i = 0; i < opts->attached_count; i++)
		if (opts->attached[i]->ops->tell)
			opts->attached[i]->ops->tell(opts->attached[i]);
}

const char *attached_use(const struct run_opts *opts,
			 const struct attached *except, const char *path)
{
	unsigned i;

	for (i = 0; i < opts->attached_count; i++) {
		const struct attached *a = opts->attached[i];
		const char *file = a->ops->file ? a->ops->file(a) : NULL;

		if (a != except && file && strcmp(file, path) == 0)
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
