// SPDX-License-Identifier: MIT
/* The setters: what they take, what they refuse, and that a refusal is none. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "vm.h"

static struct trapmap_vm *vm;

static int setup(void **state)
{
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -1;
	vm_config_init(&vm->config);
	return 0;
}

static int teardown(void **state)
{
	vm_config_done(&vm->config);
	free(vm);
	return 0;
}

static void assert_error(const char *piece)
{
	assert_int_equal(vm->error.status, ERROR_INPUT);
	if (!strstr(vm->error.text, piece))
		fail_msg("\"%s\" does not say \"%s\"", vm->error.text, piece);
	vm->error.text[0] = '\0';
}

static unsigned open_fds(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void the_hosts_processors_are_checked_one_by_one(void **state)
{
	uint32_t none[] = { UINT32_MAX, 0 };

	assert_int_equal(trapmap_vm_set_affinity(vm, none, 1), -EINVAL);
	assert_error("there is no host processor 4294967295 to run a vCPU on");
	assert_int_equal(vm_host_cpu(vm, 0), -1);
	assert_int_equal(trapmap_vm_set_affinity(vm, NULL, 0), 0);
	assert_int_equal(vm_host_cpu(vm, 7), -1);
}

static void an_nvram_is_a_path_that_is_copied(void **state)
{
	struct trapmap_nvram n = TRAPMAP_NVRAM_INIT;
	char path[] = "a";

	n.path = path;
	n.set_clock = 7;
	assert_int_equal(trapmap_vm_set_nvram(vm, &n), 0);
	path[0] = 'b';
	assert_string_equal(vm->config.machine.nvram, "a");
	assert_true(vm->config.machine.nvram_set_clock);
	n.path = "";
	assert_int_equal(trapmap_vm_set_nvram(vm, &n), -EINVAL);
	assert_error("struct trapmap_nvram: the path is empty");
	n.path = NULL;
	n.size--;
	assert_int_equal(trapmap_vm_set_nvram(vm, &n), -EINVAL);
	assert_error("struct trapmap_nvram: wrong size");
	n.size++;
	assert_int_equal(trapmap_vm_set_nvram(vm, &n), 0);
	assert_null(vm->config.machine.nvram);
	assert_int_equal(trapmap_vm_power_button(vm), -ESRCH);
}

static void a_processor_is_known_or_refused_at_once(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;

	m.cpu = "x86-64-v2,+aes";
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	m.cpu = "x86-64-v22";
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	assert_error("processor 'x86-64-v22': unknown model");
	assert_string_equal(vm->config.cpu, "x86-64-v2,+aes");
}

static void an_arrangement_of_another_size_is_refused(void **state)
{
	struct trapmap_topology t = TRAPMAP_TOPOLOGY_INIT;

	t.cores = 3;
	assert_int_equal(trapmap_vm_set_topology(vm, &t), 0);
	assert_int_equal(vm->config.topology.cores, 3);
	t.size--;
	t.cores = 4;
	assert_int_equal(trapmap_vm_set_topology(vm, &t), -EINVAL);
	assert_error("struct trapmap_topology: wrong size");
	assert_int_equal(vm->config.topology.cores, 3);
}

static void zeroes_are_the_defaults(void **state)
{
	const struct trapmap_machine m = TRAPMAP_MACHINE_INIT;

	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	assert_int_equal(vm->config.mem, MIB(256));
	assert_int_equal(vm->config.cpus, 1);
	assert_null(vm->config.cpu);
	assert_null(vm->config.kvm_path);
	assert_false(vm->config.machine.serial[0].asked);
}

static void strings_are_copied_and_replaced(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	char cpu[] = "host,-cx16", line[] = "quiet";

	m.cpu = cpu;
	m.kvm_path = "/dev/kvm";
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	assert_int_equal(trapmap_vm_set_cmdline(vm, line), 0);
	cpu[0] = line[0] = '?';
	assert_string_equal(vm->config.cpu, "host,-cx16");
	assert_string_equal(vm->config.cmdline, "quiet");
	/* All options are replaced, those left out too. */
	m.cpu = NULL;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	assert_null(vm->config.cpu);
	assert_string_equal(vm->config.kvm_path, "/dev/kvm");
	assert_int_equal(trapmap_vm_set_cmdline(vm, "debug"), 0);
	assert_string_equal(vm->config.cmdline, "debug");
}

