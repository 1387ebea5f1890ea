// SPDX-License-Identifier: MIT
/* The board without KVM: what answers where, and what reaches whom. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base.h"
#include "fake_end.h"
#include "fake_loop.h"
#include "machine.h"
#include "post_code.h"

/* 2009-02-13 23:31:30 UTC and a bit. */
#define NOW INT64_C(1234567890123456789)

static struct machine m;
static struct machine_config config;
static struct machine_host host;
static struct fake_loop fl;
static struct fake_end end;
static struct error err;
static const int no_vm = -1;

static int setup(void **state)
{
	config = (struct machine_config){
		.platform = platform_pc(MIB(16), 1, TRAPMAP_TRANSPORT_MMIO),
		.debugcon_fd = -1
	};
	host = (struct machine_host){
		.end = { .request = fake_end_request, .opaque = &end },
	};
	memset(&end, 0, sizeof(end));
	memset(&err, 0, sizeof(err));
	fake_loop_init(&fl, NOW);
	fl.now[LOOP_CLOCK_VM] = 777;
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	machine_done(&m);
	/* Whatever the devices had of the loop they gave back. */
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(fl.timer[i].used || fl.watch[i].used);
	machine_done(&m);
	return 0;
}

static int build(void)
{
	return machine_init(&m, &config, &host, &fl.loop, &no_vm, &err);
}

static void assert_builds(void)
{
	if (build() < 0)
		fail_msg("%s", err.text);
}

static uint64_t in(uint16_t port, unsigned size)
{
	uint64_t val;

	assert_true(bus_read(&m.pio, port, size, &val));
	return val;
}

static void out(uint16_t port, unsigned size, uint64_t val)
{
	assert_true(bus_write(&m.pio, port, size, val));
}

/* ---- the map ------------------------------------------------------------ */

/* docs/architecture.md's table, but for what KVM answers. */
static const struct {
	uint16_t first, last;
	const char *name;
} ports[] = {
	{ 0x60, 0x60, "i8042" },       { 0x64, 0x64, "i8042" },
	{ 0x70, 0x71, "rtc" },         { 0x80, 0x80, "post-code" },
	{ 0xe9, 0xe9, "debugcon" },    { 0xf4, 0xf7, "debug-exit" },
	{ 0x3f8, 0x3ff, "16550A" },    { 0x402, 0x402, "debugcon" },
	{ 0x505, 0x505, "pvpanic" },   { 0x510, 0x51b, "fw_cfg" },
	{ 0x560, 0x563, "test-exit" }, { 0x600, 0x60f, "acpi-pm" },
	{ 0xcf8, 0xcff, "pci-config" },
}, testdev_ports[] = {
	{ 0xe0, 0xe8, "pc-testdev" },  { 0x2000, 0x2017, "pc-testdev" },
};

static const char *name_by_table(unsigned port)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(ports); i++)
		if (port >= ports[i].first && port <= ports[i].last)
			return ports[i].name;
	for (i = 0; config.test_device && i < ARRAY_SIZE(testdev_ports); i++)
		if (port >= testdev_ports[i].first &&
		    port <= testdev_ports[i].last)
			return testdev_ports[i].name;
	return "nothing";
}

static void assert_ports_as_the_table_has_them(void)
{
	unsigned port;

	for (port = 0; port <= 0xffff; port++) {
		const struct device *dev = bus_find(&m.pio, port);
		const char *name = dev ? dev->ops->name : "nothing";

		if (strcmp(name, name_by_table(port)) != 0)
			fail_msg("port %#x: %s, not %s", port, name,
				 name_by_table(port));
	}
}

static void every_port_is_claimed_as_the_table_has_it(void **state)
{
	assert_builds();
	assert_ports_as_the_table_has_them();
	assert_int_equal(m.mmio.count, 1); /* the entropy device */
}

