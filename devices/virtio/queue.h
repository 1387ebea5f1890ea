/* SPDX-License-Identifier: MIT */
/*
 * queue.h: virtqueues, the only code that touches rings. Virtual I/O Device
 * (VIRTIO) Version 1.2, 2.6 "Virtqueues", 2.7 "Split Virtqueues" and 2.8 "Packed
 * Virtqueues", with indirect descriptors and event index.
 *
 * A device takes chains of buffers (virtq_pop()), works on them for as long as it
 * likes and in any order, and gives each back (virtq_push()). The spans of a
 * chain are host memory, checked against guest memory; what lies in them may
 * change at any time, so it is read once.
 *
 * Work goes in rounds, so that no chain is overlooked: with VIRTIO_F_EVENT_IDX
 * the driver notifies once for each virtq_set_notify(q, true).
 *
 *	do {
 *		virtq_set_notify(q, false);
 *		while (virtq_pop(q, &chain) > 0)
 *			...
 *	} while (virtq_set_notify(q, true));
 *
 * A ring that the driver has got wrong breaks the queue: pop says -EPROTO, now
 * and until it is started again, pushes vanish, and the device asks for a reset.
 *
 * Thread: one at a time for a queue; the device's lock or its only I/O thread.
 * virtq_stats_read() from any.
 */
#ifndef TRAPMAP_VIRTIO_QUEUE_H
#define TRAPMAP_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/gmem.h"

#define VIRTQ_SIZE_MAX 32768u

struct virtq_format;

/* How the driver has set it up. */
struct virtq_config {
	const struct gmem *ram; /* stays where it is while the queue runs */
	bool packed; /* VIRTIO_F_RING_PACKED */
	bool event_idx; /* VIRTIO_F_EVENT_IDX */
	bool indirect; /* VIRTIO_F_INDIRECT_DESC */
	uint32_t size; /* entries; of a split ring a power of two */
	gpa_t desc; /* descriptor table, or descriptor ring */
	gpa_t driver; /* available ring, or driver event suppression */
	gpa_t device; /* used ring, or device event suppression */
};

/* A chain of buffers. The caller gives iov and room. */
struct virtq_chain {
	struct iovec *iov; /* first those to read, then those to write */
	/*
	 * How many iov has; a chain of more descriptors breaks the queue. Empty
	 * buffers count, though iov does not get them.
	 */
	unsigned room;
	unsigned out; /* readable by the device */
	unsigned in; /* writable */
	uint64_t out_len, in_len; /* bytes in all; their sum is at most 2^32 */
	uint16_t id; /* the queue's own, like those below */
	uint16_t count;
	uint32_t life;
};

/*
 * What --stats tells. Chains that came without a notification of their own are
 * chains - notifications.
 */
struct virtq_stats {
	uint64_t chains, bytes; /* given back; read and written */
	uint64_t notifications; /* from the driver */
	uint64_t interrupts; /* to the driver */
	uint64_t interrupts_saved; /* not sent, as the driver had asked */
};

struct virtq {
	struct virtq_config config;
	const struct virtq_format *format;
	bool started, broken;
	struct virtq_stats stats;
	uint8_t *desc, *driver, *device; /* the parts, in the host's memory */
	/* Split: running indexes. Packed: slots of the ring. */
	uint16_t next_avail, next_used;
	uint16_t avail_seen; /* split: the driver's index when last read */
	bool avail_wrap, used_wrap; /* packed */
	uint16_t held_slot, held_flags; /* packed: the first of those held */
	uint32_t held; /* used entries that the driver does not see yet */
	/* Used entries since the last question about an interrupt. */
	uint32_t unsignalled;
	unsigned in_flight; /* chains that were taken and not given back */
	uint32_t life; /* tells the chains of one start from those of the next */
	char why[96]; /* of a broken one: what was wrong, for a log */
};

/*
 * Starts an idle queue where the driver has put it. Returns 0, or -EINVAL with
 * q->why: a size of 0, too large or (split) no power of two, a part that is
 * misaligned (2.7, 2.8.10.1: desc 16, driver 2 or 4, device 4) or outside RAM.
 * A new struct virtq is all zeros.
 */
int virtq_start(struct virtq *q, const struct virtq_config *config);

/*
 * Forgets all, taken chains too: after a reset. A chain of before that is given
 * back later vanishes. The statistics stay, and q->why.
 */
void virtq_stop(struct virtq *q);

/*
 * Takes the next chain. Returns 1; 0: there is none, or the queue is stopped;
 * -EPROTO: the queue is broken, q->why says what was wrong. Only with 1 the chain
 * is changed, but for what iov holds.
 */
int virtq_pop(struct virtq *q, struct virtq_chain *chain);

/* Gives it back, with how many bytes were written to its writable part. */
void virtq_push(struct virtq *q, const struct virtq_chain *chain,
		uint32_t written);

/*
 * The same for several that the driver must see together, as the buffers of one
 * received packet: hold each, then publish.
 */
void virtq_hold(struct virtq *q, const struct virtq_chain *chain,
		uint32_t written);
void virtq_publish(struct virtq *q);

/*
 * After one or more pushes: whether the driver wants an interrupt for them. Asked
 * once for each time that it is sent; publishes what is held.
 */
bool virtq_wants_interrupt(struct virtq *q);

/*
 * Tells the driver whether to notify us of new chains. After turning it on it
 * returns whether some have come meanwhile: then nobody will say so again.
 */
bool virtq_set_notify(struct virtq *q, bool on);

/* Counts a notification. */
void virtq_notified(struct virtq *q);

/* Any thread. */
void virtq_stats_read(const struct virtq *q, struct virtq_stats *ret_stats);

/* Copies between a chain's spans and a buffer, from byte `off` on. Returns how
 * many bytes there were. */
size_t virtq_copy_out(const struct virtq_chain *chain, uint64_t off, void *buf,
		      size_t len);
size_t virtq_copy_in(const struct virtq_chain *chain, uint64_t off,
		     const void *buf, size_t len);

/*
 * Cuts spans down, in place, to the bytes from `off` on, `len` of them or as many
 * as there are: what is left without a request's header and its status. Returns
 * the first that is left and changes *count; the pieces lie in a row.
 */
struct iovec *virtq_trim(struct iovec *iov, unsigned *count, uint64_t off,
			 uint64_t len);

#endif
