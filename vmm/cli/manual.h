/* SPDX-License-Identifier: MIT */
/*
 * manual.h: a command described once: its --help, its man page and its shell
 * completion all come from here.
 */
#ifndef TRAPMAP_CLI_MANUAL_H
#define TRAPMAP_CLI_MANUAL_H

#include <stddef.h>
#include <stdio.h>

#include "optscan.h"

/* A status and what it means, or a key, a file, an example and its purpose. */
struct manual_item {
	const char *term; /* NULL: the end of the list */
	const char *text;
};

/*
 * In a section that is titled "Examples" the terms are commands to copy, which
 * a man page leaves as they are.
 */
struct manual_section {
	const char *title; /* "Exit status"; NULL: the end of the list */
	const char *text; /* a paragraph before the items; NULL: none */
	const struct manual_item *items; /* NULL: none */
};

/*
 * Completion reads opt.arg: words in "a|b|c" are offered ("file=PATH" as a word
 * and a file), and what begins with FILE, PATH, DIR, KERNEL or MANIFEST is
 * completed as a file. So is a word of the synopsis, unless it has OPTION only.
 */
struct manual {
	const char *name; /* "run"; "": the manual of the program itself */
	const char *summary; /* one line, for the list of commands */
	const char *synopsis; /* "[KERNEL] [OPTION...]" */
	const char *text; /* what it does: paragraphs, an empty line between */
	const struct opt *table;
	size_t count;
	const struct manual_section *sections; /* NULL: none */
};

/* As --help shows it, within 80 columns. */
void manual_help(FILE *out, const struct manual *manual);

/* As a man page, trapmap-NAME(1), in roff. */
void manual_man(FILE *out, const struct manual *manual);

/* The program and its commands: what it says without one, and trapmap(1). */
void manual_overview_help(FILE *out);
void manual_overview_man(FILE *out);

/* Completion of all commands, as a script for bash or zsh. */
void complete_bash(FILE *out);
void complete_zsh(FILE *out);

extern const struct manual run_manual;
extern const struct manual exec_manual;
extern const struct manual test_manual;
extern const struct manual trace_manual;
extern const struct manual doctor_manual;

/* All commands, in the order of the overview, then NULL. */
extern const struct manual *const manuals[];

/* Whether it is the section with examples. */
int manual_has_commands(const struct manual_section *section);

/*
 * How many bytes of a command go on a line of that width: to the end of a word,
 * where a shell lets it be continued, or all of it.
 */
size_t manual_command_line(const char *text, size_t width);

#endif
