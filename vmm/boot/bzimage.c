// SPDX-License-Identifier: MIT
/*
 * bzimage.c: a Linux kernel as `make bzImage` leaves it: setup code for real
 * mode with a header in it, then code that has a 32-bit and a 64-bit entry.
 *
 * Source: Documentation/arch/x86/boot.rst, sections "Memory Layout", "The
 * Real-Mode Kernel Header", "Loading The Rest of The Kernel", "32-bit Boot
 * Protocol" and "64-bit Boot Protocol".
 *
 * Not here: zImages (which load below 1 MiB) and what is older than protocol
 * 2.02, which takes its command line elsewhere.
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
/* What boot_params has room for. */
#define HEADER_END_MAX offsetof(struct boot_params, edd_mbr_sig_buffer)

/* Since which protocol there is... */
#define PROTOCOL_MIN 0x0202 /* a command line anywhere in low memory */
#define PROTOCOL_INITRD_MAX 0x0203
#define PROTOCOL_SYSSIZE 0x0204 /* all four bytes of it */
#define PROTOCOL_RELOCATABLE 0x0205
#define PROTOCOL_CMDLINE_SIZE 0x0206
#define PROTOCOL_PAYLOAD 0x0208
#define PROTOCOL_INIT_SIZE 0x020a
#define PROTOCOL_64 0x020c /* a 64-bit entry, and xloadflags to say so */

#define CMDLINE_MAX_OLD 255
#define INITRD_MAX_OLD 0x37ffffffu
/* How much larger a kernel is taken to be, unpacked, that does not say. */
#define UNPACKED_TIMES 8

#define SECTOR 512u
#define SETUP_SECTS_DEFAULT 4
#define PARAGRAPH 16u /* the unit of syssize */
#define ENTRY_64 0x200u
#define SHORT_JUMP 0xeb

/* What the header says, filled in as far as it has been checked. */
struct parts {
	/* Its end may be garbage: the version tells what there is. */
	struct setup_header hdr;
	uint32_t header_end;
	uint64_t code_off;
	uint64_t code_len;
	gpa_t load;
	uint64_t need; /* at load, in bytes */
};

static bool is_64(const struct setup_header *h)
{
	return h->version >= PROTOCOL_64 && h->xloadflags & XLF_KERNEL_64;
}

/* Up to where a header of that protocol has to reach. */
static uint32_t header_end_min(uint16_t version)
{
	if (version >= PROTOCOL_INIT_SIZE)
		return AT(init_size) + 4;
	if (version >= PROTOCOL_PAYLOAD)
		return AT(payload_length) + 4;
	if (version >= PROTOCOL_CMDLINE_SIZE)
		return AT(cmdline_size) + 4;
	if (version >= PROTOCOL_RELOCATABLE)
		return AT(relocatable_kernel) + 1;
	if (version >= PROTOCOL_INITRD_MAX)
		return AT(initrd_addr_max) + 4;
	return AT(cmd_line_ptr) + 4;
}

static int check_header(const struct boot_image *image, struct parts *p,
			struct boot_error *err)
{
	const struct setup_header *h = &p->hdr;
	const uint64_t file_len = image->len;
	uint8_t opcode = (uint8_t)h->jump;

	if (h->boot_flag != 0xaa55)
		return boot_refuse(err, AT(boot_flag),
				   "bzImage's boot signature is 0x%04x, 0xaa55 expected",
				   h->boot_flag);
	if (image->head_len < AT(version) + sizeof(h->version))
		return boot_refuse(err, file_len,
				   "bzImage is truncated: the file ends in its setup header");
	if (h->version < PROTOCOL_MIN)
		return boot_refuse(err, AT(version),
				   "kernel has boot protocol %u.%02u; 2.02 or newer expected, and 2.12 for the 64-bit entry",
				   h->version >> 8, h->version & 0xff);
	if (opcode != SHORT_JUMP)
		return boot_refuse(err, AT(jump),
				   "bzImage's setup code starts with 0x%02x, a short jump (0xeb) expected",
				   opcode);
	/* The jump goes over the rest of the header, so it tells its length. */
	p->header_end = AT(header) + (h->jump >> 8);
	if (p->header_end < header_end_min(h->version) ||
	    p->header_end > HEADER_END_MAX)
		return boot_refuse(err, AT(jump) + 1,
				   "bzImage's setup header ends at 0x%x, 0x%x to 0x%zx expected",
				   p->header_end, header_end_min(h->version),
				   HEADER_END_MAX);
	if (image->head_len < p->header_end)
		return boot_refuse(err, file_len,
				   "bzImage is truncated: its setup header ends at 0x%x, the file at 0x%" PRIx64,
				   p->header_end, file_len);
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
	uint64_t least = is_64(h) ? ENTRY_64 : 0, have;

