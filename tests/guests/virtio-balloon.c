// SPDX-License-Identifier: MIT
/*
 * virtio-balloon.c: gives memory to the balloon and reports free memory, after having
 * written to all of it; reads zeroes there, and uses it again.
 *
 * case virtio-balloon-inflate
 *	options: --transport mmio -m 128 --balloon 32M --stats --params inflate
 *	status: 0
 *	out: asked for 32 MiB
 *	out: 32 MiB given up, zeroes there now, used again
 *	err: ^Balloon: 32 MiB asked for, 32 MiB given up$
 *	err: ^  back with the host, in all: 32 MiB of such, 0 MiB of free pages$
 *	err: ^  balloon$
 *	err: ^    queue 0 +32 +32768 +[0-9]+ +[0-9]+ +32 +0$
 *	report: stats.balloon.inflated = 33554432
 *	report: stats.balloon.reported = 0
 *	report: stats.queues.0.device = balloon
 *	report: stats.queues.0.requests = 32
 * case virtio-balloon-memfd
 *	options: --transport mmio -m 128,backing=memfd --balloon 32M --params inflate
 *	status: 0
 *	out: 32 MiB given up, zeroes there now, used again
 * case virtio-balloon-file
 *	options: --transport mmio -m 128,backing=file=$dir/ram --balloon 32M --params inflate
 *	status: 2
 *	err: ^trapmap: balloon: guest memory is a file, which keeps its size, so that none
 *	check: [ ! -e "$dir/ram" ]
 * case virtio-balloon-report
 *	options: --transport mmio -m 128 --balloon reporting --stats --params report
 *	status: 0
 *	out: asked for 0 MiB
 *	out: 64 MiB reported, zeroes there now, used again
 *	report: stats.balloon.inflated = 0
 *	report: stats.balloon.reported = 67108864
 * case virtio-balloon-reboot
 *	options: --transport mmio -m 128 --on-reset=reboot --timeout 20 --balloon 8M,reporting --params inflate,reboot
 *	status: 0
 *	out: 8 MiB given up, zeroes there now, used again
 *	out: rebooting
 *	out: asked for 8 MiB
 *	out: 8 MiB given up, zeroes there now, used again
 * case virtio-balloon-hostile
 *	options: --transport mmio -m 128 --balloon reporting --params hostile
 *	status: 0
 *	out: pages that are not there: 3 resets
 *	err: ^trapmap: balloon: page 0xffffffff was given up: not RAM$
 */
#include "virtio.h"

#define BALLOON 5
#define F_ALL 0x3f
#define F_REPORTING (1u << 5)

/* 5.5.2 and 5.5.4 */
enum { INFLATEQ, DEFLATEQ, STATSQ, REPORTING_VQ = 4 };
enum { NUM_PAGES = CONFIG, ACTUAL = CONFIG + 4 };

#define PAGE 4096u
#define FIRST 0x2000000u /* 32 MiB; behind the guest itself */
#define LEN 0x4000000u
#define CHUNK 0x200000u
#define PFNS 256

static struct virtio_ring inflate, deflate, stats, reports;
static uint32_t base, features;
static uint32_t pfn[PFNS];
static struct {
	uint16_t tag;
	uint64_t val;
} __attribute__((packed)) stat[2];

static void offer_stats(void)
{
	static uint64_t told;

	stat[0].tag = 4; /* free */
	stat[0].val = ++told << 20;
	stat[1].tag = 5; /* total */
	stat[1].val = LEN;
	stats.desc[0].addr = (uintptr_t)stat;
	stats.desc[0].len = sizeof(stat);
	virtio_offer(base, STATSQ, &stats, 1, 1);
}

static void bring_up(void)
{
	base = virtio_find(BALLOON, 0);
	CHECK(base);
	features = virtio_begin(base, F_ALL);
	virtio_queue(base, INFLATEQ, &inflate);
	virtio_queue(base, DEFLATEQ, &deflate);
	virtio_queue(base, STATSQ, &stats);
	if (features & F_REPORTING)
		virtio_queue(base, REPORTING_VQ, &reports);
	virtio_run(base);
	CHECK_EQ(virtio_get(base, ACTUAL), 0);
}

