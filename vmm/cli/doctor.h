/* SPDX-License-Identifier: MIT */
/* doctor.h: the parts of "trapmap doctor", and its options that have no letter. */
#ifndef TRAPMAP_CLI_DOCTOR_H
#define TRAPMAP_CLI_DOCTOR_H

#include "optscan.h"

enum {
	DOCTOR_KVM_DEVICE = OPT_LONG,
	DOCTOR_LINUX,
	DOCTOR_CPU,
};

/* A title and, within 80 columns, what there is to say. */
void doctor_line(const char *title, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* doctor_cpu.c: --cpu; NULL is "host", or the usual device. Returns a status. */
int doctor_cpu(const char *kvm_path, const char *spec);

#endif
