// SPDX-License-Identifier: MIT
/*
 * virtio_blk.c: sectors from and to a virtio disk behind virtio-mmio, one request at a
 * time, without interrupts. Sources: VIRTIO 1.2, 2.7 (split virtqueues), 4.2.2
 * (registers), 5.2 (block device).
 *
 * The device reads and writes the caller's buffer itself. It stays as it is when the
 * guest's own driver takes over, which begins with a reset; a service that is called
 * after one sets it up again.
 *
 * Not here: flushes, virtio-pci, a change of the size, a disk whose registers are
 * above 4 GiB.
 */
#include "bios/bios.h"

#define MAGIC 0x000
#define MAGIC_VALUE 0x74726976
#define VERSION 0x004
#define DEVICE_ID 0x008
#define DEVICE_ID_BLOCK 2
#define DEVICE_FEATURES 0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES 0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL 0x030
#define QUEUE_NUM_MAX 0x034
#define QUEUE_NUM 0x038
#define QUEUE_READY 0x044
#define QUEUE_NOTIFY 0x050
#define STATUS 0x070
#define QUEUE_DESC 0x080
#define QUEUE_DRIVER 0x090
#define QUEUE_DEVICE 0x0a0
#define CONFIG 0x100

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define STATUS_NEEDS_RESET 64
#define STATUS_ALL                                                 \
	(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | \
	 STATUS_DRIVER_OK)

#define F_RO (1u << 5)
#define F_VERSION_1 (1u << (32 - 32)) /* in the high half */

#define DESC_NEXT 1
#define DESC_WRITE 2
#define NO_INTERRUPT 1

#define BLK_IN 0
#define BLK_OUT 1
#define BLK_OK 0
#define BLK_UNSUPP 2

/* A request has three parts. */
#define QUEUE_LEN 4

/* How often the ring is looked at before the device is asked whether it gave up. */
#define LOOKS 0x10000

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct queue {
	struct desc desc[QUEUE_LEN];
	struct {
		uint16_t flags, idx, ring[QUEUE_LEN];
	} avail;
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[QUEUE_LEN];
	} used;
	/* Not the device's: */
	uint32_t known_at; /* its registers, once it was set up */
	bool ro;
	uint64_t sectors;
} __attribute__((aligned(16)));

struct request {
	uint32_t type, reserved;
	uint64_t sector;
};

static volatile struct queue queue[TRAPMAP_BIOS_DISKS];
static struct request request;
static volatile uint8_t request_status;

static void set_address(uint32_t reg, const volatile void *p)
{
	flat_write32(reg, flat_of(p));
	flat_write32(reg + 4, 0);
}

/* VIRTIO 1.2, 3.1.1. */
static bool set_up(uint32_t at, volatile struct queue *q)
{
	const uint32_t steps = STATUS_ACKNOWLEDGE | STATUS_DRIVER;

	q->known_at = 0;
	if (flat_read32(at + MAGIC) != MAGIC_VALUE ||
	    flat_read32(at + VERSION) != 2 ||
	    flat_read32(at + DEVICE_ID) != DEVICE_ID_BLOCK)
		return false;
	flat_write32(at + STATUS, 0);
	flat_write32(at + STATUS, STATUS_ACKNOWLEDGE);
	flat_write32(at + STATUS, steps);

	flat_write32(at + DEVICE_FEATURES_SEL, 0);
	q->ro = flat_read32(at + DEVICE_FEATURES) & F_RO;
	flat_write32(at + DRIVER_FEATURES_SEL, 0);
	flat_write32(at + DRIVER_FEATURES, q->ro ? F_RO : 0);
	flat_write32(at + DRIVER_FEATURES_SEL, 1);
	flat_write32(at + DRIVER_FEATURES, F_VERSION_1);
	flat_write32(at + STATUS, steps | STATUS_FEATURES_OK);
	if (!(flat_read32(at + STATUS) & STATUS_FEATURES_OK))
		return false;

	flat_write32(at + QUEUE_SEL, 0);
	if (flat_read32(at + QUEUE_NUM_MAX) < QUEUE_LEN)
		return false;
	q->avail.flags = NO_INTERRUPT;
	q->avail.idx = q->used.idx = 0;
	flat_write32(at + QUEUE_NUM, QUEUE_LEN);
	set_address(at + QUEUE_DESC, q->desc);
	set_address(at + QUEUE_DRIVER, &q->avail);
	set_address(at + QUEUE_DEVICE, &q->used);
	flat_write32(at + QUEUE_READY, 1);
	flat_write32(at + STATUS, STATUS_ALL);

	q->sectors = flat_read32(at + CONFIG) |
		     (uint64_t)flat_read32(at + CONFIG + 4) << 32;
	q->known_at = at;
	return true;
}

bool blk_find(unsigned disk, uint64_t *ret_sectors)
{
	volatile struct queue *q = &queue[disk];
	uint32_t at = bios.disk[disk];

	flat_begin();
	if ((q->known_at != at || flat_read32(at + STATUS) != STATUS_ALL) &&
	    !set_up(at, q))
		return false;
	*ret_sectors = q->sectors;
	return true;
}

static void describe(volatile struct queue *q, unsigned i, uint64_t addr,
		     uint32_t len, uint16_t flags)
{
	q->desc[i].addr = addr;
	q->desc[i].len = len;
	q->desc[i].flags = flags;
	q->desc[i].next = (uint16_t)(i + 1);
}

uint8_t blk_transfer(unsigned disk, bool write, uint64_t lba, uint64_t addr,
		     unsigned sectors)
{
	volatile struct queue *q = &queue[disk];
	uint32_t at = bios.disk[disk], looks = 0;
	uint16_t idx = (uint16_t)(q->avail.idx + 1);

	if (write && q->ro)
		return DISK_PROTECTED;
	request.type = write ? BLK_OUT : BLK_IN;
	request.sector = lba;
	request_status = 0xff;
	describe(q, 0, flat_of(&request), sizeof(request), DESC_NEXT);
	describe(q, 1, addr, sectors * 512,
		 DESC_NEXT | (write ? 0 : DESC_WRITE));
	describe(q, 2, flat_of(&request_status), 1, DESC_WRITE);
	q->avail.ring[(idx - 1) % QUEUE_LEN] = 0;
	/* x86 keeps the order of stores; the compiler must, too. */
	asm volatile("" : : : "memory");
	q->avail.idx = idx;
	flat_write32(at + QUEUE_NOTIFY, 0);

	while (q->used.idx != idx) {
		asm volatile("pause");
		if (++looks % LOOKS == 0 &&
		    flat_read32(at + STATUS) & STATUS_NEEDS_RESET) {
			q->known_at = 0;
			return DISK_TIMEOUT;
		}
	}
	switch (request_status) {
	case BLK_OK: return 0;
	case BLK_UNSUPP: return DISK_INVALID;
	default: return DISK_CONTROLLER;
	}
}
