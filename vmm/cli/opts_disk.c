// SPDX-License-Identifier: MIT
/* opts_disk.c: --disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kv.h"
#include "opts_parts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As long as a virtio disk's may be. */
#define SERIAL_MAX 20

enum key { KEY_FILE, KEY_RO, KEY_DIRECT, KEY_SERIAL, KEY_ID };

static const char *const keys[] = { "file", "ro", "direct", "serial", "id" };

void opts_disk_done(struct opts_disk *disk)
{
	free(disk->path);
	free(disk->serial);
	*disk = (struct opts_disk){ 0 };
}

/* Replaces *to, which is NULL unless the key was given before. */
static int set_text(const char *key, const char *value, char **to, char *err)
{
	if (*to)
		return opts_fail(err, "--disk: '%s' is given twice", key);
	if (!value || !*value)
		return opts_fail(err, "--disk: '%s' needs a value", key);
	*to = strdup(value);
	if (*to)
		return 0;
	opts_fail(err, "out of memory");
	return -ENOMEM;
}

static int set_flag(const char *key, const char *value, bool *to, char *err)
{
	if (value)
		return opts_fail(err, "--disk: '%s' takes no value", key);
	if (*to)
		return opts_fail(err, "--disk: '%s' is given twice", key);
	*to = true;
	return 0;
}

static int set(const struct kv *kv, struct opts_disk *disk, char *err)
{
	const char *key = kv->key ? kv->key : keys[KEY_FILE];
	size_t i;
	int r;

	for (i = 0; i < COUNT(keys) && strcmp(key, keys[i]); i++)
		;
	switch (i) {
	case KEY_FILE: return set_text(key, kv->value, &disk->path, err);
	case KEY_RO: return set_flag(key, kv->value, &disk->read_only, err);
	case KEY_DIRECT: return set_flag(key, kv->value, &disk->direct, err);
	case KEY_SERIAL:
	case KEY_ID:
		r = set_text(key, kv->value, &disk->serial, err);
		if (r == 0 && disk->serial && strlen(disk->serial) > SERIAL_MAX)
			r = opts_fail(err,
				      "--disk serial '%s': at most %d bytes "
				      "are expected",
				      disk->serial, SERIAL_MAX);
		return r;
	}
	return opts_bad_key(err, "--disk", key, keys, COUNT(keys) - 1);
}

static int parse(const char *text, struct opts_disk *disk, char *err)
{
	struct kv_list list = kv_list(text);
	struct kv kv;
	int r;

	while ((r = kv_next(&list, &kv)) > 0) {
		r = set(&kv, disk, err);
		if (r)
			return r;
	}
	if (r) {
		opts_bad_list(err, "--disk", text, r);
		return r;
	}
	if (disk->path)
		return 0;
	opts_fail(err,
		  "--disk '%s': a file is expected: "
		  "FILE[,ro][,direct][,serial=ID]",
		  text);
	return -EINVAL;
}

int opts_disk(const char *text, struct run_opts *opts, char *err)
{
	struct opts_disk disk = { 0 };
	unsigned i;
	int r = 0;

	if (opts->disk_count == TRAPMAP_DISKS_MAX)
		return opts_fail(err, "more than %d disks", TRAPMAP_DISKS_MAX);
	r = parse(text, &disk, err);
	for (i = 0; r == 0 && i < opts->disk_count; i++) {
		const struct opts_disk *other = &opts->disk[i];

		if (!strcmp(other->path, disk.path) &&
		    !(other->read_only && disk.read_only))
			r = opts_fail(err,
				      "--disk '%s' is given twice; an image "
				      "that is written to can have one user "
				      "(',ro' makes it read-only)",
				      disk.path);
	}
	if (r) {
		opts_disk_done(&disk);
		return r;
	}
	opts->disk[opts->disk_count++] = disk;
	return 0;
}