static void touch(uint32_t len)
{
	uint32_t at;

	for (at = FIRST; at < FIRST + len; at += PAGE)
		*(volatile uint32_t *)(uintptr_t)at = at;
}

static void check_zeroes(uint32_t len)
{
	uint32_t at;

	for (at = FIRST; at < FIRST + len; at += PAGE)
		CHECK_EQ(*(volatile uint32_t *)(uintptr_t)at, 0);
}

static void send_pfns(unsigned queue, struct virtio_ring *ring, unsigned n)
{
	ring->desc[0].addr = (uintptr_t)pfn;
	ring->desc[0].len = n * sizeof(pfn[0]);
	virtio_offer(base, queue, ring, 1, 1);
	CHECK_EQ(virtio_wait(ring), 0);
}

static void move(unsigned queue, struct virtio_ring *ring, uint32_t pages)
{
	uint32_t i, k;

	for (i = 0; i < pages; i += PFNS) {
		/* Backwards, as pages come from a kernel's allocator. */
		for (k = 0; k < PFNS; k++)
			pfn[k] = FIRST / PAGE + i + PFNS - 1 - k;
		send_pfns(queue, ring, PFNS);
	}
}

static void give_up(void)
{
	uint32_t pages = virtio_get(base, NUM_PAGES);

	move(INFLATEQ, &inflate, pages);
	virtio_put(base, ACTUAL, pages);
	CHECK_EQ(virtio_get(base, ACTUAL), pages);
}

static void report(uint32_t len)
{
	uint32_t at;

	for (at = FIRST; at < FIRST + len; at += 2 * CHUNK) {
		reports.desc[0].addr = at;
		reports.desc[0].len = CHUNK;
		reports.desc[1].addr = at + CHUNK;
		reports.desc[1].len = CHUNK;
		virtio_offer(base, REPORTING_VQ, &reports, 2, 0);
		CHECK_EQ(virtio_wait(&reports), 0);
	}
}

static void hostile(void)
{
	static const uint32_t bad[] = { 0xffffffff, 0xc0000, 0xa0 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		bring_up();
		pfn[0] = bad[i];
		inflate.desc[0].addr = (uintptr_t)pfn;
		inflate.desc[0].len = 4;
		virtio_offer(base, INFLATEQ, &inflate, 1, 1);
		while (virtio_get(base, STATUS) != (15 | 64))
			cpu_relax();
	}
	print("pages that are not there: %u resets\n", i);
	bring_up();
}

/* Does as it is told by a letter on COM1, and says when it is done. */
static void follow(void)
{
	bool told = false;

	offer_stats();
	for (;;) {
		if (virtio_answered(&stats)) {
			virtio_wait(&stats);
			offer_stats();
		}
		told = inb(COM1 + 5) & 1;
		if (!told) {
			cpu_relax();
			continue;
		}
		switch (inb(COM1)) {
		case 't': touch(LEN); break;
		case 'g': give_up(); break;
		case 'r': report(LEN); break;
		default: return;
		}
		print("done\n");
	}
}

static bool has(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (; *text; text++)
		if (!memcmp(text, word, len))
			return true;
	return false;
}

int guest_main(void)
{
	const char *how = boot_cmdline();
	uint32_t len;

	bring_up();
	len = virtio_get(base, NUM_PAGES) * PAGE;
	print("asked for %u MiB\n", len >> 20);
	if (has(how, "inflate")) {
		touch(len);
		give_up();
		check_zeroes(len);
		move(DEFLATEQ, &deflate, len / PAGE);
		touch(len);
		print("%u MiB given up, zeroes there now, used again\n",
		      len >> 20);
	}
	if (has(how, "report")) {
		touch(LEN);
		report(LEN);
		check_zeroes(LEN);
		touch(LEN);
		print("%u MiB reported, zeroes there now, used again\n",
		      LEN >> 20);
	}
	if (has(how, "hostile"))
		hostile();
	if (has(how, "follow"))
		follow();
	if (has(how, "reboot") && rtc_read(0x40) != 0x5a) {
		rtc_write(0x40, 0x5a);
		print("rebooting\n");
		acpi_reset();
	}
	return 0;
}
