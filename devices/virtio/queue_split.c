// SPDX-License-Identifier: MIT
/*
 * Split virtqueues: VIRTIO 1.2, 2.7.
 *
 * The available ring is the driver's, the used ring ours: what we have written
 * there is kept here as well and never read back.
 */
#include "virtio/queue_ring.h"

/* 2.7.6 */
#define AVAIL_FLAGS 0
#define AVAIL_IDX 2
#define AVAIL_RING 4
#define VIRTQ_AVAIL_F_NO_INTERRUPT BIT(0)

/* 2.7.8 */
#define USED_FLAGS 0
#define USED_IDX 2
#define USED_RING 4
#define VIRTQ_USED_F_NO_NOTIFY BIT(0)

struct virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct virtq_used_elem {
	uint32_t id;
	uint32_t len;
};

/* 2.7: with used_event, negotiated or not. */
static uint32_t driver_len(uint32_t size)
{
	return AVAIL_RING + 2 * size + 2;
}

static uint32_t device_len(uint32_t size)
{
	return USED_RING + 8 * size + 2;
}

/*
 * Where the driver's index is, and whether it can be: there are never more chains
 * with the device than the table has descriptors (2.7.13).
 */
static int look(struct virtq *q)
{
	/* Pairs with the driver's barrier before its update (2.7.13.3.1). */
	uint16_t idx = ring_load_acquire(q->driver + AVAIL_IDX);
	uint16_t ahead = (uint16_t)(idx - q->next_avail);

	if (ahead > q->config.size - q->in_flight)
		return virtq_fail(
			q, "available index %u after %u: %u of %u are in use",
			idx, q->next_avail, q->in_flight, q->config.size);
	q->avail_seen = idx;
	return ahead > 0;
}

static int walk(struct virtq_gather *g, uint16_t at)
{
	const uint8_t *table = g->q->desc;
	uint32_t entries = g->q->config.size, steps = 0;
	bool indirect = false;
	struct virtq_desc d;
	int r;

	for (;;) {
		if (at >= entries)
			return virtq_fail(g->q, "descriptor %u of %u", at,
					  entries);
		if (steps++ == entries)
			return virtq_fail(g->q, "a chain that loops");
		read_once(&d, table + at * VIRTQ_DESC_LEN, sizeof(d));
		if (d.flags & VIRTQ_DESC_F_INDIRECT) {
			if (indirect)
				return virtq_fail(
					g->q,
					"an indirect table in an indirect table");
			if (d.flags & VIRTQ_DESC_F_NEXT)
				return virtq_fail(
					g->q,
					"an indirect table with a next descriptor");
			r = virtq_gather_table(g, d.addr, d.len, &table,
					       &entries);
			if (r < 0)
				return r;
			indirect = true;
			at = 0;
			steps = 0;
			continue;
		}
		r = virtq_gather_add(g, d.addr, d.len,
				     d.flags & VIRTQ_DESC_F_WRITE);
		if (r < 0)
			return r;
		if (!(d.flags & VIRTQ_DESC_F_NEXT))
			return 0;
		at = d.next;
	}
}

static int pop(struct virtq *q, struct virtq_gather *g)
{
	uint32_t slot = q->next_avail & (q->config.size - 1);
	uint16_t head;
	int r;

	if (q->next_avail == q->avail_seen) {
		r = look(q);
		if (r <= 0)
			return r;
	}
	head = ring_load(q->driver + AVAIL_RING + 2 * slot);
	r = walk(g, head);
	if (r < 0)
		return r;
	q->next_avail++;
	g->chain.id = head;
	g->chain.count = 1;
	return 1;
}

static void hold(struct virtq *q, const struct virtq_chain *chain,
		 uint32_t written)
{
	uint32_t slot = q->next_used & (q->config.size - 1);
	const struct virtq_used_elem elem = { chain->id, written };

	memcpy(q->device + USED_RING + sizeof(elem) * slot, &elem,
	       sizeof(elem));
	q->next_used++;
}

static void publish(struct virtq *q)
{
	/* 2.7.8.2: what was used is there before its index. */
	ring_store_release(q->device + USED_IDX, q->next_used);
}

/* 2.7.7.2: has one of the entries been that of used_event? */
static bool wants_interrupt(struct virtq *q)
{
	uint16_t event;

	if (!q->config.event_idx)
		return !(ring_load(q->driver + AVAIL_FLAGS) &
			 VIRTQ_AVAIL_F_NO_INTERRUPT);
	event = ring_load(q->driver + AVAIL_RING + 2 * q->config.size);
	return (uint16_t)(q->next_used - event - 1) < q->unsignalled;
}

/*
 * 2.7.10.2. With event index there is nothing to write to turn it off: the entry
 * of avail_event has been passed, and it stays behind for 65535 more.
 */
static void set_notify(struct virtq *q, bool on)
{
	if (!q->config.event_idx)
		ring_store(q->device + USED_FLAGS,
			   on ? 0 : VIRTQ_USED_F_NO_NOTIFY);
	else if (on)
		ring_store(q->device + USED_RING + 8 * q->config.size,
			   q->next_avail);
}

static bool pending(struct virtq *q)
{
	return ring_load_acquire(q->driver + AVAIL_IDX) != q->next_avail;
}

const struct virtq_format virtq_split = {
	.driver_align = 2,
	.driver_len = driver_len,
	.device_len = device_len,
	.pop = pop,
	.hold = hold,
	.publish = publish,
	.wants_interrupt = wants_interrupt,
	.set_notify = set_notify,
	.pending = pending,
};
