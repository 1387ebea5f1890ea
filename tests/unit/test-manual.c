// SPDX-License-Identifier: MIT
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/manual.h"

static const struct opt table[] = {
	{ 0, NULL, NULL, "What it takes:" },
	{ 'f', "file", "FILE[,x]", "'quoted' text; .dots and C:\\paths" },
	{ 'f', "old-file", "FILE", NULL },
	{ OPT_LONG, "how", "plain|file=PATH|N", "a choice (default: plain)" },
	{ OPT_LONG + 1, "into", "DIR", ".dot" },
	{ 'n', "number", "N", "a number" },
	{ 'v', "verbose", NULL, "say more" },
};

static const struct manual_item items[] = {
	{ "0", "well" },
	{ "a-term-that-is-wider-than-its-column", "and its text" },
	{ NULL, NULL },
};

static const struct manual_item examples[] = {
	{ "trapmap sample --file 'a name with blanks in it' --how plain --number 12345678",
	  "It's an example." },
	{ NULL, NULL },
};

static const struct manual_section sections[] = {
	{ "Exit status", "What it means:", items },
	{ "Examples", NULL, examples },
	{ NULL, NULL, NULL },
};

static const struct manual sample = {
	.name = "sample",
	.summary = "show what a manual looks like",
	.synopsis = "[FILE...] [OPTION...]",
	.text = "First paragraph.\n\n.Second 'paragraph', which is long enough to be broken once or twice when it is shown.",
	.table = table,
	.count = sizeof(table) / sizeof(table[0]),
	.sections = sections,
};

/* What a function writes; the caller frees it. */
static char *written(void (*show)(FILE *out, const struct manual *manual),
		     const struct manual *manual)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	show(out, manual);
	fclose(out);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void assert_narrow(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		assert_true(len <= 80);
		assert_true(len == 0 || text[len - 1] != ' ');
		text += len + (text[len] == '\n');
	}
}

static void help_keeps_to_eighty_columns(void **state)
{
	const struct manual *const *m;
	char *text = written(manual_help, &sample);

	assert_narrow(text);
	free(text);
	for (m = manuals; *m; m++) {
		text = written(manual_help, *m);
		assert_narrow(text);
		free(text);
	}
}

static void help_has_every_part(void **state)
{
	char *text = written(manual_help, &sample);

	assert_has(text, "Usage: trapmap sample [FILE...] [OPTION...]\n\nFirst");
	assert_has(text, "paragraph.\n\n.Second 'paragraph', which");
	assert_has(text, "\nWhat it takes:\n  -f, --file FILE[,x] ");
	assert_has(text, "\n      --how plain|file=PATH|N\n");
	assert_has(text, "\nExit status:\n  What it means:\n"
			 "  0                 well\n"
			 "  a-term-that-is-wider-than-its-column\n"
			 "                    and its text\n");
	assert_null(strstr(text, "old-file"));
	free(text);
}

static void an_example_is_broken_where_a_shell_goes_on(void **state)
{
	char *text = written(manual_help, &sample);

	assert_has(text, "\n  trapmap sample --file 'a name with blanks in it' "
			 "--how plain \\\n"
			 "      --number 12345678\n"
			 "      It's an example.\n");
	free(text);
	assert_int_equal(manual_command_line("run --a 'b c' d", 7), 3);
	assert_int_equal(manual_command_line("run --a 'b c' d", 13), 3);
	assert_int_equal(manual_command_line("run --a 'b c' d", 99), 15);
	assert_int_equal(manual_command_line("run a b", 5), 5);
	assert_int_equal(manual_command_line("wider", 2), 5);
	assert_int_equal(manual_command_line("", 2), 0);
}

/* groff_man(7), and man-pages(7) for the order of the sections. */
static void a_man_page_is_what_man_and_lexgrog_expect(void **state)
{
	char *text = written(manual_man, &sample);

	assert_has(text, ".TH TRAPMAP\\-SAMPLE 1 ");
	assert_has(text, ".SH \"NAME\"\n"
			 "trapmap\\-sample \\- show what a manual looks like\n"
			 ".SH \"SYNOPSIS\"\n\\fBtrapmap sample\\fR ");
	assert_has(text, ".SS \"What it takes\"\n.TP\n"
			 "\\fB\\-f\\fR, \\fB\\-\\-file\\fR \\fIFILE\\fR[\\fB,x\\fR]\n");
	assert_has(text, ".SH \"EXIT STATUS\"\n");
	assert_has(text, ".SH \"SEE ALSO\"\n.BR trapmap (1) ,\n"
			 ".BR trapmap\\-run (1)");
	free(text);
}

static void text_is_never_taken_for_roff(void **state)
{
	char *text = written(manual_man, &sample);

	assert_has(text, "\n\\(aqquoted\\(aq text; .dots and C:\\epaths\n");
	assert_has(text, ".PP\n\\&.Second \\(aqparagraph\\(aq, which");
	assert_has(text, "\n\\&.dot\n");
	assert_has(text, "trapmap sample \\-\\-file \\(aqa name with blanks in "
			 "it\\(aq \\-\\-how plain \\e\n");
	free(text);
}

static void every_option_of_a_command_is_in_its_page(void **state)
{
	const struct manual *const *m;
	char name[128];
	size_t i, k;

	for (m = manuals; *m; m++) {
		char *text = written(manual_man, *m);

		for (i = 0; i < (*m)->count; i++) {
			const struct opt *opt = &(*m)->table[i];
			char *p = name;

			if (!opt->id || !opt->help)
				continue;
			p += snprintf(name, sizeof(name), "\\fB\\-\\-");
			for (k = 0; opt->name[k]; k++)
				p += snprintf(p, (size_t)(name + sizeof(name) - p),
					      opt->name[k] == '-' ? "\\-" : "%c",
					      opt->name[k]);
			assert_has(text, name);
		}
		assert_has(text, ".SH \"EXAMPLES\"\n");
		assert_has(text, ".SH \"EXIT STATUS\"\n");
		free(text);
	}
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(help_keeps_to_eighty_columns),
		T(help_has_every_part),
		T(an_example_is_broken_where_a_shell_goes_on),
		T(a_man_page_is_what_man_and_lexgrog_expect),
		T(text_is_never_taken_for_roff),
		T(every_option_of_a_command_is_in_its_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
