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
 * case triple-fault
 *	options: --params triple-fault
 *	status: 8
 *	err: rip
 * case jump-to-nowhere
 *	options: --params jump
 *	status: 8
 *	err: rip
 * case exception-report
 *	options: --params exception
 *	status: 65
 *	match: exception 6 \(invalid opcode\), error code 0x0, at RIP 0x1[0-9a-f]+
 * case time-out
 *	options: --timeout 1 --params loop
 *	status: 124
 *	out: loop
 *	err: rip
 * case time-out-halted
 *	options: --timeout 1 --params halt
 *	status: 124
 *	out: halt
 * case signal-term
 *	options: --params loop
 *	signal: TERM
 *	status: 143
 *	out: loop
 * case signal-int-halted
 *	options: --params halt
 *	signal: INT
 *	status: 130
 *	out: halt
 */
#include "guest.h"

#define I8042_COMMAND 0x64
#define I8042_STATUS_FULL 0x02
#define I8042_PULSE_RESET 0xfe

static const struct {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed)) no_idt = { 0, 0 };

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
	if (!strcmp(how, "halt"))
		halt_forever();
	if (!strcmp(how, "exception"))
		asm volatile("ud2");
	if (!strcmp(how, "loop"))
		for (;;)
			cpu_relax();

	/* Without an IDT any exception becomes a triple fault. */
	asm volatile("lidt %0" : : "m"(no_idt));
	if (!strcmp(how, "triple-fault"))
		asm volatile("ud2");
	if (!strcmp(how, "jump"))
		((void (*)(void))0x123456789000)();
	return 1;
}
