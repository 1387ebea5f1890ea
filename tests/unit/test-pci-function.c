// SPDX-License-Identifier: MIT
/* PCI Local Bus 3.0, chapter 6: the configuration space of one function. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "fake_msi.h"
#include "pci/function.h"
#include "pci/msix.h"

#define LEN_32 0x1000
#define LEN_64 UINT64_C(0x4000)

static struct fixture {
	struct device dev;
	struct pci_function pf;
	struct msix msix;
	struct fake_msi msi;
	struct fake_line line;
	struct bus bus;
	uint64_t at[PCI_BARS]; /* as moved() said */
	unsigned moves, reads, writes;
	unsigned caps[3];
} f;

static uint64_t dev_read_off(struct device *dev, uint64_t off, unsigned size)
{
	return off;
}

static void dev_write_off(struct device *dev, uint64_t off, unsigned size,
			  uint64_t val)
{
}

static const struct device_ops dev_ops = {
	.name = "toy", .sizes = 4, .read = dev_read_off, .write = dev_write_off,
};

static void moved(struct pci_function *pf, unsigned bar, uint64_t base)
{
	f.at[bar] = base;
	f.moves++;
}

static void config_read(struct pci_function *pf, unsigned off, unsigned len)
{
	f.reads++;
}

static void config_written(struct pci_function *pf, unsigned off, unsigned len)
{
	f.writes++;
}

static const struct pci_function_ops ops = {
	.moved = moved,
	.config_read = config_read,
	.config_written = config_written,
};

static int setup(void **state)
{
	static const struct pci_function_config config = {
		.ops = &ops,
		.dev = &f.dev,
		.vendor_id = 0x1234,
		.device_id = 0x5678,
		.subsystem_vendor_id = 0x9abc,
		.subsystem_id = 0xdef0,
		.class_code = 0x020304,
		.revision_id = 7,
		.pin = 2,
	};
	static const uint8_t body[6] = { 8, 1, 2, 3, 4, 5 };
	static const uint8_t writable[6] = { 0, 0xff, 0x0f, 0, 0, 0 };
	const struct msi msi = fake_msi(&f.msi);

	memset(&f, 0, sizeof(f));
	bus_init(&f.bus, UINT64_MAX - 1);
	device_init(&f.dev, &dev_ops);
	pci_function_init(&f.pf, &config);
	pci_function_add_bar(&f.pf, 0, LEN_32, 0, false);
	pci_function_add_bar(&f.pf, 2, LEN_64, 0x10000, true);
	f.caps[0] = pci_function_add_capability(&f.pf, 9, body, writable, 7);
	assert_int_equal(msix_init(&f.msix, &msi, 5), 0);
	f.caps[1] = pci_function_add_msix(&f.pf, &f.msix, 2, 0x2000, 0x3000);
	f.caps[2] = pci_function_add_capability(&f.pf, 9, body, NULL, 8);
	f.pf.bus = &f.bus;
	f.pf.intx = (struct irq_line){ .set = fake_line_set,
				       .opaque = &f.line };
	assert_int_equal(bus_add_window(&f.bus, LEN_32, &f.dev, 0,
					&f.pf.bar[0].window),
			 0);
	assert_int_equal(bus_add_window(&f.bus, LEN_64, &f.dev, 0x10000,
					&f.pf.bar[2].window),
			 0);
	f.pf.bar[0].initial = 0xe0000000;
	f.pf.bar[2].initial = UINT64_C(0x8000004000);
	pci_function_reset(&f.pf);
	return 0;
}

static int teardown(void **state)
{
	msix_done(&f.msix);
	bus_done(&f.bus);
	device_done(&f.dev);
	return 0;
}

static uint32_t get(unsigned off, unsigned size)
{
	return pci_function_read(&f.pf, off, size);
}

static void put(unsigned off, unsigned size, uint32_t val)
{
	pci_function_write(&f.pf, off, size, val);
}

static bool answers(uint64_t addr)
{
	return bus_find(&f.bus, addr) != NULL;
}

