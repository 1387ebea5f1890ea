/* SPDX-License-Identifier: MIT */
/* init_image.h: the program of firmware/exec, as bytes of this one. */
#ifndef TRAPMAP_CLI_EXEC_INIT_IMAGE_H
#define TRAPMAP_CLI_EXEC_INIT_IMAGE_H

extern const unsigned char exec_init[];
extern const unsigned char exec_init_end[];

#endif
