// SPDX-License-Identifier: MIT
/*
 * virtio-rng.c: finds the entropy device and reads from it through a ring of its own
 * making, looking for answers itself and by interrupt, with resets in between.
 *
 * case virtio-rng-split
 *	options: --params split
 *	status: 0
 *	out: entropy device at 0xd0000000
 *	out: split: 40 by polling, 40 by interrupt
 * case virtio-rng-split-event-index
 *	options: --params split,event
 *	status: 0
 *	out: split, event index: 40 by polling, 40 by interrupt
 * case virtio-rng-packed
 *	options: --params packed
 *	status: 0
 *	out: packed: 40 by polling, 40 by interrupt
 * case virtio-rng-packed-event-index
 *	options: --params packed,event
 *	status: 0
 *	out: packed, event index: 40 by polling, 40 by interrupt
 * case virtio-notify-does-not-exit
 *	options: --trace $dir/trace --params split,event
 *	status: 0
 *	check: grep -q 'write 0xd0000044' $dir/trace
 *	check: ! grep -q 'write 0xd0000050' $dir/trace
 * case virtio-rng-on-the-command-line
 *	options: --transport mmio-cmdline --params 'packed -- nobody'
 *	status: 0
 *	out: entropy device at 0xd0000000
 *	out: its interrupt is 5
 *	out: packed: 40 by polling, 40 by interrupt
 * case virtio-rng-hostile
 *	options: --params hostile
 *	status: 0
 *	out: 8 broken rings
 *	out: split: 40 by polling, 40 by interrupt
 *	out: packed, event index: 40 by polling, 40 by interrupt
 * case virtio-rng-reboot
 *	options: --on-reset=reboot --timeout 20 --params reboot
 *	status: 0
 *	out: split, event index: 40 by polling, 40 by interrupt
 *	out: rebooting
 *	out: split, event index: 40 by polling, 40 by interrupt
 */
#include "guest.h"

#define FIRST 0xd0000000u
#define STEP 0x1000u
#define TRANSPORTS 8
#define FIRST_INPUT 16

/* VIRTIO 1.2, table 4.1 */
enum {
	MAGIC = 0x00, VERSION = 0x04, DEVICE_ID = 0x08,
	DEVICE_FEATURES = 0x10, DEVICE_FEATURES_SEL = 0x14,
	DRIVER_FEATURES = 0x20, DRIVER_FEATURES_SEL = 0x24,
	QUEUE_SEL = 0x30, QUEUE_NUM_MAX = 0x34, QUEUE_NUM = 0x38,
	QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50,
	INTERRUPT_STATUS = 0x60, INTERRUPT_ACK = 0x64, STATUS = 0x70,
	QUEUE_DESC = 0x80, QUEUE_DRIVER = 0x90, QUEUE_DEVICE = 0xa0,
};

#define ENTROPY 4
#define F_EVENT_IDX (1u << 29)
#define F_VERSION_1 (1u << 0) /* of the high word, like the next */
#define F_RING_PACKED (1u << 2)
#define NEEDS_RESET 64u

#define DESC_WRITE 2u
#define DESC_INDIRECT 4u
#define DESC_AVAIL 0x80u
#define DESC_USED 0x8000u

#define SIZE 8
#define BYTES 16
#define ROUNDS 40

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t last[2]; /* split: flags, next; packed: id, flags */
};

/* Split: flags, index, entries, event. Packed: the descriptor ring is all. */
static struct desc desc[SIZE] __attribute__((aligned(4096)));
static volatile uint16_t driver[2 + SIZE + 1] __attribute__((aligned(16)));
static volatile uint16_t device[2 + 4 * SIZE + 1] __attribute__((aligned(16)));
static uint8_t buf[SIZE][BYTES];

static uint32_t base;
static bool packed, event;
static uint16_t avail, used; /* split: running; packed: slots */
static bool avail_wrap, used_wrap;
static volatile unsigned interrupts, changes;

static void fence(void)
{
	asm volatile("lock addl $0, -4(%%rsp)" ::: "memory", "cc");
}

static uint32_t get(uint32_t reg)
{
	return mmio_read32(base + reg);
}

static void put(uint32_t reg, uint32_t val)
{
	mmio_write32(base + reg, val);
}

static void put64(uint32_t reg, volatile void *p)
{
	put(reg, (uint32_t)(uintptr_t)p);
	put(reg + 4, (uint32_t)((uintptr_t)p >> 32));
}

static void on_irq(struct trap_frame *frame)
{
	/* 0: what raised it has been reset since. */
	uint32_t why = get(INTERRUPT_STATUS);

	interrupts += why & 1;
	changes += why >> 1 & 1;
	put(INTERRUPT_ACK, why);
}

