// SPDX-License-Identifier: MIT
/* Exits counted and timed; a tick is a nanosecond here. */
#include "test.h"

#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include "core/bus.h"
#include "flight.h"
#include "machine.h"
#include "stats.h"
#include "virtio/balloon.h"
#include "virtio/rng.h"

static uint64_t no_read(struct device *dev, uint64_t off, unsigned size)
{
	return 0;
}

static void no_write(struct device *dev, uint64_t off, unsigned size,
		     uint64_t val)
{
}

static const struct device_ops uart_ops = {
	.name = "uart", .sizes = 1, .read = no_read, .write = no_write,
};

static const struct tsc_mark from = { .tsc = 1000, .ns = 5000 };
static const struct tsc_mark to = { .tsc = 2000, .ns = 6000 };

static struct device dev;
static struct bus pio, mmio;
static struct stats *stats[2];
static struct stats_total *total;

static int setup(void **state)
{
	device_init(&dev, &uart_ops);
	bus_init(&pio, 0xffff);
	bus_init(&mmio, UINT64_MAX - 1);
	assert_int_equal(bus_add(&pio, 0x3f8, 8, &dev, 0), 0);
	assert_int_equal(bus_add(&mmio, 0xd0000000, 64, &dev, 0), 0);
	assert_int_equal(stats_new(&stats[0]), 0);
	assert_int_equal(stats_new(&stats[1]), 0);
	total = NULL;
	return 0;
}

static int teardown(void **state)
{
	stats_total_free(total);
	stats_free(stats[0]);
	stats_free(stats[1]);
	bus_done(&pio);
	bus_done(&mmio);
	device_done(&dev);
	return 0;
}

static void count(unsigned cpu, uint32_t reason, uint64_t addr, uint64_t ticks)
{
	const struct flight_record rec = { .reason = reason, .addr = addr };

	stats_count(stats[cpu], &rec, ticks);
}

static void add_up(void)
{
	assert_int_equal(stats_add_up(stats, 2, &pio, &mmio, &from, &to,
				      &total),
			 0);
}

static const struct stats_row *find(const struct stats_row *row, size_t n,
				    uint32_t reason, uint64_t first)
{
	const struct stats_row *found = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (row[i].reason == reason && row[i].first == first &&
		    !row[i].others) {
			assert_null(found);
			found = &row[i];
		}
	return found;
}

static void a_devices_ports_are_one_row_of_all_vcpus(void **state)
{
	const struct stats_row *row;

	count(0, KVM_EXIT_IO, 0x3f8, 10);
	count(0, KVM_EXIT_IO, 0x3fd, 30);
	count(1, KVM_EXIT_IO, 0x3f8, 20);
	add_up();
	assert_int_equal(total->place_count, 1);
	row = &total->places[0];
	assert_int_equal(row->first, 0x3f8);
	assert_int_equal(row->last, 0x3ff);
	assert_string_equal(row->device, "uart");
	assert_int_equal(row->count, 3);
	assert_int_equal(row->total_ns, 60);
	assert_int_equal(row->worst_ns, 30);
}

static void what_no_device_claims_has_a_row_an_address(void **state)
{
	const struct stats_row *row;

	count(0, KVM_EXIT_IO, 0xcf8, 10);
	count(0, KVM_EXIT_IO, 0xcfc, 10);
	count(0, KVM_EXIT_MMIO, 0xcf8, 10);
	count(0, KVM_EXIT_X86_RDMSR, 0xcf8, 10);
	count(0, KVM_EXIT_MMIO, 0xd0000004, 10);
	count(1, KVM_EXIT_SHUTDOWN, 0, 10);
	add_up();
	assert_int_equal(total->place_count, 5);
	row = find(total->places, 5, KVM_EXIT_IO, 0xcf8);
	assert_non_null(row);
	assert_int_equal(row->last, 0xcf8);
	assert_null(row->device);
	assert_non_null(find(total->places, 5, KVM_EXIT_IO, 0xcfc));
	assert_non_null(find(total->places, 5, KVM_EXIT_X86_RDMSR, 0xcf8));
	row = find(total->places, 5, KVM_EXIT_MMIO, 0xd0000000);
	assert_non_null(row);
	assert_int_equal(row->last, 0xd000003f);
}

