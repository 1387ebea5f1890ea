/* SPDX-License-Identifier: MIT */
/* a_pc.h: a PC with virtio devices, as a board to tell of. */
#ifndef TRAPMAP_TESTS_A_PC_H
#define TRAPMAP_TESTS_A_PC_H

#include "platform.h"

static inline struct platform a_pc(uint64_t mem, unsigned cpus,
				   enum trapmap_transport transport,
				   unsigned virtio)
{
	struct platform p = platform_pc(mem, cpus, transport);

	p.virtio = virtio;
	return p;
}

#endif
