// SPDX-License-Identifier: MIT
/* Made-up exits: no KVM is open here. */
#include "test.h"

#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <string.h>

#include "core/base.h"
#include "core/bus.h"
#include "exit.h"

/* A device that logs what reaches it and counts up what is read from it. */
struct probe_dev {
	struct device dev;
	unsigned count;
	struct {
		uint64_t off, val;
		unsigned size;
	} log[16];
	uint8_t next;
};

static uint64_t log_read(struct device *dev, uint64_t off, unsigned size)
{
	struct probe_dev *p = container_of(dev, struct probe_dev, dev);

	p->log[p->count].off = off;
	p->log[p->count++].size = size;
	return p->next++;
}

static void log_write(struct device *dev, uint64_t off, unsigned size,
		      uint64_t val)
{
	struct probe_dev *p = container_of(dev, struct probe_dev, dev);

	p->log[p->count].off = off;
	p->log[p->count].val = val;
	p->log[p->count++].size = size;
}

static const struct device_ops log_ops = {
	.name = "log", .sizes = 1 | 2 | 4 | 8, .read = log_read,
	.write = log_write,
};

static struct probe_dev dev;
static struct bus pio, mmio;
static struct exit_end end;
static union {
	struct kvm_run run;
	uint8_t pages[8192];
} mem;
static uint8_t *const data = mem.pages + 4096;

static int setup(void **state)
{
	memset(&dev, 0, sizeof(dev));
	memset(&mem, 0, sizeof(mem));
	memset(&end, 0xee, sizeof(end));
	device_init(&dev.dev, &log_ops);
	bus_init(&pio, 0xffff);
	bus_init(&mmio, UINT64_MAX - 1);
	assert_int_equal(bus_add(&pio, 0x70, 8, &dev.dev, 0), 0);
	assert_int_equal(bus_add(&mmio, 0xd0000000, 64, &dev.dev, 0), 0);
	return 0;
}

static int teardown(void **state)
{
	bus_done(&pio);
	bus_done(&mmio);
	device_done(&dev.dev);
	return 0;
}

static enum exit_action exit_with(uint32_t reason)
{
	mem.run.exit_reason = reason;
	return exit_handle(&pio, &mmio, &mem.run, &end);
}

static void set_io(int direction, uint16_t port, uint8_t size, uint32_t count)
{
	mem.run.io.direction = (uint8_t)direction;
	mem.run.io.port = port;
	mem.run.io.size = size;
	mem.run.io.count = count;
	mem.run.io.data_offset = 4096;
}

static void io(int direction, uint16_t port, uint8_t size, uint32_t count)
{
	set_io(direction, port, size, count);
	assert_int_equal(exit_with(KVM_EXIT_IO), EXIT_RESUME);
}

static void a_port_write_reaches_its_device(void **state)
{
	memcpy(data, "\x11\x22\x33\x44", 4);
	io(KVM_EXIT_IO_OUT, 0x71, 1, 1);
	io(KVM_EXIT_IO_OUT, 0x72, 2, 1);
	io(KVM_EXIT_IO_OUT, 0x74, 4, 1);
	assert_int_equal(dev.count, 3);
	assert_int_equal(dev.log[0].off, 1);
	assert_int_equal(dev.log[0].val, 0x11);
	assert_int_equal(dev.log[1].val, 0x2211);
	assert_int_equal(dev.log[2].val, 0x44332211);
}

static void a_port_read_fills_its_width_and_no_more(void **state)
{
	memset(data, 0xaa, 8);
	dev.next = 0x42;
	io(KVM_EXIT_IO_IN, 0x70, 2, 1);
	assert_int_equal(data[0], 0x42);
	assert_int_equal(data[1], 0);
	assert_int_equal(data[2], 0xaa);
}

static void in_string_output_the_port_stays_and_the_data_advances(void **state)
{
	memcpy(data, "abc", 3);
	io(KVM_EXIT_IO_OUT, 0x70, 1, 3);
	assert_int_equal(dev.count, 3);
	assert_int_equal(dev.log[0].off, 0);
	assert_int_equal(dev.log[2].off, 0);
	assert_int_equal(dev.log[0].val, 'a');
	assert_int_equal(dev.log[1].val, 'b');
	assert_int_equal(dev.log[2].val, 'c');
}

