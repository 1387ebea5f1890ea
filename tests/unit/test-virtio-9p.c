// SPDX-License-Identifier: MIT
/*
 * The 9P transport, by what <linux/virtio_9p.h> and Linux's net/9p/trans_virtio.c
 * expect, with a server that answers when the test lets it.
 */
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

static uint32_t fake_serve(struct p9_server *server, const struct p9_message *m)
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

static void fake_reset(struct p9_server *server)
{
	f.resets++;
}

static void fake_free(struct p9_server *server)
{
	f.freed++;
}

static void on_interrupt(void *opaque, unsigned queue)
{
	f.interrupts++;
}

static void on_change(void *opaque)
{
	f.changes++;
}

static void on_again(void *opaque, unsigned queue)
{
	f.agains++;
}

static const struct virtio_transport_ops transport = {
	.interrupt = on_interrupt,
	.config_changed = on_change,
	.again = on_again,
};

static int setup(void **state)
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

static void set_status(uint8_t status)
{
	device_lock(&f.lock);
	virtio_set_status(f.vd, status);
	device_unlock(&f.lock);
}

static void open_gate(bool open)
{
	pthread_mutex_lock(&f.mutex);
	f.open = open;
	pthread_cond_broadcast(&f.changed);
	pthread_mutex_unlock(&f.mutex);
}

static int teardown(void **state)
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
static void bring_up(uint32_t size, unsigned flags, uint64_t features)
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

static void notify(void)
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
static int ask(unsigned i, uint8_t type, uint32_t word)
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

static bool take(uint32_t *ret_id, uint32_t *ret_len)
{
	bool there;

	device_lock(&f.lock);
	there = vdrv_take(&f.drv, ret_id, ret_len);
	device_unlock(&f.lock);
	return there;
}

