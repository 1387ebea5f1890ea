// SPDX-License-Identifier: MIT
#include "load_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "boot/linux.h"
#include "boot/multiboot.h"
#include "boot/pvh.h"
#include "core/base.h"
#include "devicetree.h"
#include "layout.h"
#include "mem.h"
#include "x86/e820.h"
#include "x86/regs.h"

#define RNG_SEED_LEN 32

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

/* The machine's own is known only now: it names command line and initrd. */
static int own_dtb(const struct load_request *rq, struct linux_boot *boot,
		   void **ret_blob, struct error *err)
{
	const struct devicetree_config config = {
		.platform = rq->platform,
		.model = rq->board_model,
		.cmdline = boot->cmdline,
		.initrd = boot->initrd,
		.initrd_len = boot->initrd_len,
	};
	int r;

	if (!rq->dtb_own)
		return 0;
	r = devicetree_build(&config, ret_blob, &boot->dtb_len);
	if (r < 0)
		return error_host(err, r, "devicetree");
	boot->dtb = *ret_blob;
	return 0;
}

static int write_linux(const struct gmem *gm, const struct load_request *rq,
		       const uint8_t *setup, struct loaded *loaded,
		       struct error *err)
{
	const struct boot_plan *plan = &loaded->plan;
	char *cmdline = NULL;
	struct e820_range e820[E820_MAX];
	uint8_t seed[RNG_SEED_LEN];
	struct linux_boot boot = {
		.plan = plan,
		.setup = setup,
		.e820 = e820,
		.e820_count = e820_build(&rq->platform, e820),
		.acpi_rsdp = LAYOUT_ACPI,
		.dtb = rq->dtb,
		.dtb_len = rq->dtb_len,
	};
	struct boot_error why;
	void *own = NULL;
	int r;

	r = load_initrds(gm, rq, plan, &loaded->initrd, &loaded->initrd_len,
			 err);
	if (r == 0)
		r = linux_cmdline(rq, plan, &cmdline, err);
	if (r < 0)
		return r;
	boot.initrd = loaded->initrd;
	boot.initrd_len = loaded->initrd_len;
	boot.cmdline = cmdline;
	r = own_dtb(rq, &boot, &own, err);
	if (r < 0)
		goto out;
	if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed)) {
		boot.rng_seed = seed;
		boot.rng_seed_len = sizeof(seed);
	}
	r = plan->protocol == BOOT_LINUX16 ? linux_setup_write(gm, &boot, &why) :
					     linux_boot_write(gm, &boot, &why);
	if (r < 0)
		error_set(err, ERROR_INPUT, r, "%s", why.text);
out:
	free(own);
	free(cmdline);
	return r;
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

/*
 * Linux takes the first module for its initrd and no other: it gets one of all
 * of them. Another kernel gets each as a module, with its name.
 */
static int load_pvh_modules(const struct gmem *gm,
			    const struct load_request *rq,
			    struct loaded *loaded,
			    struct pvh_module *module, unsigned *ret_count,
			    struct error *err)
{
	gpa_t at[LOAD_MAX_INITRDS];
	unsigned i;
	int r;

	if (loaded->plan.is_linux) {
		r = load_initrds(gm, rq, &loaded->plan, &loaded->initrd,
				 &loaded->initrd_len, err);
		if (r < 0)
			return r;
		module[0] = (struct pvh_module){
			.gpa = loaded->initrd,
			.len = loaded->initrd_len,
		};
		*ret_count = loaded->initrd_len > 0;
		return 0;
	}
	r = load_modules(gm, rq, &loaded->plan, at, err);
	if (r < 0)
		return r;
	for (i = 0; i < rq->initrds; i++)
		module[i] = (struct pvh_module){
			.cmdline = rq->initrd[i].name,
			.gpa = at[i],
			.len = rq->initrd[i].len,
		};
	*ret_count = rq->initrds;
	return 0;
}

static int write_pvh(const struct gmem *gm, const struct load_request *rq,
		     struct loaded *loaded, struct error *err)
{
	struct pvh_module module[LOAD_MAX_INITRDS];
	struct e820_range e820[E820_MAX];
	struct pvh_boot boot = {
		.cmdline = rq->cmdline,
		.cmdline_max = loaded->plan.cmdline_max,
		.e820 = e820,
		.e820_count = e820_build(&rq->platform, e820),
		.module = module,
		.acpi_rsdp = LAYOUT_ACPI,
	};
	char *cmdline = NULL;
	struct boot_error why;
	int r;

	r = load_pvh_modules(gm, rq, loaded, module, &boot.modules, err);
	if (r == 0 && loaded->plan.is_linux) {
		r = linux_cmdline(rq, &loaded->plan, &cmdline, err);
		boot.cmdline = cmdline;
	}
	if (r < 0)
		return r;
	r = pvh_write(gm, &boot, &why);
	free(cmdline);
	return r < 0 ? error_set(err, ERROR_INPUT, -EINVAL, "%s", why.text) : 0;
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

int load_protocol(const struct gmem *gm, const struct load_request *rq,
		  const uint8_t *setup, struct loaded *loaded,
		  struct error *err)
{
	const enum boot_protocol protocol = loaded->plan.protocol;
	int r = 0;

	if (rq->dtb_asked && protocol != BOOT_LINUX64 &&
	    protocol != BOOT_LINUX32 && protocol != BOOT_LINUX16)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: a %s takes no devicetree",
				 rq->kernel->name, loaded->plan.format);
	switch (protocol) {
	case BOOT_LINUX64:
	case BOOT_LINUX32:
	case BOOT_LINUX16: r = write_linux(gm, rq, setup, loaded, err); break;
	case BOOT_PVH: r = write_pvh(gm, rq, loaded, err); break;
	case BOOT_MULTIBOOT:
		r = write_multiboot(gm, rq, &loaded->plan, err);
		break;
	case BOOT_REAL: r = refuse_extras(rq, &loaded->plan, err); break;
	case BOOT_RESET: break; /* no kernel of ours */
	}
	if (r == 0)
		regs_write_tables(gm, protocol);
	return r;
}
