// SPDX-License-Identifier: MIT
#include "test/ktap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/ktap_tree.h"
#include "test/span.h"

/* ---- lines of TAP -------------------------------------------------------- */

static bool version_line(struct ktap *k, struct span s, size_t indent)
{
	span_take(&s, "K");
	if (!span_take(&s, "TAP version ") || span_take_number(&s) < 0 || s.len)
		return false;
	ktap_set_is_tap(k);
	ktap_begin(k, indent);
	return true;
}

static bool plan_line(struct ktap *k, struct span s, size_t indent)
{
	struct ktap_level *level;
	long planned;

	if (!span_take(&s, "1.."))
		return false;
	planned = span_take_number(&s);
	span_trim(&s);
	if (planned < 0 || (s.len && !span_take(&s, "#")))
		return false;
	ktap_set_is_tap(k);
	level = ktap_level_for(k, indent, false);
	if (level->planned >= 0) {
		ktap_begin(k, indent);
		level = &k->level[k->depth - 1];
	}
	level->planned = planned;
	span_trim(&s);
	if (planned == 0 && k->depth == 1 && span_is_word(&s, "skip")) {
		char *all = strdup("all");

		s.p += 4;
		s.len -= 4;
		span_trim(&s);
		if (!all)
			k->error = -ENOMEM;
		ktap_add(k, all, KTAP_SKIP, ktap_keep(k, s));
	}
	return true;
}

/* Cuts " # ..." off the description: there, or an empty span. */
static struct span cut_directive(struct span *s)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		if (s->p[i] == '#' && (i == 0 || s->p[i - 1] == ' ')) {
			struct span rest = { s->p + i + 1, s->len - i - 1 };

			s->len = i;
			span_trim(s);
			span_trim(&rest);
			return rest;
		}
	return (struct span){ s->p + s->len, 0 };
}

/* What the result is; *rest is left with the words about it. */
static enum ktap_result judge(bool ok, struct span *rest)
{
	static const struct {
		const char *word;
		bool any_case; /* TAP's own are */
		enum ktap_result ok, not_ok;
	} directives[] = {
		{ "SKIP", true, KTAP_SKIP, KTAP_SKIP },
		{ "SKIPPED", true, KTAP_SKIP, KTAP_SKIP },
		{ KTAP_TO_DO, true, KTAP_PASS, KTAP_XFAIL },
		{ "XFAIL", false, KTAP_XFAIL, KTAP_XFAIL },
		/* With these "not ok" is due: an "ok" is a mistake. */
		{ "TIMEOUT", false, KTAP_FAIL, KTAP_FAIL },
		{ "ERROR", false, KTAP_FAIL, KTAP_FAIL },
	};
	size_t i, n;

	for (i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		n = strlen(directives[i].word);
		if (!span_is_word(rest, directives[i].word) ||
		    (!directives[i].any_case &&
		     memcmp(rest->p, directives[i].word, n) != 0))
			continue;
		if (directives[i].any_case) {
			rest->p += n;
			rest->len -= n;
			while (rest->len &&
			       (*rest->p == ':' || *rest->p == ' ')) {
				rest->p++;
				rest->len--;
			}
		}
		return ok ? directives[i].ok : directives[i].not_ok;
	}
	return ok ? KTAP_PASS : KTAP_FAIL;
}

/* The line of a test that has tests below it: they count, and it names them. */
static void parent(struct ktap *k, size_t first, const char *name,
		   enum ktap_result result, char **detail)
{
	bool failed = false;
	size_t i;

	for (i = first; i < k->count; i++) {
		if (k->subs[i].result != KTAP_FAIL)
			continue;
		if (result == KTAP_XFAIL || result == KTAP_SKIP)
			k->subs[i].result = KTAP_XFAIL;
		else
			failed = true;
	}
	ktap_put_parent(k, first, name);
	if (result == KTAP_FAIL && !failed) {
		ktap_add_failure(k, name, *detail);
		*detail = NULL;
	}
}

