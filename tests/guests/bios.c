// SPDX-License-Identifier: MIT
/*
 * bios.c: 16-bit code that calls each of the real-mode services and prints, by INT
 * 10h, what it got. It ends by the way that the last key says: '0' is success.
 *
 * format: flat
 *
 * case bios-services
 *	options: -m 64 --rtc base=2031-12-30T23:58:50,clock=vm
 *	stdin: aZ\r0
 *	status: 0
 *	out: video mode 03, columns 50, cursor 0000, adapter 0010
 *	out: equipment 0202, memory 027f KiB
 *	out: map 0000000000000000 000000000009fc00 01
 *	out: map 000000000009fc00 0000000000000400 02
 *	out: map 00000000000c0000 0000000000040000 02
 *	out: map 0000000000100000 0000000003f00000 01
 *	out: above 1 MiB: fc00 KiB; 3c00 KiB and 0300 times 64 KiB
 *	out: A20 is 01, and can not be closed: 86
 *	out: no configuration table: 86
 *	out: EBDA at 9fc0, of 01 KiB
 *	out: a string of INT 10h
 *	match: ^20311230 23585[0-9]$
 *	out: set to 19991231 235959
 *	out: no PCI: 81
 *	out: the ticks go on
 *	out: waited
 *	out: moved to 2 MiB and back
 *	out: key 1e61
 *	out: key 2c5a
 *	out: key 1c0d
 *	out: the end: key 0b30
 * case bios-1M
 *	options: -m 1
 *	stdin: aa0
 *	status: 0
 *	out: above 1 MiB: 0000 KiB; 0000 KiB and 0000 times 64 KiB
 * case bios-5G
 *	options: -m 5G
 *	stdin: aa0
 *	status: 0
 *	out: map 0000000100000000 0000000080000000 01
 *	out: above 1 MiB: fc00 KiB; 3c00 KiB and bf00 times 64 KiB
 * case bios-no-boot
 *	options: -m 64
 *	stdin: aa8
 *	status: 3
 *	out: BIOS: INT 18h: the guest found nothing to boot
 * case bios-boot-again
 *	options: -m 64
 *	stdin: aa9
 *	status: 6
 *	out: BIOS: INT 19h: the guest asks for a new start
 * case bios-reset-vector
 *	options: -m 64
 *	stdin: aar
 *	status: 6
 * case bios-no-handler
 *	options: -m 64
 *	stdin: aad
 *	status: 8
 *	match: ^BIOS: #DE at CS:IP 1000:[0-9a-f]{4}, for which the guest has no handler$
 *	err: vCPU 0 triple-faulted
 * case bios-no-handler-gp
 *	options: -m 64
 *	stdin: aag
 *	status: 8
 *	match: ^BIOS: #GP at CS:IP 1000:[0-9a-f]{4}, for which the guest has no handler$
 *	err: vCPU 0 triple-faulted
 * case bios-no-handler-explained
 *	if: "$trapmap" doctor | grep -qi software
 *	options: -m 64
 *	stdin: aad
 *	status: 8
 *	err: #DE at CS:IP 1000:
 *	err: the BIOS has no handler for exceptions
 *	report: verdict.text ~ #DE
 */
#include "io.h"
#include "real.h"

#include <trapmap/guest_abi.h>

static uint16_t far_read(uint16_t seg, uint16_t off)
{
	uint16_t val;

	asm volatile("movw %1, %%fs; movw %%fs:(%2), %0"
		     : "=r"(val)
		     : "r"(seg), "r"((uint32_t)off));
	return val;
}

/* ---- video, memory, the machine ------------------------------------------- */

static void video(void)
{
	struct call mode = call(0x10, (struct call){ .eax = 0x0f00 });
	struct call cursor = call(0x10, (struct call){ .eax = 0x0300 });
	struct call ega = call(0x10,
			       (struct call){ .eax = 0x1200, .ebx = 0x10 });

	say("video mode %2, columns %2, cursor %4, adapter %4", mode.eax & 0xff,
	    high(mode.eax), cursor.edx & 0xffff, ega.ebx);
}

static void video_string(void)
{
	static const char string[] = "a string of INT 10h";
	struct call c = call(0x10, (struct call){ .eax = 0x0300 });

	c.eax = 0x1301;
	c.ecx = sizeof(string) - 1;
	c.ebp = (uint32_t)string;
	c.es = segment();
	call(0x10, c);
	text("\r\n");
}

static void memory_map(void)
{
	uint32_t entry[5], next = 0;

	do {
		struct call c = call(0x15, (struct call){
						   .eax = 0xe820,
						   .ebx = next,
						   .ecx = sizeof(entry),
						   .edx = 0x534d4150,
						   .edi = (uint32_t)entry,
						   .es = segment(),
					   });

		if (c.flags & CF || c.eax != 0x534d4150 || c.ecx != 20)
			fail("no memory map");
		next = c.ebx;
		say("map %8%8 %8%8 %2", entry[1], entry[0], entry[3], entry[2],
		    entry[4]);
	} while (next);
}

static void memory_sizes(void)
{
	struct call old = call(0x15, (struct call){ .eax = 0x8800 });
	struct call c = call(0x15, (struct call){ .eax = 0xe801 });

	if (old.flags & CF || c.flags & CF || c.eax != c.ecx || c.ebx != c.edx)
		fail("no memory sizes");
	say("above 1 MiB: %4 KiB; %4 KiB and %4 times 64 KiB", old.eax & 0xffff,
	    c.eax & 0xffff, c.ebx & 0xffff);
}

