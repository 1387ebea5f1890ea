// SPDX-License-Identifier: MIT
/*
 * dtsource.c: --machine and --dtb. The library reads blobs; a source is compiled here,
 * by dtc as a child, so that no embedder has a process started behind its back.
 */
#include "dtsource.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <trapmap/trapmap.h>

#include "opts.h"
#include "say.h"

/* What the library takes, and a byte, so that it sees what is longer. */
#define BLOB_MAX ((1u << 20) + 1)
#define WORDS_MAX 512 /* of dtc's, in a message */

static const uint8_t magic[] = { 0xd0, 0x0d, 0xfe, 0xed };

/* What a descriptor has to say; what is beyond `room` is passed over. */
struct reader {
	int fd; /* -1: there is no more */
	char *to;
	size_t room;
	size_t len;
};

/* Returns 0 or -errno. */
static int read_some(struct reader *rd)
{
	char beyond[4096];
	bool full = rd->len == rd->room;
	ssize_t n = read(rd->fd, full ? beyond : rd->to + rd->len,
			 full ? sizeof(beyond) : rd->room - rd->len);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0) {
		close(rd->fd);
		rd->fd = -1;
	} else if (!full) {
		rd->len += (size_t)n;
	}
	return 0;
}

static int read_both(struct reader rd[2])
{
	int r = 0;

	while (r == 0 && (rd[0].fd >= 0 || rd[1].fd >= 0)) {
		struct pollfd fds[] = { { rd[0].fd, POLLIN, 0 },
					{ rd[1].fd, POLLIN, 0 } };

		if (poll(fds, 2, -1) < 0)
			r = errno == EINTR ? 0 : -errno;
		else if (fds[0].revents)
			r = read_some(&rd[0]);
		else if (fds[1].revents)
			r = read_some(&rd[1]);
	}
	return r;
}

/* Returns 0, or an errno. */
static int start_dtc(const char *path, int out_fd, int err_fd, pid_t *ret_pid)
{
	/* -q: no warnings. A path must not look like an option. */
	char *argv[] = { (char[]){ "dtc" },   (char[]){ "-q" },
			 (char[]){ "-I" },    (char[]){ "dts" },
			 (char[]){ "-O" },    (char[]){ "dtb" },
			 (char[]){ "-o" },    (char[]){ "-" },
			 (char[]){ "--" },    (char *)(uintptr_t)path,
			 NULL };
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
					     "/dev/null", O_RDONLY, 0) ?:
	    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO) ?:
	    posix_spawn_file_actions_adddup2(&actions, err_fd, STDERR_FILENO) ?:
	    posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* How it ended, or -1. */
static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/* The blob into rd[0], what it says into rd[1]. Returns an exit status. */
static int run_dtc(const char *option, const char *path, struct reader rd[2])
{
	int out[2], err[2], r, status;
	pid_t pid = -1;

	if (pipe2(out, O_CLOEXEC)) {
		say("%s: cannot make a pipe: %s", option, strerror(errno));
		return STATUS_HOST_FAILURE;
	}
	if (pipe2(err, O_CLOEXEC)) {
		say("%s: cannot make a pipe: %s", option, strerror(errno));
		close(out[0]);
		close(out[1]);
		return STATUS_HOST_FAILURE;
	}
	r = start_dtc(path, out[1], err[1], &pid);
	close(out[1]);
	close(err[1]);
	rd[0].fd = out[0];
	rd[1].fd = err[0];
	if (r == 0)
		r = -read_both(rd);
	if (rd[0].fd >= 0)
		close(rd[0].fd);
	if (rd[1].fd >= 0)
		close(rd[1].fd);
	status = pid > 0 ? wait_for(pid) : 0;
	if (r == ENOENT) {
		say("%s: '%s' is no devicetree blob; to compile a source, dtc is needed (Debian: device-tree-compiler)",
		    option, path);
		return STATUS_BAD_INPUT;
	}
	if (r) {
		say("%s: cannot run dtc: %s", option, strerror(r));
		return STATUS_HOST_FAILURE;
	}
	if (status) {
		rd[1].to[rd[1].len] = '\0';
		rd[1].to[strcspn(rd[1].to, "\n")] = '\0';
		say("%s: '%s' is no devicetree blob, and dtc takes it for no source: %s",
		    option, path, rd[1].to);
		return STATUS_BAD_INPUT;
	}
	return STATUS_OK;
}

