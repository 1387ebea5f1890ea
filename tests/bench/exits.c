// SPDX-License-Identifier: MIT
/*
 * exits.c: what one exit costs through the whole monitor: runs guest_exits and
 * prints the nanoseconds between its marks, by the number of accesses.
 *
 *	exits ACCESS N		as raw_kvm's
 */
#include <stdio.h>

#include <trapmap/trapmap.h>

#include "guests.h"

struct marks {
	double at[2];
	unsigned count;
};

static uint64_t nothing_read(void *opaque, uint64_t off, unsigned size)
{
	return 0;
}

static void mark(void *opaque, uint64_t off, unsigned size, uint64_t val)
{
	struct marks *marks = opaque;

	if (marks->count < 2)
		marks->at[marks->count++] = now_ns();
}

int main(int argc, char **argv)
{
	struct marks marks = { .count = 0 };
	const struct trapmap_device device = {
		.size = sizeof(device),
		.name = "mark",
		.base = PORT_MARK,
		.len = 1,
		.read = nothing_read,
		.write = mark,
		.opaque = &marks,
	};
	uint8_t code[GUEST_MAX];
	struct trapmap_source kernel = { .size = sizeof(kernel),
					 .data = code };
	struct trapmap_end end = TRAPMAP_END_INIT;
	struct trapmap_vm *vm;
	unsigned count;

	if (argc != 3)
		return 2;
	count = (unsigned)strtoul(argv[2], NULL, 0);
	kernel.len = make_exits_guest(code, argv[1], count);
	if (trapmap_vm_new(&vm))
		return 1;
	if (trapmap_vm_set_kernel(vm, &kernel) ||
	    trapmap_vm_add_device(vm, &device) || trapmap_vm_start(vm) ||
	    trapmap_vm_wait(vm, -1, &end)) {
		fprintf(stderr, "%s\n", trapmap_vm_error(vm));
		end.status = 1;
	} else if (marks.count == 2) {
		printf("%.1f\n", (marks.at[1] - marks.at[0]) / count);
	}
	trapmap_vm_free(vm);
	return end.status;
}
