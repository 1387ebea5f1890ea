// SPDX-License-Identifier: MIT
/* opts_disk.c: --disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opts_disk.h"
#include "opts_parts.h"
#include "say.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As long as a virtio disk's may be. */
#define SERIAL_MAX 20

static const struct opts_key keys[] = {
	{ "file", OPTS_KEY_TEXT, offsetof(struct opts_disk, path) },
	{ "ro", OPTS_KEY_FLAG, offsetof(struct opts_disk, read_only) },
	{ "root", OPTS_KEY_FLAG, offsetof(struct opts_disk, root) },
	{ "tmp", OPTS_KEY_FLAG, offsetof(struct opts_disk, temporary) },
	{ "format", OPTS_KEY_TEXT, offsetof(struct opts_disk, format_text) },
	{ "werror", OPTS_KEY_TEXT, offsetof(struct opts_disk, werror_text) },
	{ "direct", OPTS_KEY_FLAG, offsetof(struct opts_disk, direct) },
	{ "pinned", OPTS_KEY_FLAG, offsetof(struct opts_disk, pinned) },
	{ "serial", OPTS_KEY_TEXT, offsetof(struct opts_disk, serial) },
	{ "id", OPTS_KEY_TEXT, offsetof(struct opts_disk, serial) },
	{ "iothread", OPTS_KEY_TEXT, offsetof(struct opts_disk, iothread) },
};

static const struct opts_choice formats[] = {
	{ "auto", TRAPMAP_DISK_FORMAT_AUTO },
	{ "raw", TRAPMAP_DISK_FORMAT_RAW },
	{ "qcow2", TRAPMAP_DISK_FORMAT_QCOW2 },
};
static const struct opts_choice werrors[] = {
	{ "report", TRAPMAP_DISK_WERROR_REPORT },
	{ "stop", TRAPMAP_DISK_WERROR_STOP },
};

/* On a thread of the VM's, again and again: only remembers. */
static void failed(void *opaque, int err)
{
	struct opts_disk *disk = opaque;
	int none = 0;

	if (disk->werror == TRAPMAP_DISK_WERROR_STOP &&
	    (err == ENOSPC || err == EDQUOT)) {
		atomic_store(&disk->paused, true);
		return;
	}
	atomic_compare_exchange_strong(&disk->first, &none, err);
	atomic_fetch_add(&disk->failures, 1);
}

static int disk_add(struct attached *a, struct trapmap_vm *vm)
{
	struct opts_disk *disk = (struct opts_disk *)a;
	struct trapmap_disk to = TRAPMAP_DISK_INIT;

	to.path = disk->path;
	to.read_only = disk->read_only;
	to.direct = disk->direct;
	to.format = disk->format;
	to.temporary = disk->temporary;
	to.pinned = disk->pinned;
	to.werror = disk->werror;
	to.serial = disk->serial;
	to.iothread = disk->iothread;
	to.failed = failed;
	to.opaque = disk;
	return trapmap_vm_add_disk(vm, &to);
}

static void disk_tell(const struct attached *a)
{
	const struct opts_disk *disk = (const struct opts_disk *)a;
	unsigned long long failures = atomic_load(&disk->failures);

	if (failures)
		say("disk '%s': %llu %s failed on the host, the first with: %s",
		    disk->path, failures,
		    failures == 1 ? "request" : "requests",
		    strerror(atomic_load(&disk->first)));
}

static const char *disk_file(const struct attached *a)
{
	return ((const struct opts_disk *)a)->path;
}

static bool disk_paused(struct attached *a, bool forget)
{
	struct opts_disk *disk = (struct opts_disk *)a;

	return forget ? atomic_exchange(&disk->paused, false) :
			atomic_load(&disk->paused);
}

/* As Linux names it: vda to vdz, then vdaa. */
static char *disk_params(const struct attached *a, const struct run_opts *opts)
{
	const struct opts_disk *disk = (const struct opts_disk *)a;
	char name[3] = "", *word;
	unsigned i, n = 0;

	if (!disk->root)
		return NULL;
	for (i = 0; opts->attached[i] != a; i++)
		n += opts->attached[i]->ops == a->ops;
	if (n >= 26)
		name[0] = (char)('a' + n / 26 - 1);
	name[n >= 26] = (char)('a' + n % 26);
	if (asprintf(&word, "root=/dev/vd%s %s", name,
		     disk->read_only ? "ro" : "rw") < 0)
		return NULL;
	return word;
}

static void disk_free(struct attached *a)
{
	opts_keys_done(keys, COUNT(keys), a);
	free(a);
}

static const struct attached_ops disk_ops = {
	.option = "--disk: ",
	.what = "a disk",
	.add = disk_add,
	.tell = disk_tell,
	.file = disk_file,
	.params = disk_params,
	.paused = disk_paused,
	.free = disk_free,
};

static int choose(struct opts_disk *disk, char *err)
{
	int format = TRAPMAP_DISK_FORMAT_AUTO;
	int werror = TRAPMAP_DISK_WERROR_REPORT, r = 0;

	if (disk->format_text)
		r = opts_choose(err, "--disk format", disk->format_text,
				formats, COUNT(formats), &format);
	if (r == 0 && disk->werror_text)
		r = opts_choose(err, "--disk werror", disk->werror_text,
				werrors, COUNT(werrors), &werror);
	disk->format = (enum trapmap_disk_format)format;
	disk->werror = (enum trapmap_disk_werror)werror;
	return r;
}

static bool only_reads(const struct opts_disk *disk)
{
	return disk->read_only || disk->temporary;
}

static int check(const char *text, const struct run_opts *opts,
		 struct opts_disk *disk, char *err)
{
	unsigned i;
	int r;

	r = choose(disk, err);
	if (r)
		return r;
	if (!disk->path)
		return opts_fail(err,
				 "--disk '%s': a file is expected: "
				 "FILE[,ro][,root][,tmp][,format=F][,serial=ID]",
				 text);
	if (disk->serial && strlen(disk->serial) > SERIAL_MAX)
		return opts_fail(err,
				 "--disk serial '%s': at most %d bytes "
				 "are expected",
				 disk->serial, SERIAL_MAX);
	for (i = 0; i < opts->attached_count; i++) {
		const struct opts_disk *other =
			(const struct opts_disk *)opts->attached[i];

		if (other->attached.ops != &disk_ops)
			continue;
		if (!strcmp(other->path, disk->path) &&
		    !(only_reads(other) && only_reads(disk)))
			return opts_fail(err,
					 "--disk '%s' is given twice; an image "
					 "that is written to can have one user "
					 "(with ',ro' on both it is only read)",
					 disk->path);
		if (other->root && disk->root)
			return opts_fail(err,
					 "--disk '%s': '%s' is the root disk "
					 "already",
					 disk->path, other->path);
	}
	return 0;
}

int opts_disk(const char *text, struct run_opts *opts, char *err)
{
	struct opts_disk *disk = calloc(1, sizeof(*disk));
	int r;

	if (!disk)
		return opts_fail(err, "out of memory");
	disk->attached.ops = &disk_ops;
	r = opts_keys("--disk", text, keys, COUNT(keys), disk, err);
	if (r == 0)
		r = check(text, opts, disk, err);
	if (r) {
		disk_free(&disk->attached);
		return r;
	}
	return attached_keep(opts, &disk->attached, err);
}
