// SPDX-License-Identifier: MIT
#include "core/gmem.h"

#include <errno.h>
#include <string.h>

static int add(struct gmem *gm, gpa_t base, uint64_t len, void *host, bool rom)
{
	const struct gmem_region *last;

	if (len == 0 || base + (len - 1) < base)
		return -EINVAL;
	if (gm->count > 0) {
		last = &gm->region[gm->count - 1];
		if (base < last->base || base - last->base < last->len)
			return -EINVAL;
	}
	if (gm->count == GMEM_MAX_REGIONS)
		return -ENOSPC;
	gm->region[gm->count++] = (struct gmem_region){
		.base = base,
		.len = len,
		.host = host,
		.rom = rom,
	};
	return 0;
}

int gmem_add(struct gmem *gm, gpa_t base, uint64_t len, void *host)
{
	return add(gm, base, len, host, false);
}

int gmem_add_rom(struct gmem *gm, gpa_t base, uint64_t len, void *host)
{
	return add(gm, base, len, host, true);
}

static void *find(const struct gmem *gm, gpa_t gpa, uint64_t len, bool rom)
{
	unsigned i;

	for (i = 0; i < gm->count; i++) {
		const struct gmem_region *r = &gm->region[i];
		uint64_t off = gpa - r->base;

		if (r->rom != rom || gpa < r->base || off > r->len)
			continue;
		if (len <= r->len - off)
			return r->host + off;
	}
	return NULL;
}

void *gmem_ptr(const struct gmem *gm, gpa_t gpa, uint64_t len)
{
	return find(gm, gpa, len, false);
}

void *gmem_rom(const struct gmem *gm, gpa_t gpa, uint64_t len)
{
	return find(gm, gpa, len, true);
}

int gmem_read(const struct gmem *gm, gpa_t gpa, void *buf, size_t len)
{
	const void *src = gmem_ptr(gm, gpa, len);

	if (!src)
		src = gmem_rom(gm, gpa, len);
	if (!src)
		return -EFAULT;
	memcpy(buf, src, len);
	return 0;
}

int gmem_write(const struct gmem *gm, gpa_t gpa, const void *buf, size_t len)
{
	void *dst = gmem_ptr(gm, gpa, len);

	if (!dst)
		return -EFAULT;
	memcpy(dst, buf, len);
	return 0;
}
