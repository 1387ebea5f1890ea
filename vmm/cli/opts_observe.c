// SPDX-License-Identifier: MIT
/* opts_observe.c: the options about watching a guest: its lines, its exits. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "attached.h"
#include "kv.h"
#include "opts_parts.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- --fail-on, --expect ------------------------------------------------ */

static int add_rule(struct run_opts *opts, enum trapmap_rule rule,
		    const char *regex, char *err)
{
	struct opts_rule *to = &opts->rules[opts->rule_count];

	if (opts->rule_count == TRAPMAP_RULES_MAX)
		return opts_fail(err,
				 "more than %d rules by --fail-on and --expect",
				 TRAPMAP_RULES_MAX);
	to->rule = rule;
	to->regex = regex ? strdup(regex) : NULL;
	if (regex && !to->regex)
		return opts_fail(err, "out of memory");
	opts->rule_count++;
	return 0;
}

int opts_fail_on(const char *text, struct run_opts *opts, char *err)
{
	struct kv_list list = kv_list(text);
	char item[KV_ITEM_MAX];
	int r;

	while ((r = kv_item(&list, item)) > 0) {
		if (strcmp(item, "panic") == 0)
			r = add_rule(opts, TRAPMAP_RULE_PANIC, NULL, err);
		else if (strcmp(item, "splat") == 0)
			r = add_rule(opts, TRAPMAP_RULE_SPLAT, NULL, err);
		else
			r = add_rule(opts, TRAPMAP_RULE_FAIL, item, err);
		if (r)
			return r;
	}
	if (r == -E2BIG)
		return opts_fail(err,
				 "--fail-on: an expression is longer than %d "
				 "bytes",
				 KV_ITEM_MAX - 1);
	if (r)
		return opts_fail(err,
				 "--fail-on '%s': an empty item; 'panic', "
				 "'splat' or a regular expression is expected "
				 "(a comma in it is written twice)",
				 text);
	return 0;
}

int opts_expect(const char *text, struct run_opts *opts, char *err)
{
	if (!*text)
		return opts_fail(err, "--expect '': a regular expression is "
				      "expected, which one line must match");
	return add_rule(opts, TRAPMAP_RULE_EXPECT, text, err);
}

/* ---- --trace ------------------------------------------------------------- */

static int trace_kinds(const char *text, uint32_t *ret_kinds, char *err)
{
	static const struct opts_choice choices[] = {
		{ "pio", TRAPMAP_TRACE_PIO },
		{ "mmio", TRAPMAP_TRACE_MMIO },
		{ "msr", TRAPMAP_TRACE_MSR },
		{ "hypercall", TRAPMAP_TRACE_HYPERCALL },
		{ "other", TRAPMAP_TRACE_OTHER },
	};
	uint32_t kinds = 0;
	char word[32];
	int r, kind;

	for (;;) {
		size_t len = strcspn(text, "+|");

		/* Cut short, it is none of them any more than before. */
		if (len >= sizeof(word))
			return opts_fail(err,
					 "--trace only '%.20s...': not a kind "
					 "of exit",
					 text);
		memcpy(word, text, len);
		word[len] = '\0';
		r = opts_choose(err, "--trace only", word, choices,
				COUNT(choices), &kind);
		if (r)
			return r;
		kinds |= (uint32_t)kind;
		if (!text[len])
			break;
		text += len + 1;
	}
	*ret_kinds = kinds;
	return 0;
}

static const char *const trace_keys[] = { "file", "only", "range" };

#define TRACE_KEYS (sizeof(trace_keys) / sizeof(trace_keys[0]))

/* One item of the list. On failure t->path is the caller's to free, too. */
static int trace_item(const struct kv *kv, struct opts_trace *t, bool *seen,
		      char *err)
{
	const char *key = kv->key ? kv->key : trace_keys[0], *why;
	size_t i;

	for (i = 0; i < TRACE_KEYS && strcmp(key, trace_keys[i]); i++)
		;
	if (i == TRACE_KEYS)
		return opts_bad_key(err, "--trace", key, trace_keys,
				    TRACE_KEYS);
	if (!kv->value || !*kv->value)
		return opts_fail(err, "--trace: '%s' needs a value", key);
	if (seen[i])
		return opts_fail(err, "--trace: '%s' is given twice", key);
	seen[i] = true;
	if (i == 1)
		return trace_kinds(kv->value, &t->kinds, err);
	if (i == 2) {
		if (value_range(kv->value, &t->first, &t->last, &why))
			return opts_fail(err, "--trace range '%s': %s",
					 kv->value, why);
		return 0;
	}
	free(t->path);
	t->path = strdup(kv->value);
	return t->path ? 0 : opts_fail(err, "out of memory");
}

