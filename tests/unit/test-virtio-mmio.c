// SPDX-License-Identifier: MIT
/*
 * VIRTIO 1.2, 4.2: the registers, and what the transport makes of notifications and
 * interrupts.
 */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base.h"
#include "core/bus.h"
#include "fake_loop.h"
#include "virtio/mmio.h"
#include "virtio_driver.h"

#define RAM MIB(1)
#define BUF 0x80000

/* Table 4.1, as numbers on purpose. */
enum {
	MAGIC = 0x0, VERSION = 0x4, DEVICE_ID = 0x8, VENDOR_ID = 0xc,
	DEV_FEATURES = 0x10, DEV_FEATURES_SEL = 0x14,
	DRV_FEATURES = 0x20, DRV_FEATURES_SEL = 0x24,
	QUEUE_SEL = 0x30, QUEUE_NUM_MAX = 0x34, QUEUE_NUM = 0x38,
	QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50, INT_STATUS = 0x60,
	INT_ACK = 0x64, STATUS = 0x70, DESC = 0x80, DRIVER = 0x90,
	DEVICE = 0xa0, SHM_SEL = 0xac, SHM_LEN = 0xb0, SHM_BASE = 0xb8,
	QUEUE_RESET = 0xc0, GENERATION = 0xfc, CONFIG = 0x100,
};

static struct fixture {
	struct gmem gm;
	uint8_t *ram;
	struct fake_loop fl;
	int irq_fd;
	struct virtio_device vd;
	struct device *dev;
	struct bus bus;
	struct vdrv drv;
	unsigned frees, agains;
	uint8_t config[10];
	struct { unsigned binds, unbinds, match; int fd, r; bool bound; } bell;
} f;

/* ---- a device of two queues --------------------------------------------- */

static void model_notify(struct virtio_device *vd, unsigned queue)
{
	struct iovec iov[4];
	struct virtq_chain chain = { .iov = iov, .room = 4 };

	while (virtio_pop(vd, queue, &chain))
		virtio_push(vd, queue, &chain, 1);
	if (f.agains) {
		f.agains--;
		virtio_again(vd, queue);
	}
}

static void model_config_read(struct virtio_device *vd, size_t off, void *buf,
			      size_t len)
{
	memcpy(buf, f.config + off, len);
}

static void model_config_write(struct virtio_device *vd, size_t off,
			       const void *buf, size_t len)
{
	memcpy(f.config + off, buf, len);
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
	.notify = model_notify,
	.free = model_free,
};

static int bell_bind(void *opaque, uint64_t off, unsigned size, uint64_t match,
		     int fd)
{
	assert_int_equal(off, QUEUE_NOTIFY);
	assert_int_equal(size, 4);
	f.bell.binds++;
	f.bell.match = (unsigned)match;
	f.bell.fd = fd;
	if (f.bell.r == 0)
		f.bell.bound = true;
	return f.bell.r;
}

static void bell_unbind(void *opaque, uint64_t off, unsigned size,
			uint64_t match, int fd)
{
	assert_true(f.bell.bound);
	assert_int_equal(match, f.bell.match);
	assert_int_equal(fd, f.bell.fd);
	f.bell.unbinds++;
	f.bell.bound = false;
}

static int build(bool doorbell)
{
	static const uint16_t sizes[] = { 8, 0, 16 };
	const struct virtio_config config = {
		.ops = &model,
		.ram = &f.gm,
		.queues = 3,
		.sizes = sizes,
		.config_len = sizeof(f.config),
		.features = BIT64(3) | BIT64(40),
	};
	struct virtio_mmio_config mmio = {
		.vd = &f.vd,
		.loop = &f.fl.loop,
	};

	memset(&f, 0, sizeof(f));
	f.irq_fd = mmio.irq_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(f.irq_fd >= 0);
	f.ram = calloc(1, RAM);
	assert_non_null(f.ram);
	assert_int_equal(gmem_add(&f.gm, 0, RAM, f.ram), 0);
	fake_loop_init(&f.fl, 0);
	if (doorbell)
		mmio.doorbell = (struct doorbell){ .bind = bell_bind,
						   .unbind = bell_unbind };
	assert_int_equal(virtio_init(&f.vd, &config), 0);
	assert_int_equal(virtio_mmio_new(&mmio, &f.dev), 0);
	bus_init(&f.bus, UINT64_MAX - 1);
	assert_int_equal(bus_add(&f.bus, 0x1000, VIRTIO_MMIO_LEN, f.dev, 0), 0);
	return 0;
}

