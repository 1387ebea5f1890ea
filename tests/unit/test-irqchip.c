// SPDX-License-Identifier: MIT
/*
 * Interrupts by eventfd, with a KVM of the test's own in place of kvm.c: what it is
 * told is held against Documentation/virt/kvm/api.rst, 4.52 and 4.75.
 */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base.h"
#include "irqchip.h"
#include "kvm.h"

#define VM_1 1001
#define VM_2 1002

/* What the VM of this moment knows. */
static struct {
	int vm;
	bool irqchip;
	unsigned tables, connects, disconnects;
	struct kvm_irq_routing_entry entry[128];
	unsigned entries;
	struct { int fd; unsigned gsi; } irqfd[16];
	unsigned irqfds;
	int fail_table, fail_irqfd;
	unsigned line_gsi, line_level;
} kvm;

static int set_routing(const struct kvm_irq_routing *table)
{
	kvm.tables++;
	if (kvm.fail_table)
		return kvm.fail_table;
	assert_true(kvm.irqchip);
	assert_in_range(table->nr, 1, ARRAY_SIZE(kvm.entry));
	assert_int_equal(table->flags, 0);
	memcpy(kvm.entry, table->entries, table->nr * sizeof(kvm.entry[0]));
	kvm.entries = table->nr;
	return 0;
}

static int set_irqfd(const struct kvm_irqfd *arg)
{
	unsigned i;

	if (arg->flags & KVM_IRQFD_FLAG_DEASSIGN) {
		kvm.disconnects++;
		for (i = 0; i < kvm.irqfds; i++)
			if (kvm.irqfd[i].fd == (int)arg->fd &&
			    kvm.irqfd[i].gsi == arg->gsi)
				break;
		assert_true(i < kvm.irqfds);
		kvm.irqfd[i] = kvm.irqfd[--kvm.irqfds];
		return 0;
	}
	assert_int_equal(arg->flags, 0);
	if (kvm.fail_irqfd)
		return kvm.fail_irqfd;
	for (i = 0; i < kvm.irqfds; i++)
		if (kvm.irqfd[i].fd == (int)arg->fd)
			return -EBUSY; /* as KVM has it */
	kvm.connects++;
	kvm.irqfd[kvm.irqfds].fd = (int)arg->fd;
	kvm.irqfd[kvm.irqfds++].gsi = arg->gsi;
	return 0;
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	const struct kvm_irq_level *line = arg;

	if (fd != kvm.vm)
		return -EBADF;
	switch (request) {
	case KVM_SET_GSI_ROUTING: return set_routing(arg);
	case KVM_IRQFD: return set_irqfd(arg);
	case KVM_IRQ_LINE:
		kvm.line_gsi = line->irq;
		kvm.line_level = line->level;
		return 0;
	case KVM_SET_IDENTITY_MAP_ADDR:
	case KVM_CREATE_PIT2: return 0;
	default: return -ENOTTY;
	}
}

int kvm_ioctl_val(int fd, unsigned long request, unsigned long arg)
{
	if (fd != kvm.vm)
		return -EBADF;
	if (request == KVM_CREATE_IRQCHIP)
		kvm.irqchip = true;
	return 0;
}

/* ---- the rig ------------------------------------------------------------ */

static struct irqchip ic;
static struct error err;
static int vm_fd;
static int event[2];

static const struct msi_message first = { 0xfee00000, 0x4031 };
static const struct msi_message second = { 0x12fee01000, 0x4032 };