static const char *find_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (; *text; text++)
		if (!memcmp(text, word, len))
			return text + len;
	return NULL;
}

static bool has(const char *text, const char *word)
{
	return find_word(text, word) != NULL;
}

/* Where it is, and its interrupt: as the command line says, or looked for. */
static unsigned find_transport(void)
{
	const char *at = find_word(boot_cmdline(), "virtio_mmio.device=4K@0x");
	unsigned i = 0;

	if (at) {
		for (base = 0; *at != ':'; at++)
			base = base << 4 | (unsigned)(*at <= '9' ?
							      *at - '0' :
							      *at - 'a' + 10);
		for (at++; *at && *at != ' '; at++)
			i = i * 10 + (unsigned)(*at - '0');
		map_page(base);
		return i;
	}
	map_page(FIRST);
	for (; i < TRANSPORTS; i++) {
		base = FIRST + i * STEP;
		if (get(MAGIC) == 0x74726976 && get(DEVICE_ID) == ENTROPY)
			break;
	}
	CHECK(i < TRANSPORTS);
	return FIRST_INPUT + i;
}

static void find(void)
{
	unsigned input = find_transport();

	CHECK_EQ(get(MAGIC), 0x74726976);
	CHECK_EQ(get(DEVICE_ID), ENTROPY);
	CHECK_EQ(get(VERSION), 2);
	print("entropy device at 0x%x\n", base);
	if (input != FIRST_INPUT)
		print("its interrupt is %u\n", input);
	pic_init(); /* ISA's interrupts reach the 8259A too: masked there */
	lapic_init();
	trap_handler(VECTOR_APIC, on_irq);
	ioapic_route(input, VECTOR_APIC, false);
}

static void reset(void)
{
	put(STATUS, 0);
	CHECK_EQ(get(STATUS), 0);
	CHECK_EQ(get(INTERRUPT_STATUS), 0);
}

/* From a reset to DRIVER_OK (3.1.1). */
static void bring_up(void)
{
	uint32_t high = F_VERSION_1 | (packed ? F_RING_PACKED : 0);
	uint32_t low = event ? F_EVENT_IDX : 0;

	reset();
	put(STATUS, 1);
	put(STATUS, 3);
	put(DEVICE_FEATURES_SEL, 0);
	CHECK_EQ(get(DEVICE_FEATURES) & low, low);
	put(DEVICE_FEATURES_SEL, 1);
	CHECK_EQ(get(DEVICE_FEATURES) & high, high);
	put(DRIVER_FEATURES_SEL, 0);
	put(DRIVER_FEATURES, low);
	put(DRIVER_FEATURES_SEL, 1);
	put(DRIVER_FEATURES, high);
	put(STATUS, 11);
	CHECK_EQ(get(STATUS), 11);

	memset(desc, 0, sizeof(desc));
	memset((void *)driver, 0, sizeof(driver));
	memset((void *)device, 0, sizeof(device));
	avail = used = 0;
	avail_wrap = used_wrap = true;
	put(QUEUE_SEL, 0);
	CHECK_EQ(get(QUEUE_READY), 0);
	CHECK(get(QUEUE_NUM_MAX) >= SIZE);
	put(QUEUE_NUM, SIZE);
	put64(QUEUE_DESC, desc);
	put64(QUEUE_DRIVER, driver);
	put64(QUEUE_DEVICE, device);
	put(QUEUE_READY, 1);
	CHECK_EQ(get(QUEUE_READY), 1);
	put(STATUS, 15);
	CHECK_EQ(get(STATUS), 15);
}

/* One buffer more. Returns whether the device wants to hear of it. */
static bool offer(void *p, uint32_t len)
{
	bool wanted;

	if (packed) {
		struct desc *d = &desc[avail];
		uint16_t at = (uint16_t)(avail | (avail_wrap ? 0x8000 : 0));

		d->addr = (uintptr_t)p;
		d->len = len;
		d->last[0] = avail;
		asm volatile("" ::: "memory");
		*(volatile uint16_t *)&d->last[1] =
			DESC_WRITE | (avail_wrap ? DESC_AVAIL : DESC_USED);
		fence();
		wanted = device[1] == 2 ? device[0] == at : device[1] == 0;
		if (++avail == SIZE) {
			avail = 0;
			avail_wrap = !avail_wrap;
		}
		return wanted;
	}
	desc[avail % SIZE] = (struct desc){ (uintptr_t)p, len,
					    { DESC_WRITE, 0 } };
	driver[2 + avail % SIZE] = avail % SIZE;
	asm volatile("" ::: "memory");
	driver[1] = (uint16_t)(avail + 1);
	fence();
	wanted = event ? device[2 + 4 * SIZE] == avail : !(device[0] & 1);
	avail++;
	return wanted;
}

