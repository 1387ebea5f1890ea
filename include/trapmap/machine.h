/* SPDX-License-Identifier: MIT */
/*
 * machine.h: the machine that a VM is: memory, processors, clock, board. Part of
 * trapmap.h, whose conventions hold here too.
 */
#ifndef TRAPMAP_PUBLIC_MACHINE_H
#define TRAPMAP_PUBLIC_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct trapmap_vm;

/* Where the guest's real-time clock takes its time from. */
enum trapmap_rtc_clock {
	/* The host's clock, its steps included; runs on while paused. */
	TRAPMAP_RTC_CLOCK_HOST = 0,
	/* The VM's own clock: never steps, stands still while paused. */
	TRAPMAP_RTC_CLOCK_VM = 1,
};

enum trapmap_rtc_base {
	TRAPMAP_RTC_BASE_UTC = 0,
	TRAPMAP_RTC_BASE_LOCALTIME = 1, /* the host's time zone */
	TRAPMAP_RTC_BASE_EPOCH = 2, /* trapmap_machine.rtc_epoch */
};

/* What follows when the guest asks for a reset. */
enum trapmap_on_reset {
	TRAPMAP_ON_RESET_END = 0, /* the run ends: TRAPMAP_END_RESET */
	TRAPMAP_ON_RESET_REBOOT = 1, /* the guest starts again */
	TRAPMAP_ON_RESET_POWEROFF = 2, /* as if it had powered off */
};

/* How a value written to port 0xf4 becomes trapmap_end.status. */
enum trapmap_debug_exit {
	TRAPMAP_DEBUG_EXIT_QEMU = 0, /* (value << 1) | 1, eight bits */
	TRAPMAP_DEBUG_EXIT_PLAIN = 1, /* value, eight bits */
};

/* How virtio devices are reached. */
enum trapmap_transport {
	/* TRAPMAP_TRANSPORT_MMIO, with which stock kernels boot soonest. */
	TRAPMAP_TRANSPORT_DEFAULT = 0,
	/*
	 * Registers in memory, named by ACPI and the devicetree. No PCI. Room
	 * for 8 devices, of which the board's entropy device is one.
	 */
	TRAPMAP_TRANSPORT_MMIO = 1,
	/*
	 * The same, named on the command line of a Linux kernel instead, behind
	 * the caller's own words (but before a "--"): for kernels without ACPI.
	 */
	TRAPMAP_TRANSPORT_MMIO_CMDLINE = 2,
	TRAPMAP_TRANSPORT_PCI = 3, /* a PCI bus, with MSI-X; room for 29 */
};

struct trapmap_machine {
	size_t size; /* sizeof(struct trapmap_machine) */

	/*
	 * Guest memory in bytes, a multiple of 4096 and at least 1 MiB; 0 is
	 * the default, 256 MiB. What does not fit below 3 GiB lies above 4 GiB.
	 * Host memory is taken only as the guest touches it.
	 */
	uint64_t mem;

	/* vCPUs, 1 up to what KVM allows; 0 is the default, 1. */
	uint32_t cpus;

	/*
	 * The processor: "host", then ",+FEATURE" or ",-FEATURE" in any number,
	 * by the names of /proc/cpuinfo. NULL is "host". Copied.
	 */
	const char *cpu;

	enum trapmap_rtc_base rtc_base;
	enum trapmap_rtc_clock rtc_clock;
	/*
	 * With TRAPMAP_RTC_BASE_EPOCH: seconds since 1970-01-01 00:00 UTC,
	 * within the years 1 to 9999.
	 */
	int64_t rtc_epoch;

	enum trapmap_on_reset on_reset;
	enum trapmap_debug_exit debug_exit;

	/* The KVM device; NULL is "/dev/kvm". Copied. */
	const char *kvm_path;

	/*
	 * 0, or a signal that the caller lends, which makes exits a little
	 * cheaper. The caller has installed a handler for it that does nothing,
	 * without SA_RESTART, and keeps it while the VM lives; it runs on the
	 * vCPUs' threads only, where it may also interrupt a callback.
	 */
	int kick_signal;

	/*
	 * Not 0: the first access to a port or an address that nothing claims
	 * ends the run, as TRAPMAP_END_UNCLAIMED.
	 */
	int strict_io;

	/*
	 * Milliseconds after which a guest counts as stuck that makes no
	 * progress: no vCPU exits, takes an interrupt or waits for one. 0: it
	 * is let spin. A guest whose vCPUs have all halted with interrupts off
	 * is found within a second without this.
	 */
	uint32_t watchdog_ms;

	/*
	 * Not 0: the board has the ports of QEMU's pc-testdev, which
	 * kvm-unit-tests use: 0xe0 to 0xe8, 0x2000 to 0x2017, and 64 KiB of
	 * memory at 0xff000000.
	 */
	int test_device;

	/* How the guest finds what devices.h attaches. */
	enum trapmap_transport transport;
};

#define TRAPMAP_MACHINE_INIT { .size = sizeof(struct trapmap_machine) }

/*
 * Replaces the machine's options. Returns 0; -EINVAL: a value is outside its
 * range (the error text names it); -EBUSY; -ENOMEM.
 */
int trapmap_vm_set_machine(struct trapmap_vm *vm,
			   const struct trapmap_machine *machine);

#ifdef __cplusplus
}
#endif

#endif
