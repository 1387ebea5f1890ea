// SPDX-License-Identifier: MIT
/*
 * Bytes between the ports and the command. It gets pipes and not the ports
 * themselves: those cannot be opened a second time (as /dev/stdin is), and would
 * keep it waiting for the host in its close().
 *
 * Nothing here waits but poll(): a command that reads only once it has written must
 * find somebody who takes what it writes.
 */
#include "exec/init.h"

#define CHUNK 65536
/* What the command left behind has so long to close its pipes. */
#define GRACE_MS 1000

/* From one end to the other; what has been read and not written waits here. */
struct pump {
	int from, to; /* -1: done with */
	size_t at, len;
	char buf[CHUNK];
};

static struct pump in, out, err;

static long now_ms(void)
{
	struct timespec t = { 0, 0 };

	sys(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, &t);
	return t.sec * 1000 + t.nsec / 1000000;
}

long pump_init(struct pipes *ret_pipes)
{
	int p[3][2];
	long r;
	int i;

	for (i = 0; i < 3; i++) {
		r = sys(SYS_PIPE2, p[i], O_CLOEXEC);
		/* Our end only: the flag belongs to the end, not to the pipe. */
		if (r == 0)
			r = sys(SYS_FCNTL, p[i][i == 0], F_SETFL, O_NONBLOCK);
		if (r < 0)
			return r;
	}
	in.from = ports[PORT_STDIN];
	in.to = p[0][1];
	out.from = p[1][0];
	out.to = ports[PORT_STDOUT];
	err.from = p[2][0];
	err.to = ports[PORT_STDERR];
	*ret_pipes = (struct pipes){ p[0][0], p[1][1], p[2][1] };
	return 0;
}

static void end_of(int *fd)
{
	if (*fd >= 0)
		sys(SYS_CLOSE, *fd);
	*fd = -1;
}

/* Nobody reads any more: whoever writes is to know, and what waits is lost. */
static void end_pump(struct pump *p)
{
	p->len = 0;
	end_of(&p->to);
	end_of(&p->from);
}

/* Reads what is there; the descriptor has been found ready. */
static void fill(struct pump *p)
{
	long n = sys(SYS_READ, p->from, p->buf, CHUNK);

	if (n > 0) {
		p->at = 0;
		p->len = (size_t)n;
	} else if (n != -EAGAIN && n != -EINTR) {
		end_of(&p->from);
		/* The reader behind it sees the end. */
		if (p == &in)
			end_of(&p->to);
	}
}

static void drain(struct pump *p)
{
	long n = sys(SYS_WRITE, p->to, p->buf + p->at, p->len);

	if (n > 0) {
		p->at += (size_t)n;
		p->len -= (size_t)n;
	} else if (n != -EAGAIN && n != -EINTR) {
		end_pump(p);
	}
}

static void wanted(const struct pump *p, struct pollfd *from, struct pollfd *to)
{
	*from = (struct pollfd){ p->len ? -1 : p->from, POLLIN, 0 };
	*to = (struct pollfd){ p->len ? p->to : -1, POLLOUT, 0 };
}

static void step(struct pump *p, const struct pollfd *from,
		 const struct pollfd *to)
{
	/* A port that was hung up says so for ever, and never takes a byte. */
	if (to->revents & (POLLHUP | POLLERR))
		end_pump(p);
	else if (to->revents)
		drain(p);
	if (from->revents && p->from >= 0)
		fill(p);
}

/* Whether all has been written, and nobody can add to it (at_end), or nobody did. */
static bool is_out(const struct pump *p, bool at_end)
{
	struct pollfd fd = { p->from, POLLIN, 0 };

	if (p->len || p->from < 0)
		return !p->len;
	if (at_end)
		return false;
	sys(SYS_POLL, &fd, 1, 0);
	return !(fd.revents & POLLIN);
}

/* Takes in those that have ended. Returns whether child was among them. */
static bool reap(long child, int *status)
{
	bool found = false;
	long pid;
	int s;

	while ((pid = sys(SYS_WAIT4, -1, &s, WNOHANG, 0)) > 0) {
		if (pid != child)
			continue;
		*status = s;
		found = true;
	}
	return found;
}

/* Until something can be done, a signal came, or for `limit` ms (-1: for good). */
static void turn(int signals, bool input, long limit)
{
	struct pollfd fd[7];
	char info[128];

	wanted(&in, &fd[0], &fd[1]);
	wanted(&out, &fd[2], &fd[3]);
	wanted(&err, &fd[4], &fd[5]);
	fd[6] = (struct pollfd){ signals, POLLIN, 0 };
	if (!input)
		fd[0].fd = fd[1].fd = -1;
	sys(SYS_POLL, fd, 7, limit);
	if (fd[6].revents)
		sys(SYS_READ, signals, info, sizeof(info));
	step(&in, &fd[0], &fd[1]);
	step(&out, &fd[2], &fd[3]);
	step(&err, &fd[4], &fd[5]);
}

/*
 * The command has gone: what of its output is still in the guest follows. Time in
 * which the host takes nothing is nobody's fault here, and does not count.
 */
static void follow(int signals)
{
	bool killed = false;
	long left = GRACE_MS;
	int none;

	while (!is_out(&out, !killed || left > 0) ||
	       !is_out(&err, !killed || left > 0)) {
		bool held_up = out.len || err.len;
		long began = now_ms();

		turn(signals, false, left > 0 ? left : 10);
		reap(-1, &none);
		if (!held_up)
			left -= now_ms() - began + 1;
		if (left <= 0 && !killed) {
			sys(SYS_KILL, -1, SIGKILL);
			killed = true;
			left = GRACE_MS;
		}
	}
}

int pump_run(long child)
{
	uint64_t mask = UINT64_C(1) << (SIGCHLD - 1);
	int signals, status = 0;

	signals = (int)sys(SYS_SIGNALFD4, -1, &mask, sizeof(mask),
			   O_NONBLOCK | O_CLOEXEC);
	/* What ended before the signals are looked at is found, too. */
	while (!reap(child, &status))
		turn(signals, true, signals < 0 ? 10 : -1);
	follow(signals);
	return status;
}
