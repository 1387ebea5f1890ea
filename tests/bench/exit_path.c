// SPDX-License-Identifier: MIT
/*
 * exit_path.c: the monitor's own part of an exit, for an instruction counter:
 * exit_handle() on made-up exits, before a board with every built-in device. No
 * KVM is open, the loop's clocks stand still, and the serial port's other end
 * is a fake, so what is counted has no system call in it and no reading of the
 * host's clock.
 *
 *	exit_path CASE N
 *
 * Two runs with different N give the instructions of one exit: the difference
 * of their counts by the difference of N. Case "none" is an exit with nothing
 * to do: what this program's loop costs, and the call.
 */
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include "core/bus.h"
#include "core/device.h"
#include "exit.h"
#include "fake_chardev.h"
#include "fake_loop.h"
#include "layout.h"
#include "machine.h"
#include "uart16550.h"

#define MMIO_BASE 0xd0000000
#define DATA_OFFSET 4096
/* A second serial port, with the fake; the board's own writes to files. */
#define PORT_COM2 0x2f8
#define LSR 5

static const struct exit_case {
	const char *name;
	uint32_t reason;
	bool write;
	uint64_t addr;
	uint8_t size;
	uint8_t data;
} cases[] = {
	{ "none", KVM_EXIT_INTR, false, 0, 0, 0 },
	{ "out-80", KVM_EXIT_IO, true, 0x80, 1, 0x55 },
	{ "out-70", KVM_EXIT_IO, true, LAYOUT_PORT_RTC, 1, 0 },
	{ "in-71", KVM_EXIT_IO, false, LAYOUT_PORT_RTC + 1, 1, 0 },
	{ "out-com2", KVM_EXIT_IO, true, PORT_COM2, 1, 'x' },
	{ "in-com2-lsr", KVM_EXIT_IO, false, PORT_COM2 + LSR, 1, 0 },
	{ "in-pm-timer", KVM_EXIT_IO, false, LAYOUT_PORT_PM_TIMER, 4, 0 },
	{ "in-unclaimed", KVM_EXIT_IO, false, 0x1234, 4, 0 },
	{ "mmio-read", KVM_EXIT_MMIO, false, MMIO_BASE + 8, 4, 0 },
	{ "mmio-write", KVM_EXIT_MMIO, true, MMIO_BASE + 8, 4, 0x55 },
};

static union {
	struct kvm_run run;
	uint8_t pages[2 * DATA_OFFSET];
} shared;

static uint64_t mmio_read(void *opaque, uint64_t off, unsigned size)
{
	return *(uint64_t *)opaque;
}

static void mmio_write(void *opaque, uint64_t off, unsigned size, uint64_t val)
{
	*(uint64_t *)opaque = val;
}

/* As KVM would leave it; writes nothing that a second time would change. */
static void make_exit(const struct exit_case *c)
{
	struct kvm_run *run = &shared.run;

	run->exit_reason = c->reason;
	if (c->reason == KVM_EXIT_IO) {
		run->io.direction = c->write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
		run->io.port = (uint16_t)c->addr;
		run->io.size = c->size;
		run->io.count = 1;
		run->io.data_offset = DATA_OFFSET;
		shared.pages[DATA_OFFSET] = c->data;
	} else if (c->reason == KVM_EXIT_MMIO) {
		run->mmio.phys_addr = c->addr;
		run->mmio.len = c->size;
		run->mmio.is_write = c->write;
		run->mmio.data[0] = c->data;
	}
}

int main(int argc, char **argv)
{
	uint64_t cell = 0;
	const struct trapmap_device mmio = {
		.size = sizeof(mmio),
		.name = "cell",
		.space = TRAPMAP_SPACE_MMIO,
		.base = MMIO_BASE,
		.len = 4096,
		.read = mmio_read,
		.write = mmio_write,
		.opaque = &cell,
	};
	const struct machine_config config = {
		.platform = platform_pc(1u << 24, 1, PLATFORM_TRANSPORT),
		.debugcon_fd = -1,
		.extra = &mmio,
		.extra_count = 1,
	};
	const struct machine_host host = { 0 };
	const struct exit_case *c = NULL;
	struct fake_chardev chr;
	struct fake_loop loop;
	struct uart_config com2 = { .loop = &loop.loop, .chr = &chr.chr };
	struct device *uart = NULL;
	struct machine machine;
	struct exit_end end;
	struct error err;
	int no_vm = -1;
	unsigned long n;
	size_t i;

	for (i = 0; argc == 3 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(argv[1], cases[i].name) == 0)
			c = &cases[i];
	if (!c)
		return 2;

	fake_loop_init(&loop, INT64_C(1234567890123456789));
	fake_chardev_init(&chr);
	if (machine_init(&machine, &config, &host, &loop.loop, &no_vm, &err) ||
	    uart_new(&com2, &uart) ||
	    bus_add(&machine.pio, PORT_COM2, 8, uart, 0))
		return 1;

	for (n = strtoul(argv[2], NULL, 0); n > 0; n--) {
		make_exit(c);
		if (exit_handle(&machine.pio, &machine.mmio, &shared.run,
				&end) != EXIT_RESUME)
			return 1;
	}
	machine_done(&machine);
	device_free(uart);
	return 0;
}