static void the_header_says_what_it_is(void **state)
{
	assert_int_equal(get(0x00, 4), 0x56781234);
	assert_int_equal(get(0x02, 2), 0x5678);
	assert_int_equal(get(0x08, 4), 0x02030407);
	assert_int_equal(get(0x0e, 1), 0); /* type 0, one function */
	assert_int_equal(get(0x2c, 4), 0xdef09abc);
	assert_int_equal(get(0x30, 4), 0); /* no expansion ROM */
	assert_int_equal(get(0x3c, 2), 0x02ff); /* unknown input, INTB */
	assert_int_equal(get(0x06, 2), 0x0010); /* has capabilities */
	/* A conventional function has nothing beyond. */
	assert_int_equal(get(0xfe, 4) >> 16, 0xffff);
	assert_int_equal(get(0x100, 4), UINT32_MAX);
	put(0x100, 4, 0);
	put(0xfe, 4, UINT32_MAX);
}

static void what_is_read_only_stays(void **state)
{
	uint8_t before[256], written[4];
	unsigned i;

	for (i = 0; i < 256; i++)
		before[i] = (uint8_t)get(i, 1);
	for (i = 0; i < 256; i += 4)
		if ((i < 0x10 || i > 0x24) && i != 4)
			put(i, 4, UINT32_MAX);
	assert_int_equal(get(0, 4), get_le32(before));
	assert_int_equal(get(8, 4), get_le32(before + 8));
	assert_int_equal(get(0x0c, 4), 0xff); /* the cache line's size */
	assert_int_equal(get(0x2c, 4), get_le32(before + 0x2c));
	assert_int_equal(get(0x30, 4), 0);
	assert_int_equal(get(0x34, 4), get_le32(before + 0x34));
	assert_int_equal(get(0x3c, 4), 0x02ff);
	put_le32(written, get(f.caps[0] + 4, 4));
	assert_int_equal(written[0], 2 | 0x0f);
	assert_int_equal(written[1], 3);
	/* Of the status nothing, not even by writing ones. */
	put(0x06, 2, UINT16_MAX);
	assert_int_equal(get(0x06, 2), 0x0010);
	put(0x04, 2, UINT16_MAX);
	assert_int_equal(get(0x04, 2), 0x0406);
}

static void bars_tell_their_size(void **state)
{
	static const unsigned absent[] = { 0x14, 0x20, 0x24 };
	unsigned i;

	assert_int_equal(get(0x10, 4), 0xe0000000);
	assert_int_equal(get(0x18, 4), 0x00004004); /* 64 bits */
	assert_int_equal(get(0x1c, 4), 0x80);
	put(0x10, 4, UINT32_MAX);
	assert_int_equal(get(0x10, 4), 0xfffff000);
	put(0x18, 4, UINT32_MAX);
	put(0x1c, 4, UINT32_MAX);
	assert_int_equal(get(0x18, 4), 0xffffc004);
	assert_int_equal(get(0x1c, 4), UINT32_MAX);
	for (i = 0; i < ARRAY_SIZE(absent); i++) {
		put(absent[i], 4, UINT32_MAX);
		assert_int_equal(get(absent[i], 4), 0);
	}
	/* Nothing of this has moved anything: decoding is off. */
	assert_int_equal(f.moves, 0);
	/* Byte by byte, too. */
	put(0x11, 1, 0x5a);
	put(0x13, 1, 0xc0);
	assert_int_equal(get(0x10, 4), 0xc0ff5000);
}

static void a_bar_answers_while_memory_is_decoded(void **state)
{
	uint64_t val;

	assert_false(answers(0xe0000000));
	put(0x04, 2, 2);
	assert_int_equal(f.moves, 2);
	assert_true(f.at[0] == 0xe0000000);
	assert_true(f.at[2] == UINT64_C(0x8000004000));
	assert_true(answers(0xe0000fff));
	assert_false(answers(0xe0001000));
	assert_true(bus_read(&f.bus, UINT64_C(0x8000004008), 4, &val));
	assert_int_equal(val, 0x10008);
	put(0x04, 2, 2);
	put(0x04, 2, 6);
	assert_int_equal(f.moves, 2);
	put(0x04, 1, 4);
	assert_int_equal(f.moves, 4);
	assert_true(f.at[0] == BUS_NOWHERE);
	assert_false(answers(0xe0000000));
}

