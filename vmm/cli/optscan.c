// SPDX-License-Identifier: MIT
#include "optscan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "nearest.h"

#define HELP_COLUMN 28
#define HELP_WIDTH 80

void optscan_init(struct optscan *scan, const struct opt *table, size_t count,
		  const char *command, int argc, char **argv, char *err,
		  size_t err_size)
{
	size_t i, n = 0;
	char *s = scan->shorts;

	memset(scan, 0, sizeof(*scan));
	scan->table = table;
	scan->count = count < OPT_MAX ? count : OPT_MAX;
	scan->command = command;
	scan->argc = argc;
	scan->argv = argv;
	scan->err = err;
	scan->err_size = err_size;

	*s++ = '-'; /* words in their order, whatever POSIXLY_CORRECT says */
	*s++ = ':'; /* no messages of its own */
	for (i = 0; i < scan->count; i++) {
		const struct opt *opt = &table[i];

		if (!opt->id)
			continue;
		scan->longs[n++] = (struct option){
			.name = opt->name,
			.has_arg = opt->arg ? required_argument : no_argument,
			.val = opt->id,
		};
		if (opt->id >= OPT_LONG || !opt->help)
			continue;
		*s++ = (char)opt->id;
		if (opt->arg)
			*s++ = ':';
	}
	optind = 0; /* glibc's way to begin anew */
	opterr = 0;
}

__attribute__((format(printf, 2, 3))) static int
fail(struct optscan *scan, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(scan->err, scan->err_size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* The option that a word without its dashes may have meant, or NULL. */
static const char *meant(const struct optscan *scan, const char *word)
{
	const char *names[OPT_MAX];
	size_t i, n = 0;

	for (i = 0; scan->longs[i].name; i++)
		names[n++] = scan->longs[i].name;
	return nearest(word, names, n);
}

static int unknown(struct optscan *scan, const char *element)
{
	char word[64] = "";
	const char *name = element + strspn(element, "-"), *known;
	size_t len = strcspn(name, "=");

	if (len < sizeof(word))
		memcpy(word, name, len);
	known = meant(scan, word);
	len += (size_t)(name - element);
	if (known)
		return fail(scan, "unknown option '%.*s'; did you mean '--%s'?",
			    (int)len, element, known);
	return fail(scan, "unknown option '%.*s'; '%s --help' lists them",
		    (int)len, element, scan->command);
}

static const struct option *find(const struct optscan *scan, const char *name,
				 size_t len)
{
	size_t i;

	for (i = 0; scan->longs[i].name; i++)
		if (strlen(scan->longs[i].name) == len &&
		    memcmp(scan->longs[i].name, name, len) == 0)
			return &scan->longs[i];
	return NULL;
}

static const char *arg_name(const struct optscan *scan, int id)
{
	size_t i;

	for (i = 0; i < scan->count; i++)
		if (scan->table[i].id == id)
			return scan->table[i].arg;
	return NULL;
}

int optscan_next(struct optscan *scan, const char **ret_value)
{
	int at = optind ? optind : 1;
	const char *element;
	size_t name_len;
	bool is_long;
	int id;

	if (scan->only_words || at >= scan->argc) {
		if (at >= scan->argc)
			return OPTSCAN_END;
		*ret_value = scan->argv[optind++];
		return OPTSCAN_WORD;
	}
	/* In the midst of a cluster ("-qh") optind stands still. */
	element = scan->argv[at];
	is_long = element[0] == '-' && element[1] == '-';
	name_len = is_long ? strcspn(element + 2, "=") : 0;
	/*
	 * "-kernel FILE", as other monitors spell it, would be read as -k with
	 * the value "ernel".
	 */
	if (element[0] == '-' && !is_long && strlen(element) > 3 &&
	    find(scan, element + 1, strlen(element + 1)))
		return unknown(scan, element);

	id = getopt_long(scan->argc, scan->argv, scan->shorts, scan->longs,
			 NULL);
	if (id == -1) {
		scan->only_words = 1;
		return optscan_next(scan, ret_value);
	}
	if (is_long && name_len && !find(scan, element + 2, name_len))
		return unknown(scan, element);
	if (id == ':') {
		const char *arg = arg_name(scan, optopt);

		if (is_long)
			return fail(scan, "'%s' needs a value: %s", element,
				    arg);
		return fail(scan, "'-%c' needs a value: %s", optopt, arg);
	}
	if (id == '?') {
		if (is_long)
			return fail(scan, "'--%.*s' takes no value",
				    (int)name_len, element + 2);
		if (strlen(element) > 2)
			return unknown(scan, element);
		return fail(scan, "unknown option '-%c'; '%s --help' lists them",
			    optopt, scan->command);
	}
	*ret_value = optarg;
	return id;
}

void optscan_wrap(FILE *out, int from, const char *text)
{
	int column = from;

	for (;;) {
		int len = (int)strcspn(text, " \n");

		if (column > from && column + 1 + len > HELP_WIDTH) {
			fprintf(out, "\n%*s", from, "");
			column = from;
		} else if (column > from) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += len;
		text += len;
		if (*text == '\n') {
			fprintf(out, "\n%*s", text[1] == '\n' ? 0 : from, "");
			column = from;
		}
		if (!*text++)
			break;
	}
	fputc('\n', out);
}

void optscan_help(FILE *out, const struct opt *table, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct opt *opt = &table[i];
		int n;

		if (!opt->help)
			continue;
		if (!opt->id) {
			fprintf(out, "\n%s\n", opt->help);
			continue;
		}
		if (opt->id < OPT_LONG)
			n = fprintf(out, "  -%c, --%s", opt->id, opt->name);
		else
			n = fprintf(out, "      --%s", opt->name);
		if (opt->arg)
			n += fprintf(out, " %s", opt->arg);
		if (n > HELP_COLUMN - 2) {
			fputc('\n', out);
			n = 0;
		}
		fprintf(out, "%*s", HELP_COLUMN - n, "");
		optscan_wrap(out, HELP_COLUMN, opt->help);
	}
}
