// SPDX-License-Identifier: MIT
/*
 * PCI Local Bus 3.0, 3.2.2.3.2, and PCI Express 3.0, 7.2.2: who finds what by ports
 * and by memory, where BARs begin, and which pins lead where.
 */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "pci/function.h"
#include "pci/host.h"

#define ECAM 0xb0000000u
#define ADDRESS 0xcf8
#define DATA 0xcfc
#define WINDOW 0xc0001000u
#define WINDOW_LEN 0x100000u

struct toy {
	struct device dev;
	struct pci_function pf;
};

static struct fixture {
	struct pci_host *host;
	struct bus pio, mmio;
	struct fake_line pin[PCI_PINS];
	struct toy toy[4];
} f;

static uint64_t toy_read(struct device *dev, uint64_t off, unsigned size)
{
	return off;
}

static void toy_write(struct device *dev, uint64_t off, unsigned size,
		      uint64_t val)
{
}

static const struct device_ops toy_ops = {
	.name = "toy", .sizes = 4, .read = toy_read, .write = toy_write,
};

static void make(struct toy *toy, uint8_t pin, uint64_t bar)
{
	const struct pci_function_config config = {
		.dev = &toy->dev,
		.vendor_id = 0x1234,
		.device_id = (uint16_t)(toy - f.toy),
		.class_code = 0x00ff00,
		.pin = pin,
	};

	pci_function_init(&toy->pf, &config);
	if (bar)
		pci_function_add_bar(&toy->pf, 0, bar, 0, true);
}

static int setup(void **state)
{
	struct pci_host_config config = {
		.mmio = &f.mmio,
		.window = WINDOW,
		.window_len = WINDOW_LEN,
	};
	struct device *dev;
	unsigned i;

	memset(&f, 0, sizeof(f));
	bus_init(&f.pio, 0xffff);
	bus_init(&f.mmio, UINT64_MAX - 1);
	for (i = 0; i < PCI_PINS; i++)
		config.pin[i] = (struct irq_line){ .set = fake_line_set,
						   .opaque = &f.pin[i] };
	assert_int_equal(pci_host_new(&config, &f.host), 0);
	dev = pci_host_device(f.host);
	assert_int_equal(bus_add(&f.mmio, ECAM, PCI_HOST_ECAM_LEN, dev, 0), 0);
	assert_int_equal(bus_add(&f.pio, ADDRESS, PCI_HOST_PORTS_LEN, dev,
				 PCI_HOST_ECAM_LEN),
			 0);
	for (i = 0; i < ARRAY_SIZE(f.toy); i++)
		device_init(&f.toy[i].dev, &toy_ops);
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	bus_done(&f.pio);
	bus_done(&f.mmio);
	device_free(pci_host_device(f.host));
	for (i = 0; i < ARRAY_SIZE(f.toy); i++)
		device_done(&f.toy[i].dev);
	return 0;
}

static uint32_t in(uint16_t port, unsigned size)
{
	uint64_t val;

	assert_true(bus_read(&f.pio, port, size, &val));
	return (uint32_t)val;
}

static void out(uint16_t port, unsigned size, uint32_t val)
{
	assert_true(bus_write(&f.pio, port, size, val));
}

static uint32_t by_port(unsigned slot, unsigned off)
{
	out(ADDRESS, 4, 0x80000000 | slot << 11 | (off & 0xfc));
	return in(DATA, 4);
}

static uint64_t ecam(unsigned slot, unsigned function, unsigned off)
{
	return ECAM + (slot << 15 | function << 12 | off);
}

static uint64_t by_memory(uint64_t addr, unsigned size)
{
	uint64_t val;

	assert_true(bus_read(&f.mmio, addr, size, &val));
	return val;
}

static void the_bridge_is_the_first_function(void **state)
{
	assert_int_equal(by_port(0, 0), 0x00081b36);
	assert_int_equal(by_port(0, 8) >> 16, 0x0600);
	assert_int_equal(by_port(0, 0x0c) >> 16 & 0xff, 0);
	assert_int_equal(by_memory(ecam(0, 0, 0), 4), 0x00081b36);
	/* It has no BARs and no pin. */
	by_port(0, 0x10);
	out(DATA, 4, UINT32_MAX);
	assert_int_equal(in(DATA, 4), 0);
	assert_int_equal(by_port(0, 0x3c), 0);
}