static int setup(void **state)
{
	unsigned i;

	memset(&kvm, 0, sizeof(kvm));
	memset(&err, 0, sizeof(err));
	vm_fd = -1;
	irqchip_init(&ic, &vm_fd);
	for (i = 0; i < 2; i++) {
		event[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		assert_true(event[i] >= 0);
	}
	return 0;
}

static int teardown(void **state)
{
	irqchip_done(&ic);
	irqchip_done(&ic);
	close(event[0]);
	close(event[1]);
	return 0;
}

static int power_on(int vm)
{
	kvm.vm = vm_fd = vm;
	kvm.irqchip = false;
	kvm.entries = kvm.irqfds = 0;
	kvm.tables = kvm.connects = kvm.disconnects = 0;
	return irqchip_create(&ic, &err);
}

static const struct kvm_irq_routing_entry *message_of(unsigned gsi)
{
	const struct kvm_irq_routing_entry *found = NULL;
	unsigned i;

	for (i = 0; i < kvm.entries; i++) {
		if (kvm.entry[i].gsi != gsi)
			continue;
		assert_null(found);
		assert_int_equal(kvm.entry[i].type, KVM_IRQ_ROUTING_MSI);
		found = &kvm.entry[i];
	}
	return found;
}

static void assert_sends(int fd, const struct msi_message *m)
{
	const struct kvm_irq_routing_entry *e;
	unsigned i;

	for (i = 0; i < kvm.irqfds && kvm.irqfd[i].fd != fd; i++)
		;
	assert_true(i < kvm.irqfds);
	assert_true(kvm.irqfd[i].gsi >= 24);
	e = message_of(kvm.irqfd[i].gsi);
	assert_non_null(e);
	assert_true(((uint64_t)e->u.msi.address_hi << 32 |
		     e->u.msi.address_lo) == m->address);
	assert_int_equal(e->u.msi.data, m->data);
}

static uint64_t events_on(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void raise_event(int fd)
{
	uint64_t one = 1;

	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

/* ---- lines and edges ---------------------------------------------------- */

static void the_controllers_inputs_are_wired_as_on_a_pc(void **state)
{
	unsigned i, pic = 0, ioapic = 0;

	assert_int_equal(power_on(VM_1), 0);
	assert_int_equal(kvm.tables, 1);
	for (i = 0; i < kvm.entries; i++) {
		const struct kvm_irq_routing_entry *e = &kvm.entry[i];

		assert_int_equal(e->type, KVM_IRQ_ROUTING_IRQCHIP);
		if (e->u.irqchip.irqchip == KVM_IRQCHIP_IOAPIC) {
			assert_int_equal(e->u.irqchip.pin, e->gsi ? e->gsi : 2);
			ioapic++;
		} else {
			assert_int_equal(e->u.irqchip.pin, e->gsi % 8);
			pic++;
		}
	}
	assert_int_equal(pic, 15);
	assert_int_equal(ioapic, 23);
}

static void a_line_is_a_level(void **state)
{
	struct irqchip_input input;
	struct irq_line line = irqchip_line(&input, &vm_fd, 9);

	assert_int_equal(power_on(VM_1), 0);
	irq_set(&line, true);
	assert_int_equal(kvm.line_gsi, 9);
	assert_int_equal(kvm.line_level, 1);
	irq_set(&line, false);
	assert_int_equal(kvm.line_level, 0);
}

static void an_edge_is_connected_in_every_vm(void **state)
{
	int fd = -1, other = -1;
	unsigned vm;

	assert_int_equal(irqchip_edge(&ic, 16, &fd), 0);
	assert_int_equal(irqchip_edge(&ic, 17, &other), 0);
	assert_int_not_equal(fd, other);
	for (vm = VM_1; vm <= VM_2; vm++) {
		/* What a guest has not got before it was reset it never gets. */
		raise_event(fd);
		assert_int_equal(power_on((int)vm), 0);
		assert_int_equal(events_on(fd), 0);
		assert_int_equal(kvm.tables, 1);
		assert_int_equal(kvm.irqfds, 2);
		assert_true(kvm.irqfd[0].gsi + kvm.irqfd[1].gsi == 33);
		assert_int_equal(kvm.irqfd[kvm.irqfd[1].gsi == 16].fd, fd);
	}
}

static void a_kvm_without_irqfd_is_refused_by_name(void **state)
{
	int fd = -1;

	assert_int_equal(irqchip_edge(&ic, 16, &fd), 0);
	kvm.fail_irqfd = -ENOSYS;
	assert_int_equal(power_on(VM_1), -ENOSYS);
	assert_int_equal(err.status, ERROR_HOST);
	assert_non_null(strstr(err.text, "KVM_IRQFD"));
}

static void routes_that_are_refused_are_named(void **state)
{
	kvm.fail_table = -EINVAL;
	assert_int_equal(power_on(VM_1), -EINVAL);
	assert_non_null(strstr(err.text, "KVM_SET_GSI_ROUTING"));
}

/* ---- messages ----------------------------------------------------------- */

static void vectors_cost_nothing_until_they_are_routed(void **state)
{
	struct msi msi;

	assert_int_equal(irqchip_msi(&ic, 33, &msi), 0);
	assert_int_equal(power_on(VM_1), 0);
	assert_int_equal(kvm.tables, 1);
	assert_int_equal(kvm.entries, 15 + 23);
	assert_int_equal(kvm.connects, 0);
	msi_unroute(&msi, 3);
	assert_int_equal(kvm.disconnects, 0);
}

static void an_event_sends_the_vectors_message(void **state)
{
	struct msi a, b;

	assert_int_equal(irqchip_msi(&ic, 2, &a), 0);
	assert_int_equal(irqchip_msi(&ic, 2, &b), 0);
	assert_int_equal(power_on(VM_1), 0);
	assert_int_equal(msi_route(&a, 1, &first, event[0]), 0);
	assert_int_equal(msi_route(&b, 0, &second, event[1]), 0);
	assert_sends(event[0], &first);
	assert_sends(event[1], &second);
	assert_int_equal(kvm.entries, 15 + 23 + 2);
	assert_int_equal(msi_route(&a, 2, &first, event[0]), -EINVAL);
	msi_unroute(&a, 2);
}

static void only_a_message_that_has_changed_is_written(void **state)
{
	struct msi msi;

	assert_int_equal(irqchip_msi(&ic, 2, &msi), 0);
	assert_int_equal(power_on(VM_1), 0);
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), 0);
	assert_int_equal(kvm.tables, 2);
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), 0);
	/* Masked, and let through again. */
	msi_unroute(&msi, 0);
	assert_int_equal(kvm.irqfds, 0);
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), 0);
	assert_int_equal(kvm.tables, 2);
	assert_sends(event[0], &first);
	/* To another processor, while it is routed. */
	assert_int_equal(msi_route(&msi, 0, &second, event[0]), 0);
	assert_int_equal(kvm.tables, 3);
	assert_int_equal(kvm.connects, 2);
	assert_sends(event[0], &second);
	/* From another eventfd. */
	assert_int_equal(msi_route(&msi, 0, &second, event[1]), 0);
	assert_int_equal(kvm.irqfds, 1);
	assert_sends(event[1], &second);
}

