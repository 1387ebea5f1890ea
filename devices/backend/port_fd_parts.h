/* SPDX-License-Identifier: MIT */
/* port_fd_parts.h: what the files of port_fd share. */
#ifndef TRAPMAP_BACKEND_PORT_FD_PARTS_H
#define TRAPMAP_BACKEND_PORT_FD_PARTS_H

#include <pthread.h>

#include "backend/fd_sink.h"
#include "backend/port.h"
#include "backend/port_fd.h"
#include "core/base.h"

struct loop_watch;

struct port_fd {
	struct port port;
	struct port_fd_config cfg;
	struct port_front front;
	int tick_fd;
	struct loop_watch *tick_watch, *listen_watch;
	int look_fd; /* of pty_fd: a timer, to see who is there */
	struct loop_watch *look_watch;

	/* Whoever is there; changed by the loop's thread, with the lock. */
	int client;	     /* of listen_fd, and ours; or pty_fd */
	int in_fd;	     /* -1: none, or it has ended */
	struct fd_sink sink; /* fd is -1 where output vanishes */
	struct loop_watch *in_watch, *out_watch;

	pthread_mutex_t lock; /* for all below */
	uint8_t *buf;	      /* `cap` bytes, from the first use on */
	size_t cap, begin, len;
	bool ticking;	  /* the timer is armed */
	bool blocked;	  /* the reader is slow: we wait for LOOP_OUT */
	bool short_write; /* writable() is due */
	bool throttled;
	bool undrained; /* drained() is due when nothing waits any more */
	bool given_up; /* discard(): what a pty's reader has to read is, too */
	bool gone;   /* nobody is there any more, of which nobody knows yet */
	int failure; /* failed() is due with it */
	bool input_wanted; /* by want_input(), since room() was last asked */
};

static inline struct port_fd *to_port_fd(struct port *port)
{
	return container_of(port, struct port_fd, port);
}

/* port_fd_out.c: output. All but the last three with the lock. */
void port_fd_flush(struct port_fd *pf);
void port_fd_set_blocked(struct port_fd *pf, bool on);
void port_fd_update_throttle(struct port_fd *pf);
/* Nobody reads any more: closes the sink, and drops what is not kept. */
void port_fd_close_sink(struct port_fd *pf);
/* What waits for somebody who is there. */
size_t port_fd_waiting(const struct port_fd *pf);
/* Has the loop's thread look again in a while. */
void port_fd_look_later(struct port_fd *pf);
size_t port_fd_write(struct port *port, const uint8_t *buf, size_t len);
size_t port_fd_pending(struct port *port);
size_t port_fd_discard(struct port *port);

#endif
