// SPDX-License-Identifier: MIT
/* VIRTIO 1.2, chapters 2 and 3: a device of two queues, with no transport. */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "virtio/virtio.h"
#include "virtio_driver.h"

#define RAM MIB(1)
#define OWN_FEATURE 5u
#define BUF 0x80000

/* Numbers of the specification's, not the header's. */
#define ACK 1
#define DRIVER 2
#define DRIVER_OK 4
#define FEATURES_OK 8
#define NEEDS_RESET 64
#define FAILED 128
#define F_INDIRECT (UINT64_C(1) << 28)
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define F_VERSION_1 (UINT64_C(1) << 32)
#define F_PACKED (UINT64_C(1) << 34)

static struct fixture {
	struct virtio_device vd;
	struct device lock;
	struct gmem gm;
	uint8_t *ram;
	struct vdrv drv;
	uint8_t config[6];
	unsigned starts, stops, notified[2], frees;
	unsigned interrupts[2], changes, agains;
	struct virtq_chain kept; /* a request that takes its time */
	struct iovec iov[8];
	bool keep;
	bool pushed_in_stop;
} f;

static void model_config_read(struct virtio_device *vd, size_t off, void *buf,
			      size_t len)
{
	assert_true(off + len <= sizeof(f.config));
	memcpy(buf, f.config + off, len);
}

static void model_config_write(struct virtio_device *vd, size_t off,
			       const void *buf, size_t len)
{
	assert_true(off + len <= sizeof(f.config));
	memcpy(f.config + off, buf, len);
}

static void model_start(struct virtio_device *vd)
{
	f.starts++;
}

/* Another processor comes by while requests are waited for. */
static void model_stop(struct virtio_device *vd)
{
	f.stops++;
	assert_int_not_equal(vd->status, 0);
	virtio_set_status(vd, 0);
	virtio_set_status(vd, FAILED);
	virtio_set_features(vd, 0);
	virtio_queue_ready(vd, 1, true);
	virtio_notify(vd, 0);
	assert_null(virtio_queue_setup(vd, 1));
	assert_false(vd->status & FAILED);
	if (f.keep) {
		virtio_push(vd, 0, &f.kept, 0);
		f.pushed_in_stop = true;
	}
}

static void model_notify(struct virtio_device *vd, unsigned queue)
{
	struct virtq_chain chain = { .iov = f.iov, .room = 8 };

	f.notified[queue]++;
	while (virtio_pop(vd, queue, &chain)) {
		if (f.keep)
			f.kept = chain;
		else
			virtio_push(vd, queue, &chain, 3);
	}
}

static void model_free(struct virtio_device *vd)
{
	f.frees++;
	virtio_done(vd);
}

static const struct virtio_ops model = {
	.name = "model",
	.id = 42,
	.config_read = model_config_read,
	.config_write = model_config_write,
	.start = model_start,
	.stop = model_stop,
	.notify = model_notify,
	.free = model_free,
};

static void on_interrupt(void *opaque, unsigned queue)
{
	f.interrupts[queue]++;
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
	static const uint16_t sizes[] = { 8, 4 };
	static const struct device_ops none = { .name = "none" };
	struct virtio_config config = {
		.ops = &model,
		.ram = &f.gm,
		.queues = 2,
		.sizes = sizes,
		.config_len = sizeof(f.config),
		.features = BIT64(OWN_FEATURE),
	};

	memset(&f, 0, sizeof(f));
	f.ram = calloc(1, RAM);
	assert_non_null(f.ram);
	assert_int_equal(gmem_add(&f.gm, 0, RAM, f.ram), 0);
	assert_int_equal(virtio_init(&f.vd, &config), 0);
	device_init(&f.lock, &none);
	virtio_attach(&f.vd, &f.lock, &transport, NULL);
	return 0;
}

static int teardown(void **state)
{
	virtio_reset(&f.vd);
	virtio_free(&f.vd);
	assert_int_equal(f.frees, 1);
	device_done(&f.lock);
	free(f.ram);
	if (f.drv.next)
		vdrv_done(&f.drv);
	return 0;
}

/* ---- a driver ----------------------------------------------------------- */

static void negotiate(uint64_t features)
{
	virtio_set_status(&f.vd, 0);
	virtio_set_status(&f.vd, ACK);
	virtio_set_status(&f.vd, ACK | DRIVER);
	virtio_set_features(&f.vd, features);
	virtio_set_status(&f.vd, ACK | DRIVER | FEATURES_OK);
}

static void set_up_queue(unsigned queue)
{
	struct virtio_queue *vq = virtio_queue_setup(&f.vd, queue);

	assert_non_null(vq);
	vq->size = f.drv.size;
	vq->desc = f.drv.desc;
	vq->driver = f.drv.driver;
	vq->device = f.drv.device;
	virtio_queue_ready(&f.vd, queue, true);
}

