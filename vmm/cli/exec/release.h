/* SPDX-License-Identifier: MIT */
/* release.h: what a Linux kernel image calls itself, as "uname -r" would. */
#ifndef TRAPMAP_CLI_EXEC_RELEASE_H
#define TRAPMAP_CLI_EXEC_RELEASE_H

#include <stddef.h>
#include <stdint.h>

#define RELEASE_MAX 65

/*
 * Of a bzImage (its header's kernel_version) or a vmlinux (its banner). Returns 0,
 * or -ENOENT: it does not say.
 */
int release_find(const uint8_t *image, size_t len, char ret_text[RELEASE_MAX]);

/* The same of a file. Returns 0 or -errno. */
int release_of(const char *path, char ret_text[RELEASE_MAX]);

#endif
