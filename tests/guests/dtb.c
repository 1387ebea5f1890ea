// SPDX-License-Identifier: MIT
/*
 * dtb.c: takes the devicetree that the boot protocol hands over, and knows of the
 * machine only what that says: each serial port sends a line and loops bytes back by
 * interrupt, the clock's update interrupt comes, the virtio transports are looked at,
 * the processors and the memory counted.
 *
 * case dtb-auto
 *	options: --dtb auto --params 'said by itself'
 *	status: 0
 *	out: model: Trapmap PC
 *	out: bootargs: said by itself
 *	out: memory: 255 MiB and 639 KiB in 2 ranges
 *	out: 1 processor, the first with APIC id 0
 *	out: console: serial at port 0x3f8, interrupt 4
 *	out: virtio at 0xd0000000, interrupt 16: device 4, random bytes
 *	match: ^clock at port 0x70, interrupt 8: 20[0-9][0-9]$
 * case dtb-none
 *	options: --params none
 *	status: 0
 *	out: no devicetree
 * case dtb-four-serial-ports
 *	options: --dtb auto --serial stdio --serial null --serial null --serial null
 *	status: 0
 *	out: console: serial at port 0x3f8, interrupt 4
 *	out: serial at port 0x2f8, interrupt 3
 *	out: serial at port 0x3e8, interrupt 4
 *	out: serial at port 0x2e8, interrupt 3
 * case dtb-of-a-file
 *	setup: "$trapmap" run -q -c 3 -m 40 --dump-dtb $dir/dtb >/dev/null
 *	options: --dtb $dir/dtb
 *	status: 0
 *	out: 3 processors, the first with APIC id 0
 * case dtb-survives-a-reboot
 *	options: --dtb auto --on-reset=reboot --params reboot
 *	status: 0
 *	out: rebooting
 *	out: model: Trapmap PC
 *	out: bootargs: reboot
 * case machine-is-what-was-dumped
 *	setup: "$trapmap" run -q -c 6,sockets=2 -m 5G -p dumped --dump-dtb $dir/dtb >/dev/null
 *	options: --machine $dir/dtb --dump-dtb $dir/again
 *	status: 0
 *	out: bootargs: dumped
 *	out: memory: 5119 MiB and 639 KiB in 3 ranges
 *	out: 6 processors, the first with APIC id 0
 *	check: cmp $dir/dtb $dir/again
 * case machine-options-go-before-the-board
 *	if: command -v dtc >/dev/null
 *	options: --machine $(dirname "$source")/../../docs/machines/pc.dts -m 64 -c 3 --params mine
 *	status: 0
 *	out: bootargs: mine
 *	out: memory: 63 MiB and 639 KiB in 2 ranges
 *	out: 3 processors, the first with APIC id 0
 * case machine-in-a-deep-folder
 *	if: command -v dtc >/dev/null
 *	setup: d=$dir/$(printf '%0200d/%0200d/%0200d' 1 2 3); mkdir -p $d && cp "$(dirname "$source")/../../docs/machines/two-consoles.dts" $d/a.dts
 *	options: --machine $(find $dir -name a.dts) --dtb none --serial null --serial stdio
 *	status: 0
 *	err: a.dts: /soc@d0000000/watchdog@2000000: no model for 'arm,sp805'$
 * case machine-pc
 *	if: command -v dtc >/dev/null
 *	options: --machine $(dirname "$source")/../../docs/machines/pc.dts
 *	status: 0
 *	out: bootargs: console=ttyS0
 *	out: memory: 511 MiB and 639 KiB in 2 ranges
 *	out: 2 processors, the first with APIC id 0
 *	out: console: serial at port 0x3f8, interrupt 4
 *	out: virtio at 0xd0000000, interrupt 16: device 4, random bytes
 *	match: ^clock at port 0x70, interrupt 8: 20[0-9][0-9]$
 * case machine-two-consoles
 *	if: command -v dtc >/dev/null
 *	options: --machine $(dirname "$source")/../../docs/machines/two-consoles.dts --serial stdio
 *	status: 0
 *	out: memory: 383 MiB and 639 KiB in 3 ranges
 *	out: 4 processors, the first with APIC id 0
 *	out: console: serial at 0xd1000000, registers 4 apart, interrupt 20
 *	out: serial at port 0x2f8, interrupt 3
 *	out: virtio at 0xd0000000, interrupt 10: device 4, random bytes
 *	err: two-consoles.dts: /soc@d0000000/watchdog@2000000: no model for 'arm,sp805'
 * case machine-tiny
 *	if: command -v dtc >/dev/null
 *	options: --machine $(dirname "$source")/../../docs/machines/tiny.dts
 *	status: 0
 *	out: memory: 7 MiB and 639 KiB in 2 ranges
 *	out: 1 processor, the first with APIC id 0
 *	out: console: serial at port 0x3f8, interrupt 4
 *	out: no clock, no virtio
 */
