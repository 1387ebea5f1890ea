/* SPDX-License-Identifier: MIT */
/* api.h: what the API tests share. They see trapmap.h only. */
#ifndef TRAPMAP_TEST_API_H
#define TRAPMAP_TEST_API_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trapmap/trapmap.h"

/* A guest of guests.S. */
#define GUEST(name)                            \
	({                                     \
		extern const char name[];      \
		extern const char name##_end[]; \
		(struct trapmap_source){       \
			.size = sizeof(struct trapmap_source), \
			.data = name,          \
			.len = (size_t)(name##_end - name), \
		};                             \
	})

#define GIVE_UP_MS 20000

/* The test's device on port 0x500. */
struct port {
	_Atomic uint32_t give; /* what a read gets */
	_Atomic uint32_t got; /* the last write */
	_Atomic uint32_t writes;
};

/* A VM with `guest` and, unless NULL, `port` on it; not yet started. */
struct trapmap_vm *new_vm(struct trapmap_source guest, struct port *port);

/* Starts it, or fails the test with the VM's own words. */
void start_vm(struct trapmap_vm *vm);

/* Waits for the end. */
struct trapmap_end wait_end(struct trapmap_vm *vm);

/* Waits until port->writes is at least n. */
void wait_writes(struct port *port, uint32_t n);

/* main() of a test of the API: skips all where /dev/kvm cannot be used. */
int api_main(const struct CMUnitTest *tests, size_t count);

#endif
