// SPDX-License-Identifier: MIT
/* manifest.c: the tests of a YAML file. docs/test.md describes its keys. */
#include "test/suite.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/manifest_yaml.h"
#include "value.h"

#define NAME_MAX_LEN 100

enum { TOP_VERSION, TOP_DEFAULTS, TOP_TESTS, TOP_COUNT };

static const struct manifest_key top_keys[] = {
	[TOP_VERSION] = { "version", "1" },
	[TOP_DEFAULTS] = { "defaults", "a mapping of keys that a test has" },
	[TOP_TESTS] = { "tests", "a list of tests" },
};

/* Of a test; those of the defaults are all but the first few. */
enum {
	KEY_NAME,
	KEY_SKIP,
	KEY_SHARED,
	KEY_KERNEL = KEY_SHARED,
	KEY_INITRD,
	KEY_PARAMS,
	KEY_CPUS,
	KEY_MEMORY,
	KEY_TIMEOUT,
	KEY_EXPECT,
	KEY_FAIL_ON,
	KEY_STATUS,
	KEY_SKIP_STATUS,
	KEY_OPTIONS,
	KEY_COUNT
};

static const struct manifest_key keys[] = {
	[KEY_NAME] = { "name", "a name of its own" },
	[KEY_SKIP] = { "skip", "the reason" },
	[KEY_KERNEL] = { "kernel", "a path" },
	[KEY_INITRD] = { "initrd", "a path, or a list of paths" },
	[KEY_PARAMS] = { "params", "the kernel's command line" },
	[KEY_CPUS] = { "cpus", "a whole number" },
	[KEY_MEMORY] = { "memory", "a size, as 512M" },
	[KEY_TIMEOUT] = { "timeout", "a time, as 30s or 2m" },
	[KEY_EXPECT] = { "expect", "a regular expression, or a list of them" },
	[KEY_FAIL_ON] = { "fail-on",
			  "'panic', 'splat', a regular expression, or a list "
			  "of them" },
	[KEY_STATUS] = { "status", "an exit status, 0 to 255" },
	[KEY_SKIP_STATUS] = { "skip-status", "an exit status, 0 to 255" },
	[KEY_OPTIONS] = { "options",
			  "an option of \"trapmap run\", or a list of words" },
};

static int check_name(struct manifest *m, const yaml_node_t *node,
		      const char *name, const struct test_suite *suite)
{
	const char *s;
	size_t i;

	if (!*name || strlen(name) > NAME_MAX_LEN)
		return manifest_bad(m, node,
				    "'name': 1 to %d bytes are expected, as "
				    "it names a folder too",
				    NAME_MAX_LEN);
	for (s = name; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || *s == '/')
			break;
	if (*s || *name == '.')
		return manifest_bad(m, node,
				    "'name' names a folder too: no '/', no "
				    "control characters and no '.' at its "
				    "beginning");
	for (i = 0; i + 1 < suite->count; i++)
		if (strcmp(suite->cases[i].name, name) == 0)
			return manifest_bad(m, node,
					    "a second test with the name '%s'",
					    name);
	return 0;
}

/*
 * A mistake is found here, where its place is known. Repetitions {M,N} are left
 * to who will use it: a few bytes of them make a compiler take gigabytes.
 */
static int check_regex(struct manifest *m, const struct manifest_key *key,
		       const yaml_node_t *node, const char *text)
{
	char why[128];
	regex_t regex;
	int r;

	if (!*text)
		return manifest_bad(m, node, "'%s' is empty; %s is expected",
				    key->name, key->expected);
	if (strchr(text, '{'))
		return 0;
	r = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);
	if (r) {
		regerror(r, &regex, why, sizeof(why));
		return manifest_bad(m, node,
				    "'%s': '%.200s' is no regular "
				    "expression: %s",
				    key->name, text, why);
	}
	regfree(&regex);
	return 0;
}

/*
 * "panic,splat" is two things behind --fail-on, but one expression here, which
 * no line would match.
 */
