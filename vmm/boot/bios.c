// SPDX-License-Identifier: MIT
/*
 * Sources: IBM PS/2 and PC BIOS Interface Technical Reference, "BIOS Data Area";
 * Ralf Brown's Interrupt List, MEMORY.LST. What is not named here is zero.
 */
#include "boot/bios.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "trapmap/guest_abi.h"
#include "x86/e820.h"

#define VECTORS 256

#define BDA 0x400
#define BDA_LEN 0x100
#define BDA_COM 0x00 /* four ports */
#define BDA_EBDA_SEGMENT 0x0e
#define BDA_EQUIPMENT 0x10
#define BDA_BASE_MEMORY_KIB 0x13
#define BDA_KEYS_HEAD 0x1a
#define BDA_KEYS_TAIL 0x1c
#define BDA_VIDEO_MODE 0x49
#define BDA_COLUMNS 0x4a
#define BDA_CURSOR_SHAPE 0x60
#define BDA_CRTC 0x63
#define BDA_DISKS 0x75
#define BDA_KEYS_START 0x80
#define BDA_KEYS_END 0x82
#define BDA_LAST_ROW 0x84
#define BDA_CHARACTER_HEIGHT 0x85
#define BDA_KEYBOARD 0x96

#define EQUIPMENT_FPU BIT(1)
/* How many serial ports, three bits. Bits 4 and 5 are 0: there is no display. */
#define EQUIPMENT_COMS 9
#define KEYS_START 0x1e /* in the data area, 16 keys */
#define KEYS_END 0x3e
#define MODE_TEXT_80 3
#define CURSOR_LINES 0x0607
#define COLOUR_CRTC 0x3d4
#define KEYBOARD_101_KEYS BIT(4)

#define EBDA_LEN KIB(1)

#define FLAGS_FIXED BIT(1)
#define FLAGS_IF BIT(9)
#define FIRST_DRIVE 0x80

/* A port, if the device has one. */
static uint16_t port_of(const struct platform_place *place)
{
	bool usable = place->there && place->space == TRAPMAP_SPACE_PIO &&
		      place->reg_shift == 0;

	return usable ? (uint16_t)place->base : 0;
}

/* Those that INT 13h serves. */
static unsigned find_disks(const struct platform *p,
			   uint32_t at[TRAPMAP_BIOS_DISKS])
{
	unsigned i, n = 0;

	memset(at, 0, TRAPMAP_BIOS_DISKS * sizeof(*at));
	if (platform_has_pci(p))
		return 0;
	for (i = 0; i < p->virtio && i < p->slots; i++)
		if (p->disks & BIT(i) && p->slot[i].base <= UINT32_MAX &&
		    n < TRAPMAP_BIOS_DISKS)
			at[n++] = (uint32_t)p->slot[i].base;
	return n;
}

int bios_write_data(const struct gmem *gm, const struct platform *p)
{
	uint8_t *bda = gmem_ptr(gm, BDA, BDA_LEN);
	uint8_t *ebda = gmem_ptr(gm, LAYOUT_EBDA, EBDA_LEN);
	uint32_t disk[TRAPMAP_BIOS_DISKS];
	unsigned i, coms = 0;

	if (!bda || !ebda)
		return -EFAULT;
	for (i = 0; i < PLATFORM_UARTS; i++) {
		put_le16(bda + BDA_COM + i * 2, port_of(&p->uart[i]));
		coms += port_of(&p->uart[i]) != 0;
	}
	put_le16(bda + BDA_EBDA_SEGMENT, LAYOUT_EBDA >> 4);
	put_le16(bda + BDA_EQUIPMENT,
		 (uint16_t)(EQUIPMENT_FPU | coms << EQUIPMENT_COMS));
	put_le16(bda + BDA_BASE_MEMORY_KIB, LAYOUT_EBDA >> 10);
	put_le16(bda + BDA_KEYS_HEAD, KEYS_START);
	put_le16(bda + BDA_KEYS_TAIL, KEYS_START);
	put_le16(bda + BDA_KEYS_START, KEYS_START);
	put_le16(bda + BDA_KEYS_END, KEYS_END);
	bda[BDA_VIDEO_MODE] = MODE_TEXT_80;
	put_le16(bda + BDA_COLUMNS, 80);
	bda[BDA_LAST_ROW] = 24;
	put_le16(bda + BDA_CHARACTER_HEIGHT, 16);
	put_le16(bda + BDA_CURSOR_SHAPE, CURSOR_LINES);
	put_le16(bda + BDA_CRTC, COLOUR_CRTC);
	bda[BDA_DISKS] = (uint8_t)find_disks(p, disk);
	bda[BDA_KEYBOARD] = KEYBOARD_101_KEYS;
	ebda[0] = EBDA_LEN >> 10;
	return 0;
}

