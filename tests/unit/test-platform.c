// SPDX-License-Identifier: MIT
/* Where virtio devices are, as Linux reads it: kernel-parameters.txt. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "a_pc.h"
#include "core/base.h"

static struct platform p;

static void assert_line(const char *given, const char *wanted)
{
	char *line = platform_linux_cmdline(&p, given);

	assert_non_null(line);
	assert_string_equal(line, wanted);
	free(line);
}

static void a_command_line_that_need_not_name_devices_stays_as_it_is(void **state)
{
	p = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO, 8);
	assert_line("", "");
	assert_line(" quiet  -- -s ", " quiet  -- -s ");
	p.transport = TRAPMAP_TRANSPORT_PCI;
	assert_line("quiet", "quiet");
	p = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO_CMDLINE, 0);
	assert_line("quiet", "quiet");
}

#define FIRST "virtio_mmio.device=4K@0xd0000000:5"
#define SECOND "virtio_mmio.device=4K@0xd0001000:6"

static void the_transports_come_behind_the_guests_own_words(void **state)
{
	p = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO_CMDLINE, 2);
	assert_line("", FIRST " " SECOND);
	assert_line("quiet", "quiet " FIRST " " SECOND);
	assert_line("quiet ", "quiet " FIRST " " SECOND);
}

/* What is behind "--" is for init. */
static void the_transports_come_before_the_words_for_init(void **state)
{
	p = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO_CMDLINE, 1);
	assert_line("quiet -- -s 1", "quiet " FIRST " -- -s 1");
	assert_line("--", FIRST " --");
	assert_line("a=\"x -- y\" b", "a=\"x -- y\" b " FIRST);
	assert_line("a-- --b", "a-- --b " FIRST);
}

/* Linux knows no interrupt beyond ISA's without ACPI or an MP table's word. */
static void transports_on_the_command_line_have_isa_interrupts(void **state)
{
	/* The timer, keyboard, cascade, COM1, clock, SCI and mouse. */
	unsigned used = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 9 |
			1 << 12;
	unsigned n, irq;

	for (n = 0; n < 8; n++) {
		p = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO_CMDLINE, 8);
		irq = p.slot[n].irq;
		assert_in_range(irq, 0, 15);
		assert_false(used >> irq & 1);
		used |= 1u << irq;
		p = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO, 8);
		assert_int_equal(p.slot[n].irq, 16 + n);
	}
}

static void all_transports_fit(void **state)
{
	char *line;

	p = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO_CMDLINE, 8);
	line = platform_linux_cmdline(&p, "quiet -- x");
	assert_non_null(line);
	assert_non_null(strstr(line, " virtio_mmio.device=4K@0xd0007000:3 -- x"));
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_command_line_that_need_not_name_devices_stays_as_it_is),
		cmocka_unit_test(the_transports_come_behind_the_guests_own_words),
		cmocka_unit_test(the_transports_come_before_the_words_for_init),
		cmocka_unit_test(
			transports_on_the_command_line_have_isa_interrupts),
		cmocka_unit_test(all_transports_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
