/* SPDX-License-Identifier: MIT */
/*
 * virtq_rig.h: a queue, its driver, and two pieces of RAM with nothing between
 * them, each in memory of its own, so that ASan sees a byte too far.
 */
#ifndef TRAPMAP_TEST_VIRTQ_RIG_H
#define TRAPMAP_TEST_VIRTQ_RIG_H

#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "virtio/queue.h"
#include "virtio_driver.h"

#define LOW_LEN MIB(2)
#define HIGH 0x100000000
#define HIGH_LEN KIB(64)

/* The rings begin at 0; these are free for buffers. */
#define BUFS 0x180000
#define TABLE 0x1c0000

#define ROOM 64

struct rig {
	struct gmem ram;
	uint8_t *low, *high;
	struct vdrv d;
	struct virtq q;
	struct iovec iov[ROOM];
	struct virtq_chain c;
};

static struct rig rig;

static inline int rig_setup(void **state)
{
	memset(&rig, 0, sizeof(rig));
	rig.low = aligned_alloc(4096, LOW_LEN);
	rig.high = aligned_alloc(4096, HIGH_LEN);
	if (!rig.low || !rig.high)
		return -1;
	memset(rig.low, 0, LOW_LEN);
	memset(rig.high, 0, HIGH_LEN);
	rig.c = (struct virtq_chain){ .iov = rig.iov, .room = ROOM };
	if (gmem_add(&rig.ram, 0, LOW_LEN, rig.low) < 0)
		return -1;
	return gmem_add(&rig.ram, HIGH, HIGH_LEN, rig.high);
}

static inline int rig_teardown(void **state)
{
	virtq_stop(&rig.q);
	vdrv_done(&rig.d);
	free(rig.low);
	free(rig.high);
	return 0;
}

/* A new driver with a queue of that size, started. */
static inline void rig_start(uint32_t size, unsigned flags)
{
	struct virtq_config config;

	vdrv_done(&rig.d);
	vdrv_init(&rig.d, &rig.ram, 0, size, flags);
	config = vdrv_config(&rig.d);
	assert_int_equal(virtq_start(&rig.q, &config), 0);
}

/* The same driver after a reset. */
static inline void rig_restart(void)
{
	struct virtq_config config = vdrv_config(&rig.d);

	virtq_stop(&rig.q);
	vdrv_reset(&rig.d);
	assert_int_equal(virtq_start(&rig.q, &config), 0);
}

/* One buffer of `len` bytes, readable or writable. */
static inline int rig_add(uint32_t len, bool write)
{
	const struct vdrv_buf buf = { BUFS, len, write };

	return vdrv_add(&rig.d, &buf, 1);
}

static inline int rig_pop(void)
{
	return virtq_pop(&rig.q, &rig.c);
}

/* The driver takes what must be this. */
static inline void rig_take(uint32_t want_id, uint32_t want_len)
{
	uint32_t id, len;

	assert_true(vdrv_take(&rig.d, &id, &len));
	assert_int_equal(id, want_id);
	assert_int_equal(len, want_len);
}

static inline bool rig_takes_nothing(void)
{
	uint32_t id, len;

	return !vdrv_take(&rig.d, &id, &len);
}

/* One chain all the way round. */
static inline void rig_round(void)
{
	int id = rig_add(16, true);

	assert_true(id >= 0);
	assert_int_equal(rig_pop(), 1);
	virtq_push(&rig.q, &rig.c, 16);
	rig_take((uint32_t)id, 16);
}

#define RIG_TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

#endif
