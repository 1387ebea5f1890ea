/* SPDX-License-Identifier: MIT */
/*
 * fake_msi.h: the MSI contract under a test's hand: what is routed where, and the
 * messages that arrive once the test lets them.
 */
#ifndef TRAPMAP_TEST_FAKE_MSI_H
#define TRAPMAP_TEST_FAKE_MSI_H

#include <stdbool.h>
#include <stdint.h>

#include "core/msi.h"

#define FAKE_MSI_MAX 64

struct fake_msi {
	struct {
		struct msi_message message;
		int fd;
		bool routed;
	} vector[FAKE_MSI_MAX];
	unsigned routes, unroutes;
	int fails; /* what route() returns, if not 0 */
	struct msi_message last; /* the message that came last */
};

/* What the device is given. */
struct msi fake_msi(struct fake_msi *fm);

/*
 * Sends what events on routed vectors' descriptors ask for. Returns how many
 * messages that were.
 */
unsigned fake_msi_deliver(struct fake_msi *fm);

unsigned fake_msi_routed(const struct fake_msi *fm);

#endif
