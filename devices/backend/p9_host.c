// SPDX-License-Identifier: MIT
/*
 * How a thing in the shared folder is found and opened. Why nothing outside of it
 * ever is:
 *
 * 1. The client has names, never paths: each is checked to be one (p9_name()), and
 *    ".." is a step up the tree of what it holds (p9_tree.h), which ends at the root.
 * 2. A thing is found by one openat2(2) from the descriptor of the folder itself, down
 *    all the names, with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS. The path has no "..",
 *    so that each step goes down; and the kernel refuses a symbolic link on the way,
 *    procfs's included, at the very step, so that it does not matter when it was put
 *    there. The last one may be a link; then it is the link that is found. (The client
 *    follows links itself, by what readlink says: again names.) Other filesystems that
 *    are mounted in the folder belong to it.
 * 3. What was found so is O_PATH: to find a device node or a FIFO does nothing to it.
 *    Its type is looked at through the descriptor, and only a file or a folder is then
 *    opened, through /proc/self/fd: the very thing that was looked at, whatever its
 *    name stands for by now.
 * 4. What makes or changes a name does so with one name in a folder that was found so,
 *    by calls that do not follow a link in that place (O_EXCL, mkdirat, renameat ...).
 *
 * Somebody on the host may move a folder out while it is in use. Then what was found a
 * moment before is finished there, as if it had been done before the move; the next
 * request finds it no more. What the client has open stays open, as with any program.
 *
 * Files of procfs are not opened at all: a process's memory is one of them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backend/p9_share_parts.h"

int p9_name(const struct p9_string *string, char ret_name[NAME_MAX + 1])
{
	const char *s = string->s;
	size_t len = string->len;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 0 || memchr(s, '/', len) || memchr(s, '\0', len) ||
	    (s[0] == '.' && (len == 1 || (len == 2 && s[1] == '.'))))
		return -EINVAL;
	memcpy(ret_name, s, len);
	ret_name[len] = '\0';
	return 0;
}

static int beneath(int folder, const char *path, uint64_t flags)
{
	const struct open_how how = {
		.flags = flags | O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int find(struct p9_share *s, const struct p9_node *node,
		const char *name, uint64_t flags)
{
	char path[PATH_MAX];
	int r = p9_tree_path(&s->tree, node, name, path);

	return r < 0 ? r : beneath(s->root, path, flags);
}

int p9_find(struct p9_share *s, const struct p9_node *node, const char *name)
{
	return find(s, node, name, 0);
}

int p9_find_folder(struct p9_share *s, const struct p9_node *node)
{
	return find(s, node, NULL, O_DIRECTORY);
}

int p9_find_in(int folder, const char *name)
{
	return beneath(folder, name, 0);
}

/* A file that has no name any more but is open. Returns 0 or -ENOENT. */
static int nameless(struct p9_share *s, const struct p9_held *held,
		    struct p9_thing *thing)
{
	pthread_mutex_lock(&s->lock);
	if (held->node->files)
		thing->file = p9_file_get(held->node->files);
	pthread_mutex_unlock(&s->lock);
	if (!thing->file)
		return -ENOENT;
	thing->fd = thing->file->fd;
	return 0;
}

int p9_thing(struct p9_share *s, const struct p9_held *held,
	     struct p9_thing *ret_thing)
{
	struct p9_thing thing = { .fd = -1 };
	int r = 0;

	if (held->file) {
		thing.fd = held->file->fd;
	} else {
		pthread_rwlock_rdlock(&s->names);
		thing.fd = p9_find(s, held->node, NULL);
		pthread_rwlock_unlock(&s->names);
		thing.ours = thing.fd >= 0;
		if (thing.fd == -ENOENT)
			r = nameless(s, held, &thing);
		else if (thing.fd < 0)
			r = thing.fd;
	}
	if (r == 0)
		*ret_thing = thing;
	return r;
}

void p9_thing_done(struct p9_share *s, struct p9_thing *thing)
{
	if (thing->ours)
		close(thing->fd);
	if (thing->file)
		p9_file_put(s, thing->file);
}

const char *p9_proc_name(int fd, char name[P9_PROC_NAME_LEN])
{
	snprintf(name, P9_PROC_NAME_LEN, "%d", fd);
	return name;
}

int p9_open(struct p9_share *s, int fd, const struct stat *st, int flags)
{
	char name[P9_PROC_NAME_LEN];
	struct statfs fs;
	int r;

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return -EPERM;
	if (S_ISREG(st->st_mode) &&
	    (fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC))
		return -EPERM;
	/* O_NONBLOCK: of other such filesystems; there are files that wait. */
	r = openat(s->proc, p9_proc_name(fd, name),
		   flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return r < 0 ? -errno : r;
}

/* ---- qids --------------------------------------------------------------- */

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

/*
 * The folder's own filesystem has its inode numbers; those of others, which may be
 * the same, are moved far away, each by its own way.
 */
static uint64_t path_of(const struct p9_share *s, dev_t dev, uint64_t ino)
{
	if (dev == s->root_dev)
		return ino;
	return ino ^ (mix((uint64_t)dev) | BIT64(63));
}

/*
 * Linux takes a version of 0 for a file that must not be cached (since 6.4), which
 * is none of these.
 */
static uint32_t version_of(const struct stat *st)
{
	uint64_t v = mix((uint64_t)st->st_mtim.tv_sec) ^
		     mix((uint64_t)st->st_mtim.tv_nsec << 32) ^
		     mix((uint64_t)st->st_size);

	return (uint32_t)v ?: 1;
}

struct p9_qid p9_qid(const struct p9_share *s, const struct stat *st)
{
	return (struct p9_qid){
		.type = S_ISDIR(st->st_mode) ? P9_QTDIR :
			S_ISLNK(st->st_mode) ? P9_QTSYMLINK :
					       P9_QTFILE,
		.version = version_of(st),
		.path = path_of(s, st->st_dev, st->st_ino),
	};
}

struct p9_qid p9_entry_qid(const struct p9_share *s, dev_t dev, uint64_t ino,
			   unsigned type)
{
	return (struct p9_qid){
		.type = type == DT_DIR ? P9_QTDIR :
			type == DT_LNK ? P9_QTSYMLINK :
					 P9_QTFILE,
		.path = path_of(s, dev, ino),
	};
}