static int setup(void **state)
{
	return build(true);
}

static int setup_without_doorbell(void **state)
{
	return build(false);
}

static int teardown(void **state)
{
	unsigned i;

	bus_done(&f.bus);
	device_free(f.dev);
	close(f.irq_fd);
	assert_int_equal(f.frees, 1);
	assert_false(f.bell.bound);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(f.fl.watch[i].used);
	if (f.drv.next)
		vdrv_done(&f.drv);
	free(f.ram);
	return 0;
}

static uint64_t get(uint64_t off, unsigned size)
{
	uint64_t val = 0;

	assert_true(bus_read(&f.bus, 0x1000 + off, size, &val));
	return val;
}

static void put(uint64_t off, unsigned size, uint64_t val)
{
	assert_true(bus_write(&f.bus, 0x1000 + off, size, val));
}

static uint32_t r32(uint64_t off)
{
	return (uint32_t)get(off, 4);
}

static void w32(uint64_t off, uint32_t val)
{
	put(off, 4, val);
}

/* 4.2.3.1.1 and 4.2.3.2 */
static void negotiate(uint32_t high)
{
	w32(STATUS, 0);
	w32(STATUS, 1);
	w32(STATUS, 3);
	w32(DRV_FEATURES_SEL, 0);
	w32(DRV_FEATURES, 0);
	w32(DRV_FEATURES_SEL, 1);
	w32(DRV_FEATURES, high);
	w32(STATUS, 11);
	assert_int_equal(r32(STATUS), 11);
}

static void w64(uint64_t off, uint64_t val)
{
	w32(off, (uint32_t)val);
	w32(off + 4, (uint32_t)(val >> 32));
}

static void bring_up(unsigned queue)
{
	negotiate(1);
	if (f.drv.next)
		vdrv_done(&f.drv);
	vdrv_init(&f.drv, &f.gm, 0x1000, 8, 0);
	w32(QUEUE_SEL, queue);
	assert_int_equal(r32(QUEUE_READY), 0);
	w32(QUEUE_NUM, 8);
	w64(DESC, f.drv.desc);
	w64(DRIVER, f.drv.driver);
	w64(DEVICE, f.drv.device);
	w32(QUEUE_READY, 1);
	assert_int_equal(r32(QUEUE_READY), 1);
	w32(STATUS, 15);
	assert_int_equal(r32(STATUS), 15);
}

static void add_request(void)
{
	const struct vdrv_buf buf = { BUF, 16, true };

	assert_true(vdrv_add(&f.drv, &buf, 1) >= 0);
}

/* What the I/O thread would do: run whatever has been notified. */
static unsigned run_loop(void)
{
	unsigned i, n = 0;
	uint64_t count;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		struct loop_watch *w = &f.fl.watch[i];

		if (!w->used || read(w->fd, &count, sizeof(count)) < 0)
			continue;
		assert_int_equal(write(w->fd, &count, sizeof(count)),
				 sizeof(count));
		n += fake_loop_ready(&f.fl, w->fd, LOOP_IN);
	}
	return n;
}

/* How many interrupts there were since the last question. */
static unsigned interrupts(void)
{
	uint64_t n;

	return read(f.irq_fd, &n, sizeof(n)) == sizeof(n) ? (unsigned)n : 0;
}

static bool answered(void)
{
	uint32_t id, len;

	return vdrv_take(&f.drv, &id, &len);
}

/* ---- registers ---------------------------------------------------------- */

static void a_driver_finds_it(void **state)
{
	assert_int_equal(r32(MAGIC), 0x74726976);
	assert_int_equal(r32(VERSION), 2);
	assert_int_equal(r32(DEVICE_ID), 42);
	assert_int_equal(r32(STATUS), 0);
	assert_int_equal(r32(INT_STATUS), 0);
}

