/* SPDX-License-Identifier: MIT */
/* post_code.h: port 0x80, where a PC says how far its start has come. */
#ifndef TRAPMAP_POST_CODE_H
#define TRAPMAP_POST_CODE_H

#include <stdint.h>

struct device;

int post_code_new(struct device **ret_dev);

/* The last code written, or -1 if none was since the reset. Any thread. */
int post_code_last(struct device *dev);

#endif
