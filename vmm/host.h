/* SPDX-License-Identifier: MIT */
/* host.h: what of trapmap_host_probe() is known at once. */
#ifndef TRAPMAP_HOST_H
#define TRAPMAP_HOST_H

#include "trapmap/trapmap.h"

/*
 * The kind of KVM, and whether it has second-level translation: 1, 0, or -1 where
 * that is not known. Reads a few files of /proc and /sys.
 */
enum trapmap_kvm_kind host_kind(int *ret_nested_paging);

#endif
