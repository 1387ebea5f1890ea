// SPDX-License-Identifier: MIT
#include "api.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t port_read(void *opaque, uint64_t off, unsigned size)
{
	struct port *port = opaque;

	return atomic_load(&port->give);
}

static void port_write(void *opaque, uint64_t off, unsigned size, uint64_t val)
{
	struct port *port = opaque;

	atomic_store(&port->got, (uint32_t)val);
	atomic_fetch_add(&port->writes, 1);
}

struct trapmap_vm *new_vm(struct trapmap_source guest, struct port *port)
{
	struct trapmap_vm *vm;

	assert_int_equal(trapmap_vm_new(&vm), 0);
	assert_int_equal(trapmap_vm_set_kernel(vm, &guest), 0);
	if (port) {
		const struct trapmap_device dev = {
			.size = sizeof(dev),
			.name = "test port",
			.space = TRAPMAP_SPACE_PIO,
			.base = 0x500,
			.len = 4,
			.read = port_read,
			.write = port_write,
			.opaque = port,
		};

		assert_int_equal(trapmap_vm_add_device(vm, &dev), 0);
	}
	return vm;
}

void start_vm(struct trapmap_vm *vm)
{
	if (trapmap_vm_start(vm) < 0)
		fail_msg("start: %s", trapmap_vm_error(vm));
}

struct trapmap_end wait_end(struct trapmap_vm *vm)
{
	struct trapmap_end end = TRAPMAP_END_INIT;

	if (trapmap_vm_wait(vm, GIVE_UP_MS, &end) != 0)
		fail_msg("the guest did not end within %d ms", GIVE_UP_MS);
	return end;
}

void wait_writes(struct port *port, uint32_t n)
{
	int i;

	for (i = 0; i < GIVE_UP_MS; i++) {
		if (atomic_load(&port->writes) >= n)
			return;
		usleep(1000);
	}
	fail_msg("the guest wrote %u times, not %u",
		 (unsigned)atomic_load(&port->writes), n);
}

int api_main(const struct CMUnitTest *tests, size_t count)
{
	struct trapmap_host host = TRAPMAP_HOST_INIT;

	if (trapmap_host_probe(NULL, &host) < 0)
		return 1;
	if (host.error) {
		printf("SKIP: %s\n", host.error_text);
		trapmap_host_done(&host);
		return 77;
	}
	trapmap_host_done(&host);
	return _cmocka_run_group_tests("api", tests, count, NULL, NULL);
}