static int describe_memory(const struct platform *p, struct trapmap_bios *bios)
{
	struct e820_range map[E820_MAX];
	unsigned i, n = e820_build(p, map);

	if (n > TRAPMAP_BIOS_RANGES)
		return -E2BIG;
	bios->ranges = n;
	for (i = 0; i < n; i++)
		bios->range[i] = (struct trapmap_bios_range){
			.base = map[i].base,
			.len = map[i].len,
			.type = map[i].type,
		};
	return 0;
}

static struct trapmap_bios_start start_of(const struct boot_plan *plan,
					  bool has_disk)
{
	struct trapmap_bios_start start = {
		.ip = (uint16_t)plan->entry,
		.cs = plan->cs,
		.flags = FLAGS_FIXED,
		.ss = plan->ss,
		.sp = plan->sp,
		.ds = plan->protocol == BOOT_LINUX16 ? plan->ss : plan->cs,
	};

	if (plan->boot == TRAPMAP_BOOT_SECTOR) {
		start.flags |= FLAGS_IF;
		start.dx = has_disk ? FIRST_DRIVE : 0;
		start.what = TRAPMAP_BIOS_SET_CLOCK;
	}
	return start;
}

static void write_vectors(uint8_t *ivt, const uint8_t *offsets)
{
	unsigned i;

	for (i = 0; i < VECTORS; i++) {
		uint16_t off = get_le16(offsets + i * 2);

		put_le16(ivt + i * 4, off);
		put_le16(ivt + i * 4 + 2, off ? TRAPMAP_BIOS_SEGMENT : 0);
	}
}

int bios_write(const struct gmem *gm, const struct platform *p,
	       struct boot_plan *plan)
{
	uint8_t *ivt = gmem_ptr(gm, 0, BDA);
	uint8_t *image = gmem_ptr(gm, LAYOUT_BIOS_IMAGE, TRAPMAP_BIOS_LEN);
	struct trapmap_bios bios;
	unsigned disks;
	int r;

	_Static_assert(LAYOUT_BIOS_IMAGE == (TRAPMAP_BIOS_SEGMENT << 4) +
						    TRAPMAP_BIOS_OFFSET &&
			       LAYOUT_BIOS_IMAGE_MAX == TRAPMAP_BIOS_LEN,
		       "layout.h has it where it was linked to");
	if (!ivt || !image)
		return -EFAULT;
	memcpy(&bios, bios_image, sizeof(bios));
	r = describe_memory(p, &bios);
	if (r < 0)
		return r;
	bios.com1 = port_of(&p->uart[0]);
	bios.rtc = port_of(&p->rtc);
	disks = find_disks(p, bios.disk);
	bios.start = start_of(plan, disks > 0);

	memcpy(image, bios_image, TRAPMAP_BIOS_LEN);
	memcpy(image, &bios, sizeof(bios));
	write_vectors(ivt, image + bios.vectors - TRAPMAP_BIOS_OFFSET);

	plan->cs = TRAPMAP_BIOS_SEGMENT;
	plan->entry = bios.entry;
	return 0;
}
