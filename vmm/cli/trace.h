/* SPDX-License-Identifier: MIT */
/* trace.h: the options of "trapmap trace" that have no letter. */
#ifndef TRAPMAP_CLI_TRACE_H
#define TRAPMAP_CLI_TRACE_H

#include "optscan.h"

enum {
	TRACE_ONLY = OPT_LONG,
	TRACE_RANGE,
	TRACE_VCPU,
	TRACE_SYMBOLS,
};

#endif