	/* setup_sects does not count the boot sector. */
	p->code_off = (sects + 1) * SECTOR;
	if (p->code_off > file_len)
		return boot_refuse(err, file_len,
				   "bzImage is truncated: 0x%" PRIx64
				   " bytes of setup code expected, 0x%" PRIx64
				   " found",
				   p->code_off, file_len);
	p->code_len = (uint64_t)h->syssize * PARAGRAPH;
	have = file_len - p->code_off;
	/* Linux fills up the last paragraph, iPXE does not. */
	if (h->version < PROTOCOL_SYSSIZE ||
	    (h->version < PROTOCOL_PAYLOAD && have < p->code_len &&
	     p->code_len - have < PARAGRAPH))
		p->code_len = have;
	if (p->code_len <= least)
		return boot_refuse(err, AT(syssize),
				   "bzImage has 0x%" PRIx64
				   " bytes of protected-mode code; more than 0x%" PRIx64
				   ", where it is entered, expected",
				   p->code_len, least);
	if (p->code_len > have)
		return boot_refuse(err, file_len,
				   "bzImage is truncated: 0x%" PRIx64
				   " bytes of protected-mode code expected, 0x%" PRIx64
				   " found",
				   p->code_len, have);
	if (h->version >= PROTOCOL_PAYLOAD && payload_end > p->code_len)
		return boot_refuse(err, AT(payload_offset),
				   "bzImage's compressed payload ends at 0x%" PRIx64
				   " of 0x%" PRIx64
				   " bytes of protected-mode code",
				   payload_end, p->code_len);
	return 0;
}

