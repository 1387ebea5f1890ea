// SPDX-License-Identifier: MIT
#include "term.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "say.h"

static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE };

#define CRASH_SIGNALS (sizeof(crash_signals) / sizeof(crash_signals[0]))

/* A signal handler is given nothing, so what it needs is here. */
static struct {
	const struct term *volatile term; /* NULL: nothing to put back */
	struct sigaction old[CRASH_SIGNALS];
} crash;

/*
 * Puts the terminal back and lets the signal do what it would have done: a
 * fault comes again when we return, anything else is sent again.
 */
static void on_crash(int sig, siginfo_t *info, void *context)
{
	const struct term *term = crash.term;
	int saved_errno = errno;
	size_t i;

	crash.term = NULL;
	if (term) {
		tcsetattr(term->fd, TCSANOW, &term->modes.saved);
		/* It would be late, and find another's raw terminal. */
		if (term->guard.pid > 0)
			kill(term->guard.pid, SIGKILL);
	}
	for (i = 0; i < CRASH_SIGNALS; i++)
		if (crash_signals[i] == sig)
			sigaction(sig, &crash.old[i], NULL);
	if (info->si_code <= 0)
		raise(sig);
	errno = saved_errno;
}

static void catch_crashes(const struct term *term)
{
	struct sigaction act = { .sa_sigaction = on_crash,
				 .sa_flags = SA_SIGINFO };
	size_t i;

	sigfillset(&act.sa_mask);
	crash.term = term;
	for (i = 0; i < CRASH_SIGNALS; i++)
		sigaction(crash_signals[i], &act, &crash.old[i]);
}

static void release_crashes(void)
{
	size_t i;

	for (i = 0; i < CRASH_SIGNALS; i++)
		sigaction(crash_signals[i], &crash.old[i], NULL);
	crash.term = NULL;
}

void term_init(struct term *term, int fd)
{
	*term = (struct term)TERM_INIT;
	if (!isatty(fd))
		return;
	term->fd = fd;
	guard_start(&term->guard, fd);
}

static bool is_foreground(int fd)
{
	pid_t group = tcgetpgrp(fd);

	/* No session of ours has it: then no shell shares it out either. */
	if (group < 0)
		return errno == ENOTTY;
	return group == getpgrp();
}

bool term_attach(struct term *term)
{
	struct termios now;

	if (term->fd < 0)
		return false;
	if (!is_foreground(term->fd)) {
		/* Somebody else's now, modes included. */
		if (term->attached)
			release_crashes();
		term->attached = false;
		return false;
	}
	if (tcgetattr(term->fd, &now))
		return false;
	if (term->attached && guard_same(&now, &term->modes.raw))
		return true;
	/* After a stop that we did not see coming, it may still be raw. */
	if (!guard_same(&now, &term->modes.raw)) {
		term->modes.saved = now;
		term->modes.raw = now;
		/*
		 * Raw both ways: a guest ends its lines with "\r\n", and where
		 * it sends a bare "\n" to go down one line, it means that.
		 */
		cfmakeraw(&term->modes.raw);
	}
	if (!term->attached)
		catch_crashes(term);
	term->attached = true;
	guard_tell(&term->guard, &term->modes);
	tcsetattr(term->fd, TCSANOW, &term->modes.raw);
	/* What the driver made of it, for comparisons, the guard's too. */
	if (tcgetattr(term->fd, &now) == 0 &&
	    !guard_same(&now, &term->modes.raw)) {
		term->modes.raw = now;
		guard_tell(&term->guard, &term->modes);
	}
	return true;
}

void term_detach(struct term *term)
{
	if (!term->attached)
		return;
	if (is_foreground(term->fd))
		tcsetattr(term->fd, TCSANOW, &term->modes.saved);
	release_crashes();
	term->attached = false;
}

bool term_size(const struct term *term, uint16_t *ret_cols, uint16_t *ret_rows)
{
	struct winsize size;

	if (term->fd < 0 || ioctl(term->fd, TIOCGWINSZ, &size) ||
	    size.ws_col == 0 || size.ws_row == 0)
		return false;
	*ret_cols = size.ws_col;
	*ret_rows = size.ws_row;
	return true;
}

void term_done(struct term *term)
{
	term_detach(term);
	guard_stop(&term->guard);
	term->fd = -1;
}

/*
 * Nobody knows where the guest left the cursor. A line's worth of blanks goes
 * on to the next line exactly if it was not at the beginning of one.
 */
void term_fresh_line(void)
{
	struct winsize size;
	char blanks[512 + 2];
	size_t n;

	if (!isatty(STDOUT_FILENO) || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) ||
	    size.ws_col == 0 || size.ws_col > 512)
		return;
	n = size.ws_col;
	memset(blanks, ' ', n);
	memcpy(blanks + n, "\r", 1);
	write_all(STDERR_FILENO, blanks, n + 1);
}