static int compile(const char *option, const char *path, struct reader *blob)
{
	char words[WORDS_MAX + 1];
	struct reader rd[2] = { *blob, { .to = words, .room = WORDS_MAX } };
	int status;

	rd[0].len = 0;
	status = run_dtc(option, path, rd);
	blob->len = rd[0].len;
	return status;
}

int dtsource_read(const char *option, const char *path, void **ret_blob,
		  size_t *ret_len)
{
	struct reader rd = { .room = BLOB_MAX };
	struct stat st;
	int r = 0, status = STATUS_OK;

	rd.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (rd.fd < 0) {
		say("%s: cannot open '%s': %s", option, path, strerror(errno));
		return STATUS_BAD_INPUT;
	}
	rd.to = malloc(rd.room);
	if (!rd.to || fstat(rd.fd, &st)) {
		say("%s: '%s': %s", option, path, strerror(errno));
		close(rd.fd);
		free(rd.to);
		return STATUS_HOST_FAILURE;
	}
	while (r == 0 && rd.fd >= 0 && rd.len < rd.room)
		r = read_some(&rd);
	if (rd.fd >= 0)
		close(rd.fd);
	if (r) {
		say("%s: cannot read '%s': %s", option, path, strerror(-r));
		status = STATUS_BAD_INPUT;
	} else if (S_ISREG(st.st_mode) && rd.len > 0 &&
		   (rd.len < sizeof(magic) ||
		    memcmp(rd.to, magic, sizeof(magic)))) {
		status = compile(option, path, &rd);
	}
	if (status) {
		free(rd.to);
		return status;
	}
	*ret_blob = rd.to;
	*ret_len = rd.len;
	return STATUS_OK;
}

/* ---- the options -------------------------------------------------------- */

static int refused(const struct trapmap_vm *vm, const char *option, int r)
{
	say("%s: %s", option, trapmap_vm_error(vm));
	return r == -ENOMEM ? STATUS_HOST_FAILURE : STATUS_BAD_INPUT;
}

static int apply_machine(const char *path, struct trapmap_vm *vm)
{
	struct trapmap_source source = { .size = sizeof(source), .name = path };
	void *blob = NULL;
	int r, status = dtsource_read("--machine", path, &blob, &source.len);

	if (status)
		return status;
	source.data = blob;
	r = trapmap_vm_set_board(vm, &source);
	free(blob);
	return r ? refused(vm, "--machine", r) : STATUS_OK;
}

static int apply_dtb(const char *what, struct trapmap_vm *vm)
{
	struct trapmap_source source = { .size = sizeof(source), .name = what };
	void *blob = NULL;
	int r, status;

	if (strcmp(what, "auto") == 0 || strcmp(what, "none") == 0) {
		r = trapmap_vm_set_dtb(vm,
				       what[0] == 'a' ? TRAPMAP_DTB_AUTO :
							TRAPMAP_DTB_NONE,
				       NULL);
		return r ? refused(vm, "--dtb", r) : STATUS_OK;
	}
	status = dtsource_read("--dtb", what, &blob, &source.len);
	if (status)
		return status;
	source.data = blob;
	r = trapmap_vm_set_dtb(vm, TRAPMAP_DTB_FILE, &source);
	free(blob);
	return r ? refused(vm, "--dtb", r) : STATUS_OK;
}

int dtsource_apply(const struct run_opts *opts, struct trapmap_vm *vm)
{
	int status = STATUS_OK;

	if (opts->board)
		status = apply_machine(opts->board, vm);
	if (status == STATUS_OK && opts->dtb)
		status = apply_dtb(opts->dtb, vm);
	return status;
}
