// SPDX-License-Identifier: MIT
#include "test/junit.h"

#include <string.h>

#include "test/text.h"

/* The name of the suite that has all cases. */
#define SUITE "trapmap"

static void put_attr(FILE *out, const char *name, const char *text)
{
	fprintf(out, " %s=\"", name);
	text_xml(out, text, strlen(text), 1);
	fputc('"', out);
}

static void put_seconds(FILE *out, int64_t ms)
{
	fprintf(out, " time=\"%lld.%03lld\"", (long long)ms / 1000,
		(long long)ms % 1000);
}

static void put_counts(FILE *out, size_t tests, size_t failed, size_t skipped)
{
	fprintf(out,
		" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"",
		tests, failed, skipped);
}

static void put_element(FILE *out, const char *name, const char *message)
{
	fprintf(out, "      <%s", name);
	if (message)
		put_attr(out, "message", message);
	fputs("/>\n", out);
}

static size_t skipped_of(const struct test_run *run)
{
	return run->done[TEST_SKIPPED] + run->done[TEST_NOT_RUN] +
	       run->done[TEST_STOPPED];
}

static void put_case(FILE *out, const struct test_run *run, size_t index)
{
	const struct test_result *result = &run->results[index];

	fputs("    <testcase", out);
	put_attr(out, "classname", SUITE);
	put_attr(out, "name", run->suite->cases[index].name);
	put_seconds(out, result->ms);
	fputs(">\n", out);
	switch (result->outcome) {
	case TEST_PASSED: break;
	case TEST_FAILED:
		fputs("      <failure", out);
		put_attr(out, "message", result->reason ? result->reason : "");
		fputc('>', out);
		if (result->has_status)
			fprintf(out, "status %d", result->status);
		if (!run->artifacts->temporary) {
			fputs(", files: ", out);
			text_xml(out, run->artifacts->dirs[index],
				 strlen(run->artifacts->dirs[index]), 0);
		}
		fputs("</failure>\n", out);
		break;
	case TEST_STOPPED:
	case TEST_NOT_RUN:
		put_element(out, "skipped",
			    result->outcome == TEST_STOPPED
				    ? "not run: stopped before its end"
				    : "not run");
		break;
	default: put_element(out, "skipped", result->reason); break;
	}
	if (result->console_len) {
		fputs("      <system-out>", out);
		text_xml(out, result->console, result->console_len, 0);
		fputs("</system-out>\n", out);
	}
	fputs("    </testcase>\n", out);
}

static void put_sub(FILE *out, const char *suite, const struct ktap_sub *sub)
{
	fputs("    <testcase", out);
	put_attr(out, "classname", suite);
	put_attr(out, "name", sub->name);
	if (sub->result == KTAP_PASS) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	if (sub->result == KTAP_FAIL)
		put_element(out, "failure",
			    sub->detail ? sub->detail : "not ok");
	else if (sub->result == KTAP_SKIP)
		put_element(out, "skipped", sub->detail);
	else
		put_element(out, "skipped",
			    sub->detail ? sub->detail : "failed, as expected");
	fputs("    </testcase>\n", out);
}

static void put_subs(FILE *out, const struct test_run *run, size_t index)
{
	const struct test_result *result = &run->results[index];
	const char *name = run->suite->cases[index].name;
	size_t count[KTAP_RESULTS] = { 0 }, i;

	if (!result->subs.count)
		return;
	for (i = 0; i < result->subs.count; i++)
		count[result->subs.subs[i].result]++;
	fputs("  <testsuite", out);
	put_attr(out, "name", name);
	put_counts(out, result->subs.count, count[KTAP_FAIL],
		   count[KTAP_SKIP] + count[KTAP_XFAIL]);
	put_seconds(out, result->ms);
	fputs(">\n", out);
	for (i = 0; i < result->subs.count; i++)
		put_sub(out, name, &result->subs.subs[i]);
	fputs("  </testsuite>\n", out);
}

void junit_write(FILE *out, const struct test_run *run)
{
	size_t i;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
	put_attr(out, "name", "trapmap test");
	put_seconds(out, run->ms);
	fputs(">\n  <testsuite", out);
	put_attr(out, "name", SUITE);
	put_counts(out, run->suite->count, run->done[TEST_FAILED],
		   skipped_of(run));
	put_seconds(out, run->ms);
	fputs(">\n", out);
	for (i = 0; i < run->suite->count; i++)
		put_case(out, run, i);
	fputs("  </testsuite>\n", out);
	for (i = 0; i < run->suite->count; i++)
		put_subs(out, run, i);
	fputs("</testsuites>\n", out);
}
