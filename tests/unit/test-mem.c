// SPDX-License-Identifier: MIT
/* Guest memory: where it lies, that it costs nothing untouched, and zeroes. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base.h"
#include "mem.h"

static struct mem mem;
static struct error err;

static int teardown(void **state)
{
	mem_done(&mem);
	return 0;
}

/* A PC with so much memory. */
static int init(uint64_t size)
{
	const struct platform pc = platform_pc(size, 1, PLATFORM_TRANSPORT);

	return mem_init(&mem, &pc, &err);
}

static void assert_region(unsigned i, gpa_t base, gpa_t end)
{
	assert_int_equal(mem.gmem.region[i].base, base);
	assert_int_equal(mem.gmem.region[i].base + mem.gmem.region[i].len, end);
}

/* Both ends of a range are there, and differ from each other. */
static void assert_works(gpa_t base, gpa_t end)
{
	const uint32_t a = (uint32_t)(base ^ 0xa5a5a5a5), b = ~a;
	uint32_t got = 0;

	assert_int_equal(gmem_write(&mem.gmem, base, &a, 4), 0);
	assert_int_equal(gmem_write(&mem.gmem, end - 4, &b, 4), 0);
	assert_int_equal(gmem_read(&mem.gmem, base, &got, 4), 0);
	assert_int_equal(got, a);
	assert_int_equal(gmem_read(&mem.gmem, end - 4, &got, 4), 0);
	assert_int_equal(got, b);
}

static void the_first_mib_has_a_gap_for_a_vga(void **state)
{
	uint8_t byte;

	assert_int_equal(init(MIB(1)), 0);
	assert_int_equal(mem.gmem.count, 2);
	assert_region(0, 0, 0xa0000);
	assert_region(1, 0xc0000, 0x100000);
	assert_works(0, 0xa0000);
	assert_works(0xc0000, 0x100000);
	assert_int_equal(gmem_read(&mem.gmem, 0xa0000, &byte, 1), -EFAULT);
	assert_int_equal(gmem_read(&mem.gmem, 0xbffff, &byte, 1), -EFAULT);
	assert_int_equal(gmem_read(&mem.gmem, 0x100000, &byte, 1), -EFAULT);
}

static void exactly_3_gib_end_where_devices_begin(void **state)
{
	assert_int_equal(init(GIB(3)), 0);
	assert_int_equal(mem.gmem.count, 2);
	assert_region(1, 0xc0000, 0xc0000000);
	assert_works(0xc0000, 0xc0000000);
	assert_null(gmem_ptr(&mem.gmem, 0xc0000000, 1));
	assert_null(gmem_ptr(&mem.gmem, GIB(4), 1));
}

static void a_page_more_lies_above_4_gib(void **state)
{
	assert_int_equal(init(GIB(3) + 4096), 0);
	assert_int_equal(mem.gmem.count, 3);
	assert_region(1, 0xc0000, 0xc0000000);
	assert_region(2, 0x100000000, 0x100001000);
	assert_works(0xc0000, 0xc0000000);
	assert_works(0x100000000, 0x100001000);
}

static void what_does_not_fit_below_the_hole_lies_above_it(void **state)
{
	unsigned i;

	assert_int_equal(init(GIB(6)), 0);
	assert_int_equal(mem.gmem.count, 3);
	assert_region(2, GIB(4), GIB(7));
	for (i = 0; i < 3; i++)
		assert_works(mem.gmem.region[i].base,
			     mem.gmem.region[i].base +
				     mem.gmem.region[i].len);
	/* All of them at once: no two share a byte of the host. */
	for (i = 0; i < 3; i++) {
		gpa_t base = mem.gmem.region[i].base;
		uint32_t got;

		assert_int_equal(gmem_read(&mem.gmem, base, &got, 4), 0);
		assert_int_equal(got, (uint32_t)(base ^ 0xa5a5a5a5));
	}
	/* Or no huge page of the host's could ever be one of the guest's. */
	for (i = 0; i < 3; i++)
		assert_int_equal(((uintptr_t)mem.gmem.region[i].host -
				  mem.gmem.region[i].base) %
					 MIB(2),
				 0);
}

/* Pages of this process that are in memory. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, pages = -1;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &pages), 2);
	fclose(f);
	return pages;
}

static void a_large_machine_costs_nothing_until_it_is_used(void **state)
{
	long before = resident();
	unsigned char in[256];
	uint64_t off;
	unsigned i;

	assert_int_equal(init(GIB(8)), 0);
	/* A little for ourselves; 8 GiB would be two million pages. */
	assert_in_range(resident(), 0, before + 256);
	for (off = 0; off < GIB(8); off += GIB(1)) {
		assert_int_equal(mincore(mem.back.host + off,
					 sizeof(in) * 4096, in),
				 0);
		for (i = 0; i < sizeof(in); i++)
			assert_int_equal(in[i] & 1, 0);
	}
}

static void clear_gives_zeroes_and_the_hosts_pages_back(void **state)
{
	const gpa_t at[] = { 0, 0x9fff8, 0xc0000, MIB(16), GIB(3) - 8, GIB(4) };
	long before, full;
	uint64_t got;
	unsigned i;

	assert_int_equal(init(GIB(4)), 0);
	before = resident();
	memset(gmem_ptr(&mem.gmem, MIB(32), MIB(16)), 0xff, MIB(16));
	for (i = 0; i < ARRAY_SIZE(at); i++)
		memset(gmem_ptr(&mem.gmem, at[i], 8), 0x5a, 8);
	full = resident();
	assert_true(full - before >= 4000);

	assert_int_equal(mem_clear(&mem, false, &err), 0);
	assert_true(full - resident() >= 4000);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		assert_int_equal(gmem_read(&mem.gmem, at[i], &got, 8), 0);
		assert_int_equal(got, 0);
	}
	assert_int_equal(gmem_read(&mem.gmem, MIB(40), &got, 8), 0);
	assert_int_equal(got, 0);
	/* The regions stay: it is the same machine. */
	assert_int_equal(mem.gmem.count, 3);
}