#include "dtb.h"

static const struct port *under_test;
static volatile unsigned interrupts, bytes;

/* ---- what it names ------------------------------------------------------ */

static uint8_t mmio_read8(uint64_t addr)
{
	uint8_t val;

	asm volatile("movb (%1), %0" : "=q"(val) : "r"(addr) : "memory");
	return val;
}

static void mmio_write8(uint64_t addr, uint8_t val)
{
	asm volatile("movb %0, (%1)" : : "q"(val), "r"(addr) : "memory");
}

static uint8_t get(const struct port *p, unsigned reg)
{
	if (p->memory)
		return mmio_read8(p->base + (reg << p->shift));
	return inb((uint16_t)(p->base + reg));
}

static void put(const struct port *p, unsigned reg, uint8_t val)
{
	if (p->memory)
		mmio_write8(p->base + (reg << p->shift), val);
	else
		outb((uint16_t)(p->base + reg), val);
}

static void send(const struct port *p, const char *text)
{
	for (; *text; text++) {
		while (!(get(p, 5) & 0x20))
			cpu_relax();
		put(p, 0, (uint8_t)*text);
	}
}

static char out[120];
static size_t used;

/* What a port is, also where there is no COM1 for print(). */
static void add(const char *text)
{
	size_t len = strlen(text);

	CHECK(used + len < sizeof(out));
	memcpy(out + used, text, len + 1);
	used += len;
}

static void add_number(uint64_t val, unsigned base)
{
	char text[24];
	unsigned i = sizeof(text) - 1;

	text[i] = '\0';
	do {
		text[--i] = "0123456789abcdef"[val % base];
		val /= base;
	} while (val);
	add(text + i);
}

static void end_line(void)
{
	add("\r\n");
	send(&console, out);
	used = 0;
}

static void on_uart(struct trap_frame *frame)
{
	interrupts++;
	while (get(under_test, 5) & 1) {
		CHECK_EQ(get(under_test, 0), 'a' + bytes % 26);
		bytes++;
	}
}

/* Looped back (PC16550D, 8.6): what is sent comes, and interrupts. */
static void test_uart(const struct port *p, bool is_console)
{
	unsigned i;

	if (is_console)
		add("console: ");
	add(p->memory ? "serial at 0x" : "serial at port 0x");
	add_number(p->base, 16);
	if (p->memory) {
		add(", registers ");
		add_number(1ull << p->shift, 10);
		add(" apart");
	}
	add(", interrupt ");
	add_number(p->irq, 10);
	end_line();
	send(p, is_console ? "" : "the other end\r\n");

	under_test = p;
	bytes = interrupts = 0;
	trap_handler(VECTOR_APIC, on_uart);
	ioapic_route(p->irq, VECTOR_APIC, false);
	put(p, 4, 0x18); /* loopback, OUT2 */
	put(p, 1, 1); /* data available */
	for (i = 0; i < 40; i++) {
		put(p, 0, (uint8_t)('a' + i % 26));
		while (bytes <= i)
			wait_for_interrupt();
	}
	put(p, 1, 0);
	put(p, 4, 0);
	ioapic_mask(p->irq);
	CHECK(interrupts > 0);
}

static void on_clock(struct trap_frame *frame)
{
	outb((uint16_t)rtc.base, 0x0c);
	interrupts += inb((uint16_t)(rtc.base + 1)) >> 4 & 1;
}

static uint8_t rtc_get_reg(uint8_t reg)
{
	outb((uint16_t)rtc.base, reg);
	return inb((uint16_t)(rtc.base + 1));
}

/* MC146818A: the update-ended interrupt, once a second. */
static void test_rtc(void)
{
	uint8_t century, year;

	interrupts = 0;
	trap_handler(VECTOR_APIC, on_clock);
	ioapic_route(rtc.irq, VECTOR_APIC, false);
	rtc_get_reg(0x0c);
	outb((uint16_t)rtc.base, 0x0b);
	outb((uint16_t)(rtc.base + 1), 0x12);
	while (!interrupts)
		wait_for_interrupt();
	ioapic_mask(rtc.irq);
	century = rtc_get_reg(0x32);
	year = rtc_get_reg(0x09);
	add("clock at port 0x");
	add_number(rtc.base, 16);
	add(", interrupt ");
	add_number(rtc.irq, 10);
	add(": ");
	add_number(century, 16);
	add(year < 0x10 ? "0" : "");
	add_number(year, 16);
	end_line();
}

