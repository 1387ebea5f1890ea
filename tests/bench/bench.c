// SPDX-License-Identifier: MIT
/*
 * bench.c: runs programs by turns, in each round all of them in an order of its
 * own (none is always the one after the slowest), and compares each with the
 * first.
 *
 *	bench [-r ROUNDS] [-w WARM-UPS] [-s STATUS] [-f WHAT]
 *	      (NAME COMMAND)...
 *
 * COMMAND is split at spaces, and must end with STATUS, by default the guest's.
 * Measured are the time from before the spawn to the first byte on the program's
 * stdout (to which the table gives the title WHAT), the time to its end, and its peak
 * resident memory. The kernel starts that with this program's own, so a child that
 * takes less shows as much as bench.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests.h"
#include "table.h"

#define NSEC_PER_MSEC 1e6
#define MAX_PROGRAMS 8
#define MAX_WORDS 32

struct program {
	const char *name;
	char *argv[MAX_WORDS];
	/* By round, in nanoseconds. first is NAN where nothing was said. */
	double *first, *whole;
	double peak_kib;
};

extern char **environ;

static int spawn(const struct program *p, int out_fd, pid_t *ret_pid)
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

/* Reads to the end. Returns when the first byte came, or NAN. */
static double read_all(int fd)
{
	double first = NAN;
	char buf[256];

	while (read(fd, buf, sizeof(buf)) > 0)
		if (isnan(first))
			first = now_ns();
	return first;
}

/* Runs it once. Returns whether it ended as the guest said. */
static bool run(struct program *p, unsigned round, int expected)
{
	struct rusage usage;
	int fds[2], status;
	double start;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	start = now_ns();
	errno = spawn(p, fds[1], &pid);
	close(fds[1]);
	if (errno == 0)
		p->first[round] = read_all(fds[0]) - start;
	close(fds[0]);
	if (errno || wait4(pid, &status, 0, &usage) != pid)
		return false;
	p->whole[round] = now_ns() - start;
	if ((double)usage.ru_maxrss > p->peak_kib)
		p->peak_kib = (double)usage.ru_maxrss;
	return WIFEXITED(status) && WEXITSTATUS(status) == expected;
}

/* One round. order has the programs' numbers. Returns whether all went well. */
static bool run_all(struct program *programs, unsigned *order, unsigned n,
		    unsigned round, int expected)
{
	unsigned i, j, p;

	for (i = n; i > 0; i--) {
		j = (unsigned)rand() % i;
		p = order[j];
		order[j] = order[i - 1];
		order[i - 1] = p;
		if (!run(&programs[p], round, expected)) {
			fprintf(stderr, "%s did not end as it should\n",
				programs[p].name);
			return false;
		}
	}
	return true;
}

/* Returns how many programs, or -1. */
static int parse(int argc, char **argv, unsigned rounds,
		 struct program *programs)
{
	int n, words;
	char *word;

	if (argc == 0 || argc % 2 || argc / 2 > MAX_PROGRAMS)
		return -1;
	for (n = 0; n < argc / 2; n++) {
		struct program *p = &programs[n];

		p->name = argv[n * 2];
		words = 0;
		for (word = strtok(argv[n * 2 + 1], " ");
		     word && words < MAX_WORDS - 1; word = strtok(NULL, " "))
			p->argv[words++] = word;
		p->first = calloc(rounds, sizeof(double));
		p->whole = calloc(rounds, sizeof(double));
		if (words == 0 || !p->first || !p->whole)
			return -1;
	}
	return n;
}

static void print(const struct program *programs, int n, unsigned rounds,
		  const char *first, double *scratch)
{
	int i;

	table_head(first, "ms", rounds);
	for (i = 0; i < n; i++)
		if (isnan(programs[i].first[0]))
			printf("  %-34s %9s\n", programs[i].name, "-");
		else
			table_row(programs[i].name, programs[i].first,
				  programs[0].first, rounds, NSEC_PER_MSEC,
				  scratch);
	table_head("to the end", "ms", rounds);
	for (i = 0; i < n; i++)
		table_row(programs[i].name, programs[i].whole,
			  programs[0].whole, rounds, NSEC_PER_MSEC, scratch);
	printf("  peak resident (KiB)\n");
	for (i = 0; i < n; i++)
		printf("  %-34s %9.0f\n", programs[i].name,
		       programs[i].peak_kib);
}

int main(int argc, char **argv)
{
	struct program programs[MAX_PROGRAMS] = { 0 };
	unsigned rounds = 50, warmups = 3, order[MAX_PROGRAMS], i;
	double *scratch;
	const char *first = "to the first exit";
	int expected = GUEST_STATUS, opt, n;

	while ((opt = getopt(argc, argv, "f:r:s:w:")) != -1)
		switch (opt) {
		case 'f': first = optarg; break;
		case 'r': rounds = (unsigned)strtoul(optarg, NULL, 0); break;
		case 's': expected = atoi(optarg); break;
		case 'w': warmups = (unsigned)strtoul(optarg, NULL, 0); break;
		default: return 2;
		}
	if (rounds == 0)
		return 2;
	scratch = calloc(rounds, sizeof(*scratch));
	n = parse(argc - optind, argv + optind, rounds, programs);
	if (n < 0 || !scratch)
		return 2;

	for (i = 0; i < (unsigned)n; i++)
		order[i] = i;
	/* A warm-up's figures are overwritten by those of round 0. */
	for (i = 0; i < warmups + rounds; i++)
		if (!run_all(programs, order, (unsigned)n,
			     i < warmups ? 0 : i - warmups, expected))
			return 1;
	print(programs, n, rounds, first, scratch);
	for (i = 0; i < (unsigned)n; i++) {
		free(programs[i].first);
		free(programs[i].whole);
	}
	free(scratch);
	return 0;
}
