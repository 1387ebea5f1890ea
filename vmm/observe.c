// SPDX-License-Identifier: MIT
#include "observe.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "flight.h"
#include "stats.h"
#include "trace.h"
#include "vm.h"

/* A vCPU may stand for it. */
static void trace_has_room(void *opaque)
{
	struct trapmap_vm *vm = opaque;

	pthread_mutex_lock(&vm->control.lock);
	pthread_cond_broadcast(&vm->control.changed);
	pthread_mutex_unlock(&vm->control.lock);
}

static void trace_drained(void *opaque)
{
	vm_progress_soon(opaque);
}

static int start_stats(struct trapmap_vm *vm)
{
	struct observe *o = &vm->observe;
	unsigned i;
	int r = 0;

	o->stats = calloc(vm->config.cpus, sizeof(struct stats *));
	if (!o->stats)
		return -ENOMEM;
	for (i = 0; i < vm->config.cpus && r == 0; i++)
		r = stats_new(&o->stats[i]);
	return r;
}

static int start_trace(struct trapmap_vm *vm)
{
	const struct trace_hooks hooks = {
		.room = trace_has_room,
		.drained = trace_drained,
		.opaque = vm,
	};

	return trace_new(&vm->config.trace, vm->config.cpus, &vm->machine.pio,
			 &vm->machine.mmio, &hooks, &vm->observe.trace);
}

int observe_start(struct trapmap_vm *vm, struct error *err)
{
	struct observe *o = &vm->observe;
	unsigned i;
	int r;

	o->from = tsc_mark();
	/* A vCPU that never runs leaves its own untouched. */
	o->flight = calloc(vm->config.cpus, sizeof(*o->flight));
	if (!o->flight)
		return error_host(err, -ENOMEM, "cannot start");
	for (i = 0; i < vm->config.cpus; i++)
		vm->vcpu[i].flight = &o->flight[i];
	if (vm->config.stats) {
		r = start_stats(vm);
		if (r < 0)
			return error_host(err, r, "cannot start");
	}
	if (vm->config.trace.fd >= 0) {
		r = start_trace(vm);
		if (r < 0)
			return error_host(err, r, "cannot start the trace");
	}
	for (i = 0; i < vm->config.cpus; i++)
		vcpu_observe(&vm->vcpu[i], vm->vm_fd,
			     o->stats ? o->stats[i] : NULL, o->trace);
	return 0;
}

void observe_settle(struct trapmap_vm *vm)
{
	const struct bus *pio = &vm->machine.pio, *mmio = &vm->machine.mmio;
	struct observe *o = &vm->observe;
	unsigned i;

	if (o->settled)
		return;
	o->settled = true;
	o->to = tsc_mark();
	for (i = 0; i < vm->config.cpus; i++)
		flight_settle(&o->flight[i], pio, mmio);
	if (!o->stats)
		return;
	if (stats_add_up(o->stats, vm->config.cpus, pio, mmio, &o->from, &o->to,
			 &o->total) == 0 &&
	    stats_add_virtio(o->total, &vm->machine) == 0)
		o->stats_text = stats_text(o->total);
}

bool observe_drain(struct trapmap_vm *vm, uint64_t kernel_offset)
{
	struct observe *o = &vm->observe;

	if (!o->trace)
		return true;
	if (!trace_drain(o->trace, kernel_offset))
		return false;
	o->trace_error = trace_finish(o->trace, kernel_offset, &o->trace_exits);
	return true;
}

void observe_done(struct trapmap_vm *vm)
{
	struct observe *o = &vm->observe;
	unsigned i;

	o->trace = trace_free(o->trace);
	for (i = 0; o->stats && i < vm->config.cpus; i++)
		stats_free(o->stats[i]);
	free(o->stats);
	o->stats = NULL;
	free(o->flight);
	o->flight = NULL;
	o->total = stats_total_free(o->total);
	free(o->stats_text);
	o->stats_text = NULL;
}
