// SPDX-License-Identifier: MIT
/*
 * A user network's thread: libslirp, and the sockets of the host that it uses. All
 * calls of libslirp's and from it are here, once a device is attached.
 *
 * The guest can have SOCKETS_MAX connections or so, lest it use up what the process
 * may open. Past them a new one is not made; the guest tries again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "backend/net_user_parts.h"
#include "core/base.h"

#define SOCKETS_MAX 512u

/* Frames of the guest's between two looks at the sockets. */
#define FRAMES_PER_TURN 64u

#define ETHER_LEN 14u
#define ETHER_IPV4 0x0800u
#define IPV4_LEN_MIN 20u
#define PROTOCOL_TCP 6u
#define TCP_SYN 0x02u
#define TCP_ACK 0x10u

/* ---- checksums ---------------------------------------------------------- */

/* RFC 1071: any byte order will do, so this machine's. */
static uint16_t ones_sum(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	uint16_t last = 0;
	uint32_t word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	if (len >= sizeof(last)) {
		memcpy(&last, p, sizeof(last));
		sum += last;
		p += sizeof(last);
		len -= sizeof(last);
	}
	if (len)
		sum += *p;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool net_user_checksum(const uint8_t *header, uint8_t *frame, size_t len)
{
	size_t start = get_le16(header + 6), at = start + get_le16(header + 8);
	uint16_t sum;

	if (!(header[0] & NET_HDR_NEEDS_CSUM))
		return true;
	if (start > len || at + sizeof(sum) > len)
		return false;
	sum = (uint16_t)~ones_sum(frame + start, len - start);
	/* To UDP 0 means that there is none. */
	if (sum == 0)
		sum = 0xffff;
	memcpy(frame + at, &sum, sizeof(sum));
	return true;
}

/* ---- what libslirp calls ------------------------------------------------ */

/*
 * With no room the frame is lost, as on any network, which TCP notices. An error
 * would be printed by libslirp.
 */
static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
	struct net_user *nu = opaque;
	void *to = len <= NET_FRAME_MAX ? frame_ring_room(&nu->to_guest, len) :
					  NULL;

	if (to) {
		memcpy(to, buf, len);
		frame_ring_put(&nu->to_guest, len);
	}
	return (ssize_t)len;
}

static void guest_error(const char *msg, void *opaque)
{
	struct net_user *nu = opaque;

	notice_say(&nu->notice, msg);
}

/* One clock for all of a process's networks: libslirp keeps it in one place. */
static int64_t clock_get_ns(void *opaque)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void socket_opened(int fd, void *opaque)
{
	struct net_user *nu = opaque;

	if (fd < 0 || (unsigned)fd >= NET_USER_FDS ||
	    nu->seen[fd / 8] & 1u << fd % 8)
		return;
	nu->seen[fd / 8] |= (uint8_t)(1u << fd % 8);
	nu->sockets++;
}

static void socket_closed(int fd, void *opaque)
{
	struct net_user *nu = opaque;

	if (fd < 0 || (unsigned)fd >= NET_USER_FDS ||
	    !(nu->seen[fd / 8] & 1u << fd % 8))
		return;
	nu->seen[fd / 8] &= (uint8_t)~(1u << fd % 8);
	nu->sockets--;
}

/* It is called on the thread that it would wake. */
static void notify(void *opaque)
{
}

/* Its timers are for IPv6 alone. */
const SlirpCb net_user_callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_get_ns,
	.register_poll_fd = socket_opened,
	.unregister_poll_fd = socket_closed,
	.notify = notify,
};

/* ---- waiting ------------------------------------------------------------ */

static const struct {
	int slirp;
	short poll;
} event_map[] = {
	{ SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT },
	{ SLIRP_POLL_PRI, POLLPRI }, { SLIRP_POLL_ERR, POLLERR },
	{ SLIRP_POLL_HUP, POLLHUP },
};

static struct pollfd *poll_slot(struct net_user *nu)
{
	if (nu->polled == nu->poll_room) {
		unsigned room = 2 * nu->poll_room;
		struct pollfd *more =
			realloc(nu->poll, room * sizeof(*nu->poll));

		if (!more)
			return NULL;
		nu->poll = more;
		nu->poll_room = room;
	}
	return &nu->poll[nu->polled++];
}

static int add_poll(int fd, int events, void *opaque)
{
	struct net_user *nu = opaque;
	struct pollfd *slot = poll_slot(nu);
	unsigned i;

	socket_opened(fd, nu);
	if (!slot)
		return -1;
	*slot = (struct pollfd){ .fd = fd };
	for (i = 0; i < ARRAY_SIZE(event_map); i++)
		if (events & event_map[i].slirp)
			slot->events |= event_map[i].poll;
	return (int)(nu->polled - 1);
}

