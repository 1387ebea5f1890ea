// SPDX-License-Identifier: MIT
/* opts_machine.c: the options whose values are lists about the machine. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kv.h"
#include "nearest.h"
#include "opts_parts.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opts_choice rtc_clock_choices[] = {
	{ "host", TRAPMAP_RTC_CLOCK_HOST },
	{ "vm", TRAPMAP_RTC_CLOCK_VM },
};

static int rtc_base(const char *text, struct trapmap_machine *m, char *err)
{
	const char *why;

	if (strcmp(text, "utc") == 0) {
		m->rtc_base = TRAPMAP_RTC_BASE_UTC;
	} else if (strcmp(text, "localtime") == 0) {
		m->rtc_base = TRAPMAP_RTC_BASE_LOCALTIME;
	} else if (strchr("@0123456789", text[0])) {
		if (value_date(text, &m->rtc_epoch, &why))
			return opts_fail(err, "--rtc '%s': %s", text, why);
		m->rtc_base = TRAPMAP_RTC_BASE_EPOCH;
	} else {
		return opts_fail(err,
				 "--rtc '%s': 'utc', 'localtime' or a time as "
				 "2024-02-29T23:59:58 is expected",
				 text);
	}
	return 0;
}

int opts_rtc(const char *text, struct trapmap_machine *m, char *err)
{
	static const char *const keys[] = { "base", "clock" };
	struct kv_list list = kv_list(text);
	bool seen[COUNT(keys)] = { false };
	struct kv kv;
	int r, value = 0;
	size_t i;

	while ((r = kv_next(&list, &kv)) > 0) {
		const char *key = kv.key ? kv.key : keys[0];

		for (i = 0; i < COUNT(keys) && strcmp(key, keys[i]); i++)
			;
		if (i == COUNT(keys))
			return opts_bad_key(err, "--rtc", key, keys,
					    COUNT(keys));
		if (!kv.value)
			return opts_fail(err, "--rtc: '%s' needs a value", key);
		if (seen[i])
			return opts_fail(err, "--rtc: '%s' is given twice",
					 key);
		seen[i] = true;
		if (i == 0) {
			r = rtc_base(kv.value, m, err);
		} else {
			r = opts_choose(err, "--rtc clock", kv.value,
					rtc_clock_choices,
					COUNT(rtc_clock_choices), &value);
			m->rtc_clock = (enum trapmap_rtc_clock)value;
		}
		if (r)
			return r;
	}
	return r ? opts_bad_list(err, "--rtc", text, r) : 0;
}

struct sink_names {
	const char *option;
	const char *expected;
	const char *names[4];
	enum opts_sink_kind kinds[4];
	size_t count;
};

static int parse_sink(const struct sink_names *n, const char *text,
		      struct opts_sink *sink, char *err)
{
	struct kv_list list = kv_list(text);
	char *path = NULL;
	const char *name;
	struct kv kv;
	int r = kv_next(&list, &kv);
	size_t i;

	if (r < 0)
		return opts_bad_list(err, n->option, text, r);
	name = kv.key ? kv.key : kv.value;
	for (i = 0; i < n->count && strcmp(name, n->names[i]); i++)
		;
	if (i == n->count) {
		const char *known = nearest(name, n->names, n->count);

		if (known)
			return opts_fail(err, "%s '%s': did you mean '%s'?",
					 n->option, text, known);
		return opts_fail(err, "%s '%s': %s is expected", n->option,
				 text, n->expected);
	}
	if (n->kinds[i] != OPTS_SINK_FILE) {
		if (kv.key)
			return opts_fail(err, "%s '%s': '%s' takes no value",
					 n->option, text, name);
	} else {
		if (!kv.key || !kv.value || !*kv.value)
			return opts_fail(err,
					 "%s '%s': 'file' needs a path: file=PATH",
					 n->option, text);
		path = strdup(kv.value);
		if (!path)
			return opts_fail(err, "out of memory");
	}
	free(sink->path);
	sink->path = path;
	sink->kind = n->kinds[i];
	r = kv_next(&list, &kv);
	if (r < 0)
		return opts_bad_list(err, n->option, text, r);
	if (r > 0)
		return opts_fail(err,
				 "%s: unknown key '%s' (a comma in a path is "
				 "written twice)",
				 n->option, kv.key);
	return 0;
}

int opts_serial(const char *text, struct opts_sink *sink, char *err)
{
	static const struct sink_names names = {
		.option = "--serial",
		.expected = "'stdio', 'null' or 'file=PATH'",
		.names = { "stdio", "null", "file" },
		.kinds = { OPTS_SINK_STDIO, OPTS_SINK_NULL, OPTS_SINK_FILE },
		.count = 3,
	};

	return parse_sink(&names, text, sink, err);
}

int opts_debugcon(const char *text, struct opts_sink *sink, char *err)
{
	static const struct sink_names names = {
		.option = "--debugcon",
		.expected = "'stdio', 'stderr', 'null' or 'file=PATH'",
		.names = { "stdio", "stderr", "null", "file" },
		.kinds = { OPTS_SINK_STDIO, OPTS_SINK_STDERR, OPTS_SINK_NULL,
			   OPTS_SINK_FILE },
		.count = 4,
	};

	return parse_sink(&names, text, sink, err);
}
