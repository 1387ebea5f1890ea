/* SPDX-License-Identifier: MIT */
/*
 * stuck.h: finds a guest that can go no further: all vCPUs halted with interrupts
 * off, or (trapmap_machine.watchdog_ms) spinning without an exit or an interrupt.
 */
#ifndef TRAPMAP_STUCK_H
#define TRAPMAP_STUCK_H

struct stuck;
struct trapmap_vm;

/*
 * Begins to look, from the loop's thread. Returns 0 or -errno; stuck_free() is
 * due after the loop has stopped.
 */
int stuck_new(struct trapmap_vm *vm, struct stuck **ret_stuck);

/* The vCPUs are new ones: the guest starts again. The loop's thread. */
void stuck_reset(struct stuck *stuck);

/* Accepts NULL. Returns NULL. */
struct stuck *stuck_free(struct stuck *stuck);

#endif
