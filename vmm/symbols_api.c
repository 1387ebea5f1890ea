// SPDX-License-Identifier: MIT
/*
 * symbols_api.c: symbols without a VM, for an embedder's own use.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "postmortem/symbols.h"
#include "source.h"
#include "trapmap/trapmap.h"

/* Of a file that the caller has chosen; debug information makes it large. */
#define FILE_MAX GIB(2)

struct trapmap_symbols {
	struct symbols *table;
};

static int open_source(const struct trapmap_source *from, struct source *ret_src)
{
	if (from->size != sizeof(*from) || (from->path && from->data))
		return -EINVAL;
	if (from->path)
		return source_from_path(ret_src, from->path);
	if (from->data)
		return source_from_data(ret_src, "(in memory)", from->data,
					from->len);
	return source_from_fd(ret_src, from->fd);
}

int trapmap_symbols_new(const struct trapmap_source *source,
			struct trapmap_symbols **ret_symbols)
{
	struct trapmap_symbols *s;
	struct source src;
	struct error err;
	int r;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = open_source(source, &src);
	if (r == 0) {
		r = symbols_load(&src, FILE_MAX, &s->table, &err);
		source_done(&src);
	}
	if (r < 0) {
		free(s);
		return r;
	}
	*ret_symbols = s;
	return 0;
}

const char *trapmap_symbols_find(const struct trapmap_symbols *symbols,
				 uint64_t addr, uint64_t *ret_offset)
{
	return symbols_find(symbols->table, addr, ret_offset);
}

struct trapmap_symbols *trapmap_symbols_free(struct trapmap_symbols *symbols)
{
	if (symbols)
		symbols_free(symbols->table);
	free(symbols);
	return NULL;
}