static int get_revents(int idx, void *opaque)
{
	const struct net_user *nu = opaque;
	int events = 0;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(event_map); i++)
		if (nu->poll[idx].revents & event_map[i].poll)
			events |= event_map[i].slirp;
	return events;
}

static bool is_crowded(struct net_user *nu)
{
	size_t used = frame_ring_used(&nu->to_guest);

	if (used > NET_USER_CROWDED)
		atomic_store(&nu->crowded, true);
	else if (used <= NET_USER_DRAINED)
		atomic_store(&nu->crowded, false);
	return atomic_load(&nu->crowded);
}

/* Whether something has come up that does not wait. */
static bool is_due(struct net_user *nu, bool attached)
{
	return atomic_load(&nu->quit) ||
	       (attached ? frame_ring_used(&nu->from_guest) > 0 :
			   atomic_load(&nu->attached)) ||
	       (atomic_load(&nu->crowded) &&
		frame_ring_used(&nu->to_guest) <= NET_USER_DRAINED);
}

/* Returns whether it was a wait. */
static bool wait_for_events(struct net_user *nu, bool attached, int timeout)
{
	uint64_t count;
	int r;

	/* Pairs with net_user_wake(): what came before is seen here. */
	atomic_store(&nu->asleep, true);
	if (is_due(nu, attached))
		timeout = 0;
	r = poll(nu->poll, nu->polled, timeout);
	atomic_store(&nu->asleep, false);
	if (r > 0 && nu->poll[0].revents)
		(void)!read(nu->wake_fd, &count, sizeof(count));
	return r >= 0;
}

/* ---- frames of the guest's ---------------------------------------------- */

/* Whether a frame can have libslirp open a socket. */
static bool may_open(const uint8_t *frame, size_t len)
{
	size_t tcp;

	if (len < ETHER_LEN + IPV4_LEN_MIN ||
	    (frame[12] << 8 | frame[13]) != ETHER_IPV4)
		return false;
	if (frame[ETHER_LEN + 9] != PROTOCOL_TCP)
		return true;
	tcp = ETHER_LEN + 4u * (frame[ETHER_LEN] & 0x0f);
	return tcp + 14 > len ||
	       (frame[tcp + 13] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool is_refused(struct net_user *nu, const uint8_t *frame, size_t len)
{
	char text[64];

	if (nu->sockets < SOCKETS_MAX) {
		nu->refusing = nu->refusing && nu->sockets > SOCKETS_MAX / 2;
		return false;
	}
	if (!may_open(frame, len))
		return false;
	if (!nu->refusing) {
		snprintf(text, sizeof(text),
			 "the guest has %u connections, and gets no more",
			 nu->sockets);
		notice_say(&nu->notice, text);
	}
	nu->refusing = true;
	return true;
}

/* Returns whether there was one. */
static bool take_frames(struct net_user *nu)
{
	unsigned budget;

	for (budget = FRAMES_PER_TURN; budget > 0; budget--) {
		size_t len = 0;
		uint8_t *header = frame_ring_first(&nu->from_guest, &len);
		uint8_t *frame;

		if (!header)
			break;
		frame = header + NET_HEADER_LEN;
		len -= NET_HEADER_LEN;
		if (net_user_checksum(header, frame, len) &&
		    !is_refused(nu, frame, len))
			nu->lib.input(nu->slirp, frame, (int)len);
		frame_ring_drop(&nu->from_guest);
	}
	/* Pairs with user_send(), which finds no room and then says so. */
	if (atomic_exchange(&nu->full, false))
		net_user_signal(nu);
	return budget < FRAMES_PER_TURN;
}

static void turn(struct net_user *nu)
{
	bool attached = atomic_load(&nu->attached);
	bool open = attached && !is_crowded(nu);
	uint32_t timeout = UINT32_MAX;
	bool polled;

	nu->poll[0] = (struct pollfd){ .fd = nu->wake_fd, .events = POLLIN };
	nu->polled = 1;
	if (open)
		nu->lib.pollfds_fill(nu->slirp, &timeout, add_poll, nu);
	polled = wait_for_events(nu, attached,
				 timeout > INT32_MAX ? -1 : (int)timeout);
	if (open)
		nu->lib.pollfds_poll(nu->slirp, !polled, get_revents, nu);
	/* Without a look at the sockets: what waited for an ARP reply goes now. */
	if (attached && take_frames(nu))
		nu->lib.pollfds_poll(nu->slirp, true, get_revents, nu);
	if (atomic_load(&nu->listening) && frame_ring_used(&nu->to_guest))
		net_user_signal(nu);
}

void *net_user_thread(void *opaque)
{
	struct net_user *nu = opaque;

	(void)prctl(PR_SET_NAME, "trapmap-net");
	while (!atomic_load(&nu->quit))
		turn(nu);
	return NULL;
}