int opts_trace(const char *text, struct opts_trace *trace, char *err)
{
	struct kv_list list = kv_list(text);
	struct opts_trace t = { 0 };
	bool seen[TRACE_KEYS] = { false };
	struct kv kv;
	int r = 0, bad = 0;

	if (!*text)
		return opts_fail(err, "--trace '': a path is expected");
	while (!bad && (r = kv_next(&list, &kv)) > 0)
		bad = trace_item(&kv, &t, seen, err);
	if (!bad && r < 0)
		bad = opts_bad_list(err, "--trace", text, r);
	else if (!bad && !t.path)
		bad = opts_fail(err,
				"--trace '%s': a file is expected: "
				"FILE[,only=...][,range=FIRST-LAST]",
				text);
	if (bad) {
		free(t.path);
		return bad;
	}
	free(trace->path);
	*trace = t;
	return 0;
}

/* ---- one file, two uses -------------------------------------------------- */

struct named {
	const char *name; /* of the option */
	const char *path;
};

/* A device or a pipe can well be given twice: /dev/null, /dev/stdout. */
static bool is_device(const char *path)
{
	return strncmp(path, "/dev/", 5) == 0;
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Whether an option would write what others need; one that is attached, or not. */
static int check_output(const struct run_opts *opts, const char *name,
			const char *path, const struct attached *self,
			char *err)
{
	const char *use = NULL;
	size_t k;

	if (same(path, opts->kernel))
		use = "the kernel";
	if (same(path, opts->symbols))
		use = "what --symbols reads";
	if (same(path, opts->board))
		use = "what --machine reads";
	if (same(path, opts->dtb))
		use = "what --dtb reads";
	for (k = 0; k < opts->initrd_count; k++)
		if (same(path, opts->initrd[k]))
			use = "an initrd";
	if (!use)
		use = attached_use(opts, self, path);
	if (!use)
		return 0;
	return opts_fail(err, "%s would overwrite '%s', which is %s", name, path,
			 use);
}

static int check_attached(const struct run_opts *opts, char *err)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < opts->attached_count && r == 0; i++) {
		const struct attached *a = opts->attached[i];
		const char *path = a->ops->writes ? a->ops->file(a) : NULL;

		if (path && !is_device(path))
			r = check_output(opts, "--console", path, a, err);
	}
	return r;
}

static const char *serial_file(const struct run_opts *opts, unsigned port)
{
	const struct opts_sink *sink = &opts->serial[port];

	return sink->kind == OPTS_SINK_FILE ? sink->path : NULL;
}

int opts_check_files(const struct run_opts *opts, char *err)
{
	const struct named out[] = {
		{ "--serial", serial_file(opts, 0) },
		{ "--serial", serial_file(opts, 1) },
		{ "--serial", serial_file(opts, 2) },
		{ "--serial", serial_file(opts, 3) },
		{ "--debugcon", opts->debugcon.path },
		{ "--rtc nvram", opts->nvram.path },
		{ "--mem", opts->mem.path },
		{ "--report", opts->report },
		{ "--trace", opts->trace.path },
		{ "--dump-dtb", opts->dump_dtb },
	};
	size_t i, k;

	for (i = 0; i < COUNT(out); i++) {
		const char *path = out[i].path;
		int r;

		if (!path || is_device(path))
			continue;
		for (k = 0; k < i; k++)
			if (same(path, out[k].path))
				return opts_fail(err,
						 "%s and %s both write '%s'; "
						 "each needs a file of its own",
						 out[k].name, out[i].name,
						 path);
		r = check_output(opts, out[i].name, path, NULL, err);
		if (r)
			return r;
	}
	return check_attached(opts, err);
}
