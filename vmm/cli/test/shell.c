// SPDX-License-Identifier: MIT
/* shell.c: by POSIX.1-2017 XCU 2.2 (quoting), 2.3 and 2.6.4 (arithmetic). */
#include "test/shell.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

/* ---- words --------------------------------------------------------------- */

struct splitter {
	const char *s;
	unsigned max_smp;
	struct shell_words words;
	char *word; /* under way; as large as any can be */
	size_t len;
	size_t room;
	bool open; /* a word has begun, though it may be empty */
};

static int put(struct splitter *sp, const char *text, size_t len)
{
	if (!sp->word || sp->len + len + 1 > sp->room) {
		size_t room = 2 * (sp->len + len + 1);
		char *word = realloc(sp->word, room);

		if (!word)
			return -ENOMEM;
		sp->word = word;
		sp->room = room;
	}
	memcpy(sp->word + sp->len, text, len);
	sp->len += len;
	sp->open = true;
	return 0;
}

static int end_word(struct splitter *sp)
{
	char **words, *word;

	if (!sp->open)
		return 0;
	words = reallocarray(sp->words.words, sp->words.count + 1,
			     sizeof(*words));
	if (!words)
		return -ENOMEM;
	sp->words.words = words;
	word = strndup(sp->len ? sp->word : "", sp->len);
	if (!word)
		return -ENOMEM;
	words[sp->words.count++] = word;
	sp->len = 0;
	sp->open = false;
	return 0;
}

/* How long "$MAX_SMP" or "${MAX_SMP}" at s is; 0: it is neither. */
static size_t variable(const char *s)
{
	static const char braced[] = "${MAX_SMP}", plain[] = "$MAX_SMP";

	if (strncmp(s, braced, strlen(braced)) == 0)
		return strlen(braced);
	if (strncmp(s, plain, strlen(plain)) == 0 &&
	    !isalnum((unsigned char)s[strlen(plain)]) && s[strlen(plain)] != '_')
		return strlen(plain);
	return 0;
}

static int dollar(struct splitter *sp, const char **ret_why)
{
	size_t len = variable(sp->s);
	char number[16];

	if (!len) {
		*ret_why = "'$' asks for a shell's expansion";
		return -EINVAL;
	}
	sp->s += len;
	return put(sp, number,
		   (size_t)snprintf(number, sizeof(number), "%u", sp->max_smp));
}

/* From a double quote to its partner. */
static int quoted(struct splitter *sp, const char **ret_why)
{
	int r = put(sp, "", 0);

	for (sp->s++; r == 0 && *sp->s != '"';) {
		if (!*sp->s) {
			*ret_why = "a quote is not closed";
			return -EINVAL;
		}
		if (*sp->s == '`') {
			*ret_why = "'`' asks for a shell command";
			return -EINVAL;
		}
		if (*sp->s == '$') {
			r = dollar(sp, ret_why);
			continue;
		}
		if (*sp->s == '\\' && sp->s[1] == '\n') {
			sp->s += 2;
			continue;
		}
		if (*sp->s == '\\' && sp->s[1] && strchr("$`\"\\", sp->s[1]))
			sp->s++;
		r = put(sp, sp->s++, 1);
	}
	if (r == 0)
		sp->s++;
	return r;
}

static int verbatim(struct splitter *sp, const char **ret_why)
{
	const char *end = strchr(sp->s + 1, '\'');
	int r;

	if (!end) {
		*ret_why = "a quote is not closed";
		return -EINVAL;
	}
	r = put(sp, sp->s + 1, (size_t)(end - sp->s - 1));
	sp->s = end + 1;
	return r;
}

/* What stands at sp->s outside of quotes; it moves on. */
static int step(struct splitter *sp, const char **ret_why)
{
	switch (*sp->s) {
	case ' ':
	case '\t':
	case '\r':
	case '\n': sp->s++; return end_word(sp);
	case '"': return quoted(sp, ret_why);
	case '\'': return verbatim(sp, ret_why);
	case '$': return dollar(sp, ret_why);
	case '\\':
		if (sp->s[1] == '\n') {
			sp->s += 2;
			return 0;
		}
		if (sp->s[1])
			sp->s++;
		return put(sp, sp->s++, 1);
	case '#':
		if (sp->open)
			return put(sp, sp->s++, 1);
		sp->s += strcspn(sp->s, "\n");
		return 0;
	case '`': *ret_why = "'`' asks for a shell command"; return -EINVAL;
	case ';':
	case '|':
	case '&':
	case '<':
	case '>':
	case '(':
	case ')': *ret_why = "one of ;|&<>() asks for a shell"; return -EINVAL;
	default: return put(sp, sp->s++, 1);
	}
}

int shell_split(const char *text, unsigned max_smp,
		struct shell_words *ret_words, const char **ret_why)
{
	struct splitter sp = { .s = text, .max_smp = max_smp };
	int r = 0;