/* All that 3.1.1 asks for; queue 0 is the driver's. */
static void bring_up(uint64_t features)
{
	negotiate(features | F_VERSION_1);
	assert_int_equal(f.vd.status, ACK | DRIVER | FEATURES_OK);
	if (f.drv.next)
		vdrv_done(&f.drv);
	vdrv_init(&f.drv, &f.gm, 0x1000, 8,
		  (features & F_PACKED ? VDRV_PACKED : 0) |
			  (features & F_EVENT_IDX ? VDRV_EVENT_IDX : 0));
	set_up_queue(0);
	assert_true(f.vd.queue[0].ready);
	virtio_set_status(&f.vd, ACK | DRIVER | FEATURES_OK | DRIVER_OK);
}

static void send_request(void)
{
	const struct vdrv_buf buf = { BUF, 16, true };

	assert_true(vdrv_add(&f.drv, &buf, 1) >= 0);
	virtio_notify(&f.vd, 0);
}

static void assert_answered(void)
{
	uint32_t id, len;

	assert_true(vdrv_take(&f.drv, &id, &len));
	assert_int_equal(len, 3);
}

/* ---- status and features ------------------------------------------------ */

static void the_ring_features_are_offered_with_the_types_own(void **state)
{
	assert_true(f.vd.offered == (BIT64(OWN_FEATURE) | F_INDIRECT |
				     F_EVENT_IDX | F_VERSION_1 | F_PACKED));
}

static void features_ok_needs_version_1(void **state)
{
	negotiate(BIT64(OWN_FEATURE) | F_INDIRECT);
	assert_int_equal(f.vd.status, ACK | DRIVER);
	/* The driver may think again. */
	virtio_set_features(&f.vd, F_VERSION_1);
	virtio_set_status(&f.vd, ACK | DRIVER | FEATURES_OK);
	assert_int_equal(f.vd.status, ACK | DRIVER | FEATURES_OK);
}

static void features_ok_refuses_each_bit_that_is_not_offered(void **state)
{
	unsigned bit;

	for (bit = 0; bit < 64; bit++) {
		bool offered = f.vd.offered >> bit & 1;

		negotiate(F_VERSION_1 | BIT64(bit));
		assert_int_equal(f.vd.status & FEATURES_OK,
				 offered ? FEATURES_OK : 0);
	}
}

static void features_stand_once_features_ok_is_set(void **state)
{
	negotiate(F_VERSION_1);
	virtio_set_features(&f.vd, F_VERSION_1 | F_PACKED);
	assert_true(f.vd.features == F_VERSION_1);
	virtio_set_status(&f.vd, 0);
	assert_true(f.vd.features == 0);
}

static void a_driver_cannot_clear_bits_nor_ask_for_a_reset(void **state)
{
	virtio_set_status(&f.vd, ACK | DRIVER);
	virtio_set_status(&f.vd, ACK);
	assert_int_equal(f.vd.status, ACK | DRIVER);
	virtio_set_status(&f.vd, ACK | DRIVER | NEEDS_RESET | 16 | 32);
	assert_int_equal(f.vd.status, ACK | DRIVER);
	virtio_set_status(&f.vd, FAILED);
	assert_int_equal(f.vd.status, ACK | DRIVER | FAILED);
	virtio_set_status(&f.vd, 0);
	assert_int_equal(f.vd.status, 0);
}

static void driver_ok_without_features_ok_does_not_start_it(void **state)
{
	virtio_set_status(&f.vd, ACK | DRIVER | DRIVER_OK);
	assert_int_equal(f.vd.status, NEEDS_RESET);
	assert_int_equal(f.starts, 0);
	assert_int_equal(f.changes, 0); /* nobody to tell yet */
	assert_non_null(strstr(f.vd.why, "FEATURES_OK"));
}

