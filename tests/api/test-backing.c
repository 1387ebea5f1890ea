// SPDX-License-Identifier: MIT
/* What guest memory is made of, as an embedder chooses and sees it. */
#include "api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024L * 1024)

static void a_memfd_is_the_guests_memory(void **state)
{
	struct trapmap_memory memory = TRAPMAP_MEMORY_INIT;
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);
	struct stat st;
	uint8_t *ram;
	int fd;

	memory.backing = TRAPMAP_MEMORY_MEMFD;
	assert_int_equal(trapmap_vm_set_memory(vm, &memory), 0);
	assert_int_equal(trapmap_vm_memory_fd(vm), -ESRCH);
	start_vm(vm);
	wait_writes(&port, 1);
	assert_int_equal(trapmap_vm_set_memory(vm, &memory), -EBUSY);

	fd = trapmap_vm_memory_fd(vm);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 256 * MIB);
	ram = mmap(NULL, 256 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(ram != MAP_FAILED);
	/* The guest's own code, and what either side writes. */
	assert_memory_equal(ram + 0x10000, GUEST(guest_count).data, 4);
	assert_int_equal(trapmap_vm_write_mem(vm, 0x200000, "here", 4), 0);
	assert_memory_equal(ram + 0x200000, "here", 4);
	munmap(ram, 256 * MIB);
	trapmap_vm_free(vm);
}

static void private_memory_has_no_descriptor(void **state)
{
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);

	start_vm(vm);
	assert_int_equal(trapmap_vm_memory_fd(vm), -ENODEV);
	trapmap_vm_free(vm);
}

static void refuse(struct trapmap_vm *vm, struct trapmap_memory memory,
		   const char *why)
{
	assert_int_equal(trapmap_vm_set_memory(vm, &memory), -EINVAL);
	assert_non_null(strstr(trapmap_vm_error(vm), why));
}

static void what_does_not_go_together_is_refused(void **state)
{
	const struct trapmap_memory none = TRAPMAP_MEMORY_INIT;
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);
	struct trapmap_memory m = none;

	m.size--;
	refuse(vm, m, "wrong size");
	m = none;
	m.backing = TRAPMAP_MEMORY_FILE;
	refuse(vm, m, "no path");
	m.path = "";
	refuse(vm, m, "no path");
	m.backing = TRAPMAP_MEMORY_ANON;
	m.path = "ram";
	refuse(vm, m, "a path is for memory in a file");
	m = none;
	m.page_size = 2 * MIB;
	refuse(vm, m, "for huge pages");
	m.backing = TRAPMAP_MEMORY_HUGETLB;
	m.page_size = 4096;
	refuse(vm, m, "2 MiB or 1 GiB");
	m.page_size = 0;
	m.thp = TRAPMAP_THP_ON;
	refuse(vm, m, "neither a file nor huge pages");
	m = none;
	m.backing = (enum trapmap_memory_backing)99;
	refuse(vm, m, "unknown");
	trapmap_vm_free(vm);
}

static void a_start_that_fails_leaves_no_file(void **state)
{
	struct trapmap_source kernel = { .size = sizeof(kernel) };
	struct trapmap_memory memory = TRAPMAP_MEMORY_INIT;
	char dir[] = "/tmp/trapmap-backing-XXXXXX", path[64];
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);

	assert_non_null(mkdtemp(dir));
	strcpy(path, dir);
	strcat(path, "/ram");
	memory.backing = TRAPMAP_MEMORY_FILE;
	memory.path = path;
	kernel.path = "/nonexistent/kernel";
	assert_int_equal(trapmap_vm_set_memory(vm, &memory), 0);
	assert_int_equal(trapmap_vm_set_kernel(vm, &kernel), 0);
	assert_int_equal(trapmap_vm_start(vm), -ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	trapmap_vm_free(vm);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_memfd_is_the_guests_memory),
		cmocka_unit_test(private_memory_has_no_descriptor),
		cmocka_unit_test(what_does_not_go_together_is_refused),
		cmocka_unit_test(a_start_that_fails_leaves_no_file),
	};

	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
