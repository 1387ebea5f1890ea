// SPDX-License-Identifier: MIT
/*
 * What is said where KVM is not what it should be: no device, another device,
 * descriptors that are none. (With a KVM, tests/api has the rest.)
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "cpuid_tables.h"
#include "doorbell.h"
#include "error.h"
#include "irqchip.h"
#include "kvm.h"
#include "x86/processor.h"

#define UNTOUCHED 4711

static struct error err;
static int null_fd;

static int setup(void **state)
{
	memset(&err, 0, sizeof(err));
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return null_fd < 0;
}

static int teardown(void **state)
{
	return close(null_fd);
}

static void assert_says(const char *piece)
{
	if (!strstr(err.text, piece))
		fail_msg("\"%s\" does not say \"%s\"", err.text, piece);
}

static unsigned open_fds(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void refused(const char *path, int code, const char *why)
{
	unsigned before = open_fds();
	int fd = UNTOUCHED;

	assert_int_equal(kvm_open(path, &fd, &err), code);
	assert_int_equal(fd, UNTOUCHED);
	assert_int_equal(err.status, ERROR_HOST);
	assert_says(path);
	assert_says(why);
	assert_int_equal(open_fds(), before);
}

static void a_kvm_device_that_is_missing_is_named(void **state)
{
	refused("/nonexistent/kvm", -ENOENT, "No such file or directory");
}

static void a_directory_is_no_kvm_device(void **state)
{
	refused("/tmp", -EISDIR, "Is a directory");
}

static void another_device_is_no_kvm_device(void **state)
{
	refused("/dev/null", -ENOTTY, "not a KVM device");
}

static void a_file_is_no_kvm_device(void **state)
{
	char path[] = "/tmp/trapmap-kvm-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	refused(path, -ENOTTY, "not a KVM device");
	unlink(path);
}

static void ioctls_return_the_errno(void **state)
{
	assert_int_equal(kvm_ioctl_val(-1, KVM_GET_API_VERSION, 0), -EBADF);
	assert_int_equal(kvm_ioctl_val(null_fd, KVM_GET_API_VERSION, 0),
			 -ENOTTY);
	assert_int_equal(kvm_ioctl(-1, KVM_CREATE_PIT2, NULL), -EBADF);
	assert_int_equal(kvm_set_memory(null_fd, 0, 0, 4096, NULL), -ENOTTY);
	assert_int_equal(kvm_set_signal(-1, SIGUSR1), -EBADF);
	assert_int_equal(kvm_set_msr(null_fd, 0x10, 0), -ENOTTY);
}

static void a_capability_that_cannot_be_asked_for_is_not_there(void **state)
{
	assert_int_equal(kvm_check(-1, KVM_CAP_IRQCHIP), 0);
	assert_int_equal(kvm_check(null_fd, KVM_CAP_IRQCHIP), 0);
}

static void a_vcpus_page_that_cannot_be_mapped_is_an_error(void **state)
{
	struct kvm_run *run = NULL;

	assert_int_equal(kvm_map_run(-1, 4096, &run), -EBADF);
	assert_null(run);
}

static void a_cpuid_that_cannot_be_had_leaks_nothing(void **state)
{
	struct kvm_cpuid2 *cpuid = NULL;

	assert_int_equal(kvm_supported_cpuid(-1, 10, &cpuid), -EBADF);
	assert_int_equal(kvm_supported_cpuid(null_fd, 10, &cpuid), -ENOTTY);
	assert_null(cpuid);
}

/* ---- irqchip ------------------------------------------------------------ */

static void interrupt_controllers_that_are_refused_are_named(void **state)
{
	struct irqchip ic;

	irqchip_init(&ic, &null_fd);
	assert_int_equal(irqchip_create(&ic, &err), -ENOTTY);
	assert_int_equal(err.status, ERROR_HOST);
	assert_says("KVM_CREATE_IRQCHIP");
	irqchip_done(&ic);
}

/* Between two VMs of a reboot there is none to tell. */
static void a_line_without_a_vm_keeps_its_level(void **state)
{
	struct irqchip_input input;
	int vm_fd = -1;
	struct irq_line line = irqchip_line(&input, &vm_fd, 8);

	assert_int_equal(input.gsi, 8);
	assert_false(line.level);
	irq_set(&line, true);
	assert_true(line.level);
	vm_fd = null_fd;
	irq_set(&line, false);
	assert_false(line.level);
	assert_ptr_equal(input.vm_fd, &vm_fd);
}

