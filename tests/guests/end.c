// SPDX-License-Identifier: MIT
/*
 * end.c: ends as the command line says.
 *
 * case power-off
 *	options: --params acpi
 *	status: 0
 * case reset-i8042
 *	options: --params i8042
 *	status: 6
 * case reset-register
 *	options: --params reset-register
 *	status: 6
 * case reset-counts-as-power-off
 *	options: --on-reset=poweroff --params reset-register
 *	status: 0
 * case exception-report
 *	options: --params exception
 *	status: 65
 *	match: exception 6 \(invalid opcode\), error code 0x0, at RIP 0x1[0-9a-f]+
 * case time-out
 *	options: --timeout 1 --params loop
 *	status: 124
 *	out: loop
 *	err: rip
 * case time-out-idle
 *	options: --timeout 1 --params idle
 *	status: 124
 *	out: idle
 * case signal-term
 *	options: --params loop
 *	signal: TERM
 *	status: 143
 *	out: loop
 * case signal-int-idle
 *	options: --params idle
 *	signal: INT
 *	status: 130
 *	out: idle
 */
#include "guest.h"

#define I8042_COMMAND 0x64
#define I8042_STATUS_FULL 0x02
#define I8042_PULSE_RESET 0xfe

static _Noreturn void i8042_reset(void)
{
	while (inb(I8042_COMMAND) & I8042_STATUS_FULL)
		cpu_relax();
	outb(I8042_COMMAND, I8042_PULSE_RESET);
	halt_forever();
}

int guest_main(void)
{
	const char *how = boot_cmdline();

	print("%s\n", how);
	if (!strcmp(how, "acpi"))
		acpi_power_off();
	if (!strcmp(how, "i8042"))
		i8042_reset();
	if (!strcmp(how, "reset-register"))
		acpi_reset();
	if (!strcmp(how, "idle"))
		for (;;)
			asm volatile("sti; hlt");
	if (!strcmp(how, "exception"))
		asm volatile("ud2");
	if (!strcmp(how, "loop"))
		for (;;)
			cpu_relax();

	return 1;
}
