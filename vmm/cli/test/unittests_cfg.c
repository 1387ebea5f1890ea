// SPDX-License-Identifier: MIT
#include "test/unittests_cfg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FENCE "\"\"\"" /* around a value of several lines */

const char *const unittests_keys[UNITTESTS_KEYS] = {
	[UNITTESTS_FILE] = "file",	    [UNITTESTS_SMP] = "smp",
	[UNITTESTS_PARAMS] = "qemu_params", [UNITTESTS_TEST_ARGS] = "test_args",
	[UNITTESTS_ARCH] = "arch",	    [UNITTESTS_GROUPS] = "groups",
	[UNITTESTS_ACCEL] = "accel",	    [UNITTESTS_TIMEOUT] = "timeout",
	[UNITTESTS_CHECK] = "check",
};

int unittests_bad(const struct unittests_cfg *cfg, size_t line, size_t column,
		  const char *fmt, ...)
{
	int n = snprintf(cfg->err, TEST_ERR_SIZE, "%.600s:%zu:%zu: ", cfg->path,
			 line, column);
	va_list ap;

	va_start(ap, fmt);
	if (n > 0 && n < TEST_ERR_SIZE)
		vsnprintf(cfg->err + n, TEST_ERR_SIZE - (size_t)n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int no_memory(const struct unittests_cfg *cfg)
{
	snprintf(cfg->err, TEST_ERR_SIZE, "out of memory");
	return -ENOMEM;
}

/* The file, and the line in hand without its end and the blanks around it. */
struct reader {
	const char *rest;
	const char *end;
	const char *line;
	size_t len;
	size_t number;
	size_t column; /* of line[0] */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool next_line(struct reader *rd)
{
	const char *newline, *begin = rd->rest;

	if (begin == rd->end)
		return false;
	newline = memchr(begin, '\n', (size_t)(rd->end - begin));
	rd->rest = newline ? newline + 1 : rd->end;
	rd->number++;
	rd->line = begin;
	rd->len = (size_t)((newline ? newline : rd->end) - begin);
	while (rd->len && is_blank(rd->line[rd->len - 1]))
		rd->len--;
	while (rd->len && is_blank(*rd->line)) {
		rd->line++;
		rd->len--;
	}
	rd->column = (size_t)(rd->line - begin) + 1;
	return true;
}

static void section_done(struct unittests_section *section)
{
	size_t i;

	for (i = 0; i < UNITTESTS_KEYS; i++)
		free(section->values[i]);
	free(section->name);
	free(section->unknown);
}

void unittests_cfg_done(struct unittests_cfg *cfg)
{
	while (cfg->count)
		section_done(&cfg->sections[--cfg->count]);
	free(cfg->sections);
	cfg->sections = NULL;
}

static int begin_section(struct unittests_cfg *cfg, const struct reader *rd)
{
	struct unittests_section *section;

	if (rd->len < 3 || rd->line[rd->len - 1] != ']')
		return unittests_bad(cfg, rd->number, rd->column,
				     "[NAME] is expected");
	if (cfg->count == SUITE_CASES_MAX)
		return unittests_bad(cfg, rd->number, rd->column,
				     "more than %d tests", SUITE_CASES_MAX);
	if (cfg->count == cfg->room) {
		size_t room = cfg->room ? 2 * cfg->room : 64;
		void *sections = reallocarray(cfg->sections, room,
					      sizeof(*cfg->sections));

		if (!sections)
			return no_memory(cfg);
		cfg->sections = sections;
		cfg->room = room;
	}
	section = &cfg->sections[cfg->count];
	*section = (struct unittests_section){ .line = rd->number };
	section->name = strndup(rd->line + 1, rd->len - 2);
	if (!section->name)
		return no_memory(cfg);
	cfg->count++;
	return 0;
}

static int end_section(const struct unittests_cfg *cfg)
{
	const struct unittests_section *section;

	if (!cfg->count)
		return 0;
	section = &cfg->sections[cfg->count - 1];
	if (!section->values[UNITTESTS_FILE] ||
	    !*section->values[UNITTESTS_FILE])
		return unittests_bad(cfg, section->line, 1,
				     "the test '%.200s' has no 'file'",
				     section->name);
	return 0;
}

/* Whether the text ends in an odd number of backslashes: the line goes on. */
static bool goes_on(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[len - 1 - n] == '\\')
		n++;
	return n % 2;
}

/*
 * The value at text, in the line in hand; it may go on for several lines.
 * *ret_value is the caller's.
 */
static int read_value(const struct unittests_cfg *cfg, struct reader *rd,
		      const char *text, size_t len, char **ret_value)
{
	const size_t fence = strlen(FENCE);
	size_t number = rd->number, column, size = 0;
	char *value = NULL;
	FILE *out;

	if (len < fence || memcmp(text, FENCE, fence) != 0) {
		*ret_value = strndup(text, len);
		return *ret_value ? 0 : no_memory(cfg);
	}
	column = rd->column + (size_t)(text - rd->line);
	text += fence;
	len -= fence;
	out = open_memstream(&value, &size);
	if (!out)
		return no_memory(cfg);
	for (;;) {
		bool last = len >= fence &&
			    memcmp(text + len - fence, FENCE, fence) == 0;
		bool more = !last && goes_on(text, len);

		fwrite(text, 1, len - (last ? fence : more), out);
		if (last)
			break;
		if (!more)
			fputc('\n', out);
		if (!next_line(rd)) {
			fclose(out);
			free(value);
			return unittests_bad(cfg, number, column,
					     "a value that begins with " FENCE
					     " has no end");
		}
		text = rd->line;
		len = rd->len;
	}
	if (fclose(out) || !value) {
		free(value);
		return no_memory(cfg);
	}
	*ret_value = value;
	return 0;
}

static int find_key(const char *name, size_t len)
{
	static const char older[] = "extra_params";
	int i;

	if (strlen(older) == len && memcmp(name, older, len) == 0)
		return UNITTESTS_PARAMS;
	for (i = 0; i < UNITTESTS_KEYS; i++)
		if (strlen(unittests_keys[i]) == len &&
		    memcmp(name, unittests_keys[i], len) == 0)
			return i;
	return -1;
}

static bool is_other_monitors(const char *name, size_t len)
{
	static const char kvmtool[] = "kvmtool_params";

	return strlen(kvmtool) == len && memcmp(name, kvmtool, len) == 0;
}

static int read_key(struct unittests_cfg *cfg, struct reader *rd)
{
	const char *equals = memchr(rd->line, '=', rd->len), *name = rd->line;
	const char *text;
	struct unittests_section *section;
	size_t number = rd->number, name_len, len;
	char *value = NULL;
	int key, r;

	if (!equals || equals == rd->line)
		return unittests_bad(cfg, number, rd->column,
				     "KEY = VALUE, [NAME] or # is expected");
	if (!cfg->count)
		return unittests_bad(cfg, number, rd->column,
				     "a key before the first [NAME]");
	section = &cfg->sections[cfg->count - 1];
	text = equals + 1;
	for (name_len = (size_t)(equals - name);
	     name_len && is_blank(name[name_len - 1]);)
		name_len--;
	len = rd->len - (size_t)(text - rd->line);
	while (len && is_blank(*text)) {
		text++;
		len--;
	}
	r = read_value(cfg, rd, text, len, &value);
	if (r)
		return r;
	key = find_key(name, name_len);
	if (key >= 0) {
		free(section->values[key]);
		section->values[key] = value;
		return 0;
	}
	free(value);
	if (section->unknown || is_other_monitors(name, name_len))
		return 0;
	section->unknown = strndup(name, name_len);
	section->unknown_line = number;
	return section->unknown ? 0 : no_memory(cfg);
}

int unittests_cfg_read(struct unittests_cfg *cfg, const char *path,
		       const char *buf, size_t len, char err[TEST_ERR_SIZE])
{
	struct reader rd = { .rest = buf, .end = buf + len };
	int r = 0;

	*cfg = (struct unittests_cfg){ .path = path, .err = err };
	if (len && memchr(buf, '\0', len))
		return unittests_bad(cfg, 1, 1, "not a text file");
	while (r == 0 && next_line(&rd)) {
		if (rd.len == 0 || *rd.line == '#')
			continue;
		else if (*rd.line == '[') {
			r = end_section(cfg);
			if (r == 0)
				r = begin_section(cfg, &rd);
		} else {
			r = read_key(cfg, &rd);
		}
	}
	return r ? r : end_section(cfg);
}
