// SPDX-License-Identifier: MIT
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bios.h"
#include "boot/elf_notes.h"
#include "core/base.h"
#include "layout.h"
#include "load_firmware.h"
#include "load_protocol.h"
#include "load_unpack.h"
#include "source_unpack.h"
#include "x86/acpi.h"
#include "x86/mptable.h"

static int refuse(struct error *err, const struct source *src,
		  const struct boot_error *why)
{
	if (why->off == BOOT_NOWHERE)
		return error_set(err, ERROR_INPUT, -EINVAL, "%s: %s", src->name,
				 why->text);
	return error_set(err, ERROR_INPUT, -EINVAL, "%s: at offset %#llx: %s",
			 src->name, (unsigned long long)why->off, why->text);
}

/* What an ELF file's notes say, of however many segments. */
static int read_notes(struct source *kernel, struct boot_image *image,
		      struct error *err)
{
	struct elf_notes_range range = { 0 };
	uint8_t *data = NULL;
	unsigned n;
	int r = 0;

	for (n = 0; r == 0 && elf_notes_find(image, n, &range); n++) {
		if (!range.len)
			continue;
		if (!data)
			data = malloc(ELF_NOTES_MAX);
		if (!data)
			return error_host(err, -ENOMEM, "%s", kernel->name);
		r = source_read(kernel, range.off, data, range.len, err);
		if (r == 0)
			elf_notes_read(data, &range, &image->notes);
	}
	free(data);
	return r;
}

static int load_segments(const struct gmem *gm, struct source *kernel,
			 const struct boot_plan *plan, struct error *err)
{
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < plan->segments; i++) {
		const struct boot_segment *s = &plan->segment[i];
		void *to = gmem_ptr(gm, s->gpa, s->mem_len);

		r = to ? source_read(kernel, s->file_off, to, s->file_len,
				     err) :
			 error_set(err, ERROR_INPUT, -EINVAL,
				   "%s: no memory at %#llx, where it wants to "
				   "lie",
				   kernel->name, (unsigned long long)s->gpa);
	}
	return r;
}

static int load_image(const struct gmem *gm, struct source *kernel,
		      const struct load_request *rq, struct boot_plan *plan,
		      uint8_t **ret_setup, struct error *err)
{
	struct boot_image image = { .want = rq->boot };
	struct source inner = { .fd = -1 };
	struct boot_error why;
	uint8_t *head, *setup = NULL;
	int r;

	image.len = kernel->len;
	image.head_len = kernel->len < BOOT_HEAD_LEN ? kernel->len :
						       BOOT_HEAD_LEN;
	image.head = head = malloc(BOOT_HEAD_LEN);
	if (!head)
		return error_host(err, -ENOMEM, "%s", kernel->name);
	r = source_read(kernel, 0, head, image.head_len, err);
	if (r == 0)
		r = read_notes(kernel, &image, err);
	if (r < 0)
		goto out;
	r = boot_recognise(&image, plan, &why);
	if (r < 0) {
		r = refuse(err, kernel, &why);
		goto out;
	}
	r = boot_plan_fits(gm, plan, &why);
	if (r < 0) {
		r = error_set(err, ERROR_INPUT, r, "%s: %s", kernel->name,
			      why.text);
		goto out;
	}
	if (plan->boot == TRAPMAP_BOOT_UNPACK) {
		r = load_unpack(kernel, rq->cmdline, plan, &inner, err);
		kernel = &inner;
	}
	if (r == 0)
		r = load_segments(gm, kernel, plan, err);
	if (r < 0)
		goto out;
	/* The header lies in the head: bzimage_parse() has seen to that. */
	if (plan->setup_len) {
		setup = malloc(plan->setup_len);
		if (!setup) {
			r = error_host(err, -ENOMEM, "%s", kernel->name);
			goto out;
		}
		memcpy(setup, head + plan->setup_off, plan->setup_len);
	}
	*ret_setup = setup;
out:
	source_done(&inner);
	free(head);
	return r;
}

/* The file, or if that is compressed what is in it; but for code of one's own. */
static int load_kernel(const struct gmem *gm, const struct load_request *rq,
		       struct boot_plan *plan, uint8_t **ret_setup,
		       struct error *err)
{
	struct source inner = { .fd = -1 };
	int r;

	r = source_open(rq->kernel, err);
	if (r == 0 && rq->boot != TRAPMAP_BOOT_SECTOR &&
	    rq->boot != TRAPMAP_BOOT_FLAT)
		r = source_unpack(rq->kernel, &inner, err);
	if (r < 0)
		return r;
	r = load_image(gm, r > 0 ? &inner : rq->kernel, rq, plan, ret_setup,
		       err);
	source_done(&inner);
	return r;
}

/* What a BIOS would have left: its data areas, ACPI and MP tables. */
static int write_tables(const struct gmem *gm, const struct load_request *rq,
			struct error *err)
{
	size_t used;
	int r;

	r = bios_write_data(gm, &rq->platform);
	if (r < 0)
		return error_host(err, r, "cannot write the BIOS's data");
	r = acpi_build(gmem_ptr(gm, LAYOUT_ACPI, LAYOUT_ACPI_MAX),
		       LAYOUT_ACPI_MAX, LAYOUT_ACPI, &rq->platform, &used);
	if (r < 0)
		return error_host(err, r, "cannot write the ACPI tables");
	r = mptable_build(gmem_ptr(gm, LAYOUT_MPTABLE, LAYOUT_MPTABLE_MAX),
			  LAYOUT_MPTABLE_MAX, LAYOUT_MPTABLE, &rq->platform,
			  &used);
	if (r < 0)
		return error_host(err, r, "cannot write the MP table");
	return 0;
}

/* Real mode comes with the services that one expects there. */
static int add_bios(const struct gmem *gm, const struct load_request *rq,
		    struct boot_plan *plan, struct error *err)
{
	int r;

	if (plan->protocol != BOOT_REAL && plan->protocol != BOOT_LINUX16)
		return 0;
	r = bios_write(gm, &rq->platform, plan);
	return r < 0 ? error_host(err, r, "cannot write the BIOS") : 0;
}

int load_guest(const struct gmem *gm, const struct load_request *request,
	       struct loaded *ret_loaded, struct error *err)
{
	struct loaded loaded = { 0 };
	uint8_t *setup = NULL;
	int r;

	if (request->firmware && request->dtb_asked)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: firmware takes no devicetree",
				 request->firmware->name);
	if (request->firmware)
		return write_tables(gm, request, err) ?:
		       load_firmware(gm, request->firmware, ret_loaded, err);
	r = load_kernel(gm, request, &loaded.plan, &setup, err);
	if (r < 0)
		return r;
	r = write_tables(gm, request, err);
	if (r == 0)
		r = load_protocol(gm, request, setup, &loaded, err);
	if (r == 0)
		r = add_bios(gm, request, &loaded.plan, err);
	if (r == 0)
		*ret_loaded = loaded;
	free(setup);
	return r;
}
