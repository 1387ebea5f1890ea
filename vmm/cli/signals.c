// SPDX-License-Identifier: MIT
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/*
 * SIGPIPE, SIGXFSZ and the two of a background job's terminal access are never taken:
 * blocked, they make write() and read() return an error, which says more.
 */
static const int other_signals[] = { SIGTSTP, SIGCONT, SIGPIPE, SIGXFSZ,
				     SIGTTIN, SIGTTOU, SIGWINCH };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void do_nothing(int sig)
{
	(void)sig;
}

int signals_kick(void)
{
	const struct sigaction action = { .sa_handler = do_nothing };

	/* Nothing on x86 sends this one. */
	return sigaction(SIGSTKFLT, &action, NULL) == 0 ? SIGSTKFLT : 0;
}

void signals_block(void)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < COUNT(end_signals); i++)
		sigaddset(&set, end_signals[i]);
	for (i = 0; i < COUNT(other_signals); i++)
		sigaddset(&set, other_signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void add_unless_ignored(sigset_t *set, int sig)
{
	struct sigaction old;

	/* A blocked signal is queued even where it is ignored. */
	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

int signals_open(void)
{
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	for (i = 0; i < COUNT(end_signals); i++)
		add_unless_ignored(&set, end_signals[i]);
	add_unless_ignored(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	add_unless_ignored(&set, SIGWINCH);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int signals_next(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

bool signals_is_end(int sig)
{
	size_t i;

	for (i = 0; i < COUNT(end_signals); i++)
		if (end_signals[i] == sig)
			return true;
	return false;
}

void signals_suspend(void)
{
	/*
	 * SIGTSTP would do nothing in an orphaned process group, where nobody
	 * could wake us; that is right, so it is SIGTSTP that is raised.
	 */
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}
