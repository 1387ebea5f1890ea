/* SPDX-License-Identifier: MIT */
/* embedded_device.h: a device of the embedder's, under the device contract. */
#ifndef TRAPMAP_EMBEDDED_DEVICE_H
#define TRAPMAP_EMBEDDED_DEVICE_H

#include "trapmap/trapmap.h"

struct device;

/* desc has been checked, and its name outlives the device. 0 or -ENOMEM. */
int embedded_device_new(const struct trapmap_device *desc,
			struct device **ret_dev);

#endif
