// SPDX-License-Identifier: MIT
/*
 * virtio-pci.c: finds the entropy device on PCI, by ports and by memory, and reads
 * from it: looking for answers itself, after its BAR has been moved, by its pin, and
 * by messages.
 *
 * case virtio-pci
 *	options: --transport pci
 *	status: 0
 *	out: host bridge at 0, entropy device at 1
 *	out: the same by memory
 *	out: 20 by polling
 *	out: 20 where it was moved to
 *	out: 20 by the pin
 *	out: 20 by messages, 1 that was pending
 * case virtio-pci-notify-does-not-exit
 *	options: --transport pci --trace $dir/trace
 *	status: 0
 *	check: grep -q 'write 0xe0000014' $dir/trace
 *	check: ! grep -q 'write 0xe0003000' $dir/trace
 *	check: ! grep -q 'write 0xe8003000' $dir/trace
 * case virtio-pci-reboot
 *	options: --transport pci --on-reset=reboot --timeout 20 --params reboot
 *	status: 0
 *	out: 20 where it was moved to
 *	out: rebooting
 *	out: host bridge at 0, entropy device at 1
 *	out: 20 where it was moved to
 *	out: 20 by messages, 1 that was pending
 * case virtio-pci-many
 *	setup: truncate -s 1M $dir/a $dir/b $dir/c
 *	options: --transport pci --params many -d $dir/a -d $dir/b -d $dir/c
 *	status: 0
 *	out: host bridge at 0, entropy device at 1
 *	out: 3 disks
 */
#include "guest.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define SLOTS 32
#define ENTROPY 0x10441af4
#define DISK 0x10421af4
#define ELSEWHERE 0xe8000000u

#define FIRST_INPUT 16 /* of the four that pins lead to */
#define PIN_VECTOR VECTOR_APIC
#define MSI_VECTOR (VECTOR_APIC + 1)

/* PCI 3.0, chapter 6 */
enum { COMMAND = 4, STATUS = 6, CLASS = 8, BAR = 0x10, CAPABILITIES = 0x34 };

#define CAP_VENDOR 9
#define CAP_MSIX 0x11
#define MSIX_ENABLE 0x8000u

/* VIRTIO 1.2, 4.1.4: cfg_type, and the common structure. */
enum { COMMON = 1, NOTIFY, ISR };
enum {
	DRIVER_FEATURE_SELECT = 0x08, DRIVER_FEATURE = 0x0c,
	DEVICE_STATUS = 0x14, QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18,
	QUEUE_VECTOR = 0x1a, QUEUE_ENABLE = 0x1c, QUEUE_NOTIFY_OFF = 0x1e,
	QUEUE_DESC = 0x20, QUEUE_DRIVER = 0x28, QUEUE_DEVICE = 0x30,
};

#define SIZE 8
#define BYTES 16
#define ROUNDS 20

static struct {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
} desc[SIZE] __attribute__((aligned(16)));
static volatile uint16_t driver[2 + SIZE + 1] __attribute__((aligned(16)));
static volatile uint16_t device[2 + 4 * SIZE + 1] __attribute__((aligned(16)));
static uint8_t buf[BYTES];
static uint16_t done;

static uint64_t ecam;
static unsigned slot;
static uint64_t bar;
static uint32_t where[4]; /* structures in the BAR, by cfg_type */
static uint32_t notify_step, table, pba;
static unsigned msix_cap;
static volatile unsigned by_pin, by_message;

static uint8_t read8(uint64_t addr)
{
	uint8_t val;

	asm volatile("movb (%1), %0" : "=q"(val) : "r"(addr) : "memory");
	return val;
}

static uint16_t read16(uint64_t addr)
{
	uint16_t val;

	asm volatile("movw (%1), %0" : "=r"(val) : "r"(addr) : "memory");
	return val;
}

static void write8(uint64_t addr, uint8_t val)
{
	asm volatile("movb %0, (%1)" : : "q"(val), "r"(addr) : "memory");
}

static void write16(uint64_t addr, uint16_t val)
{
	asm volatile("movw %0, (%1)" : : "r"(val), "r"(addr) : "memory");
}

/* ---- configuration space -------------------------------------------------- */

static uint32_t port_read(unsigned s, unsigned reg)
{
	outl(CONFIG_ADDRESS, 0x80000000 | s << 11 | (reg & 0xfc));
	return inl(CONFIG_DATA);
}

