/* SPDX-License-Identifier: MIT */
/*
 * p9.h: the contract between the 9P device, which moves messages, and the server
 * behind it, which answers them.
 *
 * A message is size[4] type[1] tag[2] and what the type asks for, little-endian
 * (Plan 9 manual, intro(5); 9P2000.L as diod's protocol.md has it). The device has
 * read the first P9_HEADER_LEN bytes, and no one reads them again: they lie in
 * memory that the guest can change.
 */
#ifndef TRAPMAP_BACKEND_P9_H
#define TRAPMAP_BACKEND_P9_H

#include <stdint.h>

#include "virtio/queue.h"

#define P9_HEADER_LEN 7
/* So many bytes hold the answer to any message: an error. */
#define P9_ERROR_LEN 11
#define P9_MSIZE_MIN 4096u
#define P9_MSIZE_MAX 0x80000u
/* The one message that the device itself has to know: see virtio/p9.c. */
#define P9_TFLUSH 108

struct p9_server;

struct p9_message {
	uint32_t size; /* as it says itself: anything */
	uint8_t type;
	uint16_t tag;
	/*
	 * Where all of it can be read, and the answer goes: out_len is at least
	 * P9_HEADER_LEN, in_len P9_ERROR_LEN. The server may change the spans.
	 */
	struct virtq_chain *chain;
};

struct p9_server_ops {
	/*
	 * Answers a message. May wait for the host's files. Returns how long
	 * the answer is. Any number of threads at a time.
	 */
	uint32_t (*serve)(struct p9_server *server,
			  const struct p9_message *message);
	/* Forgets all that the client had. No message is being served. */
	void (*reset)(struct p9_server *server);
	void (*free)(struct p9_server *server);
};

struct p9_server {
	const struct p9_server_ops *ops;
};

static inline uint32_t p9_serve(struct p9_server *server,
				const struct p9_message *message)
{
	return server->ops->serve(server, message);
}

static inline void p9_reset(struct p9_server *server)
{
	server->ops->reset(server);
}

static inline void *p9_free(struct p9_server *server)
{
	if (server)
		server->ops->free(server);
	return NULL;
}

#endif
