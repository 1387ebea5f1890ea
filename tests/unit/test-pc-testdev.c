// SPDX-License-Identifier: MIT
/* By what QEMU's hw/misc/pc-testdev.c does. */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base.h"
#include "core/gmem.h"
#include "pc_testdev.h"

#define PAGE 4096
#define RAM_BASE 0x100000
#define RAM_LEN (4 * PAGE + 512) /* the last page is not a whole one */

static struct device *test;
static struct fake_line line[PC_TESTDEV_LINES];
static struct gmem ram;
static uint8_t *host;

static int setup(void **state)
{
	struct pc_testdev_config config = { .ram = &ram };
	unsigned i;

	memset(line, 0, sizeof(line));
	for (i = 0; i < PC_TESTDEV_LINES; i++)
		config.line[i] = (struct irq_line){ .set = fake_line_set,
						    .opaque = &line[i] };
	host = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (host == MAP_FAILED)
		return -1;
	ram = (struct gmem){ 0 };
	if (gmem_add(&ram, RAM_BASE, RAM_LEN, host) < 0)
		return -1;
	return pc_testdev_new(&config, &test);
}

static int teardown(void **state)
{
	test = device_free(test);
	return munmap(host, 8 * PAGE);
}

static void the_port_keeps_bytes_words_and_dwords(void **state)
{
	assert_int_equal(dev_read(test, 0, 4), 0);
	dev_write(test, 0, 4, 0x12345678);
	assert_int_equal(dev_read(test, 0, 4), 0x12345678);
	assert_int_equal(dev_read(test, 0, 1), 0x78);
	assert_int_equal(dev_read(test, 3, 1), 0x12);
	assert_int_equal(dev_read(test, 2, 2), 0x1234);
	dev_write(test, 1, 1, 0xab);
	assert_int_equal(dev_read(test, 0, 4), 0x1234ab78);
	dev_write(test, 2, 2, 0xcafe);
	assert_int_equal(dev_read(test, 0, 4), 0xcafeab78);
}

static void the_byte_port_is_another_way_to_the_same_register(void **state)
{
	dev_write(test, 0, 4, 0x11223344);
	assert_int_equal(dev_read(test, PC_TESTDEV_BYTE, 1), 0x44);
	dev_write(test, PC_TESTDEV_BYTE, 1, 0x99);
	assert_int_equal(dev_read(test, 0, 4), 0x11223399);
}

static void memory_keeps_what_it_is_given_in_any_size(void **state)
{
	const uint64_t at = PC_TESTDEV_IOMEM;
	const uint64_t end = at + PC_TESTDEV_IOMEM_LEN;

	dev_write(test, at, 8, UINT64_C(0x1122334455667788));
	assert_true(dev_read(test, at, 8) == UINT64_C(0x1122334455667788));
	assert_int_equal(dev_read(test, at + 3, 2), 0x4455);
	dev_write(test, at + 7, 1, 0xee);
	assert_int_equal(dev_read(test, at + 4, 4), 0xee223344);
	dev_write(test, end - 8, 8, UINT64_MAX);
	assert_int_equal(dev_read(test, end - 1, 1), 0xff);
	assert_int_equal(dev_read(test, end - 9, 1), 0);
	assert_int_equal(dev_read(test, 0, 4), 0);
}

static void a_write_sets_the_level_of_its_line(void **state)
{
	unsigned i;

	for (i = 0; i < PC_TESTDEV_LINES; i++) {
		dev_write(test, PC_TESTDEV_IRQ + i, 1, i + 1);
		assert_int_equal(line[i].level, 1);
		assert_int_equal(line[i].rises, 1);
	}
	dev_write(test, PC_TESTDEV_IRQ + 5, 1, 0);
	assert_int_equal(line[5].level, 0);
	assert_int_equal(line[4].level, 1);
	assert_int_equal(line[6].level, 1);
	/* No more than one at a time. */
	dev_write(test, PC_TESTDEV_IRQ + 4, 2, 0);
	assert_int_equal(line[4].level, 1);
}

