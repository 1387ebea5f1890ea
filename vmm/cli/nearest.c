// SPDX-License-Identifier: MIT
#include "nearest.h"

#include <string.h>

#define WORD_MAX 32

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * Edits that turn a into b: Damerau and Levenshtein's distance, where no letter
 * is touched twice. Only the last three rows of the table are kept.
 */
static unsigned distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *prev = rows[1], *cur = rows[2], *tmp;
	size_t i, j;

	memset(rows, 0, sizeof(rows));
	for (j = 0; j <= blen; j++)
		prev[j] = (unsigned)j;
	for (i = 1; i <= alen; i++) {
		cur[0] = (unsigned)i;
		for (j = 1; j <= blen; j++) {
			unsigned wrong = a[i - 1] != b[j - 1];

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
				      prev[j - 1] + wrong);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		tmp = before;
		before = prev;
		prev = cur;
		cur = tmp;
	}
	return prev[blen];
}

const char *nearest(const char *word, const char *const *names, size_t count)
{
	size_t wlen = strlen(word), i;
	const char *best = NULL;
	unsigned best_cost = 0;

	if (wlen == 0 || wlen > WORD_MAX)
		return NULL;
	for (i = 0; i < count; i++) {
		size_t nlen = strlen(names[i]);
		size_t shorter = nlen < wlen ? nlen : wlen;
		unsigned cost;

		if (nlen > WORD_MAX)
			continue;
		if (shorter >= 3 && strncmp(word, names[i], shorter) == 0)
			cost = 1; /* "init" for "initrd", "memory" for "mem" */
		else
			cost = distance(word, wlen, names[i], nlen);
		if (cost > 1 + shorter / 4)
			continue;
		if (cost >= shorter)
			continue; /* nothing of it was right */
		if (!best || cost < best_cost) {
			best = names[i];
			best_cost = cost;
		}
	}
	return best;
}
