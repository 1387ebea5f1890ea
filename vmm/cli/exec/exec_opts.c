// SPDX-License-Identifier: MIT
#include "exec/exec_opts.h"

#include <errno.h>
#include <string.h>

#include "exec/exec_manual.h"
#include "manual.h"
#include "opts_parts.h"
#include "optscan.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A command with a heap and its files' pages; taken only as it is touched. */
#define MEM_DEFAULT (UINT64_C(1) << 30)

static const struct opts_choice root_choices[] = {
	{ "auto", EXEC_ROOT_AUTO },
	{ "9p", EXEC_ROOT_9P },
	{ "copy", EXEC_ROOT_COPY },
};

static int add(const char *option, const char *text, const char **list,
	       unsigned *count, unsigned max, char *err)
{
	if (!*text)
		return opts_fail(err, "%s '': a path is expected", option);
	if (*count == max)
		return opts_fail(err, "more than %u %s", max, option);
	list[(*count)++] = text;
	return 0;
}

static int apply(struct exec_opts *opts, int id, const char *text, char *err)
{
	int r, value = 0;

	switch (id) {
	case EXEC_SHARE:
		return add("--share", text, opts->share, &opts->shares,
			   EXEC_SHARES_MAX, err);
	case EXEC_COPY:
		return add("--copy", text, opts->copy, &opts->copies,
			   EXEC_COPIES_MAX, err);
	case EXEC_ROOT:
		r = opts_choose(err, "--root", text, root_choices,
				COUNT(root_choices), &value);
		opts->root = (enum exec_root)value;
		return r;
	case EXEC_MODULES:
		return opts_path(err, "--modules", text, &opts->modules);
	case EXEC_DIR: return opts_path(err, "--chdir", text, &opts->dir);
	case EXEC_LOG: return opts_path(err, "--log", text, &opts->log);
	case 'd':
		opts->disks++;
		return opts_apply(&opts->run, id, text, err);
	case 'n':
		opts->networks += strcmp(text, "none") != 0;
		return opts_apply(&opts->run, id, text, err);
	default: return opts_apply(&opts->run, id, text, err);
	}
}

static int check(const struct exec_opts *opts, char *err)
{
	if (!opts->command)
		return opts_fail(err, "a command is expected behind '--': "
				      "trapmap exec -k KERNEL -- COMMAND");
	if (!opts->run.kernel)
		return opts_fail(err, "a kernel is expected: -k FILE");
	if (opts->copies && opts->root == EXEC_ROOT_9P)
		return opts_fail(err, "--copy: with --root 9p all files are "
				      "there already");
	return opts_check_files(&opts->run, err);
}

int exec_opts_parse(int argc, char **argv, struct exec_opts *ret_opts,
		    char err[OPTS_ERR_SIZE])
{
	struct exec_opts opts = { .run = RUN_OPTS_INIT };
	struct optscan scan;
	const char *text = NULL;
	int id, words, r = 0;

	/* What is behind "--" is the command's, whatever it looks like. */
	for (words = 1; words < argc && strcmp(argv[words], "--") != 0; words++)
		;
	if (words + 1 < argc)
		opts.command = &argv[words + 1];
	opts.run.machine.mem = MEM_DEFAULT;
	opts.run.quiet = true;
	optscan_init(&scan, exec_manual.table, exec_manual.count,
		     "trapmap exec", words, argv, err, OPTS_ERR_SIZE);
	while (r == 0 && (id = optscan_next(&scan, &text)) != OPTSCAN_END) {
		if (id < 0)
			r = id;
		else if (id == 'h')
			r = OPTS_HELP;
		else if (id == OPTSCAN_WORD)
			r = opts_fail(err,
				      "'%s': the command comes behind '--': "
				      "trapmap exec -k KERNEL -- COMMAND",
				      text);
		else
			r = apply(&opts, id, text, err);
	}
	if (r == 0)
		r = check(&opts, err);
	if (r) {
		exec_opts_done(&opts);
		return r;
	}
	*ret_opts = opts;
	return OPTS_RUN;
}

void exec_opts_done(struct exec_opts *opts)
{
	run_opts_done(&opts->run);
}
