/* SPDX-License-Identifier: MIT */
/* mem_room.h: how much memory of each kind the host has, and getting it at once. */
#ifndef TRAPMAP_MEM_ROOM_H
#define TRAPMAP_MEM_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "6 GiB", "1536 MiB": for messages. Returns buf. */
const char *mem_size_text(char buf[32], uint64_t size);

/*
 * Free huge pages of that size, and how many there are in all. Returns 0, or
 * -ENOENT: this kernel has none of that size.
 */
int mem_room_huge(uint64_t page_size, uint64_t *ret_free, uint64_t *ret_all);

/*
 * Bytes that this process can still take: MemAvailable, or less where a control
 * group (cgroup v2) has a limit. *ret_what says which. UINT64_MAX: unknown.
 */
uint64_t mem_room_available(const char **ret_what);

/*
 * Why there are no transparent huge pages, of a memfd (shared) or of private memory:
 * the file that says so; NULL: there are.
 */
const char *mem_room_thp_off(bool shared);

/*
 * Takes all pages of [host, host + len), a multiple of page_size and all zeroes, on
 * several threads. Returns 0, or -errno with how many bytes are there in *ret_done.
 */
int mem_populate(uint8_t *host, uint64_t len, uint64_t page_size,
		 uint64_t *ret_done);

#endif