/* As for io_uring, which goes on with the pages that it was given. */
static void what_is_pinned_is_cleared_where_it_is(void **state)
{
	const gpa_t at[] = { 0, 0x9fff8, 0xc0000, MIB(16) - 8 };
	uint64_t got;
	unsigned i;
	long full;

	assert_int_equal(init(MIB(16)), 0);
	for (i = 0; i < mem.gmem.count; i++)
		memset(mem.gmem.region[i].host, 0x5a, mem.gmem.region[i].len);
	full = resident();

	assert_int_equal(mem_clear(&mem, true, &err), 0);
	assert_true(full - resident() < 256);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		assert_int_equal(gmem_read(&mem.gmem, at[i], &got, 8), 0);
		assert_int_equal(got, 0);
	}
}

static void a_child_of_the_embedders_has_no_guest_memory(void **state)
{
	uint8_t *host;
	int status;
	pid_t pid;

	assert_int_equal(init(MIB(16)), 0);
	host = gmem_ptr(&mem.gmem, MIB(2), 1);
	*host = 1;
	pid = fork();
	if (pid == 0) {
		unsigned char in;

		/* ENOMEM: not mapped there. */
		_exit(mincore(host, 4096, &in) == -1 && errno == ENOMEM ? 0 :
									  1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void more_than_the_host_can_map_is_refused_with_the_number(void **state)
{
	/* 1 EiB: beyond any x86-64's address space; and nearly all of 2^64. */
	assert_int_equal(init(UINT64_C(1) << 60), -ENOMEM);
	assert_int_equal(err.status, ERROR_INPUT);
	assert_non_null(strstr(err.text, "1048576 TiB"));
	assert_int_equal(init(UINT64_MAX - 4095), -ENOMEM);
	assert_non_null(strstr(err.text, "18014398509481980 KiB"));
}

static void a_slot_that_kvm_refuses_is_reported_with_the_size(void **state)
{
	assert_int_equal(init(MIB(16)), 0);
	assert_int_equal(mem_attach(&mem, -1, &err), -EBADF);
	assert_non_null(strstr(err.text, "KVM_SET_USER_MEMORY_REGION"));
	assert_non_null(strstr(err.text, "16 MiB"));
}

static void windows_lie_above_all_ram_and_are_not_for_devices(void **state)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));
	gpa_t at[3], none = 7;

	assert_int_equal(init(MIB(16)), 0);
	assert_int_equal(mem_add_window(&mem, 40, page, MIB(2), MIB(128),
					&at[0]),
			 0);
	assert_int_equal(mem_add_window(&mem, 40, page, MIB(130), MIB(128),
					&at[1]),
			 0);
	assert_int_equal(mem_add_window(&mem, 40, page, MIB(2), MIB(2),
					&at[2]),
			 0);
	assert_true(at[0] == GIB(4));
	assert_true(at[1] == GIB(4) + MIB(128));
	assert_true(at[2] == GIB(4) + MIB(258));
	assert_null(gmem_ptr(&mem.gmem, at[0], 1));
	/* Not where a processor's addresses end. */
	assert_int_equal(mem_add_window(&mem, 36, page, GIB(60), MIB(128),
					&none),
			 -ENOSPC);
	assert_int_equal(mem_add_window(&mem, 32, page, MIB(2), MIB(2), &none),
			 -ENOSPC);
	assert_int_equal(mem_add_window(&mem, 64, page, UINT64_MAX - 4095,
					MIB(2), &none),
			 -ENOSPC);
	assert_true(none == 7);
	assert_int_equal(mem_attach(&mem, -1, &err), -EBADF);
	mem_done(&mem);

	assert_int_equal(init(GIB(6)), 0);
	assert_int_equal(mem_add_window(&mem, 40, page, MIB(2), MIB(128),
					&at[0]),
			 0);
	assert_true(at[0] == GIB(7));
	while (mem_add_window(&mem, 40, page, MIB(2), MIB(2), &at[0]) == 0)
		;
	assert_int_equal(mem.windows, MEM_WINDOWS_MAX);
}

static void done_without_init_is_harmless(void **state)
{
	mem_done(&mem);
	assert_int_equal(init(MIB(1)), 0);
	mem_done(&mem);
	mem_done(&mem);
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_mib_has_a_gap_for_a_vga),
		T(exactly_3_gib_end_where_devices_begin),
		T(a_page_more_lies_above_4_gib),
		T(what_does_not_fit_below_the_hole_lies_above_it),
		T(a_large_machine_costs_nothing_until_it_is_used),
		T(clear_gives_zeroes_and_the_hosts_pages_back),
		T(what_is_pinned_is_cleared_where_it_is),
		T(a_child_of_the_embedders_has_no_guest_memory),
		T(more_than_the_host_can_map_is_refused_with_the_number),
		T(a_slot_that_kvm_refuses_is_reported_with_the_size),
		T(windows_lie_above_all_ram_and_are_not_for_devices),
		T(done_without_init_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
