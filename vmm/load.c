// SPDX-License-Identifier: MIT
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "boot/linux.h"
#include "boot/multiboot.h"
#include "core/base.h"
#include "layout.h"
#include "mem.h"
#include "x86/acpi.h"
#include "x86/e820.h"
#include "x86/mptable.h"
#include "x86/regs.h"

#define RNG_SEED_LEN 32

/* The BIOS data area, at 0x400: what real-mode code and kernels look up. */
#define BDA_COM1 0x400
#define BDA_EBDA_SEGMENT 0x40e
#define BDA_BASE_MEMORY_KIB 0x413

static int refuse(struct error *err, const struct source *src,
		  const struct boot_error *why)
{
	return error_set(err, ERROR_INPUT, -EINVAL, "%s: at offset %#llx: %s",
			 src->name, (unsigned long long)why->off, why->text);
}

static int load_kernel(const struct gmem *gm, struct source *kernel,
		       struct boot_plan *plan, uint8_t **ret_setup,
		       struct error *err)
{
	struct boot_error why;
	uint8_t *head, *setup = NULL;
	size_t head_len;
	unsigned i;
	int r;

	r = source_open(kernel, err);
	if (r < 0)
		return r;
	head_len = kernel->len < BOOT_HEAD_LEN ? kernel->len : BOOT_HEAD_LEN;
	head = malloc(head_len);
	if (!head)
		return error_host(err, -ENOMEM, "%s", kernel->name);
	r = source_read(kernel, 0, head, head_len, err);
	if (r < 0)
		goto out;
	r = boot_recognise(head, head_len, kernel->len, plan, &why);
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
	for (i = 0; i < plan->segments; i++) {
		const struct boot_segment *s = &plan->segment[i];
		void *to = gmem_ptr(gm, s->gpa, s->mem_len);

		r = to ? 0 :
			 error_set(err, ERROR_INPUT, -EINVAL,
				   "%s: no memory at %#llx, where it wants to "
				   "lie",
				   kernel->name, (unsigned long long)s->gpa);
		if (r < 0)
			goto out;
		r = source_read(kernel, s->file_off, to, s->file_len, err);
		if (r < 0)
			goto out;
	}
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
	free(head);
	return r;
}

/* How long they are one after another, each at a multiple of align. */
static int initrds_len(const struct load_request *rq, uint64_t align,
		       uint64_t *ret_len, struct error *err)
{
	uint64_t len = 0;
	unsigned i;
	int r;

	for (i = 0; i < rq->initrds; i++) {
		r = source_open(&rq->initrd[i], err);
		if (r < 0)
			return r;
		if (rq->initrd[i].len > UINT64_MAX / 4 - len)
			return error_set(err, ERROR_INPUT, -EFBIG,
					 "%s: too large", rq->initrd[i].name);
		len = align_up(len, align) + rq->initrd[i].len;
	}
	*ret_len = len;
	return 0;
}

/* Puts them there; ret_at, unless NULL, gets where each lies. */
static int read_initrds(const struct gmem *gm, const struct load_request *rq,
			gpa_t gpa, uint64_t align, gpa_t *ret_at,
			struct error *err)
{
	unsigned i;
	int r;

	for (i = 0; i < rq->initrds; i++) {
		void *to = gmem_ptr(gm, gpa, rq->initrd[i].len);

		r = source_read(&rq->initrd[i], 0, to, rq->initrd[i].len, err);
		if (r < 0)
			return r;
		if (ret_at)
			ret_at[i] = gpa;
		gpa = align_up(gpa + rq->initrd[i].len, align);
	}
	return 0;
}

/* As one to Linux: cpio wants multiples of four. */
static int load_initrds(const struct gmem *gm, const struct load_request *rq,
			const struct boot_plan *plan, gpa_t *ret_gpa,
			uint64_t *ret_len, struct error *err)
{
	struct boot_error why;
	uint64_t len = 0;
	gpa_t gpa = 0;
	int r;

	r = initrds_len(rq, 4, &len, err);
	if (r < 0)
		return r;
	if (len > 0) {
		r = linux_place_initrd(gm, plan, len, &gpa, &why);
		if (r < 0)
			return error_set(err, ERROR_INPUT, r, "%s: %s",
					 rq->initrd[0].name, why.text);
	}
	r = read_initrds(gm, rq, gpa, 4, NULL, err);
	if (r < 0)
		return r;
	*ret_gpa = gpa;
	*ret_len = len;
	return 0;
}

/*
 * Modules of a multiboot kernel: each at a page of its own, behind the kernel,
 * where kernels expect them and look for free memory after them.
 */
static int load_modules(const struct gmem *gm, const struct load_request *rq,
			const struct boot_plan *plan, gpa_t *ret_at,
			struct error *err)
{
	gpa_t start = plan->reserve + plan->reserve_len;
	uint64_t len = 0;
	int r;

	if (start < LAYOUT_HIGH_RAM)
		start = LAYOUT_HIGH_RAM;
	start = align_up(start, MEM_PAGE);
	r = initrds_len(rq, MEM_PAGE, &len, err);
	if (r < 0)
		return r;
	if (len > 0 && !gmem_ptr(gm, start, len))
		return error_set(err, ERROR_INPUT, -ENOSPC,
				 "%s: the modules take %llu bytes behind the "
				 "kernel at %#llx, where there is not that much "
				 "memory",
				 rq->initrd[0].name, (unsigned long long)len,
				 (unsigned long long)start);
	return read_initrds(gm, rq, start, MEM_PAGE, ret_at, err);
}

