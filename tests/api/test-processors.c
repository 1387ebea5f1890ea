// SPDX-License-Identifier: MIT
/* How processors are arranged, named, and pinned. */
#include "api.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the calling thread; at least two, else *ret_b is the same as *ret_a. */
static void allowed(uint32_t *ret_a, uint32_t *ret_b)
{
	cpu_set_t set;
	uint32_t i, found = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (i = 0; i < CPU_SETSIZE && found < 2; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		if (found == 0)
			*ret_a = i;
		*ret_b = i;
		found++;
	}
}

/* The affinity of this process's thread of that name; false: there is none. */
static bool thread_affinity(const char *name, cpu_set_t *ret)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	bool found = false;

	assert_non_null(dir);
	while (!found && (entry = readdir(dir)) != NULL) {
		char path[300], comm[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(f);
		found = !strcmp(comm, name) &&
			sched_getaffinity(atoi(entry->d_name), sizeof(*ret),
					  ret) == 0;
	}
	closedir(dir);
	return found;
}

static struct trapmap_vm *counting_vm(uint32_t cpus, struct port *port)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), port);

	m.cpus = cpus;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	return vm;
}

static void each_vcpu_has_a_named_thread_on_the_next_of_the_list(void **state)
{
	static const char *const name[] = { "trapmap-cpu0", "trapmap-cpu1",
					    "trapmap-cpu2" };
	struct port port = { 0 };
	struct trapmap_vm *vm = counting_vm(3, &port);
	uint32_t on[2] = { 0, 0 };
	cpu_set_t before, set;
	unsigned i;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	allowed(&on[0], &on[1]);
	assert_int_equal(trapmap_vm_set_affinity(vm, on, 2), 0);
	start_vm(vm);
	wait_writes(&port, 1);
	/* A thread has its name once it runs. */
	assert_int_equal(trapmap_vm_pause(vm), 0);
	for (i = 0; i < 3; i++) {
		assert_true(thread_affinity(name[i], &set));
		assert_int_equal(CPU_COUNT(&set), 1);
		assert_true(CPU_ISSET(on[i % 2], &set));
	}
	/* Only they. */
	assert_true(thread_affinity("trapmap-io", &set));
	assert_true(CPU_EQUAL(&set, &before));
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	assert_true(CPU_EQUAL(&set, &before));
	trapmap_vm_free(vm);
}

static void an_arrangement_of_another_number_does_not_start(void **state)
{
	struct trapmap_topology t = TRAPMAP_TOPOLOGY_INIT;
	struct port port = { 0 };
	struct trapmap_vm *vm = counting_vm(4, &port);

	t.sockets = 3;
	assert_int_equal(trapmap_vm_set_topology(vm, &t), 0);
	assert_int_equal(trapmap_vm_start(vm), -EINVAL);
	assert_int_equal(trapmap_vm_start_status(vm), 2);
	assert_non_null(strstr(trapmap_vm_error(vm),
			       "3 sockets of 1 core of 1 thread"));
	trapmap_vm_free(vm);
}

/* The registers of a vCPU go by its number, its APIC id may be another. */
static void a_vcpu_is_known_by_its_number_where_ids_have_gaps(void **state)
{
	struct trapmap_topology t = TRAPMAP_TOPOLOGY_INIT;
	struct port port = { 0 };
	struct trapmap_vm *vm = counting_vm(6, &port);
	uint64_t val = 0;

	t.sockets = 2;
	assert_int_equal(trapmap_vm_set_topology(vm, &t), 0);
	start_vm(vm);
	wait_writes(&port, 1);
	assert_int_equal(trapmap_vm_pause(vm), 0);
	/* The last one, id 6: it waits where a reset leaves it. */
	assert_int_equal(trapmap_vcpu_get_reg(vm, 5, "rip", &val), 0);
	assert_int_equal(val, 0xfff0);
	assert_int_equal(trapmap_vcpu_get_reg(vm, 6, "rip", &val), -ENOENT);
	assert_int_equal(trapmap_vm_set_topology(vm, &t), -EBUSY);
	assert_int_equal(trapmap_vm_set_affinity(vm, NULL, 0), -EBUSY);
	trapmap_vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_vcpu_has_a_named_thread_on_the_next_of_the_list),
		cmocka_unit_test(an_arrangement_of_another_number_does_not_start),
		cmocka_unit_test(
			a_vcpu_is_known_by_its_number_where_ids_have_gaps),
	};

	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
