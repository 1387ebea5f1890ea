// SPDX-License-Identifier: MIT
#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "watch_linux.h"

/* Where in an escape sequence a stream is (ECMA-48, 5.4 and 5.6). */
enum escape {
	ESCAPE_NONE,
	ESCAPE_ESC, /* after ESC, and after its intermediate bytes */
	ESCAPE_CSI, /* parameters of a control sequence */
	ESCAPE_STRING, /* a control string, up to BEL or ST */
};

struct stream {
	_Atomic uint64_t bytes;
	/* Guarded by watch.lock. */
	enum escape escape;
	uint64_t lines; /* that have ended */
	size_t len;
	bool begun; /* something came since the last line's end */
	char line[WATCH_LINE_MAX + 1];
};

struct rule {
	enum trapmap_rule rule;
	bool found; /* guarded by watch.lock while the guest runs */
	char *text; /* NULL: one of the built-in rules */
	regex_t re;
};

struct watch {
	/* Fixed once the guest runs. */
	struct rule rule[TRAPMAP_RULES_MAX];
	unsigned rules;

	pthread_mutex_t lock; /* nothing else is taken under it */
	struct stream stream[WATCH_STREAMS];
	struct watch_hit hit[TRAPMAP_RULES_MAX];
	unsigned hits;
	/* One of hit[], which is complete once this points to it. */
	const struct watch_hit *_Atomic panic;
};

int watch_new(struct watch **ret_watch)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	pthread_mutex_init(&w->lock, NULL);
	*ret_watch = w;
	return 0;
}

struct watch *watch_free(struct watch *w)
{
	unsigned i;

	if (!w)
		return NULL;
	for (i = 0; i < w->rules; i++) {
		if (!w->rule[i].text)
			continue;
		regfree(&w->rule[i].re);
		free(w->rule[i].text);
	}
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

/* ---- the rules ---------------------------------------------------------- */

/* Copies what fits, as text that is safe to show anywhere. */
static void copy_shown(char *ret, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++) {
		if (from[i] == '\t')
			ret[i] = ' ';
		else
			ret[i] = from[i] >= ' ' && from[i] <= '~' ? from[i]
								  : '?';
	}
	ret[i] = '\0';
}

static int compile(struct rule *rule, const char *regex, struct error *err)
{
	char why[128], shown[128];
	int r;

	r = regcomp(&rule->re, regex, REG_EXTENDED | REG_NOSUB);
	if (r == 0) {
		rule->text = strdup(regex);
		if (rule->text)
			return 0;
		regfree(&rule->re);
		r = REG_ESPACE;
	}
	if (r == REG_ESPACE)
		return error_set(err, ERROR_HOST, -ENOMEM, "out of memory");
	regerror(r, NULL, why, sizeof(why));
	copy_shown(shown, sizeof(shown), regex);
	return error_set(err, ERROR_INPUT, -EINVAL,
			 "regular expression '%s': %s", shown, why);
}

int watch_add(struct watch *w, enum trapmap_rule what, const char *regex,
	      struct error *err)
{
	bool built_in = what == TRAPMAP_RULE_PANIC ||
			what == TRAPMAP_RULE_SPLAT;
	struct rule *rule;
	unsigned i;
	int r;

	if (!built_in && what != TRAPMAP_RULE_FAIL &&
	    what != TRAPMAP_RULE_EXPECT)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "a rule for the console of unknown kind %u",
				 (unsigned)what);
	if (built_in && regex)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "the rules for panics and splats take no "
				 "regular expression");
	if (!built_in && (!regex || !*regex))
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "a rule for the console needs a regular "
				 "expression that is not empty");
	for (i = 0; built_in && i < w->rules; i++)
		if (w->rule[i].rule == what)
			return 0;
	if (w->rules == TRAPMAP_RULES_MAX)
		return error_set(err, ERROR_INPUT, -E2BIG,
				 "more than %u rules for the console",
				 TRAPMAP_RULES_MAX);

	rule = &w->rule[w->rules];
	*rule = (struct rule){ .rule = what };
	if (!built_in) {
		r = compile(rule, regex, err);
		if (r < 0)
			return r;
	}
	w->rules++;
	return 0;
}

bool watch_has_rules(const struct watch *w)
{
	return w->rules > 0;
}

/* What the rule finds in the line, or NULL. */
static const char *match(const struct rule *rule, const char *line)
{
	switch (rule->rule) {
	case TRAPMAP_RULE_PANIC:
		return watch_linux_panic(line) ? "panic" : NULL;
	case TRAPMAP_RULE_SPLAT:
		return watch_linux_splat(line);
	case TRAPMAP_RULE_FAIL:
	case TRAPMAP_RULE_EXPECT:
		break;
	}
	return regexec(&rule->re, line, 0, NULL, 0) == 0 ? rule->text : NULL;
}

