// SPDX-License-Identifier: MIT
/*
 * Any file at all, as a kernel. What is accepted must be loadable without
 * further checks; what is refused must say why, and where in the file.
 *
 * The first byte says how the rest is shown: 0 as a whole file, n > 0 as the
 * start of one with n * 64 KiB after its head.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/plan.h"
#include "core/base.h"
#include "layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static bool within(uint64_t at, uint64_t len, uint64_t start, uint64_t end)
{
	return at >= start && at <= end && len <= end - at;
}

static void check_linux(const struct boot_plan *plan, size_t head_len)
{
	gpa_t reserve_end = plan->reserve + plan->reserve_len;
	bool entered = false;
	unsigned i;

	check(within(plan->reserve, plan->reserve_len,
		     LAYOUT_SETUP_DATA + LAYOUT_SETUP_DATA_MAX, LAYOUT_HOLE));
	check(within(plan->setup_off, plan->setup_len, 0, head_len));
	check(plan->cmdline_max < LAYOUT_CMDLINE_MAX);
	check(plan->initrd_max < LAYOUT_HOLE);
	for (i = 0; i < plan->segments; i++) {
		const struct boot_segment *s = &plan->segment[i];

		check(within(s->gpa, s->mem_len, plan->reserve, reserve_end));
		check(!(s->gpa < LAYOUT_CMDLINE + LAYOUT_CMDLINE_MAX &&
			s->gpa + s->mem_len > LAYOUT_CMDLINE));
		entered |= plan->entry - s->gpa < s->file_len;
	}
	check(entered);
}

static void check_real(const struct boot_plan *plan, uint64_t file_len)
{
	const struct boot_segment *s = &plan->segment[0];

	check(plan->segments == 1 && s->file_off == 0);
	check(s->file_len == file_len && s->mem_len == file_len);
	check(within(s->gpa, s->mem_len, LAYOUT_BOOT_SECTOR, LAYOUT_EBDA));
	check(plan->cs * 16u + plan->entry == s->gpa);
}

/* Nothing lies where the information and the command line go. */
static void check_multiboot(const struct boot_plan *plan)
{
	gpa_t reserve_end = plan->reserve + plan->reserve_len;
	bool entered = false;
	unsigned i;

	check(plan->cmdline_max < LAYOUT_CMDLINE_MAX);
	for (i = 0; i < plan->segments; i++) {
		const struct boot_segment *s = &plan->segment[i];

		check(within(s->gpa, s->mem_len, plan->reserve, reserve_end));
		check(s->gpa >= LAYOUT_MULTIBOOT + LAYOUT_MULTIBOOT_MAX ||
		      s->gpa + s->mem_len <= LAYOUT_MULTIBOOT);
		check(s->gpa >= LAYOUT_CMDLINE + LAYOUT_CMDLINE_MAX ||
		      s->gpa + s->mem_len <= LAYOUT_CMDLINE);
		entered |= plan->entry - s->gpa < s->file_len;
	}
	check(entered);
}

static void check_plan(const struct boot_plan *plan, size_t head_len,
		       uint64_t file_len)
{
	unsigned i, j;

	check(plan->format && plan->segments >= 1 &&
	      plan->segments <= BOOT_MAX_SEGMENTS);
	for (i = 0; i < plan->segments; i++) {
		const struct boot_segment *s = &plan->segment[i];

		check(within(s->file_off, s->file_len, 0, file_len));
		check(s->mem_len >= s->file_len);
		check(within(s->gpa, s->mem_len, 0, LAYOUT_HOLE));
		for (j = 0; j < i; j++) {
			const struct boot_segment *t = &plan->segment[j];

			check(s->gpa >= t->gpa + t->mem_len ||
			      t->gpa >= s->gpa + s->mem_len);
		}
	}
	switch (plan->protocol) {
	case BOOT_LINUX64: check_linux(plan, head_len); break;
	case BOOT_MULTIBOOT: check_multiboot(plan); break;
	case BOOT_REAL: check_real(plan, file_len); break;
	}
}

static void run(const uint8_t *head, size_t head_len, uint64_t file_len)
{
	struct boot_plan plan, before;
	struct boot_error err;
	int r;

	memset(&plan, 0xa5, sizeof(plan));
	memcpy(&before, &plan, sizeof(plan));
	memset(&err, 0xa5, sizeof(err));
	r = boot_recognise(head, head_len, file_len, &plan, &err);
	if (r == 0) {
		check_plan(&plan, head_len, file_len);
		return;
	}
	check(r == -EINVAL);
	check(memcmp(&before, &plan, sizeof(plan)) == 0);
	check(err.off <= file_len);
	/* There is a text, and it was not cut. */
	check(err.text[0] && strnlen(err.text, sizeof(err.text)) <
				     sizeof(err.text) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t head[BOOT_HEAD_LEN];
	unsigned more;

	if (len == 0)
		return 0;
	more = *data++;
	len--;
	if (len > BOOT_HEAD_LEN)
		len = BOOT_HEAD_LEN;
	if (more == 0) {
		run(data, len, len);
		return 0;
	}
	memset(head, 0, sizeof(head));
	memcpy(head, data, len);
	run(head, sizeof(head), sizeof(head) + (uint64_t)more * KIB(64));
	return 0;
}
