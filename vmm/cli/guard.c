// SPDX-License-Identifier: MIT
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int guard_same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag &&
	       a->c_cflag == b->c_cflag && a->c_lflag == b->c_lflag &&
	       memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

/*
 * The guard's whole life. It keeps the terminal and the pipe, nothing else, so
 * that nobody waits for the end of a stream because of it.
 */
__attribute__((noreturn)) static void guard_main(int pipe_fd, int tty_fd)
{
	struct guard_modes modes;
	struct termios now;
	int told = 0;
	sigset_t all;
	ssize_t n;

	/* Changing a terminal from the background takes SIGTTOU blocked. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* A group of its own: a kill of the whole job must not reach it. */
	setpgid(0, 0);
	prctl(PR_SET_NAME, "trapmap-guard");
	if (dup2(tty_fd, 0) < 0 || dup2(pipe_fd, 1) < 0)
		_exit(1);
	close_range(2, ~0U, 0);
	if (chdir("/"))
		_exit(1);

	for (;;) {
		n = read(1, &modes, sizeof(modes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(modes))
			break;
		told = 1;
	}
	/* If the shell has set it already, it is the shell's. */
	if (told && tcgetattr(0, &now) == 0 && guard_same(&now, &modes.raw))
		tcsetattr(0, TCSANOW, &modes.saved);
	_exit(0);
}

int guard_start(struct guard *guard, int tty_fd)
{
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (pid == 0) {
		close(fds[1]);
		guard_main(fds[0], tty_fd);
	}
	close(fds[0]);
	guard->pid = pid;
	guard->fd = fds[1];
	return 0;
}

void guard_tell(const struct guard *guard, const struct guard_modes *modes)
{
	/* Small enough for a pipe to take whole; a dead guard is no matter. */
	if (guard->fd >= 0 && write(guard->fd, modes, sizeof(*modes)) < 0)
		return;
}

void guard_stop(struct guard *guard)
{
	if (guard->fd < 0)
		return;
	close(guard->fd);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*guard = (struct guard)GUARD_INIT;
}
