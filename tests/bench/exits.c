// SPDX-License-Identifier: MIT
/*
 * exits.c: what one exit costs through the whole monitor, beside a loop around
 * KVM_RUN that looks at the port and at nothing else.
 *
 *	exits out:PORT|in:PORT [ROUNDS]
 *
 * Four VMs with guest_exits stand ready in this process, each on a thread of its
 * own: a raw one, a raw one with KVM's interrupt controllers, and two of
 * Trapmap's, to the second of which a signal is lent (trapmap_machine.kick_signal),
 * as the command does. They run by turns, some milliseconds each.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/ioctl.h>

#include <trapmap/trapmap.h>

#include "guests.h"
#include "raw_vm.h"
#include "table.h"

#define VMS 4
#define BURST 500
#define WARMUPS 5
#define GUEST_MAX 64
#define RAW_MEM (64ul << 20)

static struct turn {
	sem_t go, done;
	_Atomic bool quit;
	bool running;
	double start, ns; /* of the last burst */
} turns[VMS];

/* The guest is at a mark: before a burst, or behind it. */
static void at_mark(struct turn *t)
{
	if (t->running) {
		t->ns = now_ns() - t->start;
		t->running = false;
		sem_post(&t->done);
		return;
	}
	while (sem_wait(&t->go) < 0 && errno == EINTR)
		;
	t->running = !t->quit;
	t->start = now_ns();
}

/* ---- the raw loop ------------------------------------------------------- */

struct raw {
	struct raw_vm vm;
	struct turn *turn;
};

static void *raw_main(void *opaque)
{
	struct raw *raw = opaque;

	while (ioctl(raw->vm.vcpu, KVM_RUN, NULL) == 0 &&
	       raw->vm.run->exit_reason == KVM_EXIT_IO)
		if (raw->vm.run->io.port == PORT_MARK)
			at_mark(raw->turn);
	/* Nobody would end the wait for it. */
	fprintf(stderr, "the raw guest does not run\n");
	exit(1);
}

/* ---- Trapmap ------------------------------------------------------------ */

static uint64_t mark_read(void *opaque, uint64_t off, unsigned size)
{
	return 0;
}

static void mark_write(void *opaque, uint64_t off, unsigned size, uint64_t val)
{
	struct turn *t = opaque;

	if (!t->quit)
		at_mark(t);
}

static void do_nothing(int sig)
{
}

static int start_trapmap(struct turn *turn, const void *code, size_t len,
			 int kick_signal, struct trapmap_vm **ret_vm)
{
	struct trapmap_machine machine = TRAPMAP_MACHINE_INIT;
	const struct trapmap_device mark = {
		.size = sizeof(mark),
		.name = "mark",
		.base = PORT_MARK,
		.len = 1,
		.read = mark_read,
		.write = mark_write,
		.opaque = turn,
	};
	const struct trapmap_source kernel = {
		.size = sizeof(kernel),
		.data = code,
		.len = len,
	};
	struct trapmap_vm *vm;

	if (trapmap_vm_new(&vm))
		return -1;
	machine.kick_signal = kick_signal;
	if (trapmap_vm_set_machine(vm, &machine) ||
	    trapmap_vm_set_kernel(vm, &kernel) ||
	    trapmap_vm_add_device(vm, &mark) || trapmap_vm_start(vm)) {
		fprintf(stderr, "%s\n", trapmap_vm_error(vm));
		trapmap_vm_free(vm);
		return -1;
	}
	*ret_vm = vm;
	return 0;
}

/* ------------------------------------------------------------------------- */

/* guest_exits with BURST accesses as `access` says. Returns whether it is one. */
static bool make_guest(uint8_t *code, const char *access)
{
	const uint32_t count = BURST;
	uint8_t *at = code + (guest_exits_access - guest_exits);

	memcpy(code, guest_exits, (size_t)(guest_exits_end - guest_exits));
	memcpy(code + (guest_exits_count - guest_exits) - sizeof(count), &count,
	       sizeof(count));
	if (strncmp(access, "out:", 4) == 0)
		at[0] = 0xe6; /* OUT imm8, AL */
	else if (strncmp(access, "in:", 3) == 0)
		at[0] = 0xe4; /* IN AL, imm8 */
	else
		return false;
	at[1] = (uint8_t)strtoul(strchr(access, ':') + 1, NULL, 0);
	return true;
}

/* Returns ns[turn][round], one array after another, or NULL. */
static double *measure(unsigned rounds)
{
	double *ns = calloc(VMS * rounds, sizeof(*ns));
	unsigned i, t;

	for (i = 0; ns && i < WARMUPS + rounds; i++)
		for (t = 0; t < VMS; t++) {
			sem_post(&turns[t].go);
			sem_wait(&turns[t].done);
			if (i >= WARMUPS)
				ns[t * rounds + i - WARMUPS] = turns[t].ns /
							       BURST;
		}
	return ns;
}

int main(int argc, char **argv)
{
	static const char *const names[VMS] = { "raw KVM", "raw KVM, irqchip",
						"libtrapmap",
						"libtrapmap, signal lent" };
	const struct sigaction action = { .sa_handler = do_nothing };
	size_t len = (size_t)(guest_exits_end - guest_exits);
	unsigned rounds = 200, t;
	struct trapmap_vm *vm[2];
	struct raw raws[2];
	uint8_t code[GUEST_MAX];
	double *ns, *scratch;
	pthread_t thread;

	if (argc < 2 || !make_guest(code, argv[1]))
		return 2;
	if (argc > 2)
		rounds = (unsigned)strtoul(argv[2], NULL, 0);
	for (t = 0; t < VMS; t++) {
		sem_init(&turns[t].go, 0, 0);
		sem_init(&turns[t].done, 0, 0);
	}
	for (t = 0; t < 2; t++) {
		raws[t].turn = &turns[t];
		if (raw_vm_new(RAW_MEM, t == 1, code, len, &raws[t].vm) < 0 ||
		    pthread_create(&thread, NULL, raw_main, &raws[t])) {
			perror("cannot create a VM");
			return 1;
		}
		pthread_detach(thread);
	}
	sigaction(SIGUSR1, &action, NULL);
	if (start_trapmap(&turns[2], code, len, 0, &vm[0]) < 0 ||
	    start_trapmap(&turns[3], code, len, SIGUSR1, &vm[1]) < 0)
		return 1;

	ns = measure(rounds);
	scratch = calloc(rounds, sizeof(*scratch));
	if (!ns || !scratch)
		return 1;
	table_head(argv[1], "ns", rounds);
	for (t = 0; t < VMS; t++)
		table_row(names[t], ns + t * rounds, ns, rounds, 1, scratch);

	/* The raw threads end with the process, wherever they wait. */
	for (t = 2; t < VMS; t++) {
		turns[t].quit = true;
		sem_post(&turns[t].go);
		trapmap_vm_free(vm[t - 2]);
	}
	free(ns);
	free(scratch);
	return 0;
}
