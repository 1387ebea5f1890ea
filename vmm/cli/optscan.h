/* SPDX-License-Identifier: MIT */
/*
 * optscan.h: a command's options as one table, from which come both their
 * reading and the help. Over getopt_long(), with errors that name the word that
 * is wrong and the option that was meant; abbreviations are refused, as they
 * would change their meaning with every new option.
 */
#ifndef TRAPMAP_CLI_OPTSCAN_H
#define TRAPMAP_CLI_OPTSCAN_H

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

struct opt {
	/*
	 * A letter: also its short form. From OPT_LONG up: there is none. 0: a
	 * heading of the help, in the field help.
	 */
	int id;
	const char *name;
	const char *arg; /* how the help calls its value; NULL: it has none */
	const char *help; /* NULL: another name of an option above */
};

#define OPT_LONG 256
#define OPT_MAX 64

enum {
	OPTSCAN_END = 0,
	OPTSCAN_WORD = 1, /* a word that is not an option's */
};

struct optscan {
	const struct opt *table;
	size_t count;
	int argc;
	char **argv;
	const char *command; /* "trapmap run", for messages */
	struct option longs[OPT_MAX + 1];
	char shorts[2 * OPT_MAX + 3];
	int element; /* of argv, where the option in hand stands */
	int only_words; /* "--" was seen */
	char *err;
	size_t err_size;
};

/*
 * argv[0] is not looked at. The table must outlive the scan, and only one scan
 * can be under way in a process.
 */
void optscan_init(struct optscan *scan, const struct opt *table, size_t count,
		  const char *command, int argc, char **argv, char *err,
		  size_t err_size);

/*
 * The next option's id, OPTSCAN_WORD or OPTSCAN_END, with its value or the word
 * itself. -EINVAL: an error, which err now tells.
 */
int optscan_next(struct optscan *scan, const char **ret_value);

/* The table as the lines of a help text, within 80 columns. */
void optscan_help(FILE *out, const struct opt *table, size_t count);

/*
 * Writes text from column `from` on (the caller has got there), breaking lines
 * at blanks to stay within 80 columns, then a newline.
 */
void optscan_wrap(FILE *out, int from, const char *text);

#endif