static void the_mechanism_is_found_as_linux_looks_for_it(void **state)
{
	uint32_t before = in(ADDRESS, 4);

	/* A byte to the last of the four must not reach the register. */
	out(0xcfb, 1, 1);
	out(ADDRESS, 4, 0x80000000);
	assert_int_equal(in(ADDRESS, 4), 0x80000000);
	out(ADDRESS, 4, before);
	assert_int_equal(in(ADDRESS, 4), 0);
}

static void the_address_reads_back_what_it_has(void **state)
{
	unsigned port, size;

	out(ADDRESS, 4, UINT32_MAX);
	assert_int_equal(in(ADDRESS, 4), 0x80fffffc);
	/* The reset register of chip sets is not here, nor is anything. */
	for (size = 1; size <= 2; size++)
		for (port = ADDRESS; port + size <= DATA; port++) {
			out((uint16_t)port, size, 0x0e0e);
			assert_int_equal(in((uint16_t)port, size),
					 size_mask(size));
		}
	out(0xcfa, 4, 0);
	assert_int_equal(in(0xcfa, 4), UINT32_MAX);
	assert_int_equal(in(ADDRESS, 4), 0x80fffffc);
}

static void data_is_as_wide_as_the_access(void **state)
{
	out(ADDRESS, 4, 0x80000008);
	assert_int_equal(in(DATA + 3, 1), 0x06);
	assert_int_equal(in(DATA + 2, 2), 0x0600);
	assert_int_equal(in(DATA + 1, 2), 0);
	out(ADDRESS, 4, 0x80000000);
	assert_int_equal(in(DATA + 2, 2), 0x0008);
	/* Without the enable bit these are ports as any others. */
	out(ADDRESS, 4, 0);
	assert_int_equal(in(DATA, 4), UINT32_MAX);
}

static void what_is_not_there_reads_as_all_ones(void **state)
{
	make(&f.toy[1], 1, 0x1000);
	assert_int_equal(pci_host_add(f.host, 5, &f.toy[1].pf), 0);
	assert_int_equal(by_port(5, 0), 0x00011234);
	assert_int_equal(by_memory(ecam(5, 0, 0), 4), 0x00011234);
	assert_int_equal(by_port(4, 0), UINT32_MAX);
	assert_int_equal(by_memory(ecam(4, 0, 0), 4), UINT32_MAX);
	/* Other functions, other buses. */
	out(ADDRESS, 4, 0x80000100 | 5 << 11);
	assert_int_equal(in(DATA, 4), UINT32_MAX);
	assert_int_equal(by_memory(ecam(5, 7, 0), 4), UINT32_MAX);
	out(ADDRESS, 4, 0x80010000 | 5 << 11);
	assert_int_equal(in(DATA, 4), UINT32_MAX);
	out(DATA, 4, 0);
	assert_true(bus_write(&f.mmio, ecam(31, 7, 0xffc), 4, 0));
	assert_int_equal(by_memory(ecam(31, 7, 0xffc), 4), UINT32_MAX);
}

static void both_ways_lead_to_the_same_registers(void **state)
{
	make(&f.toy[2], 1, 0x1000);
	assert_int_equal(pci_host_add(f.host, 31, &f.toy[2].pf), 0);
	assert_true(bus_write(&f.mmio, ecam(31, 0, 0x3c), 1, 0x0b));
	assert_int_equal(by_port(31, 0x3c), 0x10b);
	by_port(31, 0x10);
	out(DATA + 3, 1, 0xd0);
	assert_int_equal(by_memory(ecam(31, 0, 0x10), 4), 0xd0001004);
	assert_int_equal(by_memory(ecam(31, 0, 0x13), 1), 0xd0);
	/* Eight bytes are two accesses. */
	assert_true(by_memory(ecam(31, 0, 0), 8) == UINT64_C(0x0000000000021234));
	assert_int_equal(by_memory(ecam(31, 0, 0x100), 4), UINT32_MAX);
	assert_int_equal(by_memory(ecam(31, 0, 0xffe), 4), UINT32_MAX);
}

