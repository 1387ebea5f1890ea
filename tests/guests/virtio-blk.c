// SPDX-License-Identifier: MIT
/*
 * virtio-blk.c: a driver for disks behind virtio-mmio, over a split ring: reads,
 * writes, flushes, ranges, many requests at a time, resets with some under way.
 *
 * case virtio-blk
 *	setup: truncate -s 64K $dir/disk
 *	options: -d $dir/disk,serial=a-serial-number --params write
 *	status: 0
 *	out: disk 'a-serial-number': 128 sectors
 *	out: written, read back, flushed
 *	check: set -e
 *	check: test "$(tail -c +1537 $dir/disk | head -c 13312 | tr -s a-z)" = defghijklmnopqrstuvwxyzabc
 *	check: test "$(head -c 1536 $dir/disk | tr -d '\0' | wc -c)" = 0
 *	check: test "$(stat -c %s $dir/disk)" = 65536
 * case virtio-blk-direct
 *	if: dd if=/dev/zero of="$dir/try" bs=4096 count=1 oflag=direct 2>/dev/null
 *	setup: truncate -s 64K $dir/disk
 *	options: -d $dir/disk,direct,id=direct --params write
 *	status: 0
 *	out: disk 'direct': 128 sectors
 *	out: written, read back, flushed
 *	check: test "$(tail -c +1537 $dir/disk | head -c 13312 | tr -s a-z)" = defghijklmnopqrstuvwxyzabc
 * case virtio-blk-read-only
 *	setup: yes | head -c 65536 >$dir/disk; chmod 400 $dir/disk; cp $dir/disk $dir/before
 *	options: -d $dir/disk,ro --params ro
 *	status: 0
 *	out: disk '': 128 sectors, read-only
 *	out: writes are refused
 *	check: cmp $dir/disk $dir/before
 * case virtio-blk-qcow2
 *	if: qemu-img --version >/dev/null
 *	setup: qemu-img create -q -f qcow2 $dir/disk 64K
 *	options: -d $dir/disk,serial=qcow2 --params write
 *	status: 0
 *	out: disk 'qcow2': 128 sectors
 *	out: written, read back, flushed
 *	check: set -e
 *	check: qemu-img check -q $dir/disk
 *	check: qemu-img convert -O raw $dir/disk $dir/raw
 *	check: test "$(tail -c +1537 $dir/raw | head -c 13312 | tr -s a-z)" = defghijklmnopqrstuvwxyzabc
 * case virtio-blk-qcow2-reset
 *	if: qemu-img --version >/dev/null
 *	setup: truncate -s 1M $dir/base
 *	setup: (cd $dir && qemu-img create -q -f qcow2 -b base -F raw disk)
 *	options: -d $dir/disk --params reset
 *	status: 0
 *	out: 10 resets with requests under way
 *	check: qemu-img check -q $dir/disk
 * case virtio-blk-temporary
 *	setup: yes | head -c 65536 >$dir/disk; dd if=/dev/zero of=$dir/disk bs=512 count=128 seek=3 conv=notrunc status=none; truncate -s 64K $dir/disk; chmod 400 $dir/disk; cp $dir/disk $dir/before
 *	options: -d $dir/disk,tmp,serial=tmp --params write
 *	status: 0
 *	out: disk 'tmp': 128 sectors
 *	out: written, read back, flushed
 *	check: cmp $dir/disk $dir/before
 * case virtio-blk-pinned
 *	setup: truncate -s 64K $dir/disk
 *	options: -m 16 -d $dir/disk,pinned --params write
 *	status: 0
 *	out: written, read back, flushed
 * case virtio-blk-pinned-reboot
 *	setup: truncate -s 1M $dir/disk
 *	options: --on-reset=reboot --timeout 20 -m 16 -d $dir/disk,pinned --params reboot
 *	status: 0
 *	out: rebooting
 *	out: what was written is still there
 * case virtio-blk-damaged
 *	setup: printf 'QFI\373\000\000\000\003' >$dir/disk; truncate -s 64K $dir/disk
 *	options: -d $dir/disk --params write
 *	status: 2
 *	err: ^trapmap: disk '.*disk': its clusters have 2\^0 bytes
 * case virtio-blk-two-disks
 *	setup: truncate -s 64K $dir/one; yes two | head -c 65536 >$dir/two
 *	options: -c 4 -d $dir/one,serial=one -d $dir/two,ro,serial=two --params copy
 *	status: 0
 *	out: disk 'one': 128 sectors
 *	out: disk 'two': 128 sectors, read-only
 *	check: cmp $dir/one $dir/two
 * case virtio-blk-threads-of-their-own
 *	setup: truncate -s 64K $dir/one; yes two | head -c 65536 >$dir/two
 *	options: -c 2 -d $dir/one,serial=one,iothread=a-name -d $dir/two,ro,serial=two,iothread=another --params copy
 *	status: 0
 *	check: cmp $dir/one $dir/two
 * case virtio-blk-threads-reset
 *	setup: truncate -s 1M $dir/disk
 *	options: -d $dir/disk,iothread=disk --params reset
 *	status: 0
 *	out: 10 resets with requests under way
 * case virtio-blk-threads-reboot
 *	setup: truncate -s 1M $dir/disk
 *	options: --on-reset=reboot --timeout 20 -d $dir/disk,iothread=disk --params reboot
 *	status: 0
 *	out: rebooting
 *	out: what was written is still there
 * case virtio-mmio-has-room-for-eight
 *	setup: for n in 1 2 3 4 5 6 7 8; do truncate -s 4K $dir/disk$n; done
 *	options: $(for n in 1 2 3 4 5 6 7 8; do echo -d $dir/disk$n; done)
 *	status: 2
 *	err: ^trapmap: disk '.*disk8': virtio-mmio has room for 8 devices, .*; --transport pci has room for 29$
 * case virtio-blk-reset
 *	setup: truncate -s 1M $dir/disk
 *	options: -d $dir/disk --params reset
 *	status: 0
 *	out: 10 resets with requests under way
 * case virtio-blk-reboot
 *	setup: truncate -s 1M $dir/disk
 *	options: --on-reset=reboot --timeout 20 -d $dir/disk --params reboot
 *	status: 0
 *	out: rebooting
 *	out: what was written is still there
 * case virtio-blk-in-use
 *	setup: truncate -s 64K $dir/disk
 *	setup: "$trapmap" run "$guest" -d $dir/disk --params hold --timeout 2 >$dir/other 2>&1 &
 *	setup: timeout 10 sh -c "until grep -q holding $dir/other; do sleep 0.05; done"
 *	options: -d $dir/disk --params write
 *	status: 2
 *	err: ^trapmap: disk '.*disk': is in use by another program
 */