static int check_fail_on(struct manifest *m, const yaml_node_t *node,
			 const char *text)
{
	size_t len = strcspn(text, ",");

	if (text[len] && len == 5 &&
	    (memcmp(text, "panic", len) == 0 || memcmp(text, "splat", len) == 0))
		return manifest_bad(m, node,
				    "'fail-on': a list is expected for more "
				    "than one: [%.5s, ...]",
				    text);
	return 0;
}

/* A value for --fail-on, where a comma parts one item from the next. */
static char *twice_commas(const char *text)
{
	char *word = malloc(2 * strlen(text) + 1), *to = word;

	while (to && (*to++ = *text))
		if (*text++ == ',')
			*to++ = ',';
	return word;
}

/* Adds "OPTION VALUE", or just VALUE, for each value of a key. */
static int add_values(struct manifest *m, struct test_case *test, unsigned key,
		      const char *option, const yaml_node_t *node)
{
	const yaml_node_t *item;
	const char *text = NULL;
	size_t count = 0, i;
	int r;

	if (!node)
		return 0;
	r = manifest_list(m, &keys[key], node, &count);
	for (i = 0; r == 0 && i < count; i++) {
		char *word;

		item = manifest_item(m, node, i);
		r = manifest_text(m, &keys[key], item, &text);
		if (r)
			break;
		if (key == KEY_EXPECT || key == KEY_FAIL_ON)
			r = check_regex(m, &keys[key], item, text);
		else if (!*text)
			r = manifest_bad(m, item,
					 "'%s' is empty; %s is expected",
					 keys[key].name, keys[key].expected);
		if (r == 0 && key == KEY_FAIL_ON)
			r = check_fail_on(m, item, text);
		if (r)
			break;
		if (key == KEY_KERNEL || key == KEY_INITRD)
			word = suite_beside(m->path, text);
		else if (key == KEY_FAIL_ON)
			word = twice_commas(text);
		else
			word = strdup(text);
		if (!word)
			return manifest_no_memory(m);
		if (option)
			r = suite_arg(test, "%s", option);
		if (r == 0)
			r = suite_arg(test, "%s", word);
		free(word);
		if (r)
			return manifest_no_memory(m);
	}
	return r;
}

/* Adds "OPTION VALUE" for a key that has one value. */
static int add_value(struct manifest *m, struct test_case *test, unsigned key,
		     const char *option, const yaml_node_t *node)
{
	const char *text = NULL, *why = NULL;
	uint64_t bytes;
	uint32_t count;
	int r;

	if (!node)
		return 0;
	r = manifest_text(m, &keys[key], node, &text);
	if (r)
		return r;
	if (key == KEY_MEMORY)
		r = value_mem(text, &bytes, &why);
	else if (key == KEY_CPUS)
		r = value_count(text, &count, &why);
	else if (key == KEY_TIMEOUT)
		r = value_duration(text, &test->timeout_ms, &why);
	if (r)
		return manifest_bad(m, node, "'%s': '%.100s': %s",
				    keys[key].name, text, why);
	if (!option)
		return 0;
	r = suite_arg(test, "%s", option);
	if (r == 0)
		r = suite_arg(test, "%s", text);
	return r ? manifest_no_memory(m) : 0;
}

static int set_status(struct manifest *m, unsigned key, const yaml_node_t *node,
		      int *where)
{
	const char *text = NULL;
	size_t len;
	int r;

	if (!node)
		return 0;
	r = manifest_text(m, &keys[key], node, &text);
	if (r)
		return r;
	len = strspn(text, "0123456789");
	if (len == 0 || len > 3 || text[len] || atoi(text) > 255)
		return manifest_bad(m, node, "'%s': '%.100s': %s is expected",
				    keys[key].name, text, keys[key].expected);
	*where = atoi(text);
	return 0;
}

