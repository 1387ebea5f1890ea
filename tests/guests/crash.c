// SPDX-License-Identifier: MIT
/*
 * crash.c: a 64-bit guest that crashes, in each way that the command line can
 * name; and what Trapmap says of it.
 *
 * case crash-no-idt
 *	options: --params no-idt
 *	status: 8
 *	err: vCPU 0 triple-faulted: .*#UD.*IDT limit 0
 *	err: ud2
 *	report: verdict.kind = crash
 *	report: verdict.status = 8
 *	report: verdict.text ~ IDT limit 0
 *	report: vcpus.0.registers.rip ~ ^0x1[0-9a-f]+$
 *	report: vcpus.0.exits.last
 * case crash-bad-idt
 *	options: --params bad-idt
 *	status: 8
 *	err: vCPU 0 triple-faulted: .*IDT.*0x5ead00000000
 *	report: verdict.text ~ triple-faulted
 * case crash-no-stack
 *	options: --params no-stack
 *	status: 8
 *	err: vCPU 0 triple-faulted: .*[Ss]tack
 *	report: verdict.text ~ [Ss]tack
 * case crash-jump-to-unmapped
 *	options: --params jump-unmapped
 *	status: 8
 *	err: vCPU 0 triple-faulted: #PF at 0x123456789000
 *	report: verdict.text ~ 0x123456789000
 * case crash-jump-into-mmio
 *	options: --params jump-mmio
 *	status: 8
 *	err: vCPU 0
 *	err: 0xd0000000
 *	report: verdict.kind = crash
 *	report: vcpus.0.registers.rip = 0xd0000000
 * case crash-cannot-emulate
 *	if: "$trapmap" doctor | grep -qi software
 *	options: --params int3
 *	status: 8
 *	err: KVM here \(software\) cannot run `int3` in ring 0
 *	err: doctor
 *	report: verdict.text ~ cannot run `int3`
 * case crash-exception-is-handled
 *	options: --params ud2
 *	status: 65
 *	report: verdict.kind = guest-status
 *	report: verdict.status = 65
 * case crash-one-of-four
 *	options: -c 4 --params no-idt
 *	status: 8
 *	err: vCPU 0 triple-faulted
 *	report: vcpus.# = 4
 */
#include "guest.h"

struct idt_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static void load_idt(uint16_t limit, uint64_t base)
{
	struct idt_pointer idt = { limit, base };

	asm volatile("lidt %0" : : "m"(idt));
}

static void jump(uint64_t address)
{
	((void (*)(void))address)();
}

static void crash(const char *how)
{
	if (!strcmp(how, "no-idt")) {
		load_idt(0, 0);
		asm volatile("ud2");
	}
	if (!strcmp(how, "bad-idt")) {
		load_idt(0xfff, 0x5ead00000000);
		asm volatile("ud2");
	}
	/* The runtime's handlers are there, but none can be entered. */
	if (!strcmp(how, "no-stack"))
		asm volatile("movabs $0x7eadbeef0000, %rsp; ud2");
	if (!strcmp(how, "jump-unmapped")) {
		load_idt(0, 0);
		jump(0x123456789000);
	}
	/* Mapped, but no memory. */
	if (!strcmp(how, "jump-mmio")) {
		map_page(0xd0000000);
		jump(0xd0000000);
	}
	if (!strcmp(how, "int3"))
		asm volatile("int3");
	if (!strcmp(how, "ud2"))
		asm volatile("ud2");
}

int guest_main(void)
{
	print("%s\n", boot_cmdline());
	crash(boot_cmdline());
	return 1;
}
