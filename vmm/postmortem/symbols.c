// SPDX-License-Identifier: MIT
/*
 * symbols.c: the table of symbols, whatever file it comes from.
 */
#include "postmortem/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/unpack.h"
#include "core/base.h"
#include "postmortem/symbols_table.h"
#include "source.h"
#include "source_unpack.h"

/* A kernel with all its debug information has about half of this. */

/* Bit 63 tells addresses of a 64-bit kernel from those of anything else. */
#define UPPER_HALF BIT64(63)

static bool is_elf(const uint8_t *head, size_t len)
{
	return len >= 4 && memcmp(head, "\177ELF", 4) == 0;
}

bool symbols_recognise(const uint8_t *head, size_t len)
{
	struct symbols_line line;
	const uint8_t *end;

	if (len == 0)
		return false;
	if (is_elf(head, len))
		return true;
	end = memchr(head, '\n', len);
	/* A name may be longer than the head. */
	return symbols_parse_line((const char *)head,
				  end ? (size_t)(end - head) : len, &line);
}

static int refuse(const char *name, const uint8_t *head, size_t len,
		  struct error *err)
{
	static const char debian[] = "ffffffffffffffff B The real System.map";

	if (len >= sizeof(debian) - 1 &&
	    memcmp(head, debian, sizeof(debian) - 1) == 0)
		return error_set(err, ERROR_INPUT, -ENODATA,
				 "'%s': only stands for the real System.map, "
				 "which Debian has in the kernel's -dbg "
				 "package",
				 name);
	return error_set(err, ERROR_INPUT, -ENOEXEC,
			 "'%s': an ELF file or a System.map was expected as "
			 "symbols",
			 name);
}

/* ---- filling it ---------------------------------------------------------- */

static bool is_showable(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	/* The assembler's own labels, and marks of ARM's and RISC-V's kind. */
	return len > 0 && name[0] != '$' &&
	       !(len >= 2 && memcmp(name, ".L", 2) == 0);
}

