// SPDX-License-Identifier: MIT
/*
 * cpuid.c: the processor says that it is KVM's, and --cpu edits what it offers.
 * Only features of the kernel's side are tried: where KVM emulates ring 0, the
 * others show as the host has them, whatever KVM was told.
 *
 * case cpuid
 *	status: 0
 *	out: KVMKVMKVM
 *	match: ^tsc [0-9]+ kHz by CPUID 0x40000010$
 * case cpuid-without-cx16
 *	options: --cpu host,-cx16
 *	status: 0
 *	out: cx16 no
 * case cpuid-without-three
 *	options: --cpu host,-cx16,-x2apic,-tsc_deadline_timer
 *	status: 0
 *	out: cx16 no
 *	out: x2apic no
 *	out: tsc_deadline_timer no
 * case cpuid-unknown-name
 *	options: --cpu host,-nonsense
 *	status: 2
 *	err: nonsense
 */
#include "guest.h"

static void show(const char *name, uint32_t reg, unsigned bit)
{
	print("%s %s\n", name, reg >> bit & 1 ? "yes" : "no");
}

int guest_main(void)
{
	struct cpuid r = cpuid(0x40000000, 0), one = cpuid(1, 0);
	const char *source;
	uint32_t khz;
	char name[13];

	CHECK(one.ecx >> 31); /* a hypervisor is there */
	memcpy(name, &r.ebx, 4);
	memcpy(name + 4, &r.ecx, 4);
	memcpy(name + 8, &r.edx, 4);
	name[12] = '\0';
	print("%s\n", name);
	show("cx16", one.ecx, 13);
	show("x2apic", one.ecx, 21);
	show("tsc_deadline_timer", one.ecx, 24);
	/* A long-mode guest cannot do without these. */
	CHECK(one.edx >> 4 & one.edx >> 5 & one.edx >> 6 & one.edx >> 9 & 1);
	CHECK(cpuid(0x80000001, 0).edx >> 29 & 1);
	CHECK(cpuid(0x80000008, 0).eax >= 36);
	khz = tsc_khz(&source);
	print("tsc %u kHz by %s\n", khz, source);
	return 0;
}