static uint64_t config(unsigned reg)
{
	return ecam + (slot << 15) + reg;
}

static unsigned find_by_ports(uint32_t id)
{
	unsigned s, n = 0;

	for (s = SLOTS - 1; s > 0; s--)
		if (port_read(s, 0) == id) {
			slot = s;
			n++;
		}
	return n;
}

static void find(void)
{
	const struct acpi_header *mcfg = acpi_find("MCFG");
	unsigned s, reg;

	outl(CONFIG_ADDRESS, 0x80000000);
	CHECK_EQ(inl(CONFIG_ADDRESS), 0x80000000);
	CHECK_EQ(port_read(0, CLASS) >> 16, 0x0600);
	CHECK_EQ(find_by_ports(ENTROPY), 1);
	print("host bridge at 0, entropy device at %u\n", slot);

	CHECK(mcfg);
	memcpy(&ecam, (const uint8_t *)mcfg + 44, sizeof(ecam));
	map_page(ecam);
	for (s = 0; s < SLOTS; s++)
		for (reg = 0; reg < 0x40; reg += 4)
			CHECK_EQ(mmio_read32(ecam + (s << 15) + reg),
				 port_read(s, reg));
	print("the same by memory\n");
}

static void read_capabilities(void)
{
	unsigned at, type;

	CHECK(read16(config(STATUS)) & 0x10);
	for (at = read8(config(CAPABILITIES)); at;
	     at = read8(config(at + 1))) {
		if (read8(config(at)) == CAP_MSIX) {
			msix_cap = at;
			table = mmio_read32(config(at + 4)) & ~7u;
			pba = mmio_read32(config(at + 8)) & ~7u;
		}
		if (read8(config(at)) != CAP_VENDOR)
			continue;
		type = read8(config(at + 3));
		if (type < ARRAY_SIZE(where))
			where[type] = mmio_read32(config(at + 8));
		if (type == NOTIFY)
			notify_step = mmio_read32(config(at + 16));
	}
	CHECK(msix_cap && where[NOTIFY] && where[ISR] && notify_step);
}

/* PCI 3.0, 6.2.5.1: the size, and then where it already is. */
static void enable_bar(void)
{
	uint32_t was = mmio_read32(config(BAR)), size;

	CHECK_EQ(read16(config(COMMAND)), 0);
	mmio_write32(config(BAR), 0xffffffff);
	size = ~(mmio_read32(config(BAR)) & ~0xfu) + 1;
	mmio_write32(config(BAR), was);
	bar = was & ~0xfu;
	CHECK(bar && size && bar % size == 0);
	map_page(bar);
	CHECK_EQ(mmio_read32(bar), 0xffffffff);
	write16(config(COMMAND), 6);
	CHECK_EQ(mmio_read32(bar), 0);
}

static void move_bar(uint64_t to)
{
	uint64_t from = bar;

	mmio_write32(config(BAR), (uint32_t)to);
	bar = to;
	map_page(bar);
	CHECK_EQ(mmio_read32(from), 0xffffffff);
}

/* ---- the device ----------------------------------------------------------- */

static uint64_t common(unsigned reg)
{
	return bar + where[COMMON] + reg;
}

static void put64(unsigned reg, volatile void *p)
{
	mmio_write32(common(reg), (uint32_t)(uintptr_t)p);
	mmio_write32(common(reg + 4), 0);
}

static void bring_up(uint16_t vector)
{
	write8(common(DEVICE_STATUS), 0);
	CHECK_EQ(read8(common(DEVICE_STATUS)), 0);
	write8(common(DEVICE_STATUS), 3);
	mmio_write32(common(DRIVER_FEATURE_SELECT), 0);
	mmio_write32(common(DRIVER_FEATURE), 0);
	mmio_write32(common(DRIVER_FEATURE_SELECT), 1);
	mmio_write32(common(DRIVER_FEATURE), 1);
	write8(common(DEVICE_STATUS), 11);
	CHECK_EQ(read8(common(DEVICE_STATUS)), 11);

	memset(desc, 0, sizeof(desc));
	memset((void *)driver, 0, sizeof(driver));
	memset((void *)device, 0, sizeof(device));
	done = 0;
	write16(common(QUEUE_SELECT), 0);
	CHECK(read16(common(QUEUE_SIZE)) >= SIZE);
	write16(common(QUEUE_SIZE), SIZE);
	write16(common(QUEUE_VECTOR), vector);
	CHECK_EQ(read16(common(QUEUE_VECTOR)), vector);
	put64(QUEUE_DESC, desc);
	put64(QUEUE_DRIVER, driver);
	put64(QUEUE_DEVICE, device);
	write16(common(QUEUE_ENABLE), 1);
	CHECK_EQ(read16(common(QUEUE_ENABLE)), 1);
	write8(common(DEVICE_STATUS), 15);
	CHECK_EQ(read8(common(DEVICE_STATUS)), 15);
}

