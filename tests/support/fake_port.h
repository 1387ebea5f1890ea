/* SPDX-License-Identifier: MIT */
/*
 * fake_port.h: the host's side of a console's port under a test's hand. It keeps what
 * the device writes, and takes and types as much as the test lets it.
 */
#ifndef TRAPMAP_TEST_FAKE_PORT_H
#define TRAPMAP_TEST_FAKE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/port.h"

struct fake_port {
	struct port port; /* what the device is given */
	struct port_front front;
	bool there;	   /* what attach() says */
	uint8_t out[8192]; /* the first of what was written */
	size_t out_len;	   /* how much that was; may exceed sizeof(out) */
	size_t takes;	   /* bytes that it still takes */
	size_t pending;	   /* what it says, until discard() */
	unsigned wants, freed;
};

/* It takes all, and somebody is there. */
void fake_port_init(struct fake_port *fp);

/* Asks for room and gives as much of buf as fits; returns how much. */
size_t fake_port_type(struct fake_port *fp, const void *buf, size_t len);

/* Takes so much more, and says so. */
void fake_port_take(struct fake_port *fp, size_t len);

#endif