static bool result_line(struct ktap *k, struct span s, size_t indent)
{
	bool ok = !span_take(&s, "not ");
	struct ktap_level *level;
	enum ktap_result result;
	struct span rest;
	char *name, *detail;
	long number;

	if (!span_take(&s, "ok") || (s.len && *s.p != ' '))
		return false;
	span_trim(&s);
	number = span_take_number(&s);
	if (number >= 0 && s.len && *s.p != ' ')
		return false;
	/* "ok" is a word that others print too. */
	if (number < 0 &&
	    (!k->is_tap || (k->depth && k->level[k->depth - 1].numbered)))
		return false;
	ktap_set_is_tap(k);
	level = ktap_level_for(k, indent, true);
	level->numbered = number >= 0;
	level->seen++;

	span_trim(&s);
	if (span_take(&s, "- ") || (s.len == 1 && span_take(&s, "-")))
		span_trim(&s);
	rest = cut_directive(&s);
	result = judge(ok, &rest);
	name = ktap_keep(k, s);
	if (!name && asprintf(&name, "test %ld", level->seen) < 0) {
		name = NULL;
		k->error = -ENOMEM;
	}
	detail = ktap_keep(k, rest);
	if (!detail && result == KTAP_FAIL) {
		detail = k->why;
		k->why = NULL;
	}
	k->failed_last = false;
	if (level->below < k->count && name) {
		parent(k, level->below, name, result, &detail);
		free(name);
		free(detail);
	} else {
		k->failed_last = result == KTAP_FAIL && !detail &&
				 k->count < KTAP_SUBS;
		ktap_add(k, name, result, detail);
	}
	level->below = k->count;
	free(k->why);
	k->why = NULL;
	return true;
}

/* KUnit's and kselftest's sums of results tell nothing new. */
static bool is_totals(struct span s)
{
	return span_take(&s, "Totals:") || (memmem(s.p, s.len, "pass:", 5) &&
					    memmem(s.p, s.len, "fail:", 5));
}

/* Why something failed, before its line (KTAP) or behind it (TAP). */
static void tell_why(struct ktap *k, struct span s)
{
	span_trim(&s);
	if (!s.len || is_totals(s))
		return;
	if (k->failed_last && k->count) {
		struct ktap_sub *last = &k->subs[k->count - 1];

		if (!last->detail)
			last->detail = ktap_keep(k, s);
		k->failed_last = false;
	} else if (!k->why) {
		k->why = ktap_keep(k, s);
	}
}

static void diagnostic_line(struct ktap *k, struct span s, size_t indent)
{
	struct ktap_level *top = k->depth ? &k->level[k->depth - 1] : NULL;

	span_trim(&s);
	if (!span_take(&s, "Subtest:")) {
		tell_why(k, s);
		return;
	}
	span_trim(&s);
	/* KTAP has it inside the level, behind the version; TAP 14 before it. */
	if (top && k->depth > 1 && top->indent == indent && !top->seen &&
	    !top->name) {
		top->name = ktap_keep(k, s);
		return;
	}
	free(k->subtest);
	k->subtest = ktap_keep(k, s);
}

static struct span unquoted(struct span s)
{
	span_trim(&s);
	if (s.len >= 2 && (*s.p == '"' || *s.p == '\'') &&
	    s.p[s.len - 1] == *s.p) {
		s.p++;
		s.len -= 2;
	}
	return s;
}

/* The block behind a result of TAP 13: between "---" and "...". */
static bool yaml_line(struct ktap *k, struct span s, size_t indent)
{
	if (!k->in_yaml) {
		if (!k->is_tap || !k->depth || s.len != 3 ||
		    !span_take(&s, "---") ||
		    indent <= k->level[k->depth - 1].indent)
			return false;
		k->in_yaml = true;
		k->yaml_indent = indent;
		return true;
	}
	if (indent < k->yaml_indent) {
		k->in_yaml = false; /* it was never ended */
		return false;
	}
	if (s.len == 3 && span_take(&s, "..."))
		k->in_yaml = false;
	else if (k->failed_last && span_take(&s, "message:"))
		tell_why(k, unquoted(s));
	return true;
}

