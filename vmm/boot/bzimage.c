// SPDX-License-Identifier: MIT
/*
 * bzimage.c: a Linux kernel as `make bzImage` leaves it: setup code with a
 * header in it, then the code that the 64-bit boot protocol enters.
 *
 * Source: Documentation/arch/x86/boot.rst, sections "The Real-Mode Kernel
 * Header", "Loading The Rest of The Kernel" and "64-bit Boot Protocol".
 *
 * Not here: kernels older than protocol 2.12 or without a 64-bit entry, and
 * zImages (which load below 1 MiB). The setup code itself is never run.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "boot/plan.h"
#include "core/base.h"
#include "layout.h"

/* Offset of a header's field, in the file as in boot_params. */
#define AT(field) offsetof(struct boot_params, hdr.field)

#define HEADER_START AT(setup_sects)
#define HEADER_MAGIC 0x53726448 /* "HdrS" */
/* What a header must reach to, and what boot_params has room for. */
#define HEADER_END_MIN (AT(init_size) + 4)
#define HEADER_END_MAX offsetof(struct boot_params, edd_mbr_sig_buffer)

#define PROTOCOL_MIN 0x020c
#define SECTOR 512u
#define SETUP_SECTS_DEFAULT 4
#define PARAGRAPH 16u /* the unit of syssize */
#define ENTRY_64 0x200u
#define SHORT_JUMP 0xeb

/* What the header says, filled in as far as it has been checked. */
struct parts {
	struct setup_header hdr;
	uint32_t header_end;
	uint64_t code_off;
	uint64_t code_len;
	gpa_t load;
	uint64_t need; /* at load, in bytes */
};

static int check_header(const uint8_t *head, size_t head_len,
			uint64_t file_len, struct parts *p,
			struct boot_error *err)
{
	const struct setup_header *h = &p->hdr;
	uint8_t opcode = (uint8_t)h->jump;

	if (h->boot_flag != 0xaa55)
		return boot_refuse(err, AT(boot_flag),
				   "bzImage's boot signature is 0x%04x, 0xaa55 expected",
				   h->boot_flag);
	if (head_len < AT(version) + sizeof(h->version))
		return boot_refuse(err, file_len,
				   "bzImage is truncated: the file ends in its setup header");
	if (h->version < PROTOCOL_MIN)
		return boot_refuse(err, AT(version),
				   "kernel has boot protocol %u.%02u; 2.12 or newer and a 64-bit kernel expected",
				   h->version >> 8, h->version & 0xff);
	if (opcode != SHORT_JUMP)
		return boot_refuse(err, AT(jump),
				   "bzImage's setup code starts with 0x%02x, a short jump (0xeb) expected",
				   opcode);
	/* The jump goes over the rest of the header, so it tells its length. */
	p->header_end = AT(header) + (h->jump >> 8);
	if (p->header_end < HEADER_END_MIN || p->header_end > HEADER_END_MAX)
		return boot_refuse(err, AT(jump) + 1,
				   "bzImage's setup header ends at 0x%x, 0x%zx to 0x%zx expected",
				   p->header_end, HEADER_END_MIN,
				   HEADER_END_MAX);
	if (head_len < p->header_end)
		return boot_refuse(err, file_len,
				   "bzImage is truncated: its setup header ends at 0x%x, the file at 0x%" PRIx64,
				   p->header_end, file_len);
	if (!(h->xloadflags & XLF_KERNEL_64))
		return boot_refuse(err, AT(xloadflags),
				   "32-bit kernel (xloadflags 0x%x, no XLF_KERNEL_64); a 64-bit kernel with boot protocol 2.12 or newer expected",
				   h->xloadflags);
	if (!(h->loadflags & LOADED_HIGH))
		return boot_refuse(err, AT(loadflags),
				   "zImage (loadflags 0x%x, no LOADED_HIGH); a bzImage expected",
				   h->loadflags);
	return 0;
}

static int check_code(uint64_t file_len, struct parts *p,
		      struct boot_error *err)
{
	const struct setup_header *h = &p->hdr;
	unsigned sects = h->setup_sects ? h->setup_sects : SETUP_SECTS_DEFAULT;
	uint64_t payload_end = (uint64_t)h->payload_offset + h->payload_length;

