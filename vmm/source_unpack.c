// SPDX-License-Identifier: MIT
#include "source_unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/unpack.h"

/* As many bytes as the longest mark that unpack_recognise() looks at, or more. */
#define HEAD_LEN 32

static int unpack_bytes(const struct source *src, uint64_t off,
			const uint8_t *in, uint64_t len, uint64_t max,
			struct source *ret_inner, struct error *err)
{
	struct source inner = { .fd = -1 };
	struct boot_error why = { 0 };
	size_t out_len = 0;
	int r;

	r = unpack(in, (size_t)len, max, &inner.owned, &out_len, &why);
	if (r == -ENOMEM)
		return error_host(err, r, "%s: cannot be unpacked", src->name);
	if (r < 0)
		return error_set(err, ERROR_INPUT, r,
				 "%s: at offset %#llx: %s", src->name,
				 (unsigned long long)off + why.off, why.text);
	inner.name = strdup(src->name);
	if (!inner.name) {
		source_done(&inner);
		return error_host(err, -ENOMEM, "%s", src->name);
	}
	inner.data = inner.owned;
	inner.len = out_len;
	*ret_inner = inner;
	return 0;
}

int source_unpack_part(const struct source *src, uint64_t off, uint64_t len,
		       uint64_t max, struct source *ret_inner,
		       struct error *err)
{
	uint8_t *buf;
	int r;

	if (src->data)
		return unpack_bytes(src, off, src->data + off, len, max,
				    ret_inner, err);
	if (len > UNPACK_MAX)
		return error_set(err, ERROR_INPUT, -EFBIG,
				 "%s: too large to be unpacked, %llu bytes; at "
				 "most %llu expected",
				 src->name, (unsigned long long)len,
				 (unsigned long long)UNPACK_MAX);
	buf = malloc((size_t)len);
	if (!buf)
		return error_host(err, -ENOMEM, "%s", src->name);
	r = source_read(src, off, buf, len, err);
	if (r == 0)
		r = unpack_bytes(src, off, buf, len, max, ret_inner, err);
	free(buf);
	return r;
}

int source_unpack(const struct source *src, struct source *ret_inner,
		  struct error *err)
{
	uint8_t head[HEAD_LEN];
	size_t len = src->len < HEAD_LEN ? (size_t)src->len : HEAD_LEN;
	int r;

	r = source_read(src, 0, head, len, err);
	if (r < 0)
		return r;
	if (!unpack_recognise(head, len))
		return 0;
	r = source_unpack_part(src, 0, src->len, UNPACK_MAX, ret_inner, err);
	return r < 0 ? r : 1;
}