static void reasons_are_added_up_and_the_dearest_is_first(void **state)
{
	count(0, KVM_EXIT_IO, 0x3f8, 10);
	count(1, KVM_EXIT_IO, 0xcf8, 15);
	count(1, KVM_EXIT_MMIO, 0xd0000000, 100);
	count(1, KVM_EXIT_SHUTDOWN, 0, 1);
	add_up();
	assert_int_equal(total->reason_count, 3);
	assert_int_equal(total->reasons[0].reason, KVM_EXIT_MMIO);
	assert_int_equal(total->reasons[1].reason, KVM_EXIT_IO);
	assert_int_equal(total->reasons[1].count, 2);
	assert_int_equal(total->reasons[1].total_ns, 25);
	assert_int_equal(total->reasons[1].worst_ns, 15);
	assert_int_equal(total->reasons[2].reason, KVM_EXIT_SHUTDOWN);
}

static void a_full_table_loses_addresses_and_no_exit(void **state)
{
	uint64_t exits = 0, others = 0;
	size_t i;

	for (i = 0; i < 5000; i++)
		count(0, KVM_EXIT_MMIO, 0xe0000000 + i * 4, 2);
	count(0, 99999, 0, 7); /* a reason of some day */
	add_up();
	for (i = 0; i < total->place_count; i++)
		if (total->places[i].reason == KVM_EXIT_MMIO) {
			exits += total->places[i].count;
			others += total->places[i].others;
		}
	assert_int_equal(exits, 5000);
	assert_int_equal(others, 1);
	assert_non_null(find(total->reasons, total->reason_count, 99999, 0));
	for (i = 0; i < total->reason_count; i++)
		if (total->reasons[i].reason == KVM_EXIT_MMIO) {
			assert_int_equal(total->reasons[i].count, 5000);
			assert_int_equal(total->reasons[i].total_ns, 10000);
			return;
		}
	fail();
}

static void what_the_kernel_does_not_tell_stays_unknown(void **state)
{
	uint64_t until;

	stats_enter(stats[0]);
	stats_outside(stats[0], 40, false);
	stats_outside(stats[0], 60, true);
	for (until = tsc_read() + 200; tsc_read() < until;)
		;
	stats_leave(stats[0], -1); /* no KVM to be asked */
	add_up();
	assert_in_range(total->time.wall_ns, 200, UINT64_MAX - 1);
	assert_int_equal(total->time.trapmap_ns, 40);
	assert_int_equal(total->time.standing_ns, 60);
	assert_true(total->time.halted_ns == STATS_UNKNOWN);
	assert_true(total->time.kvm_ns == STATS_UNKNOWN);
}

static void the_table_names_devices_and_says_what_is_not_known(void **state)
{
	char *text;
	size_t i;

	count(0, KVM_EXIT_IO, 0x3f8, 1500);
	count(0, KVM_EXIT_IO, 0xcf8, 500);
	count(0, KVM_EXIT_X86_WRMSR, 0x1b, 500);
	for (i = 0; i < 100; i++)
		count(0, KVM_EXIT_MMIO, 0x1000 + i, 1);
	stats_enter(stats[1]);
	stats_leave(stats[1], -1);
	add_up();
	text = stats_text(total);
	assert_non_null(text);
	assert_non_null(strstr(text, "0x3f8-0x3ff"));
	assert_non_null(strstr(text, "uart"));
	assert_non_null(strstr(text, "unclaimed"));
	assert_non_null(strstr(text, "and 60 more"));
	assert_non_null(strstr(text, "not known"));
	assert_int_equal(text[strlen(text) - 1], '\n');
	for (i = 0; text[i];) {
		size_t len = strcspn(text + i, "\n");

		assert_in_range(len, 0, 79);
		i += len + 1;
	}
	free(text);
}

