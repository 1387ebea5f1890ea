// SPDX-License-Identifier: MIT
/*
 * Any bytes as a file of symbols. What is found for an address lies at or below
 * it, and its name has an address.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/symbols.h"
#include "postmortem/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct symbols *s, uint64_t addr)
{
	uint64_t off = UINT64_MAX, at;
	const char *name = symbols_find(s, addr, &off);

	if (name && (off > addr || !*name || !symbols_address(s, name, &at)))
		abort();
}

static void check_sentence(const char *text)
{
	if (!*text || strlen(text) > 400)
		abort();
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct walk_mode modes[] = {
		{ .cr0 = 1 },
		{ .cr0 = BIT64(31), .cr4 = BIT64(5), .efer = 0x500 },
		{ .cr0 = BIT64(31), .cr4 = BIT64(4) },
	};
	uint8_t ram[8192];
	struct gmem gm = { 0 };
	struct symbols *s;
	struct error err;
	uint64_t offset;
	unsigned i;

	if (symbols_read("file", data, len, &s, &err) < 0) {
		check_sentence(err.text);
		return 0;
	}
	check(s, 0);
	check(s, UINT64_MAX);
	for (i = 0; i < 64; i++) {
		check(s, UINT64_C(0x100000) + i * 8);
		check(s, UINT64_C(0xffffffff81000000) + i * 8);
	}
	/* Memory that begins as the file does. */
	memset(ram, 0, sizeof(ram));
	memcpy(ram, data, len < sizeof(ram) ? len : sizeof(ram));
	if (gmem_add(&gm, 0, sizeof(ram), ram) < 0)
		abort();
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		(void)symbols_locate(s, &gm, &modes[i], &offset);
	symbols_free(s);
	return 0;
}
