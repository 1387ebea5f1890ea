/* SPDX-License-Identifier: MIT */
/*
 * msix.h: the message-signalled interrupts of one function (MSI-X). PCI Local Bus
 * Specification 3.0, 6.8.2 and 6.8.3.
 *
 * A vector is an eventfd: whoever writes to it, in this process or in the host's
 * kernel, raises the interrupt. While the guest lets it through it is routed
 * (core/msi.h); else the event stays where it is, and that is the vector's pending
 * bit.
 *
 * With the device's lock held.
 */
#ifndef TRAPMAP_PCI_MSIX_H
#define TRAPMAP_PCI_MSIX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/msi.h"

/* 6.8.2.3: Message Control. */
#define MSIX_CONTROL_FUNCTION_MASK 0x4000u
#define MSIX_CONTROL_ENABLE 0x8000u

#define MSIX_VECTORS_MAX 64
#define MSIX_ENTRY_LEN 16

struct msix_vector {
	struct msi_message message;
	struct msi_message sent; /* the one that is routed */
	bool masked, routed;
	int fd;
};

struct msix {
	struct msi msi;
	unsigned count;
	bool enabled, function_masked;
	struct msix_vector *vector;
};

/* count is 1 to MSIX_VECTORS_MAX. Returns 0 or -errno; msix_done() either way. */
int msix_init(struct msix *m, const struct msi *msi, unsigned count);
/* Accepts one of zeros. */
void msix_done(struct msix *m);

/* All masked, none pending; not enabled. */
void msix_reset(struct msix *m);

/* Message Control has been written. */
void msix_set_control(struct msix *m, uint16_t control);

/* The table; 4 or 8 bytes, aligned, else nothing happens. */
uint64_t msix_table_read(const struct msix *m, uint64_t off, unsigned size);
void msix_table_write(struct msix *m, uint64_t off, unsigned size,
		      uint64_t val);
/* The pending bits, in the same way; they are not written. */
uint64_t msix_pba_read(const struct msix *m, uint64_t off, unsigned size);

/* Raises the interrupt, at once or once it is unmasked. */
void msix_raise(const struct msix *m, unsigned vector);

#endif