static void features_come_in_two_words(void **state)
{
	/* 28, 29 of the ring and 3; 32, 34 and 40. */
	assert_int_equal(r32(DEV_FEATURES), 0x30000008);
	w32(DEV_FEATURES_SEL, 1);
	assert_int_equal(r32(DEV_FEATURES), 0x105);
	w32(DEV_FEATURES_SEL, 2);
	assert_int_equal(r32(DEV_FEATURES), 0);
	w32(DEV_FEATURES_SEL, 0x80000000);
	assert_int_equal(r32(DEV_FEATURES), 0);

	w32(STATUS, 3);
	w32(DRV_FEATURES, 0x20000008);
	w32(DRV_FEATURES_SEL, 7);
	w32(DRV_FEATURES, UINT32_MAX);
	w32(DRV_FEATURES_SEL, 1);
	w32(DRV_FEATURES, 0x101);
	assert_true(f.vd.features == UINT64_C(0x10120000008));
	w32(STATUS, 11);
	assert_int_equal(r32(STATUS), 11);
}

static void features_that_are_not_offered_are_refused(void **state)
{
	w32(STATUS, 3);
	w32(DRV_FEATURES_SEL, 1);
	w32(DRV_FEATURES, 3);
	w32(STATUS, 11);
	assert_int_equal(r32(STATUS), 3);
}

static void only_queues_that_are_there_have_a_size(void **state)
{
	static const uint32_t max[] = { 8, 0, 16, 0 };
	uint32_t i;

	for (i = 0; i < 4; i++) {
		w32(QUEUE_SEL, i);
		assert_int_equal(r32(QUEUE_NUM_MAX), max[i]);
		assert_int_equal(r32(QUEUE_READY), 0);
	}
	w32(QUEUE_SEL, UINT32_MAX);
	assert_int_equal(r32(QUEUE_NUM_MAX), 0);
	w32(QUEUE_NUM, 8);
	w32(QUEUE_READY, 1);
	assert_int_equal(r32(STATUS), 0);
}

static void a_queue_gets_what_was_written_for_it(void **state)
{
	negotiate(1);
	w32(QUEUE_SEL, 2);
	w32(QUEUE_NUM, 4);
	w64(DESC, UINT64_C(0x123456789abcdef0));
	w64(DRIVER, UINT64_C(0xfedcba9876543210));
	w64(DEVICE, UINT64_C(0x1111222233334444));
	w32(DRIVER, 0x55555555); /* each half alone, in any order */
	assert_int_equal(f.vd.queue[2].size, 4);
	assert_true(f.vd.queue[2].desc == UINT64_C(0x123456789abcdef0));
	assert_true(f.vd.queue[2].driver == UINT64_C(0xfedcba9855555555));
	assert_true(f.vd.queue[2].device == UINT64_C(0x1111222233334444));
	assert_int_equal(f.vd.queue[0].size, 8);
	assert_true(f.vd.queue[0].desc == 0);
}

static void a_ready_queue_cannot_be_changed(void **state)
{
	bring_up(0);
	w32(QUEUE_NUM, 2);
	w64(DESC, 0xdead0);
	assert_int_equal(f.vd.queue[0].size, 8);
	assert_true(f.vd.queue[0].desc == f.drv.desc);
}

static void there_is_no_shared_memory_and_no_queue_reset(void **state)
{
	w32(SHM_SEL, 0);
	assert_int_equal(r32(SHM_LEN), UINT32_MAX);
	assert_int_equal(r32(SHM_LEN + 4), UINT32_MAX);
	assert_int_equal(r32(SHM_BASE), UINT32_MAX);
	bring_up(0);
	w32(QUEUE_RESET, 1);
	assert_int_equal(r32(QUEUE_RESET), 0);
	assert_int_equal(r32(QUEUE_READY), 1);
}

static void registers_are_32_bits_wide(void **state)
{
	assert_int_equal(get(MAGIC, 1), 0);
	assert_int_equal(get(MAGIC, 2), 0);
	assert_int_equal(get(MAGIC, 8), 0);
	assert_int_equal(get(MAGIC + 2, 4), 0);
	put(STATUS, 1, 1);
	put(STATUS, 2, 1);
	put(STATUS, 8, 1);
	assert_int_equal(r32(STATUS), 0);
	/* Those that are written only read as 0, and the contrary. */
	w32(QUEUE_SEL, 2);
	assert_int_equal(r32(QUEUE_SEL), 0);
	w32(MAGIC, 0);
	assert_int_equal(r32(MAGIC), 0x74726976);
}