/* ---- the lines ---------------------------------------------------------- */

/* Returns whether it is a panic's. Called with the lock held, as take() is. */
static bool end_line(struct watch *w, enum watch_stream stream)
{
	struct stream *s = &w->stream[stream];
	bool panic = false;
	unsigned i;

	s->lines++;
	s->line[s->len] = '\0';
	for (i = 0; i < w->rules; i++) {
		struct rule *rule = &w->rule[i];
		struct watch_hit *hit = &w->hit[w->hits];
		const char *what = rule->found ? NULL : match(rule, s->line);

		if (!what)
			continue;
		rule->found = true;
		w->hits++;
		*hit = (struct watch_hit){ .rule = rule->rule,
					   .what = what,
					   .number = s->lines,
					   .stream = stream };
		copy_shown(hit->line, sizeof(hit->line), s->line);
		if (rule->rule == TRAPMAP_RULE_PANIC) {
			/* Pairs with the load in watch_panic(). */
			atomic_store(&w->panic, hit);
			panic = true;
		}
	}
	s->len = 0;
	s->begun = false;
	s->escape = ESCAPE_NONE;
	return panic;
}

/* Whether c belongs to the line, and not to an escape sequence. */
static bool is_text(struct stream *s, uint8_t c)
{
	if (c == '\033') {
		s->escape = ESCAPE_ESC;
		return false;
	}
	switch (s->escape) {
	case ESCAPE_NONE:
		return true;
	case ESCAPE_ESC:
		if (c == '[')
			s->escape = ESCAPE_CSI;
		else if (c == ']' || c == 'P' || c == 'X' || c == '^' ||
			 c == '_')
			s->escape = ESCAPE_STRING;
		else if (c < 0x20 || c > 0x2f)
			s->escape = ESCAPE_NONE;
		return false;
	case ESCAPE_CSI:
		/* Parameter and intermediate bytes, then a final one. */
		if (c >= 0x20 && c <= 0x3f)
			return false;
		s->escape = ESCAPE_NONE;
		return c < 0x40 || c > 0x7e;
	case ESCAPE_STRING:
		if (c == '\a')
			s->escape = ESCAPE_NONE;
		return false;
	}
	return true;
}

static bool take(struct watch *w, enum watch_stream stream, uint8_t c)
{
	struct stream *s = &w->stream[stream];

	/* It ends any sequence: one cut short must not hide what follows. */
	if (c == '\n')
		return end_line(w, stream);
	s->begun = true;
	if (is_text(s, c) && c != '\r' && s->len < WATCH_LINE_MAX)
		s->line[s->len++] = (char)(c ?: '?');
	return false;
}

bool watch_feed(struct watch *w, enum watch_stream stream, const uint8_t *buf,
		size_t len)
{
	bool panic = false;
	size_t i;

	atomic_fetch_add_explicit(&w->stream[stream].bytes, len,
				  memory_order_relaxed);
	if (w->rules == 0)
		return false;
	pthread_mutex_lock(&w->lock);
	for (i = 0; i < len; i++)
		panic |= take(w, stream, buf[i]);
	pthread_mutex_unlock(&w->lock);
	return panic;
}

void watch_finish(struct watch *w)
{
	unsigned i;

	pthread_mutex_lock(&w->lock);
	for (i = 0; i < WATCH_STREAMS; i++)
		if (w->stream[i].begun)
			end_line(w, (enum watch_stream)i);
	pthread_mutex_unlock(&w->lock);
}

/* ---- what was found ----------------------------------------------------- */

uint64_t watch_bytes(struct watch *w, enum watch_stream stream)
{
	return atomic_load_explicit(&w->stream[stream].bytes,
				    memory_order_relaxed);
}

const struct watch_hit *watch_panic(const struct watch *w)
{
	return atomic_load(&w->panic);
}

const struct watch_hit *watch_failure(const struct watch *w)
{
	const struct watch_hit *panic = watch_panic(w);
	unsigned i;

	if (panic)
		return panic;
	for (i = 0; i < w->hits; i++)
		if (w->hit[i].rule != TRAPMAP_RULE_EXPECT)
			return &w->hit[i];
	return NULL;
}

const char *watch_missing(const struct watch *w)
{
	unsigned i;

	for (i = 0; i < w->rules; i++)
		if (w->rule[i].rule == TRAPMAP_RULE_EXPECT && !w->rule[i].found)
			return w->rule[i].text;
	return NULL;
}

size_t watch_hits(const struct watch *w, const struct watch_hit **ret_hits)
{
	*ret_hits = w->hit;
	return w->hits;
}