	while (r == 0 && *sp.s)
		r = step(&sp, ret_why);
	if (r == 0)
		r = end_word(&sp);
	free(sp.word);
	if (r) {
		shell_words_done(&sp.words);
		return r;
	}
	*ret_words = sp.words;
	return 0;
}

void shell_words_done(struct shell_words *words)
{
	while (words->count)
		free(words->words[--words->count]);
	free(words->words);
	words->words = NULL;
}

/* ---- arithmetic ---------------------------------------------------------- */

struct arith {
	const char *s;
	int64_t max_smp;
	unsigned depth;
	bool bad;
};

/* From the loosest to the tightest; of two that begin alike the longer first. */
static const struct {
	const char *sign;
	unsigned level;
} operators[] = {
	{ "==", 0 }, { "!=", 0 }, { "<=", 1 }, { ">=", 1 },
	{ "<", 1 },  { ">", 1 },  { "+", 2 },  { "-", 2 },
	{ "*", 3 },  { "/", 3 },  { "%", 3 },
};

#define OPERATORS (sizeof(operators) / sizeof(operators[0]))
#define LEVELS 4

static int64_t ternary(struct arith *a);

static void blanks(struct arith *a)
{
	while (*a->s == ' ' || *a->s == '\t')
		a->s++;
}

static bool take(struct arith *a, const char *sign)
{
	size_t len = strlen(sign);

	blanks(a);
	if (strncmp(a->s, sign, len) != 0)
		return false;
	a->s += len;
	return true;
}

static int64_t apply(struct arith *a, const char *sign, int64_t x, int64_t y)
{
	int64_t val = 0;

	if (strcmp(sign, "==") == 0)
		return x == y;
	if (strcmp(sign, "!=") == 0)
		return x != y;
	if (strcmp(sign, "<=") == 0)
		return x <= y;
	if (strcmp(sign, ">=") == 0)
		return x >= y;
	switch (*sign) {
	case '<': return x < y;
	case '>': return x > y;
	case '+': a->bad |= __builtin_add_overflow(x, y, &val); return val;
	case '-': a->bad |= __builtin_sub_overflow(x, y, &val); return val;
	case '*': a->bad |= __builtin_mul_overflow(x, y, &val); return val;
	}
	if (y == 0 || (x == INT64_MIN && y == -1)) {
		a->bad = true;
		return 0;
	}
	return *sign == '/' ? x / y : x % y;
}

static int64_t decimal(struct arith *a)
{
	int64_t val = 0;

	if (!isdigit((unsigned char)*a->s))
		a->bad = true;
	for (; isdigit((unsigned char)*a->s); a->s++)
		if (__builtin_mul_overflow(val, 10, &val) ||
		    __builtin_add_overflow(val, *a->s - '0', &val))
			a->bad = true;
	return val;
}

static int64_t primary(struct arith *a)
{
	static const char name[] = "MAX_SMP";
	int64_t val;
	size_t len;

	blanks(a);
	if (*a->s == '(' || *a->s == '-') {
		bool minus = *a->s++ == '-';

		if (++a->depth > DEPTH_MAX) {
			a->bad = true;
			return 0;
		}
		val = minus ? apply(a, "-", 0, primary(a)) : ternary(a);
		if (!minus && !take(a, ")"))
			a->bad = true;
		a->depth--;
		return val;
	}
	len = variable(a->s);
	if (!len && strncmp(a->s, name, strlen(name)) == 0)
		len = strlen(name);
	if (!len)
		return decimal(a);
	a->s += len;
	return a->max_smp;
}

static int64_t binary(struct arith *a, unsigned level)
{
	int64_t val = level == LEVELS ? primary(a) : binary(a, level + 1);
	size_t i;

	for (i = 0; level < LEVELS && !a->bad && i < OPERATORS;) {
		if (operators[i].level == level && take(a, operators[i].sign)) {
			val = apply(a, operators[i].sign, val,
				    binary(a, level + 1));
			i = 0;
		} else {
			i++;
		}
	}
	return val;
}

static int64_t ternary(struct arith *a)
{
	int64_t val = binary(a, 0), yes, no;

	if (a->bad || !take(a, "?"))
		return val;
	if (++a->depth > DEPTH_MAX) {
		a->bad = true;
		return 0;
	}
	yes = ternary(a);
	if (!take(a, ":"))
		a->bad = true;
	no = a->bad ? 0 : ternary(a);
	a->depth--;
	return val ? yes : no;
}

int shell_number(const char *text, unsigned max_smp, int64_t *ret_val)
{
	struct arith a = { .s = text, .max_smp = max_smp };
	size_t len;
	int64_t val;
	bool in_quotes;

	in_quotes = take(&a, "\"");
	len = variable(a.s);
	if (len) {
		a.s += len;
		val = max_smp;
	} else if (take(&a, "$((")) {
		val = ternary(&a);
		if (!take(&a, "))"))
			a.bad = true;
	} else {
		val = decimal(&a);
	}
	if (in_quotes && !take(&a, "\""))
		a.bad = true;
	blanks(&a);
	if (a.bad || *a.s)
		return -EINVAL;
	*ret_val = val;
	return 0;
}