static void the_configuration_space_takes_any_width(void **state)
{
	memcpy(f.config, "0123456789", 10);
	assert_int_equal(get(CONFIG, 1), '0');
	assert_int_equal(get(CONFIG + 1, 2), '1' | '2' << 8);
	assert_int_equal(get(CONFIG + 3, 4), get_le32("3456"));
	assert_true(get(CONFIG + 2, 8) == get_le64("23456789"));
	assert_int_equal(get(CONFIG + 8, 4), '8' | '9' << 8);
	assert_int_equal(get(CONFIG + 0xefc, 4), 0);
	put(CONFIG + 9, 1, 'x');
	put(CONFIG + 9, 2, 'y'); /* half of it is beyond */
	put(CONFIG, 8, get_le64("abcdefgh"));
	assert_memory_equal(f.config, "abcdefgh8x", 10);
}

static void the_generation_changes_with_the_configuration(void **state)
{
	uint32_t before = r32(GENERATION);

	bring_up(0);
	device_lock(f.dev);
	virtio_config_changed(&f.vd);
	device_unlock(f.dev);
	assert_int_not_equal(r32(GENERATION), before);
	assert_int_equal(r32(INT_STATUS), 2);
	assert_int_equal(interrupts(), 1);
	w32(INT_ACK, 2);
	assert_int_equal(r32(INT_STATUS), 0);
	assert_int_equal(interrupts(), 0);
}

/* ---- notifications and interrupts --------------------------------------- */

static void a_notification_is_worked_on_by_the_loop(void **state)
{
	bring_up(2);
	add_request();
	w32(QUEUE_NOTIFY, 2);
	assert_false(answered());
	assert_int_equal(run_loop(), 1);
	assert_true(answered());
	/* It is over with that. */
	assert_int_equal(run_loop(), 0);
	w32(QUEUE_NOTIFY, 3);
	w32(QUEUE_NOTIFY, UINT32_MAX);
	assert_int_equal(run_loop(), 0);
}

