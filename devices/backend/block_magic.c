// SPDX-License-Identifier: MIT
#include "backend/block_magic.h"

#include <stddef.h>
#include <string.h>

#include "core/base.h"

/*
 * Not among them: what belongs on a raw disk, as a partition table or a LUKS
 * header.
 */
static const struct {
	const char *name;
	uint16_t at;
	uint8_t len;
	uint8_t bytes[8];
} magics[] = {
	{ BLOCK_MAGIC_QCOW2, 0, 4, { 'Q', 'F', 'I', 0xfb } },
	{ "QED", 0, 4, { 'Q', 'E', 'D', 0 } },
	{ "VMDK", 0, 4, { 'K', 'D', 'M', 'V' } },
	{ "VMDK", 0, 4, { 'C', 'O', 'W', 'D' } },
	{ "VHD", 0, 8, { 'c', 'o', 'n', 'e', 'c', 't', 'i', 'x' } },
	{ "VHDX", 0, 8, { 'v', 'h', 'd', 'x', 'f', 'i', 'l', 'e' } },
	{ "VDI", 0x40, 4, { 0x7f, 0x10, 0xda, 0xbe } },
};

const char *block_magic(const uint8_t front[BLOCK_OPEN_FRONT])
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(magics); i++)
		if (!memcmp(front + magics[i].at, magics[i].bytes,
			    magics[i].len))
			return magics[i].name;
	return NULL;
}
