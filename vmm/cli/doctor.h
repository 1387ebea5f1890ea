/* SPDX-License-Identifier: MIT */
/* doctor.h: the options of "trapmap doctor" that have no letter. */
#ifndef TRAPMAP_CLI_DOCTOR_H
#define TRAPMAP_CLI_DOCTOR_H

#include "optscan.h"

enum {
	DOCTOR_KVM_DEVICE = OPT_LONG,
	DOCTOR_LINUX,
};

#endif