static void memory_is_whole_pages_from_1_mib_on(void **state)
{
	const uint64_t bad[] = { 1, 4096, MIB(1) - 4096, MIB(1) + 1,
				 MIB(64) - 1, UINT64_MAX };
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	unsigned i;

	m.mem = MIB(1);
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	m.mem = GIB(3) + 4096;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		m.mem = bad[i];
		assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
		assert_error("guest memory of");
	}
	/* What was set before still is. */
	assert_int_equal(vm->config.mem, GIB(3) + 4096);
}

static void values_that_no_option_has_are_refused(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;

	m.rtc_base = (enum trapmap_rtc_base)3;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m = (struct trapmap_machine)TRAPMAP_MACHINE_INIT;
	m.rtc_clock = (enum trapmap_rtc_clock)2;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m = (struct trapmap_machine)TRAPMAP_MACHINE_INIT;
	m.on_reset = (enum trapmap_on_reset)3;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m = (struct trapmap_machine)TRAPMAP_MACHINE_INIT;
	m.debug_exit = (enum trapmap_debug_exit)2;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	assert_error("debug_exit");
	m = (struct trapmap_machine)TRAPMAP_MACHINE_INIT;
	m.size = 0;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	assert_error("size");
}

static void a_date_is_within_four_digits_of_a_year(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;

	m.rtc_base = TRAPMAP_RTC_BASE_EPOCH;
	m.rtc_epoch = INT64_C(253402300799); /* 9999-12-31 23:59:59 */
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	m.rtc_epoch++;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	assert_error("rtc_epoch");
	m.rtc_epoch = INT64_MIN;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m.rtc_base = TRAPMAP_RTC_BASE_UTC; /* which does not look at it */
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
}

static void a_kernel_is_one_thing_and_the_last_counts(void **state)
{
	struct trapmap_source src = { .size = sizeof(src), .path = "a" };

	assert_int_equal(trapmap_vm_set_kernel(vm, &src), 0);
	src.data = "x";
	src.len = 1;
	assert_int_equal(trapmap_vm_set_kernel(vm, &src), -EINVAL);
	assert_error("both");
	assert_string_equal(vm->config.kernel.name, "a");
	src.path = NULL;
	assert_int_equal(trapmap_vm_set_kernel(vm, &src), 0);
	assert_ptr_equal(vm->config.kernel.data, src.data);
	src = (struct trapmap_source){ .size = sizeof(src), .fd = -1 };
	assert_int_equal(trapmap_vm_set_kernel(vm, &src), -EBADF);
	assert_error("descriptor");
	src.size--;
	assert_int_equal(trapmap_vm_set_kernel(vm, &src), -EINVAL);
	assert_error("size");
	assert_non_null(vm->config.kernel.data);
}

static void sixty_four_initrds_and_no_more(void **state)
{
	struct trapmap_source src = { .size = sizeof(src), .path = "a" };
	unsigned i;

	for (i = 0; i < 64; i++)
		assert_int_equal(trapmap_vm_add_initrd(vm, &src), 0);
	assert_int_equal(trapmap_vm_add_initrd(vm, &src), -E2BIG);
	assert_error("64");
	assert_int_equal(vm->config.initrds, 64);
}

static void serial_ends_are_duplicated_and_replaced(void **state)
{
	struct trapmap_serial s = TRAPMAP_SERIAL_INIT;
	unsigned before;
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	before = open_fds();
	s.in_fd = p[0];
	s.out_fd = p[1];
	assert_int_equal(trapmap_vm_set_serial(vm, &s), 0);
	assert_int_not_equal(vm->config.machine.serial[0].in_fd, p[0]);
	assert_int_equal(trapmap_vm_set_serial(vm, &s), 0);
	assert_int_equal(open_fds(), before + 2);
	/* One that is bad leaves both as they were, and nothing behind. */
	s.out_fd = 1 << 20;
	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EBADF);
	assert_error("out_fd");
	s.out_fd = p[1];
	s.in_fd = 1 << 20;
	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EBADF);
	assert_error("in_fd");
	assert_int_equal(open_fds(), before + 2);
	assert_int_equal(write(vm->config.machine.serial[0].out_fd, "x", 1), 1);
	s = (struct trapmap_serial)TRAPMAP_SERIAL_INIT;
	assert_int_equal(trapmap_vm_set_serial(vm, &s), 0);
	assert_int_equal(open_fds(), before);
	close(p[0]);
	close(p[1]);
}

static uint64_t own_read(void *opaque, uint64_t off, unsigned size)
{
	return 0;
}

static void own_write(void *opaque, uint64_t off, unsigned size, uint64_t val)
{
}

