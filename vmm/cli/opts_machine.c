// SPDX-License-Identifier: MIT
/* opts_machine.c: the options whose values are lists about the machine. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kv.h"
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

static int rtc_nvram(const char *text, struct opts_nvram *nvram, char *err)
{
	char *path;

	if (!*text)
		return opts_fail(err, "--rtc: 'nvram' needs a file");
	path = strdup(text);
	if (!path)
		return opts_fail(err, "out of memory");
	free(nvram->path);
	nvram->path = path;
	return 0;
}

int opts_rtc(const char *text, struct run_opts *opts, char *err)
{
	static const char *const keys[] = { "base", "clock", "nvram" };
	struct trapmap_machine *m = &opts->machine;
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
			opts->nvram.set_clock = true;
		} else if (i == 2) {
			r = rtc_nvram(kv.value, &opts->nvram, err);
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
