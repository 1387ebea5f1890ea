// SPDX-License-Identifier: MIT
/*
 * disk.c: INT 13h for fixed disks, numbered from 80h. Source: Phoenix Enhanced Disk
 * Drive Specification 3.0.
 *
 * Not here: diskettes and bootable CDs (no such drive), formatting, locking and
 * ejecting, the device path of AH=48h.
 */
#include "bios/bios.h"

#define FIRST_DRIVE 0x80
#define SECTOR 512
/* As BIOSes translate: as few heads as reach the end within 1024 cylinders. */
#define SECTORS_A_TRACK 63
#define CYLINDERS_MAX 1024
#define HEADS_MAX 255

struct geometry {
	unsigned cylinders, heads;
};

/* EDD 3.0, "device address packet". */
struct packet {
	uint8_t len, reserved;
	uint16_t blocks;
	uint16_t off, segment;
	uint64_t lba;
	uint64_t flat; /* if segment:off is FFFF:FFFF and len says so */
} __attribute__((packed));
#define PACKET_LEN 16

/* EDD 3.0, "result buffer", as far as version 2 had it. */
struct parameters {
	uint16_t len, flags;
	uint32_t cylinders, heads, sectors_a_track;
	uint64_t sectors;
	uint16_t sector_len;
	uint32_t dpte; /* FFFF:FFFF: none */
} __attribute__((packed));
#define PARAMETERS_LEN_1 26
#define GEOMETRY_VALID 0x0002

#define EDD_VERSION 0x30
#define EDD_PACKETS 0x0001

static void finish(struct regs *r, uint8_t status)
{
	r->a.h = status;
	far_write8(BDA_SEGMENT, BDA_DISK_STATUS, status);
	set_flag(r, FLAG_CF, status != 0);
}

static struct geometry geometry(uint64_t sectors)
{
	struct geometry g = { .cylinders = CYLINDERS_MAX, .heads = 16 };

	while (g.heads < HEADS_MAX &&
	       sectors > (uint32_t)CYLINDERS_MAX * g.heads * SECTORS_A_TRACK)
		g.heads = g.heads < 128 ? g.heads * 2 : HEADS_MAX;
	if (sectors < (uint32_t)CYLINDERS_MAX * g.heads * SECTORS_A_TRACK) {
		g.cylinders =
			(uint32_t)sectors / (g.heads * SECTORS_A_TRACK);
		g.cylinders += g.cylinders == 0;
	}
	return g;
}

static unsigned drives(void)
{
	unsigned n = 0;

	while (n < TRAPMAP_BIOS_DISKS && bios.disk[n])
		n++;
	return n;
}

/* Verified: there, and not too long; nothing is wrong with what is there. */
static uint8_t check(uint64_t sectors, uint64_t lba, unsigned count)
{
	return lba < sectors && count <= sectors - lba ? 0 : DISK_NOT_FOUND;
}

enum action { READ, WRITE, VERIFY };

static uint8_t act(unsigned disk, uint64_t sectors, enum action action,
		   uint64_t lba, uint64_t addr, unsigned count)
{
	uint8_t status = check(sectors, lba, count);

	if (status || action == VERIFY || count == 0)
		return status;
	return blk_transfer(disk, action == WRITE, lba, addr, count);
}

/* By cylinder, head and sector: CH, CL's high bits; DH; CL's low bits, from 1. */
static void transfer(struct regs *r, unsigned disk, uint64_t sectors,
		     enum action action)
{
	struct geometry g = geometry(sectors);
	unsigned cylinder = r->c.h | (r->c.l & 0xc0u) << 2;
	unsigned sector = r->c.l & 0x3fu, count = r->a.l;
	uint32_t lba = (cylinder * g.heads + r->d.h) * SECTORS_A_TRACK + sector;
	uint8_t status = DISK_INVALID;

	if (sector && r->d.h < g.heads && count && count <= 128)
		status = act(disk, sectors, action, lba - 1,
			     ((uint32_t)r->es << 4) + r->b.x, count);
	r->a.l = status ? 0 : (uint8_t)count;
	finish(r, status);
}

static void transfer_packet(struct regs *r, unsigned disk, uint64_t sectors,
			    enum action action)
{
	struct packet p = { 0 };
	uint8_t status = DISK_INVALID;
	uint64_t addr;

