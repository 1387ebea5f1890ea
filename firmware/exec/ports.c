// SPDX-License-Identifier: MIT
/*
 * The ports of the console device, and the pipes behind them. The command gets pipes
 * and not the ports themselves: those cannot be opened a second time (as
 * /dev/stdin is), and would keep it waiting for the host in its close().
 */
#include "exec/init.h"

#define PORTS_DIR "/sys/class/virtio-ports"
#define NAME_MAX 64
/* Ports come one by one, by messages: for so long they are waited for. */
#define WAIT_MS 10000
#define CHUNK 65536

static const char *const names[PORTS] = { "stdin", "stdout", "stderr",
					  "result" };
static int port[PORTS] = { -1, -1, -1, -1 };

/* From one end to the other; what has been read and not written waits here. */
struct pump {
	int from, to; /* -1: done with */
	size_t at, len;
	char buf[CHUNK];
};

static struct pump in, out, err;
static int signals = -1;

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	sys(SYS_NANOSLEEP, &t, 0);
}

/* ---- finding them ------------------------------------------------------- */

/* Opens /dev/ENTRY if the port of that name in sysfs is one of ours. */
static void open_port(const char *entry)
{
	struct text path = { .len = 0 };
	char name[NAME_MAX];
	long fd, n;
	int i;

	text_add(&path, PORTS_DIR "/");
	text_add(&path, entry);
	text_add(&path, "/name");
	fd = sys(SYS_OPEN, path.s, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = sys(SYS_READ, fd, name, sizeof(name) - 1);
	sys(SYS_CLOSE, fd);
	if (n <= 0)
		return;
	name[name[n - 1] == '\n' ? n - 1 : n] = '\0';
	for (i = 0; i < PORTS && !text_same(name, names[i]); i++)
		;
	if (i == PORTS || port[i] >= 0)
		return;
	path.len = 0;
	text_add(&path, "/dev/");
	text_add(&path, entry);
	port[i] = (int)sys(SYS_OPEN, path.s,
			   (i == PORT_STDIN ? O_RDONLY : O_WRONLY) |
				   O_NONBLOCK | O_CLOEXEC);
}

static void look(void)
{
	static char list[4096] __attribute__((aligned(8)));
	long fd = sys(SYS_OPEN, PORTS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n, at;

	if (fd < 0)
		return;
	while ((n = sys(SYS_GETDENTS64, fd, list, sizeof(list))) > 0) {
		for (at = 0; at < n;) {
			const struct dirent *d = (void *)(list + at);

			if (d->name[0] != '.')
				open_port(d->name);
			at += d->len;
		}
	}
	sys(SYS_CLOSE, fd);
}

long ports_open(void)
{
	long waited;
	int i;

	for (waited = 0; waited < WAIT_MS; waited++) {
		look();
		for (i = 0; i < PORTS && port[i] >= 0; i++)
			;
		if (i == PORTS)
			return 0;
		sleep_ms(1);
	}
	return -19; /* ENODEV */
}

void ports_result(const struct text *line)
{
	size_t at = 0;

	while (at < line->len) {
		long n = sys(SYS_WRITE, port[PORT_RESULT], line->s + at,
			     line->len - at);

		if (n > 0)
			at += (size_t)n;
		else if (n != -EAGAIN && n != -EINTR)
			return;
		else
			sleep_ms(1);
	}
}

/* ---- moving bytes ------------------------------------------------------- */

long ports_pipes(struct pipes *ret_pipes)
{
	int p[3][2];
	long r;
	int i;

	for (i = 0; i < 3; i++) {
		r = sys(SYS_PIPE2, p[i], O_CLOEXEC);
		if (r < 0)
			return r;
	}
	in.from = port[PORT_STDIN];
	in.to = p[0][1];
	out.from = p[1][0];
	out.to = port[PORT_STDOUT];
	err.from = p[2][0];
	err.to = port[PORT_STDERR];
	*ret_pipes = (struct pipes){ p[0][0], p[1][1], p[2][1] };
	return 0;
}

static void end_of(int *fd)
{
	sys(SYS_CLOSE, *fd);
	*fd = -1;
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
		/* Nobody reads any more: whoever writes is to know. */
		p->len = 0;
		end_of(&p->to);
		if (p->from >= 0 && p != &in)
			end_of(&p->from);
	}
}

static void wanted(const struct pump *p, struct pollfd *from, struct pollfd *to)
{
	*from = (struct pollfd){ p->len ? -1 : p->from, POLLIN, 0 };
	*to = (struct pollfd){ p->len ? p->to : -1, POLLOUT, 0 };
	if (p->to < 0)
		from->fd = -1;
}

static void step(struct pump *p, const struct pollfd *from,
		 const struct pollfd *to)
{
	if (to->revents && p->to >= 0)
		drain(p);
	if (from->revents && p->from >= 0)
		fill(p);
}

/* Once the command has gone: whether a pipe is empty and nothing waits. */
static bool is_out(struct pump *p)
{
	struct pollfd fd = { p->from, POLLIN, 0 };

	if (p->len)
		return p->to < 0;
	if (p->from < 0)
		return true;
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

int ports_pump(long child)
{
	uint64_t mask = UINT64_C(1) << (SIGCHLD - 1);
	struct pollfd fd[7];
	bool gone = false;
	char info[128];
	int status = 0;

	signals = (int)sys(SYS_SIGNALFD4, -1, &mask, sizeof(mask),
			   O_NONBLOCK | O_CLOEXEC);
	for (;;) {
		/* What ended before the signals are looked at is found too. */
		if (!gone)
			gone = reap(child, &status);
		if (gone && is_out(&out) && is_out(&err))
			return status;
		wanted(&in, &fd[0], &fd[1]);
		wanted(&out, &fd[2], &fd[3]);
		wanted(&err, &fd[4], &fd[5]);
		fd[6] = (struct pollfd){ signals, POLLIN, 0 };
		if (gone)
			fd[0].fd = fd[1].fd = -1;
		sys(SYS_POLL, fd, 7, gone ? 10 : -1);
		if (fd[6].revents)
			sys(SYS_READ, signals, info, sizeof(info));
		step(&in, &fd[0], &fd[1]);
		step(&out, &fd[2], &fd[3]);
		step(&err, &fd[4], &fd[5]);
	}
}
