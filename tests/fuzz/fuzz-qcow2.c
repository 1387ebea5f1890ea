// SPDX-License-Identifier: MIT
/*
 * A qcow2 image that may be anything: opened, read from, and, where it may be,
 * written to. The first bytes are a program of steps of four bytes; what follows
 * is the image: pieces, each with its place in a file of at most 2 MiB, as most of
 * an image is empty. What is written need not be read back: an enemy's tables may
 * have it lie over itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/block_open.h"
#include "backend/qcow2.h"
#include "core/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FILE_MAX (2u << 20)
#define STEPS_MAX 64
#define PIECE_HEAD 4 /* where, by 8 bytes; how long */

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Returns the file, or -1. */
static int make_file(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	size_t n;
	off_t at;

	if (fd < 0 || len < 3)
		return fd;
	at = (off_t)((data[0] | data[1] << 8 | data[2] << 16) % (FILE_MAX + 1));
	check(ftruncate(fd, at) == 0);
	data += 3;
	len -= 3;
	while (len > PIECE_HEAD) {
		at = (off_t)(data[0] | data[1] << 8 | (data[2] & 3) << 16) * 8;
		n = (size_t)data[3] + 1;
		data += PIECE_HEAD;
		len -= PIECE_HEAD;
		n = n < len ? n : len;
		if ((size_t)at + n <= FILE_MAX)
			check(pwrite(fd, data, n, at) == (ssize_t)n);
		data += n;
		len -= n;
	}
	return fd;
}

static int move(struct qcow2 *q, bool write, uint8_t *buf, uint64_t off,
		uint64_t len)
{
	struct iovec iov[2] = { { buf, len / 3 }, { buf + len / 3, len - len / 3 } };
	struct qcow2_cursor cur = { iov, 2 };

	return write ? qcow2_write(q, &cur, off, len)
		     : qcow2_read(q, &cur, off, len);
}

static void step(struct qcow2 *q, const uint8_t *b)
{
	static uint8_t buf[65536], got[65536];
	uint64_t size = align_down(qcow2_size(q), 512);
	uint64_t off = ((uint64_t)b[1] << 9 | (uint64_t)b[2] << 17);
	uint64_t len = 512 + (uint64_t)(b[3] & 0x7f) * 512;
	int r;

	if (b[3] & 0x80)
		off = size - off % (size + 1); /* near the end */
	off = align_down(off, 512);
	if (off >= size)
		return;
	if (len > size - off)
		len = size - off;
	switch (b[0] & 7) {
	case 0:
	case 1: (void)move(q, false, got, off, len); break;
	case 2:
	case 3:
		memset(buf, b[0] | 1, len);
		r = move(q, true, buf, off, len);
		check(!qcow2_read_only(q) || r == -EROFS);
		(void)move(q, false, got, off, len);
		break;
	case 4: (void)qcow2_discard(q, off, len); break;
	case 5: (void)qcow2_write_zeroes(q, off, len, b[0] & 8); break;
	case 6: (void)qcow2_flush(q); break;
	case 7: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char why[QCOW2_WHY_MAX] = "";
	struct block_opened file = {
		.sector = 512, .physical_size = 4096, .align = 1,
	};
	struct qcow2_config config = { .file = &file };
	struct qcow2 *q = NULL;
	size_t steps, i;

	if (len < 2)
		return 0;
	steps = data[0] % STEPS_MAX;
	file.read_only = data[1] & 1;
	data += 2;
	len -= 2;
	if (len < steps * 4)
		return 0;
	file.fd = make_file(data + steps * 4, len - steps * 4);
	if (file.fd < 0)
		return 0;
	file.size = (uint64_t)lseek(file.fd, 0, SEEK_END);
	if (qcow2_open(&config, &q, why) < 0) {
		check(why[0] != '\0');
		return 0;
	}
	for (i = 0; i < steps; i++)
		step(q, data + i * 4);
	qcow2_close(q);
	return 0;
}
