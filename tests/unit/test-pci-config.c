// SPDX-License-Identifier: MIT
/* By the PCI Local Bus Specification 3.0, 3.2.2.3 and 6.1: an empty bus. */
#include "test.h"

#include "core/bus.h"
#include "pci_config.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define ENABLE 0x80000000u

static struct device *pci;
static struct bus bus;

static int setup(void **state)
{
	if (pci_config_new(&pci) < 0)
		return -1;
	bus_init(&bus, 0xffff);
	return bus_add(&bus, CONFIG_ADDRESS, PCI_CONFIG_LEN, pci, 0);
}

static int teardown(void **state)
{
	bus_done(&bus);
	pci = device_free(pci);
	return 0;
}

static uint32_t in(uint16_t port, unsigned size)
{
	uint64_t val;

	bus_read(&bus, port, size, &val);
	return (uint32_t)val;
}

static void out(uint16_t port, unsigned size, uint32_t val)
{
	bus_write(&bus, port, size, val);
}

static void there_is_no_mechanism_to_be_found(void **state)
{
	out(CONFIG_ADDRESS, 4, ENABLE);
	assert_int_equal(in(CONFIG_ADDRESS, 4), 0xffffffff);
	out(CONFIG_ADDRESS, 1, 0); /* nor mechanism #2, 3.2.2.3.3 */
	out(CONFIG_ADDRESS + 2, 1, 0);
	assert_int_equal(in(CONFIG_ADDRESS, 1), 0xff);
	assert_int_equal(in(CONFIG_ADDRESS + 2, 1), 0xff);
}

static void every_function_of_every_bus_reads_as_absent(void **state)
{
	uint32_t function;

	for (function = 0; function < 0x10000; function += 7) {
		out(CONFIG_ADDRESS, 4, ENABLE | function << 8);
		assert_int_equal(in(CONFIG_DATA, 4), 0xffffffff);
		assert_int_equal(in(CONFIG_DATA, 2), 0xffff);
		assert_int_equal(in(CONFIG_DATA + 2, 2), 0xffff);
		assert_int_equal(in(CONFIG_DATA + 3, 1), 0xff);
	}
}

static void writes_to_config_data_are_lost(void **state)
{
	out(CONFIG_ADDRESS, 4, ENABLE);
	out(CONFIG_DATA, 4, 0);
	out(CONFIG_DATA + 1, 1, 0);
	assert_int_equal(in(CONFIG_DATA, 4), 0xffffffff);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(there_is_no_mechanism_to_be_found),
		T(every_function_of_every_bus_reads_as_absent),
		T(writes_to_config_data_are_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
