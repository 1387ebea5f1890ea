/* SPDX-License-Identifier: MIT */
/*
 * host.h: what a host offers to guests, and what processor they would see. Part of
 * trapmap.h, whose conventions hold here too.
 */
#ifndef TRAPMAP_PUBLIC_HOST_H
#define TRAPMAP_PUBLIC_HOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum trapmap_kvm_kind {
	TRAPMAP_KVM_UNKNOWN = 0,
	TRAPMAP_KVM_VTX = 1, /* kvm-intel */
	TRAPMAP_KVM_AMDV = 2, /* kvm-amd */
	TRAPMAP_KVM_SOFTWARE = 3, /* neither: guest kernel code is emulated */
};

/* One thing that KVM was asked for. */
struct trapmap_host_cap {
	const char *name; /* as KVM names it, without "KVM_CAP_" */
	int value; /* what KVM_CHECK_EXTENSION said; 0: not there */
	const char *use; /* what Trapmap does with it */
};

/* What a host offers. */
struct trapmap_host {
	size_t size; /* sizeof(struct trapmap_host) */

	/* 0, or -errno of the first step that failed: nothing below is set. */
	int error;
	const char *error_text; /* what failed, or "" */
	const char *advice; /* what to do about it, or "" */

	enum trapmap_kvm_kind kind;
	const char *kind_text;
	/* Second-level translation: 1 yes, 0 no (shadow paging), -1 unknown. */
	int nested_paging;
	int api_version;
	uint32_t vcpus_recommended;
	uint32_t vcpus_max;
	uint32_t memslots;
	uint32_t phys_bits; /* of a guest-physical address */

	/*
	 * Whether a stock x86-64 Linux can be expected to boot: found out by
	 * running the instructions it needs in a small guest. 1 or 0, with the
	 * reason.
	 */
	int boots_linux;
	const char *boots_linux_text;

	const struct trapmap_host_cap *caps;
	size_t cap_count;
};

#define TRAPMAP_HOST_INIT { .size = sizeof(struct trapmap_host) }

/*
 * Looks at the KVM device at kvm_path (NULL: "/dev/kvm"); takes up to a second
 * where an instruction never completes. Returns 0 (an unusable host too: see
 * error), -EINVAL or -ENOMEM. The caller gives *ret_host back with
 * trapmap_host_done(). Any thread.
 */
int trapmap_host_probe(const char *kvm_path, struct trapmap_host *ret_host);

/* Releases what probe put into *host. */
void trapmap_host_done(struct trapmap_host *host);

/*
 * What a guest would see of its processor, and what it would not. Texts and lists
 * live until trapmap_cpu_info_done().
 */
struct trapmap_cpu_info {
	size_t size; /* sizeof(struct trapmap_cpu_info) */

	/*
	 * 0, or as trapmap_vm_start_status(): 2 where there is no such processor, or
	 * KVM lacks what it must have; 4 where the host failed. Then only error_text
	 * is set.
	 */
	int status;
	const char *error_text;

	const char *vendor; /* "GenuineIntel" */
	const char *brand;
	uint32_t family;
	uint32_t model;
	uint32_t stepping;
	/* The leaf by which it tells threads, cores and sockets apart. */
	uint32_t topology_leaf;
	uint32_t phys_bits; /* of a guest-physical address */

	/* Names of features, as of /proc/cpuinfo; each list ends in NULL. */
	const char *const *features; /* that a guest sees */
	const char *const *withheld; /* that the host has, KVM does not offer */
	const char *const *masked; /* that KVM offers, the processor leaves out */
};

#define TRAPMAP_CPU_INFO_INIT { .size = sizeof(struct trapmap_cpu_info) }

/*
 * Finds out what trapmap_machine.cpu, with this spec (NULL: "host"), would give to
 * a guest with two vCPUs on the KVM device at kvm_path (NULL: "/dev/kvm"). Returns 0
 * (see status), -EINVAL (a wrong size) or -ENOMEM. Any thread.
 */
int trapmap_host_cpu(const char *kvm_path, const char *spec,
		     struct trapmap_cpu_info *ret_info);

/* Releases what trapmap_host_cpu() put into *info. */
void trapmap_cpu_info_done(struct trapmap_cpu_info *info);

/* Name number n that trapmap_machine.cpu can begin with, "host" first, or NULL. */
const char *trapmap_cpu_model(unsigned n, const char **ret_summary);

#ifdef __cplusplus
}
#endif

#endif