static void lines_and_flush_cannot_be_read(void **state)
{
	assert_int_equal(dev_read(test, PC_TESTDEV_FLUSH, 4) & UINT32_MAX,
			 UINT32_MAX);
	assert_int_equal(dev_read(test, PC_TESTDEV_IRQ, 1) & 0xff, 0xff);
}

static void flush(uint32_t gpa)
{
	dev_write(test, PC_TESTDEV_FLUSH, 4, gpa);
}

/* What /proc/self/maps says of the page at p: "rw-p". */
static void assert_protection(const void *p, const char *expected)
{
	unsigned long first, last;
	char text[8], line_text[512];
	FILE *f = fopen("/proc/self/maps", "re");

	assert_non_null(f);
	while (fgets(line_text, sizeof(line_text), f)) {
		if (sscanf(line_text, "%lx-%lx %7s", &first, &last, text) != 3)
			continue;
		if ((uintptr_t)p < first || (uintptr_t)p >= last)
			continue;
		fclose(f);
		assert_string_equal(text, expected);
		return;
	}
	fail_msg("%p is not mapped", p);
}

static void a_flushed_page_keeps_its_data_and_its_protection(void **state)
{
	unsigned i;

	memset(host, 0x5a, RAM_LEN);
	flush(RAM_BASE);
	flush(RAM_BASE + 2 * PAGE + 123);
	for (i = 0; i < RAM_LEN; i++)
		assert_int_equal(host[i], 0x5a);
	for (i = 0; i < 8; i++)
		assert_protection(host + i * PAGE, "rw-p");
	host[0] = 1;
}

static void only_whole_pages_of_ram_are_flushed(void **state)
{
	/* A page that would lose its protection if it were touched. */
	assert_int_equal(mprotect(host + 4 * PAGE, PAGE, PROT_READ), 0);
	flush(RAM_BASE + 4 * PAGE);
	assert_protection(host + 4 * PAGE, "r--p");
	flush(0);
	flush(RAM_BASE - 1);
	flush(RAM_BASE + 5 * PAGE);
	flush(UINT32_MAX);

	/* Nor by an access of another size. */
	assert_int_equal(mprotect(host, PAGE, PROT_READ), 0);
	dev_write(test, PC_TESTDEV_FLUSH, 2, RAM_BASE);
	dev_write(test, PC_TESTDEV_FLUSH, 1, 0);
	assert_protection(host, "r--p");
}

static void a_board_without_ram_has_nothing_to_flush(void **state)
{
	const struct pc_testdev_config config = { .ram = NULL };
	struct device *other = NULL;

	assert_int_equal(pc_testdev_new(&config, &other), 0);
	dev_write(other, PC_TESTDEV_FLUSH, 4, RAM_BASE);
	dev_write(other, PC_TESTDEV_IRQ, 1, 1);
	device_free(other);
}

static void a_reset_clears_all_and_lowers_the_lines(void **state)
{
	dev_write(test, 0, 4, 0x12345678);
	dev_write(test, PC_TESTDEV_IOMEM + 100, 4, 0x12345678);
	dev_write(test, PC_TESTDEV_IRQ + 23, 1, 1);
	device_reset(test);
	assert_int_equal(dev_read(test, 0, 4), 0);
	assert_int_equal(dev_read(test, PC_TESTDEV_IOMEM + 100, 4), 0);
	assert_int_equal(line[23].level, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_port_keeps_bytes_words_and_dwords),
		T(the_byte_port_is_another_way_to_the_same_register),
		T(memory_keeps_what_it_is_given_in_any_size),
		T(a_write_sets_the_level_of_its_line),
		T(lines_and_flush_cannot_be_read),
		T(a_flushed_page_keeps_its_data_and_its_protection),
		T(only_whole_pages_of_ram_are_flushed),
		T(a_board_without_ram_has_nothing_to_flush),
		T(a_reset_clears_all_and_lowers_the_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
