/* SPDX-License-Identifier: MIT */
/*
 * load_protocol.h: what a kernel is handed over by the protocol it starts by,
 * once it lies in memory: initrds or modules, command line, memory map.
 */
#ifndef TRAPMAP_LOAD_PROTOCOL_H
#define TRAPMAP_LOAD_PROTOCOL_H

#include "load.h"

/*
 * By loaded->plan; setup is the kernel's setup header, plan->setup_len bytes.
 * Fills in the rest of *loaded. Returns 0, or -errno with *err.
 */
int load_protocol(const struct gmem *gm, const struct load_request *rq,
		  const uint8_t *setup, struct loaded *loaded,
		  struct error *err);

#endif
