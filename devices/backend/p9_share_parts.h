/* SPDX-License-Identifier: MIT */
/*
 * p9_share_parts.h: what the files that a share is made of have in common:
 *
 *	p9_share.c  the session: messages in and out, version, attach, walk
 *	p9_fids.c   what the client holds
 *	p9_host.c   how a thing is found and opened: the way in, and the only one
 *	p9_io.c     files and folders that are open
 *	p9_names.c  what makes names, changes them and removes them
 *	p9_attr.c   attributes
 *
 * Nobody else includes it.
 *
 * Locks, in this order: `names` is held for reading while a path is made and looked
 * up, and for writing while one is changed, so that a path is never half of what it
 * was and half of what it will be. `lock` guards the rest, for moments. Calls that
 * move data hold neither.
 */
#ifndef TRAPMAP_BACKEND_P9_SHARE_PARTS_H
#define TRAPMAP_BACKEND_P9_SHARE_PARTS_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "backend/p9_message.h"
#include "backend/p9_share.h"
#include "backend/p9_tree.h"

struct p9_share {
	struct p9_server server;
	bool read_only;
	int root; /* the folder, O_PATH */
	int proc; /* /proc/self/fd */
	dev_t root_dev;
	unsigned files_max;
	_Atomic uint32_t msize; /* 0: no session yet */
	pthread_rwlock_t names;
	pthread_mutex_t lock;
	struct p9_table fids;
	struct p9_tree tree;
	unsigned files;
};

/* An open file or folder. Several fids may have the same, if it is only read. */
struct p9_file {
	struct p9_node *node; /* with a reference, */
	struct p9_file *next; /* and in its list */
	unsigned refs;
	int fd;
	bool shared;
	dev_t dev;
	ino_t ino;
	/* Of a folder: its position is one for all who read it. */
	bool folder;
	pthread_mutex_t lock;
	uint64_t position;
};

/* What a fid stands for, with references. */
struct p9_held {
	struct p9_node *node;
	struct p9_file *file; /* NULL: not open */
};

/* One request. */
struct p9_request {
	struct p9_share *share;
	struct p9_call call;
	struct virtq_chain *chain;
	uint32_t room; /* for the answer */
	struct p9_answer answer;
};

/* ---- p9_fids.c ---- */

int p9_fids_init(struct p9_share *s);
void p9_fids_done(struct p9_share *s);

/* Returns 0 or -EBADF. */
int p9_hold(struct p9_share *s, uint32_t fid, struct p9_held *ret_held);
void p9_let_go(struct p9_share *s, struct p9_held *held);

/*
 * A new fid, or with `over` one that is there and not open. Takes the reference to
 * node, whatever it returns: 0, -EBADF, -EBUSY, -ENFILE, -ENOMEM.
 */
int p9_fid_put(struct p9_share *s, uint32_t fid, struct p9_node *node,
	       bool over);
/* Makes it open, and stand for the file's node. Takes the reference to file. */
int p9_fid_open(struct p9_share *s, uint32_t fid, struct p9_file *file);
int p9_fid_clunk(struct p9_share *s, uint32_t fid);
void p9_fids_clear(struct p9_share *s);

/* With s->lock held. */
struct p9_file *p9_file_get(struct p9_file *file);
/*
 * A file that is open only for reading, if there is one; with a reference. Without
 * s->lock, as the next two.
 */
struct p9_file *p9_file_find(struct p9_share *s, struct p9_node *node,
			     const struct stat *st);
/* Takes fd, whatever it returns: 0, -EMFILE or -ENOMEM. */
int p9_file_new(struct p9_share *s, struct p9_node *node, int fd, bool shared,
		struct p9_file **ret_file);
void p9_file_put(struct p9_share *s, struct p9_file *file);

/* ---- p9_host.c ---- */

/* One name: not empty, "." or "..", no '/', no NUL. Returns 0 or -errno. */
int p9_name(const struct p9_string *string, char ret_name[NAME_MAX + 1]);

/*
 * With s->names held. An O_PATH descriptor of a thing, be it a symbolic link; of
 * node itself, or of a name in it. Returns it or -errno.
 */
int p9_find(struct p9_share *s, const struct p9_node *node, const char *name);
/* The same of a folder. */
int p9_find_folder(struct p9_share *s, const struct p9_node *node);
/* Of a name in a folder that has been found so. */
int p9_find_in(int folder, const char *name);

/* The thing that a fid stands for, for its attributes. */
struct p9_thing {
	int fd; /* open, or O_PATH */
	bool ours; /* to be closed */
	struct p9_file *file; /* or else let go of */
};

int p9_thing(struct p9_share *s, const struct p9_held *held,
	     struct p9_thing *ret_thing);
void p9_thing_done(struct p9_share *s, struct p9_thing *thing);

/*
 * Opens what fd, an O_PATH one, is: a file or a folder, else -EPERM. Returns a new
 * descriptor or -errno.
 */
int p9_open(struct p9_share *s, int fd, const struct stat *st, int flags);

/* A name for what fd is, in the folder s->proc. */
#define P9_PROC_NAME_LEN 12
const char *p9_proc_name(int fd, char name[P9_PROC_NAME_LEN]);

struct p9_qid p9_qid(const struct p9_share *s, const struct stat *st);
/* Of an entry of a folder on the device `dev`; type is a DT_*. */
struct p9_qid p9_entry_qid(const struct p9_share *s, dev_t dev, uint64_t ino,
			   unsigned type);

/* ---- each answers one kind of call: 0 or -errno ---- */

/* p9_io.c */
int p9_lopen(struct p9_request *req);
int p9_lcreate(struct p9_request *req);
int p9_read(struct p9_request *req);
int p9_write(struct p9_request *req);
int p9_readdir(struct p9_request *req);
int p9_fsync(struct p9_request *req);

/* p9_names.c */
int p9_make(struct p9_request *req); /* mkdir, symlink, mknod */
int p9_link(struct p9_request *req);
int p9_rename(struct p9_request *req);
int p9_renameat(struct p9_request *req);
int p9_unlinkat(struct p9_request *req);
int p9_remove(struct p9_request *req); /* without the clunk */
int p9_readlink(struct p9_request *req);

/* p9_attr.c */
int p9_getattr(struct p9_request *req);
int p9_setattr(struct p9_request *req);
int p9_statfs(struct p9_request *req);
int p9_lock(struct p9_request *req);
int p9_getlock(struct p9_request *req);

/* Flags of Tlopen and Tlcreate that mean something here: P9_DOTL_* of Linux. */
enum {
	P9_ACCMODE = 03,
	P9_CREATE = 0100,
	P9_EXCL = 0200,
	P9_TRUNC = 01000,
	P9_APPEND = 02000,
	P9_DSYNC = 010000,
	P9_DIRECTORY = 0200000,
	P9_SYNC = 04000000,
};

#endif
