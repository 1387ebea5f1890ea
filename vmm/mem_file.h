/* SPDX-License-Identifier: MIT */
/* mem_file.h: a file that guest memory is. */
#ifndef TRAPMAP_MEM_FILE_H
#define TRAPMAP_MEM_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/*
 * Opens the file at path, or makes it for its owner alone, keeps other VMs from using
 * it, and gives it len bytes of zeroes that the file system has room for; what was in
 * it is lost, but only once there is room. at_once: all of it is going to be in memory.
 * *ret_made: the file was not there. *ret_page_size is that of its huge pages, or 0: it is not on a hugetlbfs. Returns 0,
 * or -errno with *err.
 */
int mem_file_open(const char *path, uint64_t len, bool at_once, int *ret_fd,
		  bool *ret_made, uint64_t *ret_page_size, struct error *err);

#endif
