// SPDX-License-Identifier: MIT
/*
 * bench.c: runs programs by turns (A B C A B C ...), so that whatever else the
 * host does falls on all alike, and compares each with the first.
 *
 *	bench [-v] [-r ROUNDS] [-w WARM-UPS] (NAME COMMAND)...
 *
 * COMMAND is split at spaces. Measured are the time from before the spawn to
 * the first byte on the program's stdout, to its end, and its peak resident
 * memory; with -v the number that it prints, as nanoseconds. Differences and
 * ratios are medians over rounds of what was seen within one round.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests.h"

#define MAX_PROGRAMS 8
#define MAX_WORDS 32

enum measure { FIRST_BYTE, WHOLE, PRINTED, MEASURES };

static const struct {
	const char *title, *unit;
	double per_unit; /* nanoseconds */
} measures[MEASURES] = {
	[FIRST_BYTE] = { "to the first byte", "ms", 1e6 },
	[WHOLE] = { "from spawn to end", "ms", 1e6 },
	[PRINTED] = { "one exit", "ns", 1 },
};

struct program {
	const char *name;
	char *argv[MAX_WORDS];
	double *ns[MEASURES]; /* by round; NAN: none */
	long peak_kib;
};

extern char **environ;

static int spawn(struct program *p, int out_fd, pid_t *ret_pid)
{
	posix_spawn_file_actions_t fa;
	int r;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null",
					 O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, out_fd, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null",
					 O_WRONLY, 0);
	r = posix_spawnp(ret_pid, p->argv[0], &fa, NULL, p->argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	return r;
}

/* Everything that fd has to give; the time of the first byte, or NAN. */
static double read_all(int fd, char *buf, size_t size)
{
	double first = NAN;
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, size - 1 - len)) > 0) {
		if (isnan(first))
			first = now_ns();
		len += (size_t)n;
	}
	buf[len] = '\0';
	return first;
}

/* Runs it once. Returns whether it ended as the guest said. */
static bool run(struct program *p, unsigned round)
{
	struct rusage usage;
	int fds[2], status;
	char out[256];
	double t0, t1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	t0 = now_ns();
	errno = spawn(p, fds[1], &pid);
	close(fds[1]);
	if (errno) {
		close(fds[0]);
		return false;
	}
	t1 = read_all(fds[0], out, sizeof(out));
	close(fds[0]);
	if (wait4(pid, &status, 0, &usage) != pid)
		return false;
	p->ns[FIRST_BYTE][round] = t1 - t0;
	p->ns[WHOLE][round] = now_ns() - t0;
	p->ns[PRINTED][round] = atof(out);
	if (usage.ru_maxrss > p->peak_kib)
		p->peak_kib = usage.ru_maxrss;
	return WIFEXITED(status) && WEXITSTATUS(status) == GUEST_STATUS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts v. */
static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void print_row(const struct program *p, const struct program *first,
		      enum measure m, unsigned rounds, double *scratch)
{
	double unit = measures[m].per_unit, mid, diff, ratio;
	unsigned i;

	if (isnan(p->ns[m][0])) {
		printf("  %-30s %9s\n", p->name, "-");
		return;
	}
	memcpy(scratch, p->ns[m], rounds * sizeof(*scratch));
	mid = median(scratch, rounds) / unit;
	printf("  %-30s %9.2f %9.2f", p->name, mid, scratch[0] / unit);
	if (p != first) {
		for (i = 0; i < rounds; i++)
			scratch[i] = p->ns[m][i] - first->ns[m][i];
		diff = median(scratch, rounds) / unit;
		for (i = 0; i < rounds; i++)
			scratch[i] = p->ns[m][i] / first->ns[m][i];
		ratio = median(scratch, rounds);
		printf(" %+11.2f %9.3f", diff, ratio);
	} else {
		printf(" %11s %9s", "", "");
	}
	if (m == WHOLE)
		printf(" %9ld", p->peak_kib);
	putchar('\n');
}

static int parse(int argc, char **argv, struct program *programs,
		 unsigned rounds)
{
	int i, m, n = 0, words;
	char *word;

	for (i = 0; i + 1 < argc && n < MAX_PROGRAMS; i += 2, n++) {
		struct program *p = &programs[n];

		p->name = argv[i];
		words = 0;
		for (word = strtok(argv[i + 1], " ");
		     word && words < MAX_WORDS - 1; word = strtok(NULL, " "))
			p->argv[words++] = word;
		for (m = 0; m < MEASURES; m++) {
			p->ns[m] = calloc(rounds, sizeof(double));
			if (words == 0 || !p->ns[m])
				return -1;
		}
	}
	return i == argc ? n : -1;
}

int main(int argc, char **argv)
{
	struct program programs[MAX_PROGRAMS] = { 0 };
	unsigned rounds = 50, warmups = 3, round;
	enum measure m, from = FIRST_BYTE, to = WHOLE;
	double *scratch;
	int opt, i, n;

	while ((opt = getopt(argc, argv, "r:vw:")) != -1) {
		if (opt == 'r')
			rounds = (unsigned)strtoul(optarg, NULL, 0);
		else if (opt == 'w')
			warmups = (unsigned)strtoul(optarg, NULL, 0);
		else if (opt == 'v')
			from = to = PRINTED;
		else
			return 2;
	}
	scratch = calloc(rounds, sizeof(*scratch));
	n = parse(argc - optind, argv + optind, programs, rounds);
	if (n < 1 || !scratch)
		return 2;

	for (round = 0; round < warmups + rounds; round++)
		for (i = 0; i < n; i++) {
			unsigned to_round =
				round < warmups ? 0 : round - warmups;

			if (!run(&programs[i], to_round)) {
				fprintf(stderr, "%s failed: %s ...\n",
					programs[i].name, programs[i].argv[0]);
				return 1;
			}
		}

	for (m = from; m <= to; m++) {
		char title[64];

		snprintf(title, sizeof(title), "%s (%s, %u rounds)",
			 measures[m].title, measures[m].unit, rounds);
		printf("  %-30s %9s %9s %11s %9s%s\n", title, "median", "least",
		       "difference", "ratio", m == WHOLE ? "  peak KiB" : "");
		for (i = 0; i < n; i++)
			print_row(&programs[i], &programs[0], m, rounds,
				  scratch);
	}
	return 0;
}
