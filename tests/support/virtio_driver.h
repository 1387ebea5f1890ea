/* SPDX-License-Identifier: MIT */
/*
 * virtio_driver.h: the guest's side of a virtqueue, by VIRTIO 1.2, 2.7.13 and
 * 2.8.21 ("Supplying Buffers"), 2.7.14 and 2.8.22 ("Receiving Used Buffers").
 * Shares no code with the device's side. Ring words are atomic, so the device may
 * be another thread. Where a notification or an interrupt is due it goes by the
 * definition, entry by entry, not by arithmetic.
 */
#ifndef TRAPMAP_TEST_VIRTIO_DRIVER_H
#define TRAPMAP_TEST_VIRTIO_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/gmem.h"
#include "virtio/queue.h"

/* Flags of vdrv_init(). */
#define VDRV_PACKED 1u
#define VDRV_EVENT_IDX 2u

/* Descriptor flags, as numbers on purpose. */
#define VDRV_NEXT 1u
#define VDRV_WRITE 2u
#define VDRV_INDIRECT 4u

struct vdrv_buf {
	gpa_t addr;
	uint32_t len;
	bool write; /* for the device to write */
};

struct vdrv {
	const struct gmem *ram;
	bool packed, event_idx;
	uint32_t size;
	/* The parts; a test may move them before vdrv_reset(). */
	gpa_t desc, driver, device;
	gpa_t end; /* of where vdrv_init() has put them */

	uint32_t free; /* descriptors */
	uint16_t free_id; /* list through next[] */
	uint16_t *next;
	uint16_t *taken; /* by id: how many descriptors its chain took */
	uint16_t avail, used; /* split: running; packed: slots */
	bool avail_wrap, used_wrap;
	uint32_t unannounced; /* entries since the last vdrv_should_notify() */
};

/* Puts a queue at `at` and zeroes it. Aborts without memory. */
void vdrv_init(struct vdrv *d, const struct gmem *ram, gpa_t at, uint32_t size,
	       unsigned flags);
void vdrv_done(struct vdrv *d);

/* As after a reset: rings of zeros, nothing with the device. */
void vdrv_reset(struct vdrv *d);

/* What the device is told; with indirect descriptors. */
struct virtq_config vdrv_config(const struct vdrv *d);

/*
 * Makes a buffer of n parts available. `direct` of them go into the ring, the
 * rest into a table at `table`; direct == n needs none. Returns its id, or -1 when
 * the ring is full.
 */
int vdrv_add_mixed(struct vdrv *d, const struct vdrv_buf *bufs, unsigned n,
		   unsigned direct, gpa_t table);
int vdrv_add(struct vdrv *d, const struct vdrv_buf *bufs, unsigned n);
int vdrv_add_indirect(struct vdrv *d, const struct vdrv_buf *bufs, unsigned n,
		      gpa_t table);

/* Whether the device wants to hear of what was added since the last question. */
bool vdrv_should_notify(struct vdrv *d);

/* Takes a used buffer. */
bool vdrv_take(struct vdrv *d, uint32_t *ret_id, uint32_t *ret_len);

/*
 * Interrupts: for all, for none, or for the used entry (packed: slot) that comes
 * `after` others from here on, which needs event index. Then says whether
 * something is there already.
 */
bool vdrv_interrupts(struct vdrv *d, bool on);
bool vdrv_interrupt_after(struct vdrv *d, uint32_t after);

/* A descriptor or a table's entry, byte for byte; `last` is next or id. */
void vdrv_poke_desc(const struct gmem *ram, gpa_t at, uint64_t addr,
		    uint32_t len, uint16_t flags, uint16_t last);
/* Packed: the AVAIL and USED bits of a descriptor added now. */
uint16_t vdrv_avail_bits(const struct vdrv *d);
/* Split: one more entry of the available ring, whatever it says. */
void vdrv_poke_head(struct vdrv *d, uint16_t head);

/* Words of memory, as the device sees them. */
uint16_t vdrv_peek16(const struct gmem *ram, gpa_t at);
uint32_t vdrv_peek32(const struct gmem *ram, gpa_t at);
void vdrv_poke16(const struct gmem *ram, gpa_t at, uint16_t val);

#endif
