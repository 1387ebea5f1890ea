/* SPDX-License-Identifier: MIT */
/*
 * loop.h: an I/O thread: timers and descriptors for devices (the contract is
 * core/loop.h), and the VM's clock. The first one does the VM's housekeeping too.
 */
#ifndef TRAPMAP_LOOP_H
#define TRAPMAP_LOOP_H

#include "core/loop.h"

/* No thread yet; the VM's clock stands at 0. Returns 0 or -errno. */
int vm_loop_new(struct loop **ret_loop);

/*
 * Starts the thread, with every signal blocked. name is what ps and gdb call it, at
 * most 15 bytes; it outlives the loop. Returns 0 or -errno.
 */
int vm_loop_start(struct loop *loop, const char *name);

/*
 * Ends the thread and waits for it; not from the thread itself. Callbacks run
 * no more; timers and watches can still be freed.
 */
void vm_loop_stop(struct loop *loop);

/* Stops it first. Every timer and watch has been freed. Accepts NULL. */
void vm_loop_free(struct loop *loop);

/* Lets LOOP_CLOCK_VM run, or stand still. Any thread. */
void vm_loop_clock_run(struct loop *loop);
void vm_loop_clock_hold(struct loop *loop);

#endif