/* ---- the processor ------------------------------------------------------ */

static const struct topology one = { 1, 1, 1 };

static void a_processor_that_is_misspelt_is_the_callers_fault(void **state)
{
	struct processor cpu;

	assert_true(processor_init(&cpu, -1, &one, "host,+nonsense", &err) < 0);
	assert_int_equal(err.status, ERROR_INPUT);
	assert_says("host,+nonsense");
	processor_done(&cpu);
}

static void a_kvm_that_tells_no_cpuid_is_the_hosts_fault(void **state)
{
	struct processor cpu;

	assert_int_equal(processor_init(&cpu, null_fd, &one, NULL, &err), -ENOTTY);
	assert_int_equal(err.status, ERROR_HOST);
	assert_says("KVM_GET_SUPPORTED_CPUID");
	processor_done(&cpu);
}

static void each_vcpu_has_its_own_apic_id(void **state)
{
	struct processor cpu = {
		.params = { .topology = { 1, 3, 1 },
			    .brand = "",
			    .apic_khz = 1000000 },
	};
	unsigned id;

	cpu.supported = cpuid_table(intel_host, ARRAY_SIZE(intel_host));
	for (id = 0; id < 3; id++) {
		struct kvm_cpuid2 *table = NULL;

		/* No TSC frequency can be had here, which is no error. */
		assert_int_equal(processor_cpuid(&cpu, -1, id, &table, &err),
				 0);
		/* CPUID.1:EBX[31:24], and x2APIC's in leaf 0xb. */
		assert_int_equal(cpuid_find(table, 1, 0)->ebx >> 24, id);
		assert_int_equal(cpuid_find(table, 0xb, 0)->edx, id);
		free(table);
	}
	/* What KVM said stays as it was. */
	assert_int_equal(cpuid_find(cpu.supported, 1, 0)->ebx, 0x0b100800);
	processor_done(&cpu);
	processor_done(&cpu);
}

/* ---- texts -------------------------------------------------------------- */

static void an_errors_text_ends_with_the_hosts_reason(void **state)
{
	assert_int_equal(error_host(&err, -ENOSPC, "%s of %d", "disk", 3),
			 -ENOSPC);
	assert_string_equal(err.text, "disk of 3: No space left on device");
	assert_int_equal(err.status, ERROR_HOST);
	assert_int_equal(error_host(&err, -4095, "x"), -4095);
	assert_string_equal(err.text, "x: unknown error");
	assert_int_equal(error_set(&err, ERROR_INPUT, -EINVAL, "%s", "y"),
			 -EINVAL);
	assert_string_equal(err.text, "y");
	assert_int_equal(err.status, ERROR_INPUT);
}

static void a_text_that_is_too_long_is_cut(void **state)
{
	char name[2 * sizeof(err.text)];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(error_host(&err, -EIO, "%s", name), -EIO);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(error_set(&err, ERROR_INPUT, -EIO, "%s", name), -EIO);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void a_doorbell_without_a_vm_is_refused(void **state)
{
	struct doorbell_place place;
	struct doorbell bell = doorbell_at(&place, &null_fd, 0xd0000000);
	int fd = null_fd;

	assert_int_equal(doorbell_bind(&bell, 0x50, 4, 0, fd), -ENOTTY);
	doorbell_unbind(&bell, 0x50, 4, 0, fd);
	null_fd = -1; /* between two VMs */
	assert_int_equal(doorbell_bind(&bell, 0x50, 4, 0, fd), -EBADF);
	doorbell_unbind(&bell, 0x50, 4, 0, fd);
	null_fd = fd;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_kvm_device_that_is_missing_is_named),
		T(a_directory_is_no_kvm_device),
		T(another_device_is_no_kvm_device),
		T(a_file_is_no_kvm_device),
		T(ioctls_return_the_errno),
		T(a_capability_that_cannot_be_asked_for_is_not_there),
		T(a_vcpus_page_that_cannot_be_mapped_is_an_error),
		T(a_cpuid_that_cannot_be_had_leaks_nothing),
		T(interrupt_controllers_that_are_refused_are_named),
		T(a_line_without_a_vm_keeps_its_level),
		T(a_doorbell_without_a_vm_is_refused),
		T(a_processor_that_is_misspelt_is_the_callers_fault),
		T(a_kvm_that_tells_no_cpuid_is_the_hosts_fault),
		T(each_vcpu_has_its_own_apic_id),
		T(an_errors_text_ends_with_the_hosts_reason),
		T(a_text_that_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
