// SPDX-License-Identifier: MIT
#include "test/table.h"

#include <string.h>

#include "test/text.h"

/* Of a failure's console, on its own lines. */
#define TAIL_LINES 5
#define TAIL_BYTES 160

/* A longer name moves its own line only. */
#define NAME_COLUMNS 40

/* The same for a line as a test ends: with its time it fits a narrow terminal. */
#define LINE_NAME_COLUMNS 20

#define RESET "\033[0m"

static const char *color_of(enum test_outcome outcome)
{
	switch (outcome) {
	case TEST_PASSED: return "\033[32m";
	case TEST_FAILED: return "\033[31m";
	default: return "\033[33m";
	}
}

static void put_outcome(FILE *out, enum test_outcome outcome, bool color)
{
	fprintf(out, "%s%-7s%s", color ? color_of(outcome) : "",
		outcome_name(outcome), color ? RESET : "");
}

static bool has_run(const struct test_result *result)
{
	return result->outcome != TEST_NOT_RUN && result->has_status;
}

/* The reason; else how many sub-results there were. */
static void put_detail(FILE *out, const struct test_result *result)
{
	static const char *const words[KTAP_RESULTS] = {
		[KTAP_PASS] = "passed",
		[KTAP_FAIL] = "failed",
		[KTAP_SKIP] = "skipped",
		[KTAP_XFAIL] = "failed as expected",
	};
	const char *comma = "";
	size_t n;
	int i;

	if (result->reason) {
		text_say(out, result->reason);
		return;
	}
	if (!ktap_total(&result->subs))
		return;
	fputs("sub-results: ", out);
	for (i = 0; i < KTAP_RESULTS; i++) {
		n = ktap_count(&result->subs, (enum ktap_result)i);
		if (!n)
			continue;
		fprintf(out, "%s%zu %s", comma, n, words[i]);
		comma = ", ";
	}
}

static bool has_detail(const struct test_result *result)
{
	return result->reason || ktap_total(&result->subs);
}

static void put_tail(FILE *out, const struct test_result *result)
{
	size_t at, left, len;
	const char *rest, *line;

	if (!result->console)
		return;
	at = text_last_lines(result->console, result->console_len, TAIL_LINES);
	rest = result->console + at;
	left = result->console_len - at;
	while ((line = text_line(&rest, &left, &len)) != NULL) {
		fputs("        | ", out);
		text_visible(out, line, len > TAIL_BYTES ? TAIL_BYTES : len);
		fputs(len > TAIL_BYTES ? "...\n" : "\n", out);
	}
}

static int name_width(const struct test_run *run, int max)
{
	size_t width = strlen("TEST"), n, i;

	for (i = 0; i < run->suite->count; i++) {
		n = text_columns(run->suite->cases[i].name);
		if (n > width)
			width = n;
	}
	return width > (size_t)max ? max : (int)width;
}

/* Filled up with blanks to a width. */
static void put_name(FILE *out, const char *name, int width)
{
	int n = width - (int)text_columns(name);

	text_say(out, name);
	fprintf(out, "%*s", n > 0 ? n : 0, "");
}

void table_line(FILE *out, const struct test_run *run, size_t index, bool color)
{
	const struct test_result *result = &run->results[index];
	int width = 0;

	if (has_run(result) || has_detail(result))
		width = name_width(run, LINE_NAME_COLUMNS);
	put_outcome(out, result->outcome, color);
	fputs("  ", out);
	put_name(out, run->suite->cases[index].name, width);
	if (has_run(result))
		fprintf(out, "  %7.2f s", (double)result->ms / 1000);
	else if (has_detail(result))
		fprintf(out, "  %9s", "-");
	if (has_detail(result)) {
		fputs("  ", out);
		put_detail(out, result);
	}
	fputc('\n', out);
	if (result->outcome != TEST_FAILED)
		return;
	put_tail(out, result);
	if (!run->artifacts->temporary) {
		fputs("        files: ", out);
		text_say(out, run->artifacts->dirs[index]);
		fputc('\n', out);
	}
}

void table_print(FILE *out, const struct test_run *run, bool with_passed,
		 bool color)
{
	int width = name_width(run, NAME_COLUMNS);
	size_t i;

	if (!with_passed && run->done[TEST_PASSED] == run->suite->count)
		return;
	fprintf(out, "\n%-*s  %-7s  %7s  DETAIL\n", width, "TEST", "RESULT",
		"SECONDS");
	for (i = 0; i < run->suite->count; i++) {
		const struct test_result *result = &run->results[i];
		const char *name = run->suite->cases[i].name;

		if (result->outcome == TEST_PASSED && !with_passed)
			continue;
		put_name(out, name, width);
		fputs("  ", out);
		put_outcome(out, result->outcome, color);
		if (has_run(result))
			fprintf(out, "  %7.2f", (double)result->ms / 1000);
		else
			fprintf(out, "  %7s", "-");
		if (has_detail(result)) {
			fputs("  ", out);
			put_detail(out, result);
		}
		fputc('\n', out);
	}
	fputc('\n', out);
}

static void put_not_run(FILE *out, const struct test_run *run)
{
	const char *comma = "";
	size_t i;

	fputs("not run: ", out);
	for (i = 0; i < run->suite->count; i++) {
		enum test_outcome outcome = run->results[i].outcome;

		if (outcome != TEST_NOT_RUN && outcome != TEST_STOPPED)
			continue;
		fputs(comma, out);
		text_say(out, run->suite->cases[i].name);
		if (outcome == TEST_STOPPED)
			fputs(" (stopped)", out);
		comma = ", ";
	}
	fputc('\n', out);
}

void table_summary(FILE *out, const struct test_run *run, bool color)
{
	size_t left = run->done[TEST_NOT_RUN] + run->done[TEST_STOPPED];
	enum test_outcome worst = run->done[TEST_FAILED]   ? TEST_FAILED
				  : left		   ? TEST_STOPPED
				  : run->done[TEST_PASSED] ? TEST_PASSED
							   : TEST_SKIPPED;

	fprintf(out, "%s%zu passed, %zu failed, %zu skipped in %.1f s%s\n",
		color ? color_of(worst) : "", run->done[TEST_PASSED],
		run->done[TEST_FAILED], run->done[TEST_SKIPPED],
		(double)run->ms / 1000, color ? RESET : "");
	if (left)
		put_not_run(out, run);
}
