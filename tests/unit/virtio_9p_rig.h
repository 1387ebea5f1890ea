/* SPDX-License-Identifier: MIT */
/*
 * virtio_9p_rig.h: a 9P device between a driver and a server that answers when the test
 * lets it.
 */
#ifndef TRAPMAP_TEST_VIRTIO_9P_RIG_H
#define TRAPMAP_TEST_VIRTIO_9P_RIG_H

#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/p9.h"
#include "core/base.h"
#include "virtio/p9.h"
#include "virtio_driver.h"

#define RAM MIB(1)
#define OUT_AT(i) (0x20000u + (i) * 0x400u)
#define IN_AT(i) (0x60000u + (i) * 0x400u)
#define MESSAGES 200

/* Types of the fake's: answered at once, or once the test opens the gate. */
enum { AT_ONCE = 50, GATED = 60, FLUSH = 108 };

static struct fixture {
	struct p9_server server;
	struct gmem gm;
	uint8_t *ram;
	struct virtio_device *vd;
	struct device lock;
	struct vdrv drv;
	unsigned interrupts, changes, agains; /* with the lock */

	pthread_mutex_t mutex; /* for the server's */
	pthread_cond_t changed;
	bool open;
	unsigned served, waiting, resets, freed;
	uint16_t order[MESSAGES]; /* tags, as they were served */
} f;

static inline uint32_t fake_serve(struct p9_server *server,
				  const struct p9_message *m)
{
	uint8_t answer[16] = { 0 };
	size_t body;

	pthread_mutex_lock(&f.mutex);
	if (m->type == GATED) {
		f.waiting++;
		pthread_cond_broadcast(&f.changed);
		while (!f.open)
			pthread_cond_wait(&f.changed, &f.mutex);
		f.waiting--;
	}
	if (f.served < MESSAGES)
		f.order[f.served] = m->tag;
	f.served++;
	pthread_mutex_unlock(&f.mutex);
	/* The answer: the head, and four bytes of the message behind it. */
	body = virtq_copy_out(m->chain, P9_HEADER_LEN, answer + 7, 4);
	put_le32(answer, 11);
	answer[4] = (uint8_t)(m->type + 1);
	put_le16(answer + 5, m->tag);
	virtq_copy_in(m->chain, 0, answer, 7 + body);
	return (uint32_t)(7 + body);
}

static inline void fake_reset(struct p9_server *server)
{
	f.resets++;
}

static inline void fake_free(struct p9_server *server)
{
	f.freed++;
}

static inline void on_interrupt(void *opaque, unsigned queue)
{
	f.interrupts++;
}

static inline void on_change(void *opaque)
{
	f.changes++;
}

static inline void on_again(void *opaque, unsigned queue)
{
	f.agains++;
}

static const struct virtio_transport_ops transport = {
	.interrupt = on_interrupt,
	.config_changed = on_change,
	.again = on_again,
};

static inline int setup(void **state)
{
	static const struct device_ops none = { .name = "none" };
	static const struct p9_server_ops server = {
		.serve = fake_serve,
		.reset = fake_reset,
		.free = fake_free,
	};
	struct virtio_9p_config config = { .ram = &f.gm,
					   .server = &f.server,
					   .tag = "the tag" };

	memset(&f, 0, sizeof(f));
	f.server.ops = &server;
	pthread_mutex_init(&f.mutex, NULL);
	pthread_cond_init(&f.changed, NULL);
	f.ram = calloc(1, RAM);
	assert_non_null(f.ram);
	assert_int_equal(gmem_add(&f.gm, 0, RAM, f.ram), 0);
	assert_int_equal(virtio_9p_new(&config, &f.vd), 0);
	device_init(&f.lock, &none);
	virtio_attach(f.vd, &f.lock, &transport, NULL);
	return 0;
}

static inline void set_status(uint8_t status)
{
	device_lock(&f.lock);
	virtio_set_status(f.vd, status);
	device_unlock(&f.lock);
}

static inline void open_gate(bool open)
{
	pthread_mutex_lock(&f.mutex);
	f.open = open;
	pthread_cond_broadcast(&f.changed);
	pthread_mutex_unlock(&f.mutex);
}

static inline int teardown(void **state)
{
	open_gate(true);
	set_status(0);
	virtio_free(f.vd);
	assert_int_equal(f.freed, 1);
	device_done(&f.lock);
	vdrv_done(&f.drv);
	free(f.ram);
	return 0;
}

/* Up to DRIVER_OK, with these features besides VERSION_1. */
static inline void bring_up(uint32_t size, unsigned flags, uint64_t features)
{
	struct virtio_queue *vq;

	set_status(0);
	set_status(3);
	device_lock(&f.lock);
	virtio_set_features(f.vd,
			    features | BIT64(28) | BIT64(32) |
				    (flags & VDRV_PACKED ? BIT64(34) : 0) |
				    (flags & VDRV_EVENT_IDX ? BIT64(29) : 0));
	virtio_set_status(f.vd, 11);
	vdrv_done(&f.drv);
	vdrv_init(&f.drv, &f.gm, 0x1000, size, flags);
	vq = virtio_queue_setup(f.vd, 0);
	assert_non_null(vq);
	vq->size = size;
	vq->desc = f.drv.desc;
	vq->driver = f.drv.driver;
	vq->device = f.drv.device;
	virtio_queue_ready(f.vd, 0, true);
	virtio_set_status(f.vd, 15);
	device_unlock(&f.lock);
	assert_int_equal(f.vd->status, 15);
}

static inline void notify(void)
{
	device_lock(&f.lock);
	virtio_notify(f.vd, 0);
	while (f.agains) {
		f.agains--;
		virtio_notify(f.vd, 0);
	}
	device_unlock(&f.lock);
}

/* Message i; `word` is its body, or the oldtag of a flush. */
static inline int ask(unsigned i, uint8_t type, uint32_t word)
{
	uint8_t *p = f.ram + OUT_AT(i);
	const struct vdrv_buf bufs[] = { { OUT_AT(i), 11, false },
					 { IN_AT(i), 64, true } };

	put_le32(p, 11);
	p[4] = type;
	put_le16(p + 5, (uint16_t)i);
	put_le32(p + 7, word);
	memset(f.ram + IN_AT(i), 0xee, 64);
	return vdrv_add(&f.drv, bufs, 2);
}

static inline bool take(uint32_t *ret_id, uint32_t *ret_len)
{
	bool there;

	device_lock(&f.lock);
	there = vdrv_take(&f.drv, ret_id, ret_len);
	device_unlock(&f.lock);
	return there;
}

static inline void pause_a_little(void)
{
	nanosleep(&(const struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* The next that comes back, within ten seconds. */
static inline uint32_t await(uint32_t *ret_len)
{
	uint32_t id = 0;
	unsigned i;

	for (i = 0; i < 10000; i++) {
		if (take(&id, ret_len))
			return id;
		pause_a_little();
	}
	fail_msg("no answer");
	return 0;
}

static inline void assert_answer(unsigned i, uint8_t type, uint32_t word)
{
	const uint8_t *p = f.ram + IN_AT(i);

	assert_int_equal(get_le32(p), 11);
	assert_int_equal(p[4], type + 1);
	assert_int_equal(get_le16(p + 5), i);
	assert_int_equal(get_le32(p + 7), word);
	assert_int_equal(p[11], 0xee);
}

static inline void await_waiting(unsigned n)
{
	pthread_mutex_lock(&f.mutex);
	while (f.waiting < n)
		pthread_cond_wait(&f.changed, &f.mutex);
	pthread_mutex_unlock(&f.mutex);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
