// SPDX-License-Identifier: MIT
/*
 * virtio-console.c: a driver of the console device (VIRTIO 1.2, 5.3) that gets to know
 * the ports, writes a MiB to one and reads a MiB from another, and ends the machine
 * with words that nobody was told of.
 *
 * case virtio-console-ports
 *	options: --serial file=$dir/serial --console null --console file=$dir/big,name=big --console stdio,name=data
 *	stdin: %01048576d
 *	status: 0
 *	out: ready
 *	out: a MiB came
 *	out: last words
 *	check: grep -q '^port 0 is a console' $dir/serial
 *	check: grep -q '^port 1 is big' $dir/serial
 *	check: grep -q '^port 2 is data' $dir/serial
 *	check: [ "$(wc -c <$dir/big)" = 1048576 ]
 *	check: [ "$(tr -d '\0-\376' <$dir/big | wc -c)" = 4096 ]
 * case virtio-console-watched
 *	options: --serial file=$dir/serial --console file=$dir/hvc --expect '^on the virtio console$' --fail-on 'no such line' --report $dir/r.json
 *	status: 0
 *	check: grep -q '^on the virtio console' $dir/hvc
 *	check: grep -q '"hvc0": 22' $dir/r.json
 * case virtio-console-full
 *	if: [ -c /dev/full ]
 *	options: --serial null --console file=/dev/full
 *	status: 4
 *	err: the output of the console hvc0 cannot be written: No space left on device
 */
#include "guest.h"

#define FIRST 0xd0000000u
#define STEP 0x1000u
#define TRANSPORTS 8

/* VIRTIO 1.2, table 4.1 */
enum {
	MAGIC = 0x00, DEVICE_ID = 0x08,
	DRIVER_FEATURES = 0x20, DRIVER_FEATURES_SEL = 0x24,
	QUEUE_SEL = 0x30, QUEUE_NUM = 0x38, QUEUE_READY = 0x44,
	QUEUE_NOTIFY = 0x50, STATUS = 0x70,
	QUEUE_DESC = 0x80, QUEUE_DRIVER = 0x90, QUEUE_DEVICE = 0xa0,
	CONFIG = 0x100,
};

#define CONSOLE 3
#define F_MULTIPORT (1u << 1)
#define F_VERSION_1 (1u << 0) /* of the high word */
#define DESC_WRITE 2u

enum {
	DEVICE_READY, DEVICE_ADD, DEVICE_REMOVE, PORT_READY,
	CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME,
};

#define SIZE 4
#define QUEUES 8
#define CONTROL_RX 2
#define CONTROL_TX 3
#define RX(port) ((port) ? 2 * (port) + 2 : 0)
#define TX(port) (RX(port) + 1)
#define MIB (1u << 20)
#define PIECE 32768

struct queue {
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} desc[SIZE];
	volatile uint16_t driver[2 + SIZE + 1];
	volatile uint32_t device[1 + 2 * SIZE + 1];
	uint16_t avail, used;
} __attribute__((aligned(16)));

static struct queue queue[QUEUES];
static uint32_t base;
static uint8_t out[PIECE], in[SIZE][4096], control[SIZE][128];
static unsigned known; /* ports, as bits */

static void put(uint32_t reg, uint32_t val)
{
	mmio_write32(base + reg, val);
}

static void put64(uint32_t reg, volatile void *p)
{
	put(reg, (uint32_t)(uintptr_t)p);
	put(reg + 4, (uint32_t)((uintptr_t)p >> 32));
}

static void find(void)
{
	unsigned i;

	map_page(FIRST);
	for (i = 0; i < TRANSPORTS; i++) {
		base = FIRST + i * STEP;
		if (mmio_read32(base + MAGIC) == 0x74726976 &&
		    mmio_read32(base + DEVICE_ID) == CONSOLE)
			return;
	}
	CHECK(false);
}

static void bring_up(void)
{
	unsigned i, queues;

	put(STATUS, 0);
	put(STATUS, 3);
	put(DRIVER_FEATURES_SEL, 0);
	put(DRIVER_FEATURES, F_MULTIPORT);
	put(DRIVER_FEATURES_SEL, 1);
	put(DRIVER_FEATURES, F_VERSION_1);
	put(STATUS, 11);
	CHECK_EQ(mmio_read32(base + STATUS), 11);
	queues = 2 * (mmio_read32(base + CONFIG + 4) + 1);
	for (i = 0; i < QUEUES && i < queues; i++) {
		put(QUEUE_SEL, i);
		put(QUEUE_NUM, SIZE);
		put64(QUEUE_DESC, queue[i].desc);
		put64(QUEUE_DRIVER, queue[i].driver);
		put64(QUEUE_DEVICE, queue[i].device);
		put(QUEUE_READY, 1);
	}
	put(STATUS, 15);
	CHECK_EQ(mmio_read32(base + STATUS), 15);
}