/* VIRTIO 1.2, 4.2: one buffer of the entropy device's, by interrupt. */
static struct {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
} desc[8] __attribute__((aligned(16)));
static volatile uint16_t avail[2 + 8 + 1] __attribute__((aligned(16)));
static volatile uint16_t ring[2 + 4 * 8 + 1] __attribute__((aligned(16)));
static volatile uint8_t random[16];

static void on_virtio(struct trap_frame *frame)
{
	uint32_t why = mmio_read32(virtio[0].base + 0x60);

	mmio_write32(virtio[0].base + 0x64, why);
	interrupts += why & 1;
}

static void put_queue(uint64_t base, unsigned reg, volatile void *p)
{
	mmio_write32(base + reg, (uint32_t)(uintptr_t)p);
	mmio_write32(base + reg + 4, 0);
}

static void read_random(uint64_t base, unsigned irq)
{
	static const uint8_t status[] = { 0, 1, 3 };
	unsigned i, sum = 0;

	interrupts = 0;
	trap_handler(VECTOR_APIC, on_virtio);
	ioapic_route(irq, VECTOR_APIC, false);
	for (i = 0; i < sizeof(status); i++)
		mmio_write32(base + 0x70, status[i]);
	mmio_write32(base + 0x24, 0);
	mmio_write32(base + 0x20, 0);
	mmio_write32(base + 0x24, 1);
	mmio_write32(base + 0x20, 1); /* VIRTIO_F_VERSION_1 */
	mmio_write32(base + 0x70, 11);
	CHECK_EQ(mmio_read32(base + 0x70), 11);
	mmio_write32(base + 0x30, 0);
	mmio_write32(base + 0x38, 8);
	put_queue(base, 0x80, desc);
	put_queue(base, 0x90, avail);
	put_queue(base, 0xa0, ring);
	mmio_write32(base + 0x44, 1);
	mmio_write32(base + 0x70, 15);
	desc[0].addr = (uintptr_t)random;
	desc[0].len = sizeof(random);
	desc[0].flags = 2;
	asm volatile("" ::: "memory");
	avail[1] = 1;
	mmio_write32(base + 0x50, 0);
	while (!interrupts)
		wait_for_interrupt();
	for (i = 0; i < sizeof(random); i++)
		sum += random[i];
	CHECK(sum > 0);
	ioapic_mask(irq);
	mmio_write32(base + 0x70, 0);
}

static void test_virtio(const struct port *p, bool first)
{
	uint32_t id;

	map_page(p->base);
	CHECK_EQ(mmio_read32(p->base), 0x74726976);
	CHECK_EQ(mmio_read32(p->base + 4), 2);
	id = mmio_read32(p->base + 8);
	add("virtio at 0x");
	add_number(p->base, 16);
	add(", interrupt ");
	add_number(p->irq, 10);
	add(": device ");
	add_number(id, 10);
	if (first && id == 4) {
		read_random(p->base, p->irq);
		add(", random bytes");
	}
	end_line();
}

static void tell(void)
{
	add("model: ");
	add(model);
	end_line();
	if (bootargs) {
		add("bootargs: ");
		add(bootargs);
		end_line();
		CHECK(!strcmp(bootargs, boot_cmdline()));
	}
	add("memory: ");
	add_number(memory >> 20, 10);
	add(" MiB and ");
	add_number(memory >> 10 & 1023, 10);
	add(" KiB in ");
	add_number(ranges, 10);
	add(" ranges");
	end_line();
	add_number(cpus, 10);
	add(cpus == 1 ? " processor" : " processors");
	add(", the first with APIC id ");
	add_number(first_cpu, 10);
	end_line();
}

int guest_main(void)
{
	unsigned i;

	find_dtb();
	if (!dtb) {
		print("no devicetree\n");
		return 0;
	}
	walk();
	CHECK(console.base);
	for (i = 0; i < ports; i++)
		if (port[i].memory)
			map_page(port[i].base);
	tell();
	pic_init(); /* ISA's interrupts reach the 8259A too: masked there */
	lapic_init();
	test_uart(&console, true);
	for (i = 0; i < ports; i++)
		if (port[i].base != console.base)
			test_uart(&port[i], false);
	for (i = 0; i < virtios; i++)
		test_virtio(&virtio[i], i == 0);
	if (rtc.base)
		test_rtc();
	if (!rtc.base && !virtios) {
		add("no clock, no virtio");
		end_line();
	}
	if (!strcmp(boot_cmdline(), "reboot") && rtc_read(0x40) != 0x5a) {
		rtc_write(0x40, 0x5a);
		add("rebooting");
		end_line();
		acpi_reset();
	}
	return 0;
}
