/* SPDX-License-Identifier: MIT */
/* watch_linux.h: what a Linux kernel's own lines about its faults look like. */
#ifndef TRAPMAP_WATCH_LINUX_H
#define TRAPMAP_WATCH_LINUX_H

#include <stdbool.h>

/* Whether it is the line of a panic. */
bool watch_linux_panic(const char *line);

/*
 * What fault the line reports, in a word or two ("KASAN", "hung task"), or NULL.
 * A panic is one, too. Static storage.
 */
const char *watch_linux_splat(const char *line);

#endif
