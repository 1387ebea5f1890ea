/* SPDX-License-Identifier: MIT */
/*
 * kvm.h: KVM's ioctls as functions that return -errno. Thin: no policy, no
 * state but file descriptors. Source: Documentation/virt/kvm/api.rst.
 */
#ifndef TRAPMAP_KVM_H
#define TRAPMAP_KVM_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define KVM_DEVICE_PATH "/dev/kvm"

/*
 * Opens the KVM device and checks its API version. path is named in *err.
 * Returns 0, or -errno with *err.
 */
int kvm_open(const char *path, int *ret_fd, struct error *err);

/* An ioctl with -errno; EINTR is tried again. >= 0 is the ioctl's own result. */
int kvm_ioctl(int fd, unsigned long request, void *arg);
int kvm_ioctl_val(int fd, unsigned long request, unsigned long arg);

/* KVM_CHECK_EXTENSION: 0 for what is not there. */
int kvm_check(int fd, unsigned cap);

/* Maps a vCPU's struct kvm_run. Returns 0 or -errno. */
int kvm_map_run(int vcpu_fd, size_t size, struct kvm_run **ret_run);

/* KVM_SET_USER_MEMORY_REGION; the second as KVM_MEM_READONLY. */
int kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t len,
		   void *host);
int kvm_set_read_only(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t len,
		      void *host);

/*
 * KVM_GET_SUPPORTED_CPUID with room for what there is. *ret_cpuid is the
 * caller's, to free(); it has room for `spare` entries more than nent.
 */
int kvm_supported_cpuid(int sys_fd, unsigned spare,
			struct kvm_cpuid2 **ret_cpuid);

/*
 * KVM_SET_SIGNAL_MASK: every signal but `signo` is blocked while the vCPU runs.
 */
int kvm_set_signal(int vcpu_fd, int signo);

/* Reads one MSR. Returns 0, or -EOPNOTSUPP where KVM refuses that MSR. */
int kvm_get_msr(int vcpu_fd, uint32_t index, uint64_t *ret_value);

/* Sets one MSR. Returns 0, or -EOPNOTSUPP where KVM refuses that MSR. */
int kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value);

#endif
