// SPDX-License-Identifier: MIT
/*
 * pvpanic.c: panics by pvpanic, or says that it handles its crash itself; then
 * ends as the command line says.
 *
 * case pvpanic-panicked
 *	options: --params panicked
 *	status: 10
 *	err: the guest panicked \(pvpanic, port 0x505\)
 * case pvpanic-crashloaded
 *	options: --params crashloaded
 *	status: 10
 *	out: still here
 * case pvpanic-crashloaded-reset
 *	options: --params crash-reset --on-reset reboot --timeout 10
 *	status: 10
 *	err: asked for a reset .*loaded a crash kernel
 * case pvpanic-unknown-event
 *	options: --params unknown
 *	status: 0
 *	out: still here
 */
#include <trapmap/guest_abi.h>

#include "guest.h"

#define SHUTDOWN 4 /* an event that the read does not offer */

int guest_main(void)
{
	const char *how = boot_cmdline();

	CHECK_EQ(inb(TRAPMAP_PVPANIC_PORT),
		 TRAPMAP_PVPANIC_PANICKED | TRAPMAP_PVPANIC_CRASHLOADED);
	if (!strcmp(how, "panicked")) {
		outb(TRAPMAP_PVPANIC_PORT, TRAPMAP_PVPANIC_PANICKED);
		halt_forever();
	}
	if (!strcmp(how, "crashloaded"))
		outb(TRAPMAP_PVPANIC_PORT, TRAPMAP_PVPANIC_CRASHLOADED);
	if (!strcmp(how, "crash-reset")) {
		outb(TRAPMAP_PVPANIC_PORT, TRAPMAP_PVPANIC_CRASHLOADED);
		acpi_reset();
	}
	if (!strcmp(how, "unknown"))
		outb(TRAPMAP_PVPANIC_PORT, SHUTDOWN);
	print("still here\n");
	acpi_power_off();
}