static void the_test_device_is_there_where_it_is_asked_for(void **state)
{
	uint64_t val;
	unsigned i;

	config.test_device = true;
	assert_builds();
	assert_ports_as_the_table_has_them();

	out(0xe0, 4, 0x11223344);
	assert_int_equal(in(0xe0, 4), 0x11223344);
	assert_int_equal(in(0xe8, 1), 0x44);
	/* An access belongs to one of its parts, or to none. */
	assert_false(bus_read(&m.pio, 0xe2, 4, &val));
	out(0xe4, 4, 0); /* there is no RAM on this board */

	assert_true(bus_write(&m.mmio, 0xff000000, 8, 0x1234567890));
	assert_true(bus_read(&m.mmio, 0xff000001, 4, &val));
	assert_int_equal(val, 0x12345678);
	assert_true(bus_read(&m.mmio, 0xff00ffff, 1, &val));
	assert_false(bus_read(&m.mmio, 0xff010000, 1, &val));

	/* Level 1, then 0, at the controllers' input of that number. */
	for (i = 0; i < 24; i++) {
		assert_int_equal(m.irq_test[i].gsi, i);
		out((uint16_t)(0x2000 + i), 1, 1);
	}
}

static uint32_t virtio_reg(unsigned n, uint64_t off)
{
	uint64_t val;

	assert_true(bus_read(&m.mmio, 0xd0000000 + 0x1000 * n + off, 4, &val));
	return (uint32_t)val;
}

static void virtio_devices_are_in_a_row(void **state)
{
	assert_builds();
	assert_int_equal(m.virtio_count, 1);
	assert_true(m.virtio[0].doorbell.base == 0xd0000000);
	assert_ptr_equal(m.virtio[0].doorbell.vm_fd, &no_vm);
	assert_int_equal(virtio_reg(0, 0), 0x74726976);
	assert_int_equal(virtio_reg(0, 8), 4); /* entropy */
	assert_null(bus_find(&m.mmio, 0xd0001000));
}

static void interrupts_are_wired_as_the_table_has_it(void **state)
{
	assert_builds();
	assert_int_equal(m.irq_kbd.gsi, 1);
	assert_int_equal(m.uart[0].input.gsi, 4);
	assert_int_equal(m.irq_rtc.gsi, 8);
	assert_int_equal(m.irq_sci.gsi, 9);
	assert_int_equal(m.irq_aux.gsi, 12);
	assert_ptr_equal(m.irq_rtc.vm_fd, &no_vm);
}

/* ACPI 4.8.2.4: RTC_STS, bit 10 of PM1a_STS, comes with IRQ 8. */
static void the_clocks_interrupt_is_an_event_of_acpis_too(void **state)
{
	assert_builds();
	out(0x70, 1, 0x0b);
	out(0x71, 1, 0x12); /* UIE, 24 hours */
	fake_loop_advance(&fl, NSEC_PER_SEC);
	assert_int_equal(in(0x600, 2) & 0x0400, 0x0400);
	out(0x600, 2, 0x0400);
	assert_int_equal(in(0x600, 2) & 0x0400, 0);
	out(0x70, 1, 0x0c);
	in(0x71, 1);
	fake_loop_advance(&fl, NSEC_PER_SEC);
	assert_int_equal(in(0x600, 2) & 0x0400, 0x0400);
}

static uint32_t rtc(uint8_t index)
{
	out(0x70, 1, index);
	return in(0x71, 1);
}

