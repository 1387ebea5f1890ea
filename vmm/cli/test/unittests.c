// SPDX-License-Identifier: MIT
/*
 * unittests.c: the tests of a kvm-unit-tests tree, from its x86/unittests.cfg;
 * the format is described in that tree's docs/unittests.txt. What Trapmap cannot
 * give a test makes the test skipped, with the reason.
 *
 * Not done: the environment that run_tests.sh makes of a tree's errata and gives
 * to a guest as its initrd; x86 guests do without.
 */
#include "test/suite.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/shell.h"
#include "test/unittests_cfg.h"
#include "test/unittests_params.h"
#include "value.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

/* QEMU's, where -m is absent. */
#define QEMU_DEFAULT_MEM (128 * MIB)

/*
 * What the guest writes to port 0xf4 is its exit code; the status is twice that
 * plus 1. lib/report.c: 0 for success, 77 if all was skipped.
 */
#define STATUS_PASS (0 << 1 | 1)
#define STATUS_SKIP (77 << 1 | 1)
#define STATUS_PANIC 10 /* what "trapmap run" makes of a panic */

/* A word of a list that is parted by blanks. */
static bool next_word(const char **list, const char **ret_word, size_t *ret_len)
{
	*list += strspn(*list, " \t");
	*ret_word = *list;
	*ret_len = strcspn(*list, " \t");
	*list += *ret_len;
	return *ret_len > 0;
}

static bool is_in(const char *list, const char *name)
{
	const char *word;
	size_t len;

	while (list && next_word(&list, &word, &len))
		if (strlen(name) == len && memcmp(word, name, len) == 0)
			return true;
	return false;
}

/* Looks whether a file of the host says what a test needs: "PATH=VALUE". */
static int check_file(const char *item, size_t len,
		      const struct unittests_host *host, struct test_case *test)
{
	char *path = strndup(item, len), *value, line[256];
	int r = 0;

	if (!path)
		return -ENOMEM;
	value = strchr(path, '=');
	if (value)
		*value++ = '\0';
	if (!value)
		r = suite_skip(test, "check = '%.80s': PATH=VALUE is expected",
			       path);
	else if ((strncmp(path, "/sys/", 5) && strncmp(path, "/proc/", 6)) ||
		 strstr(path, ".."))
		r = suite_skip(test,
			       "check = '%.80s': only files of /sys and /proc "
			       "are looked at",
			       path);
	else if (host->read_line(path, line, sizeof(line)))
		r = suite_skip(test, "%.120s is not there; '%.40s' is needed",
			       path, value);
	else if (strcmp(line, value) != 0)
		r = suite_skip(test, "%.120s is '%.40s'; '%.40s' is needed",
			       path, line, value);
	free(path);
	return r;
}

/* What a test demands of where it is run. */
static int check_place(const struct unittests_section *s,
		       const struct unittests_host *host, struct test_case *test)
{
	const char *arch = s->values[UNITTESTS_ARCH];
	const char *accel = s->values[UNITTESTS_ACCEL];
	const char *check = s->values[UNITTESTS_CHECK];
	const char *word;
	size_t len;
	int r = 0;

	if (s->unknown)
		r = suite_skip(test, "line %zu: '%.64s' is not known here",
			       s->unknown_line, s->unknown);
	if (r == 0 && arch && !is_in(arch, "x86_64"))
		r = suite_skip(test, "for %.32s", arch);
	if (r == 0 && accel && strcmp(accel, "kvm") != 0)
		r = suite_skip(test, "for accel = %.32s", accel);
	if (r == 0 && is_in(s->values[UNITTESTS_GROUPS], "migration"))
		r = suite_skip(test, "would be migrated while it runs");
	while (r == 0 && check && next_word(&check, &word, &len))
		r = check_file(word, len, host, test);
	return r;
}

static int set_timeout(const char *text, struct test_case *test)
{
	const char *why;

	/* For timeout(1), which reads it there, 0 is no limit. */
	if (!text || strcmp(text, "0") == 0)
		return 0;
	if (value_duration(text, &test->timeout_ms, &why))
		return suite_skip(test, "timeout = '%.40s': %s", text, why);
	return 0;
}

static int set_smp(const char *text, const struct unittests_host *host,
		   struct test_case *test, struct unittests_params *params)
{
	int64_t cpus = 1;

	if (text && (shell_number(text, host->cpus, &cpus) || cpus < 1 ||
		     cpus > UINT32_MAX))
		return suite_skip(test,
				  "smp = '%.60s': a number of processors is "
				  "expected",
				  text);
	if (!params->cpus)
		params->cpus = cpus;
	return 0;
}

static int split(const struct unittests_section *s, enum unittests_key key,
		 const struct unittests_host *host, struct test_case *test,
		 struct shell_words *ret_words)
{
	const char *text = s->values[key], *why = NULL;
	int r;

	if (!text)
		return 0;
	r = shell_split(text, host->cpus, ret_words, &why);
	if (r == -EINVAL)
		return suite_skip(test, "%s: %s", unittests_keys[key], why);
	return r;
}

