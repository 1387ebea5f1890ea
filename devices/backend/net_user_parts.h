/* SPDX-License-Identifier: MIT */
/*
 * net_user_parts.h: between net_user.c, which is the device's side and works on the
 * loop's thread, and net_user_thread.c, which is libslirp's.
 */
#ifndef TRAPMAP_BACKEND_NET_USER_PARTS_H
#define TRAPMAP_BACKEND_NET_USER_PARTS_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/frame_ring.h"
#include "backend/net.h"
#include "backend/slirp_lib.h"
#include "core/notice.h"

/*
 * Bytes that wait in each direction. Past CROWDED sockets are not read from until
 * the guest has taken all but DRAINED.
 */
#define NET_USER_RING 0x100000u
#define NET_USER_CROWDED (NET_USER_RING / 2)
#define NET_USER_DRAINED (NET_USER_RING / 8)

/*
 * Descriptors that are told apart; more of them are not counted. As many as Linux
 * lets a process have (fs.nr_open); those that are not used cost nothing.
 */
#define NET_USER_FDS 0x100000u

/* VIRTIO 1.2, 5.1.6: the header's flags. */
#define NET_HDR_NEEDS_CSUM 1u
#define NET_HDR_DATA_VALID 2u

struct loop;
struct loop_watch;

struct net_user {
	struct net net;
	struct notice notice;
	struct loop *loop;
	struct loop_watch *watch; /* of ready_fd */
	struct slirp_lib lib;
	/* The thread's from the attachment on; net_user.c's before and after. */
	Slirp *slirp;
	pthread_t thread;
	bool running;
	int wake_fd; /* the thread is to look around */
	int ready_fd; /* the loop's thread is to call ready() */
	void (*ready)(void *opaque, unsigned queue);
	void *opaque;
	bool valid; /* the driver knows VIRTIO_NET_HDR_F_DATA_VALID */

	/* Frames for the guest, and from it: these with their header. */
	struct frame_ring to_guest, from_guest;

	_Atomic bool quit, attached;
	_Atomic bool asleep; /* the thread: a write to wake_fd is needed */
	_Atomic bool crowded; /* the thread: to_guest has to be taken first */
	_Atomic bool listening; /* the device wants to hear of to_guest */
	_Atomic bool full; /* the device wants to hear of room in from_guest */
	_Atomic bool signalled; /* ready_fd has been written to, and not read */

	/* The thread's own: what poll() is asked, wake_fd first; and sockets. */
	struct pollfd *poll;
	unsigned polled, poll_room;
	uint8_t seen[NET_USER_FDS / 8];
	unsigned sockets;
	bool refusing;
};

extern const SlirpCb net_user_callbacks;

void *net_user_thread(void *opaque);

/* Any thread: wakes the network's, or has the loop's call ready(). */
void net_user_wake(struct net_user *nu);
void net_user_signal(struct net_user *nu);

/*
 * What the guest has left to its device (VIRTIO 1.2, 5.1.6.2): the checksum of a
 * frame of len bytes, as the header says. False where that makes no sense.
 */
bool net_user_checksum(const uint8_t *header, uint8_t *frame, size_t len);

#endif
