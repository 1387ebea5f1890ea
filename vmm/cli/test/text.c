// SPDX-License-Identifier: MIT
#include "test/text.h"

#include <stdbool.h>
#include <string.h>

int32_t text_char(const char *text, size_t len, size_t *ret_len)
{
	/* The least that each length may say: shorter forms are refused. */
	static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t want, i;
	int32_t c;

	*ret_len = 1;
	if (p[0] < 0x80)
		return p[0];
	if (p[0] >= 0xf0 && p[0] <= 0xf4)
		want = 4;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		want = 3;
	else if (p[0] >= 0xc2 && p[0] < 0xe0)
		want = 2;
	else
		return TEXT_BAD;
	if (len < want)
		return TEXT_BAD;
	c = p[0] & (0xff >> (want + 1));
	for (i = 1; i < want; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return TEXT_BAD;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[want] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return TEXT_BAD;
	*ret_len = want;
	return c;
}

/* C0, DEL and C1: a terminal obeys them. */
static bool is_control(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

void text_visible(FILE *out, const char *text, size_t len)
{
	size_t n, i;
	int32_t c;

	for (; len; text += n, len -= n) {
		c = text_char(text, len, &n);
		if (c == '\t')
			fputc(' ', out);
		else if (c == TEXT_BAD || is_control(c))
			for (i = 0; i < n; i++)
				fprintf(out, "\\x%02x",
					(unsigned)(unsigned char)text[i]);
		else
			fwrite(text, 1, n, out);
	}
}

void text_say(FILE *out, const char *text)
{
	text_visible(out, text, strlen(text));
}

size_t text_columns(const char *text)
{
	size_t len = strlen(text), columns = 0, n;
	int32_t c;

	for (; len; text += n, len -= n) {
		c = text_char(text, len, &n);
		if (c == '\t' || (c != TEXT_BAD && !is_control(c)))
			columns++;
		else
			columns += 4 * n; /* \xNN each */
	}
	return columns;
}

static bool is_xml(int32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' ||
	       (c >= 0x20 && c != 0xfffe && c != 0xffff);
}

void text_xml(FILE *out, const char *text, size_t len, int in_attribute)
{
	size_t n;
	int32_t c;

	for (; len; text += n, len -= n) {
		c = text_char(text, len, &n);
		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c == '\r')
			continue;
		else if (in_attribute && (c == '\n' || c == '\t'))
			fprintf(out, "&#%d;", (int)c);
		else if (c == TEXT_BAD || !is_xml(c))
			fputs("\xef\xbf\xbd", out);
		else
			fwrite(text, 1, n, out);
	}
}

void text_quoted(FILE *out, const char *text, size_t len)
{
	size_t n;
	int32_t c;

	fputc('"', out);
	for (; len; text += n, len -= n) {
		c = text_char(text, len, &n);
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (char)c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c == TEXT_BAD || c == 0xfffe || c == 0xffff)
			fputs("\\ufffd", out);
		else if (is_control(c))
			fprintf(out, "\\u%04x", (unsigned)c);
		else
			fwrite(text, 1, n, out);
	}
	fputc('"', out);
}

size_t text_last_lines(const char *text, size_t len, size_t lines)
{
	size_t at = len;

	/* The newline at the very end ends the last line, it begins none. */
	if (at && text[at - 1] == '\n')
		at--;
	while (at) {
		if (text[at - 1] == '\n' && --lines == 0)
			break;
		at--;
	}
	return at;
}

const char *text_line(const char **text, size_t *len, size_t *ret_len)
{
	const char *line = *text, *end;
	size_t n;

	if (!*len)
		return NULL;
	end = memchr(line, '\n', *len);
	n = end ? (size_t)(end - line) : *len;
	*text += end ? n + 1 : n;
	*len -= end ? n + 1 : n;
	while (n && line[n - 1] == '\r')
		n--;
	*ret_len = n;
	return line;
}
