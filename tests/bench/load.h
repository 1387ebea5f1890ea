/* SPDX-License-Identifier: MIT */
/*
 * load.h: what load.c and load_net.c share. The program is linked statically: it
 * runs in guests, in lab-amd's outer machine and on the host alike.
 */
#ifndef TRAPMAP_BENCH_LOAD_H
#define TRAPMAP_BENCH_LOAD_H

#include <time.h>

static inline double load_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Says what is wrong, with errno, and ends. */
void load_die(const char *what) __attribute__((noreturn));

/* Each is a command of the program's; returns its exit status. */
int load_serve(int argc, char **argv);
int load_tcp(int argc, char **argv);

#endif
