// SPDX-License-Identifier: MIT
#include "virtio_driver.h"

#include <stdlib.h>
#include <string.h>

#define AVAIL_BIT (1u << 7)
#define USED_BIT (1u << 15)

static void *at(const struct gmem *ram, gpa_t gpa, uint64_t len)
{
	void *host = gmem_ptr(ram, gpa, len);

	if (!host)
		abort();
	return host;
}

static uint16_t load(const struct gmem *ram, gpa_t gpa)
{
	return __atomic_load_n((uint16_t *)at(ram, gpa, 2), __ATOMIC_ACQUIRE);
}

static void store(const struct gmem *ram, gpa_t gpa, uint16_t val)
{
	__atomic_store_n((uint16_t *)at(ram, gpa, 2), val, __ATOMIC_RELEASE);
}

uint16_t vdrv_peek16(const struct gmem *ram, gpa_t gpa)
{
	return load(ram, gpa);
}

uint32_t vdrv_peek32(const struct gmem *ram, gpa_t gpa)
{
	uint32_t val;

	memcpy(&val, at(ram, gpa, 4), 4);
	return val;
}

void vdrv_poke16(const struct gmem *ram, gpa_t gpa, uint16_t val)
{
	store(ram, gpa, val);
}

static uint32_t driver_bytes(const struct vdrv *d)
{
	return d->packed ? 4 : 6 + 2 * d->size;
}

static uint32_t device_bytes(const struct vdrv *d)
{
	return d->packed ? 4 : 6 + 8 * d->size;
}

void vdrv_init(struct vdrv *d, const struct gmem *ram, gpa_t gpa, uint32_t size,
	       unsigned flags)
{
	*d = (struct vdrv){
		.ram = ram,
		.packed = flags & VDRV_PACKED,
		.event_idx = flags & VDRV_EVENT_IDX,
		.size = size,
		.next = calloc(size, sizeof(*d->next)),
		.taken = calloc(size, sizeof(*d->taken)),
	};
	if (!d->next || !d->taken)
		abort();
	/* As close as alignment lets them be, so that a byte too far shows. */
	d->desc = (gpa + 15) & ~UINT64_C(15);
	d->driver = d->desc + 16 * (uint64_t)size;
	d->device = (d->driver + driver_bytes(d) + 3) & ~UINT64_C(3);
	d->end = d->device + device_bytes(d);
	vdrv_reset(d);
}

void vdrv_done(struct vdrv *d)
{
	free(d->next);
	free(d->taken);
	d->next = d->taken = NULL;
}

void vdrv_reset(struct vdrv *d)
{
	uint32_t i;

	memset(at(d->ram, d->desc, 16 * (uint64_t)d->size), 0, 16 * d->size);
	memset(at(d->ram, d->driver, driver_bytes(d)), 0, driver_bytes(d));
	memset(at(d->ram, d->device, device_bytes(d)), 0, device_bytes(d));
	for (i = 0; i < d->size; i++)
		d->next[i] = (uint16_t)(i + 1);
	d->free = d->size;
	d->free_id = 0;
	d->avail = d->used = 0;
	d->avail_wrap = d->used_wrap = true;
	d->unannounced = 0;
}

struct virtq_config vdrv_config(const struct vdrv *d)
{
	return (struct virtq_config){
		.ram = d->ram,
		.packed = d->packed,
		.event_idx = d->event_idx,
		.indirect = true,
		.size = d->size,
		.desc = d->desc,
		.driver = d->driver,
		.device = d->device,
	};
}

void vdrv_poke_desc(const struct gmem *ram, gpa_t gpa, uint64_t addr,
		    uint32_t len, uint16_t flags, uint16_t last)
{
	uint8_t *p = at(ram, gpa, 16);

	memcpy(p, &addr, 8);
	memcpy(p + 8, &len, 4);
	memcpy(p + 12, &flags, 2);
	memcpy(p + 14, &last, 2);
}

/* In a packed ring the id comes before the flags, which are what counts. */
static void poke_packed(const struct vdrv *d, uint16_t slot, uint64_t addr,
			uint32_t len, uint16_t id, uint16_t flags)
{
	uint8_t *p = at(d->ram, d->desc + 16 * (uint64_t)slot, 16);

	memcpy(p, &addr, 8);
	memcpy(p + 8, &len, 4);
	memcpy(p + 12, &id, 2);
	store(d->ram, d->desc + 16 * (uint64_t)slot + 14, flags);
}

