// SPDX-License-Identifier: MIT
/* By QEMU's docs/specs/fw_cfg. */
#include "test.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/gmem.h"
#include "fw_cfg.h"

#define SELECTOR 0x510
#define DATA 0x511

#define DMA_HIGH 0x514
#define DMA_LOW 0x518

static struct device *fw_cfg;
static struct bus bus;
static struct gmem gm;
static uint8_t ram[0x4000];
static unsigned reads; /* of the item with a function */
static int read_error;

/* Byte n of the item is n mod 251. */
static int read_pattern(void *opaque, uint64_t off, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t i;

	assert_true(off + len <= 10000);
	reads++;
	if (read_error)
		return read_error;
	for (i = 0; i < len; i++)
		to[i] = (uint8_t)((off + i) % 251);
	return 0;
}

static const struct fw_cfg_item pattern = { .read = read_pattern,
					    .len = 10000 };

static int make(const struct gmem *memory)
{
	const struct fw_cfg_config config = { .ram = memory };

	if (fw_cfg_new(&config, &fw_cfg) < 0)
		return -1;
	fw_cfg_set_int(fw_cfg, FW_CFG_RAM_SIZE, GIB(5) + 0x123000, 8);
	fw_cfg_set_int(fw_cfg, FW_CFG_NB_CPUS, 0x102, 2);
	fw_cfg_set_int(fw_cfg, FW_CFG_MAX_CPUS, 0x102, 2);
	bus_init(&bus, 0xffff);
	return bus_add(&bus, SELECTOR, FW_CFG_LEN, fw_cfg, 0);
}

static int setup(void **state)
{
	memset(&gm, 0, sizeof(gm));
	memset(ram, 0xcc, sizeof(ram));
	reads = 0;
	read_error = 0;
	if (gmem_add(&gm, 0x1000, sizeof(ram), ram) < 0)
		return -1;
	return make(&gm);
}

static int teardown(void **state)
{
	bus_done(&bus);
	fw_cfg = device_free(fw_cfg);
	return 0;
}

static void choose(uint16_t key)
{
	assert_true(bus_write(&bus, SELECTOR, 2, key));
}

/* The next n bytes, the first one lowest; of more than 8 those. */
static uint64_t next(unsigned n)
{
	uint64_t all = 0, val;
	unsigned i;

	for (i = 0; i < n; i++) {
		assert_true(bus_read(&bus, DATA, 1, &val));
		if (i < 8)
			all |= val << (8 * i);
	}
	return all;
}

static void the_signature_is_qemu(void **state)
{
	choose(0x0000);
	assert_int_equal(next(1), 'Q');
	assert_int_equal(next(1), 'E');
	assert_int_equal(next(1), 'M');
	assert_int_equal(next(1), 'U');
	assert_int_equal(next(8), 0);
}

static void both_interfaces_are_there(void **state)
{
	uint64_t val;

	choose(0x0001);
	assert_int_equal(next(4), 3);
	/* "QEMU CFG", big-endian, where the address is written. */
	assert_true(bus_read(&bus, DMA_HIGH, 4, &val));
	assert_int_equal(val, get_le32("QEMU"));
	assert_true(bus_read(&bus, DMA_LOW, 4, &val));
	assert_int_equal(val, get_le32(" CFG"));
}

static void without_memory_there_is_no_dma(void **state)
{
	uint64_t val;

	teardown(NULL);
	assert_int_equal(make(NULL), 0);
	choose(0x0001);
	assert_int_equal(next(4), 1);
	bus_read(&bus, DMA_HIGH, 4, &val);
	assert_int_equal(val, 0xffffffff);
	bus_write(&bus, DMA_LOW, 4, 0);
}

static void memory_and_cpus_are_those_of_the_machine(void **state)
{
	choose(0x0003);
	assert_true(next(8) == GIB(5) + 0x123000);
	choose(0x0005);
	assert_int_equal(next(2), 0x102);
	choose(0x000f);
	assert_int_equal(next(2), 0x102);
}