	/* setup_sects does not count the boot sector. */
	p->code_off = (sects + 1) * SECTOR;
	p->code_len = (uint64_t)h->syssize * PARAGRAPH;
	if (p->code_off > file_len)
		return boot_refuse(err, file_len,
				   "bzImage is truncated: 0x%" PRIx64
				   " bytes of setup code expected, 0x%" PRIx64
				   " found",
				   p->code_off, file_len);
	if (p->code_len <= ENTRY_64)
		return boot_refuse(err, AT(syssize),
				   "bzImage has 0x%" PRIx64
				   " bytes of protected-mode code; its 64-bit entry is at 0x%x",
				   p->code_len, ENTRY_64);
	if (p->code_len > file_len - p->code_off)
		return boot_refuse(err, file_len,
				   "bzImage is truncated: 0x%" PRIx64
				   " bytes of protected-mode code expected, 0x%" PRIx64
				   " found",
				   p->code_len, file_len - p->code_off);
	if (payload_end > p->code_len)
		return boot_refuse(err, AT(payload_offset),
				   "bzImage's compressed payload ends at 0x%" PRIx64
				   " of 0x%" PRIx64
				   " bytes of protected-mode code",
				   payload_end, p->code_len);
	return 0;
}

/*
 * Where the code goes, and all that it needs there before it reads its memory
 * map. A kernel that is not relocatable runs at pref_address wherever it is
 * loaded; one that is prefers it; so that is where both go.
 */
static int place(struct parts *p, struct boot_error *err)
{
	const struct setup_header *h = &p->hdr;
	uint64_t need = h->init_size;
	gpa_t load = h->pref_address;

	if (load < LAYOUT_HIGH_RAM || load >= LAYOUT_HOLE)
		return boot_refuse(err, AT(pref_address),
				   "kernel prefers address 0x%" PRIx64
				   ", 0x%x to 0x%llx expected",
				   load, LAYOUT_HIGH_RAM, LAYOUT_HOLE - 1);
	if (h->relocatable_kernel) {
		uint32_t align = h->kernel_alignment;

		if (align == 0 || (align & (align - 1)))
			return boot_refuse(err, AT(kernel_alignment),
					   "kernel's alignment is 0x%x, a power of two expected",
					   align);
		load = align_up(load, align);
	}
	if (need < p->code_len)
		need = p->code_len;
	if (load > LAYOUT_HOLE || need > LAYOUT_HOLE - load)
		return boot_refuse(err, AT(init_size),
				   "kernel needs 0x%" PRIx64
				   " bytes at 0x%" PRIx64
				   ", memory below 4 GiB ends at 0x%llx",
				   need, load, LAYOUT_HOLE);
	p->load = load;
	p->need = need;
	return 0;
}

static uint64_t initrd_max(const struct setup_header *h)
{
	uint64_t max = LAYOUT_HOLE - 1;

	/* initrd_addr_max speaks of loaders that cannot go beyond 4 GiB. */
	if (!(h->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) &&
	    h->initrd_addr_max < max)
		max = h->initrd_addr_max;
	return max;
}

int bzimage_parse(const uint8_t *head, size_t head_len, uint64_t file_len,
		  struct boot_plan *ret_plan, struct boot_error *err)
{
	struct parts p = { 0 };
	size_t len;
	int r;

	if (head_len < AT(header) + sizeof(p.hdr.header))
		return 0;
	len = head_len - HEADER_START;
	memcpy(&p.hdr, head + HEADER_START,
	       len < sizeof(p.hdr) ? len : sizeof(p.hdr));
	if (p.hdr.header != HEADER_MAGIC)
		return 0;

	r = check_header(head, head_len, file_len, &p, err);
	if (r < 0)
		return r;
	r = check_code(file_len, &p, err);
	if (r < 0)
		return r;
	r = place(&p, err);
	if (r < 0)
		return r;

	*ret_plan = (struct boot_plan){
		.format = "bzImage",
		.protocol = BOOT_LINUX64,
		.segment = { {
			.file_off = p.code_off,
			.file_len = p.code_len,
			.gpa = p.load,
			.mem_len = p.code_len,
		} },
		.segments = 1,
		.entry = p.load + ENTRY_64,
		.reserve = p.load,
		.reserve_len = p.need,
		.setup_off = HEADER_START,
		.setup_len = p.header_end - (uint32_t)HEADER_START,
		.cmdline_max = p.hdr.cmdline_size,
		.initrd_max = initrd_max(&p.hdr),
	};
	if (ret_plan->cmdline_max > LAYOUT_CMDLINE_MAX - 1)
		ret_plan->cmdline_max = LAYOUT_CMDLINE_MAX - 1;
	return 1;
}