uint16_t vdrv_avail_bits(const struct vdrv *d)
{
	return d->avail_wrap ? AVAIL_BIT : USED_BIT;
}

static void fill_table(const struct vdrv *d, const struct vdrv_buf *bufs,
		       unsigned n, gpa_t table)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		uint16_t flags = bufs[i].write ? VDRV_WRITE : 0;

		if (d->packed)
			vdrv_poke_desc(d->ram, table + 16 * (uint64_t)i,
				       bufs[i].addr, bufs[i].len, 0, flags);
		else
			vdrv_poke_desc(d->ram, table + 16 * (uint64_t)i,
				       bufs[i].addr, bufs[i].len,
				       flags | (i + 1 < n ? VDRV_NEXT : 0),
				       (uint16_t)(i + 1 < n ? i + 1 : 0));
	}
}

void vdrv_poke_head(struct vdrv *d, uint16_t head)
{
	store(d->ram, d->driver + 4 + 2 * (uint64_t)(d->avail % d->size), head);
	d->avail++;
	d->unannounced++;
	store(d->ram, d->driver + 2, d->avail);
}

static void step(const struct vdrv *d, uint16_t *slot, bool *wrap)
{
	if (++*slot == d->size) {
		*slot = 0;
		*wrap = !*wrap;
	}
}

static void add_split(struct vdrv *d, const struct vdrv_buf *descs, unsigned n,
		      bool table_last, uint16_t head)
{
	uint16_t id = head;
	unsigned i;

	for (i = 0; i < n; i++) {
		uint16_t flags = descs[i].write ? VDRV_WRITE : 0;

		if (i + 1 < n)
			flags |= VDRV_NEXT;
		else if (table_last)
			flags |= VDRV_INDIRECT;
		vdrv_poke_desc(d->ram, d->desc + 16 * (uint64_t)id,
			       descs[i].addr, descs[i].len, flags,
			       i + 1 < n ? d->next[id] : 0xffff);
		if (i + 1 < n)
			id = d->next[id];
	}
	d->free_id = d->next[id];
	vdrv_poke_head(d, head);
}

static void add_packed(struct vdrv *d, const struct vdrv_buf *descs, unsigned n,
		       bool table_last, uint16_t id)
{
	uint16_t first = d->avail, first_flags = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		uint16_t flags = vdrv_avail_bits(d) |
				 (descs[i].write ? VDRV_WRITE : 0);

		if (i + 1 < n)
			flags |= VDRV_NEXT;
		else if (table_last)
			flags |= VDRV_INDIRECT;
		if (i == 0)
			first_flags = flags;
		/* Only the last one's id counts. The first comes last. */
		poke_packed(d, d->avail, descs[i].addr, descs[i].len,
			    i + 1 < n ? 0xdead : id,
			    i == 0 ? load(d->ram,
					  d->desc + 16 * (uint64_t)first + 14)
				   : flags);
		step(d, &d->avail, &d->avail_wrap);
	}
	store(d->ram, d->desc + 16 * (uint64_t)first + 14, first_flags);
	d->free_id = d->next[id];
	d->unannounced += n;
}

int vdrv_add_mixed(struct vdrv *d, const struct vdrv_buf *bufs, unsigned n,
		   unsigned direct, gpa_t table)
{
	struct vdrv_buf descs[64];
	bool table_last = direct < n;
	unsigned count = direct + table_last;
	uint16_t id = d->free_id;

	if (count > sizeof(descs) / sizeof(descs[0]))
		abort();
	if (count > d->free)
		return -1;
	memcpy(descs, bufs, direct * sizeof(*bufs));
	if (table_last) {
		fill_table(d, bufs + direct, n - direct, table);
		descs[direct] = (struct vdrv_buf){
			.addr = table,
			.len = 16 * (n - direct),
		};
	}
	d->free -= count;
	d->taken[id] = (uint16_t)count;
	if (d->packed)
		add_packed(d, descs, count, table_last, id);
	else
		add_split(d, descs, count, table_last, id);
	return id;
}

int vdrv_add(struct vdrv *d, const struct vdrv_buf *bufs, unsigned n)
{
	return vdrv_add_mixed(d, bufs, n, n, 0);
}