static void the_doorbell_does_the_same_without_the_register(void **state)
{
	uint64_t one = 1;

	assert_int_equal(f.bell.binds, 0);
	bring_up(2);
	assert_true(f.bell.bound);
	assert_int_equal(f.bell.match, 2);
	add_request();
	assert_int_equal(write(f.bell.fd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(run_loop(), 1);
	assert_true(answered());

	/* A reset takes it away; the next driver gets it again. */
	w32(STATUS, 0);
	assert_false(f.bell.bound);
	bring_up(2);
	assert_true(f.bell.bound);
	assert_int_equal(f.bell.binds, 2);
	w32(QUEUE_READY, 0);
	assert_false(f.bell.bound);
	assert_int_equal(r32(QUEUE_READY), 0);
}

static void a_board_reset_takes_the_doorbell_away(void **state)
{
	bring_up(0);
	device_reset(f.dev);
	assert_false(f.bell.bound);
	assert_int_equal(r32(STATUS), 0);
	assert_int_equal(r32(QUEUE_NUM_MAX), 8); /* queue 0 is selected */
}

static void a_doorbell_that_cannot_be_had_costs_nothing(void **state)
{
	f.bell.r = -ENOSPC;
	bring_up(0);
	add_request();
	w32(QUEUE_NOTIFY, 0);
	assert_int_equal(run_loop(), 1);
	assert_true(answered());
	w32(STATUS, 0);
	assert_int_equal(f.bell.unbinds, 0);
}

static void without_a_doorbell_everything_works(void **state)
{
	bring_up(0);
	add_request();
	w32(QUEUE_NOTIFY, 0);
	assert_int_equal(run_loop(), 1);
	assert_true(answered());
}

static void a_notification_of_before_a_reset_does_no_harm(void **state)
{
	bring_up(0);
	add_request();
	w32(QUEUE_NOTIFY, 0);
	w32(STATUS, 0);
	assert_int_equal(run_loop(), 1);
	assert_false(answered());
	assert_int_equal(r32(INT_STATUS), 0);
}

static void a_device_can_ask_to_be_called_again(void **state)
{
	bring_up(0);
	f.agains = 2;
	w32(QUEUE_NOTIFY, 0);
	assert_int_equal(run_loop(), 1);
	assert_int_equal(run_loop(), 1);
	assert_int_equal(run_loop(), 1);
	assert_int_equal(run_loop(), 0);
}

static void each_interrupt_is_an_edge_of_its_own(void **state)
{
	bring_up(0);
	add_request();
	w32(QUEUE_NOTIFY, 0);
	run_loop();
	assert_int_equal(r32(INT_STATUS), 1);
	assert_int_equal(interrupts(), 1);
	/* Another before the first was acknowledged; a wrong bit changes nothing. */
	add_request();
	w32(QUEUE_NOTIFY, 0);
	run_loop();
	assert_int_equal(interrupts(), 1);
	w32(INT_ACK, 2);
	assert_int_equal(r32(INT_STATUS), 1);
	w32(INT_ACK, 1);
	assert_int_equal(r32(INT_STATUS), 0);
	assert_int_equal(interrupts(), 0);
}

static void a_reset_forgets_the_reason(void **state)
{
	bring_up(0);
	add_request();
	w32(QUEUE_NOTIFY, 0);
	run_loop();
	assert_int_equal(r32(INT_STATUS), 1);
	w32(STATUS, 0);
	assert_int_equal(r32(INT_STATUS), 0);
}

/* What vhost does: takes the driver's notifications, and says when it is done. */
static void a_queue_can_be_lent_and_taken_back(void **state)
{
	int kick = -1, call = -1;
	uint64_t n = 0;

	bring_up(0);
	device_lock(f.dev);
	assert_int_equal(virtio_lend(&f.vd, 0, &kick, &call), 0);
	device_unlock(f.dev);
	add_request();
	w32(QUEUE_NOTIFY, 0);
	assert_int_equal(run_loop(), 0);
	assert_false(answered());
	assert_int_equal(read(kick, &n, sizeof(n)), sizeof(n));
	assert_int_equal(n, 1);

	n = 1;
	assert_int_equal(write(call, &n, sizeof(n)), sizeof(n));
	assert_int_equal(run_loop(), 1);
	assert_int_equal(r32(INT_STATUS), 1);
	assert_int_equal(interrupts(), 1);
	w32(INT_ACK, 1);

	/* What the borrower has left is found without another notification. */
	device_lock(f.dev);
	virtio_take_back(&f.vd, 0);
	device_unlock(f.dev);
	assert_int_equal(run_loop(), 1);
	assert_true(answered());
	assert_int_equal(interrupts(), 1);
}

static void a_reset_takes_back_what_was_lent(void **state)
{
	int kick = -1, call = -1;
	uint64_t one = 1;

	bring_up(0);
	device_lock(f.dev);
	assert_int_equal(virtio_lend(&f.vd, 0, &kick, &call), 0);
	device_unlock(f.dev);
	w32(STATUS, 0);
	/* A word of before; there is no driver to hear it. */
	assert_int_equal(write(call, &one, sizeof(one)), sizeof(one));
	run_loop();
	assert_int_equal(r32(INT_STATUS), 0);
	bring_up(0);
	add_request();
	w32(QUEUE_NOTIFY, 0);
	run_loop();
	assert_true(answered());
}

static void a_broken_ring_is_told_and_can_be_mended(void **state)
{
	bring_up(0);
	vdrv_poke_head(&f.drv, 100);
	w32(QUEUE_NOTIFY, 0);
	run_loop();
	assert_int_equal(r32(STATUS), 15 | 64);
	assert_int_equal(r32(INT_STATUS), 2);
	bring_up(0);
	add_request();
	w32(QUEUE_NOTIFY, 0);
	run_loop();
	assert_true(answered());
	assert_int_equal(r32(STATUS), 15);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_driver_finds_it),
		T(features_come_in_two_words),
		T(features_that_are_not_offered_are_refused),
		T(only_queues_that_are_there_have_a_size),
		T(a_queue_gets_what_was_written_for_it),
		T(a_ready_queue_cannot_be_changed),
		T(there_is_no_shared_memory_and_no_queue_reset),
		T(registers_are_32_bits_wide),
		T(the_configuration_space_takes_any_width),
		T(the_generation_changes_with_the_configuration),
		T(a_notification_is_worked_on_by_the_loop),
		T(the_doorbell_does_the_same_without_the_register),
		T(a_board_reset_takes_the_doorbell_away),
		T(a_doorbell_that_cannot_be_had_costs_nothing),
		cmocka_unit_test_setup_teardown(
			without_a_doorbell_everything_works,
			setup_without_doorbell, teardown),
		T(a_notification_of_before_a_reset_does_no_harm),
		T(a_device_can_ask_to_be_called_again),
		T(each_interrupt_is_an_edge_of_its_own),
		T(a_reset_forgets_the_reason),
		T(a_queue_can_be_lent_and_taken_back),
		T(a_reset_takes_back_what_was_lent),
		T(a_broken_ring_is_told_and_can_be_mended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
