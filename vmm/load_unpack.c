// SPDX-License-Identifier: MIT
/*
 * load_unpack.c: what the code at the front of a bzImage would do in the guest.
 *
 * Source: Documentation/arch/x86/boot.rst, payload_offset and payload_length; the
 * last four bytes of the payload are the unpacked size (arch/x86/boot/compressed/
 * mkpiggy.c), as gzip has it by itself, too.
 *
 * Not here: 5-level paging, which that code turns on where the processor has it;
 * the kernel runs with four levels then. A random physical address.
 */
#include "load_unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "boot/kaslr.h"
#include "core/base.h"
#include "source_unpack.h"

#define TRAILER 4
#define GZIP_MAGIC 0x8b1f
#define ELF_MAGIC 0x464c457f

static int refuse(struct error *err, const struct source *file,
		  const char *what, const struct boot_error *why)
{
	return error_set(err, ERROR_INPUT, -EINVAL, "%s: %s, at offset %#llx: %s",
			 file->name, what, (unsigned long long)why->off,
			 why->text);
}

static int read_word(const struct source *file, uint64_t off, uint32_t *ret_word,
		     struct error *err)
{
	uint8_t word[4];
	int r = source_read(file, off, word, sizeof(word), err);

	if (r == 0)
		*ret_word = get_le32(word);
	return r;
}

/* A payload that is not compressed is one all the same. */
static int copy(const struct source *file, const struct boot_plan *plan,
		struct source *ret_inner, struct error *err)
{
	struct source inner = { .fd = -1, .len = plan->payload_len };
	int r;

	inner.owned = malloc((size_t)inner.len);
	inner.name = strdup(file->name);
	if (!inner.owned || !inner.name)
		r = error_host(err, -ENOMEM, "%s", file->name);
	else
		r = source_read(file, plan->payload_off, inner.owned, inner.len,
				err);
	if (r < 0) {
		source_done(&inner);
		return r;
	}
	inner.data = inner.owned;
	*ret_inner = inner;
	return 0;
}

static int unpack_payload(const struct source *file,
			  const struct boot_plan *plan,
			  struct source *ret_inner, struct error *err)
{
	uint64_t len = plan->payload_len, end = plan->payload_off + len;
	uint32_t magic = 0, size = 0;
	int r;

	if (len <= TRAILER)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: at offset %#llx: a payload of %llu bytes, "
				 "a packed kernel expected",
				 file->name,
				 (unsigned long long)plan->payload_off,
				 (unsigned long long)len);
	r = read_word(file, plan->payload_off, &magic, err);
	if (r == 0)
		r = read_word(file, end - TRAILER, &size, err);
	if (r < 0)
		return r;
	if (magic == ELF_MAGIC)
		return copy(file, plan, ret_inner, err);
	/* It is unpacked in what init_size asks for, so it cannot be larger. */
	if (size > plan->reserve_len)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: at offset %#llx: the kernel in it has %#x "
				 "bytes, init_size leaves room for %#llx",
				 file->name,
				 (unsigned long long)(end - TRAILER), size,
				 (unsigned long long)plan->reserve_len);
	if ((magic & 0xffff) != GZIP_MAGIC)
		len -= TRAILER;
	r = source_unpack_part(file, plan->payload_off, len, size, ret_inner,
			       err);
	if (r < 0 || ret_inner->len == size)
		return r;
	r = error_set(err, ERROR_INPUT, -EINVAL,
		      "%s: at offset %#llx: the kernel in it unpacks to %#llx "
		      "bytes, %#x expected",
		      file->name, (unsigned long long)(end - TRAILER),
		      (unsigned long long)ret_inner->len, size);
	source_done(ret_inner);
	return r;
}

/* How far it has moved is for it to find out: see symbols_locate.c, too. */
static int move(const struct source *inner, uint64_t align, uint64_t need,
		struct boot_plan *plan, struct error *err)
{
	struct kaslr k = {
		.image = inner->owned,
		.len = (size_t)inner->len,
		.plan = plan,
		.align = align,
		.need = need,
	};
	struct boot_error why;
	uint64_t random, distance;
	int r;

	/* Early in the host's life there may be none yet; the seed goes, too. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		return 0;
	r = kaslr_move(&k, random, &distance, &why);
	if (r < 0)
		return refuse(err, inner, "the kernel in it", &why);
	plan->is_moved = r > 0;
	return 0;
}

/* The kernel's own plan, with all that only the bzImage knows. */
static int parse_inner(const struct source *inner, struct boot_plan *plan,
		       struct error *err)
{
	const struct boot_image image = {
		.head = inner->data,
		.head_len = inner->len < BOOT_HEAD_LEN ? (size_t)inner->len :
							 BOOT_HEAD_LEN,
		.len = inner->len,
		.want = TRAPMAP_BOOT_LINUX64,
	};
	struct boot_error why = { 0, "an ELF kernel expected" };
	struct boot_plan elf;

	if (elf_parse(&image, &elf, &why) != 1)
		return refuse(err, inner, "the kernel in it", &why);
	if (elf.protocol != BOOT_LINUX64)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: the kernel in it is of 32 bits",
				 inner->name);
	if (elf.reserve < plan->reserve ||
	    elf.reserve + elf.reserve_len > plan->reserve + plan->reserve_len)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: the kernel in it goes to %#llx up to "
				 "%#llx; %#llx to %#llx expected, as the setup "
				 "header has it",
				 inner->name, (unsigned long long)elf.reserve,
				 (unsigned long long)elf.reserve +
					 elf.reserve_len,
				 (unsigned long long)plan->reserve,
				 (unsigned long long)plan->reserve +
					 plan->reserve_len);
	memcpy(plan->segment, elf.segment, sizeof(plan->segment));
	plan->segments = elf.segments;
	plan->entry = elf.entry;
	plan->format = "unpacked bzImage";
	return 0;
}

int load_unpack(const struct source *file, const char *cmdline,
		struct boot_plan *plan, struct source *ret_inner,
		struct error *err)
{
	struct source inner = { .fd = -1 };
	struct boot_plan unpacked = *plan;
	int r;

	r = unpack_payload(file, plan, &inner, err);
	if (r < 0)
		return r;
	r = parse_inner(&inner, &unpacked, err);
	if (r == 0 && !kaslr_is_off(cmdline))
		r = move(&inner, plan->align, plan->reserve_len, &unpacked, err);
	if (r < 0) {
		source_done(&inner);
		return r;
	}
	*plan = unpacked;
	*ret_inner = inner;
	return 0;
}
