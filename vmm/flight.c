// SPDX-License-Identifier: MIT
#include "flight.h"

#include <stddef.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"

/* Apart, so that port and memory accesses save no register for it. */
__attribute__((noinline, cold)) void
flight_fill_other(struct flight_record *rec, const struct kvm_run *run)
{
	rec->addr = 0;
	rec->value = 0;
	rec->count = 1;
	rec->size = 0;
	rec->flags = 0;

	switch (run->exit_reason) {
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		rec->addr = run->msr.index;
		rec->value = run->msr.data;
		rec->size = 8;
		if (run->exit_reason == KVM_EXIT_X86_WRMSR)
			rec->flags = FLIGHT_WRITE;
		else if (run->msr.error)
			rec->value = 0; /* what is there, nobody read */
		if (run->msr.error)
			rec->flags |= FLIGHT_UNCLAIMED;
		break;
	case KVM_EXIT_HYPERCALL:
		rec->addr = run->hypercall.nr;
		rec->value = run->hypercall.args[0];
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		rec->value = run->internal.suberror;
		break;
	case KVM_EXIT_FAIL_ENTRY:
		rec->value = run->fail_entry.hardware_entry_failure_reason;
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		rec->value = run->system_event.type;
		break;
	}
}

const char *flight_reason(uint32_t reason)
{
	static const char *const name[] = {
		[KVM_EXIT_UNKNOWN] = "UNKNOWN",
		[KVM_EXIT_EXCEPTION] = "EXCEPTION",
		[KVM_EXIT_IO] = "IO",
		[KVM_EXIT_HYPERCALL] = "HYPERCALL",
		[KVM_EXIT_DEBUG] = "DEBUG",
		[KVM_EXIT_HLT] = "HLT",
		[KVM_EXIT_MMIO] = "MMIO",
		[KVM_EXIT_IRQ_WINDOW_OPEN] = "IRQ_WINDOW_OPEN",
		[KVM_EXIT_SHUTDOWN] = "SHUTDOWN",
		[KVM_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
		[KVM_EXIT_INTR] = "INTR",
		[KVM_EXIT_SET_TPR] = "SET_TPR",
		[KVM_EXIT_TPR_ACCESS] = "TPR_ACCESS",
		[KVM_EXIT_NMI] = "NMI",
		[KVM_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
		[KVM_EXIT_SYSTEM_EVENT] = "SYSTEM_EVENT",
		[KVM_EXIT_IOAPIC_EOI] = "IOAPIC_EOI",
		[KVM_EXIT_HYPERV] = "HYPERV",
		[KVM_EXIT_X86_RDMSR] = "X86_RDMSR",
		[KVM_EXIT_X86_WRMSR] = "X86_WRMSR",
		[KVM_EXIT_DIRTY_RING_FULL] = "DIRTY_RING_FULL",
		[KVM_EXIT_X86_BUS_LOCK] = "X86_BUS_LOCK",
		[KVM_EXIT_XEN] = "XEN",
		[KVM_EXIT_NOTIFY] = "NOTIFY",
	};

	return reason < ARRAY_SIZE(name) ? name[reason] : NULL;
}

const struct device *flight_device(const struct flight_record *rec,
				   const struct bus *pio,
				   const struct bus *mmio)
{
	const struct bus *bus = rec->reason == KVM_EXIT_IO ? pio : mmio;
	const struct device *dev;
	unsigned size = rec->size;

	if (rec->reason != KVM_EXIT_IO && rec->reason != KVM_EXIT_MMIO)
		return NULL;
	dev = bus_find(bus, rec->addr);
	/* The bus wants one range for all of it, and a size that it can split. */
	if (!dev || size == 0 ||
	    dev != bus_find(bus, rec->addr + (size - 1)) ||
	    !(dev->ops->sizes & (2 * size - 1)))
		return NULL;
	return dev;
}

void flight_settle(struct flight *flight, const struct bus *pio,
		   const struct bus *mmio)
{
	uint64_t i, count = flight_total(flight);

	if (count > FLIGHT_RECORDS)
		count = FLIGHT_RECORDS;
	for (i = 0; i < count; i++) {
		struct flight_record *rec = &flight->record[i];

		if ((rec->reason == KVM_EXIT_IO ||
		     rec->reason == KVM_EXIT_MMIO) &&
		    !flight_device(rec, pio, mmio))
			rec->flags |= FLIGHT_UNCLAIMED;
	}
}