static bool answered(void)
{
	uint16_t flags;

	if (!packed)
		return device[1] != used;
	flags = *(volatile uint16_t *)&desc[used].last[1];
	return !!(flags & DESC_AVAIL) == used_wrap &&
	       !!(flags & DESC_USED) == used_wrap;
}

/* The used buffer's slot and length. */
static unsigned take(uint32_t *ret_len)
{
	unsigned slot = used % SIZE;

	if (packed) {
		*ret_len = desc[used].len;
		CHECK_EQ(desc[used].last[0], used);
		if (++used == SIZE) {
			used = 0;
			used_wrap = !used_wrap;
		}
		return slot;
	}
	CHECK_EQ(device[2 + 4 * slot], slot);
	*ret_len = device[2 + 4 * slot + 2];
	used++;
	return slot;
}

static void want_interrupts(bool on)
{
	if (packed) {
		driver[0] = (uint16_t)(used | (used_wrap ? 0x8000 : 0));
		driver[1] = !on ? 1 : event ? 2 : 0;
	} else {
		driver[0] = !on && !event;
		driver[2 + SIZE] = (uint16_t)(on ? used : used - 1);
	}
	fence();
}

/* A few bytes, which must not be those of before. */
static void read_bytes(bool by_interrupt)
{
	unsigned slot = avail % SIZE, before = interrupts;
	uint8_t last[BYTES];
	uint32_t len;

	memcpy(last, buf[slot], BYTES);
	want_interrupts(by_interrupt);
	if (offer(buf[slot], BYTES))
		put(QUEUE_NOTIFY, 0);
	if (by_interrupt)
		while (interrupts == before)
			wait_for_interrupt();
	while (!answered())
		cpu_relax();
	CHECK_EQ(take(&len), slot);
	CHECK_EQ(len, BYTES);
	CHECK(memcmp(last, buf[slot], BYTES) != 0);
	CHECK_EQ(interrupts, before + by_interrupt);
}

static void read_much(bool is_packed, bool with_event)
{
	unsigned i;

	packed = is_packed;
	event = with_event;
	bring_up();
	for (i = 0; i < ROUNDS; i++)
		read_bytes(false);
	CHECK_EQ(get(INTERRUPT_STATUS), 0);

	/* One is under way while it is reset, or has just been answered. */
	offer(buf[0], BYTES);
	put(QUEUE_NOTIFY, 0);
	bring_up();
	for (i = 0; i < ROUNDS; i++)
		read_bytes(true);
	reset();
	print("%s%s: %u by polling, %u by interrupt\n",
	      packed ? "packed" : "split", event ? ", event index" : "",
	      ROUNDS, ROUNDS);
}

/* Rings that no driver would make. */
static void spoil(unsigned how)
{
	packed = how & 1;
	event = how & 4;
	bring_up();
	want_interrupts(true);
	switch (how >> 1) {
	case 0: offer((void *)0xfffffffffffff000, BYTES); break;
	case 1: offer(buf[0], 0xffffffff); break;
	case 2: /* a table of half an entry */
		offer(buf[0], 8);
		desc[0].last[packed] |= DESC_INDIRECT;
		break;
	case 3:
		offer(buf[0], BYTES);
		if (packed) { /* a chain without an end */
			for (how = 1; how < SIZE; how++)
				offer(buf[how], BYTES);
			for (how = 0; how < SIZE; how++)
				desc[how].last[1] |= 1;
		} else {
			driver[1] = 0x4000;
		}
		break;
	}
	changes = 0;
	put(QUEUE_NOTIFY, 0);
	while (!changes)
		wait_for_interrupt();
	CHECK_EQ(get(STATUS), 15 | NEEDS_RESET);
	/* It does nothing more until it is reset. */
	put(QUEUE_NOTIFY, 0);
	put(STATUS, 15);
	CHECK_EQ(get(STATUS), 15 | NEEDS_RESET);
	reset();
}

int guest_main(void)
{
	const char *how = boot_cmdline();
	unsigned i;

	find();
	if (has(how, "split") || has(how, "packed"))
		read_much(has(how, "packed"), has(how, "event"));
	if (has(how, "hostile")) {
		for (i = 0; i < 8; i++)
			spoil(i);
		print("%u broken rings\n", i);
		read_much(false, false);
		read_much(true, true);
	}
	if (has(how, "reboot")) {
		read_much(false, true);
		/* In use while the machine is reset. */
		bring_up();
		if (rtc_read(0x40) != 0x5a) {
			rtc_write(0x40, 0x5a);
			print("rebooting\n");
			acpi_reset();
		}
	}
	return 0;
}
