// SPDX-License-Identifier: MIT
#include "test/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a program may take that was told to end. */
#define KILL_MS 3000

#define NEVER INT64_MAX

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A program that runs. */
struct slot {
	pid_t pid;
	size_t index;
	int64_t start;
	int64_t next; /* when to tell it to end, or to kill it */
	bool told;
	struct runner_end end;
	uint32_t cpus;
	uint64_t mem;
};

struct state {
	const struct runner *runner;
	const sigset_t *old;
	int sig_fd;
	int null_fd;
	struct slot *slots;
	size_t running;
	size_t room;
	size_t next; /* the job to start next */
	bool held;   /* it is in `job`, and waits for room on the host */
	struct runner_job job;
	uint32_t cpus; /* in use */
	uint64_t mem;
	bool no_more;
	int signal; /* that told us to end */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- signals ------------------------------------------------------------- */

void runner_block_signals(sigset_t *ret_old)
{
	/* Where it was ignored, nobody would be told how a child ended. */
	const struct sigaction child = { .sa_handler = SIG_DFL };
	sigset_t set;
	size_t i;

	sigaction(SIGCHLD, &child, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (i = 0; i < COUNT(end_signals); i++)
		sigaddset(&set, end_signals[i]);
	sigprocmask(SIG_BLOCK, &set, ret_old);
}

static int open_signals(void)
{
	struct sigaction old;
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (i = 0; i < COUNT(end_signals); i++)
		/* One that was ignored when we were started (nohup) stays so. */
		if (sigaction(end_signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaddset(&set, end_signals[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* ---- one program --------------------------------------------------------- */

static _Noreturn void become(const struct state *st,
			     const struct runner_job *job, pid_t parent,
			     int out, int err)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* it died before it could be seen */
	sigaction(SIGPIPE, &dfl, NULL);
	if (dup2(st->null_fd, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(127);
	sigprocmask(SIG_SETMASK, st->old, NULL);
	execv(job->program, job->argv);
	dprintf(STDERR_FILENO, "cannot start '%s': %s\n", job->program,
		strerror(errno));
	_exit(127);
}

static int open_output(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
		      0666);

	return fd < 0 ? -errno : fd;
}

static int spawn(const struct state *st, const struct runner_job *job,
		 pid_t *ret_pid)
{
	pid_t parent = getpid(), pid;
	int out, err, r = 0;

	out = open_output(job->out);
	if (out < 0)
		return out;
	err = open_output(job->err);
	if (err < 0) {
		close(out);
		return err;
	}
	pid = fork();
	if (pid == 0)
		become(st, job, parent, out, err);
	if (pid < 0)
		r = -errno;
	close(out);
	close(err);
	if (r)
		return r;
	/* In both, as either may be first. */
	setpgid(pid, pid);
	*ret_pid = pid;
	return 0;
}

static void tell(struct slot *slot, int sig)
{
	if (kill(-slot->pid, sig) < 0)
		kill(slot->pid, sig);
	slot->told = true;
	slot->next = sig == SIGKILL ? NEVER : now_ms() + KILL_MS;
}

/* ---- all of them --------------------------------------------------------- */

static bool fits(const struct state *st)
{
	const struct runner *r = st->runner;

	if (!st->running)
		return true;
	if (r->jobs)
		return st->running < r->jobs;
	return st->cpus + (uint64_t)st->job.cpus <= r->cpus &&
	       st->mem <= r->mem && st->job.mem <= r->mem - st->mem;
}

static void add_slot(struct state *st, pid_t pid)
{
	struct slot *slot = &st->slots[st->running++];

	*slot = (struct slot){ .pid = pid,
			       .index = st->next,
			       .start = now_ms(),
			       .next = NEVER,
			       .cpus = st->job.cpus,
			       .mem = st->job.mem };
	if (st->job.limit_ms && st->job.limit_ms < NEVER - slot->start)
		slot->next = slot->start + st->job.limit_ms;
	st->cpus += slot->cpus;
	st->mem += slot->mem;
}

static int reserve_slot(struct state *st)
{
	size_t room = st->room ? 2 * st->room : 8;
	void *slots;

	if (st->running < st->room)
		return 0;
	slots = reallocarray(st->slots, room, sizeof(*st->slots));
	if (!slots)
		return -ENOMEM;
	st->slots = slots;
	st->room = room;
	return 0;
}

/* Starts what there is room for. */
static int start_some(struct state *st)
{
	const struct runner *r = st->runner;
	struct runner_end end = { 0 };
	pid_t pid;
	int got;

	for (; !st->no_more && st->next < r->count; st->next++) {
		if (!st->held) {
			got = r->job(r->opaque, st->next, &st->job);
			if (got < 0)
				return got;
			if (got == 0)
				continue;
			st->held = true;
		}
		if (!fits(st))
			return 0;
		got = reserve_slot(st);
		if (got)
			return got;
		st->held = false;
		end.error = spawn(st, &st->job, &pid);
		if (end.error) {
			if (!r->ended(r->opaque, st->next, &end))
				st->no_more = true;
			continue;
		}
		add_slot(st, pid);
		r->started(r->opaque, st->next);
	}
	return 0;
}

/* Looks after those that have ended. */
static void reap(struct state *st)
{
	size_t i = 0;

	while (i < st->running) {
		struct slot slot = st->slots[i];
		pid_t pid = waitpid(slot.pid, &slot.end.wait_status, WNOHANG);

		if (pid == 0 || (pid < 0 && errno == EINTR)) {
			i++;
			continue;
		}
		if (pid < 0)
			slot.end.error = -errno;
		slot.end.ms = now_ms() - slot.start;
		st->cpus -= slot.cpus;
		st->mem -= slot.mem;
		st->slots[i] = st->slots[--st->running];
		if (!st->runner->ended(st->runner->opaque, slot.index, &slot.end))
			st->no_more = true;
	}
}

static void stop_all(struct state *st, int sig)
{
	bool again = st->signal != 0;
	size_t i;

	if (!again)
		st->signal = sig;
	st->no_more = true;
	for (i = 0; i < st->running; i++) {
		st->slots[i].end.stopped = true;
		tell(&st->slots[i], again ? SIGKILL : SIGTERM);
	}
}

static void take_signals(struct state *st)
{
	struct signalfd_siginfo info;

	while (read(st->sig_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			stop_all(st, (int)info.ssi_signo);
}

static void look_at_limits(struct state *st)
{
	int64_t now = now_ms();
	size_t i;

	for (i = 0; i < st->running; i++) {
		struct slot *slot = &st->slots[i];

		if (now < slot->next)
			continue;
		if (!slot->told)
			slot->end.overdue = true;
		tell(slot, slot->told ? SIGKILL : SIGTERM);
	}
}

static int poll_timeout(const struct state *st)
{
	int64_t until = NEVER, now = now_ms();
	size_t i;

	if (st->runner->tick_ms)
		until = now + st->runner->tick_ms;
	for (i = 0; i < st->running; i++)
		if (st->slots[i].next < until)
			until = st->slots[i].next;
	if (until == NEVER)
		return -1;
	if (until <= now)
		return 0;
	return until - now > 86400000 ? 86400000 : (int)(until - now);
}

/* What cannot go on leaves nothing behind. */
static void kill_all(struct state *st)
{
	size_t i;

	for (i = 0; i < st->running; i++)
		tell(&st->slots[i], SIGKILL);
	for (i = 0; i < st->running; i++)
		while (waitpid(st->slots[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
}

static int loop(struct state *st)
{
	struct pollfd fd = { .fd = st->sig_fd, .events = POLLIN };
	int r;

	for (;;) {
		/* A signal that came meanwhile counts before another start. */
		take_signals(st);
		reap(st);
		r = start_some(st);
		if (r)
			return r;
		if (!st->running)
			return st->signal;
		if (st->runner->tick)
			st->runner->tick(st->runner->opaque);
		if (poll(&fd, 1, poll_timeout(st)) < 0 && errno != EINTR)
			return -errno;
		take_signals(st);
		reap(st);
		look_at_limits(st);
	}
}

int runner_run(const struct runner *runner, const sigset_t *old)
{
	struct state st = { .runner = runner, .old = old };
	int r;

	st.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (st.null_fd < 0)
		return -errno;
	st.sig_fd = open_signals();
	if (st.sig_fd < 0) {
		close(st.null_fd);
		return st.sig_fd;
	}
	r = loop(&st);
	if (r < 0)
		kill_all(&st);
	close(st.sig_fd);
	close(st.null_fd);
	free(st.slots);
	return r;
}

/* ---- the host ------------------------------------------------------------ */

uint32_t runner_host_cpus(void)
{
	size_t room = 1024;
	uint32_t cpus = 0;
	cpu_set_t *set;

	/* The kernel refuses a set that is too small for this host. */
	for (; room <= 1u << 20 && !cpus; room *= 2) {
		set = CPU_ALLOC(room);
		if (!set)
			break;
		if (sched_getaffinity(0, CPU_ALLOC_SIZE(room), set) == 0)
			cpus = (uint32_t)CPU_COUNT_S(CPU_ALLOC_SIZE(room), set);
		CPU_FREE(set);
	}
	return cpus ? cpus : 1;
}

uint64_t runner_host_mem(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1)
			break;
	fclose(f);
	return kib > UINT64_MAX / 1024 ? UINT64_MAX : kib * 1024;
}
