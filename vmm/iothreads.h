/* SPDX-License-Identifier: MIT */
/*
 * iothreads.h: I/O threads beside the VM's own, each with a loop, which devices ask
 * for by name.
 */
#ifndef TRAPMAP_IOTHREADS_H
#define TRAPMAP_IOTHREADS_H

struct iothread;
struct loop;

/* All zero: none. */
struct iothreads {
	struct iothread *first;
};

/*
 * The loop of the thread of this name (at most 8 bytes), which is made if there is
 * none; it does not run yet. It lives until iothreads_done(). Returns 0 or -errno.
 */
int iothreads_get(struct iothreads *io, const char *name,
		  struct loop **ret_loop);

/* Starts all that there are, once. Returns 0 or -errno. */
int iothreads_start(struct iothreads *io);

/* Ends the threads and waits for them; callbacks run no more. */
void iothreads_stop(struct iothreads *io);

/* The VM's clock on each, as vm_loop_clock_run() and _hold(). Any thread. */
void iothreads_clock_run(struct iothreads *io);
void iothreads_clock_hold(struct iothreads *io);

/* Every timer and watch has been freed. */
void iothreads_done(struct iothreads *io);

#endif