int vdrv_add_indirect(struct vdrv *d, const struct vdrv_buf *bufs, unsigned n,
		      gpa_t table)
{
	return vdrv_add_mixed(d, bufs, n, 0, table);
}

static bool notify_packed(const struct vdrv *d, uint32_t added)
{
	uint16_t flags = load(d->ram, d->device + 2) & 3;
	uint16_t event = load(d->ram, d->device);
	uint16_t slot = d->avail;
	bool wrap = d->avail_wrap;

	if (flags != 2)
		return flags == 0;
	/* Back over each descriptor that was made available. */
	while (added--) {
		if (slot == 0) {
			slot = (uint16_t)d->size;
			wrap = !wrap;
		}
		slot--;
		if ((event & 0x7fff) == slot && (event >> 15) == wrap)
			return true;
	}
	return false;
}

bool vdrv_should_notify(struct vdrv *d)
{
	uint32_t added = d->unannounced, i;
	uint16_t event;

	d->unannounced = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (added == 0)
		return false;
	if (d->packed)
		return notify_packed(d, added);
	if (!d->event_idx)
		return !(load(d->ram, d->device) & 1);
	event = load(d->ram, d->device + 4 + 8 * (uint64_t)d->size);
	/* The value of idx when each of the entries was written. */
	for (i = 1; i <= added; i++)
		if ((uint16_t)(d->avail - i) == event)
			return true;
	return false;
}

static bool something_used(const struct vdrv *d)
{
	uint16_t flags;

	if (!d->packed)
		return load(d->ram, d->device + 2) != d->used;
	flags = load(d->ram, d->desc + 16 * (uint64_t)d->used + 14);
	return !!(flags & AVAIL_BIT) == d->used_wrap &&
	       !!(flags & USED_BIT) == d->used_wrap;
}

static void give_back_id(struct vdrv *d, uint16_t id)
{
	uint16_t last = id, i;

	/* Split: the ids of a chain are linked as they were added. */
	for (i = 1; !d->packed && i < d->taken[id]; i++)
		last = d->next[last];
	d->next[last] = d->free_id;
	d->free_id = id;
	d->free += d->taken[id];
	d->taken[id] = 0;
}

bool vdrv_take(struct vdrv *d, uint32_t *ret_id, uint32_t *ret_len)
{
	gpa_t elem;
	uint16_t i, n;

	if (!something_used(d))
		return false;
	if (d->packed) {
		elem = d->desc + 16 * (uint64_t)d->used;
		*ret_len = vdrv_peek32(d->ram, elem + 8);
		memcpy(&n, at(d->ram, elem + 12, 2), 2);
		*ret_id = n;
	} else {
		elem = d->device + 4 + 8 * (uint64_t)(d->used % d->size);
		*ret_id = vdrv_peek32(d->ram, elem);
		*ret_len = vdrv_peek32(d->ram, elem + 4);
		d->used++;
	}
	/* The device has given back what it was never given? */
	if (*ret_id >= d->size || d->taken[*ret_id] == 0)
		abort();
	n = d->taken[*ret_id];
	for (i = 0; d->packed && i < n; i++)
		step(d, &d->used, &d->used_wrap);
	give_back_id(d, (uint16_t)*ret_id);
	return true;
}

bool vdrv_interrupt_after(struct vdrv *d, uint32_t after)
{
	uint16_t slot = d->used;
	bool wrap = d->used_wrap;

	if (!d->packed) {
		store(d->ram, d->driver + 4 + 2 * (uint64_t)d->size,
		      (uint16_t)(d->used + after));
	} else {
		while (after--)
			step(d, &slot, &wrap);
		store(d->ram, d->driver, (uint16_t)(slot | wrap << 15));
		store(d->ram, d->driver + 2, 2);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return something_used(d);
}

bool vdrv_interrupts(struct vdrv *d, bool on)
{
	if (d->packed)
		store(d->ram, d->driver + 2, !on);
	else if (!d->event_idx)
		store(d->ram, d->driver, !on);
	else if (on)
		return vdrv_interrupt_after(d, 0);
	else
		/* There is no "none": as far away as can be. */
		store(d->ram, d->driver + 4 + 2 * (uint64_t)d->size,
		      (uint16_t)(d->used - 1));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return something_used(d);
}
