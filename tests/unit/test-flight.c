// SPDX-License-Identifier: MIT
/* The recorder, with made-up exits. */
#include "test.h"

#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include "core/bus.h"
#include "flight.h"

static uint64_t no_read(struct device *dev, uint64_t off, unsigned size)
{
	return 0;
}

static void no_write(struct device *dev, uint64_t off, unsigned size,
		     uint64_t val)
{
}

static const struct device_ops wide_ops = {
	.name = "wide", .sizes = 4, .read = no_read, .write = no_write,
};

static union {
	struct kvm_run run;
	uint8_t pages[8192];
} mem;
static uint8_t *const data = mem.pages + 4096;
static struct device dev;
static struct bus pio, mmio;
static struct flight *flight;

static int setup(void **state)
{
	memset(&mem, 0, sizeof(mem));
	device_init(&dev, &wide_ops);
	bus_init(&pio, 0xffff);
	bus_init(&mmio, UINT64_MAX - 1);
	assert_int_equal(bus_add(&pio, 0x100, 8, &dev, 0), 0);
	assert_int_equal(bus_add(&mmio, 0xd0000000, 64, &dev, 8), 0);
	flight = calloc(1, sizeof(*flight));
	assert_non_null(flight);
	return 0;
}

static int teardown(void **state)
{
	free(flight);
	bus_done(&pio);
	bus_done(&mmio);
	device_done(&dev);
	return 0;
}

static const struct flight_record *put(uint32_t reason, uint64_t tsc)
{
	mem.run.exit_reason = reason;
	return flight_put(flight, &mem.run, tsc);
}

static const struct flight_record *io(int direction, uint16_t port,
				      uint8_t size, uint32_t count)
{
	mem.run.io.direction = (uint8_t)direction;
	mem.run.io.port = port;
	mem.run.io.size = size;
	mem.run.io.count = count;
	mem.run.io.data_offset = 4096;
	return put(KVM_EXIT_IO, 1);
}

