// SPDX-License-Identifier: MIT
#include "exec/copy.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a script whose interpreter is a script, and so on. */
#define DEPTH_MAX 4

/* A folder of more is not what somebody wants in memory. */
#define FOLDER_MAX (UINT64_C(1) << 30)

static int fail(char *err, int r, const char *what, const char *path)
{
	snprintf(err, COPY_ERR_SIZE, "%s '%s': %s", what, path, strerror(-r));
	return r;
}

static int add_file(struct cpio *cpio, const char *path, char *err)
{
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return fail(err, -errno, "cannot copy", path);
	r = cpio_add_file(cpio, path + 1, S_IFREG | (st.st_mode & 0777), path);
	return r < 0 ? fail(err, r, "cannot copy", path) : 0;
}

/* ---- programs ----------------------------------------------------------- */

/*
 * What interprets a file: of an ELF program its loader, of a script the first word
 * of its first line; "" if nothing does.
 */
static int interpreter(const char *path, char ret_name[PATH_MAX], bool *ret_elf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[4096];
	const Elf64_Ehdr *eh = (const void *)head;
	const char *word;
	Elf64_Phdr ph;
	ssize_t n;
	unsigned i;

	*ret_name = '\0';
	*ret_elf = false;
	if (fd < 0)
		return -errno;
	n = pread(fd, head, sizeof(head) - 1, 0);
	if (n > 2 && head[0] == '#' && head[1] == '!') {
		head[n] = '\0';
		word = head + 2 + strspn(head + 2, " \t");
		snprintf(ret_name, PATH_MAX, "%.*s",
			 (int)strcspn(word, " \t\n"), word);
	}
	if (n >= (ssize_t)sizeof(*eh) && memcmp(head, ELFMAG, SELFMAG) == 0 &&
	    eh->e_ident[EI_CLASS] == ELFCLASS64 &&
	    eh->e_phentsize == sizeof(ph)) {
		for (i = 0; i < eh->e_phnum; i++) {
			if (pread(fd, &ph, sizeof(ph),
				  (off_t)(eh->e_phoff + i * sizeof(ph))) !=
			    (ssize_t)sizeof(ph))
				break;
			if (ph.p_type != PT_INTERP || ph.p_filesz >= PATH_MAX)
				continue;
			n = pread(fd, ret_name, ph.p_filesz, (off_t)ph.p_offset);
			ret_name[n > 0 ? n : 0] = '\0';
			*ret_elf = true;
		}
	}
	close(fd);
	return 0;
}

/* The loader says which libraries it would take: "NAME => PATH (ADDRESS)". */
static int add_libraries(struct cpio *cpio, const char *loader,
			 const char *path, char *err)
{
	char *line = NULL, *slash, *space;
	size_t room = 0;
	int fd[2], r = 0, status = 0;
	FILE *list;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return fail(err, -errno, "cannot ask for the libraries of",
			    path);
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		execl(loader, loader, "--list", path, (char *)NULL);
		_exit(127);
	}
	close(fd[1]);
	list = fdopen(fd[0], "r");
	if (!list)
		close(fd[0]);
	while (list && getline(&line, &room, list) > 0) {
		slash = strchr(line, '/');
		space = slash ? strstr(slash, " (") : NULL;
		if (!space || r < 0)
			continue;
		*space = '\0';
		/* "/lib/ld.so => /usr/lib/ld.so": the first is the name asked for. */
		if (strstr(slash, " => "))
			slash = strstr(slash, " => ") + 4;
		r = add_file(cpio, slash, err);
	}
	free(line);
	if (list)
		fclose(list);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
		if (r == 0) {
			snprintf(err, COPY_ERR_SIZE,
				 "cannot tell which libraries '%s' needs: "
				 "'%s --list' failed",
				 path, loader);
			r = -ENOEXEC;
		}
	}
	return r;
}

static int add_program(struct cpio *cpio, const char *path, unsigned depth,
		       char *err)
{
	char with[PATH_MAX];
	bool elf;
	int r;

	r = interpreter(path, with, &elf);
	if (r < 0)
		return fail(err, r, "cannot read", path);
	r = add_file(cpio, path, err);
	if (r < 0 || with[0] != '/' || depth == DEPTH_MAX)
		return r;
	r = add_program(cpio, with, depth + 1, err);
	if (r == 0 && elf)
		r = add_libraries(cpio, with, path, err);
	return r;
}

/* ---- folders ------------------------------------------------------------ */

/* nftw() has no room for what its callback needs. */
static __thread struct {
	struct cpio *cpio;
	char *err;
	uint64_t len;
} walk;

static int add_entry(const char *path, const struct stat *st, int type,
		     struct FTW *ftw)
{
	char target[PATH_MAX];
	ssize_t n;

	(void)ftw;
	switch (type) {
	case FTW_D:
		cpio_add(walk.cpio, path + 1, S_IFDIR | (st->st_mode & 0777),
			 NULL, 0);
		return 0;
	case FTW_SL:
		n = readlink(path, target, sizeof(target));
		if (n > 0)
			cpio_add(walk.cpio, path + 1, S_IFLNK | 0777, target,
				 (size_t)n);
		return 0;
	case FTW_F:
		if (!S_ISREG(st->st_mode))
			return 0; /* a device, a socket */
		walk.len += (uint64_t)st->st_size;
		if (walk.len > FOLDER_MAX) {
			snprintf(walk.err, COPY_ERR_SIZE,
				 "cannot copy '%s': more than 1 GiB in all",
				 path);
			return -EFBIG;
		}
		return add_file(walk.cpio, path, walk.err);
	default: return fail(walk.err, -EACCES, "cannot read", path);
	}
}

int copy_path(struct cpio *cpio, const char *path, char err[COPY_ERR_SIZE])
{
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return fail(err, -errno, "cannot copy", path);
	if (S_ISREG(st.st_mode))
		return st.st_mode & 0111 ? add_program(cpio, path, 0, err)
					 : add_file(cpio, path, err);
	if (!S_ISDIR(st.st_mode)) {
		snprintf(err, COPY_ERR_SIZE,
			 "cannot copy '%s': neither a file nor a folder", path);
		return -EINVAL;
	}
	walk.cpio = cpio;
	walk.err = err;
	walk.len = 0;
	r = nftw(path, add_entry, 16, FTW_PHYS);
	return r > 0 ? -EIO : r;
}