	far_copy_in(&p, r->ds, r->si.x, PACKET_LEN);
	addr = ((uint32_t)p.segment << 4) + p.off;
	if (p.len >= sizeof(p) && p.segment == 0xffff && p.off == 0xffff) {
		far_copy_in(&p, r->ds, r->si.x, sizeof(p));
		addr = p.flat;
	}
	if (p.len >= PACKET_LEN && p.blocks <= 127)
		status = act(disk, sectors, action, p.lba, addr, p.blocks);
	if (status)
		far_write16(r->ds, r->si.x + offsetof(struct packet, blocks), 0);
	finish(r, status);
}

static void old_parameters(struct regs *r, uint64_t sectors)
{
	struct geometry g = geometry(sectors);
	unsigned last = g.cylinders - 1;

	r->a.l = 0;
	r->b.l = 0;
	r->c.h = (uint8_t)last;
	r->c.l = (uint8_t)((last >> 8 & 3) << 6 | SECTORS_A_TRACK);
	r->d.h = (uint8_t)(g.heads - 1);
	r->d.l = (uint8_t)drives();
	finish(r, 0);
}

static void parameters(struct regs *r, uint64_t sectors)
{
	struct geometry g = geometry(sectors);
	uint16_t room = far_read16(r->ds, r->si.x);
	struct parameters p = {
		.len = room < sizeof(p) ? PARAMETERS_LEN_1 : sizeof(p),
		.flags = GEOMETRY_VALID,
		.cylinders = g.cylinders,
		.heads = g.heads,
		.sectors_a_track = SECTORS_A_TRACK,
		.sectors = sectors,
		.sector_len = SECTOR,
		.dpte = 0xffffffff,
	};

	if (room < PARAMETERS_LEN_1) {
		finish(r, DISK_INVALID);
		return;
	}
	far_copy_out(r->ds, r->si.x, &p, p.len);
	finish(r, 0);
}

/* The one function that has more to tell than a status. */
static void type(struct regs *r, bool there, uint64_t sectors)
{
	uint32_t n = sectors >> 32 ? 0xffffffff : (uint32_t)sectors;

	finish(r, 0);
	if (!there)
		return; /* AH = 0: no such drive */
	r->a.h = 3;
	r->c.x = (uint16_t)(n >> 16);
	r->d.x = (uint16_t)n;
}

static void last_status(struct regs *r)
{
	uint8_t status = far_read8(BDA_SEGMENT, BDA_DISK_STATUS);

	finish(r, 0);
	r->a.h = status;
	set_flag(r, FLAG_CF, status != 0);
}

void int13_disk(struct regs *r)
{
	unsigned disk = r->d.l - FIRST_DRIVE;
	uint64_t sectors = 0;
	bool there;

	if (r->a.h == 0x01) {
		last_status(r);
		return;
	}
	there = r->d.l >= FIRST_DRIVE && disk < drives() &&
		blk_find(disk, &sectors);
	if (r->a.h == 0x15) {
		type(r, there, sectors);
		return;
	}
	/* A reset of the diskettes, of which there are none, is one of nothing. */
	if (!there) {
		bool nothing = r->a.h == 0x00 && r->d.l < FIRST_DRIVE;

		finish(r, nothing ? 0 : DISK_INVALID);
		return;
	}
	switch (r->a.h) {
	case 0x02: transfer(r, disk, sectors, READ); break;
	case 0x03: transfer(r, disk, sectors, WRITE); break;
	case 0x04: transfer(r, disk, sectors, VERIFY); break;
	case 0x08: old_parameters(r, sectors); break;
	case 0x00: /* reset */
	case 0x09: /* take its parameters */
	case 0x0c: /* seek */
	case 0x0d: /* reset, too */
	case 0x10: /* is it ready? */
	case 0x11: /* recalibrate */
	case 0x47: /* seek, by packet */
		finish(r, 0);
		break;
	case 0x41:
		if (r->b.x != 0x55aa) {
			finish(r, DISK_INVALID);
			break;
		}
		r->b.x = 0xaa55;
		r->c.x = EDD_PACKETS;
		finish(r, 0);
		r->a.h = EDD_VERSION;
		break;
	case 0x42: transfer_packet(r, disk, sectors, READ); break;
	case 0x43: transfer_packet(r, disk, sectors, WRITE); break;
	case 0x44: transfer_packet(r, disk, sectors, VERIFY); break;
	case 0x48: parameters(r, sectors); break;
	default: finish(r, DISK_INVALID);
	}
}