#include "guest.h"

#define FIRST 0xd0000000u
#define STEP 0x1000u
#define TRANSPORTS 8
#define DISKS 2

/* VIRTIO 1.2, table 4.1 */
enum {
	MAGIC = 0x00, DEVICE_ID = 0x08,
	DEVICE_FEATURES = 0x10, DEVICE_FEATURES_SEL = 0x14,
	DRIVER_FEATURES = 0x20, DRIVER_FEATURES_SEL = 0x24,
	QUEUE_SEL = 0x30, QUEUE_NUM_MAX = 0x34, QUEUE_NUM = 0x38,
	QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50, STATUS = 0x70,
	QUEUE_DESC = 0x80, QUEUE_DRIVER = 0x90, QUEUE_DEVICE = 0xa0,
	CONFIG = 0x100,
};

/* 5.2 */
#define BLOCK 2
#define F_RO (1u << 5)
#define F_FLUSH (1u << 9)
#define F_MQ (1u << 12)
#define F_DISCARD (1u << 13)
#define F_WRITE_ZEROES (1u << 14)
#define WANTED (F_RO | F_FLUSH | F_MQ | F_DISCARD | F_WRITE_ZEROES)

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13 };
enum { OK = 0, IOERR = 1, UNSUPP = 2, NOT_YET = 0xff };

#define DESC_NEXT 1u
#define DESC_WRITE 2u

#define SIZE 32 /* of the queue; a request takes three */
#define REQUESTS 8
#define SECTOR 512
#define DATA (4 * SECTOR)

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct request {
	struct { uint32_t type, reserved; uint64_t sector; } header;
	uint8_t data[DATA + 8];
	volatile uint8_t status;
};

static struct disk {
	uint32_t base, features;
	uint64_t sectors;
	struct desc desc[SIZE] __attribute__((aligned(16)));
	volatile uint16_t driver[2 + SIZE + 1] __attribute__((aligned(16)));
	volatile uint16_t device[2 + 4 * SIZE + 1] __attribute__((aligned(16)));
	struct request req[REQUESTS] __attribute__((aligned(64)));
	uint16_t avail, used;
} disks[DISKS];

static uint32_t get(const struct disk *d, uint32_t reg)
{
	return mmio_read32(d->base + reg);
}

static void put(const struct disk *d, uint32_t reg, uint32_t val)
{
	mmio_write32(d->base + reg, val);
}

static void put64(const struct disk *d, uint32_t reg, volatile void *p)
{
	put(d, reg, (uint32_t)(uintptr_t)p);
	put(d, reg + 4, (uint32_t)((uintptr_t)p >> 32));
}

