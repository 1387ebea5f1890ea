// SPDX-License-Identifier: MIT
/*
 * smp.c: starts every processor that the MADT lists. Each finds itself by its
 * APIC and by CPUID to be the one that was meant, then waits in HLT for an interrupt
 * that the first sends it, and counts itself.
 *
 * case smp-1
 *	options: -c 1 --params 1
 *	status: 0
 *	out: 1 of 1
 * case smp-2
 *	options: -c 2 --params 2
 *	status: 0
 *	out: 2 of 2
 * case smp-4
 *	options: --cpus 4 --params 4
 *	status: 0
 *	out: 4 of 4
 * case smp-16
 *	options: --smp 16 --params 16
 *	status: 0
 *	out: 16 of 16
 * case smp-64
 *	options: -c 64 --params 64
 *	status: 0
 *	out: 64 of 64
 * case smp-255
 *	options: -c 255 --params 255
 *	status: 0
 *	out: 255 of 255
 */
#include "guest.h"

#define TOPOLOGY_EXTENSIONS (1u << 22)

static volatile uint32_t expected_id;
static volatile uint32_t arrived, woken;
static volatile uint32_t wrong;

static void same(const char *where, uint32_t found, uint32_t id)
{
	if (found == id)
		return;
	print("processor %u is %u by %s\n", id, found, where);
	wrong = 1;
}

static void check_identity(uint32_t id)
{
	same("its APIC", lapic_id(), id);
	same("CPUID 1", cpuid(1, 0).ebx >> 24, id);
	/* EBX 0: the leaf is there but empty. */
	if (cpuid(0, 0).eax >= 0xb && cpuid(0xb, 0).ebx) {
		same("CPUID 0xb.0", cpuid(0xb, 0).edx, id);
		same("CPUID 0xb.1", cpuid(0xb, 1).edx, id);
	}
	if (cpuid(0x80000000, 0).eax >= 0x8000001e &&
	    cpuid(0x80000001, 0).ecx & TOPOLOGY_EXTENSIONS)
		same("CPUID 0x8000001e", cpuid(0x8000001e, 0).eax, id);
}

static void on_wake(struct trap_frame *frame)
{
	atomic_add(&woken, 1);
}

static void ap(void)
{
	check_identity(expected_id);
	atomic_add(&arrived, 1);
	wait_for_interrupt();
}

int guest_main(void)
{
	const char *s = boot_cmdline();
	unsigned want = (unsigned)parse_number(&s), n, i;
	uint32_t ids[SMP_MAX];

	pic_init();
	lapic_init();
	trap_handler(VECTOR_APIC, on_wake);
	n = smp_list(ids);
	CHECK_EQ(n, want);
	CHECK_EQ(ids[0], lapic_id());
	check_identity(ids[0]);
	CHECK(rdmsr(0x1b) & 0x100); /* the boot processor's mark */

	for (i = 1; i < n; i++) {
		expected_id = ids[i];
		smp_start(ids[i], ap);
		while (arrived < i)
			cpu_relax();
		CHECK_EQ(wrong, 0);
	}
	for (i = 1; i < n; i++)
		lapic_send(VECTOR_APIC, ids[i]);
	while (woken < n - 1)
		cpu_relax();
	print("%u of %u\n", woken + 1, want);
	return 0;
}