/* By hour: the bytes of a clock that is set a day ahead are tested by the RTC's own. */
static void a_file_keeps_the_clock_unless_that_is_set(void **state)
{
	char path[] = "/tmp/test-machine.XXXXXX";
	uint32_t hour;

	close(mkstemp(path));
	config.nvram = path;
	assert_builds();
	hour = rtc(0x04);
	out(0x70, 1, 0x40);
	out(0x71, 1, 0x5a);
	out(0x70, 1, 0x04);
	out(0x71, 1, hour == 0x05 ? 0x06 : 0x05);
	machine_keep_rtc(&m);
	machine_done(&m);

	assert_builds();
	assert_int_equal(rtc(0x40), 0x5a);
	assert_int_equal(rtc(0x04), hour == 0x05 ? 0x06 : 0x05);
	machine_keep_rtc(&m);
	machine_done(&m);

	config.nvram_set_clock = true;
	assert_builds();
	assert_int_equal(rtc(0x40), 0x5a);
	assert_int_equal(rtc(0x04), hour);
	unlink(path);
}

static void an_nvram_that_is_none_is_named(void **state)
{
	config.nvram = "/dev/null";
	assert_int_equal(build(), -EINVAL);
	assert_int_equal(err.status, ERROR_INPUT);
	assert_string_equal(err.text,
			    "NVRAM '/dev/null' is not a regular file");
	machine_done(&m);
	config.platform.rtc.there = false;
	assert_int_equal(build(), -ENODEV);
	assert_string_equal(err.text,
			    "NVRAM '/dev/null': this machine has no clock");
}

static void both_ports_of_the_i8042_are_the_right_ones(void **state)
{
	assert_builds();
	/* Self-test: the answer comes at the data port, OBF in the status. */
	out(0x64, 1, 0xaa);
	assert_int_equal(in(0x64, 1) & 1, 1);
	assert_int_equal(in(0x60, 1), 0x55);
	assert_int_equal(in(0x64, 1) & 1, 0);
}

static void assert_end(uint16_t port, unsigned size, uint32_t val,
		       enum end_request kind, uint32_t value)
{
	unsigned before = end.count;

	out(port, size, val);
	assert_int_equal(end.count, before + 1);
	assert_int_equal(end.kind, kind);
	assert_int_equal(end.value, value);
	assert_non_null(end.who);
}

static void end_requests_reach_the_sink(void **state)
{
	assert_builds();
	assert_end(0xf4, 1, 0x10, END_DEBUG_EXIT, 0x10);
	assert_end(0xf4, 4, 0x12345678, END_DEBUG_EXIT, 0x12345678);
	assert_end(0x560, 2, 0x300, END_TEST_EXIT, 0x300);
	assert_end(0x505, 1, 1, END_PANIC, 0);
	assert_end(0x505, 1, 2, END_CRASHLOADED, 0);
	/* S5 is SLP_TYP 0 here, with SLP_EN; FADT's RESET_VALUE is 6. */
	assert_end(0x604, 2, 0x2000, END_POWEROFF, 0);
	assert_end(0x60c, 1, 6, END_RESET, 0);
	/* Pulse output line 0: the processor's reset. */
	assert_end(0x64, 1, 0xfe, END_RESET, 0);
}

/* What it says of the machine is fw_items.c's. */
static void fw_cfg_is_known_by_its_signature(void **state)
{
	assert_builds();
	out(0x510, 2, 0);
	assert_int_equal(in(0x511, 1), 'Q');
	assert_int_equal(in(0x511, 1), 'E');
}

static void a_pci_bus_has_the_virtio_devices_in_its_slots(void **state)
{
	uint64_t val;

	config.platform =
		platform_pc(MIB(16), 1, TRAPMAP_TRANSPORT_PCI);
	assert_builds();
	assert_int_equal(m.virtio_count, 1);
	assert_null(bus_find(&m.mmio, 0xd0000000));
	/* 00:01.0 by ports, and in memory: virtio, of type 4 (4.1.2). */
	out(0xcf8, 4, 0x80000800);
	assert_int_equal(in(0xcf8, 4), 0x80000800);
	assert_int_equal(in(0xcfc, 4), 0x10441af4);
	assert_true(bus_read(&m.mmio, 0xd8008000, 4, &val));
	assert_int_equal(val, 0x10441af4);
	out(0xcf8, 4, 0x80001000);
	assert_int_equal(in(0xcfc, 4), 0xffffffff);
	machine_reset(&m);
	assert_true(bus_read(&m.mmio, 0xd8008000, 4, &val));
	assert_int_equal(val, 0x10441af4);
}