/* From a reset to DRIVER_OK (3.1.1). */
static void bring_up(struct disk *d)
{
	put(d, STATUS, 0);
	CHECK_EQ(get(d, STATUS), 0);
	put(d, STATUS, 1);
	put(d, STATUS, 3);
	put(d, DEVICE_FEATURES_SEL, 0);
	d->features = get(d, DEVICE_FEATURES) & WANTED;
	put(d, DRIVER_FEATURES_SEL, 0);
	put(d, DRIVER_FEATURES, d->features);
	put(d, DRIVER_FEATURES_SEL, 1);
	put(d, DRIVER_FEATURES, 1); /* VIRTIO_F_VERSION_1 */
	put(d, STATUS, 11);
	CHECK_EQ(get(d, STATUS), 11);

	memset((void *)d->driver, 0, sizeof(d->driver));
	memset((void *)d->device, 0, sizeof(d->device));
	d->avail = d->used = 0;
	put(d, QUEUE_SEL, 0);
	CHECK(get(d, QUEUE_NUM_MAX) >= SIZE);
	put(d, QUEUE_NUM, SIZE);
	put64(d, QUEUE_DESC, d->desc);
	put64(d, QUEUE_DRIVER, d->driver);
	put64(d, QUEUE_DEVICE, d->device);
	put(d, QUEUE_READY, 1);
	put(d, STATUS, 15);
	CHECK_EQ(get(d, STATUS), 15);
}

/* Request n of the disk, which it works on from here on. */
static struct request *start(struct disk *d, unsigned n, uint32_t type,
			     uint64_t sector, uint32_t len)
{
	struct request *req = &d->req[n];
	struct desc *desc = &d->desc[3 * n];
	uint16_t to_guest = type == IN || type == GET_ID ? DESC_WRITE : 0;

	req->header.type = type;
	req->header.reserved = 0;
	req->header.sector = sector;
	req->status = NOT_YET;
	desc[0] = (struct desc){ (uintptr_t)&req->header, 16, DESC_NEXT,
				 (uint16_t)(3 * n + (len ? 1 : 2)) };
	desc[1] = (struct desc){ (uintptr_t)req->data, len,
				 DESC_NEXT | to_guest, (uint16_t)(3 * n + 2) };
	desc[2] = (struct desc){ (uintptr_t)&req->status, 1, DESC_WRITE, 0 };
	d->driver[2 + d->avail % SIZE] = (uint16_t)(3 * n);
	asm volatile("" ::: "memory");
	d->driver[1] = ++d->avail;
	put(d, QUEUE_NOTIFY, 0);
	return req;
}

/* Until all that were started are back, each with this status. */
static void finish(struct disk *d, uint8_t status)
{
	while (d->used != d->avail) {
		unsigned id;

		while (d->device[1] == d->used)
			cpu_relax();
		id = d->device[2 + 4 * (d->used % SIZE)];
		CHECK(id % 3 == 0 && id / 3 < REQUESTS);
		CHECK_EQ(d->req[id / 3].status, status);
		d->used++;
	}
	asm volatile("" ::: "memory");
}

static void one(struct disk *d, uint32_t type, uint64_t sector, uint32_t len,
		uint8_t status)
{
	start(d, 0, type, sector, len);
	finish(d, status);
}

static void find(void)
{
	unsigned i, n = 0;
	struct disk *d;
	char id[21] = "";

	map_page(FIRST);
	for (i = 0; i < TRANSPORTS && n < DISKS; i++) {
		d = &disks[n];
		d->base = FIRST + i * STEP;
		if (get(d, MAGIC) != 0x74726976 || get(d, DEVICE_ID) != BLOCK)
			continue;
		n++;
		d->sectors = get(d, CONFIG) |
			     (uint64_t)get(d, CONFIG + 4) << 32;
		bring_up(d);
		one(d, GET_ID, 0, 20, OK);
		memcpy(id, d->req[0].data, 20);
		print("disk '%s': %lu sectors%s\n", id, d->sectors,
		      d->features & F_RO ? ", read-only" : "");
	}
	CHECK(n > 0);
}

static bool is_all(const uint8_t *p, uint8_t byte, unsigned len)
{
	while (len > 0 && *p == byte)
		p++, len--;
	return len == 0;
}

/* Sectors 3 to 28, a letter each, eight requests at a time. */
static void write_letters(struct disk *d)
{
	unsigned s;

	for (s = 3; s < 29; s++) {
		if (s % REQUESTS == 0)
			finish(d, OK);
		memset(d->req[s % REQUESTS].data, 'a' + s % 26, SECTOR);
		start(d, s % REQUESTS, OUT, s, SECTOR);
	}
	finish(d, OK);
}

