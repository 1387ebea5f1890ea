// SPDX-License-Identifier: MIT
/*
 * Packed virtqueues: VIRTIO 1.2, 2.8.
 *
 * One ring for both directions: we take descriptors at next_avail and write used
 * ones at next_used, which follows it and never overtakes. Between them lies what
 * is in flight.
 */
#include "virtio/queue_ring.h"

/* 2.8.1 */
#define VIRTQ_DESC_F_AVAIL BIT(7)
#define VIRTQ_DESC_F_USED BIT(15)

struct pvirtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};
#define DESC_LEN_AT 8
#define DESC_ID 12
#define DESC_FLAGS 14

/* 2.8.10, 2.8.14 */
#define EVENT_DESC 0
#define EVENT_DESC_OFF 0x7fffu
#define EVENT_DESC_WRAP BIT(15)
#define EVENT_FLAGS 2
#define RING_EVENT_FLAGS_ENABLE 0
#define RING_EVENT_FLAGS_DISABLE 1
#define RING_EVENT_FLAGS_DESC 2
#define EVENT_FLAGS_MASK 3

static uint32_t event_len(uint32_t size)
{
	return 4;
}

static uint8_t *desc_at(const struct virtq *q, uint16_t slot)
{
	return q->desc + slot * VIRTQ_DESC_LEN;
}

static void advance(const struct virtq *q, uint16_t *slot, bool *wrap,
		    uint32_t by)
{
	uint32_t to = *slot + by;

	if (to >= q->config.size) {
		to -= q->config.size;
		*wrap = !*wrap;
	}
	*slot = (uint16_t)to;
}

/* Slots that hold no descriptor of a chain in flight. */
static uint32_t free_slots(const struct virtq *q)
{
	if (q->avail_wrap == q->used_wrap)
		return q->config.size + q->next_used - q->next_avail;
	return q->next_used - (uint32_t)q->next_avail;
}

static bool is_avail(uint16_t flags, bool wrap)
{
	return !!(flags & VIRTQ_DESC_F_AVAIL) == wrap &&
	       !!(flags & VIRTQ_DESC_F_USED) != wrap;
}

/* Its own flags first: they say whether the rest is there. */
static bool read_desc(const struct virtq *q, uint16_t slot, bool wrap,
		      struct pvirtq_desc *ret_desc)
{
	const uint8_t *at = desc_at(q, slot);
	/* Pairs with the driver's barrier before its update (2.8.21.1.1). */
	uint16_t flags = ring_load_acquire(at + DESC_FLAGS);

	if (!is_avail(flags, wrap))
		return false;
	read_once(ret_desc, at, DESC_FLAGS);
	ret_desc->flags = flags;
	return true;
}

/* 2.8.7: all of the table is the chain, and nothing but WRITE counts there. */
static int walk_table(struct virtq_gather *g, gpa_t addr, uint32_t len)
{
	struct pvirtq_desc d;
	const uint8_t *table;
	uint32_t entries, i;
	int r;

	r = virtq_gather_table(g, addr, len, &table, &entries);
	for (i = 0; r == 0 && i < entries; i++) {
		read_once(&d, table + i * VIRTQ_DESC_LEN, sizeof(d));
		r = virtq_gather_add(g, d.addr, d.len,
				     d.flags & VIRTQ_DESC_F_WRITE);
	}
	return r;
}