static void there_is_no_pci(void **state)
{
	assert_builds();
	out(0xcf8, 4, 0x80000000);
	assert_int_equal(in(0xcf8, 4), 0xffffffff);
	assert_int_equal(in(0xcfc, 4), 0xffffffff);
}

static void the_last_post_codes_can_be_asked_for(void **state)
{
	struct post_code_entry e[2];

	assert_builds();
	out(0x80, 1, 0x10);
	out(0x80, 1, 0x20);
	assert_int_equal(post_code_history(m.post, e, 2), 2);
	assert_int_equal(e[1].code, 0x20);
	assert_int_equal(e[1].ns, 777);
}

/* ---- the clock ---------------------------------------------------------- */

static void assert_shows(const char *date)
{
	static const uint8_t reg[] = { 0x32, 9, 8, 7, 4, 2, 0 };
	uint8_t v[ARRAY_SIZE(reg)];
	char text[32];
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(reg); i++) {
		out(0x70, 1, reg[i]);
		v[i] = (uint8_t)in(0x71, 1);
	}
	snprintf(text, sizeof(text), "%02x%02x-%02x-%02x %02x:%02x:%02x", v[0],
		 v[1], v[2], v[3], v[4], v[5], v[6]);
	assert_string_equal(text, date);
}

static void the_clock_shows_the_hosts_time_in_utc(void **state)
{
	assert_builds();
	assert_shows("2009-02-13 23:31:30");
	/* The second turns when the host's does. */
	fake_loop_advance(&fl, NSEC_PER_SEC - NOW % NSEC_PER_SEC - 1);
	assert_shows("2009-02-13 23:31:30");
	fake_loop_advance(&fl, 1);
	assert_shows("2009-02-13 23:31:31");
	/* A step of the host's is one of the guest's. */
	fl.now[LOOP_CLOCK_HOST] += 3600 * NSEC_PER_SEC;
	assert_shows("2009-02-14 00:31:31");
}

static void the_vms_clock_starts_with_the_hosts_time_and_never_steps(
	void **state)
{
	config.rtc_clock = TRAPMAP_RTC_CLOCK_VM;
	assert_builds();
	assert_shows("2009-02-13 23:31:30");
	fake_loop_advance(&fl, NSEC_PER_SEC - NOW % NSEC_PER_SEC - 1);
	assert_shows("2009-02-13 23:31:30");
	fake_loop_advance(&fl, 1);
	assert_shows("2009-02-13 23:31:31");
	fl.now[LOOP_CLOCK_HOST] += 3600 * NSEC_PER_SEC;
	assert_shows("2009-02-13 23:31:31");
	fake_loop_advance(&fl, 60 * NSEC_PER_SEC);
	assert_shows("2009-02-13 23:32:31");
}

static void the_clock_can_show_the_hosts_local_time(void **state)
{
	unsigned clock;

	/* POSIX's sign: five and a half hours ahead of UTC. */
	setenv("TZ", "TST-5:30", 1);
	tzset();
	for (clock = 0; clock < 2; clock++) {
		config.rtc_base = TRAPMAP_RTC_BASE_LOCALTIME;
		config.rtc_clock = clock ? TRAPMAP_RTC_CLOCK_VM :
					   TRAPMAP_RTC_CLOCK_HOST;
		assert_builds();
		assert_shows("2009-02-14 05:01:30");
		machine_done(&m);
	}
	unsetenv("TZ");
	tzset();
}

