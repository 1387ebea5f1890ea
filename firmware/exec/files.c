// SPDX-License-Identifier: MIT
/* The tree of files that the command sees. */
#include "exec/init.h"

#define SYSROOT "/sysroot"
#define HOST "/host"
#define MODULES "/lib/modules/"
/* A path, and what stands before it. */
#define JOINED_MAX (4096 + 64)

static bool from_host;
/* The host's files, those that ours cover included: a way to HOST, which is outside. */
static struct text host;

/* Where what may fail: a kernel without it is told by what then does not work. */
static void mount(const char *type, const char *dir, const char *data)
{
	sys(SYS_MKDIR, dir, 0755);
	sys(SYS_MOUNT, type, dir, type, MS_NOSUID, data);
}

/*
 * Until a console or anything else has the first three descriptors, which a kernel
 * leaves closed if it has no console for us.
 */
static void fill_descriptors(void)
{
	long fd;

	do {
		fd = sys(SYS_OPEN, "/dev/console", O_RDWR);
		if (fd < 0)
			fd = sys(SYS_OPEN, "/", O_RDONLY);
	} while (fd >= 0 && fd <= 2);
	if (fd >= 0)
		sys(SYS_CLOSE, fd);
}

void files_begin(void)
{
	mount("proc", "/proc", NULL);
	mount("sysfs", "/sys", NULL);
	mount("devtmpfs", "/dev", NULL);
	fill_descriptors();
}

void files_usual(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "fd/0", "/dev/stdin" },
		{ "fd/1", "/dev/stdout" },
		{ "fd/2", "/dev/stderr" },
	};
	size_t i;

	if (from_host) {
		mount("proc", "/proc", NULL);
		mount("sysfs", "/sys", NULL);
		mount("devtmpfs", "/dev", NULL);
		mount("tmpfs", "/tmp", NULL);
		mount("tmpfs", "/run", "mode=755");
	}
	mount("devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666");
	mount("tmpfs", "/dev/shm", NULL);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		sys(SYS_SYMLINK, links[i][0], links[i][1]);
}

static long mount_9p(const char *tag, const char *dir, unsigned long flags)
{
	return sys(SYS_MOUNT, tag, dir, "9p", flags,
		   flags & MS_RDONLY
			   ? "trans=virtio,version=9p2000.L,msize=524288,cache=loose"
			   : "trans=virtio,version=9p2000.L,msize=524288,cache=mmap");
}

void files_root(const char *tag)
{
	long fd, r;

	sys(SYS_MKDIR, SYSROOT, 0755);
	r = mount_9p(tag, SYSROOT, MS_RDONLY);
	if (r < 0)
		fail("mount the host's files", "", r);
	sys(SYS_MKDIR, HOST, 0755);
	sys(SYS_MOUNT, SYSROOT, HOST, 0, MS_BIND, 0);
	fd = sys(SYS_OPEN, HOST, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	text_add(&host, "/proc/self/fd/");
	text_add_number(&host, (unsigned long)fd);
	r = sys(SYS_CHDIR, SYSROOT);
	if (r == 0)
		r = sys(SYS_MOUNT, ".", "/", 0, MS_MOVE, 0);
	if (r == 0)
		r = sys(SYS_CHROOT, ".");
	if (r < 0)
		fail("enter the host's files", "", r);
	from_host = true;
}

/* The folders that path lies in, from the top. */
static void make_folders(char *path)
{
	char *slash;

	for (slash = path + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		sys(SYS_MKDIR, path, 0755);
		*slash = '/';
	}
}

/* One behind the other. */
static void join(char to[JOINED_MAX], const char *dir, const char *path)
{
	size_t len = 0;

	while (*dir && len < JOINED_MAX - 1)
		to[len++] = *dir++;
	while (*path && len < JOINED_MAX - 1)
		to[len++] = *path++;
	to[len] = '\0';
}

static bool is_folder(const char *path)
{
	long fd = sys(SYS_OPEN, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		sys(SYS_CLOSE, fd);
	return fd >= 0;
}

void files_keep(char *path)
{
	char from[JOINED_MAX];
	long fd, r;

	join(from, host.s, path);
	make_folders(path);
	if (is_folder(from)) {
		sys(SYS_MKDIR, path, 0755);
	} else {
		fd = sys(SYS_OPEN, path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd >= 0)
			sys(SYS_CLOSE, fd);
	}
	r = sys(SYS_MOUNT, from, path, 0, MS_BIND, 0);
	if (r < 0)
		fail("keep ", path, r);
}

/*
 * /lib/modules/RELEASE is what modprobe looks in. Where the host has none, the
 * folder is covered by one that has; a host without any goes without.
 */
void files_modules(const char *dir)
{
	char from[JOINED_MAX], to[JOINED_MAX];
	struct new_utsname name;

	if (sys(SYS_UNAME, &name) < 0)
		return;
	join(to, MODULES, name.release);
	if (is_folder(to))
		return;
	join(from, host.s, dir);
	mount("tmpfs", MODULES, "mode=755");
	sys(SYS_MKDIR, to, 0755);
	sys(SYS_MOUNT, from, to, 0, MS_BIND, 0);
}

/* "TAG DIR" */
void files_share(char *item)
{
	char *dir = item;
	long r;

	while (*dir && *dir != ' ')
		dir++;
	if (*dir)
		*dir++ = '\0';
	make_folders(dir);
	sys(SYS_MKDIR, dir, 0755);
	r = mount_9p(item, dir, 0);
	if (r < 0)
		fail("mount a share on ", dir, r);
}
