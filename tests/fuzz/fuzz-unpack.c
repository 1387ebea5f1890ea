// SPDX-License-Identifier: MIT
/*
 * Any bytes as a compressed file; and, if an ELF kernel, as one with relocations
 * behind it. What is accepted obeys the limit; what is refused says why, and where.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/kaslr.h"
#include "boot/unpack.h"
#include "core/base.h"

#define LIMIT KIB(256)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_refusal(int r, const struct boot_error *err, size_t len)
{
	check(r == -EINVAL);
	check(err->off <= len && err->text[0]);
}

static void unpack_all(const uint8_t *data, size_t len)
{
	struct boot_error err = { 0 };
	uint8_t *out = NULL;
	size_t out_len = 0;
	int r = unpack(data, len, LIMIT, &out, &out_len, &err);

	if (r < 0) {
		check(!out);
		check_refusal(r, &err, len);
	} else {
		check(out && out_len > 0 && out_len <= LIMIT);
	}
	free(out);
}

static void move(const uint8_t *data, size_t len)
{
	const struct boot_image image = {
		.head = data,
		.head_len = len < BOOT_HEAD_LEN ? len : BOOT_HEAD_LEN,
		.len = len,
		.want = TRAPMAP_BOOT_LINUX64,
	};
	struct boot_error err = { 0 };
	struct boot_plan plan;
	struct kaslr k = { .len = len, .plan = &plan };
	uint64_t distance = 1;
	int r;

	if (elf_parse(&image, &plan, &err) != 1 ||
	    plan.protocol != BOOT_LINUX64)
		return;
	k.image = malloc(len);
	memcpy(k.image, data, len);
	k.align = MIB(2);
	k.need = plan.reserve_len;
	r = kaslr_move(&k, len * 7919, &distance, &err);
	if (r < 0)
		check_refusal(r, &err, len);
	else
		check(r == 0 || distance % MIB(2) == 0);
	free(k.image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unpack_all(data, len);
	move(data, len);
	return 0;
}
