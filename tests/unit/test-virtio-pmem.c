// SPDX-License-Identifier: MIT
/* VIRTIO 1.2, 5.19 "PMEM Device". */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "virtio/pmem.h"
#include "virtio_driver.h"

#define RAM MIB(1)
#define REQ 0x40000u
#define RESP 0x41000u

static struct fixture {
	struct gmem gm;
	uint8_t *ram;
	struct virtio_device *vd;
	struct device lock;
	struct vdrv drv;
	unsigned interrupts, agains;
} f;

static void on_interrupt(void *opaque, unsigned queue)
{
	f.interrupts++;
}

static void on_change(void *opaque)
{
}

static void on_again(void *opaque, unsigned queue)
{
	f.agains++;
}

static int setup(void **state)
{
	static const struct device_ops none = { .name = "none" };
	static const struct virtio_transport_ops transport = {
		.interrupt = on_interrupt,
		.config_changed = on_change,
		.again = on_again,
	};
	const struct virtio_pmem_config config = {
		.ram = &f.gm,
		.start = 0x123456789a000000,
		.size = 0x0011223344400000,
	};

	memset(&f, 0, sizeof(f));
	f.ram = calloc(1, RAM);
	assert_non_null(f.ram);
	assert_int_equal(gmem_add(&f.gm, 0, RAM, f.ram), 0);
	assert_int_equal(virtio_pmem_new(&config, &f.vd), 0);
	device_init(&f.lock, &none);
	virtio_attach(f.vd, &f.lock, &transport, NULL);
	return 0;
}

static int teardown(void **state)
{
	virtio_reset(f.vd);
	virtio_free(f.vd);
	device_done(&f.lock);
	vdrv_done(&f.drv);
	free(f.ram);
	return 0;
}

static void bring_up(uint32_t size, unsigned flags)
{
	struct virtio_queue *vq;

	virtio_set_status(f.vd, 0);
	virtio_set_status(f.vd, 3);
	virtio_set_features(f.vd,
			    BIT64(32) |
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
	assert_int_equal(f.vd->status, 15);
}

static int ask(uint32_t type, uint32_t out, uint32_t in)
{
	const struct vdrv_buf bufs[] = { { REQ, out, false },
					 { RESP, in, true } };

	put_le32(f.ram + REQ, type);
	memset(f.ram + RESP, 0xee, 8);
	return vdrv_add(&f.drv, bufs, 2);
}

static uint32_t take(void)
{
	uint32_t id, len;

	assert_true(vdrv_take(&f.drv, &id, &len));
	return len;
}

static void it_is_memory_with_one_queue_and_its_place(void **state)
{
	uint8_t buf[16];

	assert_int_equal(f.vd->ops->id, 27);
	assert_int_equal(f.vd->queues, 1);
	assert_true((f.vd->offered & 0xffffff) == 0);
	virtio_config_read(f.vd, 0, buf, 16);
	assert_true(get_le64(buf) == 0x123456789a000000);
	assert_true(get_le64(buf + 8) == 0x0011223344400000);
	/* Read-only, and nothing behind it. */
	memset(buf, 0xff, 16);
	virtio_config_write(f.vd, 0, buf, 16);
	virtio_config_read(f.vd, 8, buf, 16);
	assert_true(get_le64(buf) == 0x0011223344400000);
	assert_true(get_le64(buf + 8) == 0);
}

static void a_flush_succeeds(void **state)
{
	static const unsigned flags[] = { 0, VDRV_EVENT_IDX, VDRV_PACKED,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	unsigned i, k;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		bring_up(2, flags[i]);
		f.interrupts = 0;
		for (k = 0; k < 5; k++) {
			vdrv_interrupts(&f.drv, true);
			ask(0, 4, 4);
			virtio_notify(f.vd, 0);
			assert_int_equal(take(), 4);
			assert_int_equal(get_le32(f.ram + RESP), 0);
			assert_int_equal(f.ram[RESP + 4], 0xee);
		}
		assert_int_equal(f.interrupts, 5);
	}
}

static void anything_else_fails(void **state)
{
	bring_up(8, 0);
	ask(1, 4, 4);
	virtio_notify(f.vd, 0);
	assert_int_equal(take(), 4);
	assert_int_equal(get_le32(f.ram + RESP), UINT32_MAX); /* -1 */
}

static void a_request_may_be_in_pieces(void **state)
{
	const struct vdrv_buf bufs[] = { { REQ, 1, false },
					 { REQ + 1, 3, false },
					 { RESP, 3, true },
					 { RESP + 8, 5, true } };

	bring_up(8, 0);
	memset(f.ram + RESP, 0xee, 16);
	assert_true(vdrv_add(&f.drv, bufs, 4) >= 0);
	virtio_notify(f.vd, 0);
	assert_int_equal(take(), 4);
	assert_int_equal(f.ram[RESP + 2], 0);
	assert_int_equal(f.ram[RESP + 8], 0);
	assert_int_equal(f.ram[RESP + 9], 0xee);
}

static void half_a_request_needs_a_reset(void **state)
{
	static const struct {
		uint32_t out, in;
	} cases[] = { { 3, 4 }, { 4, 3 }, { 0, 4 }, { 4, 0 } };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bring_up(8, 0);
		ask(0, cases[i].out, cases[i].in);
		virtio_notify(f.vd, 0);
		assert_int_equal(f.vd->status, 15 | 64);
		assert_int_equal(f.ram[RESP], 0xee);
	}
	bring_up(1, VDRV_PACKED);
	assert_int_equal(f.vd->status, 15);
}

static void memory_that_is_not_there_needs_a_reset(void **state)
{
	const struct vdrv_buf bufs[] = { { REQ, 4, false },
					 { RAM - 2, 4, true } };

	bring_up(8, 0);
	assert_true(vdrv_add(&f.drv, bufs, 2) >= 0);
	virtio_notify(f.vd, 0);
	assert_int_equal(f.vd->status, 15 | 64);
}

static void a_full_queue_is_worked_off(void **state)
{
	uint16_t max = f.vd->queue[0].size_max;
	unsigned i;

	bring_up(max, 0);
	for (i = 0; i < max / 2u; i++)
		assert_true(ask(0, 4, 4) >= 0);
	virtio_notify(f.vd, 0);
	for (i = 0; i < max / 2u; i++)
		assert_int_equal(take(), 4);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_memory_with_one_queue_and_its_place),
		T(a_flush_succeeds),
		T(anything_else_fails),
		T(a_request_may_be_in_pieces),
		T(half_a_request_needs_a_reset),
		T(memory_that_is_not_there_needs_a_reset),
		T(a_full_queue_is_worked_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