/* What a BIOS would have left: its data area, ACPI and MP tables. */
static int write_tables(const struct gmem *gm, const struct load_request *rq,
			struct error *err)
{
	uint8_t *bda = gmem_ptr(gm, 0, 4096);
	size_t used;
	int r;

	put_le16(bda + BDA_COM1, LAYOUT_PORT_COM1);
	put_le16(bda + BDA_EBDA_SEGMENT, LAYOUT_EBDA >> 4);
	put_le16(bda + BDA_BASE_MEMORY_KIB, LAYOUT_EBDA >> 10);

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

/* What is too long only with what is not the user's own gets a word of its own. */
static int linux_cmdline(const struct load_request *rq,
			 const struct boot_plan *plan, char **ret_cmdline,
			 struct error *err)
{
	char *cmdline = platform_linux_cmdline(&rq->platform, rq->cmdline);

	if (!cmdline)
		return error_host(err, -ENOMEM, "the command line");
	if (strlen(cmdline) > plan->cmdline_max &&
	    strlen(rq->cmdline) <= plan->cmdline_max) {
		free(cmdline);
		return error_set(err, ERROR_INPUT, -E2BIG,
				 "the command line of %zu bytes leaves no room "
				 "to name the virtio devices there; this kernel "
				 "takes %u bytes (another --transport names "
				 "them elsewhere)",
				 strlen(rq->cmdline), plan->cmdline_max);
	}
	*ret_cmdline = cmdline;
	return 0;
}

static int write_linux(const struct gmem *gm, const struct load_request *rq,
		       const struct boot_plan *plan, const uint8_t *setup,
		       gpa_t initrd, uint64_t initrd_len, struct error *err)
{
	char *cmdline = NULL;
	struct e820_range e820[E820_MAX];
	uint8_t seed[RNG_SEED_LEN];
	struct linux_boot boot = {
		.plan = plan,
		.setup = setup,
		.initrd = initrd,
		.initrd_len = initrd_len,
		.e820 = e820,
		.e820_count = e820_build(&rq->platform, e820),
		.acpi_rsdp = LAYOUT_ACPI,
	};
	struct boot_error why;
	int r;

	r = linux_cmdline(rq, plan, &cmdline, err);
	if (r < 0)
		return r;
	boot.cmdline = cmdline;
	if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed)) {
		boot.rng_seed = seed;
		boot.rng_seed_len = sizeof(seed);
	}
	r = linux_boot_write(gm, &boot, &why);
	free(cmdline);
	if (r < 0)
		return error_set(err, ERROR_INPUT, -EINVAL, "%s", why.text);
	regs_write_tables(gm);
	return 0;
}

static int write_multiboot(const struct gmem *gm, const struct load_request *rq,
			   const struct boot_plan *plan, struct error *err)
{
	struct multiboot_module module[LOAD_MAX_INITRDS];
	gpa_t at[LOAD_MAX_INITRDS];
	struct e820_range e820[E820_MAX];
	struct multiboot_boot boot = {
		.kernel = rq->kernel->name,
		.cmdline = rq->cmdline,
		.e820 = e820,
		.e820_count = e820_build(&rq->platform, e820),
		.module = module,
		.modules = rq->initrds,
	};
	struct boot_error why;
	unsigned i;
	int r;

	r = load_modules(gm, rq, plan, at, err);
	if (r < 0)
		return r;
	for (i = 0; i < rq->initrds; i++)
		module[i] = (struct multiboot_module){
			.name = rq->initrd[i].name,
			.gpa = at[i],
			.len = rq->initrd[i].len,
		};
	if (multiboot_write(gm, &boot, &why) < 0)
		return error_set(err, ERROR_INPUT, -EINVAL, "%s", why.text);
	return 0;
}

/* Real-mode code gets nothing, so asking for something is a mistake. */
static int refuse_extras(const struct load_request *rq,
			 const struct boot_plan *plan, struct error *err)
{
	if (rq->initrds)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: a %s takes no initrd",
				 rq->initrd[0].name, plan->format);
	if (rq->cmdline[0])
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: a %s takes no command line",
				 rq->kernel->name, plan->format);
	return 0;
}

int load_guest(const struct gmem *gm, const struct load_request *request,
	       struct loaded *ret_loaded, struct error *err)
{
	struct loaded loaded = { 0 };
	struct boot_plan *plan = &loaded.plan;
	uint8_t *setup = NULL;
	int r;

	r = load_kernel(gm, request->kernel, plan, &setup, err);
	if (r < 0)
		return r;
	r = write_tables(gm, request, err);
	if (r < 0)
		goto out;
	switch (plan->protocol) {
	case BOOT_LINUX64:
		r = load_initrds(gm, request, plan, &loaded.initrd,
				 &loaded.initrd_len, err);
		if (r == 0)
			r = write_linux(gm, request, plan, setup,
					loaded.initrd, loaded.initrd_len, err);
		break;
	case BOOT_MULTIBOOT:
		r = write_multiboot(gm, request, plan, err);
		break;
	case BOOT_REAL:
		r = refuse_extras(request, plan, err);
		break;
	}
	if (r == 0)
		*ret_loaded = loaded;
out:
	free(setup);
	return r;
}