static void the_file_directory_is_empty(void **state)
{
	choose(0x0019);
	assert_int_equal(next(4), 0);
}

static void after_an_items_end_there_are_zeros_for_ever(void **state)
{
	unsigned i;

	choose(0x0005);
	next(2);
	for (i = 0; i < 70000; i++)
		assert_int_equal(next(1), 0);
}

static void an_item_that_is_not_there_reads_as_zeros(void **state)
{
	static const uint16_t keys[] = { 0x0002, 0x0004, 0x0020, 0x3fff,
					 0x8000, 0x8003, 0xffff };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		choose(keys[i]);
		assert_int_equal(next(8), 0);
	}
}

static void the_write_bit_selects_the_same_item(void **state)
{
	choose(0x4000);
	assert_int_equal(next(4), get_le32("QEMU"));
	/* The architecture's own items are others. */
	choose(0xc000);
	assert_int_equal(next(4), 0);
}

static void each_selection_starts_at_the_first_byte(void **state)
{
	choose(0x0000);
	assert_int_equal(next(2), 'Q' | 'E' << 8);
	choose(0x0000);
	assert_int_equal(next(1), 'Q');
}

static void writes_to_data_are_ignored(void **state)
{
	choose(0x0000);
	assert_true(bus_write(&bus, DATA, 1, 'x'));
	assert_int_equal(next(4), get_le32("QEMU"));
}

static void the_selector_takes_words_only_and_cannot_be_read(void **state)
{
	uint64_t val;

	choose(0x0000);
	bus_write(&bus, SELECTOR, 1, 5);
	bus_read(&bus, SELECTOR, 1, &val);
	assert_int_equal(val, 0xff);
	bus_read(&bus, SELECTOR, 2, &val);
	assert_int_equal(val, 0xffff);
	assert_int_equal(next(4), get_le32("QEMU"));
}

static void the_data_register_has_eight_bits(void **state)
{
	uint64_t val;

	choose(0x0000);
	bus_read(&bus, DATA, 2, &val);
	assert_int_equal(val, 0xffff);
	assert_int_equal(next(1), 'Q');
}

/* ---- files -------------------------------------------------------------- */

static void add(const char *name, const char *text)
{
	const struct fw_cfg_item item = { .data = text,
					  .len = (uint32_t)strlen(text) };

	assert_int_equal(fw_cfg_set_file(fw_cfg, name, &item), 0);
}

static void files_are_in_the_directory_by_name(void **state)
{
	add("opt/a", "first");
	add("opt/second", "the second");
	choose(0x0019);
	assert_int_equal(next(4), htobe32(2));
	assert_int_equal(next(4), htobe32(5));
	assert_int_equal(next(2), htobe16(0x20));
	assert_int_equal(next(2), 0);
	assert_int_equal(next(6), get_le32("opt/") | (uint64_t)'a' << 32);
	choose(0x0019);
	next(4 + 64);
	assert_int_equal(next(4), htobe32(10));
	assert_int_equal(next(2), htobe16(0x21));
	choose(0x21);
	assert_int_equal(next(4), get_le32("the "));
	/* Again, with other bytes: the same place. */
	add("opt/a", "xy");
	choose(0x0019);
	assert_int_equal(next(4), htobe32(2));
	assert_int_equal(next(4), htobe32(2));
	choose(0x20);
	assert_int_equal(next(4), 'x' | 'y' << 8);
}

static void a_files_name_has_1_to_55_bytes(void **state)
{
	const struct fw_cfg_item item = { .data = "", .len = 0 };
	char name[57];

	memset(name, 'n', sizeof(name));
	name[56] = 0;
	assert_int_equal(fw_cfg_set_file(fw_cfg, name, &item), -EINVAL);
	assert_int_equal(fw_cfg_set_file(fw_cfg, "", &item), -EINVAL);
	name[55] = 0;
	assert_int_equal(fw_cfg_set_file(fw_cfg, name, &item), 0);
}