static void ask(void)
{
	desc[0].addr = (uintptr_t)buf;
	desc[0].len = BYTES;
	desc[0].flags = 2;
	driver[2 + done % SIZE] = 0;
	asm volatile("" ::: "memory");
	driver[1] = (uint16_t)(done + 1);
	asm volatile("lock addl $0, -4(%%rsp)" ::: "memory", "cc");
	write16(bar + where[NOTIFY] +
			notify_step * read16(common(QUEUE_NOTIFY_OFF)),
		0);
}

static void take(void)
{
	while (device[1] == done)
		cpu_relax();
	CHECK_EQ(device[2 + 4 * (done % SIZE) + 2], BYTES);
	done++;
}

/* One request after another; `count`, if any, goes up with each. */
static void read_much(const volatile unsigned *count)
{
	unsigned i, before;
	uint8_t last[BYTES];

	for (i = 0; i < ROUNDS; i++) {
		before = count ? *count : 0;
		memcpy(last, buf, BYTES);
		ask();
		while (count && *count == before)
			wait_for_interrupt();
		take();
		CHECK(memcmp(last, buf, BYTES) != 0);
		CHECK(!count || *count == before + 1);
	}
}

/* ---- interrupts ----------------------------------------------------------- */

static void on_pin(struct trap_frame *frame)
{
	if (read8(bar + where[ISR]) & 1)
		by_pin++;
}

static void on_message(struct trap_frame *frame)
{
	by_message++;
}

static void msix_entry(unsigned vector, bool masked)
{
	uint64_t at = bar + table + 16 * vector;

	mmio_write32(at, 0xfee00000 | lapic_id() << 12);
	mmio_write32(at + 4, 0);
	mmio_write32(at + 8, MSI_VECTOR);
	mmio_write32(at + 12, masked);
}

static void read_by_pin(void)
{
	ioapic_route(FIRST_INPUT + slot % 4, PIN_VECTOR, true);
	trap_handler(PIN_VECTOR, on_pin);
	CHECK_EQ(read8(bar + where[ISR]) & 2, 0); /* and what polling left */
	bring_up(0xffff);
	read_much(&by_pin);
	CHECK_EQ(read16(config(STATUS)) & 8, 0);
	CHECK_EQ(by_message, 0);
	print("%u by the pin\n", by_pin);
}

static void read_by_messages(void)
{
	unsigned pins = by_pin;

	trap_handler(MSI_VECTOR, on_message);
	write16(config(msix_cap + 2), MSIX_ENABLE);
	bring_up(0);
	msix_entry(0, true);
	ask();
	while (!(mmio_read32(bar + pba) & 1))
		cpu_relax();
	take();
	CHECK_EQ(by_message, 0);
	msix_entry(0, false);
	while (by_message == 0)
		wait_for_interrupt();
	CHECK_EQ(mmio_read32(bar + pba), 0);
	read_much(&by_message);
	CHECK_EQ(by_message, ROUNDS + 1);
	CHECK_EQ(by_pin, pins);
	print("%u by messages, 1 that was pending\n", by_message - 1);
}

int guest_main(void)
{
	const char *how = boot_cmdline();

	lapic_init();
	find();
	if (how[0] == 'm') {
		print("%u disks\n", find_by_ports(DISK));
		return 0;
	}
	read_capabilities();
	enable_bar();
	bring_up(0xffff);
	read_much(NULL);
	print("%u by polling\n", ROUNDS);
	/* In the middle of its work. */
	move_bar(ELSEWHERE);
	read_much(NULL);
	print("%u where it was moved to\n", ROUNDS);
	read_by_pin();
	read_by_messages();
	if (how[0] == 'r' && rtc_read(0x40) != 0x5a) {
		/* In use while the machine is reset. */
		rtc_write(0x40, 0x5a);
		print("rebooting\n");
		ask();
		acpi_reset();
	}
	return 0;
}
