/* SPDX-License-Identifier: MIT */
/*
 * file_lock.h: an image has one writer or any number of readers: a lock on the whole
 * file, of the open file and not of the process (F_OFD_SETLK, fcntl(2)).
 */
#ifndef TRAPMAP_BACKEND_FILE_LOCK_H
#define TRAPMAP_BACKEND_FILE_LOCK_H

#include <stdbool.h>

/*
 * Returns 0, -EBUSY: somebody else has it, or -errno. A filesystem that knows no
 * locks is taken as it is.
 */
int file_lock(int fd, bool read_only);

/* It would go with the last reference to the open file; the kernel may have one. */
void file_unlock(int fd);

#endif
