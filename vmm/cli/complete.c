// SPDX-License-Identifier: MIT
/*
 * complete.c: completion for bash and zsh. The scripts are made of the commands'
 * tables, and the tables say by how they write a value what it can be.
 */
#include "manual.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum value {
	VALUE_NONE, /* there is nothing to offer: a number, say */
	VALUE_FILE,
	VALUE_DIR,
	VALUE_WORDS,
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* What stands before the first bracket decides. */
static enum value value_of(const char *arg)
{
	if (memchr(arg, '|', strcspn(arg, "[")))
		return VALUE_WORDS;
	if (begins(arg, "DIR"))
		return VALUE_DIR;
	if (begins(arg, "FILE") || begins(arg, "PATH") ||
	    begins(arg, "KERNEL") || begins(arg, "MANIFEST"))
		return VALUE_FILE;
	return VALUE_NONE;
}

/* "stdio|null|file=PATH" as "stdio null file=". */
static void put_words(FILE *out, const char *arg)
{
	const char *end = arg + strcspn(arg, "["), *blank = "";

	while (arg < end) {
		size_t len = strcspn(arg, "|["), key = strcspn(arg, "=|[");

		/* A NAME stands for many. */
		if (!isupper((unsigned char)*arg)) {
			fprintf(out, "%s%.*s", blank,
				(int)(key < len ? key + 1 : len), arg);
			blank = " ";
		}
		arg += len + 1;
	}
}

/* Whether words that are no options are files. */
static bool takes_files(const struct manual *manual)
{
	const char *p = manual->synopsis;

	for (; *p; p++) {
		if (!isupper((unsigned char)*p))
			continue;
		if (!begins(p, "OPTION") && !begins(p, "COMMAND"))
			return true;
		while (isupper((unsigned char)p[1]))
			p++;
	}
	return false;
}

/* The commands' names, and "help". */
static void put_commands(FILE *out)
{
	const struct manual *const *m;

	for (m = manuals; *m; m++)
		fprintf(out, "%s ", (*m)->name);
	fputs("help", out);
}

/* ---- bash -------------------------------------------------------------- */

/* The pattern of a case: all names of one option. */
static void bash_pattern(FILE *out, const struct opt *opt)
{
	if (opt->id < OPT_LONG && opt->help)
		fprintf(out, "-%c | ", opt->id);
	fprintf(out, "--%s", opt->name);
}

static void bash_command(FILE *out, const struct manual *m)
{
	static const char *const kinds[] = {
		[VALUE_NONE] = "none",
		[VALUE_FILE] = "file",
		[VALUE_DIR] = "dir",
		[VALUE_WORDS] = "words",
	};
	size_t i;

	fprintf(out, "\t*:%s)\n\t\toptions='", m->name);
	for (i = 0; i < m->count; i++)
		if (m->table[i].id && m->table[i].help)
			fprintf(out, "--%s ", m->table[i].name);
	fputs("'\n", out);
	fprintf(out, "\t\tkind='%s'\n\t\tcase $key in\n",
		takes_files(m) ? "file" : "none");
	for (i = 0; i < m->count; i++) {
		const struct opt *opt = &m->table[i];

		if (!opt->id || !opt->arg)
			continue;
		fputs("\t\t", out);
		bash_pattern(out, opt);
		fprintf(out, ") kind='%s' options=''", kinds[value_of(opt->arg)]);
		if (value_of(opt->arg) == VALUE_WORDS) {
			fputs(" words='", out);
			put_words(out, opt->arg);
			fputc('\'', out);
		}
		fputs(" ;;\n", out);
	}
	fputs("\t\tesac\n\t\t;;\n", out);
}

void complete_bash(FILE *out)
{
	const struct manual *const *m;

	fputs("# bash completion for trapmap(1)                  -*- shell-script -*-\n"
	      "\n"
	      "_trapmap()\n"
	      "{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} before=$((COMP_CWORD - 1))\n"
	      "\tlocal key kind=none words='' options='' prefix='' equals=''\n"
	      "\tlocal command=${COMP_WORDS[1]} i\n"
	      "\n"
	      "\tCOMPREPLY=()\n"
	      "\t# Readline cuts words at '=', unless COMP_WORDBREAKS was changed.\n"
	      "\tif [[ $cur == '=' ]]; then\n"
	      "\t\tcur=''\n"
	      "\telif [[ ${COMP_WORDS[before]} == '=' ]]; then\n"
	      "\t\tbefore=$((before - 1)) equals=1\n"
	      "\tfi\n"
	      "\tkey=${COMP_WORDS[before]}\n"
	      "\tif [[ $cur == --*=* ]]; then\n"
	      "\t\tkey=${cur%%=*}\n"
	      "\t\tprefix=$key=\n"
	      "\t\tcur=${cur#*=}\n"
	      "\tfi\n"
	      "\n"
	      "\t# Behind this come options for 'trapmap run'.\n"
	      "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t\t[[ $command:${COMP_WORDS[i]} != test:-- ]] || command=run\n"
	      "\tdone\n"
	      "\n"
	      "\tcase $COMP_CWORD:$command in\n"
	      "\t1:*) kind=words words='",
	      out);
	put_commands(out);
	fputs(" --help --version' ;;\n", out);
	for (m = manuals; *m; m++)
		bash_command(out, *m);
	fputs("\t2:help) kind=words words='", out);
	put_commands(out);
	fputs("' ;;\n"
	      "\tesac\n"
	      "\n"
	      "\tif [[ $cur == -* && $options ]]; then\n"
	      "\t\tkind=words words=$options\n"
	      "\telif [[ $cur == file=* ]]; then\n"
	      "\t\tkind='file' prefix+=file= cur=${cur#file=}\n"
	      "\telif [[ $key == file && $equals ]]; then\n"
	      "\t\tkind='file'\n"
	      "\tfi\n"
	      "\tcase $kind in\n"
	      "\tfile) mapfile -t COMPREPLY < <(compgen -f -P \"$prefix\" -- \"$cur\") ;;\n"
	      "\tdir) mapfile -t COMPREPLY < <(compgen -d -P \"$prefix\" -- \"$cur\") ;;\n"
	      "\twords) mapfile -t COMPREPLY < <(compgen -W \"$words\" -P \"$prefix\" -- \"$cur\") ;;\n"
	      "\tesac\n"
	      "\tcase $kind in\n"
	      "\tfile | dir) compopt -o filenames 2>/dev/null ;;\n"
	      "\tesac\n"
	      "\t[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
	      "}\n"
	      "complete -F _trapmap trapmap\n",
	      out);
}

