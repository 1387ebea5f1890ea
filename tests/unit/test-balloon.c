// SPDX-License-Identifier: MIT
/*
 * The balloon of the public interface, over guest memory as it is: what the guest
 * gives up is no longer resident.
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "core/base.h"
#include "virtio/virtio.h"
#include "virtio_driver.h"
#include "vm.h"

#define MEM MIB(96)
#define PAGE 4096u
#define FIRST MIB(16)
#define LEN MIB(64)

static struct trapmap_vm *vm;
static struct virtio_device *vd;
static struct device lock;

static void nothing(void *opaque)
{
}

static void nothing_for(void *opaque, unsigned queue)
{
}

static int setup(void **state)
{
	const struct platform pc = platform_pc(MEM, 1, PLATFORM_TRANSPORT);

	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -1;
	vm_config_init(&vm->config);
	pthread_mutex_init(&vm->control.lock, NULL);
	vm->config.mem = MEM;
	vd = NULL;
	return mem_init(&vm->mem, &pc, &vm->error);
}

static int teardown(void **state)
{
	if (vd && vd->lock) {
		virtio_reset(vd);
		device_done(&lock);
	}
	virtio_free(vd);
	vm_config_done(&vm->config);
	mem_done(&vm->mem);
	pthread_mutex_destroy(&vm->control.lock);
	free(vm);
	return 0;
}

static int set_balloon(uint64_t target, int reporting)
{
	struct trapmap_balloon balloon = TRAPMAP_BALLOON_INIT;

	balloon.target = target;
	balloon.reporting = reporting;
	return trapmap_vm_set_balloon(vm, &balloon);
}

static int open_device(void)
{
	static const struct virtio_transport_ops transport = {
		.interrupt = nothing_for,
		.config_changed = nothing,
		.again = nothing_for,
	};
	static const struct device_ops none = { .name = "none" };
	const struct attach_site site = { .ram = &vm->mem.gmem, .cpus = 1 };
	struct attachment *at = vm->config.attached[0];
	int r = at->ops->device(at, &site, &vd, &vm->error);

	if (r == 0) {
		device_init(&lock, &none);
		virtio_attach(vd, &lock, &transport, NULL);
		at->vd = vd;
	}
	return r;
}

static void start_queue(struct vdrv *drv, unsigned queue)
{
	struct virtio_queue *vq = virtio_queue_setup(vd, queue);

	vdrv_init(drv, &vm->mem.gmem, MIB(1) + queue * 0x4000, 64, 0);
	vq->size = 64;
	vq->desc = drv->desc;
	vq->driver = drv->driver;
	vq->device = drv->device;
	virtio_queue_ready(vd, queue, true);
}

/* Bytes of this process that are in memory. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, pages = -1;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &pages), 2);
	fclose(f);
	return pages * (long)PAGE;
}

static void one_request(struct vdrv *drv, unsigned queue, gpa_t at,
			uint32_t len, bool write)
{
	const struct vdrv_buf buf = { at, len, write };
	uint32_t id, used;

	assert_true(vdrv_add(drv, &buf, 1) >= 0);
	virtio_notify(vd, queue);
	assert_true(vdrv_take(drv, &id, &used));
}

static void memory_that_the_guest_gives_up_goes_back_to_the_host(void **state)
{
	struct vdrv inflate, reports;
	uint32_t i, pfn[256];
	long before, full, half, empty;
	gpa_t at;

	assert_int_equal(set_balloon(LEN / 2, 1), 0);
	assert_int_equal(open_device(), 0);
	virtio_set_status(vd, 3);
	virtio_set_features(vd, BIT64(32) | BIT64(5));
	virtio_set_status(vd, 11);
	start_queue(&inflate, 0);
	start_queue(&reports, 4);
	virtio_set_status(vd, 15);
	assert_int_equal(vd->status, 15);

	/* What the test itself takes comes first. */
	memset(gmem_ptr(&vm->mem.gmem, MIB(2), PAGE), 1, PAGE);
	before = resident();
	memset(gmem_ptr(&vm->mem.gmem, FIRST, LEN), 0xff, LEN);
	full = resident();
	assert_true(full - before >= (long)(LEN - MIB(1)));
	for (at = FIRST; at < FIRST + LEN / 2; at += MIB(1)) {
		for (i = 0; i < 256; i++)
			pfn[i] = (uint32_t)(at / PAGE) + i;
		assert_int_equal(gmem_write(&vm->mem.gmem, MIB(2), pfn,
					    sizeof(pfn)),
				 0);
		one_request(&inflate, 0, MIB(2), sizeof(pfn), false);
	}
	half = resident();
	assert_true(full - half >= (long)(LEN / 2 - MIB(1)));
	for (; at < FIRST + LEN; at += MIB(4))
		one_request(&reports, 4, at, MIB(4), true);
	empty = resident();
	assert_true(half - empty >= (long)(LEN / 2 - MIB(1)));
	/* And it is memory still. */
	for (at = FIRST; at < FIRST + LEN; at += PAGE)
		assert_int_equal(*(uint8_t *)gmem_ptr(&vm->mem.gmem, at, 1), 0);
	vdrv_done(&inflate);
	vdrv_done(&reports);
}

