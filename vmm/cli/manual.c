// SPDX-License-Identifier: MIT
/* manual.c: a manual as help on a terminal. */
#include "manual.h"

#include <string.h>

/* Terms up to this wide get a column of their own. */
#define TERM_MAX 16

int manual_has_commands(const struct manual_section *section)
{
	return strcmp(section->title, "Examples") == 0;
}

static void help_columns(FILE *out, const struct manual_item *items, int width)
{
	for (; items->term; items++) {
		int len = (int)strlen(items->term);

		fprintf(out, "  %s", items->term);
		/* Wider than its column: the text begins on the next line. */
		if (len > width)
			fputc('\n', out);
		fprintf(out, "%*s", len > width ? width + 4 : width - len + 2,
			"");
		optscan_wrap(out, width + 4, items->text);
	}
}

size_t manual_command_line(const char *text, size_t width)
{
	size_t word = 0, option = 0, i;
	char quote = '\0';

	for (i = 0; text[i]; i++) {
		if (quote)
			quote = text[i] == quote ? '\0' : quote;
		else if (text[i] == '\'' || text[i] == '"')
			quote = text[i];
		if (quote || (text[i + 1] && text[i + 1] != ' '))
			continue;
		/* A word ends here. */
		if (i + 1 > width && word)
			return option ? option : word;
		word = i + 1;
		/* Best before an option, which stays with its value. */
		if (text[i + 1] && text[i + 2] == '-')
			option = word;
	}
	return i;
}

static void help_command(FILE *out, const char *text)
{
	size_t len = manual_command_line(text, 75);

	fprintf(out, "  %.*s", (int)len, text);
	while (text[len]) {
		text += len + 1;
		len = manual_command_line(text, 71);
		fprintf(out, " \\\n      %.*s", (int)len, text);
	}
	fputc('\n', out);
}

static void help_commands(FILE *out, const struct manual_item *items)
{
	for (; items->term; items++) {
		help_command(out, items->term);
		fputs("      ", out);
		optscan_wrap(out, 6, items->text);
	}
}

static void help_section(FILE *out, const struct manual_section *section)
{
	const struct manual_item *item;
	int width = 0;

	fprintf(out, "\n%s:\n", section->title);
	if (section->text) {
		fputs("  ", out);
		optscan_wrap(out, 2, section->text);
	}
	if (!section->items)
		return;
	if (manual_has_commands(section)) {
		help_commands(out, section->items);
		return;
	}
	for (item = section->items; item->term; item++) {
		int len = (int)strlen(item->term);

		width = len <= width ? width : len < TERM_MAX ? len : TERM_MAX;
	}
	help_columns(out, section->items, width);
}

void manual_help(FILE *out, const struct manual *manual)
{
	const struct manual_section *section = manual->sections;

	fprintf(out, "Usage: trapmap %s%s%s\n\n", manual->name,
		*manual->name ? " " : "", manual->synopsis);
	optscan_wrap(out, 0, manual->text);
	optscan_help(out, manual->table, manual->count);
	for (; section && section->title; section++)
		help_section(out, section);
}
