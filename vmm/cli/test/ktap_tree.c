// SPDX-License-Identifier: MIT
/* ktap_tree.c: results as they are kept, and the levels that they stand on. */
#include "test/ktap_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *ktap_keep(struct ktap *k, struct span s)
{
	char *copy;
	size_t i;

	if (s.len > KTAP_NAME)
		s.len = KTAP_NAME;
	if (!s.len)
		return NULL;
	copy = malloc(s.len + 1);
	if (!copy) {
		k->error = -ENOMEM;
		return NULL;
	}
	for (i = 0; i < s.len; i++)
		copy[i] = (unsigned char)s.p[i] < 0x20 ? '?' : s.p[i];
	copy[s.len] = '\0';
	return copy;
}

/* ---- results ------------------------------------------------------------ */

void ktap_add(struct ktap *k, char *name, enum ktap_result result, char *detail)
{
	size_t most = result == KTAP_FAIL ? 2 * KTAP_SUBS : KTAP_SUBS;

	if (k->count >= most || !name) {
		k->dropped[result]++;
		free(name);
		free(detail);
		return;
	}
	if (k->count == k->room) {
		size_t room = k->room ? 2 * k->room : 32;
		void *subs = reallocarray(k->subs, room, sizeof(*k->subs));

		if (!subs) {
			k->error = -ENOMEM;
			k->dropped[result]++;
			free(name);
			free(detail);
			return;
		}
		k->subs = subs;
		k->room = room;
	}
	k->subs[k->count++] = (struct ktap_sub){ name, detail, result };
}

void ktap_put_parent(struct ktap *k, size_t first, const char *parent)
{
	char *name;
	size_t i;

	for (i = first; i < k->count; i++) {
		if (asprintf(&name, "%s.%s", parent, k->subs[i].name) < 0) {
			k->error = -ENOMEM;
			return;
		}
		if (strlen(name) > KTAP_NAME)
			name[KTAP_NAME] = '\0';
		free(k->subs[i].name);
		k->subs[i].name = name;
	}
}

void ktap_add_failure(struct ktap *k, const char *name, char *detail)
{
	char *copy = strdup(name);

	if (!copy)
		k->error = -ENOMEM;
	ktap_add(k, copy, KTAP_FAIL, detail);
}

/* ---- levels -------------------------------------------------------------- */

static void open_level(struct ktap *k, size_t indent)
{
	if (k->depth == KTAP_DEPTH)
		return;
	k->level[k->depth++] = (struct ktap_level){ .indent = indent,
						    .planned = -1,
						    .first = k->count,
						    .below = k->count,
						    .name = k->subtest };
	k->subtest = NULL;
}

void ktap_close_level(struct ktap *k, bool claimed)
{
	struct ktap_level *level = &k->level[--k->depth];
	char *detail;

	if (level->planned >= 0 && level->planned != level->seen) {
		if (asprintf(&detail, "planned %ld, saw %ld", level->planned,
			     level->seen) < 0) {
			detail = NULL;
			k->error = -ENOMEM;
		}
		ktap_add_failure(k, "plan", detail);
	}
	if (!claimed && level->name && k->depth)
		ktap_put_parent(k, level->first, level->name);
	free(level->name);
	level->name = NULL;
}

struct ktap_level *ktap_level_for(struct ktap *k, size_t indent, bool is_result)
{
	while (k->depth && k->level[k->depth - 1].indent > indent) {
		/* Only the one right below the result's own is its child. */
		bool claimed = is_result && k->depth > 1 &&
			       k->level[k->depth - 2].indent <= indent;

		ktap_close_level(k, claimed);
	}
	if (!k->depth || k->level[k->depth - 1].indent < indent)
		open_level(k, indent);
	return &k->level[k->depth - 1];
}

void ktap_begin(struct ktap *k, size_t indent)
{
	if (ktap_level_for(k, indent, false)->indent != indent)
		return; /* too deep */
	if (k->level[k->depth - 1].seen || k->level[k->depth - 1].planned >= 0) {
		ktap_close_level(k, false);
		open_level(k, indent);
	}
}

void ktap_set_is_tap(struct ktap *k)
{
	if (k->is_tap)
		return;
	k->is_tap = true;
	/* Those of kvm-unit-tests do not count any more. */
	while (k->count) {
		k->count--;
		free(k->subs[k->count].name);
		free(k->subs[k->count].detail);
	}
	memset(k->dropped, 0, sizeof(k->dropped));
}

/* ---- what came of it ----------------------------------------------------- */

size_t ktap_count(const struct ktap *ktap, enum ktap_result result)
{
	size_t n = ktap->dropped[result], i;

	for (i = 0; i < ktap->count; i++)
		n += ktap->subs[i].result == result;
	return n;
}

size_t ktap_total(const struct ktap *ktap)
{
	size_t n = ktap->count;
	int i;

	for (i = 0; i < KTAP_RESULTS; i++)
		n += ktap->dropped[i];
	return n;
}

const struct ktap_sub *ktap_first_failure(const struct ktap *ktap)
{
	size_t i;

	for (i = 0; i < ktap->count; i++)
		if (ktap->subs[i].result == KTAP_FAIL)
			return &ktap->subs[i];
	return NULL;
}

void ktap_done(struct ktap *ktap)
{
	size_t i;

	for (i = 0; i < ktap->count; i++) {
		free(ktap->subs[i].name);
		free(ktap->subs[i].detail);
	}
	while (ktap->depth)
		free(ktap->level[--ktap->depth].name);
	free(ktap->subs);
	free(ktap->subtest);
	free(ktap->why);
	*ktap = (struct ktap){ 0 };
}