static void bars_begin_aligned_and_apart(void **state)
{
	make(&f.toy[0], 1, 0x1000);
	make(&f.toy[1], 1, 0x8000);
	make(&f.toy[2], 1, 0x10);
	make(&f.toy[3], 0, 0);
	assert_int_equal(pci_host_add(f.host, 1, &f.toy[0].pf), 0);
	assert_int_equal(pci_host_add(f.host, 2, &f.toy[1].pf), 0);
	assert_int_equal(pci_host_add(f.host, 3, &f.toy[2].pf), 0);
	assert_int_equal(pci_host_add(f.host, 4, &f.toy[3].pf), 0);
	assert_int_equal(by_port(1, 0x10), 0xc0001004);
	assert_int_equal(by_port(2, 0x10), 0xc0008004);
	assert_int_equal(by_port(3, 0x10), 0xc0010004);
	assert_int_equal(by_port(4, 0x10), 0);

	/* And answer there once they are told to. */
	assert_null(bus_find(&f.mmio, 0xc0008000));
	by_port(2, 4);
	out(DATA, 2, 2);
	assert_ptr_equal(bus_find(&f.mmio, 0xc0008000), &f.toy[1].dev);
}

static void a_slot_or_a_window_that_is_full_is_refused(void **state)
{
	make(&f.toy[0], 1, WINDOW_LEN / 2);
	make(&f.toy[1], 1, WINDOW_LEN / 2);
	make(&f.toy[2], 1, 0x10);
	assert_int_equal(pci_host_add(f.host, 0, &f.toy[0].pf), -EEXIST);
	assert_int_equal(pci_host_add(f.host, 1, &f.toy[0].pf), 0);
	/* For alignment there is room for one only. */
	assert_int_equal(pci_host_add(f.host, 2, &f.toy[1].pf), -ENOSPC);
	assert_int_equal(by_port(2, 0), UINT32_MAX);
	assert_int_equal(pci_host_add(f.host, 1, &f.toy[2].pf), -EEXIST);
	assert_int_equal(pci_host_add(f.host, 2, &f.toy[2].pf), 0);
}

static void set(struct toy *toy, bool level)
{
	device_lock(&toy->dev);
	pci_function_set_intx(&toy->pf, level);
	device_unlock(&toy->dev);
}

static void pins_are_swizzled_and_shared(void **state)
{
	make(&f.toy[0], 1, 0);
	make(&f.toy[1], 4, 0);
	make(&f.toy[2], 1, 0);
	assert_int_equal(pci_host_add(f.host, 6, &f.toy[0].pf), 0);
	assert_int_equal(pci_host_add(f.host, 7, &f.toy[1].pf), 0);
	assert_int_equal(pci_host_add(f.host, 9, &f.toy[2].pf), 0);
	set(&f.toy[2], true); /* slot 9, INTA */
	assert_int_equal(f.pin[1].level, 1);
	set(&f.toy[0], true); /* slot 6, INTA */
	set(&f.toy[1], true); /* slot 7, INTD */
	assert_int_equal(f.pin[2].level, 1);
	assert_int_equal(f.pin[2].rises, 1);
	set(&f.toy[0], false);
	assert_int_equal(f.pin[2].level, 1);
	set(&f.toy[1], false);
	assert_int_equal(f.pin[2].level, 0);
	assert_int_equal(f.pin[1].level, 1);
	assert_int_equal(f.pin[0].rises + f.pin[3].rises, 0);
	/* Silenced by its register, and by it alone. */
	by_port(9, 4);
	out(DATA, 2, 0x400);
	assert_int_equal(f.pin[1].level, 0);
	assert_int_equal(by_port(9, 4) >> 16, 8);
}

static void a_reset_forgets_the_address(void **state)
{
	out(ADDRESS, 4, 0x80000008);
	device_reset(pci_host_device(f.host));
	assert_int_equal(in(ADDRESS, 4), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_bridge_is_the_first_function),
		T(the_mechanism_is_found_as_linux_looks_for_it),
		T(the_address_reads_back_what_it_has),
		T(data_is_as_wide_as_the_access),
		T(what_is_not_there_reads_as_all_ones),
		T(both_ways_lead_to_the_same_registers),
		T(bars_begin_aligned_and_apart),
		T(a_slot_or_a_window_that_is_full_is_refused),
		T(pins_are_swizzled_and_shared),
		T(a_reset_forgets_the_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