static int discard(void *opaque, void *host, size_t len)
{
	return 0;
}

static void every_queue_that_was_used_has_a_line(void **state)
{
	static const struct gmem no_ram;
	static const struct virtio_rng_config rng = { .ram = &no_ram };
	static const struct virtio_balloon_config balloon = {
		.ram = &no_ram, .target = 64 << 20, .discard = discard,
	};
	static struct machine m;
	struct virtio_device *vd[4];
	struct device lock;
	unsigned i;
	char *text;

	device_init(&lock, &uart_ops);
	for (i = 0; i < 4; i++) {
		assert_int_equal(i < 3 ? virtio_rng_new(&rng, &vd[i]) :
					 virtio_balloon_new(&balloon, &vd[i]),
				 0);
		virtio_attach(vd[i], &lock, NULL, NULL);
		m.virtio[i].vd = vd[i];
	}
	m.virtio_count = 4;
	m.virtio[0].notice.name = "nobody's";
	m.virtio[1].notice.name = "disk 'root.img'";
	m.virtio[2].notice.name = "tap 'tap0'";
	m.virtio[3].notice.name = "balloon";
	vd[1]->queue[0].q.stats = (struct virtq_stats){
		.chains = 1000, .bytes = UINT64_C(5000000000),
		.notifications = 300, .interrupts = 20, .interrupts_saved = 30,
	};
	vd[2]->queue[0].lent = true;
	/* Its own again and again: there are more than requests. */
	vd[3]->queue[1].q.stats.notifications = 2;
	vd[3]->queue[1].q.stats.chains = 1;

	add_up();
	assert_int_equal(stats_add_virtio(total, &m), 0);
	assert_int_equal(total->queue_count, 3);
	assert_int_equal(total->queues[0].notifications_saved, 700);
	assert_int_equal(total->queues[1].in_kernel, true);
	assert_int_equal(total->queues[2].queue, 1);
	assert_int_equal(total->queues[2].notifications_saved, 0);
	assert_true(total->has_balloon);
	assert_int_equal(total->balloon.target, 64 << 20);
	text = stats_text(total);
	assert_non_null(strstr(text, "\n  disk 'root.img'\n"
				     "    queue 0          1000    5000000000       "
				     "300       700        20        30\n"));
	assert_non_null(strstr(text, "\n  tap 'tap0'\n    queue 0       in the "
				     "kernel\n"));
	assert_null(strstr(text, "nobody"));
	assert_non_null(strstr(text, "\nBalloon: 64 MiB asked for, 0 MiB given "
				     "up\n"));
	for (i = 0; text[i]; i += (unsigned)strcspn(text + i, "\n") + 1)
		assert_in_range(strcspn(text + i, "\n"), 0, 79);
	free(text);
	for (i = 0; i < 4; i++)
		virtio_free(vd[i]);
	device_done(&lock);
}

static void a_guest_without_an_exit_has_a_table_too(void **state)
{
	char *text;

	add_up();
	assert_int_equal(total->reason_count, 0);
	text = stats_text(total);
	assert_non_null(strstr(text, "none"));
	free(text);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_devices_ports_are_one_row_of_all_vcpus),
		T(what_no_device_claims_has_a_row_an_address),
		T(reasons_are_added_up_and_the_dearest_is_first),
		T(a_full_table_loses_addresses_and_no_exit),
		T(what_the_kernel_does_not_tell_stays_unknown),
		T(the_table_names_devices_and_says_what_is_not_known),
		T(every_queue_that_was_used_has_a_line),
		T(a_guest_without_an_exit_has_a_table_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