/* Where the code prefers to be, and how much it needs there. */
static int preferred(const struct parts *p, gpa_t *ret_load,
		     uint64_t *ret_need, struct boot_error *err)
{
	const struct setup_header *h = &p->hdr;

	if (h->version < PROTOCOL_INIT_SIZE) {
		*ret_load = LAYOUT_HIGH_RAM;
		*ret_need = p->code_len * UNPACKED_TIMES;
		return 0;
	}
	if (h->pref_address < LAYOUT_HIGH_RAM || h->pref_address >= LAYOUT_HOLE)
		return boot_refuse(err, AT(pref_address),
				   "kernel prefers address 0x%" PRIx64
				   ", 0x%x to 0x%llx expected",
				   (uint64_t)h->pref_address, LAYOUT_HIGH_RAM,
				   LAYOUT_HOLE - 1);
	*ret_load = h->pref_address;
	*ret_need = h->init_size;
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
	uint64_t need = 0;
	gpa_t load = 0;
	int r;

	r = preferred(p, &load, &need, err);
	if (r < 0)
		return r;
	if (h->version >= PROTOCOL_RELOCATABLE && h->relocatable_kernel) {
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
	uint32_t max = INITRD_MAX_OLD;

	if (h->version >= PROTOCOL_INITRD_MAX)
		max = h->initrd_addr_max;
	/* It speaks of loaders that cannot go beyond 4 GiB. */
	if (max > LAYOUT_HOLE - 1 ||
	    (h->version >= PROTOCOL_64 &&
	     h->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G))
		max = (uint32_t)(LAYOUT_HOLE - 1);
	return max;
}

static uint32_t cmdline_max(const struct setup_header *h)
{
	if (h->version < PROTOCOL_CMDLINE_SIZE)
		return CMDLINE_MAX_OLD;
	if (h->cmdline_size > LAYOUT_CMDLINE_MAX - 1)
		return LAYOUT_CMDLINE_MAX - 1;
	return h->cmdline_size;
}

static uint32_t offers(const struct parts *p)
{
	uint32_t mask = BIT(TRAPMAP_BOOT_LINUX32);

	if (is_64(&p->hdr))
		mask |= BIT(TRAPMAP_BOOT_LINUX64);
	/* Behind it is its heap, up to the end of its segment. */
	if (p->code_off <= LAYOUT_SETUP_MAX)
		mask |= BIT(TRAPMAP_BOOT_LINUX16);
	if (is_64(&p->hdr) && p->hdr.payload_length)
		mask |= BIT(TRAPMAP_BOOT_UNPACK);
	return mask;
}

/*
 * Its own setup code needs a BIOS, finds out less than is known here, and takes
 * longer: it is for those who ask.
 */
static enum trapmap_boot choose(enum trapmap_boot want, uint32_t offered)
{
	if (offered & BIT(want))
		return want;
	if (offered & BIT(TRAPMAP_BOOT_LINUX64))
		return TRAPMAP_BOOT_LINUX64;
	return TRAPMAP_BOOT_LINUX32;
}

static void enter(const struct parts *p, struct boot_plan *plan)
{
	switch (plan->boot) {
	case TRAPMAP_BOOT_LINUX16:
		plan->protocol = BOOT_LINUX16;
		plan->segment[plan->segments++] = (struct boot_segment){
			.file_len = p->code_off,
			.gpa = LAYOUT_SETUP,
			.mem_len = p->code_off,
		};
		/* Over the boot sector, which only says that it is none. */
		plan->cs = (LAYOUT_SETUP + SECTOR) >> 4;
		plan->ss = LAYOUT_SETUP >> 4;
		plan->sp = LAYOUT_SETUP_HEAP_END;
		break;
	case TRAPMAP_BOOT_LINUX32:
		plan->protocol = BOOT_LINUX32;
		plan->entry = p->load;
		break;
	default:
		plan->protocol = BOOT_LINUX64;
		plan->entry = p->load + ENTRY_64;
		break;
	}
}

int bzimage_parse(const struct boot_image *image, struct boot_plan *ret_plan,
		  struct boot_error *err)
{
	const size_t len = image->head_len;
	struct boot_plan plan;
	struct parts p = { 0 };
	size_t have;
	int r;

	if (len < AT(header) + sizeof(p.hdr.header))
		return 0;
	have = len - HEADER_START;
	memcpy(&p.hdr, image->head + HEADER_START,
	       have < sizeof(p.hdr) ? have : sizeof(p.hdr));
	if (p.hdr.header != HEADER_MAGIC)
		return 0;

	r = check_header(image, &p, err);
	if (r == 0)
		r = check_code(image->len, &p, err);
	if (r == 0)
		r = place(&p, err);
	if (r < 0)
		return r;

	plan = (struct boot_plan){
		.format = "bzImage",
		.version = p.hdr.version,
		.offers = offers(&p),
		.is_linux = true,
		.segment = { {
			.file_off = p.code_off,
			.file_len = p.code_len,
			.gpa = p.load,
			.mem_len = p.code_len,
		} },
		.segments = 1,
		.reserve = p.load,
		.reserve_len = p.need,
		.setup_off = HEADER_START,
		.setup_len = p.header_end - (uint32_t)HEADER_START,
		.payload_off = p.code_off + p.hdr.payload_offset,
		.payload_len = p.hdr.payload_length,
		.align = p.hdr.kernel_alignment,
		.cmdline_max = cmdline_max(&p.hdr),
		.initrd_max = initrd_max(&p.hdr),
	};
	plan.boot = choose(image->want, plan.offers);
	enter(&p, &plan);
	*ret_plan = plan;
	return 1;
}