static void in_string_input_the_data_advances(void **state)
{
	dev.next = 1;
	io(KVM_EXIT_IO_IN, 0x70, 4, 3);
	assert_int_equal(get_le32(data), 1);
	assert_int_equal(get_le32(data + 4), 2);
	assert_int_equal(get_le32(data + 8), 3);
}

static void an_unclaimed_port_reads_all_ones(void **state)
{
	io(KVM_EXIT_IO_IN, 0x1234, 4, 1);
	assert_int_equal(get_le32(data), 0xffffffff);
	io(KVM_EXIT_IO_OUT, 0x1234, 4, 1);
	assert_int_equal(dev.count, 0);
}

static void mmio_access(bool is_write, uint64_t addr, uint32_t len)
{
	mem.run.mmio.is_write = is_write;
	mem.run.mmio.phys_addr = addr;
	mem.run.mmio.len = len;
	assert_int_equal(exit_with(KVM_EXIT_MMIO), EXIT_RESUME);
}

static void memory_accesses_reach_their_device(void **state)
{
	memcpy(mem.run.mmio.data, "\1\2\3\4\5\6\7\10", 8);
	mmio_access(true, 0xd0000010, 8);
	assert_int_equal(dev.log[0].off, 0x10);
	assert_true(dev.log[0].val == UINT64_C(0x0807060504030201));
	dev.next = 7;
	mmio_access(false, 0xd0000000, 4);
	assert_int_equal(get_le32(mem.run.mmio.data), 7);
}

static void an_odd_length_comes_as_powers_of_two(void **state)
{
	memcpy(mem.run.mmio.data, "\1\2\3\4\5\6\7", 7);
	mmio_access(true, 0xd0000000, 7);
	assert_int_equal(dev.count, 3);
	assert_int_equal(dev.log[0].size, 4);
	assert_int_equal(dev.log[1].off, 4);
	assert_int_equal(dev.log[1].size, 2);
	assert_int_equal(dev.log[1].val, 0x0605);
	assert_int_equal(dev.log[2].size, 1);
	/* A length that KVM never gives is cut, not believed. */
	mmio_access(true, 0xd0000000, 1000);
	assert_int_equal(dev.count, 4);
}

static void a_strict_bus_ends_the_run_at_the_first_unclaimed_access(void **state)
{
	pio.strict = true;
	set_io(KVM_EXIT_IO_IN, 0x2e8, 2, 3);
	assert_int_equal(exit_with(KVM_EXIT_IO), EXIT_ENDED);
	assert_int_equal(end.kind, TRAPMAP_END_UNCLAIMED);
	assert_string_equal(end.text, "read of 2 bytes from port 0x2e8, which "
				      "nothing claims");

	set_io(KVM_EXIT_IO_OUT, 0x2e8, 1, 1);
	assert_int_equal(exit_with(KVM_EXIT_IO), EXIT_ENDED);
	assert_string_equal(end.text, "write of 1 byte to port 0x2e8, which "
				      "nothing claims");
}

static void a_strict_bus_lets_a_device_be_used(void **state)
{
	pio.strict = true;
	io(KVM_EXIT_IO_IN, 0x71, 1, 1);
}

static void a_strict_bus_ends_the_run_at_unclaimed_memory(void **state)
{
	mmio.strict = true;
	mem.run.mmio.phys_addr = 0xe0000001;
	mem.run.mmio.len = 3;
	mem.run.mmio.is_write = 1;
	assert_int_equal(exit_with(KVM_EXIT_MMIO), EXIT_ENDED);
	assert_string_equal(end.text, "write of 2 bytes to address 0xe0000001, "
				      "which nothing claims");
}

static void unclaimed_memory_reads_all_ones(void **state)
{
	mmio_access(false, 0xb8000, 2);
	assert_int_equal(get_le16(mem.run.mmio.data), 0xffff);
}

static void halt_is_for_the_vcpu_to_decide(void **state)
{
	assert_int_equal(exit_with(KVM_EXIT_HLT), EXIT_HALTED);
}

static void interruptions_resume(void **state)
{
	assert_int_equal(exit_with(KVM_EXIT_INTR), EXIT_RESUME);
	assert_int_equal(exit_with(KVM_EXIT_IRQ_WINDOW_OPEN), EXIT_RESUME);
	assert_int_equal(exit_with(KVM_EXIT_SET_TPR), EXIT_RESUME);
}

