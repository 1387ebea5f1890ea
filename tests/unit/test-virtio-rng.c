// SPDX-License-Identifier: MIT
/* VIRTIO 1.2, 5.4, with a source whose every byte is known. */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "virtio/rng.h"
#include "virtio_driver.h"

#define RAM MIB(4)
#define BUF 0x100000

static struct fixture {
	struct gmem gm;
	uint8_t *ram;
	struct virtio_device *vd;
	struct device lock;
	struct vdrv drv;
	uint8_t next; /* byte of the source */
	int fails; /* -errno of the source */
	unsigned interrupts, agains;
} f;

static int source(void *opaque, void *buf, size_t len)
{
	uint8_t *p = buf;

	if (f.fails)
		return f.fails;
	while (len-- > 0)
		*p++ = ++f.next ?: ++f.next; /* never 0 */
	return 0;
}

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

static const struct virtio_transport_ops transport = {
	.interrupt = on_interrupt,
	.config_changed = on_change,
	.again = on_again,
};

/* Up to DRIVER_OK. */
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
	if (f.drv.next)
		vdrv_done(&f.drv);
	vdrv_init(&f.drv, &f.gm, 0x1000, size, flags);
	vq = virtio_queue_setup(f.vd, 0);
	assert_non_null(vq);
	vq->size = size;
	vq->desc = f.drv.desc;
	vq->driver = f.drv.driver;
	vq->device = f.drv.device;
	virtio_queue_ready(f.vd, 0, true);
	assert_true(f.vd->queue[0].ready);
	virtio_set_status(f.vd, 15);
}

static int setup(void **state)
{
	static const struct device_ops none = { .name = "none" };
	const struct virtio_rng_config config = { .ram = &f.gm,
						  .fill = source };

	memset(&f, 0, sizeof(f));
	f.ram = calloc(1, RAM);
	assert_non_null(f.ram);
	assert_int_equal(gmem_add(&f.gm, 0, RAM, f.ram), 0);
	assert_int_equal(virtio_rng_new(&config, &f.vd), 0);
	device_init(&f.lock, &none);
	virtio_attach(f.vd, &f.lock, &transport, NULL);
	return 0;
}

static int teardown(void **state)
{
	virtio_reset(f.vd);
	virtio_free(f.vd);
	device_done(&f.lock);
	if (f.drv.next)
		vdrv_done(&f.drv);
	free(f.ram);
	return 0;
}

static void ask(gpa_t at, uint32_t len)
{
	const struct vdrv_buf buf = { at, len, true };

	assert_true(vdrv_add(&f.drv, &buf, 1) >= 0);
}

static uint32_t take(void)
{
	uint32_t id, len;

	assert_true(vdrv_take(&f.drv, &id, &len));
	return len;
}

/* The source's bytes from `first` on, and nothing behind them. */
static void assert_bytes(gpa_t at, uint8_t first, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		assert_int_equal(f.ram[at + i], first + i);
	assert_int_equal(f.ram[at + len], 0);
}

static void it_is_an_entropy_device_with_one_queue(void **state)
{
	assert_int_equal(f.vd->ops->id, 4);
	assert_int_equal(f.vd->queues, 1);
	assert_int_equal(f.vd->config_len, 0);
	/* No feature bits of its own. */
	assert_true((f.vd->offered & 0xffffff) == 0);
}

static void a_buffer_is_filled_to_its_end_and_no_further(void **state)
{
	static const unsigned flags[] = { 0, VDRV_EVENT_IDX, VDRV_PACKED,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	unsigned i, k;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		memset(f.ram, 0, RAM);
		f.next = 0;
		f.interrupts = 0;
		bring_up(4, flags[i]);
		for (k = 0; k < 10; k++) {
			vdrv_interrupts(&f.drv, true);
			ask(BUF + 32 * k, 17);
			virtio_notify(f.vd, 0);
			assert_int_equal(take(), 17);
			assert_bytes(BUF + 32 * k, (uint8_t)(17 * k + 1), 17);
		}
		assert_int_equal(f.interrupts, 10);
	}
}

