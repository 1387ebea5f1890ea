// SPDX-License-Identifier: MIT
/*
 * start.c: an embedder of libtrapmap that runs guest_start, and says the
 * guest's byte the moment that the first exit reaches its device.
 *
 *	start [-m MIB] [-c CPUS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <trapmap/trapmap.h>

#include "guests.h"

static uint64_t say_read(void *opaque, uint64_t off, unsigned size)
{
	return 0;
}

static void say_write(void *opaque, uint64_t off, unsigned size, uint64_t val)
{
	char byte = (char)val;

	(void)!write(STDOUT_FILENO, &byte, 1);
}

int main(int argc, char **argv)
{
	const struct trapmap_device say = {
		.size = sizeof(say),
		.name = "say",
		.base = PORT_SAY,
		.len = 1,
		.read = say_read,
		.write = say_write,
	};
	const struct trapmap_source kernel = {
		.size = sizeof(kernel),
		.data = guest_start,
		.len = (size_t)(guest_start_end - guest_start),
	};
	struct trapmap_machine machine = TRAPMAP_MACHINE_INIT;
	struct trapmap_end end = TRAPMAP_END_INIT;
	struct trapmap_vm *vm;
	int opt;

	while ((opt = getopt(argc, argv, "c:m:")) != -1)
		switch (opt) {
		case 'c': machine.cpus = (uint32_t)atoi(optarg); break;
		case 'm': machine.mem = strtoull(optarg, NULL, 0) << 20; break;
		default: return 2;
		}
	if (trapmap_vm_new(&vm))
		return 1;
	if (trapmap_vm_set_machine(vm, &machine) ||
	    trapmap_vm_set_kernel(vm, &kernel) ||
	    trapmap_vm_add_device(vm, &say) || trapmap_vm_start(vm) ||
	    trapmap_vm_wait(vm, -1, &end)) {
		fprintf(stderr, "%s\n", trapmap_vm_error(vm));
		end.status = 1;
	}
	trapmap_vm_free(vm);
	return end.status;
}