static int pop(struct virtq *q, struct virtq_gather *g)
{
	uint16_t slot = q->next_avail, n = 0;
	bool wrap = q->avail_wrap;
	struct pvirtq_desc d;
	int r;

	if (!read_desc(q, slot, wrap, &d))
		return 0;
	for (;;) {
		if (n++ == free_slots(q))
			return virtq_fail(q,
					  "a chain over descriptors in use");
		if (d.flags & VIRTQ_DESC_F_INDIRECT) {
			/* 2.8.19 */
			if (n > 1 || d.flags & VIRTQ_DESC_F_NEXT)
				return virtq_fail(
					q,
					"an indirect table with other descriptors");
			r = walk_table(g, d.addr, d.len);
		} else {
			r = virtq_gather_add(g, d.addr, d.len,
					     d.flags & VIRTQ_DESC_F_WRITE);
		}
		if (r < 0)
			return r;
		if (!(d.flags & VIRTQ_DESC_F_NEXT))
			break;
		advance(q, &slot, &wrap, 1);
		/* 2.8.17: the first one was made available last. */
		if (!read_desc(q, slot, wrap, &d))
			return virtq_fail(
				q, "a chain goes on in slot %u, not available",
				slot);
	}
	advance(q, &q->next_avail, &q->avail_wrap, n);
	g->chain.id = d.id; /* 2.8.6: that of the last */
	g->chain.count = n;
	return 1;
}

/*
 * 2.8.9: of several, the first is marked used after the rest. The driver looks at
 * that one only.
 */
static void hold(struct virtq *q, const struct virtq_chain *chain,
		 uint32_t written)
{
	uint8_t *at = desc_at(q, q->next_used);
	uint16_t flags = q->used_wrap ?
				 VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED :
				 0;

	/* 2.8.3 */
	if (written > 0)
		flags |= VIRTQ_DESC_F_WRITE;
	memcpy(at + DESC_LEN_AT, &written, sizeof(written));
	memcpy(at + DESC_ID, &chain->id, sizeof(chain->id));
	if (q->held == 0) {
		q->held_slot = q->next_used;
		q->held_flags = flags;
	} else {
		ring_store(at + DESC_FLAGS, flags);
	}
	advance(q, &q->next_used, &q->used_wrap, chain->count);
}

static void publish(struct virtq *q)
{
	ring_store_release(desc_at(q, q->held_slot) + DESC_FLAGS,
			   q->held_flags);
}

/*
 * Has one of the last slots been the one that the driver waits for, on that lap?
 * Laps are told apart by one bit, so it was at most two of them ago.
 */
static bool passed(const struct virtq *q, uint16_t event)
{
	bool wrap = event & EVENT_DESC_WRAP;
	uint32_t size = q->config.size, off = event & EVENT_DESC_OFF, ago;

	if (off >= size)
		return false;
	if (wrap != q->used_wrap)
		ago = size + q->next_used - off;
	else if (off < q->next_used)
		ago = q->next_used - off;
	else
		ago = 2 * size + q->next_used - off;
	return ago <= q->unsignalled;
}

/* What is reserved counts as ENABLE: one too many does no harm. */
static bool wants_interrupt(struct virtq *q)
{
	/* The driver writes the flags after the offset that they refer to. */
	uint16_t flags = ring_load_acquire(q->driver + EVENT_FLAGS) &
			 EVENT_FLAGS_MASK;

	if (flags == RING_EVENT_FLAGS_DISABLE)
		return false;
	if (flags == RING_EVENT_FLAGS_DESC && q->config.event_idx)
		return passed(q, ring_load(q->driver + EVENT_DESC));
	return true;
}

static void set_notify(struct virtq *q, bool on)
{
	uint16_t flags = RING_EVENT_FLAGS_ENABLE;

	if (!on) {
		flags = RING_EVENT_FLAGS_DISABLE;
	} else if (q->config.event_idx) {
		ring_store(q->device + EVENT_DESC,
			   (uint16_t)(q->next_avail |
				      (q->avail_wrap ? EVENT_DESC_WRAP : 0)));
		flags = RING_EVENT_FLAGS_DESC;
	}
	ring_store_release(q->device + EVENT_FLAGS, flags);
}

static bool pending(struct virtq *q)
{
	return is_avail(ring_load_acquire(desc_at(q, q->next_avail) +
					  DESC_FLAGS),
			q->avail_wrap);
}

const struct virtq_format virtq_packed = {
	.driver_align = 4,
	.driver_len = event_len,
	.device_len = event_len,
	.pop = pop,
	.hold = hold,
	.publish = publish,
	.wants_interrupt = wants_interrupt,
	.set_notify = set_notify,
	.pending = pending,
};