static int add(const char *name, enum trapmap_space space, uint64_t base,
	       uint64_t len)
{
	const struct trapmap_device dev = {
		.size = sizeof(dev),
		.name = name,
		.space = space,
		.base = base,
		.len = len,
		.read = own_read,
		.write = own_write,
	};

	return trapmap_vm_add_device(vm, &dev);
}

static void devices_end_within_their_space(void **state)
{
	assert_int_equal(add("a", TRAPMAP_SPACE_PIO, 0x500, 0), -EINVAL);
	assert_error("'a'");
	assert_int_equal(add("b", TRAPMAP_SPACE_PIO, 0xffff, 2), -EINVAL);
	assert_error("0xffff");
	assert_int_equal(add("c", TRAPMAP_SPACE_PIO, 0x10000, 1), -EINVAL);
	assert_int_equal(add("d", TRAPMAP_SPACE_PIO, 2, UINT64_MAX), -EINVAL);
	assert_int_equal(add("e", TRAPMAP_SPACE_MMIO, UINT64_MAX - 1, 3),
			 -EINVAL);
	assert_int_equal(vm->config.devices, 0);
	assert_int_equal(add("f", TRAPMAP_SPACE_PIO, 0xffff, 1), 0);
	assert_int_equal(add("g", TRAPMAP_SPACE_MMIO, UINT64_MAX - 1, 1), 0);
}

static void devices_do_not_overlap_in_the_same_space(void **state)
{
	char name[] = "first";

	assert_int_equal(add(name, TRAPMAP_SPACE_PIO, 0x500, 4), 0);
	name[0] = '?';
	assert_int_equal(add("second", TRAPMAP_SPACE_PIO, 0x503, 1), -EEXIST);
	assert_error("'second' overlaps device 'first'");
	assert_int_equal(add("around", TRAPMAP_SPACE_PIO, 0, 0x10000),
			 -EEXIST);
	assert_int_equal(add("before", TRAPMAP_SPACE_PIO, 0x4ff, 1), 0);
	assert_int_equal(add("behind", TRAPMAP_SPACE_PIO, 0x504, 1), 0);
	assert_int_equal(add("there", TRAPMAP_SPACE_MMIO, 0x500, 4), 0);
	assert_int_equal(vm->config.machine.extra_count, 4);
	assert_string_equal(vm->config.machine.extra[0].name, "first");
}

static void the_boot_protocol_is_one_of_those_known(void **state)
{
	assert_int_equal(trapmap_vm_set_boot(vm, TRAPMAP_BOOT_UNPACK), 0);
	assert_int_equal(trapmap_vm_set_boot(vm, (enum trapmap_boot)9),
			 -EINVAL);
	assert_error("unknown boot protocol");
}

static void nothing_is_taken_once_it_was_started(void **state)
{
	const struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	const struct trapmap_serial s = TRAPMAP_SERIAL_INIT;
	const struct trapmap_source src = { .size = sizeof(src), .path = "a" };

	vm->state = VM_ENDED;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EBUSY);
	assert_int_equal(trapmap_vm_set_kernel(vm, &src), -EBUSY);
	assert_int_equal(trapmap_vm_add_initrd(vm, &src), -EBUSY);
	assert_int_equal(trapmap_vm_set_boot(vm, TRAPMAP_BOOT_PVH), -EBUSY);
	assert_int_equal(trapmap_vm_set_cmdline(vm, "x"), -EBUSY);
	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EBUSY);
	assert_int_equal(add("a", TRAPMAP_SPACE_PIO, 0x500, 1), -EBUSY);
	assert_error("started");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(zeroes_are_the_defaults),
		T(the_hosts_processors_are_checked_one_by_one),
		T(an_arrangement_of_another_size_is_refused),
		T(an_nvram_is_a_path_that_is_copied),
		T(a_processor_is_known_or_refused_at_once),
		T(strings_are_copied_and_replaced),
		T(memory_is_whole_pages_from_1_mib_on),
		T(values_that_no_option_has_are_refused),
		T(a_date_is_within_four_digits_of_a_year),
		T(a_kernel_is_one_thing_and_the_last_counts),
		T(sixty_four_initrds_and_no_more),
		T(serial_ends_are_duplicated_and_replaced),
		T(devices_end_within_their_space),
		T(devices_do_not_overlap_in_the_same_space),
		T(the_boot_protocol_is_one_of_those_known),
		T(nothing_is_taken_once_it_was_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
