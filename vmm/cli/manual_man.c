// SPDX-License-Identifier: MIT
/*
 * manual_man.c: a manual as a man page, in roff with the macros of man(7). Plain
 * macros only: it reads the same with groff and with mandoc.
 */
#include "manual.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <trapmap/trapmap.h>

/* One character of text: as itself, not as what typography makes of it. */
static void put(FILE *out, char c)
{
	switch (c) {
	case '\\': fputs("\\e", out); break;
	case '-': fputs("\\-", out); break;
	case '\'': fputs("\\(aq", out); break;
	case '"': fputs("\\(dq", out); break;
	case '`': fputs("\\(ga", out); break;
	case '^': fputs("\\(ha", out); break;
	case '~': fputs("\\(ti", out); break;
	default: fputc(c, out);
	}
}

static void put_text(FILE *out, const char *text)
{
	/* A line that begins so would be a request. */
	if (*text == '.')
		fputs("\\&", out);
	for (; *text; text++)
		put(out, *text);
}

/* Paragraphs, an empty line between. */
static void put_paragraphs(FILE *out, const char *text)
{
	bool fresh = true;

	for (; *text; text++) {
		if (text[0] == '\n') {
			fputs(text[1] == '\n' ? "\n.PP\n" : "\n", out);
			text += strspn(text, "\n") - 1;
			fresh = true;
			continue;
		}
		if (fresh && *text == '.')
			fputs("\\&", out);
		put(out, *text);
		fresh = false;
	}
	fputc('\n', out);
}

static bool is_name(const char *p)
{
	return isupper((unsigned char)*p);
}

/*
 * How something is written: what is to be typed bold, NAMES of what is meant
 * italic, brackets and bars as they are.
 */
static void put_syntax(FILE *out, const char *text)
{
	char font = 'R';

	for (; *text; text++) {
		char want = strchr("[]|. ", *text) ? 'R' :
			    is_name(text)	   ? 'I' :
						     'B';

		if (want != font)
			fprintf(out, "\\f%c", want);
		font = want;
		put(out, *text);
	}
	if (font != 'R')
		fputs("\\fR", out);
}

static void put_title(FILE *out, const char *title)
{
	fputs(".SH \"", out);
	for (; *title; title++)
		put(out, (char)toupper((unsigned char)*title));
	fputs("\"\n", out);
}

static void put_options(FILE *out, const struct manual *manual)
{
	size_t i;

	if (manual->count)
		put_title(out, "Options");
	for (i = 0; i < manual->count; i++) {
		const struct opt *opt = &manual->table[i];

		if (!opt->help)
			continue;
		if (!opt->id) {
			size_t len = strlen(opt->help);

			/* A heading of the help ends in a colon. */
			if (strcmp(opt->help, "Options:") == 0)
				continue;
			fputs(".SS \"", out);
			for (size_t k = 0; k < len; k++)
				if (k + 1 < len || opt->help[k] != ':')
					put(out, opt->help[k]);
			fputs("\"\n", out);
			continue;
		}
		fputs(".TP\n", out);
		if (opt->id < OPT_LONG)
			fprintf(out, "\\fB\\-%c\\fR, ", opt->id);
		fputs("\\fB\\-\\-", out);
		put_text(out, opt->name);
		fputs("\\fR", out);
		if (opt->arg) {
			fputc(' ', out);
			put_syntax(out, opt->arg);
		}
		fputc('\n', out);
		put_paragraphs(out, opt->help);
	}
}

static void put_command(FILE *out, const char *text)
{
	const char *indent = "";

	fputs(".PP\n.RS\n.nf\n", out);
	for (;;) {
		size_t len = manual_command_line(text, 62), i;

		fputs(indent, out);
		for (i = 0; i < len; i++)
			put(out, text[i]);
		if (!text[len])
			break;
		fputs(" \\e\n", out);
		text += len + 1;
		indent = "    ";
	}
	fputs("\n.fi\n.RE\n", out);
}

static void put_section(FILE *out, const struct manual_section *section)
{
	bool commands = manual_has_commands(section);
	const struct manual_item *item;

	put_title(out, section->title);
	if (section->text)
		put_paragraphs(out, section->text);
	for (item = section->items; item && item->term; item++) {
		if (commands) {
			fputs(".PP\n", out);
			put_paragraphs(out, item->text);
			put_command(out, item->term);
			continue;
		}
		fputs(".TP\n\\fB", out);
		put_text(out, item->term);
		fputs("\\fR\n", out);
		put_paragraphs(out, item->text);
	}
}

static void put_see_also(FILE *out, const struct manual *manual)
{
	const struct manual *const *other;
	bool first = true;

	put_title(out, "See also");
	if (*manual->name) {
		fputs(".BR trapmap (1)", out);
		first = false;
	}
	for (other = manuals; *other; other++) {
		if (strcmp((*other)->name, manual->name) == 0)
			continue;
		fprintf(out, "%s.BR trapmap\\-%s (1)", first ? "" : " ,\n",
			(*other)->name);
		first = false;
	}
	fputc('\n', out);
}

void manual_man(FILE *out, const struct manual *manual)
{
	const struct manual_section *section = manual->sections;
	const char *dash = *manual->name ? "\\-" : "", *p;

	/* The date is left out: the same source makes the same page. */
	fputs(".TH TRAPMAP", out);
	fputs(dash, out);
	for (p = manual->name; *p; p++)
		put(out, (char)toupper((unsigned char)*p));
	fprintf(out, " 1 \"\" \"trapmap %s\" \"Trapmap\"\n", TRAPMAP_VERSION);
	/* No word is divided: an option's name must be found as it is. */
	fputs(".nh\n.ad l\n", out);

	/* For reading and for lexgrog(1), which takes it from here. */
	put_title(out, "Name");
	fprintf(out, "trapmap%s%s \\- ", dash, manual->name);
	put_text(out, manual->summary);
	fputc('\n', out);

	put_title(out, "Synopsis");
	fprintf(out, "\\fBtrapmap%s%s\\fR ", *manual->name ? " " : "",
		manual->name);
	put_syntax(out, manual->synopsis);
	fputc('\n', out);

	put_title(out, "Description");
	put_paragraphs(out, manual->text);
	put_options(out, manual);
	for (; section && section->title; section++)
		put_section(out, section);
	put_see_also(out, manual);
}