static void target_and_statistics_can_be_had_while_it_runs(void **state)
{
	struct trapmap_balloon_stats s = TRAPMAP_BALLOON_STATS_INIT;

	assert_int_equal(trapmap_vm_balloon_target(vm, 0), -ENODEV);
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), -ENODEV);
	assert_int_equal(set_balloon(MIB(8), 0), 0);
	assert_int_equal(trapmap_vm_balloon_target(vm, 0), -ESRCH);
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), -ESRCH);
	assert_int_equal(open_device(), 0);
	vm->state = VM_RUNNING;
	assert_int_equal(trapmap_vm_balloon_target(vm, MEM + PAGE), -EINVAL);
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), 0);
	assert_int_equal(s.target, MIB(8));
	assert_int_equal(s.actual, 0);
	assert_int_equal(s.reported, 0);
	assert_true(s.free == UINT64_MAX && s.minor_faults == UINT64_MAX);
	assert_int_equal(trapmap_vm_balloon_target(vm, MEM), 0);
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), 0);
	assert_int_equal(s.target, MEM);
	s.size--;
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), -EINVAL);
	/* How it was at the end. */
	vm->state = VM_ENDED;
	s.size++;
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), 0);
	assert_int_equal(trapmap_vm_balloon_target(vm, 0), -ESRCH);
	vm->state = VM_CONFIGURED;
}

static void assert_error(const char *want)
{
	assert_int_equal(vm->error.status, ERROR_INPUT);
	assert_string_equal(vm->error.text, want);
}

static void what_cannot_be_is_refused(void **state)
{
	struct trapmap_balloon balloon = { .size = 1 };

	assert_int_equal(trapmap_vm_set_balloon(vm, &balloon), -EINVAL);
	assert_error("struct trapmap_balloon: wrong size");
	assert_int_equal(set_balloon(MEM + 1, 0), 0);
	assert_int_equal(set_balloon(0, 0), -E2BIG);
	assert_error("there is a balloon already; a machine can have one");
	assert_int_equal(open_device(), -EINVAL);
	assert_error("balloon: 100663297 bytes are to be given up; the machine "
		     "has 100663296");
}

static void memory_that_is_pinned_cannot_be_given_back(void **state)
{
	struct trapmap_disk disk = TRAPMAP_DISK_INIT;

	disk.path = "a.img";
	assert_int_equal(set_balloon(0, 1), 0);
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), 0);
	vm->config.attached[1]->pins = true;
	assert_int_equal(open_device(), -EINVAL);
	assert_error("balloon: disk 'a.img' keeps all guest memory pinned, so "
		     "that none of it can be given back; leave out one of "
		     "both");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(memory_that_the_guest_gives_up_goes_back_to_the_host),
		T(target_and_statistics_can_be_had_while_it_runs),
		T(what_cannot_be_is_refused),
		T(memory_that_is_pinned_cannot_be_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
