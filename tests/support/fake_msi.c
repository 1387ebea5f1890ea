// SPDX-License-Identifier: MIT
#include "fake_msi.h"

#include <stdlib.h>
#include <unistd.h>

static int route(void *opaque, unsigned vector,
		 const struct msi_message *message, int fd)
{
	struct fake_msi *fm = opaque;

	if (vector >= FAKE_MSI_MAX || fd < 0)
		abort();
	fm->routes++;
	if (fm->fails)
		return fm->fails;
	fm->vector[vector].message = *message;
	fm->vector[vector].fd = fd;
	fm->vector[vector].routed = true;
	return 0;
}

static void unroute(void *opaque, unsigned vector)
{
	struct fake_msi *fm = opaque;

	if (vector >= FAKE_MSI_MAX)
		abort();
	fm->unroutes++;
	fm->vector[vector].routed = false;
}

struct msi fake_msi(struct fake_msi *fm)
{
	*fm = (struct fake_msi){ 0 };
	return (struct msi){ .route = route, .unroute = unroute, .opaque = fm };
}

unsigned fake_msi_deliver(struct fake_msi *fm)
{
	unsigned i, n = 0;
	uint64_t events;

	for (i = 0; i < FAKE_MSI_MAX; i++)
		if (fm->vector[i].routed &&
		    read(fm->vector[i].fd, &events, sizeof(events)) > 0) {
			fm->last = fm->vector[i].message;
			n++;
		}
	return n;
}

unsigned fake_msi_routed(const struct fake_msi *fm)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_MSI_MAX; i++)
		n += fm->vector[i].routed;
	return n;
}
