// SPDX-License-Identifier: MIT
/* opts_mem.c: --mem. */
#include "opts_mem.h"

#include <string.h>

#include "opts_parts.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opts_key keys[] = {
	{ "size", OPTS_KEY_TEXT, offsetof(struct opts_mem, size) },
	{ "backing", OPTS_KEY_TEXT, offsetof(struct opts_mem, backing_text) },
	{ "thp", OPTS_KEY_TEXT, offsetof(struct opts_mem, thp_text) },
	{ "prealloc", OPTS_KEY_FLAG, offsetof(struct opts_mem, prealloc) },
	{ "lock", OPTS_KEY_FLAG, offsetof(struct opts_mem, lock) },
};

static const struct opts_choice backings[] = {
	{ "anon", TRAPMAP_MEMORY_ANON },
	{ "memfd", TRAPMAP_MEMORY_MEMFD },
	{ "file", TRAPMAP_MEMORY_FILE },
	{ "hugetlb", TRAPMAP_MEMORY_HUGETLB },
};
static const struct opts_choice thps[] = {
	{ "on", TRAPMAP_THP_ON },
	{ "off", TRAPMAP_THP_OFF },
};
static const struct opts_choice pages[] = {
	{ "2M", 2 },
	{ "1G", 1024 },
};

/* "file=PATH" and "hugetlb=2M": behind the word is what is more to it. */
static int read_backing(struct opts_mem *m, char *err)
{
	char *more = strchr(m->backing_text, '=');
	int value = 0, r;

	if (more)
		*more++ = '\0';
	r = opts_choose(err, "--mem backing", m->backing_text, backings,
			COUNT(backings), &value);
	if (r)
		return r;
	m->backing = (enum trapmap_memory_backing)value;
	if (m->backing == TRAPMAP_MEMORY_FILE) {
		if (!more || !*more)
			return opts_fail(err, "--mem: backing=file=PATH "
					      "expected");
		m->path = more;
		return 0;
	}
	if (!more)
		return 0;
	if (m->backing != TRAPMAP_MEMORY_HUGETLB)
		return opts_fail(err, "--mem: backing=%s takes no value, '%s' "
				      "found",
				 m->backing_text, more);
	r = opts_choose(err, "--mem backing=hugetlb", more, pages, COUNT(pages),
			&value);
	m->page_size = (uint64_t)value << 20;
	return r;
}

static int check(struct opts_mem *m, uint64_t *bytes, char *err)
{
	const char *why;
	int thp = TRAPMAP_THP_DEFAULT, r = 0;

	if (m->size && value_mem(m->size, bytes, &why))
		return opts_fail(err, "--mem '%s': %s", m->size, why);
	if (m->backing_text)
		r = read_backing(m, err);
	if (r == 0 && m->thp_text)
		r = opts_choose(err, "--mem thp", m->thp_text, thps,
				COUNT(thps), &thp);
	if (r)
		return r;
	m->thp = (enum trapmap_thp)thp;
	if (thp && (m->path || m->backing == TRAPMAP_MEMORY_HUGETLB))
		return opts_fail(err, "--mem: thp is for backing=anon and "
				      "backing=memfd, not for backing=%s",
				 m->backing_text);
	return 0;
}

int opts_mem(const char *text, struct opts_mem *mem, uint64_t *bytes, char *err)
{
	struct opts_mem m = { 0 };
	int r;

	r = opts_keys("--mem", text, keys, COUNT(keys), &m, err);
	if (r == 0)
		r = check(&m, bytes, err);
	if (r) {
		opts_mem_done(&m);
		return r;
	}
	opts_mem_done(mem);
	*mem = m;
	return 0;
}

void opts_mem_done(struct opts_mem *mem)
{
	opts_keys_done(keys, COUNT(keys), mem);
	*mem = (struct opts_mem){ 0 };
}

int opts_mem_set(const struct opts_mem *mem, struct trapmap_vm *vm)
{
	struct trapmap_memory to = TRAPMAP_MEMORY_INIT;

	to.backing = mem->backing;
	to.path = mem->path;
	to.page_size = mem->page_size;
	to.thp = mem->thp;
	to.prealloc = mem->prealloc;
	to.lock = mem->lock;
	return trapmap_vm_set_memory(vm, &to);
}
