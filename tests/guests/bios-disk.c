// SPDX-License-Identifier: MIT
/*
 * bios-disk.c: 16-bit code that reads, writes and measures the disk by INT 13h, and
 * prints what it got.
 *
 * format: flat
 *
 * case bios-disk
 *	setup: truncate -s 1M $dir/disk
 *	setup: printf 'From sector 5.' | dd of=$dir/disk bs=512 seek=5 conv=notrunc status=none
 *	options: -m 64 -d $dir/disk
 *	status: 0
 *	out: drives 01, cylinders 0002, heads 10, sectors 3f
 *	out: type 03, sectors 00000800
 *	out: EDD 30, sectors 0000000000000800 of 0200
 *	out: by CHS: From sector 5.
 *	out: by LBA: From sector 5.
 *	out: written and read back
 *	out: behind the end: 04 04
 *	out: not there: drive 81 01, drive 00 01
 *	out: reset 00, status 01
 *	check: test "$(tail -c +513 $dir/disk | head -c 18)" = "Written by INT 13h"
 *	check: test "$(stat -c %s $dir/disk)" = 1048576
 * case bios-disk-read-only
 *	setup: truncate -s 64K $dir/disk; cp $dir/disk $dir/before
 *	options: -m 64 -d $dir/disk,ro
 *	status: 0
 *	out: type 03, sectors 00000080
 *	out: not written: 03
 *	check: cmp $dir/disk $dir/before
 * case bios-disk-4T
 *	if: truncate -s 4T $dir/try && rm $dir/try
 *	setup: truncate -s 4T $dir/disk
 *	options: -m 64 -d $dir/disk
 *	status: 0
 *	out: drives 01, cylinders 0400, heads ff, sectors 3f
 *	out: type 03, sectors ffffffff
 *	out: EDD 30, sectors 0000000200000000 of 0200
 *	out: written and read back
 *	check: test "$(tail -c +513 $dir/disk | head -c 18)" = "Written by INT 13h"
 * case bios-two-disks
 *	setup: truncate -s 1M $dir/a; truncate -s 600M $dir/b
 *	options: -m 64 -d $dir/a -n none -d $dir/b
 *	status: 0
 *	out: drives 02, cylinders 0002, heads 10, sectors 3f
 *	out: not there: drive 82 01, drive 00 01
 * case bios-no-disk
 *	options: -m 64
 *	status: 0
 *	out: no drive: 01
 *	out: type 00
 * case bios-disk-by-pci
 *	setup: truncate -s 1M $dir/disk
 *	options: -m 64 -d $dir/disk --transport pci
 *	status: 0
 *	out: no drive: 01
 */
#include "io.h"
#include "real.h"

#include <trapmap/guest_abi.h>

static char sector[512 + 1];

static struct call by_chs(unsigned function, unsigned lba)
{
	return call(0x13, (struct call){ .eax = function << 8 | 1,
					 .ecx = lba + 1,
					 .edx = 0x80,
					 .ebx = (uint32_t)sector,
					 .es = segment() });
}

static struct call by_packet(unsigned function, uint64_t lba)
{
	struct {
		uint16_t len, count, off, segment;
		uint64_t lba;
	} packet = { 16, 1, (uint16_t)(uint32_t)sector, segment(), lba };

	return call(0x13, (struct call){ .eax = function << 8,
					 .edx = 0x80,
					 .esi = (uint32_t)&packet,
					 .ds = segment() });
}

static void clear(void)
{
	unsigned i;

	for (i = 0; i < sizeof(sector); i++)
		sector[i] = 0;
}

static void read_disk(void)
{
	clear();
	if (by_chs(0x02, 5).flags & CF)
		fail("no read");
	text("by CHS: ");
	say(sector);
	clear();
	if (by_packet(0x42, 5).flags & CF)
		fail("no read");
	text("by LBA: ");
	say(sector);
}

static void write_disk(void)
{
	static const char text_written[] = "Written by INT 13h";
	struct call c;
	unsigned i;

	clear();
	for (i = 0; text_written[i]; i++)
		sector[i] = text_written[i];
	c = by_packet(0x43, 1);
	if (c.flags & CF) {
		say("not written: %2", high(c.eax));
		return;
	}
	clear();
	by_chs(0x02, 1);
	for (i = 0; text_written[i]; i++)
		if (sector[i] != text_written[i])
			fail("not what was written");
	text("written and read back\r\n");
}

static void edd(void)
{
	struct {
		uint16_t len, flags;
		uint32_t geometry[3], sectors[2];
		uint16_t sector_len;
	} p = { .len = 26 };
	struct call is, c;

	is = call(0x13,
		  (struct call){ .eax = 0x4100, .ebx = 0x55aa, .edx = 0x80 });
	c = call(0x13, (struct call){ .eax = 0x4800,
				      .edx = 0x80,
				      .esi = (uint32_t)&p,
				      .ds = segment() });
	if (is.flags & CF || is.ebx != 0xaa55 || !(is.ecx & 1) || c.flags & CF)
		fail("no EDD");
	say("EDD %2, sectors %8%8 of %4", high(is.eax), p.sectors[1],
	    p.sectors[0], p.sector_len);
}

static unsigned reset_disk(unsigned drive)
{
	return high(call(0x13, (struct call){ .edx = drive }).eax);
}

static unsigned parameters_of(unsigned drive)
{
	return high(call(0x13, (struct call){ .eax = 0x0800, .edx = drive }).eax);
}

static void first_disk(void)
{
	struct call c = call(0x13, (struct call){ .eax = 0x0800, .edx = 0x80 });
	struct call type = call(0x13,
				(struct call){ .eax = 0x1500, .edx = 0x80 });
	unsigned drives = c.edx & 0xff;

	if (c.flags & CF) {
		say("no drive: %2", high(c.eax));
		say("type %2", high(type.eax));
		return;
	}
	say("drives %2, cylinders %4, heads %2, sectors %2", drives,
	    (high(c.ecx) | (c.ecx & 0xc0) << 2) + 1, high(c.edx) + 1,
	    c.ecx & 0x3f);
	say("type %2, sectors %4%4", high(type.eax), type.ecx, type.edx);
	edd();
	read_disk();
	write_disk();
	say("behind the end: %2 %2", high(by_packet(0x42, 1ull << 40).eax),
	    high(by_chs(0x02, 0xff3e).eax));
	say("not there: drive %2 %2, drive 00 %2", 0x80 + drives,
	    parameters_of(0x80 + drives), parameters_of(0));
	c = call(0x13, (struct call){ .eax = 0x0100, .edx = 0x80 });
	say("reset %2, status %2", reset_disk(0x80), high(c.eax));
}

void guest_main(void)
{
	first_disk();
	outb(TRAPMAP_TEST_EXIT_PORT, 0);
}
