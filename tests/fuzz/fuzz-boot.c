// SPDX-License-Identifier: MIT
/*
 * Any file at all, as a kernel, by every protocol that can be asked for. What is
 * accepted must be loadable without further checks, and start as was asked; what
 * is refused must say why, and where in the file.
 *
 * The first byte says how the rest is shown: 0 as a whole file, n > 0 as the
 * start of one with n * 64 KiB after its head.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/elf_notes.h"
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

/* The setup code in its segment, the rest as for other entries. */
static void check_setup(const struct boot_plan *plan)
{
	const struct boot_segment *s = &plan->segment[1];

	check(plan->segments == 2 && s->file_off == 0);
	check(s->gpa == LAYOUT_SETUP && s->mem_len <= LAYOUT_SETUP_MAX);
	check(plan->ss * 16u == s->gpa && plan->cs * 16u == s->gpa + 512);
	check(plan->entry == 0 && s->file_len > 512);
	check(plan->segment[0].gpa >= LAYOUT_HIGH_RAM);
	check(plan->cmdline_max < LAYOUT_CMDLINE_MAX);
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
	case BOOT_LINUX16: check_setup(plan); break;
	case BOOT_PVH:
		check(plan->entry <= UINT32_MAX);
		check_multiboot(plan);
		break;
	case BOOT_LINUX32:
	case BOOT_LINUX64: check_linux(plan, head_len); break;
	case BOOT_MULTIBOOT: check_multiboot(plan); break;
	case BOOT_REAL: check_real(plan, file_len); break;
	case BOOT_RESET: check(false); /* no image says so */
	}
}

/* Notes are looked at where they lie in the head, in a copy of their own. */
static void find_notes(struct boot_image *image)
{
	struct elf_notes_range range = { 0 };
	unsigned n;

	for (n = 0; n < 4 && elf_notes_find(image, n, &range); n++) {
		uint8_t *copy;

		check(within(range.off, range.len, 0, image->len) || !range.len);
		check(range.len <= ELF_NOTES_MAX);
		if (!range.len ||
		    !within(range.off, range.len, 0, image->head_len))
			continue;
		copy = malloc(range.len);
		check(copy != NULL);
		memcpy(copy, image->head + range.off, range.len);
		elf_notes_read(copy, &range, &image->notes);
		free(copy);
	}
}

static void run_as(const struct boot_image *image)
{
	struct boot_plan plan, before;
	struct boot_error err;
	int r;

	memset(&plan, 0xa5, sizeof(plan));
	memcpy(&before, &plan, sizeof(plan));
	memset(&err, 0xa5, sizeof(err));
	r = boot_recognise(image, &plan, &err);
	if (r == 0) {
		check(plan.boot && plan.offers & BIT(plan.boot));
		check(!image->want || plan.boot == image->want);
		check_plan(&plan, image->head_len, image->len);
		return;
	}
	check(r == -EINVAL);
	check(memcmp(&before, &plan, sizeof(plan)) == 0);
	check(err.off <= image->len || err.off == BOOT_NOWHERE);
	/* There is a text, and it was not cut. */
	check(err.text[0] && strnlen(err.text, sizeof(err.text)) <
				     sizeof(err.text) - 1);
}

static void run(const uint8_t *head, size_t head_len, uint64_t file_len)
{
	struct boot_image image = {
		.head = head,
		.head_len = head_len,
		.len = file_len,
	};
	unsigned want;

	find_notes(&image);
	for (want = 0; want <= TRAPMAP_BOOT_UNPACK; want++) {
		image.want = (enum trapmap_boot)want;
		run_as(&image);
	}
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
