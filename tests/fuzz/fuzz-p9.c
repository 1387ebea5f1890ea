// SPDX-License-Identifier: MIT
/*
 * A client of a shared folder that says anything. The folder is a real one,
 * begun anew for each input; beside it there is a secret, which must be neither
 * read nor changed. An input is a row of messages, each
 *
 *	type[1] how[1] length[1] body[length]
 *
 * where `how` tells how long it claims to be, how much room there is for the answer,
 * and into how many pieces both are cut.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/p9_share.h"
#include "core/base.h"
#include "empty_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SECRET "the secret of the house"
#define ROOM 8192

static char base[64], share[80];

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void empty(const char *folder)
{
	empty_folder(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static void remove_all(void)
{
	empty(base);
	(void)rmdir(base);
}

static void put_file(const char *folder, const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void begin_anew(void)
{
	char path[128];

	if (!base[0]) {
		/* Better without a disk behind it: there is fsync. */
		snprintf(base, sizeof(base), "/dev/shm/fuzz-p9-XXXXXX");
		if (!mkdtemp(base)) {
			snprintf(base, sizeof(base), "/tmp/fuzz-p9-XXXXXX");
			check(mkdtemp(base) != NULL);
		}
		snprintf(share, sizeof(share), "%s/share", base);
		check(mkdir(share, 0755) == 0);
		put_file(base, "secret", SECRET);
		atexit(remove_all);
	}
	(void)chmod(share, 0755);
	empty(share);
	put_file(share, "f", "a file of the share");
	snprintf(path, sizeof(path), "%s/d", share);
	(void)mkdir(path, 0755);
	put_file(path, "g", "another");
	snprintf(path, sizeof(path), "%s/l", share);
	(void)!symlink("../secret", path);
	snprintf(path, sizeof(path), "%s/u", share);
	(void)!symlink("..", path);
	snprintf(path, sizeof(path), "%s/p", share);
	(void)mkfifo(path, 0644);
}

/* It is as it was, and nothing has come beside it. */
static void check_secret(void)
{
	char path[128], buf[64] = "";
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/secret", base);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0);
	check(fstat(fd, &st) == 0 && st.st_nlink == 1 &&
	      (st.st_mode & 07777) == 0644);
	close(fd);
	check(strcmp(buf, SECRET) == 0);
	check(stat(base, &st) == 0 && st.st_nlink == 3);
}

static unsigned cut_up(struct iovec *iov, uint8_t *p, size_t len, unsigned cut)
{
	size_t piece = len / cut + 1;
	unsigned n = 0;

	for (; len > 0; n++, p += piece, len -= iov[n - 1].iov_len) {
		iov[n].iov_base = p;
		iov[n].iov_len = piece < len ? piece : len;
	}
	return n;
}

static void send_one(struct p9_server *server, uint8_t type, uint8_t how,
		     const uint8_t *body, size_t len)
{
	static const size_t rooms[4] = { ROOM, 11, 64, 200 };
	uint8_t out[7 + 255], in[ROOM];
	struct iovec iov[16];
	struct virtq_chain chain = { .iov = iov };
	struct p9_message m = { .type = type, .tag = how, .chain = &chain };
	uint32_t got;

	memset(out, 0, 7);
	memcpy(out + 7, body, len);
	m.size = (uint32_t)(7 + len);
	switch (how & 3) {
	case 1: m.size--; break;
	case 2: m.size++; break;
	case 3: m.size = UINT32_MAX; break;
	}
	chain.out_len = 7 + len;
	chain.in_len = rooms[how >> 2 & 3];
	chain.out = cut_up(iov, out, chain.out_len, 1 + (how >> 4 & 3));
	chain.in = cut_up(iov + chain.out, in, chain.in_len, 1 + (how >> 6));
	memset(in, 0, sizeof(in));
	got = p9_serve(server, &m);
	check(got >= 7 && got <= rooms[how >> 2 & 3] && got == get_le32(in));
	check(in[4] == 7 || in[4] == (uint8_t)(type + 1));
	check(get_le16(in + 5) == how);
	check(!memmem(in, sizeof(in), SECRET, strlen(SECRET)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct p9_share_config config = { .path = share };
	struct p9_server *server = NULL;
	size_t at = 1, body;

	begin_anew();
	config.read_only = len > 0 && (data[0] & 1);
	check(p9_share_new(&config, &server) == 0);
	while (at + 3 <= len) {
		body = data[at + 2];
		if (body > len - at - 3)
			body = len - at - 3;
		send_one(server, data[at], data[at + 1], data + at + 3, body);
		at += 3 + body;
	}
	p9_reset(server);
	p9_free(server);
	check_secret();
	return 0;
}
