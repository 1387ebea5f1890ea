/* SPDX-License-Identifier: MIT */
/*
 * block_magic.h: the formats of images that are known by how they begin.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_MAGIC_H
#define TRAPMAP_BACKEND_BLOCK_MAGIC_H

#include "backend/block_open.h"

#define BLOCK_MAGIC_QCOW2 "qcow2"

/* "qcow2", "VMDK" ...; NULL: it may be raw. */
const char *block_magic(const uint8_t front[BLOCK_OPEN_FRONT]);

#endif
