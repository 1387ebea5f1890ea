// SPDX-License-Identifier: MIT
/*
 * smp.c: starts every processor that the MADT lists. Each finds itself by its
 * APIC and by CPUID to be the one that was meant, then waits in HLT for an interrupt
 * that the first sends it, and counts itself. The count, and the sockets, cores and
 * threads where they are given, are on the command line; the ids must be made of
 * them as the manuals say.
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
 * case smp-300
 *	options: -c 300 --params 300
 *	status: 0
 *	out: ids from 0 to 299
 *	out: 300 of 300
 * case smp-gaps
 *	options: -c 9,sockets=3,cores=3 --params '9 3 3 1'
 *	status: 0
 *	out: ids from 0 to 10
 *	out: 9 of 9
 * case smp-threads
 *	options: --cpus sockets=2,cores=3,threads=2 --params '12 2 3 2'
 *	status: 0
 *	out: ids from 0 to 13
 *	out: 12 of 12
 * case smp-gaps-and-ids-above-255
 *	options: -c 125,sockets=5,threads=5 --params '125 5 5 5'
 *	status: 0
 *	out: ids from 0 to 292
 *	out: 125 of 125
 * case smp-pinned
 *	options: -c 2,affinity=0 --params 2
 *	status: 0
 *	out: 2 of 2
 * case smp-product
 *	options: -c 8,sockets=3
 *	status: 2
 *	err: ^trapmap: 3 sockets of 2 cores of 1 thread cannot be 8 processors
 * case smp-nowhere
 *	options: -c 1,affinity=65535
 *	status: 2
 *	err: there is no host processor 65535
 */
#include "guest.h"

#define TOPOLOGY_EXTENSIONS (1u << 22)
#define XAPIC_IDS 255

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
	same("CPUID 1", cpuid(1, 0).ebx >> 24, id & 0xff);
	/* EBX 0: the leaf is there but empty. */
	if (cpuid(0, 0).eax >= 0xb && cpuid(0xb, 0).ebx) {
		same("CPUID 0xb.0", cpuid(0xb, 0).edx, id);
		same("CPUID 0xb.1", cpuid(0xb, 1).edx, id);
	}
	if (cpuid(0x80000000, 0).eax >= 0x8000001e &&
	    cpuid(0x80000001, 0).ecx & TOPOLOGY_EXTENSIONS)
		same("CPUID 0x8000001e", cpuid(0x8000001e, 0).eax, id);
}

/* The bits of a field for numbers below n. */
static unsigned width(unsigned n)
{
	unsigned bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

/* What an id is made of, by SDM volume 3, 9.9.3; and what leaf 0xb says of that. */
static void check_topology(const char *s, const uint32_t *ids, unsigned n)
{
	unsigned sockets = (unsigned)parse_number(&s);
	unsigned cores = (unsigned)parse_number(&s);
	unsigned threads = (unsigned)parse_number(&s), i;

	if (!sockets)
		return;
	CHECK_EQ(sockets * cores * threads, n);
	for (i = 0; i < n; i++)
		CHECK_EQ(ids[i],
			 (i / threads / cores) << (width(cores) + width(threads)) |
				 (i / threads % cores) << width(threads) |
				 i % threads);
	if (cpuid(0, 0).eax < 0xb || !cpuid(0xb, 0).ebx)
		return;
	CHECK_EQ(cpuid(0xb, 0).ebx, threads);
	CHECK_EQ(cpuid(0xb, 0).eax, width(threads));
	CHECK_EQ(cpuid(0xb, 1).ebx, cores * threads);
	CHECK_EQ(cpuid(0xb, 1).eax, width(cores) + width(threads));
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

	n = smp_list(ids);
	CHECK_EQ(n, want);
	print("ids from %u to %u\n", ids[0], ids[n - 1]);
	check_topology(s, ids, n);
	pic_init();
	if (ids[n - 1] >= XAPIC_IDS)
		lapic_x2apic();
	lapic_init();
	trap_handler(VECTOR_APIC, on_wake);
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