static void a_request_may_be_in_pieces(void **state)
{
	const struct vdrv_buf bufs[] = {
		{ BUF, 3, true }, { BUF + 16, 1, true }, { BUF + 32, 5, true }
	};

	bring_up(8, 0);
	assert_true(vdrv_add(&f.drv, bufs, 3) >= 0);
	virtio_notify(f.vd, 0);
	assert_int_equal(take(), 9);
	assert_bytes(BUF, 1, 3);
	assert_bytes(BUF + 16, 4, 1);
	assert_bytes(BUF + 32, 5, 5);
}

static void a_huge_buffer_gets_a_little(void **state)
{
	uint32_t len;

	bring_up(1, 0);
	ask(BUF, MIB(2));
	virtio_notify(f.vd, 0);
	len = take();
	assert_in_range(len, 1, 65536);
	assert_int_equal(f.ram[BUF + len], 0);
	assert_int_not_equal(f.ram[BUF + len - 1], 0);
}

static void requests_without_room_are_given_back_empty(void **state)
{
	const struct vdrv_buf readable = { BUF, 16, false };
	const struct vdrv_buf empty = { BUF, 0, true };
	const struct vdrv_buf both[] = { { BUF, 16, false },
					 { BUF + 64, 4, true } };

	bring_up(8, 0);
	assert_true(vdrv_add(&f.drv, &readable, 1) >= 0);
	assert_true(vdrv_add(&f.drv, &empty, 1) >= 0);
	assert_true(vdrv_add(&f.drv, both, 2) >= 0);
	virtio_notify(f.vd, 0);
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 4);
	assert_int_equal(f.ram[BUF], 0);
	assert_bytes(BUF + 64, 1, 4);
	assert_int_equal(f.vd->status, 15);
}

static void a_source_that_fails_gives_nothing(void **state)
{
	bring_up(8, 0);
	f.fails = -EAGAIN;
	ask(BUF, 16);
	virtio_notify(f.vd, 0);
	assert_int_equal(take(), 0);
	assert_int_equal(f.ram[BUF], 0);
	f.fails = 0;
	ask(BUF, 16);
	virtio_notify(f.vd, 0);
	assert_int_equal(take(), 16);
}

static void a_full_queue_is_worked_off_in_rounds(void **state)
{
	uint16_t max = f.vd->queue[0].size_max;
	unsigned i, rounds = 1;

	bring_up(max, VDRV_EVENT_IDX);
	for (i = 0; i < max; i++)
		ask(BUF + 16 * i, 8);
	virtio_notify(f.vd, 0);
	while (f.agains) {
		f.agains--;
		rounds++;
		virtio_notify(f.vd, 0);
	}
	assert_in_range(rounds, 1, 2);
	for (i = 0; i < max; i++)
		assert_int_equal(take(), 8);
	/* And it wants to hear of the next one. */
	vdrv_should_notify(&f.drv);
	ask(BUF, 8);
	assert_true(vdrv_should_notify(&f.drv));
}

static void memory_that_is_not_there_needs_a_reset(void **state)
{
	bring_up(8, 0);
	ask(RAM - 8, 16);
	virtio_notify(f.vd, 0);
	assert_int_equal(f.vd->status, 15 | 64);
	bring_up(8, VDRV_PACKED);
	ask(RAM - 8, 8);
	virtio_notify(f.vd, 0);
	assert_int_equal(take(), 8);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_an_entropy_device_with_one_queue),
		T(a_buffer_is_filled_to_its_end_and_no_further),
		T(a_request_may_be_in_pieces),
		T(a_huge_buffer_gets_a_little),
		T(requests_without_room_are_given_back_empty),
		T(a_source_that_fails_gives_nothing),
		T(a_full_queue_is_worked_off_in_rounds),
		T(memory_that_is_not_there_needs_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