/* ---- zsh --------------------------------------------------------------- */

/* Within single quotes, where brackets and colons mean something. */
static void zsh_text(FILE *out, const char *text, size_t len)
{
	for (; len; len--, text++) {
		if (*text == '\'') {
			fputs("'\\''", out);
			continue;
		}
		if (strchr("[]:\\", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void zsh_value(FILE *out, const char *arg)
{
	fputc(':', out);
	zsh_text(out, arg, strcspn(arg, "["));
	fputc(':', out);
	switch (value_of(arg)) {
	case VALUE_NONE: break;
	case VALUE_FILE: fputs("_files", out); break;
	case VALUE_DIR: fputs("_files -/", out); break;
	case VALUE_WORDS:
		fputs(" _trapmap_words ", out);
		put_words(out, arg);
		break;
	}
}

/* There is room for what it does, not for its defaults and conditions. */
static size_t first_clause(const char *help)
{
	size_t len = 0;

	while (help[len] && help[len] != ';' && !begins(help + len, " (") &&
	       !begins(help + len, ": "))
		len++;
	return len;
}

static void zsh_option(FILE *out, const struct opt *opt)
{
	bool letter = opt->id < OPT_LONG;

	/* '*': most can be given again, and zsh need not know which. */
	fputs("\t\t\t'*'", out);
	if (letter)
		fprintf(out, "{-%c%s,--%s%s}", opt->id, opt->arg ? "+" : "",
			opt->name, opt->arg ? "=" : "");
	else
		fprintf(out, "--%s%s", opt->name, opt->arg ? "=" : "");
	fputs("'[", out);
	zsh_text(out, opt->help, first_clause(opt->help));
	fputc(']', out);
	if (opt->arg)
		zsh_value(out, opt->arg);
	fputs("' \\\n", out);
}

static void zsh_command(FILE *out, const struct manual *m)
{
	size_t i;

	fprintf(out, "\t%s)\n\t\t_arguments -s -S \\\n", m->name);
	for (i = 0; i < m->count; i++)
		if (m->table[i].id && m->table[i].help)
			zsh_option(out, &m->table[i]);
	fputs(takes_files(m) ? "\t\t\t'*:file:_files'\n" :
			       "\t\t\t'*:: :'\n",
	      out);
	fputs("\t\t;;\n", out);
}

void complete_zsh(FILE *out)
{
	const struct manual *const *m;

	fputs("#compdef trapmap\n"
	      "\n"
	      "# Words, of which one that ends in '=' is followed by a file.\n"
	      "_trapmap_words()\n"
	      "{\n"
	      "\tif compset -P '*='; then\n"
	      "\t\t_files\n"
	      "\telse\n"
	      "\t\tcompadd -- ${@:#*=}\n"
	      "\t\tcompadd -S '' -- ${(M)@:#*=}\n"
	      "\tfi\n"
	      "}\n"
	      "\n"
	      "_trapmap()\n"
	      "{\n"
	      "\tlocal -a commands\n"
	      "\tlocal command\n"
	      "\n"
	      "\tcommands=(\n",
	      out);
	for (m = manuals; *m; m++) {
		fprintf(out, "\t\t'%s:", (*m)->name);
		zsh_text(out, (*m)->summary, strlen((*m)->summary));
		fputs("'\n", out);
	}
	fputs("\t\t'help:how to use a command'\n"
	      "\t)\n"
	      "\tif ((CURRENT == 2)); then\n"
	      "\t\t_describe -t commands command commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcommand=$words[2]\n"
	      "\tshift words\n"
	      "\t((CURRENT--))\n"
	      "\tcase $command in\n",
	      out);
	for (m = manuals; *m; m++)
		zsh_command(out, *m);
	fputs("\thelp) _describe -t commands command commands ;;\n"
	      "\tesac\n"
	      "}\n"
	      "\n"
	      "_trapmap \"$@\"\n",
	      out);
}
