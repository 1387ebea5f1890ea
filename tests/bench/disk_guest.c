// SPDX-License-Identifier: MIT
/*
 * disk_guest.c: a tiny guest that reads 4 KiB at random places of its first disk,
 * DEPTH at a time and COUNT in all (the words of its command line), and says how
 * many a second that were. A driver of virtio-mmio (VIRTIO 1.2, 4.2) with a split
 * ring; it looks at the ring all the time, and lets itself be interrupted
 * nevertheless: that is the device's work, too.
 */
#include "guest.h"
#include "virtio.h"

#define BLOCK 2
#define SIZE 128u /* of the queue; a request takes three */
#define DEPTH_MAX 32u
#define BYTES 4096u
#define SECTORS (BYTES / 512)

#define NEXT 1u
#define WRITE 2u
#define NO_NOTIFY 1u

static struct virtio_desc desc[SIZE] __attribute__((aligned(16)));
static volatile uint16_t driver[2 + SIZE + 1] __attribute__((aligned(16)));
static volatile uint16_t device[2 + 4 * SIZE + 1] __attribute__((aligned(16)));
static uint8_t data[DEPTH_MAX][BYTES] __attribute__((aligned(BYTES)));
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header[DEPTH_MAX];
static volatile uint8_t status[DEPTH_MAX];

static uint32_t base;
static uint64_t blocks, seed = 88172645463325252u;
static uint16_t avail, used;

static void bring_up(void)
{
	base = virtio_find(BLOCK, 0);
	CHECK(base != 0);
	virtio_begin(base, 0);
	blocks = (virtio_get(base, CONFIG) |
		  (uint64_t)virtio_get(base, CONFIG + 4) << 32) /
		 SECTORS;
	CHECK(blocks > 0);
	virtio_put(base, QUEUE_SEL, 0);
	CHECK(virtio_get(base, QUEUE_NUM_MAX) >= SIZE);
	virtio_put(base, QUEUE_NUM, SIZE);
	virtio_put64(base, QUEUE_DESC, desc);
	virtio_put64(base, QUEUE_DRIVER, driver);
	virtio_put64(base, QUEUE_DEVICE, device);
	virtio_put(base, QUEUE_READY, 1);
	virtio_run(base);
}

static void prepare(unsigned n)
{
	uint16_t first = (uint16_t)(3 * n);

	desc[first] = (struct virtio_desc){ (uintptr_t)&header[n], 16, NEXT,
					    (uint16_t)(first + 1) };
	desc[first + 1] = (struct virtio_desc){ (uintptr_t)data[n], BYTES,
						NEXT | WRITE,
						(uint16_t)(first + 2) };
	desc[first + 2] = (struct virtio_desc){ (uintptr_t)&status[n], 1, WRITE,
						0 };
}

static void begin(unsigned n)
{
	/* Marsaglia's xorshift, as in load.c. */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	header[n].sector = seed % blocks * SECTORS;
	status[n] = 0xff;
	driver[2 + avail % SIZE] = (uint16_t)(3 * n);
	avail++;
}

/* What was begun since the last time, if the device does not look by itself. */
static void notify(void)
{
	asm volatile("" ::: "memory");
	driver[1] = avail;
	asm volatile("lock addl $0, -4(%%rsp)" ::: "memory", "cc");
	if (!(device[0] & NO_NOTIFY))
		virtio_put(base, QUEUE_NOTIFY, 0);
}

int guest_main(void)
{
	const char *words = boot_cmdline(), *source;
	uint64_t depth = parse_number(&words), count = parse_number(&words);
	uint64_t begun, done = 0, start, ticks;
	uint32_t khz = tsc_khz(&source);
	unsigned n;

	CHECK(depth > 0 && depth <= DEPTH_MAX && count >= depth && khz);
	bring_up();
	for (n = 0; n < depth; n++)
		prepare(n);
	start = rdtsc();
	for (begun = 0; begun < depth; begun++)
		begin((unsigned)begun);
	notify();
	while (done < count) {
		while (device[1] == used)
			cpu_relax();
		while (device[1] != used) {
			n = device[2 + 4 * (used % SIZE)] / 3;
			CHECK_EQ(status[n], 0);
			used++;
			done++;
			if (begun < count) {
				begin(n);
				begun++;
			}
		}
		if (driver[1] != avail)
			notify();
	}
	ticks = rdtsc() - start;
	print("%lu\n", count * 1000 * khz / ticks);
	return 0;
}
