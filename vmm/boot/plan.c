// SPDX-License-Identifier: MIT
#include "boot/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/base.h"
#include "layout.h"

int boot_refuse(struct boot_error *err, uint64_t off, const char *fmt, ...)
{
	va_list ap;

	err->off = off;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* In whole MiB, rounded up, whatever the number. */
static uint64_t in_mib(uint64_t bytes)
{
	return bytes / MIB(1) + (bytes % MIB(1) != 0);
}

/* Where memory ends below the hole: what -m says, but for what is above. */
static uint64_t low_memory_end(const struct gmem *gm)
{
	uint64_t end = 0;
	unsigned i;

	for (i = 0; i < gm->count; i++)
		if (gm->region[i].base < LAYOUT_HOLE)
			end = gm->region[i].base + gm->region[i].len;
	return end;
}

static int refuse_range(const struct gmem *gm, const struct boot_plan *plan,
			gpa_t gpa, uint64_t len, uint64_t off,
			struct boot_error *err)
{
	uint64_t have = low_memory_end(gm);

	if (gpa > LAYOUT_HOLE || len > LAYOUT_HOLE - gpa || gpa + len <= have)
		return boot_refuse(err, off,
				   "%s needs 0x%" PRIx64 " bytes at 0x%" PRIx64
				   ", where a machine has no memory",
				   plan->format, len, gpa);
	return boot_refuse(err, off,
			   "%s needs %" PRIu64
			   " MiB of memory to start, the machine has %" PRIu64
			   " MiB",
			   plan->format, in_mib(gpa + len), have / MIB(1));
}

int boot_plan_fits(const struct gmem *gm, const struct boot_plan *plan,
		   struct boot_error *err)
{
	gpa_t start = plan->reserve;
	uint64_t len = plan->reserve_len;
	unsigned i;

	/*
	 * First the reserve, as a rule the most. If it begins in low memory it
	 * spans ranges that are none; of those only segments matter.
	 */
	if (start < LAYOUT_HIGH_RAM && len > LAYOUT_HIGH_RAM - start) {
		len -= LAYOUT_HIGH_RAM - start;
		start = LAYOUT_HIGH_RAM;
	}
	if (len > 0 && start >= LAYOUT_HIGH_RAM && !gmem_ptr(gm, start, len))
		return refuse_range(gm, plan, start, len, 0, err);

	for (i = 0; i < plan->segments; i++) {
		const struct boot_segment *s = &plan->segment[i];

		if (!gmem_ptr(gm, s->gpa, s->mem_len))
			return refuse_range(gm, plan, s->gpa, s->mem_len,
					    s->file_off, err);
	}
	return 0;
}

const char *boot_name(enum trapmap_boot boot)
{
	static const char *const names[] = {
		[TRAPMAP_BOOT_LINUX64] = "linux64",
		[TRAPMAP_BOOT_LINUX32] = "linux32",
		[TRAPMAP_BOOT_LINUX16] = "linux16",
		[TRAPMAP_BOOT_PVH] = "pvh",
		[TRAPMAP_BOOT_MULTIBOOT] = "multiboot",
		[TRAPMAP_BOOT_SECTOR] = "sector",
		[TRAPMAP_BOOT_FLAT] = "flat",
		[TRAPMAP_BOOT_UNPACK] = "unpack",
	};

	return boot < ARRAY_SIZE(names) ? names[boot] : NULL;
}