static void write_and_read(struct disk *d)
{
	uint8_t *data = d->req[0].data;
	struct { uint64_t sector; uint32_t sectors, flags; } range;
	unsigned i;

	CHECK(d->features & F_FLUSH && d->features & F_DISCARD);
	write_letters(d);
	one(d, FLUSH, 0, 0, OK);
	one(d, IN, 27, DATA, OK);
	CHECK(is_all(data, 'b', SECTOR) && is_all(data + SECTOR, 'c', SECTOR));
	CHECK(is_all(data + 2 * SECTOR, 0, 2 * SECTOR));

	/* At the end, beyond it, and in part. */
	memset(data, 'x', DATA);
	one(d, OUT, d->sectors - 4, DATA, OK);
	one(d, OUT, d->sectors - 3, DATA, IOERR);
	one(d, IN, ~0ull, SECTOR, IOERR);
	one(d, OUT, 0, SECTOR - 1, IOERR);
	one(d, 77, 0, SECTOR, UNSUPP);

	/* Zeroed, then discarded: what is read of that is anybody's guess. */
	for (i = 0; i < 2; i++) {
		range.sector = d->sectors - 4 + 2 * i;
		range.sectors = 2;
		range.flags = 0;
		memcpy(data, &range, sizeof(range));
		one(d, i ? DISCARD : ZEROES, 0, sizeof(range), OK);
	}
	one(d, IN, d->sectors - 4, DATA, OK);
	CHECK(is_all(data, 0, 2 * SECTOR));
	one(d, FLUSH, 0, 0, OK);
	print("written, read back, flushed\n");
}

static void write_refused(struct disk *d)
{
	CHECK(d->features & F_RO && !(d->features & F_DISCARD));
	one(d, IN, 0, SECTOR, OK);
	CHECK(d->req[0].data[0] == 'y' && d->req[0].data[1] == '\n');
	one(d, OUT, 0, SECTOR, IOERR);
	one(d, DISCARD, 0, 16, UNSUPP);
	one(d, FLUSH, 0, 0, OK);
	print("writes are refused\n");
}

static void copy(struct disk *to, struct disk *from)
{
	uint64_t s;

	CHECK(to->sectors == from->sectors && to->features & F_MQ);
	for (s = 0; s < to->sectors; s += DATA / SECTOR) {
		one(from, IN, s, DATA, OK);
		memcpy(to->req[0].data, from->req[0].data, DATA);
		one(to, OUT, s, DATA, OK);
	}
	one(to, FLUSH, 0, 0, OK);
}

/* What was under way at a reset is never heard of again. */
static void reset_often(struct disk *d)
{
	unsigned i, n;

	for (i = 0; i < 10; i++) {
		for (n = 0; n < REQUESTS; n++)
			start(d, n, n & 1 ? IN : OUT, n * 4, DATA);
		put(d, STATUS, 0);
		CHECK_EQ(get(d, STATUS), 0);
		for (n = 0; n < REQUESTS; n++)
			memset(d->req[n].data, 0x5a, DATA);
		for (n = 0; n < REQUESTS; n++)
			CHECK(is_all(d->req[n].data, 0x5a, DATA));
		bring_up(d);
		one(d, IN, 0, SECTOR, OK);
	}
	print("%u resets with requests under way\n", i);
}

/* All of the disk, in order. */
static void fill(struct disk *d)
{
	uint64_t s;

	for (s = 0; s < d->sectors; s += DATA / SECTOR) {
		memset(d->req[0].data, (int)('A' + s / 4 % 26), DATA);
		one(d, OUT, s, DATA, OK);
	}
	one(d, FLUSH, 0, 0, OK);
	print("filled\n");
}

/* The machine is reset in the middle; the disk keeps what it has. */
static void reboot(struct disk *d)
{
	uint8_t *data = d->req[0].data;
	unsigned n;

	one(d, IN, 100, SECTOR, OK);
	if (is_all(data, 'k', SECTOR)) {
		print("what was written is still there\n");
		return;
	}
	memset(data, 'k', SECTOR);
	one(d, OUT, 100, SECTOR, OK);
	for (n = 0; n < REQUESTS; n++)
		start(d, n, n & 1 ? IN : OUT, 200 + n * 4, DATA);
	print("rebooting\n");
	acpi_reset();
}

int guest_main(void)
{
	const char *how = boot_cmdline();

	find();
	if (!strcmp(how, "write"))
		write_and_read(&disks[0]);
	else if (!strcmp(how, "ro"))
		write_refused(&disks[0]);
	else if (!strcmp(how, "copy"))
		copy(&disks[0], &disks[1]);
	else if (!strcmp(how, "fill"))
		fill(&disks[0]);
	else if (!strcmp(how, "reset"))
		reset_often(&disks[0]);
	else if (!strcmp(how, "reboot"))
		reboot(&disks[0]);
	else if (!strcmp(how, "hold"))
		print("holding\n");
	while (!strcmp(how, "hold"))
		cpu_relax();
	return 0;
}
