// SPDX-License-Identifier: MIT
/*
 * symbols_locate.c: whether the kernel in memory is the one of the symbols, and
 * where.
 *
 * Linux on x86-64 (Documentation/arch/x86/x86_64/mm.rst): linked for
 * 0xffffffff80000000 and up; KASLR adds a multiple of 2 MiB below 1 GiB to its
 * virtual addresses, and another to the physical ones. phys_base, a variable of
 * its own, has the difference. With page table isolation a process runs on
 * tables of its own, one page behind the kernel's (arch/x86/mm/pti.c).
 */
#include <string.h>

#include "core/base.h"
#include "postmortem/symbols_table.h"
#include "postmortem/walk.h"

#define CR0_PG BIT64(31)
#define KASLR_STEP MIB(2)
#define KASLR_STEPS 512
#define LINUX_MAP UINT64_C(0xffffffff80000000)
#define PTI_USER_TABLE BIT64(12)

/* Every banner begins so: init/version.c. */
static const char any_banner[] = "Linux version ";

enum match { MATCH_NONE, MATCH_OTHER, MATCH_THIS };

static enum match compare(const struct symbols *s, const char *text, size_t len)
{
	size_t want = strlen(s->banner);

	if (len < sizeof(any_banner) - 1 ||
	    memcmp(text, any_banner, sizeof(any_banner) - 1) != 0)
		return MATCH_NONE;
	/* Of a System.map only the place is known. */
	if (want == 0)
		return MATCH_THIS;
	return len > want && memcmp(text, s->banner, want + 1) == 0
		       ? MATCH_THIS
		       : MATCH_OTHER;
}

static enum symbols_fit by_tables(const struct symbols *s, const struct gmem *gm,
				  const struct walk_mode *mode, uint64_t banner,
				  uint64_t *ret_offset)
{
	enum symbols_fit fit = SYMBOLS_UNKNOWN;
	unsigned i;

	for (i = 0; i < KASLR_STEPS; i++) {
		uint64_t offset = i * KASLR_STEP;
		char text[SYMBOLS_BANNER_MAX];
		size_t len;

		if (offset > UINT64_MAX - banner)
			break;
		len = walk_read(gm, mode, banner + offset, text, sizeof(text));
		if (len == 0)
			continue;
		if (compare(s, text, len) == MATCH_THIS) {
			*ret_offset = offset;
			return SYMBOLS_FIT;
		}
		/* Something is there, and it is not this kernel. */
		fit = SYMBOLS_MISFIT;
	}
	return fit;
}

/*
 * Without page tables: where its link address would put it in physical memory,
 * or multiples of 2 MiB from there. Only phys_base knows how far its virtual
 * addresses have moved.
 */
static enum symbols_fit by_memory(const struct symbols *s, const struct gmem *gm,
				  uint64_t banner, uint64_t *ret_offset)
{
	enum symbols_fit fit = SYMBOLS_UNKNOWN;
	uint64_t link, variable = 0;
	unsigned i;

	if (banner < LINUX_MAP)
		return SYMBOLS_UNKNOWN;
	link = banner - LINUX_MAP;
	for (i = 0; i < KASLR_STEPS; i++) {
		gpa_t gpa = link + i * KASLR_STEP;
		char text[SYMBOLS_BANNER_MAX];
		uint64_t offset;
		uint8_t base[8];

		if (gmem_read(gm, gpa, text, sizeof(text)) < 0)
			continue;
		switch (compare(s, text, sizeof(text))) {
		case MATCH_NONE: continue;
		case MATCH_OTHER: fit = SYMBOLS_MISFIT; continue;
		case MATCH_THIS: break;
		}
		if (!symbols_address(s, "phys_base", &variable) ||
		    gmem_read(gm, gpa + (variable - banner), base,
			      sizeof(base)) < 0)
			continue;
		offset = gpa - get_le64(base) - link;
		if (offset % KASLR_STEP || offset >= KASLR_STEPS * KASLR_STEP)
			continue;
		*ret_offset = offset;
		return SYMBOLS_FIT;
	}
	return fit;
}

static enum symbols_fit locate_linux(const struct symbols *s,
				     const struct gmem *gm,
				     const struct walk_mode *mode,
				     uint64_t banner, uint64_t *ret_offset)
{
	struct walk_mode other = *mode;
	enum symbols_fit fit;

	if (!(mode->cr0 & CR0_PG))
		return by_memory(s, gm, banner, ret_offset);
	fit = by_tables(s, gm, mode, banner, ret_offset);
	if (fit == SYMBOLS_FIT || !(mode->cr3 & PTI_USER_TABLE))
		return fit;
	other.cr3 &= ~PTI_USER_TABLE;
	return by_tables(s, gm, &other, banner, ret_offset) == SYMBOLS_FIT
		       ? SYMBOLS_FIT
		       : fit;
}

/* One place that is the file's is enough: code may have been patched. */
static enum symbols_fit by_samples(const struct symbols *s,
				   const struct gmem *gm,
				   const struct walk_mode *mode,
				   uint64_t *ret_offset)
{
	enum symbols_fit fit = SYMBOLS_UNKNOWN;
	unsigned i;

	for (i = 0; i < s->samples; i++) {
		const struct symbols_sample *sample = &s->sample[i];
		uint64_t at = mode->cr0 & CR0_PG ? sample->vaddr : sample->paddr;
		uint8_t bytes[SYMBOLS_SAMPLE_LEN];

		if (walk_read(gm, mode, at, bytes, sample->len) < sample->len)
			continue;
		if (memcmp(bytes, sample->bytes, sample->len) == 0) {
			*ret_offset = 0;
			return SYMBOLS_FIT;
		}
		fit = SYMBOLS_MISFIT;
	}
	return fit;
}

enum symbols_fit symbols_locate(const struct symbols *symbols,
				const struct gmem *gm,
				const struct walk_mode *mode,
				uint64_t *ret_offset)
{
	uint64_t banner;

	if (symbols_address(symbols, "linux_banner", &banner))
		return locate_linux(symbols, gm, mode, banner, ret_offset);
	return by_samples(symbols, gm, mode, ret_offset);
}
