// SPDX-License-Identifier: MIT
/*
 * Whatever a guest may say on its consoles. In what pieces it comes makes no
 * difference, what is shown of it is plain text, and in plain text lines are
 * found where memmem() finds them. The first byte is the size of a piece.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The second one is looked for by memmem(), too. */
#define PLAIN 1
static const struct {
	enum trapmap_rule rule;
	const char *regex;
} rules[] = {
	{ TRAPMAP_RULE_PANIC, NULL },
	{ TRAPMAP_RULE_FAIL, "ok" },
	{ TRAPMAP_RULE_SPLAT, NULL },
	{ TRAPMAP_RULE_EXPECT, "^1\\.\\.[0-9]+$" },
	{ TRAPMAP_RULE_FAIL, "(a|b)*c.?[^d]$" },
	{ TRAPMAP_RULE_EXPECT, "^$" },
	{ TRAPMAP_RULE_EXPECT, "[[:cntrl:]]|\\bword\\b" },
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static struct watch *watch_pieces(const uint8_t *data, size_t len, size_t piece)
{
	struct watch *w = NULL;
	struct error err;
	bool panic = false;
	size_t i, n;

	check(watch_new(&w) == 0);
	for (i = 0; i < ARRAY_SIZE(rules); i++)
		check(watch_add(w, rules[i].rule, rules[i].regex, &err) == 0);
	for (i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		panic |= watch_feed(w, WATCH_COM1, data + i, n);
	}
	check(watch_bytes(w, WATCH_COM1) == len);
	check(panic == (watch_panic(w) != NULL));
	watch_finish(w);
	return w;
}

/* Where "ok" is in text without escapes, or 0. */
static uint64_t plain_line(const uint8_t *data, size_t len)
{
	const uint8_t *at = memmem(data, len, "ok", 2);
	uint64_t n = 1;
	size_t i;

	for (i = 0; at && i < (size_t)(at - data); i++)
		n += data[i] == '\n';
	return at ? n : 0;
}

static void check_hits(const struct watch *w, const uint8_t *data, size_t len)
{
	bool plain = len <= WATCH_LINE_MAX && !memchr(data, '\033', len) &&
		     !memchr(data, '\r', len);
	uint64_t lines = 1, found = 0;
	const struct watch_hit *hit;
	size_t i, n = watch_hits(w, &hit);
	const char *c;

	for (i = 0; i < len; i++)
		lines += data[i] == '\n';
	check(n <= ARRAY_SIZE(rules));
	for (i = 0; i < n; i++) {
		check(hit[i].number >= 1 && hit[i].number <= lines);
		check(hit[i].what && *hit[i].what);
		for (c = hit[i].line; *c; c++)
			check(*c >= ' ' && *c <= '~');
		if (!strcmp(hit[i].what, rules[PLAIN].regex))
			found = hit[i].number;
	}
	check(!plain || found == plain_line(data, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct watch_hit *hit, *other;
	struct watch *whole, *pieces;
	const char *missing;
	size_t i, n;

	if (len == 0)
		return 0;
	whole = watch_pieces(data + 1, len - 1, len);
	pieces = watch_pieces(data + 1, len - 1, data[0] % 31 + 1);
	check_hits(whole, data + 1, len - 1);

	n = watch_hits(whole, &hit);
	check(watch_hits(pieces, &other) == n);
	for (i = 0; i < n; i++)
		check(hit[i].rule == other[i].rule &&
		      hit[i].number == other[i].number &&
		      !strcmp(hit[i].what, other[i].what) &&
		      !strcmp(hit[i].line, other[i].line));
	missing = watch_missing(whole);
	check(!missing == !watch_missing(pieces));
	check(!watch_failure(whole) == !watch_failure(pieces));
	watch_free(whole);
	watch_free(pieces);
	return 0;
}