static void pause_a_little(void)
{
	nanosleep(&(const struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* The next that comes back, within ten seconds. */
static uint32_t await(uint32_t *ret_len)
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

static void assert_answer(unsigned i, uint8_t type, uint32_t word)
{
	const uint8_t *p = f.ram + IN_AT(i);

	assert_int_equal(get_le32(p), 11);
	assert_int_equal(p[4], type + 1);
	assert_int_equal(get_le16(p + 5), i);
	assert_int_equal(get_le32(p + 7), word);
	assert_int_equal(p[11], 0xee);
}

static void await_waiting(unsigned n)
{
	pthread_mutex_lock(&f.mutex);
	while (f.waiting < n)
		pthread_cond_wait(&f.changed, &f.mutex);
	pthread_mutex_unlock(&f.mutex);
}

/* ---- what it is --------------------------------------------------------- */

static void it_is_a_9p_device_with_a_tag(void **state)
{
	uint8_t space[16];

	assert_int_equal(f.vd->ops->id, 9);
	assert_int_equal(f.vd->queues, 1);
	assert_int_equal(f.vd->config_len, 9);
	assert_true((f.vd->offered & 0xffffff) == 1); /* MOUNT_TAG */
	virtio_config_read(f.vd, 0, space, sizeof(space));
	assert_memory_equal(space, "\7\0the tag\0\0\0", 12);
	virtio_config_read(f.vd, 4, space, 2);
	assert_memory_equal(space, "e ", 2);
	virtio_config_write(f.vd, 2, "x", 1);
	virtio_config_read(f.vd, 2, space, 1);
	assert_int_equal(space[0], 't');
}

static void a_tag_has_1_to_31_bytes(void **state)
{
	struct virtio_9p_config config = { .ram = &f.gm, .tag = "" };
	struct virtio_device *vd = NULL;

	assert_int_equal(virtio_9p_new(&config, &vd), -EINVAL);
	config.tag = "12345678901234567890123456789012";
	assert_int_equal(virtio_9p_new(&config, &vd), -EINVAL);
	assert_null(vd);
}

static void messages_are_answered_with_and_without_each_feature(void **state)
{
	static const unsigned flags[] = { 0, VDRV_EVENT_IDX, VDRV_PACKED,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	uint32_t len;
	unsigned i, k;
	int id;

	for (i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
		bring_up(8, flags[i / 2], i & 1);
		for (k = 0; k < 20; k++) {
			vdrv_interrupts(&f.drv, true);
			f.interrupts = 0;
			id = ask(k, AT_ONCE, k * 1000);
			notify();
			assert_int_equal(await(&len), id);
			assert_int_equal(len, 11);
			assert_answer(k, AT_ONCE, k * 1000);
			device_lock(&f.lock);
			assert_int_equal(f.interrupts, 1);
			device_unlock(&f.lock);
		}
	}
}

static void a_message_may_be_in_pieces(void **state)
{
	struct vdrv_buf bufs[] = {
		{ OUT_AT(1), 3, false },     { OUT_AT(1) + 3, 1, false },
		{ OUT_AT(1) + 4, 7, false }, { IN_AT(1), 4, true },
		{ IN_AT(1) + 4, 2, true },   { IN_AT(1) + 6, 5, true },
	};
	uint32_t len;
	unsigned i;

	bring_up(8, 0, 1);
	ask(1, AT_ONCE, 0x12345678);
	notify();
	await(&len);
	for (i = 0; i < 2; i++) {
		memset(f.ram + IN_AT(1), 0xee, 64);
		if (i)
			vdrv_add_indirect(&f.drv, bufs, 6, 0x80000);
		else
			vdrv_add(&f.drv, bufs, 6);
		notify();
		await(&len);
		assert_int_equal(len, 11);
		assert_answer(1, AT_ONCE, 0x12345678);
	}
}

/* ---- several ------------------------------------------------------------ */

static void one_that_waits_holds_up_no_other(void **state)
{
	uint32_t len;
	int id, other;

	bring_up(16, 0, 1);
	id = ask(1, GATED, 0);
	notify();
	await_waiting(1);
	other = ask(2, AT_ONCE, 7);
	notify();
	assert_int_equal(await(&len), other);
	open_gate(true);
	assert_int_equal(await(&len), id);
}

static void a_flush_comes_after_what_it_is_about(void **state)
{
	uint32_t id, len;
	int ids[4];
	unsigned i;

	bring_up(16, 0, 1);
	ids[0] = ask(1, GATED, 0);
	ids[1] = ask(2, FLUSH, 1);
	ids[2] = ask(3, FLUSH, 1);
	ids[3] = ask(4, FLUSH, 2); /* of a flush */
	notify();
	await_waiting(1);
	/* One about what is not there is answered at once, as is one about itself. */
	i = (unsigned)ask(5, FLUSH, 77);
	notify();
	assert_int_equal(await(&len), i);
	i = (unsigned)ask(6, FLUSH, 6);
	notify();
	assert_int_equal(await(&len), i);
	assert_false(take(&id, &len));
	open_gate(true);
	assert_int_equal(await(&len), ids[0]);
	for (i = 0; i < 3; i++)
		await(&len);
	assert_int_equal(f.order[2], 1);
	assert_int_equal(f.served, 6);
}

static void a_queue_of_any_size_goes_round(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 128 };
	const struct vdrv_buf bufs[] = { { OUT_AT(0), 11, false },
					 { IN_AT(0), 64, true } };
	uint32_t len;
	unsigned i, k;

	assert_int_equal(f.vd->queue[0].size_max, 128);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bring_up(sizes[i], i & 1 ? VDRV_PACKED : 0, 1);
		for (k = 0; k < 300; k++) {
			/* The message itself is there for the pieces. */
			f.ram[OUT_AT(0) + 4] = AT_ONCE;
			assert_true(vdrv_add_indirect(&f.drv, bufs, 2,
						      0x80000) >= 0);
			notify();
			await(&len);
			assert_int_equal(len, 11);
		}
	}
	/* All entries at a time. */
	bring_up(128, VDRV_EVENT_IDX, 1);
	for (k = 0; k < 64; k++)
		assert_true(ask(k, k & 1 ? GATED : AT_ONCE, k) >= 0);
	assert_int_equal(ask(k, AT_ONCE, k), -1);
	notify();
	open_gate(true);
	for (k = 0; k < 64; k++)
		await(&len);
	for (k = 0; k < 64; k++)
		assert_answer(k, k & 1 ? GATED : AT_ONCE, k);
}

/* ---- resets ------------------------------------------------------------- */

static void *open_later(void *opaque)
{
	unsigned i;

	for (i = 0; i < 20; i++)
		pause_a_little();
	open_gate(true);
	return NULL;
}

static void a_reset_waits_for_those_being_served(void **state)
{
	pthread_t thread;
	uint32_t id, len;
	unsigned i, round;

	for (round = 0; round < 3; round++) {
		bring_up(64, round & 1 ? VDRV_PACKED : 0, 1);
		open_gate(false);
		f.served = 0;
		f.resets = 0;
		for (i = 0; i < 20; i++)
			ask(i, GATED, i);
		ask(20, FLUSH, 3);
		notify();
		await_waiting(4); /* as many as there are threads */
		assert_int_equal(pthread_create(&thread, NULL, open_later, NULL),
				 0);
		set_status(0);
		/* Those that had not begun never do. */
		assert_int_equal(f.served, 4);
		assert_int_equal(f.waiting, 0);
		assert_int_equal(f.resets, 1);
		memset(f.ram + IN_AT(0), 0x5a, 0x400 * 21);
		pthread_join(thread, NULL);
		for (i = 0; i < 0x400 * 21; i++)
			assert_int_equal(f.ram[IN_AT(0) + i], 0x5a);
		assert_false(take(&id, &len));
	}
	bring_up(8, 0, 1);
	i = (unsigned)ask(1, AT_ONCE, 1);
	notify();
	assert_int_equal(await(&len), i);
}

/* ---- what no driver does ------------------------------------------------- */

static void what_is_no_request_needs_a_reset(void **state)
{
	static const struct vdrv_buf cases[][2] = {
		{ { OUT_AT(0), 6, false }, { IN_AT(0), 64, true } },
		{ { OUT_AT(0), 11, false }, { IN_AT(0), 10, true } },
		{ { OUT_AT(0), 11, false }, { IN_AT(0), 0, true } },
		{ { OUT_AT(0), 0, false }, { IN_AT(0), 64, true } },
		{ { OUT_AT(0), 11, false }, { OUT_AT(1), 11, false } },
		{ { IN_AT(0), 64, true }, { IN_AT(1), 64, true } },
		{ { RAM - 8, 11, false }, { IN_AT(0), 64, true } },
		{ { OUT_AT(0), 11, false }, { RAM - 8, 64, true } },
		{ { OUT_AT(0), 11, false }, { UINT64_MAX - 7, 64, true } },
	};
	uint32_t len;
	unsigned i;
	int id;

	for (i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		bring_up(8, i & 1 ? VDRV_PACKED : 0, 1);
		f.changes = 0;
		vdrv_add(&f.drv, cases[i / 2], 2);
		notify();
		assert_int_equal(f.vd->status, 15 | 64);
		assert_int_equal(f.changes, 1);
		assert_true(f.vd->why[0] != '\0');
		ask(1, AT_ONCE, 1);
		notify();
		assert_int_equal(f.served, i);
		/* And after it all is well. */
		bring_up(8, 0, 1);
		id = ask(2, AT_ONCE, 2);
		notify();
		assert_int_equal(await(&len), id);
	}
}

static void one_buffer_for_both_is_the_drivers_own_affair(void **state)
{
	const struct vdrv_buf bufs[] = { { OUT_AT(0), 11, false },
					 { OUT_AT(0) + 3, 64, true } };
	uint32_t len;

	bring_up(8, 0, 1);
	ask(0, AT_ONCE, 5);
	notify();
	await(&len);
	vdrv_add(&f.drv, bufs, 2);
	notify();
	await(&len);
	assert_int_equal(len, 11);
	assert_int_equal(f.vd->status, 15);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_a_9p_device_with_a_tag),
		T(a_tag_has_1_to_31_bytes),
		T(messages_are_answered_with_and_without_each_feature),
		T(a_message_may_be_in_pieces),
		T(one_that_waits_holds_up_no_other),
		T(a_flush_comes_after_what_it_is_about),
		T(a_queue_of_any_size_goes_round),
		T(a_reset_waits_for_those_being_served),
		T(what_is_no_request_needs_a_reset),
		T(one_buffer_for_both_is_the_drivers_own_affair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