static void a_port_access_is_kept_with_its_own_width(void **state)
{
	const struct flight_record *rec;

	memcpy(data, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	rec = io(KVM_EXIT_IO_OUT, 0x3f8, 2, 1);
	assert_int_equal(rec->reason, KVM_EXIT_IO);
	assert_int_equal(rec->addr, 0x3f8);
	assert_int_equal(rec->value, 0x2211);
	assert_int_equal(rec->size, 2);
	assert_int_equal(rec->count, 1);
	assert_int_equal(rec->flags, FLIGHT_WRITE);
	assert_int_equal(rec->rip, 0);
	rec = io(KVM_EXIT_IO_IN, 0x71, 1, 1);
	assert_int_equal(rec->value, 0x11);
	assert_int_equal(rec->flags, 0);
	rec = io(KVM_EXIT_IO_IN, 0xcf8, 4, 1);
	assert_int_equal(rec->value, 0x44332211);
}

static void a_string_instruction_has_its_first_item_and_their_count(void **state)
{
	const struct flight_record *rec;

	memcpy(data, "abc", 3);
	rec = io(KVM_EXIT_IO_OUT, 0x3f8, 1, 3);
	assert_int_equal(rec->value, 'a');
	assert_int_equal(rec->count, 3);
	rec = io(KVM_EXIT_IO_OUT, 0x3f8, 1, 70000);
	assert_int_equal(rec->count, 65535);
}

static void a_memory_access_has_no_more_bytes_than_it_is_long(void **state)
{
	const struct flight_record *rec;

	memset(mem.run.mmio.data, 0xff, 8);
	memcpy(mem.run.mmio.data, "\1\2\3", 3);
	mem.run.mmio.phys_addr = UINT64_C(0x123456789000);
	mem.run.mmio.len = 3;
	mem.run.mmio.is_write = 1;
	rec = put(KVM_EXIT_MMIO, 5);
	assert_true(rec->addr == UINT64_C(0x123456789000));
	assert_int_equal(rec->value, 0x030201);
	assert_int_equal(rec->size, 3);
	assert_int_equal(rec->flags, FLIGHT_WRITE);
	assert_int_equal(rec->tsc, 5);
	mem.run.mmio.len = 8;
	mem.run.mmio.is_write = 0;
	rec = put(KVM_EXIT_MMIO, 6);
	assert_true(rec->value == UINT64_C(0xffffffffff030201));
	assert_int_equal(rec->flags, 0);
}

static void an_msr_that_got_a_fault_is_one_that_nothing_answers(void **state)
{
	const struct flight_record *rec;

	mem.run.msr.index = 0xc0010140;
	mem.run.msr.data = 77;
	mem.run.msr.error = 1;
	rec = put(KVM_EXIT_X86_WRMSR, 1);
	assert_int_equal(rec->addr, 0xc0010140);
	assert_int_equal(rec->value, 77);
	assert_int_equal(rec->flags, FLIGHT_WRITE | FLIGHT_UNCLAIMED);
	rec = put(KVM_EXIT_X86_RDMSR, 1);
	assert_int_equal(rec->value, 0);
	assert_int_equal(rec->flags, FLIGHT_UNCLAIMED);
}

static void other_exits_keep_what_tells_them_apart(void **state)
{
	const struct flight_record *rec;

	mem.run.hypercall.nr = 9;
	mem.run.hypercall.args[0] = 123;
	rec = put(KVM_EXIT_HYPERCALL, 1);
	assert_int_equal(rec->addr, 9);
	assert_int_equal(rec->value, 123);
	mem.run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	assert_int_equal(put(KVM_EXIT_INTERNAL_ERROR, 1)->value,
			 KVM_INTERNAL_ERROR_EMULATION);
	mem.run.fail_entry.hardware_entry_failure_reason = 0x80000021;
	assert_int_equal(put(KVM_EXIT_FAIL_ENTRY, 1)->value, 0x80000021);
	mem.run.system_event.type = KVM_SYSTEM_EVENT_RESET;
	assert_int_equal(put(KVM_EXIT_SYSTEM_EVENT, 1)->value,
			 KVM_SYSTEM_EVENT_RESET);
	rec = put(KVM_EXIT_SHUTDOWN, 1);
	assert_int_equal(rec->addr, 0);
	assert_int_equal(rec->value, 0);
	assert_int_equal(rec->size, 0);
	assert_int_equal(flight_total(flight), 5);
}

static void the_last_256_are_kept(void **state)
{
	unsigned i;

	for (i = 0; i < FLIGHT_RECORDS + 10; i++)
		(void)put(KVM_EXIT_HLT, i);
	assert_int_equal(flight_total(flight), FLIGHT_RECORDS + 10);
	assert_int_equal(flight->record[9].tsc, FLIGHT_RECORDS + 9);
	assert_int_equal(flight->record[10].tsc, 10);
}

static void what_nothing_claims_is_marked_afterwards(void **state)
{
	unsigned i;
	static const struct {
		uint16_t port;
		uint8_t size;
		bool claimed;
	} cases[] = {
		{ 0x100, 4, true },
		{ 0x104, 4, true },
		{ 0x105, 4, false }, /* its end is in no range */
		{ 0x100, 2, false }, /* narrower than the device takes */
		{ 0xff, 4, false },
		{ 0xffff, 4, false },
	};

	for (i = 0; i < 6; i++)
		(void)io(KVM_EXIT_IO_IN, cases[i].port, cases[i].size, 1);
	mem.run.mmio.phys_addr = 0xd0000000;
	mem.run.mmio.len = 8; /* in two steps */
	(void)put(KVM_EXIT_MMIO, 1);
	mem.run.mmio.phys_addr = UINT64_MAX;
	(void)put(KVM_EXIT_MMIO, 1);
	(void)put(KVM_EXIT_SHUTDOWN, 1);
	flight_settle(flight, &pio, &mmio);
	for (i = 0; i < 6; i++)
		assert_int_equal(!(flight->record[i].flags & FLIGHT_UNCLAIMED),
				 cases[i].claimed);
	assert_int_equal(flight->record[6].flags & FLIGHT_UNCLAIMED, 0);
	assert_int_equal(flight->record[7].flags, FLIGHT_UNCLAIMED);
	assert_int_equal(flight->record[8].flags, 0);
	assert_ptr_equal(flight_device(&flight->record[6], &pio, &mmio), &dev);
}

static void reasons_have_the_names_that_kvm_gives_them(void **state)
{
	assert_string_equal(flight_reason(KVM_EXIT_IO), "IO");
	assert_string_equal(flight_reason(KVM_EXIT_X86_WRMSR), "X86_WRMSR");
	assert_null(flight_reason(KVM_EXIT_S390_TSCH));
	assert_null(flight_reason(UINT32_MAX));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_port_access_is_kept_with_its_own_width),
		T(a_string_instruction_has_its_first_item_and_their_count),
		T(a_memory_access_has_no_more_bytes_than_it_is_long),
		T(an_msr_that_got_a_fault_is_one_that_nothing_answers),
		T(other_exits_keep_what_tells_them_apart),
		T(the_last_256_are_kept),
		T(what_nothing_claims_is_marked_afterwards),
		T(reasons_have_the_names_that_kvm_gives_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
