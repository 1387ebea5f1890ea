// SPDX-License-Identifier: MIT
#include "trace_line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <trapmap/trapmap.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Microseconds: three centuries, and exact to the nanosecond for 100 days. */
#define TS_MAX 1e16

__attribute__((format(printf, 2, 3))) static int wrong(char *err,
						       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, TRACE_LINE_ERR, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

uint32_t trace_line_kind_bit(const char *name, size_t len)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} kinds[] = {
		{ "pio", TRAPMAP_TRACE_PIO },
		{ "mmio", TRAPMAP_TRACE_MMIO },
		{ "msr", TRAPMAP_TRACE_MSR },
		{ "hypercall", TRAPMAP_TRACE_HYPERCALL },
		{ "other", TRAPMAP_TRACE_OTHER },
	};
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (strlen(kinds[i].name) == len &&
		    memcmp(kinds[i].name, name, len) == 0)
			return kinds[i].bit;
	return 0;
}

/* ---- fields --------------------------------------------------------------- */

/* "0x" and up to 16 digits. Not there: *ret_val stays, and *ret_there is false. */
static int hex_field(const json_t *obj, const char *key, uint64_t *ret_val,
		     bool *ret_there, char *err)
{
	const json_t *field = json_object_get(obj, key);
	const char *s = json_string_value(field);
	uint64_t val = 0;
	size_t i;

	*ret_there = field != NULL;
	if (!field)
		return 0;
	if (!s || s[0] != '0' || s[1] != 'x' || !s[2] || strlen(s) > 18)
		return wrong(err, "'%s' is not a number as \"0x1f\"", key);
	for (i = 2; s[i]; i++) {
		const char *digits = "0123456789abcdef";
		const char *at = strchr(digits, s[i]);

		if (!at)
			return wrong(err, "'%s' is not a number as \"0x1f\"",
				     key);
		val = val << 4 | (uint64_t)(at - digits);
	}
	*ret_val = val;
	return 0;
}

static int uint_field(const json_t *obj, const char *key, uint64_t max,
		      uint64_t *ret_val, char *err)
{
	const json_t *field = json_object_get(obj, key);
	json_int_t val = json_integer_value(field);

	if (!json_is_integer(field) || val < 0 || (uint64_t)val > max)
		return wrong(err, "'%s' is missing, or no whole number up to %llu",
			     key, (unsigned long long)max);
	*ret_val = (uint64_t)val;
	return 0;
}

static int time_field(const json_t *obj, const char *key, double *ret_val,
		      char *err)
{
	const json_t *field = json_object_get(obj, key);
	double val = json_number_value(field);

	if (!json_is_number(field) || !(val >= 0) || val > TS_MAX)
		return wrong(err, "'%s' is missing, or no time in microseconds",
			     key);
	*ret_val = val;
	return 0;
}

/* A text for a terminal: what would steer one becomes '?'. Too long is cut. */
static void text_field(const json_t *obj, const char *key, char *buf,
		       size_t size)
{
	const char *s = json_string_value(json_object_get(obj, key));
	size_t i;

	for (i = 0; s && s[i] && i + 1 < size; i++)
		buf[i] = (unsigned char)s[i] < 0x20 ||
					 (unsigned char)s[i] > 0x7e ?
				 '?' :
				 s[i];
	buf[i] = '\0';
}

/* ---- lines ---------------------------------------------------------------- */

static int parse_exit(const json_t *obj, struct trace_line *line, char *err)
{
	const json_t *args = json_object_get(obj, "args");
	const char *cat = json_string_value(json_object_get(obj, "cat"));
	uint64_t val = 0;
	bool there;
	int r;

	line->kind = TRACE_LINE_EXIT;
	if (!json_is_object(args))
		return wrong(err, "'args' is missing");
	line->kind_bit = cat ? trace_line_kind_bit(cat, strlen(cat)) : 0;
	if (!line->kind_bit)
		return wrong(err, "'cat' is missing, or none of an exit's");
	r = time_field(obj, "ts", &line->ts, err) ?:
	    time_field(obj, "dur", &line->dur, err) ?:
	    uint_field(obj, "tid", UINT32_MAX, &val, err);
	if (r < 0)
		return r;
	line->vcpu = (uint32_t)val;
	text_field(args, "reason", line->reason, sizeof(line->reason));
	text_field(args, "dir", line->dir, sizeof(line->dir));
	text_field(args, "device", line->device, sizeof(line->device));
	if (!line->reason[0])
		return wrong(err, "'reason' is missing");
	r = hex_field(args, "addr", &line->addr, &line->has_addr, err) ?:
	    hex_field(args, "value", &line->value, &there, err) ?:
	    hex_field(args, "rip", &line->rip, &there, err);
	if (r < 0 || !line->dir[0])
		return r;
	if (!line->has_addr)
		return wrong(err, "'addr' is missing");
	r = uint_field(args, "size", 255, &val, err);
	if (r < 0)
		return r;
	line->size = (unsigned)val;
	r = uint_field(args, "count", UINT16_MAX, &val, err);
	if (r < 0)
		return r;
	line->count = (unsigned)val;
	return 0;
}

static int parse_meta(const json_t *obj, const char *name,
		      struct trace_line *line, char *err)
{
	const json_t *args = json_object_get(obj, "args");
	bool there;
	int r;

	if (strcmp(name, "trapmap_trace") == 0) {
		line->kind = TRACE_LINE_VERSION;
		return uint_field(args, "version", UINT32_MAX, &line->version,
				  err);
	}
	if (strcmp(name, "trapmap_end") != 0)
		return 0;
	line->kind = TRACE_LINE_END;
	r = uint_field(args, "exits", INT64_MAX, &line->exits, err);
	if (r < 0)
		return r;
	return hex_field(args, "kernel_offset", &line->kernel_offset, &there,
			 err);
}

static int parse_object(const json_t *obj, struct trace_line *line, char *err)
{
	const char *ph = json_string_value(json_object_get(obj, "ph"));
	const char *name = json_string_value(json_object_get(obj, "name"));

	if (!ph || !name)
		return wrong(err, "not an event: 'ph' or 'name' is missing");
	if (strcmp(ph, "X") == 0)
		return parse_exit(obj, line, err);
	if (strcmp(ph, "M") == 0)
		return parse_meta(obj, name, line, err);
	return 0; /* somebody's own */
}

int trace_line_parse(const char *text, size_t len, struct trace_line *ret_line,
		     char err[TRACE_LINE_ERR])
{
	struct trace_line line = { .kind = TRACE_LINE_OTHER };
	json_error_t error;
	json_t *obj;
	int r;

	while (len > 0 && strchr(" \t\r\n", text[len - 1]) && text[len - 1])
		len--;
	if (len > 0 && text[len - 1] == ',')
		len--;
	if (len == 0 || (len == 1 && (*text == '[' || *text == ']'))) {
		*ret_line = line;
		return 0;
	}
	obj = json_loadb(text, len, 0, &error);
	if (!obj)
		return wrong(err, "not JSON: %.120s", error.text);
	r = json_is_object(obj) ? parse_object(obj, &line, err) :
				  wrong(err, "not an event, which is a JSON object");
	json_decref(obj);
	if (r == 0)
		*ret_line = line;
	return r;
}