static void a_triple_fault_is_a_crash(void **state)
{
	assert_int_equal(exit_with(KVM_EXIT_SHUTDOWN), EXIT_ENDED);
	assert_int_equal(end.kind, TRAPMAP_END_CRASH);
	assert_non_null(strstr(end.text, "triple fault"));
}

static void a_failed_entry_names_its_reason(void **state)
{
	mem.run.fail_entry.hardware_entry_failure_reason = 0x80000021;
	assert_int_equal(exit_with(KVM_EXIT_FAIL_ENTRY), EXIT_ENDED);
	assert_int_equal(end.kind, TRAPMAP_END_CRASH);
	assert_non_null(strstr(end.text, "0x80000021"));
}

static void internal_errors_are_named(void **state)
{
	mem.run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	assert_int_equal(exit_with(KVM_EXIT_INTERNAL_ERROR), EXIT_ENDED);
	assert_int_equal(end.kind, TRAPMAP_END_CRASH);
	assert_non_null(strstr(end.text, "could not emulate"));

	mem.run.internal.suberror = 12345;
	assert_int_equal(exit_with(KVM_EXIT_INTERNAL_ERROR), EXIT_ENDED);
	assert_non_null(strstr(end.text, "12345"));
}

static void system_events_have_their_meanings(void **state)
{
	static const struct {
		uint32_t type;
		enum trapmap_end_kind kind;
	} cases[] = {
		{ KVM_SYSTEM_EVENT_SHUTDOWN, TRAPMAP_END_POWEROFF },
		{ KVM_SYSTEM_EVENT_RESET, TRAPMAP_END_RESET },
		{ KVM_SYSTEM_EVENT_CRASH, TRAPMAP_END_CRASH },
		{ 99, TRAPMAP_END_HOST_FAILURE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		mem.run.system_event.type = cases[i].type;
		assert_int_equal(exit_with(KVM_EXIT_SYSTEM_EVENT), EXIT_ENDED);
		assert_int_equal(end.kind, cases[i].kind);
	}
}

static void a_hypercall_is_not_offered(void **state)
{
	assert_int_equal(exit_with(KVM_EXIT_HYPERCALL), EXIT_RESUME);
	assert_true(mem.run.hypercall.ret == (uint64_t)-KVM_ENOSYS);
}

static void an_unknown_msr_is_a_general_protection_fault(void **state)
{
	assert_int_equal(exit_with(KVM_EXIT_X86_RDMSR), EXIT_RESUME);
	assert_int_equal(mem.run.msr.error, 1);
	mem.run.msr.error = 0;
	assert_int_equal(exit_with(KVM_EXIT_X86_WRMSR), EXIT_RESUME);
	assert_int_equal(mem.run.msr.error, 1);
}

static void an_exit_that_nobody_asked_for_is_the_hosts_failure(void **state)
{
	assert_int_equal(exit_with(4711), EXIT_ENDED);
	assert_int_equal(end.kind, TRAPMAP_END_HOST_FAILURE);
	assert_non_null(strstr(end.text, "4711"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_port_write_reaches_its_device),
		T(a_port_read_fills_its_width_and_no_more),
		T(in_string_output_the_port_stays_and_the_data_advances),
		T(in_string_input_the_data_advances),
		T(an_unclaimed_port_reads_all_ones),
		T(memory_accesses_reach_their_device),
		T(an_odd_length_comes_as_powers_of_two),
		T(a_strict_bus_ends_the_run_at_the_first_unclaimed_access),
		T(a_strict_bus_lets_a_device_be_used),
		T(a_strict_bus_ends_the_run_at_unclaimed_memory),
		T(unclaimed_memory_reads_all_ones),
		T(halt_is_for_the_vcpu_to_decide),
		T(interruptions_resume),
		T(a_triple_fault_is_a_crash),
		T(a_failed_entry_names_its_reason),
		T(internal_errors_are_named),
		T(system_events_have_their_meanings),
		T(a_hypercall_is_not_offered),
		T(an_unknown_msr_is_a_general_protection_fault),
		T(an_exit_that_nobody_asked_for_is_the_hosts_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
