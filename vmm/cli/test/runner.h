/* SPDX-License-Identifier: MIT */
/*
 * runner.h: runs programs, several at once, and waits for each with a time
 * limit. It knows nothing of guests.
 *
 * Each gets a process group of its own, so that a terminal's Ctrl-C reaches us
 * first, no input, and dies with us. One thread, one loop: a signalfd (SIGCHLD
 * too) and the clock.
 */
#ifndef TRAPMAP_CLI_TEST_RUNNER_H
#define TRAPMAP_CLI_TEST_RUNNER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A program to run. The strings are its giver's, until it has been started. */
struct runner_job {
	const char *program; /* the file */
	char *const *argv;
	const char *out; /* the file that its stdout goes to, made anew */
	const char *err; /* and its stderr */
	int64_t limit_ms; /* then it is told to end, and soon killed; 0: none */
	uint32_t cpus; /* what it takes of the host */
	uint64_t mem;
};

/* How it ended. */
struct runner_end {
	int error; /* 0, or -errno: it could not be started */
	int wait_status; /* as waitpid() has it */
	int64_t ms; /* how long it ran */
	bool overdue; /* its limit ran out */
	bool stopped; /* it was told to end because we were */
};

struct runner {
	size_t count; /* of the jobs */
	uint32_t jobs; /* that run at once; 0: as many as cpus and mem allow */
	uint32_t cpus;
	uint64_t mem;
	int tick_ms; /* how often tick() is wanted while there is nothing; 0: never */
	void *opaque;
	/*
	 * The job with that index, of which each is asked for once and in order.
	 * 1: here it is; 0: there is nothing to run for it; -errno ends it all.
	 */
	int (*job)(void *opaque, size_t index, struct runner_job *ret_job);
	void (*started)(void *opaque, size_t index);
	/* Returns whether more are to be started. */
	bool (*ended)(void *opaque, size_t index, const struct runner_end *end);
	void (*tick)(void *opaque);
};

/*
 * Blocks the signals that end a program, and SIGCHLD, and has *ret_old keep
 * what was blocked before: before runner_run(), and until all is tidied up.
 */
void runner_block_signals(sigset_t *ret_old);

/*
 * Runs them all. Programs have the signals of `old` blocked. Returns 0; the
 * number of the signal that told us to end (all programs have ended then); or
 * -errno.
 */
int runner_run(const struct runner *runner, const sigset_t *old);

/* How many CPUs we may use, and how many bytes of memory are free. */
uint32_t runner_host_cpus(void);
uint64_t runner_host_mem(void);

#endif