static void a_bar_moves_with_its_register(void **state)
{
	put(0x04, 2, 2);
	put(0x10, 4, 0xd1234fff);
	assert_true(f.at[0] == 0xd1234000);
	assert_true(answers(0xd1234ffc));
	assert_false(answers(0xe0000000));
	/* A half at a time. */
	put(0x1c, 4, 0);
	assert_true(f.at[2] == 0x4000);
	put(0x18, 4, 0xc0000000);
	assert_true(f.at[2] == 0xc0000000);
	assert_true(answers(0xc0003ffc));
	/* Sized by somebody who leaves decoding on. */
	put(0x1c, 4, UINT32_MAX);
	put(0x18, 4, UINT32_MAX);
	assert_true(f.at[2] == UINT64_C(0xffffffffffffc000));
	put(0x1c, 4, 0);
	put(0x18, 4, 0xc0000000);
	assert_true(answers(0xc0000000));
}

static void a_reset_brings_the_first_placement_back(void **state)
{
	put(0x04, 2, 0x406);
	put(0x10, 4, 0xd0000000);
	put(0x3c, 1, 11);
	put(f.caps[0] + 3, 1, 0x77);
	put(f.caps[1] + 2, 2, 0xc000);
	pci_function_set_intx(&f.pf, true);
	pci_function_reset(&f.pf);
	assert_int_equal(get(0x04, 2), 0);
	assert_int_equal(get(0x10, 4), 0xe0000000);
	assert_int_equal(get(0x1c, 4), 0x80);
	assert_int_equal(get(0x3c, 1), 0xff);
	assert_int_equal(get(f.caps[0] + 3, 1), 1);
	assert_int_equal(get(f.caps[1] + 2, 2), 4);
	assert_int_equal(get(0x06, 2), 0x10);
	assert_false(answers(0xd0000000));
	assert_false(f.msix.enabled);
	assert_int_equal(f.line.level, 0);
}

static void capabilities_are_a_list(void **state)
{
	unsigned at = get(0x34, 1), i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(at, f.caps[i]);
		assert_in_range(at, 0x40, 0xfc);
		assert_int_equal(at % 4, 0);
		assert_int_equal(get(at, 1), i == 1 ? 0x11 : 9);
		at = get(at + 1, 1);
	}
	assert_int_equal(at, 0);
	assert_int_equal(get(f.caps[2] + 2, 4), 0x03020108);
	assert_int_equal(get(f.caps[2] + 6, 2), 0x0504);
}

static void capabilities_end_with_the_space(void **state)
{
	static const uint8_t body[62] = { 0 };
	unsigned n = 0;

	while (pci_function_add_capability(&f.pf, 9, body, NULL, 64))
		n++;
	assert_int_equal(n, 2);
	assert_int_equal(pci_function_add_capability(&f.pf, 9, body, NULL, 1),
			 0);
}

static void the_pin_is_seen_and_can_be_silenced(void **state)
{
	pci_function_set_intx(&f.pf, true);
	assert_int_equal(f.line.level, 1);
	assert_int_equal(get(0x06, 2), 0x18);
	put(0x04, 2, 0x400);
	assert_int_equal(f.line.level, 0);
	assert_int_equal(get(0x06, 2), 0x18);
	put(0x05, 1, 0);
	assert_int_equal(f.line.level, 1);
	pci_function_set_intx(&f.pf, false);
	assert_int_equal(f.line.level, 0);
	assert_int_equal(get(0x06, 2), 0x10);
}

static void msix_is_found_and_turned_on(void **state)
{
	unsigned at = f.caps[1];

	assert_int_equal(get(at + 2, 2), 4); /* five entries */
	assert_int_equal(get(at + 4, 4), 0x2002);
	assert_int_equal(get(at + 8, 4), 0x3002);
	put(at + 3, 1, 0xff);
	assert_true(f.msix.enabled && f.msix.function_masked);
	assert_int_equal(get(at + 2, 2), 0xc004);
	put(at + 2, 2, 0x8000);
	assert_true(f.msix.enabled && !f.msix.function_masked);
	put(at, 4, 0);
	assert_false(f.msix.enabled);
	assert_int_equal(get(at, 1), 0x11);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_header_says_what_it_is),
		T(what_is_read_only_stays),
		T(bars_tell_their_size),
		T(a_bar_answers_while_memory_is_decoded),
		T(a_bar_moves_with_its_register),
		T(a_reset_brings_the_first_placement_back),
		T(capabilities_are_a_list),
		T(capabilities_end_with_the_space),
		T(the_pin_is_seen_and_can_be_silenced),
		T(msix_is_found_and_turned_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