static void tap_line(struct ktap *k, struct span s)
{
	size_t indent = span_take_blanks(&s);

	if (!s.len || yaml_line(k, s, indent) || version_line(k, s, indent) ||
	    plan_line(k, s, indent) || result_line(k, s, indent) || !k->is_tap)
		return;
	if (span_take(&s, "#")) {
		diagnostic_line(k, s, indent);
	} else if (span_take(&s, "Bail out!")) {
		span_trim(&s);
		ktap_add_failure(k, "Bail out!", ktap_keep(k, s));
	}
}

/* ---- lines of kvm-unit-tests --------------------------------------------- */

static void summary_line(struct ktap *k, struct span s)
{
	long failures;

	/* "N tests, N unexpected failures, ...": the second is left out at 0. */
	if (span_take_number(&s) < 0 || !span_take(&s, " tests, "))
		return;
	failures = span_take_number(&s);
	if (failures > 0 && span_take(&s, " unexpected failures") && !k->summed) {
		char *detail;

		k->summed = true;
		if (ktap_count(k, KTAP_FAIL))
			return;
		if (asprintf(&detail, "%ld unexpected failures", failures) < 0) {
			detail = NULL;
			k->error = -ENOMEM;
		}
		ktap_add_failure(k, "SUMMARY", detail);
	}
}

static void kvm_unit_tests_line(struct ktap *k, struct span s)
{
	static const struct {
		const char *word;
		enum ktap_result result;
	} words[] = {
		{ "PASS: ", KTAP_PASS },   { "FAIL: ", KTAP_FAIL },
		{ "SKIP: ", KTAP_SKIP },   { "XFAIL: ", KTAP_XFAIL },
		{ "KFAIL: ", KTAP_XFAIL }, { "XPASS: ", KTAP_FAIL },
		{ "ABORT: ", KTAP_FAIL },
	};
	size_t i;

	if (span_take(&s, "SUMMARY: ")) {
		summary_line(k, s);
		return;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_take(&s, words[i].word)) {
			char *why = NULL, *name;

			span_trim(&s);
			name = ktap_keep(k, s);
			if (name && words[i].result == KTAP_FAIL &&
			    words[i].word[0] != 'F') {
				why = strdup(
					words[i].word[0] == 'X'
						? "passed, which was not expected"
						: "aborted");
				if (!why)
					k->error = -ENOMEM;
			}
			ktap_add(k, name, words[i].result, why);
			return;
		}
}

/* ---- the console --------------------------------------------------------- */

/* "<6>", "[    1.234567] " and "[    T1] ", as printk() puts them. */
static void take_stamp(struct span *s)
{
	struct span t = *s;

	if (span_take(&t, "<") && span_take_number(&t) >= 0 && span_take(&t, ">"))
		*s = t;
	t = *s;
	if (!span_take(&t, "["))
		return;
	span_take_blanks(&t);
	if (span_take_number(&t) < 0 || !span_take(&t, ".") ||
	    span_take_number(&t) < 0 || !span_take(&t, "]"))
		return;
	*s = t;
	if (span_take(&t, "[")) {
		span_take_blanks(&t);
		if ((span_take(&t, "T") || span_take(&t, "C")) &&
		    span_take_number(&t) >= 0 && span_take(&t, "]"))
			*s = t;
	}
	span_take(s, " ");
}

static void end_line(struct ktap *k)
{
	struct span s = { k->line, k->len };

	k->len = 0;
	while (s.len && (s.p[s.len - 1] == '\r' || s.p[s.len - 1] == ' '))
		s.len--;
	while (span_take(&s, "\r"))
		;
	take_stamp(&s);
	tap_line(k, s);
	if (!k->is_tap)
		kvm_unit_tests_line(k, s);
}

void ktap_feed(struct ktap *ktap, const void *buf, size_t len)
{
	const char *p = buf, *end;
	size_t n, fit;

	while (len) {
		end = memchr(p, '\n', len);
		n = end ? (size_t)(end - p) : len;
		fit = KTAP_LINE - ktap->len;
		if (fit > n)
			fit = n;
		memcpy(ktap->line + ktap->len, p, fit);
		ktap->len += fit;
		if (!end)
			return;
		end_line(ktap);
		p += n + 1;
		len -= n + 1;
	}
}

void ktap_finish(struct ktap *ktap)
{
	if (ktap->len)
		end_line(ktap);
	while (ktap->depth)
		ktap_close_level(ktap, false);
}