static void driver_ok_starts_it_once(void **state)
{
	bring_up(0);
	virtio_set_status(&f.vd, ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	assert_int_equal(f.starts, 1);
	assert_int_equal(f.stops, 0);
	virtio_set_status(&f.vd, 0);
	assert_int_equal(f.stops, 1);
	virtio_set_status(&f.vd, 0);
	assert_int_equal(f.stops, 1);
}

/* ---- queues ------------------------------------------------------------- */

static void chains_flow_by_each_feature_on_and_off(void **state)
{
	static const uint64_t bits[] = { F_INDIRECT, F_EVENT_IDX, F_PACKED };
	unsigned set, i, k;

	for (set = 0; set < 8; set++) {
		uint64_t features = 0;

		for (i = 0; i < 3; i++)
			features |= set >> i & 1 ? bits[i] : 0;
		f.interrupts[0] = 0;
		bring_up(features);
		assert_int_equal(f.vd.queue[0].q.config.packed,
				 !!(features & F_PACKED));
		assert_int_equal(f.vd.queue[0].q.config.event_idx,
				 !!(features & F_EVENT_IDX));
		assert_int_equal(f.vd.queue[0].q.config.indirect,
				 !!(features & F_INDIRECT));
		for (k = 0; k < 20; k++) {
			vdrv_interrupts(&f.drv, true);
			send_request();
			assert_answered();
		}
		assert_int_equal(f.interrupts[0], 20);
		assert_int_equal(f.interrupts[1], 0);
		assert_int_equal(f.vd.status & NEEDS_RESET, 0);
	}
}

static void nothing_is_consumed_before_driver_ok(void **state)
{
	negotiate(F_VERSION_1);
	vdrv_init(&f.drv, &f.gm, 0x1000, 8, 0);
	set_up_queue(0);
	send_request();
	assert_int_equal(f.notified[0], 0);
	virtio_set_status(&f.vd, ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	virtio_notify(&f.vd, 0);
	assert_answered();
}

static void a_queue_that_is_not_ready_is_never_notified(void **state)
{
	bring_up(0);
	virtio_notify(&f.vd, 1);
	virtio_notify(&f.vd, 2);
	virtio_notify(&f.vd, UINT32_MAX);
	assert_int_equal(f.notified[1], 0);
	assert_null(virtio_queue_setup(&f.vd, 2));
	virtio_queue_ready(&f.vd, 2, true);
	virtio_queue_ready(&f.vd, UINT32_MAX, false);
	assert_int_equal(f.vd.status & NEEDS_RESET, 0);
}

static void a_ready_queue_has_its_registers_closed(void **state)
{
	bring_up(0);
	assert_null(virtio_queue_setup(&f.vd, 0));
	assert_non_null(virtio_queue_setup(&f.vd, 1));
	virtio_queue_ready(&f.vd, 0, false);
	assert_non_null(virtio_queue_setup(&f.vd, 0));
	/* And may be set up anew. */
	vdrv_reset(&f.drv);
	set_up_queue(0);
	send_request();
	assert_answered();
}

/* A queue that cannot be started is not ready, and the device says so. */
static void assert_refused(const char *why)
{
	assert_false(f.vd.queue[1].ready);
	assert_true(f.vd.status & NEEDS_RESET);
	if (!strstr(f.vd.why, why))
		fail_msg("\"%s\" does not say \"%s\"", f.vd.why, why);
	virtio_set_status(&f.vd, 0);
}

static void a_queue_that_is_set_up_wrongly_needs_a_reset(void **state)
{
	struct virtio_queue *vq;

	virtio_queue_ready(&f.vd, 1, true);
	assert_refused("FEATURES_OK");

	bring_up(0);
	f.changes = 0;
	vq = virtio_queue_setup(&f.vd, 1);
	vq->size = 5; /* at most 4, and a power of two */
	virtio_queue_ready(&f.vd, 1, true);
	assert_int_equal(f.changes, 1);
	assert_refused("queue 1: a size of 5");

	bring_up(0);
	virtio_queue_setup(&f.vd, 1)->size = 3;
	virtio_queue_ready(&f.vd, 1, true);
	assert_refused("no power of two");

	bring_up(F_PACKED);
	virtio_queue_setup(&f.vd, 1)->size = 3;
	virtio_queue_ready(&f.vd, 1, true);
	assert_true(f.vd.queue[1].ready);

	bring_up(0);
	virtio_queue_setup(&f.vd, 1)->size = 65536 + 4;
	virtio_queue_ready(&f.vd, 1, true);
	assert_refused("a size of 65540");

	bring_up(0);
	virtio_queue_setup(&f.vd, 1)->device = RAM - 4;
	virtio_queue_ready(&f.vd, 1, true);
	assert_refused("device area");
}

static void a_broken_ring_stops_every_queue_until_a_reset(void **state)
{
	unsigned interrupts;

	bring_up(0);
	send_request();
	assert_answered();
	interrupts = f.interrupts[0];

	vdrv_poke_head(&f.drv, 8); /* there are 0 to 7 */
	virtio_notify(&f.vd, 0);
	assert_true(f.vd.status & NEEDS_RESET);
	assert_true(f.vd.status & DRIVER_OK);
	assert_int_equal(f.changes, 1);
	assert_non_null(strstr(f.vd.why, "queue 0: "));

	/* Neither it nor another gets anything now. */
	virtio_notify(&f.vd, 0);
	virtio_queue_ready(&f.vd, 1, true);
	assert_false(f.vd.queue[1].ready);
	assert_int_equal(f.notified[0], 2);
	assert_int_equal(f.changes, 1);
	assert_int_equal(f.interrupts[0], interrupts);

	bring_up(F_PACKED);
	send_request();
	assert_answered();
	assert_int_equal(f.starts, 2);
}

static void needs_reset_ends_a_models_round(void **state)
{
	bring_up(0);
	f.keep = true;
	send_request();
	/* Something else has gone wrong, while the ring itself is sound. */
	virtio_fail(&f.vd, "a request of type %u", 77);
	assert_string_equal(f.vd.why, "a request of type 77");
	virtio_fail(&f.vd, "later");
	assert_string_equal(f.vd.why, "a request of type 77");
	assert_int_equal(f.changes, 1);
	send_request();
	assert_false(virtq_set_notify(&f.vd.queue[0].q, true));
	virtio_push(&f.vd, 0, &f.kept, 3);
	assert_int_equal(f.interrupts[0], 0);
}

static void a_queue_with_requests_in_flight_is_not_taken_away(void **state)
{
	bring_up(0);
	f.keep = true;
	send_request();
	virtio_queue_ready(&f.vd, 0, false);
	assert_true(f.vd.queue[0].ready);
	assert_true(f.vd.status & NEEDS_RESET);
	assert_non_null(strstr(f.vd.why, "in flight"));
}

static void a_reset_forgets_what_is_in_flight(void **state)
{
	uint32_t id, len;

	bring_up(F_EVENT_IDX);
	f.keep = true;
	send_request();
	virtio_set_status(&f.vd, 0);
	assert_true(f.pushed_in_stop);
	assert_false(vdrv_take(&f.drv, &id, &len));
	assert_int_equal(f.interrupts[0], 0);
	assert_int_equal(f.vd.status, 0);
	assert_int_equal(f.notified[0], 1);
	assert_false(f.vd.queue[0].ready);
	assert_int_equal(f.vd.queue[0].size, 8);
	assert_true(f.vd.queue[0].desc == 0);

	f.keep = false;
	bring_up(F_EVENT_IDX);
	virtio_push(&f.vd, 0, &f.kept, 0); /* better late than never */
	assert_false(vdrv_take(&f.drv, &id, &len));
	send_request();
	assert_answered();
}

/* ---- configuration space ------------------------------------------------ */

static void the_configuration_space_ends_where_it_ends(void **state)
{
	uint8_t buf[8];

	memcpy(f.config, "abcdef", 6);
	virtio_config_read(&f.vd, 4, buf, 4);
	assert_memory_equal(buf, "ef\0\0", 4);
	memset(buf, 0xff, sizeof(buf));
	virtio_config_read(&f.vd, 6, buf, 8);
	assert_int_equal(get_le64(buf), 0);
	virtio_config_read(&f.vd, UINT64_MAX, buf, 8);
	assert_int_equal(get_le64(buf), 0);

	virtio_config_write(&f.vd, 5, "XY", 2);
	virtio_config_write(&f.vd, UINT64_MAX, "XY", 2);
	virtio_config_write(&f.vd, 0, "12345678", 8);
	assert_memory_equal(f.config, "abcdef", 6);
	virtio_config_write(&f.vd, 4, "XY", 2);
	assert_memory_equal(f.config, "abcdXY", 6);
}

static void a_change_of_configuration_is_told_once_it_can_matter(void **state)
{
	uint32_t generation = f.vd.config_generation;

	virtio_config_changed(&f.vd);
	assert_int_equal(f.changes, 0);
	assert_int_not_equal(f.vd.config_generation, generation);
	negotiate(F_VERSION_1);
	virtio_config_changed(&f.vd);
	assert_int_equal(f.changes, 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_ring_features_are_offered_with_the_types_own),
		T(features_ok_needs_version_1),
		T(features_ok_refuses_each_bit_that_is_not_offered),
		T(features_stand_once_features_ok_is_set),
		T(a_driver_cannot_clear_bits_nor_ask_for_a_reset),
		T(driver_ok_without_features_ok_does_not_start_it),
		T(driver_ok_starts_it_once),
		T(chains_flow_by_each_feature_on_and_off),
		T(nothing_is_consumed_before_driver_ok),
		T(a_queue_that_is_not_ready_is_never_notified),
		T(a_ready_queue_has_its_registers_closed),
		T(a_queue_that_is_set_up_wrongly_needs_a_reset),
		T(a_broken_ring_stops_every_queue_until_a_reset),
		T(needs_reset_ends_a_models_round),
		T(a_queue_with_requests_in_flight_is_not_taken_away),
		T(a_reset_forgets_what_is_in_flight),
		T(the_configuration_space_ends_where_it_ends),
		T(a_change_of_configuration_is_told_once_it_can_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