static void offer(unsigned n, void *p, uint32_t len, bool notify)
{
	struct queue *q = &queue[n];
	unsigned slot = q->avail % SIZE;

	q->desc[slot].addr = (uintptr_t)p;
	q->desc[slot].len = len;
	q->desc[slot].flags = n & 1 ? 0 : DESC_WRITE;
	q->driver[2 + slot] = (uint16_t)slot;
	asm volatile("" ::: "memory");
	q->driver[1] = ++q->avail;
	asm volatile("lock addl $0, -4(%%rsp)" ::: "memory", "cc");
	if (notify)
		put(QUEUE_NOTIFY, n);
}

/* Waits for a used buffer. Returns its slot. */
static unsigned take(unsigned n, uint32_t *ret_len)
{
	struct queue *q = &queue[n];
	const volatile uint16_t *used = (volatile uint16_t *)q->device + 1;
	unsigned at = q->used % SIZE;

	while (*used == q->used)
		cpu_relax();
	asm volatile("" ::: "memory");
	*ret_len = q->device[2 + 2 * at];
	q->used++;
	return q->device[1 + 2 * at];
}

static void send(unsigned n, const void *p, uint32_t len)
{
	uint32_t used;

	offer(n, (void *)(uintptr_t)p, len, true);
	take(n, &used);
	CHECK_EQ(used, 0);
}

static void tell(uint32_t port, uint16_t event, uint16_t value)
{
	static uint32_t message[2];

	message[0] = port;
	message[1] = event | (uint32_t)value << 16;
	send(CONTROL_TX, message, 8);
}

/* One message of the device's, and what follows from it. */
static void listen(void)
{
	uint32_t len, port;
	unsigned slot = take(CONTROL_RX, &len);
	uint8_t *m = control[slot];

	CHECK(len >= 8 && len < sizeof(control[0]));
	port = m[0];
	m[len] = '\0';
	switch (m[4]) {
	case DEVICE_ADD: tell(port, PORT_READY, 1); break;
	case CONSOLE_PORT: print("port %u is a console\n", port); break;
	case PORT_NAME: print("port %u is %s\n", port, (char *)m + 8); break;
	case PORT_OPEN:
		CHECK_EQ(m[6], 1);
		known |= 1u << port;
		tell(port, PORT_OPEN, 1);
		break;
	}
	offer(CONTROL_RX, m, sizeof(control[0]), true);
}

static void say(unsigned port, const char *text)
{
	send(TX(port), text, (uint32_t)strlen(text));
}

static void move_much(void)
{
	unsigned i, total = 0, slot;
	uint32_t len;

	for (i = 0; i < PIECE; i++)
		out[i] = (uint8_t)i;
	for (i = 0; i < MIB / PIECE; i++)
		send(TX(1), out, PIECE);
	for (i = 0; i < SIZE; i++)
		offer(RX(2), in[i], sizeof(in[0]), true);
	say(2, "ready\n");
	while (total < MIB) {
		slot = take(RX(2), &len);
		for (i = 0; i < len; i++)
			CHECK_EQ(in[slot][i], '0');
		total += len;
		offer(RX(2), in[slot], sizeof(in[0]), true);
	}
	CHECK_EQ(total, MIB);
	say(2, "a MiB came\n");
	/* Made available; the end of the machine is all the notification. */
	offer(TX(2), (void *)(uintptr_t)"last words\n", 11, false);
}

int guest_main(void)
{
	unsigned i, ports;

	find();
	bring_up();
	ports = mmio_read32(base + CONFIG + 4);
	for (i = 0; i < SIZE; i++)
		offer(CONTROL_RX, control[i], sizeof(control[0]), true);
	tell(0, DEVICE_READY, 1);
	/* A console that leads nowhere is never open. */
	while (known != (ports == 3 ? 6u : 1u))
		listen();
	if (ports == 3) {
		move_much();
		return 0;
	}
	say(0, "on the virtio console\n");
	return 0;
}
