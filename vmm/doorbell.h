/* SPDX-License-Identifier: MIT */
/*
 * doorbell.h: the doorbells (core/doorbell.h) of a device in memory, by
 * KVM_IOEVENTFD.
 */
#ifndef TRAPMAP_DOORBELL_H
#define TRAPMAP_DOORBELL_H

#include <stdint.h>

#include "core/doorbell.h"

/* Where a device lies; the opaque of its struct doorbell. */
struct doorbell_place {
	const int *vm_fd; /* follows the VM through a reboot */
	uint64_t base;
};

/* The service for the device at base; *place must outlive it. */
struct doorbell doorbell_at(struct doorbell_place *place, const int *vm_fd,
			    uint64_t base);

#endif
