// SPDX-License-Identifier: MIT
/*
 * disasm.c: instructions as text, by Zydis (https://zydis.re), of which only the
 * headers are used to build.
 */
#include "postmortem/disasm.h"

#include <errno.h>

#ifdef TRAPMAP_ZYDIS

#include <Zydis/Zydis.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base.h"

struct disasm {
	void *handle;
	ZyanStatus (*intel)(ZydisMachineMode mode, ZyanU64 rip, const void *code,
			    ZyanUSize len, ZydisDisassembledInstruction *insn);
};

static const ZydisMachineMode machine_mode[] = {
	[DISASM_16] = ZYDIS_MACHINE_MODE_REAL_16,
	[DISASM_32] = ZYDIS_MACHINE_MODE_LEGACY_32,
	[DISASM_64] = ZYDIS_MACHINE_MODE_LONG_64,
};

/*
 * Zydis's structures may change from one minor version to the next, so it has
 * to be the one whose headers were used.
 */
static int load(struct disasm *d)
{
	static const char *const names[] = { "libZydis.so.4.0",
					     "libZydis.so.4" };
	ZyanU64 (*version)(void);
	ZyanU64 have;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(names) && !d->handle; i++)
		d->handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!d->handle)
		return -ENOENT;
	/* ISO C has no cast from an object's address to a function's. */
	*(void **)&version = dlsym(d->handle, "ZydisGetVersion");
	*(void **)&d->intel = dlsym(d->handle, "ZydisDisassembleIntel");
	if (!version || !d->intel)
		return -ENOENT;
	have = version();
	if (ZYDIS_VERSION_MAJOR(have) != ZYDIS_VERSION_MAJOR(ZYDIS_VERSION) ||
	    ZYDIS_VERSION_MINOR(have) != ZYDIS_VERSION_MINOR(ZYDIS_VERSION))
		return -ENOENT;
	return 0;
}

int disasm_new(struct disasm **ret_disasm)
{
	struct disasm *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	r = load(d);
	if (r < 0) {
		disasm_free(d);
		return r;
	}
	*ret_disasm = d;
	return 0;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/*
 * Zydis writes 0x0000000000100D30; all other numbers of a post-mortem read
 * 0x100d30, and so are found by who searches for one.
 */
static void tidy_numbers(char *text)
{
	char *to = text;

	while (*text) {
		bool number = text[0] == '0' && text[1] == 'x';

		*to++ = *text++;
		if (!number)
			continue;
		*to++ = *text++;
		while (text[0] == '0' && is_hex(text[1]))
			text++;
		for (; is_hex(*text); text++)
			*to++ = *text >= 'A' ? (char)(*text - 'A' + 'a') : *text;
	}
	*to = '\0';
}

unsigned disasm_one(struct disasm *disasm, enum disasm_mode mode, uint64_t rip,
		    const uint8_t *code, size_t len, char *text, size_t size)
{
	ZydisDisassembledInstruction insn;

	if (!ZYAN_SUCCESS(
		    disasm->intel(machine_mode[mode], rip, code, len, &insn)))
		return 0;
	tidy_numbers(insn.text);
	snprintf(text, size, "%s", insn.text);
	return insn.info.length;
}

struct disasm *disasm_free(struct disasm *disasm)
{
	if (disasm && disasm->handle)
		dlclose(disasm->handle);
	free(disasm);
	return NULL;
}

#else

int disasm_new(struct disasm **ret_disasm)
{
	return -ENOSYS;
}

unsigned disasm_one(struct disasm *disasm, enum disasm_mode mode, uint64_t rip,
		    const uint8_t *code, size_t len, char *text, size_t size)
{
	return 0;
}

struct disasm *disasm_free(struct disasm *disasm)
{
	return NULL;
}

#endif
