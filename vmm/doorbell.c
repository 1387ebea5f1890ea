// SPDX-License-Identifier: MIT
/*
 * Nothing is kept here of what is bound: a device binds while its driver is at
 * work and unbinds when it is reset, so a reboot, which resets every device before
 * the old VM goes, needs nothing more.
 */
#include "doorbell.h"

#include "kvm.h"

static int set(const struct doorbell_place *place, uint64_t off, unsigned size,
	       uint64_t match, int fd, uint32_t flags)
{
	struct kvm_ioeventfd arg = {
		.datamatch = match,
		.addr = place->base + off,
		.len = size,
		.fd = fd,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH | flags,
	};

	return kvm_ioctl(*place->vm_fd, KVM_IOEVENTFD, &arg);
}

static int place_bind(void *opaque, uint64_t off, unsigned size, uint64_t match,
		      int fd)
{
	return set(opaque, off, size, match, fd, 0);
}

static void place_unbind(void *opaque, uint64_t off, unsigned size,
			 uint64_t match, int fd)
{
	/* Fails only once the VM is gone, and its bindings with it. */
	(void)set(opaque, off, size, match, fd, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static void place_move(void *opaque, uint64_t base)
{
	struct doorbell_place *place = opaque;

	place->base = base;
}

struct doorbell doorbell_at(struct doorbell_place *place, const int *vm_fd,
			    uint64_t base)
{
	*place = (struct doorbell_place){ .vm_fd = vm_fd, .base = base };
	return (struct doorbell){ .bind = place_bind,
				  .unbind = place_unbind,
				  .move = place_move,
				  .opaque = place };
}