static void machine(void)
{
	struct call is = call(0x15, (struct call){ .eax = 0x2402 });
	struct call off = call(0x15, (struct call){ .eax = 0x2400 });
	struct call table = call(0x15, (struct call){ .eax = 0xc000 });
	struct call ebda = call(0x15, (struct call){ .eax = 0xc100 });

	say("A20 is %2, and can not be closed: %2", is.eax & 0xff,
	    off.flags & CF ? high(off.eax) : 0);
	say("no configuration table: %2",
	    table.flags & CF ? high(table.eax) : 0);
	say("EBDA at %4, of %2 KiB", ebda.es, far_read(ebda.es, 0) & 0xff);
}

/* ---- time ------------------------------------------------------------------ */

static void date(void)
{
	struct call d = call(0x1a, (struct call){ .eax = 0x0400 });
	struct call t = call(0x1a, (struct call){ .eax = 0x0200 });

	if (d.flags & CF || t.flags & CF)
		fail("no RTC");
	say("%4%4 %4%2", d.ecx, d.edx, t.ecx, high(t.edx));
}

static void set_date(void)
{
	struct call d, t;

	call(0x1a, (struct call){ .eax = 0x0500, .ecx = 0x1999, .edx = 0x1231 });
	call(0x1a, (struct call){ .eax = 0x0300, .ecx = 0x2359, .edx = 0x5900 });
	t = call(0x1a, (struct call){ .eax = 0x0200 });
	d = call(0x1a, (struct call){ .eax = 0x0400 });
	say("set to %4%4 %4%2", d.ecx, d.edx, t.ecx, high(t.edx));
}

static uint32_t ticks(void)
{
	struct call c = call(0x1a, (struct call){ 0 });

	return c.ecx << 16 | (c.edx & 0xffff);
}

static void time(void)
{
	struct call pci = call(0x1a, (struct call){ .eax = 0xb101 });
	uint32_t before;

	say("no PCI: %2", pci.flags & CF ? high(pci.eax) : 0);
	before = ticks();
	while (ticks() - before < 3)
		asm volatile("sti; hlt; cli");
	text("the ticks go on\r\n");

	/* 200 ms are 3.6 ticks, of which a busy host may hold some back. */
	before = ticks();
	asm volatile("sti");
	call(0x15,
	     (struct call){ .eax = 0x8600, .ecx = 3, .edx = 200000 & 0xffff });
	asm volatile("cli");
	text(ticks() - before >= 1 ? "waited\r\n" : "not waited\r\n");
}

/* ---- above 1 MiB ------------------------------------------------------------ */

static void set_base(uint8_t *gdt, unsigned selector, uint32_t base)
{
	gdt[selector + 2] = (uint8_t)base;
	gdt[selector + 3] = (uint8_t)(base >> 8);
	gdt[selector + 4] = (uint8_t)(base >> 16);
	gdt[selector + 7] = (uint8_t)(base >> 24);
}

static void move(uint32_t from, uint32_t to, unsigned words)
{
	static uint8_t gdt[48];
	struct call c = { .eax = 0x8700, .ecx = words };

	set_base(gdt, 0x10, from);
	set_base(gdt, 0x18, to);
	c.esi = (uint32_t)gdt;
	c.es = segment();
	c = call(0x15, c);
	if (c.flags & CF || high(c.eax))
		fail("no move");
}

static uint32_t flat(const void *p)
{
	return ((uint32_t)segment() << 4) + (uint32_t)p;
}

static void move_there_and_back(void)
{
	static const char from[] = "moved to 2 MiB and back\r\n";
	static char to[sizeof(from)];

	move(flat(from), 2 << 20, sizeof(from) / 2);
	move(2 << 20, flat(to), sizeof(to) / 2);
	text(to);
}

/* ---- keys, and the end -------------------------------------------------------- */

static unsigned wait_for_key(void)
{
	return call(0x16, (struct call){ 0 }).eax & 0xffff;
}

static void end(unsigned way)
{
	switch (way) {
	case '0': outb(TRAPMAP_TEST_EXIT_PORT, 0); break;
	case '8': call(0x18, (struct call){ 0 }); break;
	case '9': call(0x19, (struct call){ 0 }); break;
	case 'r': asm volatile("ljmp $0xffff, $0"); break;
	case 'd': asm volatile("divb %b0" : : "q"(0), "a"(1)); break;
	/* An MSR that nobody has. */
	case 'g': asm volatile("wrmsr" : : "c"(0xdeadbeef)); break;
	}
}

static void keys(void)
{
	struct call c;
	unsigned key;

	key = wait_for_key();
	say("key %4", key);
	/* A look leaves it where it is. */
	do
		c = call(0x16, (struct call){ .eax = 0x0100 });
	while (c.flags & ZF);
	key = wait_for_key();
	if ((c.eax & 0xffff) != key)
		fail("another key");
	say("key %4", key);
	key = wait_for_key();
	if ((key & 0xff) == '\r') {
		say("key %4", key);
		key = wait_for_key();
	}
	say("the end: key %4", key);
	end(key & 0xff);
}

void guest_main(void)
{
	video();
	say("equipment %4, memory %4 KiB", call(0x11, (struct call){ 0 }).eax,
	    call(0x12, (struct call){ 0 }).eax);
	memory_map();
	memory_sizes();
	machine();
	video_string();
	date();
	set_date();
	time();
	/* Of 1 MiB there is nothing at 2. */
	if (call(0x15, (struct call){ .eax = 0x8800 }).eax & 0xffff)
		move_there_and_back();
	keys();
}