static void the_clock_can_start_at_any_date(void **state)
{
	static const struct {
		int64_t epoch;
		const char *date, *later;
	} at[] = {
		{ 0, "1970-01-01 00:00:00", "1970-01-01 00:00:01" },
		{ 946684799, "1999-12-31 23:59:59", "2000-01-01 00:00:00" },
		{ -1, "1969-12-31 23:59:59", "1970-01-01 00:00:00" },
		{ INT64_C(253402300798), "9999-12-31 23:59:58",
		  "9999-12-31 23:59:59" },
		{ INT64_C(-62167219200), "0000-01-01 00:00:00",
		  "0000-01-01 00:00:01" },
	};
	unsigned i;

	config.rtc_base = TRAPMAP_RTC_BASE_EPOCH;
	for (i = 0; i < 2 * ARRAY_SIZE(at); i++) {
		const unsigned k = i / 2;

		config.rtc_clock = i % 2 ? TRAPMAP_RTC_CLOCK_VM :
					   TRAPMAP_RTC_CLOCK_HOST;
		config.rtc_epoch = at[k].epoch;
		assert_builds();
		assert_shows(at[k].date);
		/* It is the beginning of that second. */
		fake_loop_advance(&fl, NSEC_PER_SEC - 1);
		assert_shows(at[k].date);
		fake_loop_advance(&fl, 1);
		assert_shows(at[k].later);
		machine_done(&m);
	}
}

/* ---- reset -------------------------------------------------------------- */

static void a_reset_reaches_every_device(void **state)
{
	assert_builds();
	out(0x3fb, 1, 0x1b); /* COM1's LCR: 8 bits, even parity */
	out(0x80, 1, 0x42);
	out(0x602, 2, 0x100); /* PM1_EN: power button */
	out(0x70, 1, 0x0b);
	out(0x71, 1, 0x42); /* register B: PIE, 24 hours */
	out(0x70, 1, 0x40);
	out(0x71, 1, 0x99); /* NVRAM */
	out(0x64, 1, 0xaa); /* the i8042 has an answer that nobody read */
	machine_reset(&m);

	assert_int_equal(in(0x3fb, 1), 0);
	assert_int_equal(in(0x80, 1), 0);
	assert_int_equal(in(0x602, 2), 0);
	out(0x70, 1, 0x0b);
	assert_int_equal(in(0x71, 1) & 0x70, 0); /* RESET clears PIE AIE UIE */
	assert_int_equal(in(0x64, 1) & 1, 0);
	/* A battery keeps these. */
	out(0x70, 1, 0x40);
	assert_int_equal(in(0x71, 1), 0x99);
	assert_shows("2009-02-13 23:31:30");
}

static void a_time_that_no_clock_can_show_is_refused(void **state)
{
	config.rtc_base = TRAPMAP_RTC_BASE_EPOCH;
	config.rtc_epoch = INT64_MAX;
	assert_true(build() < 0);
	assert_true(strlen(err.text) > 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_port_is_claimed_as_the_table_has_it),
		T(the_test_device_is_there_where_it_is_asked_for),
		T(virtio_devices_are_in_a_row),
		T(interrupts_are_wired_as_the_table_has_it),
		T(the_clocks_interrupt_is_an_event_of_acpis_too),
		T(a_file_keeps_the_clock_unless_that_is_set),
		T(an_nvram_that_is_none_is_named),
		T(both_ports_of_the_i8042_are_the_right_ones),
		T(end_requests_reach_the_sink),
		T(fw_cfg_is_known_by_its_signature),
		T(there_is_no_pci),
		T(a_pci_bus_has_the_virtio_devices_in_its_slots),
		T(the_last_post_codes_can_be_asked_for),
		T(the_clock_shows_the_hosts_time_in_utc),
		T(the_vms_clock_starts_with_the_hosts_time_and_never_steps),
		T(the_clock_can_show_the_hosts_local_time),
		T(the_clock_can_start_at_any_date),
		T(a_reset_reaches_every_device),
		T(a_time_that_no_clock_can_show_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
