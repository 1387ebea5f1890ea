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

struct trapmap_source;
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
	 * The processor: "host", or a baseline that trapmap_cpu_model() names, then
	 * ",+FEATURE" or ",-FEATURE" in any number, by the names of /proc/cpuinfo.
	 * What KVM does not offer of a baseline is refused by start. NULL is "host".
	 * Copied.
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

/* What guest memory is made of on the host. */
enum trapmap_memory_backing {
	TRAPMAP_MEMORY_ANON = 0, /* private memory of this process */
	TRAPMAP_MEMORY_MEMFD = 1, /* shared memory without a name: memfd_create(2) */
	TRAPMAP_MEMORY_FILE = 2, /* trapmap_memory.path, mapped shared */
	TRAPMAP_MEMORY_HUGETLB = 3, /* huge pages that the host has set apart */
};

/* Transparent huge pages, of anonymous memory or a memfd. */
enum trapmap_thp {
	TRAPMAP_THP_DEFAULT = 0, /* as the host does by itself */
	TRAPMAP_THP_ON = 1, /* asked for; a host where they are off is refused */
	TRAPMAP_THP_OFF = 2,
};

struct trapmap_memory {
	size_t size; /* sizeof(struct trapmap_memory) */

	enum trapmap_memory_backing backing;
	/*
	 * Of FILE: a regular file, also on a tmpfs or a hugetlbfs, which is made
	 * for its owner alone if it is not there. It gets the size of guest memory,
	 * in the order of guest addresses without the holes, and all of it on its
	 * file system at once; what was in it is lost. Others may map it, and must
	 * not make it shorter. It stays. Copied.
	 */
	const char *path;
	/* Of HUGETLB: 2 MiB, the default (0), or 1 GiB; guest memory is whole ones. */
	uint64_t page_size;

	enum trapmap_thp thp;

	/*
	 * Not 0: start takes all of it, in several threads, so that nothing is
	 * short later.
	 */
	int prealloc;
	/* Not 0: the same, and the host never swaps it out (mlock2(2)). */
	int lock;
};

#define TRAPMAP_MEMORY_INIT { .size = sizeof(struct trapmap_memory) }

/*
 * Sets it; how much memory there is, is trapmap_machine.mem. Returns 0, -EINVAL (what
 * does not go together; the error text says it), -EBUSY or -ENOMEM. What the host has
 * not got start finds out, and says how much there was. With a FILE, HUGETLB or lock
 * there can be no balloon.
 */
int trapmap_vm_set_memory(struct trapmap_vm *vm,
			  const struct trapmap_memory *memory);

/*
 * The descriptor of MEMFD, FILE or HUGETLB memory, for another process to map; the
 * VM's own, open until trapmap_vm_free(). -ENODEV: there is none; -ESRCH: not started.
 * Any thread.
 */
int trapmap_vm_memory_fd(struct trapmap_vm *vm);

/*
 * Makes the board what a devicetree blob describes, in place of a PC: memory,
 * processors, serial ports, clock, places of virtio devices, command line;
 * docs/machines.md says by which nodes. What trapmap_machine (mem, cpus, transport),
 * trapmap_topology and trapmap_vm_set_cmdline() say goes before what the tree says.
 * Nodes in use that no model serves are named in notices (trapmap_vm_set_notice())
 * during trapmap_vm_start(). The source is read at once. Returns as
 * trapmap_vm_set_kernel(), or -EINVAL or -EFBIG: no blob, or not a board that can be
 * had (the error text names the node).
 */
int trapmap_vm_set_board(struct trapmap_vm *vm,
			 const struct trapmap_source *source);

/*
 * How the processors are arranged. Of what is 0, the first of cores, sockets and
 * threads is as many as make trapmap_machine.cpus of them, and the others are 1; so
 * without this it is one socket, with a core for each.
 *
 * An APIC id has fields for the socket, the core in it and the thread in that, each
 * a whole number of bits: where there are, say, three cores, ids have gaps.
 */
struct trapmap_topology {
	size_t size; /* sizeof(struct trapmap_topology) */
	uint32_t sockets;
	uint32_t cores; /* of a socket */
	uint32_t threads; /* of a core */
};

#define TRAPMAP_TOPOLOGY_INIT { .size = sizeof(struct trapmap_topology) }

/*
 * Sets it. Returns 0, -EINVAL (a wrong size) or -EBUSY. Numbers whose product is
 * not that of the processors are refused by start: -EINVAL.
 */
int trapmap_vm_set_topology(struct trapmap_vm *vm,
			    const struct trapmap_topology *topology);

/*
 * Lets vCPU n run on processor cpus[n % count] of the host only, by the numbers of
 * /proc/cpuinfo; they are copied. count 0, the default: on any that this thread may
 * use. Returns 0; -EINVAL: the host has no such processor, or this thread may not
 * use it (the error text says which); -EBUSY; -ENOMEM.
 */
int trapmap_vm_set_affinity(struct trapmap_vm *vm, const uint32_t *cpus,
			    size_t count);

/* What the battery of the real-time clock keeps while the machine is off. */
struct trapmap_nvram {
	size_t size; /* sizeof(struct trapmap_nvram) */
	/*
	 * The file of it (docs/nvram.md), or NULL, the default: nothing is kept.
	 * Start opens it and keeps others from using it; what is not there is
	 * made. What the guest changes is in it within a second, and all of it
	 * when trapmap_vm_wait() returns 0; whatever ends the process or the
	 * host, it has the old content or the new. What cannot be written is told
	 * as a notice. Copied.
	 */
	const char *path;
	/*
	 * 0: the clock goes on as if it had never stopped, and trapmap_machine's
	 * rtc_base counts for a new file only. Not 0: it is set by rtc_base.
	 */
	int set_clock;
};

#define TRAPMAP_NVRAM_INIT { .size = sizeof(struct trapmap_nvram) }

/*
 * Sets it. Returns 0, -EINVAL (a wrong size or an empty path), -EBUSY or -ENOMEM.
 * What is wrong with the file is found by start.
 */
int trapmap_vm_set_nvram(struct trapmap_vm *vm, const struct trapmap_nvram *nvram);

#ifdef __cplusplus
}
#endif

#endif
