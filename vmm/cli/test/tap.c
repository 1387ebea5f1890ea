// SPDX-License-Identifier: MIT
#include "test/tap.h"

#include <stdlib.h>
#include <string.h>

#include "test/text.h"

#define TAIL_LINES 20
#define TAIL_BYTES 400

/* A description or reason: what would end it early is escaped. */
static void put_text(FILE *out, const char *text)
{
	char *clean = NULL, *p;
	size_t len = 0;
	FILE *f = open_memstream(&clean, &len);

	if (!f)
		return;
	text_say(f, text);
	if (fclose(f) == 0)
		for (p = clean; *p; p++) {
			if (*p == '#' || *p == '\\')
				fputc('\\', out);
			fputc(*p, out);
		}
	free(clean);
}

static void put_result(FILE *out, const char *indent, bool ok, size_t number,
		       const char *name, const char *directive,
		       const char *reason)
{
	fprintf(out, "%s%s %zu - ", indent, ok ? "ok" : "not ok", number);
	put_text(out, name);
	if (directive) {
		fprintf(out, " # %s", directive);
		if (reason) {
			fputc(' ', out);
			put_text(out, reason);
		}
	}
	fputc('\n', out);
}

static void put_subs(struct tap *tap, const char *name, const struct ktap *subs)
{
	static const char indent[] = "    ";
	size_t i;

	if (!subs->count)
		return;
	fputs("# Subtest: ", tap->out);
	put_text(tap->out, name);
	fprintf(tap->out, "\n%s1..%zu\n", indent, subs->count);
	for (i = 0; i < subs->count; i++) {
		const struct ktap_sub *sub = &subs->subs[i];
		const char *directive = sub->result == KTAP_SKIP    ? "SKIP"
					: sub->result == KTAP_XFAIL ? KTAP_TO_DO
								    : NULL;

		put_result(tap->out, indent,
			   sub->result == KTAP_PASS || sub->result == KTAP_SKIP,
			   i + 1, sub->name, directive, sub->detail);
		if (sub->result == KTAP_FAIL && sub->detail) {
			fprintf(tap->out, "%s# ", indent);
			text_say(tap->out, sub->detail);
			fputc('\n', tap->out);
		}
	}
	if (subs->count < ktap_total(subs))
		fprintf(tap->out, "%s# %zu more are left out\n", indent,
			ktap_total(subs) - subs->count);
}

static void put_key(FILE *out, const char *key, const char *text)
{
	fprintf(out, "  %s: ", key);
	text_quoted(out, text, strlen(text));
	fputc('\n', out);
}

static void put_failure(struct tap *tap, size_t index)
{
	const struct test_result *result = &tap->run->results[index];
	const char *rest, *line;
	size_t at, left, len;

	fputs("  ---\n", tap->out);
	put_key(tap->out, "message", result->reason ? result->reason : "");
	fputs("  severity: fail\n", tap->out);
	if (result->has_status)
		fprintf(tap->out, "  status: %d\n", result->status);
	fprintf(tap->out, "  duration_ms: %lld\n", (long long)result->ms);
	if (!tap->run->artifacts->temporary)
		put_key(tap->out, "artifacts", tap->run->artifacts->dirs[index]);
	if (result->console_len) {
		at = text_last_lines(result->console, result->console_len,
				     TAIL_LINES);
		rest = result->console + at;
		left = result->console_len - at;
		fputs("  console:\n", tap->out);
		while ((line = text_line(&rest, &left, &len)) != NULL) {
			fputs("    - ", tap->out);
			text_quoted(tap->out, line,
				    len > TAIL_BYTES ? TAIL_BYTES : len);
			fputc('\n', tap->out);
		}
	}
	fputs("  ...\n", tap->out);
}

static void put_case(struct tap *tap, size_t index)
{
	const struct test_result *result = &tap->run->results[index];
	const char *name = tap->run->suite->cases[index].name;

	put_subs(tap, name, &result->subs);
	switch (result->outcome) {
	case TEST_PASSED:
		put_result(tap->out, "", true, index + 1, name, NULL, NULL);
		break;
	case TEST_FAILED:
		put_result(tap->out, "", false, index + 1, name, NULL, NULL);
		put_failure(tap, index);
		break;
	case TEST_SKIPPED:
		put_result(tap->out, "", true, index + 1, name, "SKIP",
			   result->reason);
		break;
	default:
		put_result(tap->out, "", true, index + 1, name, "SKIP",
			   "not run");
		break;
	}
}

static bool is_done(const struct test_result *result)
{
	return result->outcome == TEST_PASSED ||
	       result->outcome == TEST_FAILED || result->outcome == TEST_SKIPPED;
}

void tap_begin(struct tap *ret_tap, FILE *out, const struct test_run *run)
{
	*ret_tap = (struct tap){ .out = out, .run = run };
	fprintf(out, "TAP version 13\n1..%zu\n", run->suite->count);
	fflush(out);
}

void tap_update(struct tap *tap)
{
	size_t count = tap->run->suite->count;

	while (tap->next < count && is_done(&tap->run->results[tap->next]))
		put_case(tap, tap->next++);
	fflush(tap->out);
}

void tap_end(struct tap *tap)
{
	int sig = tap->run->signal;

	for (; tap->next < tap->run->suite->count; tap->next++)
		if (!sig || is_done(&tap->run->results[tap->next]))
			put_case(tap, tap->next);
	if (sig)
		fprintf(tap->out, "Bail out! signal %d (%s)\n", sig,
			strsignal(sig));
	fflush(tap->out);
}