static int set_pass(struct manifest *m, struct test_case *test,
		    const yaml_node_t *const values[KEY_COUNT])
{
	const yaml_node_t *node = values[KEY_SKIP_STATUS];
	int r;

	r = set_status(m, KEY_STATUS, values[KEY_STATUS], &test->pass.status);
	if (r == 0)
		r = set_status(m, KEY_SKIP_STATUS, node,
			       &test->pass.skip_status);
	if (r == 0 && node && test->pass.skip_status == test->pass.status)
		r = manifest_bad(m, node,
				 "'skip-status' %d is what counts as passed too",
				 test->pass.status);
	return r;
}

static int set_skip(struct manifest *m, struct test_case *test,
		    const yaml_node_t *node)
{
	const char *reason = NULL;
	int r;

	if (!node)
		return 0;
	r = manifest_text(m, &keys[KEY_SKIP], node, &reason);
	if (r)
		return r;
	if (!*reason)
		return manifest_bad(m, node, "'skip' is empty; %s is expected",
				    keys[KEY_SKIP].expected);
	return suite_skip(test, "%s", reason) ? manifest_no_memory(m) : 0;
}

static int add_options(struct manifest *m, struct test_case *test,
		       const yaml_node_t *where, const yaml_node_t *options)
{
	size_t own = test->argc;
	char why[TEST_ERR_SIZE];
	int r = add_values(m, test, KEY_OPTIONS, NULL, options);

	if (r == 0 && suite_check(test, own, why))
		r = manifest_bad(m, options ? options : where, "%.800s", why);
	return r;
}

static int fill(struct manifest *m, struct test_case *test,
		const yaml_node_t *where,
		const yaml_node_t *const values[KEY_COUNT])
{
	size_t count = 0;
	int r;

	if (!values[KEY_KERNEL])
		return manifest_bad(m, where,
				    "the test '%s' has no 'kernel', and the "
				    "defaults have none",
				    test->name);
	r = manifest_list(m, &keys[KEY_KERNEL], values[KEY_KERNEL], &count);
	if (r == 0 && count > 1)
		r = manifest_bad(m, values[KEY_KERNEL],
				 "'kernel' has %zu items; a test has one kernel",
				 count);
	if (r == 0)
		r = add_values(m, test, KEY_KERNEL, "-k", values[KEY_KERNEL]);
	if (r == 0)
		r = add_values(m, test, KEY_INITRD, "-i", values[KEY_INITRD]);
	if (r == 0)
		r = add_value(m, test, KEY_PARAMS, "-p", values[KEY_PARAMS]);
	if (r == 0)
		r = add_value(m, test, KEY_CPUS, "-c", values[KEY_CPUS]);
	if (r == 0)
		r = add_value(m, test, KEY_MEMORY, "-m", values[KEY_MEMORY]);
	if (r == 0)
		r = add_value(m, test, KEY_TIMEOUT, NULL, values[KEY_TIMEOUT]);
	if (r == 0)
		r = add_values(m, test, KEY_EXPECT, "--expect",
			       values[KEY_EXPECT]);
	if (r == 0)
		r = add_values(m, test, KEY_FAIL_ON, "--fail-on",
			       values[KEY_FAIL_ON]);
	if (r == 0)
		r = set_pass(m, test, values);
	if (r == 0)
		r = set_skip(m, test, values[KEY_SKIP]);
	if (r == 0)
		r = add_options(m, test, where, values[KEY_OPTIONS]);
	return r;
}

static int add_test(struct manifest *m, const yaml_node_t *node,
		    const yaml_node_t *const defaults[KEY_COUNT],
		    struct test_suite *suite)
{
	const yaml_node_t *values[KEY_COUNT] = { NULL };
	const char *name = NULL;
	struct test_case *test;
	size_t i;
	int r = manifest_map(m, node, "a test", keys, KEY_COUNT, values);