static void there_is_room_for_so_many_files(void **state)
{
	char name[8];
	unsigned i;

	for (i = 0; i < FW_CFG_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		add(name, "x");
	}
	assert_int_equal(fw_cfg_set_file(fw_cfg, "more", &pattern), -ENOSPC);
	choose(FW_CFG_FILE_FIRST + FW_CFG_FILES_MAX);
	assert_int_equal(next(4), 0);
}

static void an_item_with_a_function_is_read_in_large_pieces(void **state)
{
	unsigned i;

	fw_cfg_set(fw_cfg, FW_CFG_KERNEL_DATA, &pattern);
	choose(0x11);
	for (i = 0; i < 10000; i++)
		assert_int_equal(next(1), i % 251);
	assert_int_equal(next(8), 0);
	assert_in_range(reads, 1, 10);
	choose(0x11);
	assert_int_equal(next(2), 0 | 1 << 8);
}

static void an_item_that_cannot_be_read_is_zeros(void **state)
{
	fw_cfg_set(fw_cfg, FW_CFG_KERNEL_DATA, &pattern);
	read_error = -EIO;
	choose(0x11);
	next(1);
	assert_int_equal(next(8), 0);
}

/* ---- DMA ---------------------------------------------------------------- */

#define DMA_SELECT(key) ((uint32_t)(key) << 16 | 8)
#define DMA_READ 2u
#define DMA_SKIP 4u
#define DMA_WRITE 16u
#define DESCRIPTOR 0x1100

/* What the descriptor's control is afterwards. */
static uint32_t dma(uint32_t control, uint32_t len, uint64_t to)
{
	uint8_t *d = ram + (DESCRIPTOR - 0x1000);

	put_le32(d, htobe32(control));
	put_le32(d + 4, htobe32(len));
	put_le64(d + 8, htobe64(to));
	bus_write(&bus, DMA_HIGH, 4, 0);
	bus_write(&bus, DMA_LOW, 4, htobe32(DESCRIPTOR));
	return be32toh(get_le32(d));
}

static void dma_selects_and_copies(void **state)
{
	fw_cfg_set(fw_cfg, FW_CFG_KERNEL_DATA, &pattern);
	assert_int_equal(dma(DMA_SELECT(0x11) | DMA_READ, 1000, 0x2000), 0);
	assert_int_equal(ram[0x1000], 0);
	assert_int_equal(ram[0x1000 + 999], 999 % 251);
	assert_int_equal(ram[0x1000 + 1000], 0xcc);
	/* On from there, by DMA and by the port. */
	assert_int_equal(dma(DMA_READ, 1, 0x2000), 0);
	assert_int_equal(ram[0x1000], 1000 % 251);
	assert_int_equal(next(1), 1001 % 251);
	assert_int_equal(dma(DMA_SKIP, 8000, 0), 0);
	assert_int_equal(next(1), 9002 % 251);
}

static void dma_beyond_an_items_end_gives_zeros(void **state)
{
	assert_int_equal(dma(DMA_SELECT(0) | DMA_READ, 8, 0x2000), 0);
	assert_memory_equal(ram + 0x1000, "QEMU\0\0\0\0", 8);
	assert_int_equal(dma(DMA_SELECT(0x3fff) | DMA_READ, 2, 0x2000), 0);
	assert_memory_equal(ram + 0x1000, "\0\0MU", 4);
	assert_int_equal(dma(DMA_SELECT(0) | DMA_SKIP, UINT32_MAX, 0), 0);
	assert_int_equal(next(4), 0);
}

static void dma_to_where_there_is_no_memory_is_an_error(void **state)
{
	static const uint64_t bad[] = { 0, 0xfff, 0x4fff, 0x5000, UINT64_MAX };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(dma(DMA_SELECT(0) | DMA_READ, 4, bad[i]), 1);
	assert_int_equal(dma(DMA_READ, UINT32_MAX, 0x2000), 1);
	/* The item is still at its beginning. */
	assert_int_equal(next(4), get_le32("QEMU"));
}

