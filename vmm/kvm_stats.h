/* SPDX-License-Identifier: MIT */
/*
 * kvm_stats.h: what KVM counts of a vCPU itself (KVM_GET_STATS_FD). Reading it
 * does not disturb the vCPU. Source: Documentation/virt/kvm/api.rst, 4.133.
 */
#ifndef TRAPMAP_KVM_STATS_H
#define TRAPMAP_KVM_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm_stats {
	int fd; /* -1: not open */
	uint8_t *desc; /* `count` descriptors of `desc_size` bytes */
	size_t desc_size;
	uint32_t count;
	uint64_t data_offset;
};

#define KVM_STATS_INIT { .fd = -1 }

/*
 * Returns 0, or -errno: a KVM older than Linux 5.14 has none. Nothing to
 * release then.
 */
int kvm_stats_open(struct kvm_stats *stats, int vcpu_fd);

static inline bool kvm_stats_is_open(const struct kvm_stats *stats)
{
	return stats->fd >= 0;
}

/* The value of `name` ("halt_wait_ns"). Returns whether there is one. */
bool kvm_stats_get(const struct kvm_stats *stats, const char *name,
		   uint64_t *ret_value);

/* Accepts one that is not open. */
void kvm_stats_close(struct kvm_stats *stats);

#endif
