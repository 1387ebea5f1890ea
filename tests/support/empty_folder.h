/* SPDX-License-Identifier: MIT */
/*
 * empty_folder.h: removes all that a test has made in a folder of its own, however deep
 * (paths may be longer than a system call takes) and whatever its mode.
 */
#ifndef TRAPMAP_TEST_EMPTY_FOLDER_H
#define TRAPMAP_TEST_EMPTY_FOLDER_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Takes fd. */
static inline void empty_folder(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int sub;

	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") ||
		    unlinkat(dirfd(dir), name, 0) == 0 || errno != EISDIR)
			continue;
		(void)fchmodat(dirfd(dir), name, 0700, 0);
		sub = openat(dirfd(dir), name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			empty_folder(sub);
		(void)unlinkat(dirfd(dir), name, AT_REMOVEDIR);
	}
	closedir(dir);
}

#endif