/* test_args, which are one word for QEMU; one without quotes may be many. */
static int join(const struct shell_words *words, char **ret_text)
{
	size_t size = 1, len, i;
	char *text, *end;

	for (i = 0; i < words->count; i++)
		size += strlen(words->words[i]) + 1;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	end = text;
	for (i = 0; i < words->count; i++) {
		if (i)
			*end++ = ' ';
		len = strlen(words->words[i]);
		memcpy(end, words->words[i], len);
		end += len;
	}
	*end = '\0';
	*ret_text = text;
	return 0;
}

static int add_args(const struct unittests_section *s, const char *cfg,
		    const struct unittests_params *p, const char *append,
		    struct test_case *test)
{
	char *path = suite_beside(cfg, s->values[UNITTESTS_FILE]);
	int r = path ? 0 : -ENOMEM;

	test->cpus = (uint32_t)p->cpus;
	test->mem = p->mem;
	if (r == 0)
		r = suite_arg(test, "-k");
	if (r == 0)
		r = suite_arg(test, "%s", path);
	if (r == 0)
		r = suite_arg(test, "-c");
	if (r == 0)
		r = suite_arg(test, "%u", test->cpus);
	if (r == 0)
		r = suite_arg(test, "-m");
	if (r == 0)
		r = p->mem % MIB ? suite_arg(test, "%lluK", p->mem / KIB)
				 : suite_arg(test, "%lluM", p->mem / MIB);
	if (r == 0 && append)
		r = suite_arg(test, "-p");
	if (r == 0 && append)
		r = suite_arg(test, "%s", append);
	if (r == 0)
		r = suite_arg(test, "--testdev");
	if (r == 0 && p->cpu)
		r = unittests_cpu(p->cpu, test);
	free(path);
	return r;
}

static int fill(const struct unittests_section *s, const char *cfg,
		const struct unittests_host *host, struct test_case *test)
{
	struct unittests_params params = { .mem = QEMU_DEFAULT_MEM };
	struct shell_words words = { 0 }, args = { 0 };
	char *joined = NULL;
	int r = check_place(s, host, test);

	test->pass.status = STATUS_PASS;
	test->pass.skip_status = STATUS_SKIP;
	if (is_in(s->values[UNITTESTS_GROUPS], "panic"))
		test->pass.status = STATUS_PANIC;
	if (r == 0)
		r = set_timeout(s->values[UNITTESTS_TIMEOUT], test);
	if (r == 0)
		r = split(s, UNITTESTS_PARAMS, host, test, &words);
	if (r == 0)
		r = split(s, UNITTESTS_TEST_ARGS, host, test, &args);
	if (r == 0)
		r = unittests_params(&words, test, &params);
	if (r == 0)
		r = set_smp(s->values[UNITTESTS_SMP], host, test, &params);
	if (r == 0 && args.count)
		r = join(&args, &joined);
	if (r == 0)
		/* As for QEMU, where -append comes behind test_args. */
		r = add_args(s, cfg, &params,
			     params.append ? params.append : joined, test);
	free(joined);
	shell_words_done(&words);
	shell_words_done(&args);
	return r;
}

static bool is_wanted(const struct unittests_section *s, const char *group)
{
	const char *groups = s->values[UNITTESTS_GROUPS];

	return group ? is_in(groups, group) : !is_in(groups, "nodefault");
}

/* The groups that there are, for whoever asked for another. */
static int no_group(const struct unittests_cfg *cfg, const char *group)
{
	char list[512] = "";
	size_t i, len, used = 0;

	for (i = 0; i < cfg->count; i++) {
		const char *groups = cfg->sections[i].values[UNITTESTS_GROUPS];
		const char *word;
		char name[64];

		while (groups && next_word(&groups, &word, &len)) {
			if (len >= sizeof(name) || used + len + 2 > sizeof(list))
				continue;
			snprintf(name, sizeof(name), "%.*s", (int)len, word);
			if (is_in(list, name))
				continue;
			used += (size_t)snprintf(list + used,
						 sizeof(list) - used, "%s%s",
						 used ? " " : "", name);
		}
	}
	return unittests_bad(cfg, 1, 1,
			     "no test is in the group '%.64s'; groups: %s",
			     group, used ? list : "none");
}

static int add_tests(const struct unittests_cfg *cfg, const char *group,
		     const struct unittests_host *host, struct test_suite *suite)
{
	size_t i;

	for (i = 0; i < cfg->count; i++) {
		const struct unittests_section *s = &cfg->sections[i];
		struct test_case *test;

		if (!is_wanted(s, group))
			continue;
		test = suite_add(suite);
		if (!test || suite_name(suite, test, s->name) ||
		    fill(s, cfg->path, host, test))
			return -ENOMEM;
	}
	return 0;
}

int unittests_parse(const char *path, const char *buf, size_t len,
		    const char *group, const struct unittests_host *host,
		    struct test_suite *suite, char err[TEST_ERR_SIZE])
{
	struct test_suite own = { 0 };
	struct unittests_cfg cfg;
	int r = unittests_cfg_read(&cfg, path, buf, len, err);

	if (r == 0)
		r = add_tests(&cfg, group, host, &own);
	if (r == 0 && own.count)
		r = suite_take(suite, &own);
	else if (r == 0 && group)
		r = no_group(&cfg, group);
	else if (r == 0)
		r = unittests_bad(&cfg, 1, 1, "no tests");
	if (r == -ENOMEM)
		snprintf(err, TEST_ERR_SIZE, "out of memory");
	unittests_cfg_done(&cfg);
	suite_done(&own);
	return r;
}
