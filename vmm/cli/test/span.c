// SPDX-License-Identifier: MIT
#include "test/span.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

bool span_take(struct span *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len < n || memcmp(s->p, word, n) != 0)
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

size_t span_take_blanks(struct span *s)
{
	size_t n = 0;

	while (n < s->len && (s->p[n] == ' ' || s->p[n] == '\t'))
		n++;
	s->p += n;
	s->len -= n;
	return n;
}

long span_take_number(struct span *s)
{
	long val = 0;
	size_t n = 0;

	while (n < s->len && s->p[n] >= '0' && s->p[n] <= '9') {
		if (n == 9)
			return -1;
		val = val * 10 + (s->p[n++] - '0');
	}
	if (!n)
		return -1;
	s->p += n;
	s->len -= n;
	return val;
}

bool span_is_word(const struct span *s, const char *word)
{
	size_t n = strlen(word);

	return s->len >= n && strncasecmp(s->p, word, n) == 0 &&
	       (s->len == n || !isalnum((unsigned char)s->p[n]));
}

void span_trim(struct span *s)
{
	span_take_blanks(s);
	while (s->len && (s->p[s->len - 1] == ' ' || s->p[s->len - 1] == '\t' ||
			  s->p[s->len - 1] == '\r'))
		s->len--;
}
