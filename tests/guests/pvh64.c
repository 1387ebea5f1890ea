// SPDX-License-Identifier: MIT
/*
 * pvh64.c: pvh.c as an ELF64, whose note has an entry of 32 bits all the same.
 * Nothing says that it is Linux, so PVH is how it starts.
 *
 * format: ELF by pvh
 *
 * case pvh64
 *	options: --params "first 'second one'"
 *	status: 0
 *	out: arguments: first 'second one'
 *	report: guest.boot = pvh
 * case pvh64-linux64
 *	options: --boot=linux64 --timeout 10
 *	status: 15
 *	report: guest.boot = linux64
 */
#include "pvh.c"
