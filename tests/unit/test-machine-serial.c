// SPDX-License-Identifier: MIT
/* The board's serial ports: where they answer, and what they interrupt. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "fake_loop.h"
#include "machine.h"

static const int no_vm = -1;
static struct machine m;
static struct machine_config config;
static struct fake_loop fl;
static struct error err;

static int setup(void **state)
{
	memset(&config, 0, sizeof(config));
	config.platform = platform_pc(MIB(16), 1, TRAPMAP_TRANSPORT_MMIO);
	config.debugcon_fd = -1;
	fake_loop_init(&fl, 0);
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	machine_done(&m);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(fl.timer[i].used || fl.watch[i].used);
	return 0;
}

static void build(void)
{
	static const struct machine_host host = { .opaque = NULL };

	if (machine_init(&m, &config, &host, &fl.loop, &no_vm, &err) < 0)
		fail_msg("%s", err.text);
}

/* Whether a scratch register answers there, apart from all others. */
static bool answers(struct bus *bus, uint64_t addr, unsigned size)
{
	static uint8_t mark = 0x21;
	uint64_t val = 0;

	mark += 3;
	return bus_write(bus, addr, size, mark) &&
	       bus_read(bus, addr, size, &val) && val == mark;
}

static void com1_is_alone_unless_others_are_asked_for(void **state)
{
	build();
	assert_true(answers(&m.pio, 0x3ff, 1));
	assert_null(bus_find(&m.pio, 0x2f8));
	assert_null(bus_find(&m.pio, 0x3e8));
	assert_null(bus_find(&m.pio, 0x2e8));
}

static void four_are_where_a_pc_has_them(void **state)
{
	static const uint16_t base[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
	uint64_t val = 0;
	unsigned i;

	for (i = 1; i < 4; i++)
		platform_add_pc_uart(&config.platform, i);
	build();
	for (i = 0; i < 4; i++)
		assert_true(bus_write(&m.pio, base[i] + 7u, 1, 0x10 + i));
	for (i = 0; i < 4; i++) {
		assert_true(bus_read(&m.pio, base[i] + 7u, 1, &val));
		assert_int_equal(val, 0x10 + i);
		assert_null(machine_serial_name(&m, i));
	}
	assert_int_equal(m.uart[0].input.gsi, 4);
	assert_int_equal(m.uart[1].input.gsi, 3);
}

static void ask(unsigned base, bool on)
{
	bus_write(&m.pio, base + 4, 1, 0x08); /* OUT2 */
	bus_write(&m.pio, base + 1, 1, on ? 0x02 : 0); /* THR empty */
}

static void ports_of_one_interrupt_share_its_input(void **state)
{
	unsigned i;

	for (i = 1; i < 4; i++)
		platform_add_pc_uart(&config.platform, i);
	build();
	ask(0x3f8, true);
	ask(0x3e8, true);
	assert_int_equal(m.uart[0].irq.high, 2);
	assert_true(m.uart[0].irq.out.level);
	assert_int_equal(m.uart[1].irq.high, 0);
	ask(0x3f8, false);
	assert_true(m.uart[0].irq.out.level);
	ask(0x2e8, true);
	assert_true(m.uart[1].irq.out.level);
	ask(0x3e8, false);
	assert_false(m.uart[0].irq.out.level);
	/* A reset takes all of it back. */
	machine_reset(&m);
	assert_int_equal(m.uart[1].irq.high, 0);
	assert_false(m.uart[1].irq.out.level);
}

static void a_board_has_them_in_memory_too(void **state)
{
	uint64_t val;

	config.platform.uart[0] = (struct platform_place){ 0 };
	config.platform.uart[1] =
		(struct platform_place){ .there = true,
					 .space = TRAPMAP_SPACE_MMIO,
					 .base = 0xd1000000,
					 .reg_shift = 2,
					 .irq = 20 };
	config.platform.uart[3] = (struct platform_place){
		.there = true, .space = TRAPMAP_SPACE_MMIO, .base = 0xd1000020, .irq = 20
	};
	build();
	assert_null(bus_find(&m.pio, 0x3f8));
	assert_true(answers(&m.mmio, 0xd100001c, 4));
	assert_true(answers(&m.mmio, 0xd100001c, 1));
	assert_true(answers(&m.mmio, 0xd1000027, 1));
	assert_false(bus_read(&m.mmio, 0xd1000028, 1, &val));
	assert_int_equal(m.uart[1].input.gsi, 20);
	/* A wide access goes on to the next register: LSR, MSR. */
	assert_true(bus_read(&m.mmio, 0xd1000014, 8, &val));
	assert_int_equal(val & 0xffffffff, 0x60);
	assert_int_equal(val >> 32, 0xb0);
	bus_write(&m.mmio, 0xd1000024, 1, 0x08);
	bus_write(&m.mmio, 0xd1000021, 1, 0x02);
	assert_true(m.uart[1].irq.out.level);
}

static void with_com2_a_slot_goes_that_has_its_interrupt(void **state)
{
	struct platform p = platform_pc(MIB(16), 1,
					TRAPMAP_TRANSPORT_MMIO_CMDLINE);
	unsigned i;

	assert_int_equal(p.slots, LAYOUT_VIRTIO_MAX);
	platform_add_pc_uart(&p, 2);
	assert_int_equal(p.slots, LAYOUT_VIRTIO_MAX);
	platform_add_pc_uart(&p, 3);
	platform_add_pc_uart(&p, 1);
	assert_int_equal(p.slots, LAYOUT_VIRTIO_MAX - 1);
	for (i = 0; i < p.slots; i++)
		assert_true(p.slot[i].irq != 3 && p.slot[i].irq != 4);
}

static void a_clash_is_an_error_that_names_the_port(void **state)
{
	static const struct machine_host host = { .opaque = NULL };

	platform_add_pc_uart(&config.platform, 1);
	config.platform.uart[1].base = 0x3fc;
	assert_int_equal(machine_init(&m, &config, &host, &fl.loop, &no_vm,
				      &err),
			 -EEXIST);
	assert_non_null(strstr(err.text, "serial port COM2"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(com1_is_alone_unless_others_are_asked_for),
		T(four_are_where_a_pc_has_them),
		T(ports_of_one_interrupt_share_its_input),
		T(a_board_has_them_in_memory_too),
		T(with_com2_a_slot_goes_that_has_its_interrupt),
		T(a_clash_is_an_error_that_names_the_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
