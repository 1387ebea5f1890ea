// SPDX-License-Identifier: MIT
/*
 * symbols_map.c: a System.map, as nm(1) writes it for Linux, or /proc/kallsyms,
 * which has the same lines and, for modules, " [module]" after the name.
 */
#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/symbols_table.h"

/* A module's last symbol: its section's end is not told. */
#define MODULE_REACH KIB(64)

#define ADDR_DIGITS_MAX 16
#define ADDR_DIGITS_MIN 8

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool symbols_parse_line(const char *line, size_t len,
			struct symbols_line *ret_line)
{
	struct symbols_line l = { 0 };
	size_t i = 0;

	while (i < len && i < ADDR_DIGITS_MAX && digit(line[i]) >= 0)
		l.addr = l.addr << 4 | (uint64_t)digit(line[i++]);
	if (i < ADDR_DIGITS_MIN || len - i < 4 || line[i] != ' ' ||
	    !(is_letter(line[i + 1]) || line[i + 1] == '?') ||
	    line[i + 2] != ' ')
		return false;
	l.type = line[i + 1];
	l.name = line + i + 3;
	while (i + 3 + l.name_len < len && l.name[l.name_len] > ' ' &&
	       l.name[l.name_len] <= '~')
		l.name_len++;
	if (l.name_len == 0)
		return false;
	/* Nothing follows but a module's name. */
	i += 3 + l.name_len;
	while (i < len && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
		i++;
	if (i < len && line[i] != '[')
		return false;
	*ret_line = l;
	return true;
}

static uint32_t rank_of(const struct symbols_line *l)
{
	bool global = l->type >= 'A' && l->type <= 'Z';
	char type = l->type | 0x20;

	if (type == 'a')
		return SYMBOLS_RANK_VALUE;
	return (type == 't' || type == 'w' ? 4u : 0) | (global ? 2u : 0) |
	       (l->name[0] != '_' ? 1u : 0);
}

/* The next line at *at: its start, with its length without the end. */
static const char *next_line(const uint8_t *buf, size_t len, size_t *at,
			     size_t *ret_len)
{
	const char *line = (const char *)buf + *at;
	const char *end = memchr(line, '\n', len - *at);
	size_t n = end ? (size_t)(end - line) : len - *at;

	*at += n + (end != NULL);
	if (n > 0 && line[n - 1] == '\r')
		n--;
	*ret_len = n;
	return line;
}

/* All but modules lie below _end. */
static void limit(struct symbols *s)
{
	uint64_t end = 0;
	size_t i;

	if (!symbols_address(s, "_end", &end) &&
	    !symbols_address(s, "__bss_stop", &end))
		return;
	for (i = 0; i < s->count; i++)
		if (s->symbol[i].addr <= end)
			s->symbol[i].end = end;
}

int symbols_read_map(const char *name, const uint8_t *buf, size_t len,
		     struct symbols *s, struct error *err)
{
	size_t at = 0, n, number;
	bool placed = false;

	for (number = 1; at < len; number++) {
		const char *text = next_line(buf, len, &at, &n);
		struct symbols_line line;
		int r;

		if (n == 0)
			continue;
		if (!symbols_parse_line(text, n, &line))
			return error_set(err, ERROR_INPUT, -ENOEXEC,
					 "'%s': line %zu: an address, a type "
					 "and a name were expected",
					 name, number);
		if ((line.type | 0x20) == 'u' ||
		    (line.addr == 0 && (line.type | 0x20) == 'w'))
			continue; /* undefined */
		placed |= line.addr != 0;
		r = symbols_add(s, line.name, line.name_len, line.addr,
				line.addr > UINT64_MAX - MODULE_REACH
					? UINT64_MAX
					: line.addr + MODULE_REACH,
				rank_of(&line));
		if (r < 0)
			return r;
	}
	if (s->count > 0 && !placed)
		return error_set(err, ERROR_INPUT, -ENODATA,
				 "'%s': all its addresses are 0; "
				 "/proc/kallsyms shows them to root only",
				 name);
	limit(s);
	return 0;
}
