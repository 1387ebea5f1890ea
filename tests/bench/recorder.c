// SPDX-License-Identifier: MIT
/*
 * recorder.c: what the flight recorder adds to an exit: one reading of the time
 * stamp counter and one record, as vcpu.c has them, on made-up exits. In each
 * round an empty loop, the reading alone, and both, for a port and for memory.
 *
 *	recorder [ROUNDS]
 */
#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "guests.h"
#include "table.h"
#include "tsc.h"

#define CALLS 100000
#define CASES 4

static union {
	struct kvm_run run;
	uint8_t pages[8192];
} shared;
static struct flight flight;

/* Everything may have changed: nothing is taken out of a loop. */
#define FENCE() __asm__ volatile("" : : : "memory")

static double empty(void)
{
	double start = now_ns();
	unsigned i;

	for (i = 0; i < CALLS; i++)
		FENCE();
	return (now_ns() - start) / CALLS;
}

static double reading(void)
{
	double start = now_ns();
	unsigned i;

	for (i = 0; i < CALLS; i++) {
		uint64_t tsc = tsc_read();

		__asm__ volatile("" : : "r"(tsc) : "memory");
	}
	return (now_ns() - start) / CALLS;
}

static double record(uint32_t reason)
{
	double start;
	unsigned i;

	shared.run.exit_reason = reason;
	start = now_ns();
	for (i = 0; i < CALLS; i++) {
		(void)flight_put(&flight, &shared.run, tsc_read());
		FENCE();
	}
	return (now_ns() - start) / CALLS;
}

static void make_exits(uint32_t reason)
{
	struct kvm_run *run = &shared.run;

	memset(run, 0, sizeof(*run));
	if (reason == KVM_EXIT_IO) {
		run->io.direction = KVM_EXIT_IO_OUT;
		run->io.port = 0x3f8;
		run->io.size = 1;
		run->io.count = 1;
		run->io.data_offset = 4096;
		return;
	}
	run->mmio.phys_addr = 0xd0000000;
	run->mmio.len = 4;
	run->mmio.is_write = 1;
}

int main(int argc, char **argv)
{
	static const char *const names[CASES] = { "an empty loop",
						  "rdtsc", "rdtsc and record, port",
						  "rdtsc and record, memory" };
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 200;
	double *ns, *scratch;
	unsigned i;

	ns = calloc(CASES * (size_t)rounds, sizeof(*ns));
	scratch = calloc(rounds, sizeof(*scratch));
	if (rounds == 0 || !ns || !scratch)
		return 2;
	for (i = 0; i < rounds; i++) {
		ns[i] = empty();
		ns[rounds + i] = reading();
		make_exits(KVM_EXIT_IO);
		ns[2 * rounds + i] = record(KVM_EXIT_IO);
		make_exits(KVM_EXIT_MMIO);
		ns[3 * rounds + i] = record(KVM_EXIT_MMIO);
	}
	table_head("the recorder's part", "ns", rounds);
	for (i = 0; i < CASES; i++)
		table_row(names[i], ns + (size_t)i * rounds, ns, rounds, 1,
			  scratch);
	free(ns);
	free(scratch);
	return 0;
}
