/* SPDX-License-Identifier: MIT */
/*
 * shell.h: as much of the shell's language as kvm-unit-tests' unittests.cfg is
 * written in. Nothing is ever run: what would run a command is refused.
 */
#ifndef TRAPMAP_CLI_TEST_SHELL_H
#define TRAPMAP_CLI_TEST_SHELL_H

#include <stddef.h>
#include <stdint.h>

struct shell_words {
	char **words;
	size_t count;
};

/*
 * Splits text into words as sh does: blanks, quotes, backslashes, a comment.
 * $MAX_SMP stands for max_smp. Returns 0 (released by shell_words_done());
 * -EINVAL with a phrase in *ret_why: it is malformed, or needs a shell; -ENOMEM.
 */
int shell_split(const char *text, unsigned max_smp,
		struct shell_words *ret_words, const char **ret_why);
void shell_words_done(struct shell_words *words);

/*
 * A whole number: decimal, $MAX_SMP, or an arithmetic expansion $((...)) of
 * both with + - * / %, comparisons and ?:. Returns 0 or -EINVAL.
 */
int shell_number(const char *text, unsigned max_smp, int64_t *ret_val);

#endif