	if (r)
		return r;
	if (!values[KEY_NAME])
		return manifest_bad(m, node, "a test without a 'name'");
	r = manifest_text(m, &keys[KEY_NAME], values[KEY_NAME], &name);
	if (r)
		return r;
	for (i = KEY_SHARED; i < KEY_COUNT; i++)
		if (!values[i])
			values[i] = defaults[i];
	test = suite_add(suite);
	if (!test)
		return manifest_no_memory(m);
	r = check_name(m, values[KEY_NAME], name, suite);
	if (r == 0 && suite_name(suite, test, name))
		r = manifest_no_memory(m);
	if (r == 0)
		r = fill(m, test, node, values);
	return r;
}

static int add_tests(struct manifest *m, const yaml_node_t *list,
		     const yaml_node_t *const defaults[KEY_COUNT],
		     struct test_suite *suite)
{
	const yaml_node_item_t *item;
	int r = 0;

	if (list->type != YAML_SEQUENCE_NODE)
		return manifest_bad(m, list,
				    "'tests' is %s; a list is expected, '- "
				    "name: NAME' for each test",
				    manifest_kind(list));
	if (list->data.sequence.items.top == list->data.sequence.items.start)
		return manifest_bad(m, list, "'tests' is an empty list");
	for (item = list->data.sequence.items.start;
	     r == 0 && item < list->data.sequence.items.top; item++) {
		const yaml_node_t *node = yaml_document_get_node(&m->doc, *item);

		if (suite->count == SUITE_CASES_MAX)
			r = manifest_bad(m, node, "more than %d tests",
					 SUITE_CASES_MAX);
		else
			r = add_test(m, node, defaults, suite);
	}
	return r;
}

static int read_root(struct manifest *m, struct test_suite *suite)
{
	const yaml_node_t *root = yaml_document_get_root_node(&m->doc);
	const yaml_node_t *top[TOP_COUNT] = { NULL };
	const yaml_node_t *defaults[KEY_COUNT] = { NULL };
	const char *version = NULL;
	int r = manifest_map(m, root, "a manifest", top_keys, TOP_COUNT, top);

	if (r)
		return r;
	if (!top[TOP_VERSION])
		return manifest_bad(m, root,
				    "no 'version'; 'version: 1' is expected");
	r = manifest_text(m, &top_keys[TOP_VERSION], top[TOP_VERSION], &version);
	if (r)
		return r;
	if (strcmp(version, "1") != 0)
		return manifest_bad(m, top[TOP_VERSION],
				    "'version': '%.32s' is not known; 1 is "
				    "expected",
				    version);
	if (!top[TOP_TESTS])
		return manifest_bad(m, root, "no 'tests'; a list is expected");
	if (top[TOP_DEFAULTS])
		r = manifest_map(m, top[TOP_DEFAULTS], "the defaults",
				 keys + KEY_SHARED, KEY_COUNT - KEY_SHARED,
				 defaults + KEY_SHARED);
	if (r)
		return r;
	return add_tests(m, top[TOP_TESTS], defaults, suite);
}

int manifest_parse(const char *path, const char *buf, size_t len,
		   struct test_suite *suite, char err[TEST_ERR_SIZE])
{
	struct test_suite own = { 0 };
	struct manifest m;
	int r = manifest_load(&m, path, buf, len, err);

	if (r)
		return r;
	r = read_root(&m, &own);
	if (r == 0 && suite_take(suite, &own))
		r = manifest_no_memory(&m);
	manifest_unload(&m);
	suite_done(&own);
	return r;
}

int manifest_read(const char *path, struct test_suite *suite,
		  char err[TEST_ERR_SIZE])
{
	size_t len = 0;
	char *buf = NULL;
	int r = suite_read_file(path, SUITE_FILE_MAX, &buf, &len);

	if (r) {
		snprintf(err, TEST_ERR_SIZE, "%.800s: %s", path,
			 r == -EFBIG ? "larger than 1 MiB; is it a manifest?"
				     : strerror(-r));
		return r;
	}
	r = manifest_parse(path, buf, len, suite, err);
	free(buf);
	return r;
}
