// SPDX-License-Identifier: MIT
/* opts_cpus.c: --cpus: how many, how they are arranged, and where they run. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "opts_cpus.h"
#include "opts_parts.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* More than any host has, or a guest. */
#define LIST_MAX 8192
#define HOST_CPU_MAX 65535

struct words {
	char *count, *sockets, *cores, *threads, *affinity;
};

static const struct opts_key keys[] = {
	{ "count", OPTS_KEY_TEXT, offsetof(struct words, count) },
	{ "sockets", OPTS_KEY_TEXT, offsetof(struct words, sockets) },
	{ "cores", OPTS_KEY_TEXT, offsetof(struct words, cores) },
	{ "threads", OPTS_KEY_TEXT, offsetof(struct words, threads) },
	{ "affinity", OPTS_KEY_TEXT, offsetof(struct words, affinity) },
};

static int number(const char *option, const char *text, uint32_t *ret, char *err)
{
	const char *why;

	if (text && value_count(text, ret, &why))
		return opts_fail(err, "%s '%s': %s", option, text, why);
	return 0;
}

/* Where only the arrangement is given, it says how many. */
static int product(const struct trapmap_topology *t, uint32_t *ret, char *err)
{
	const uint32_t factor[] = { t->sockets, t->cores, t->threads };
	uint64_t n = 1;
	size_t i;

	for (i = 0; i < COUNT(factor); i++) {
		n *= factor[i] ? factor[i] : 1;
		if (n > UINT32_MAX)
			return opts_fail(err, "--cpus: far too many");
	}
	*ret = (uint32_t)n;
	return 0;
}

/* A number at *text, which is moved behind it; false if there is none. */
static bool host_cpu(const char **text, unsigned *ret)
{
	const char *p = *text;
	unsigned n = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		n = 10 * n + (unsigned)(*p - '0');
		if (n > HOST_CPU_MAX)
			return false;
	}
	*text = p;
	*ret = n;
	return true;
}

/* "0+2+4-7" */
static int affinity(const char *text, struct opts_cpus *cpus, char *err)
{
	const char *p = text;
	unsigned first = 0, last = 0;

	cpus->affinity = calloc(LIST_MAX, sizeof(*cpus->affinity));
	if (!cpus->affinity)
		return opts_fail(err, "out of memory");
	for (;;) {
		bool good = host_cpu(&p, &first);

		last = first;
		if (good && *p == '-') {
			p++;
			good = host_cpu(&p, &last);
		}
		if (!good || (*p && *p != '+') || last < first)
			return opts_fail(err,
					 "--cpus affinity '%s': numbers of the "
					 "host's processors are expected, as "
					 "0+2+4-7",
					 text);
		if (last - first >= LIST_MAX - cpus->affinity_count)
			return opts_fail(err,
					 "--cpus affinity '%s': more than %d "
					 "processors",
					 text, LIST_MAX);
		for (; first <= last; first++)
			cpus->affinity[cpus->affinity_count++] = first;
		if (!*p++)
			return 0;
	}
}

static int understand(const struct words *w, struct opts_cpus *cpus,
		      uint32_t *ret_count, char *err)
{
	struct trapmap_topology *t = &cpus->topology;
	uint32_t count = 0;
	int r;

	r = number("--cpus", w->count, &count, err) ?:
	    number("--cpus sockets", w->sockets, &t->sockets, err) ?:
	    number("--cpus cores", w->cores, &t->cores, err) ?:
	    number("--cpus threads", w->threads, &t->threads, err);
	if (r == 0 && !w->count)
		r = product(t, &count, err);
	if (r == 0 && w->affinity)
		r = affinity(w->affinity, cpus, err);
	if (r == 0)
		*ret_count = count;
	return r;
}

int opts_cpus(const char *text, struct opts_cpus *cpus, uint32_t *ret_count,
	      char *err)
{
	struct opts_cpus found = OPTS_CPUS_INIT;
	struct words words = { 0 };
	const char *why;
	int r;

	if (strchr(text, ',') || strchr(text, '=')) {
		r = opts_keys("--cpus", text, keys, COUNT(keys), &words, err);
		if (r == 0)
			r = understand(&words, &found, ret_count, err);
		opts_keys_done(keys, COUNT(keys), &words);
	} else {
		r = value_count(text, ret_count, &why);
		if (r)
			opts_fail(err, "--cpus '%s': %s", text, why);
	}
	if (r) {
		opts_cpus_done(&found);
		return r;
	}
	opts_cpus_done(cpus);
	*cpus = found;
	return 0;
}

int opts_cpus_apply(const struct opts_cpus *cpus, struct trapmap_vm *vm)
{
	int r = trapmap_vm_set_topology(vm, &cpus->topology);

	return r ? r
		 : trapmap_vm_set_affinity(vm, cpus->affinity,
					   cpus->affinity_count);
}

void opts_cpus_done(struct opts_cpus *cpus)
{
	free(cpus->affinity);
	cpus->affinity = NULL;
	cpus->affinity_count = 0;
}
