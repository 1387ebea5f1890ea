// SPDX-License-Identifier: MIT
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* CPUID entries to ask for first; KVM says E2BIG when it has more. */
#define CPUID_ENTRIES 128
#define CPUID_ENTRIES_MAX 1024

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int r;

	do {
		r = ioctl(fd, request, arg);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

int kvm_ioctl_val(int fd, unsigned long request, unsigned long arg)
{
	return kvm_ioctl(fd, request, (void *)arg);
}

int kvm_check(int fd, unsigned cap)
{
	int r = kvm_ioctl_val(fd, KVM_CHECK_EXTENSION, cap);

	return r < 0 ? 0 : r;
}

int kvm_open(const char *path, int *ret_fd, struct error *err)
{
	int fd, version;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return error_host(err, -errno, "cannot open %s", path);
	version = kvm_ioctl_val(fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		close(fd);
		if (version < 0)
			return error_set(err, ERROR_HOST, -ENOTTY,
					 "%s is not a KVM device", path);
		return error_set(err, ERROR_HOST, -EPROTO,
				 "%s speaks KVM API version %d; expected %d",
				 path, version, KVM_API_VERSION);
	}
	*ret_fd = fd;
	return 0;
}

int kvm_map_run(int vcpu_fd, size_t size, struct kvm_run **ret_run)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd,
		       0);

	if (p == MAP_FAILED)
		return -errno;
	*ret_run = p;
	return 0;
}

static int set_memory(int vm_fd, uint32_t slot, uint32_t flags, uint64_t gpa,
		      uint64_t len, void *host)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)host,
	};

	return kvm_ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
}

int kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t len,
		   void *host)
{
	return set_memory(vm_fd, slot, 0, gpa, len, host);
}

int kvm_set_read_only(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t len,
		      void *host)
{
	return set_memory(vm_fd, slot, KVM_MEM_READONLY, gpa, len, host);
}

int kvm_supported_cpuid(int sys_fd, unsigned spare,
			struct kvm_cpuid2 **ret_cpuid)
{
	unsigned n;
	int r;

	for (n = CPUID_ENTRIES; n <= CPUID_ENTRIES_MAX; n *= 2) {
		struct kvm_cpuid2 *cpuid;

		cpuid = calloc(1, sizeof(*cpuid) +
					  (n + spare) * sizeof(*cpuid->entries));
		if (!cpuid)
			return -ENOMEM;
		cpuid->nent = n;
		r = kvm_ioctl(sys_fd, KVM_GET_SUPPORTED_CPUID, cpuid);
		if (r >= 0) {
			*ret_cpuid = cpuid;
			return 0;
		}
		free(cpuid);
		if (r != -E2BIG)
			return r;
	}
	return -E2BIG;
}

/*
 * The two structures below end in an array of any length; each union makes room
 * for what is put there.
 */
int kvm_set_signal(int vcpu_fd, int signo)
{
	union {
		struct kvm_signal_mask mask;
		uint8_t room[sizeof(struct kvm_signal_mask) + sizeof(uint64_t)];
	} arg = { .mask.len = sizeof(uint64_t) };
	/* The kernel's sigset_t: bit n - 1 is signal n. */
	uint64_t set = ~(UINT64_C(1) << (signo - 1));

	memcpy(arg.mask.sigset, &set, sizeof(set));
	return kvm_ioctl(vcpu_fd, KVM_SET_SIGNAL_MASK, &arg);
}

/* KVM_GET_MSRS and KVM_SET_MSRS take a header and entries: one, here. */
static int msr_ioctl(int vcpu_fd, unsigned long request,
		     struct kvm_msr_entry *entry)
{
	union {
		struct kvm_msrs msrs;
		uint8_t room[sizeof(struct kvm_msrs) +
			     sizeof(struct kvm_msr_entry)];
	} arg = { .msrs.nmsrs = 1 };
	int r;

	arg.msrs.entries[0] = *entry;
	r = kvm_ioctl(vcpu_fd, request, &arg);
	if (r < 0)
		return r;
	*entry = arg.msrs.entries[0];
	return r == 1 ? 0 : -EOPNOTSUPP;
}

int kvm_get_msr(int vcpu_fd, uint32_t index, uint64_t *ret_value)
{
	struct kvm_msr_entry entry = { .index = index };
	int r = msr_ioctl(vcpu_fd, KVM_GET_MSRS, &entry);

	if (r == 0)
		*ret_value = entry.data;
	return r;
}

int kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value)
{
	struct kvm_msr_entry entry = { .index = index, .data = value };

	return msr_ioctl(vcpu_fd, KVM_SET_MSRS, &entry);
}
