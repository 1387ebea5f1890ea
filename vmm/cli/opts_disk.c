// SPDX-License-Identifier: MIT
/* opts_disk.c: --disk. */
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
	{ "direct", OPTS_KEY_FLAG, offsetof(struct opts_disk, direct) },
	{ "serial", OPTS_KEY_TEXT, offsetof(struct opts_disk, serial) },
	{ "id", OPTS_KEY_TEXT, offsetof(struct opts_disk, serial) },
	{ "iothread", OPTS_KEY_TEXT, offsetof(struct opts_disk, iothread) },
};

/* On a thread of the VM's, again and again: only remembers. */
static void failed(void *opaque, int err)
{
	struct opts_disk *disk = opaque;
	int none = 0;

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
	.free = disk_free,
};

static int check(const char *text, const struct run_opts *opts,
		 const struct opts_disk *disk, char *err)
{
	unsigned i;

	if (!disk->path)
		return opts_fail(err,
				 "--disk '%s': a file is expected: "
				 "FILE[,ro][,direct][,serial=ID]",
				 text);
	if (disk->serial && strlen(disk->serial) > SERIAL_MAX)
		return opts_fail(err,
				 "--disk serial '%s': at most %d bytes "
				 "are expected",
				 disk->serial, SERIAL_MAX);
	for (i = 0; i < opts->attached_count; i++) {
		const struct opts_disk *other =
			(const struct opts_disk *)opts->attached[i];

		if (other->attached.ops == &disk_ops &&
		    !strcmp(other->path, disk->path) &&
		    !(other->read_only && disk->read_only))
			return opts_fail(err,
					 "--disk '%s' is given twice; an image "
					 "that is written to can have one user "
					 "(',ro' makes it read-only)",
					 disk->path);
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
