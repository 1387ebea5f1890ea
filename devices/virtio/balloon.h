/* SPDX-License-Identifier: MIT */
/*
 * balloon.h: the traditional memory balloon (VIRTIO 1.2, 5.5).
 */
#ifndef TRAPMAP_VIRTIO_BALLOON_H
#define TRAPMAP_VIRTIO_BALLOON_H

#include "virtio/virtio.h"

/* Feature bits (5.5.3), as bit numbers. */
#define VIRTIO_BALLOON_F_MUST_TELL_HOST 0u
#define VIRTIO_BALLOON_F_STATS_VQ 1u
#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM 2u
#define VIRTIO_BALLOON_F_PAGE_POISON 4u
#define VIRTIO_BALLOON_F_PAGE_REPORTING 5u

#define VIRTIO_BALLOON_PAGE 4096u

struct virtio_balloon_config {
	const struct gmem *ram;
	uint64_t target; /* bytes that the guest is to give up at first */
	bool reporting;
	bool deflate_on_oom;
	/*
	 * Gives whole pages of guest memory back to the host; from then on they
	 * read as zeroes, and can be used again at any time. Returns 0 or
	 * -errno. Thread: the I/O thread, with the device's lock.
	 */
	int (*discard)(void *opaque, void *host, size_t len);
	void *opaque;
};

/* Returns 0 or -ENOMEM. */
int virtio_balloon_new(const struct virtio_balloon_config *config,
		       struct virtio_device **ret_vd);

/* Asks the guest for so many bytes, rounded down to pages. Any thread. */
void virtio_balloon_set_target(struct virtio_device *vd, uint64_t bytes);

#define VIRTIO_BALLOON_UNTOLD UINT64_MAX

/* In bytes but for the last two, which are numbers of faults (5.5.6.4). */
struct virtio_balloon_stats {
	uint64_t target;
	uint64_t actual; /* given up, as the driver says */
	uint64_t inflated, reported; /* given back to the host, in all */
	uint64_t swap_in, swap_out;
	uint64_t free, total, available, caches;
	uint64_t major_faults, minor_faults;
};

/*
 * What is known now; what the guest has not told is VIRTIO_BALLOON_UNTOLD. With
 * `ask` the guest is asked for figures of now, for the next time. Any thread.
 */
void virtio_balloon_get_stats(struct virtio_device *vd, bool ask,
			      struct virtio_balloon_stats *ret_stats);

#endif