static int grow(void **array, size_t *room, size_t want, size_t size)
{
	size_t n = *room ? *room : 4096;
	void *bigger;

	if (want <= *room)
		return 0;
	while (n < want)
		n *= 2;
	bigger = reallocarray(*array, n, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*room = n;
	return 0;
}

int symbols_add(struct symbols *s, const char *name, size_t len, uint64_t addr,
		uint64_t end, uint32_t rank)
{
	void *symbol = s->symbol, *names = s->names;
	int r;

	if (len == 0 || len > SYMBOLS_NAME_MAX || !is_showable(name, len))
		return 0;
	if (s->names_len + len + 1 > UINT32_MAX)
		return -ENOMEM;
	r = grow(&symbol, &s->room, s->count + 1, sizeof(*s->symbol));
	s->symbol = symbol;
	if (r < 0)
		return r;
	r = grow(&names, &s->names_room, s->names_len + len + 1, 1);
	s->names = names;
	if (r < 0)
		return r;
	s->symbol[s->count++] = (struct symbol){
		.addr = addr,
		.end = end,
		.name = (uint32_t)s->names_len,
		.rank = rank,
	};
	memcpy(s->names + s->names_len, name, len);
	s->names[s->names_len + len] = '\0';
	s->names_len += len + 1;
	return 0;
}

/* By address, mere values last, the best name first, then the file's order. */
static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	bool x_value = x->rank == SYMBOLS_RANK_VALUE;
	bool y_value = y->rank == SYMBOLS_RANK_VALUE;

	if (x_value != y_value)
		return x_value ? 1 : -1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void arrange(struct symbols *s)
{
	bool upper = false;
	size_t i;

	for (i = 0; i < s->count; i++)
		if (s->symbol[i].rank != SYMBOLS_RANK_VALUE &&
		    s->symbol[i].addr & UPPER_HALF)
			upper = true;
	/*
	 * A kernel's per-CPU variables have their offsets for addresses, which
	 * would give a name to each NULL pointer.
	 */
	for (i = 0; upper && i < s->count; i++)
		if (!(s->symbol[i].addr & UPPER_HALF))
			s->symbol[i].rank = SYMBOLS_RANK_VALUE;
	qsort(s->symbol, s->count, sizeof(*s->symbol), compare);
	while (s->placed < s->count &&
	       s->symbol[s->placed].rank != SYMBOLS_RANK_VALUE)
		s->placed++;
}

int symbols_read(const char *name, const uint8_t *buf, size_t len,
		 struct symbols **ret_symbols, struct error *err)
{
	struct symbols *s;
	int r;

	if (!symbols_recognise(buf,
			       len < SYMBOLS_HEAD_LEN ? len : SYMBOLS_HEAD_LEN))
		return refuse(name, buf, len, err);
	s = calloc(1, sizeof(*s));
	if (!s)
		return error_host(err, -ENOMEM, "'%s'", name);
	r = is_elf(buf, len) ? symbols_read_elf(name, buf, len, s, err)
			     : symbols_read_map(name, buf, len, s, err);
	if (r == -ENOMEM)
		(void)error_host(err, r, "'%s'", name);
	if (r == 0 && s->count == 0)
		r = error_set(err, ERROR_INPUT, -ENODATA,
			      "'%s': there are no symbols in it", name);
	if (r < 0) {
		symbols_free(s);
		return r;
	}
	arrange(s);
	*ret_symbols = s;
	return 0;
}

struct symbols *symbols_free(struct symbols *symbols)
{
	if (symbols) {
		free(symbols->symbol);
		free(symbols->names);
	}
	free(symbols);
	return NULL;
}

/* ---- from a file --------------------------------------------------------- */

int symbols_check(struct source *src, struct error *err)
{
	uint8_t head[SYMBOLS_HEAD_LEN];
	size_t len = sizeof(head);
	int r;

	r = source_open(src, err);
	if (r < 0)
		return r;
	if (len > src->len)
		len = (size_t)src->len;
	r = source_read(src, 0, head, len, err);
	if (r < 0)
		return r;
	/* What is packed in it symbols_load() finds out. */
	if (!symbols_recognise(head, len) && !unpack_recognise(head, len))
		return refuse(src->name, head, len, err);
	return 0;
}

int symbols_load(struct source *src, uint64_t max,
		 struct symbols **ret_symbols, struct error *err)
{
	struct source inner = { .fd = -1 };
	uint8_t *buf;
	int r;

	r = symbols_check(src, err);
	if (r == 0)
		r = source_unpack(src, &inner, err);
	if (r < 0)
		return r;
	if (r > 0) {
		r = symbols_read(src->name, inner.data, (size_t)inner.len,
				 ret_symbols, err);
		source_done(&inner);
		return r;
	}
	if (src->data)
		return symbols_read(src->name, src->data, (size_t)src->len,
				    ret_symbols, err);
	if (src->len > max)
		return error_set(err, ERROR_INPUT, -EFBIG,
				 "'%s': larger than %llu GiB; strip its debug "
				 "information",
				 src->name, (unsigned long long)(max >> 30));
	buf = malloc((size_t)src->len);
	if (!buf)
		return error_host(err, -ENOMEM, "'%s'", src->name);
	r = source_read(src, 0, buf, src->len, err);
	if (r == 0)
		r = symbols_read(src->name, buf, (size_t)src->len, ret_symbols,
				 err);
	free(buf);
	return r;
}

/* ---- asking it ----------------------------------------------------------- */

const char *symbols_find(const struct symbols *symbols, uint64_t addr,
			 uint64_t *ret_offset)
{
	const struct symbol *s = symbols->symbol;
	size_t low = 0, high = symbols->placed;

	/* The first that is beyond addr. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return NULL;
	low--;
	/* Of those at one address the first is the best. */
	while (low > 0 && s[low - 1].addr == s[low].addr && s[low - 1].end > addr)
		low--;
	if (addr >= s[low].end)
		return NULL;
	*ret_offset = addr - s[low].addr;
	return symbols->names + s[low].name;
}

bool symbols_address(const struct symbols *symbols, const char *name,
		     uint64_t *ret_addr)
{
	size_t i;

	for (i = 0; i < symbols->count; i++)
		if (strcmp(symbols->names + symbols->symbol[i].name, name) == 0) {
			*ret_addr = symbols->symbol[i].addr;
			return true;
		}
	return false;
}
