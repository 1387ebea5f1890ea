/* SPDX-License-Identifier: MIT */
/*
 * qcow2_rig.h: qcow2 images that qemu-img makes and judges, in a scratch folder, and
 * a plain copy in memory of what the disk should hold.
 */
#ifndef TRAPMAP_TEST_QCOW2_RIG_H
#define TRAPMAP_TEST_QCOW2_RIG_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/block_open.h"
#include "backend/qcow2.h"
#include "core/base.h"
#include "core/notice.h"
#include "test.h"

struct rig {
	char dir[64];
	struct qcow2 *q;
	struct notice notice;
	char said[512]; /* the last notice */
	unsigned notices;
	char why[QCOW2_WHY_MAX];
	uint8_t *ref; /* what the disk should hold */
	uint64_t size;
	uint64_t seed;
};

static inline void rig_say(void *opaque, const char *text)
{
	struct rig *rig = opaque;

	snprintf(rig->said, sizeof(rig->said), "%s", text);
	rig->notices++;
}

/* Runs a command in the rig's folder. Returns its exit status. */
__attribute__((format(printf, 2, 3)))
static inline int sh(struct rig *rig, const char *fmt, ...)
{
	char command[2048], line[2200];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "cd %s && exec 2>&1 && %s", rig->dir,
		 command);
	r = system(line);
	return WIFEXITED(r) ? WEXITSTATUS(r) : -1;
}

static inline bool have_qemu_img(void)
{
	return system("qemu-img --version >/dev/null 2>&1") == 0;
}

/* First in each test that needs it. */
static inline void need_qemu_img(void)
{
	if (!have_qemu_img()) {
		print_message("qemu-img is not here\n");
		skip();
	}
}

static inline void rig_init(struct rig *rig)
{
	*rig = (struct rig){ .dir = "/tmp/test-qcow2-XXXXXX", .seed = 1 };
	assert_non_null(mkdtemp(rig->dir));
	rig->notice = (struct notice){ rig_say, rig };
}

static inline void rig_done(struct rig *rig)
{
	qcow2_close(rig->q);
	free(rig->ref);
	sh(rig, "rm -rf %s", rig->dir);
}

static inline char *rig_path(struct rig *rig, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
	return path;
}

static inline int rig_open(struct rig *rig, const char *name, bool ro,
			   bool direct)
{
	struct block_open_config open = { .path = rig_path(rig, name),
					  .read_only = ro,
					  .direct = direct };
	struct block_opened file;
	struct qcow2_config config = { .file = &file,
				       .path = open.path,
				       .notice = &rig->notice };
	int r;

	rig->why[0] = '\0';
	r = block_open(&open, &file);
	return r < 0 ? r : qcow2_open(&config, &rig->q, rig->why);
}

/* What qemu-img says is on it. */
static inline void rig_load(struct rig *rig, const char *name)
{
	struct stat st;
	int fd;

	assert_int_equal(sh(rig, "qemu-img convert -O raw %s ref", name), 0);
	fd = open(rig_path(rig, "ref"), O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	rig->size = (uint64_t)st.st_size;
	free(rig->ref);
	rig->ref = malloc(rig->size + 1);
	assert_non_null(rig->ref);
	assert_int_equal(read(fd, rig->ref, rig->size), rig->size);
	close(fd);
}

/* That it is sound, without leaks unless they may be, and holds what it should. */
static inline void rig_judge(struct rig *rig, const char *name, bool leaks)
{
	FILE *f = fopen(rig_path(rig, "ref"), "w");
	int r;

	assert_non_null(f);
	assert_int_equal(fwrite(rig->ref, 1, rig->size, f), rig->size);
	fclose(f);
	r = sh(rig, "qemu-img check -q %s >check || { r=$?; test $r = %d || cat "
		    "check; exit $r; }",
	       name, leaks ? 3 : 0);
	assert_true(r == 0 || (leaks && r == 3));
	assert_int_equal(sh(rig, "qemu-img compare -q -f raw -F qcow2 ref %s",
			    name), 0);
}

static inline uint64_t rig_random(struct rig *rig)
{
	rig->seed ^= rig->seed << 13;
	rig->seed ^= rig->seed >> 7;
	rig->seed ^= rig->seed << 17;
	return rig->seed;
}

static inline int rig_move(struct rig *rig, bool write, void *buf, uint64_t off,
			   uint64_t len)
{
	/* Cut in two: requests come in pieces. */
	struct iovec iov[2] = { { buf, len / 2 },
				{ (uint8_t *)buf + len / 2, len - len / 2 } };
	struct qcow2_cursor cur = { iov, 2 };

	return write ? qcow2_write(rig->q, &cur, off, len)
		     : qcow2_read(rig->q, &cur, off, len);
}

#define RIG_MOST (300 * 1024)

/* Something that a guest might do; what is read must be what was written. */
static inline void rig_step(struct rig *rig, bool write)
{
	static const uint8_t zeros[512];
	static uint8_t *buf;
	uint64_t off, len, i;
	unsigned how = (unsigned)(rig_random(rig) % 16);

	if (!buf)
		buf = aligned_alloc(4096, RIG_MOST);
	off = align_down(rig_random(rig) % rig->size, 512);
	len = how & 1 ? 512 + align_down(rig_random(rig) % 8192, 512)
		      : 512 + align_down(rig_random(rig) % (RIG_MOST - 512), 512);
	if (len > rig->size - off)
		len = rig->size - off;
	if (!write || how < 6) {
		memset(buf, 0xee, len);
		assert_int_equal(rig_move(rig, false, buf, off, len), 0);
		assert_memory_equal(buf, rig->ref + off, len);
	} else if (how < 12) {
		for (i = 0; i < len; i++)
			buf[i] = (uint8_t)(rig->seed >> (i % 56)) | 1;
		assert_int_equal(rig_move(rig, true, buf, off, len), 0);
		memcpy(rig->ref + off, buf, len);
	} else if (how < 14) {
		assert_int_equal(qcow2_write_zeroes(rig->q, off, len, how & 1),
				 0);
		memset(rig->ref + off, 0, len);
	} else if (how == 14) {
		assert_int_equal(qcow2_discard(rig->q, off, len), 0);
		/* Each sector is as it was, or zeros: nothing else. */
		for (i = 0; i < len; i += 512) {
			assert_int_equal(rig_move(rig, false, buf, off + i, 512),
					 0);
			if (!memcmp(buf, zeros, 512))
				memset(rig->ref + off + i, 0, 512);
			assert_memory_equal(buf, rig->ref + off + i, 512);
		}
	} else {
		assert_int_equal(qcow2_flush(rig->q), 0);
	}
}

#endif