/* KVM looks whether there is one when it is given the eventfd. */
static void an_event_of_a_masked_vector_is_sent_once_it_is_routed(void **state)
{
	struct msi msi;

	assert_int_equal(irqchip_msi(&ic, 1, &msi), 0);
	assert_int_equal(power_on(VM_1), 0);
	raise_event(event[0]);
	raise_event(event[0]);
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), 0);
	assert_int_equal(events_on(event[0]), 1);
	msi_unroute(&msi, 0);
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), 0);
	assert_int_equal(events_on(event[0]), 0);
}

static void what_is_routed_is_so_in_the_next_vm(void **state)
{
	struct msi msi;

	assert_int_equal(irqchip_msi(&ic, 2, &msi), 0);
	assert_int_equal(power_on(VM_1), 0);
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), 0);
	assert_int_equal(msi_route(&msi, 1, &second, event[1]), 0);
	msi_unroute(&msi, 1);
	assert_int_equal(power_on(VM_2), 0);
	assert_sends(event[0], &first);
	assert_int_equal(kvm.irqfds, 1);
	assert_int_equal(kvm.tables, 1);
	assert_int_equal(kvm.entries, 15 + 23 + 1);
	/* The other's route is not there, however well known its message. */
	assert_int_equal(msi_route(&msi, 1, &second, event[1]), 0);
	assert_sends(event[1], &second);
}

static void a_message_that_is_refused_leaves_the_one_before(void **state)
{
	struct msi msi;

	assert_int_equal(irqchip_msi(&ic, 1, &msi), 0);
	assert_int_equal(power_on(VM_1), 0);
	kvm.fail_table = -EINVAL;
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), -EINVAL);
	assert_int_equal(kvm.irqfds, 0);
	kvm.fail_table = 0;
	kvm.fail_irqfd = -ENOMEM;
	raise_event(event[0]);
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), -ENOMEM);
	assert_int_equal(events_on(event[0]), 1);
	kvm.fail_irqfd = 0;
	assert_int_equal(msi_route(&msi, 0, &first, event[0]), 0);
	assert_sends(event[0], &first);
	/* Between two VMs there is none to tell. */
	vm_fd = -1;
	assert_int_equal(msi_route(&msi, 0, &second, event[0]), -EBADF);
	msi_unroute(&msi, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_controllers_inputs_are_wired_as_on_a_pc),
		T(a_line_is_a_level),
		T(an_edge_is_connected_in_every_vm),
		T(a_kvm_without_irqfd_is_refused_by_name),
		T(routes_that_are_refused_are_named),
		T(vectors_cost_nothing_until_they_are_routed),
		T(an_event_sends_the_vectors_message),
		T(only_a_message_that_has_changed_is_written),
		T(an_event_of_a_masked_vector_is_sent_once_it_is_routed),
		T(what_is_routed_is_so_in_the_next_vm),
		T(a_message_that_is_refused_leaves_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