static void a_descriptor_outside_memory_is_let_be(void **state)
{
	uint8_t before[sizeof(ram)];

	memcpy(before, ram, sizeof(ram));
	bus_write(&bus, DMA_HIGH, 4, htobe32(0xffffffff));
	bus_write(&bus, DMA_LOW, 4, htobe32(0xfffffff8));
	bus_write(&bus, DMA_LOW, 4, htobe32(0x4ff8));
	assert_memory_equal(before, ram, sizeof(ram));
}

static void an_address_above_4_gib_has_a_high_half(void **state)
{
	teardown(NULL);
	memset(&gm, 0, sizeof(gm));
	assert_int_equal(gmem_add(&gm, GIB(8), sizeof(ram), ram), 0);
	assert_int_equal(make(&gm), 0);
	put_le32(ram, htobe32(DMA_SELECT(0) | DMA_READ));
	put_le32(ram + 4, htobe32(4));
	put_le64(ram + 8, htobe64(GIB(8) + 0x100));
	bus_write(&bus, DMA_HIGH, 4, htobe32(2));
	bus_write(&bus, DMA_LOW, 4, 0);
	assert_memory_equal(ram + 0x100, "QEMU", 4);
	/* It is 0 again. */
	put_le32(ram, htobe32(DMA_READ));
	bus_write(&bus, DMA_LOW, 4, 0);
	assert_int_equal(get_le32(ram), htobe32(DMA_READ));
}

static void nothing_can_be_written_by_dma(void **state)
{
	add("opt/a", "text");
	assert_int_equal(dma(DMA_SELECT(0x20) | DMA_WRITE, 4, 0x2000), 1);
	choose(0x20);
	assert_int_equal(next(4), get_le32("text"));
	/* Neither read nor skip: only the selection. */
	assert_int_equal(dma(DMA_SELECT(0), 2, 0x2000), 0);
	assert_int_equal(next(4), get_le32("QEMU"));
}

static void an_item_that_fails_to_read_is_a_dma_error(void **state)
{
	fw_cfg_set(fw_cfg, FW_CFG_KERNEL_DATA, &pattern);
	read_error = -EIO;
	assert_int_equal(dma(DMA_SELECT(0x11) | DMA_READ, 4, 0x2000), 1);
}

static void a_reset_selects_the_signature(void **state)
{
	choose(0x0003);
	next(3);
	device_reset(fw_cfg);
	assert_int_equal(next(4), get_le32("QEMU"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_signature_is_qemu),
		T(both_interfaces_are_there),
		T(without_memory_there_is_no_dma),
		T(memory_and_cpus_are_those_of_the_machine),
		T(the_file_directory_is_empty),
		T(after_an_items_end_there_are_zeros_for_ever),
		T(an_item_that_is_not_there_reads_as_zeros),
		T(the_write_bit_selects_the_same_item),
		T(each_selection_starts_at_the_first_byte),
		T(writes_to_data_are_ignored),
		T(the_selector_takes_words_only_and_cannot_be_read),
		T(the_data_register_has_eight_bits),
		T(files_are_in_the_directory_by_name),
		T(a_files_name_has_1_to_55_bytes),
		T(there_is_room_for_so_many_files),
		T(an_item_with_a_function_is_read_in_large_pieces),
		T(an_item_that_cannot_be_read_is_zeros),
		T(dma_selects_and_copies),
		T(dma_beyond_an_items_end_gives_zeros),
		T(dma_to_where_there_is_no_memory_is_an_error),
		T(a_descriptor_outside_memory_is_let_be),
		T(an_address_above_4_gib_has_a_high_half),
		T(nothing_can_be_written_by_dma),
		T(an_item_that_fails_to_read_is_a_dma_error),
		T(a_reset_selects_the_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
