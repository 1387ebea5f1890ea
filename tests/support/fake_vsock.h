/* SPDX-License-Identifier: MIT */
/*
 * fake_vsock.h: the host's side of the socket device under a test's hand: streams in
 * memory, which take and give as much as the test lets them.
 */
#ifndef TRAPMAP_TEST_FAKE_VSOCK_H
#define TRAPMAP_TEST_FAKE_VSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/vsock.h"

#define FAKE_STREAMS_MAX 8

struct fake_stream {
	struct vsock_stream stream;
	bool used, freed;
	uint32_t port;	      /* that was connected to, or accepted() told of */
	uint8_t out[0x40000]; /* what the guest sent */
	size_t out_len;
	size_t takes;	   /* bytes that it still takes; then -EAGAIN */
	const uint8_t *in; /* what the guest is sent */
	size_t in_len;
	bool ended; /* then the end, and else -EAGAIN */
	int err;    /* -errno of both */
	bool shut_reading, shut_writing;
	unsigned wants; /* events */
};

struct fake_vsock {
	struct vsock_host host; /* what the device is given */
	struct vsock_front front;
	struct fake_stream stream[FAKE_STREAMS_MAX];
	unsigned streams;
	uint32_t listening; /* the one port where somebody is */
	bool freed;
};

void fake_vsock_init(struct fake_vsock *fv);

/* A process connects to the guest; NULL where the device will not have it. */
struct fake_stream *fake_vsock_connect(struct fake_vsock *fv, uint32_t port);

/* Says what is asked for and true. Returns whether there was any. */
bool fake_stream_ready(struct fake_vsock *fv, struct fake_stream *fs);

#endif
