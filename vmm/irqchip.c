// SPDX-License-Identifier: MIT
/*
 * KVM has one table of routes, from a GSI to an input of a controller or to a
 * message, and changing an entry means writing all of it and waiting for a grace
 * period in the kernel. So it is written once when a VM is made, and then only for a
 * message that has changed; to silence a vector, and to let it speak again, its
 * eventfd is taken off its GSI and put back.
 *
 * A KVM without irqfd is refused. Those for x86 have had it, with the interrupt
 * controllers, since Linux 2.6.32.
 */
#include "irqchip.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kvm.h"
#include "layout.h"

#define PIC_INPUTS 16
#define PIC_CASCADE 2

struct irqchip_edge {
	unsigned gsi;
	int fd;
	struct irqchip_edge *next;
};

struct vector {
	struct msi_message message;
	bool known; /* the message is in KVM's table, or is to be */
	int fd;	    /* that it is routed from; -1: none */
};

struct irqchip_msi {
	struct irqchip *ic;
	struct irqchip_msi *next;
	unsigned gsi; /* of vector 0; the others' follow */
	unsigned count;
	struct vector vector[];
};

void irqchip_init(struct irqchip *ic, const int *vm_fd)
{
	*ic = (struct irqchip){ .vm_fd = vm_fd, .next_gsi = LAYOUT_IOAPIC_PINS };
	pthread_mutex_init(&ic->lock, NULL);
}

void irqchip_done(struct irqchip *ic)
{
	struct irqchip_edge *edge;
	struct irqchip_msi *msi;

	if (!ic->vm_fd)
		return;
	while ((edge = ic->edges)) {
		ic->edges = edge->next;
		close(edge->fd);
		free(edge);
	}
	while ((msi = ic->msis)) {
		ic->msis = msi->next;
		free(msi);
	}
	pthread_mutex_destroy(&ic->lock);
	*ic = (struct irqchip){ 0 };
}

/* ---- routes ------------------------------------------------------------- */

static struct kvm_irq_routing_entry *add_entry(struct kvm_irq_routing *table,
					       uint32_t gsi, uint32_t type)
{
	struct kvm_irq_routing_entry *entry = &table->entries[table->nr++];

	entry->gsi = gsi;
	entry->type = type;
	return entry;
}

static void add_input(struct kvm_irq_routing *table, uint32_t gsi,
		      uint32_t chip, uint32_t pin)
{
	struct kvm_irq_routing_entry *entry = add_entry(
		table, gsi, KVM_IRQ_ROUTING_IRQCHIP);

	entry->u.irqchip.irqchip = chip;
	entry->u.irqchip.pin = pin;
}

static void add_messages(struct kvm_irq_routing *table,
			 const struct irqchip_msi *msi)
{
	unsigned i;

	for (i = 0; i < msi->count; i++) {
		const struct msi_message *m = &msi->vector[i].message;
		struct kvm_irq_routing_entry *entry;

		if (!msi->vector[i].known)
			continue;
		entry = add_entry(table, msi->gsi + i, KVM_IRQ_ROUTING_MSI);
		entry->u.msi.address_lo = (uint32_t)m->address;
		entry->u.msi.address_hi = (uint32_t)(m->address >> 32);
		entry->u.msi.data = m->data;
	}
}

/*
 * KVM by itself joins GSI n to input n of the PICs and of the IOAPIC alike. On
 * a PC the timer's IRQ 0 reaches the IOAPIC's input 2, which the cascade leaves
 * free; the MADT and the MP table say so too. Called with the lock held.
 */
static int set_routes(const struct irqchip *ic)
{
	const unsigned messages = ic->next_gsi - LAYOUT_IOAPIC_PINS;
	const struct irqchip_msi *msi;
	struct kvm_irq_routing *table;
	uint32_t i;
	int r;

	table = calloc(1, sizeof(*table) +
				  (PIC_INPUTS + LAYOUT_IOAPIC_PINS + messages) *
					  sizeof(table->entries[0]));
	if (!table)
		return -ENOMEM;
	for (i = 0; i < PIC_INPUTS; i++)
		if (i != PIC_CASCADE)
			add_input(table, i,
				  i < 8 ? KVM_IRQCHIP_PIC_MASTER :
					  KVM_IRQCHIP_PIC_SLAVE,
				  i % 8);
	for (i = 0; i < LAYOUT_IOAPIC_PINS; i++)
		if (i != PIC_CASCADE)
			add_input(table, i, KVM_IRQCHIP_IOAPIC,
				  i == 0 ? PIC_CASCADE : i);
	for (msi = ic->msis; msi; msi = msi->next)
		add_messages(table, msi);
	r = kvm_ioctl(*ic->vm_fd, KVM_SET_GSI_ROUTING, table);
	free(table);
	return r;
}

/* ---- events ------------------------------------------------------------- */

/* Takes what is there; whoever owns fd may have made it a blocking one. */
static bool take_events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, 0) == 1 && read(fd, &n, sizeof(n)) == sizeof(n);
}

static int set_irqfd(const struct irqchip *ic, unsigned gsi, int fd,
		     uint32_t flags)
{
	struct kvm_irqfd arg = { .fd = (uint32_t)fd, .gsi = gsi, .flags = flags };

	return kvm_ioctl(*ic->vm_fd, KVM_IRQFD, &arg);
}

/*
 * KVM would see that there is an event, but leave it there, to be seen once more
 * by the next who asks.
 */
static int connect_with_pending(const struct irqchip *ic, unsigned gsi, int fd)
{
	bool pending = take_events(fd);
	uint64_t one = 1;
	int r = set_irqfd(ic, gsi, fd, 0);

	if (pending)
		(void)!write(fd, &one, sizeof(one));
	return r;
}

/* Called with the lock held. */
static int connect_all(const struct irqchip *ic)
{
	const struct irqchip_edge *edge;
	const struct irqchip_msi *msi;
	unsigned i;
	int r = 0;

	for (edge = ic->edges; edge && r == 0; edge = edge->next) {
		/* Of a guest that is no more. */
		(void)take_events(edge->fd);
		r = set_irqfd(ic, edge->gsi, edge->fd, 0);
	}
	for (msi = ic->msis; msi; msi = msi->next)
		for (i = 0; i < msi->count && r == 0; i++)
			if (msi->vector[i].fd >= 0)
				r = connect_with_pending(ic, msi->gsi + i,
							 msi->vector[i].fd);
	return r;
}

/* ---- the controllers ---------------------------------------------------- */

/* Messages that nothing sends any more need no route in the new VM. */
static void forget_messages(struct irqchip *ic)
{
	struct irqchip_msi *msi;
	unsigned i;

	for (msi = ic->msis; msi; msi = msi->next)
		for (i = 0; i < msi->count; i++)
			msi->vector[i].known = msi->vector[i].fd >= 0;
}

static int wire(struct irqchip *ic, struct error *err)
{
	int r;

	forget_messages(ic);
	r = set_routes(ic);
	if (r < 0)
		return error_host(err, r,
				  "KVM does not take the interrupts' wiring "
				  "(KVM_SET_GSI_ROUTING)");
	r = connect_all(ic);
	if (r < 0)
		return error_host(err, r,
				  "KVM does not take interrupts from eventfds "
				  "(KVM_IRQFD), as virtio devices send them");
	return 0;
}

int irqchip_create(struct irqchip *ic, struct error *err)
{
	int vm_fd = *ic->vm_fd;
	/* Port 0x61 too: its timer gate is how kernels calibrate the TSC. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity_map = LAYOUT_IDENTITY_MAP;
	int r;

	/*
	 * Only kvm-intel without unrestricted guest needs these; KVMs that do
	 * not know them have no use for them.
	 */
	(void)kvm_ioctl(vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	(void)kvm_ioctl_val(vm_fd, KVM_SET_TSS_ADDR, LAYOUT_TSS);

	r = kvm_ioctl_val(vm_fd, KVM_CREATE_IRQCHIP, 0);
	if (r < 0)
		return error_host(err, r,
				  "KVM gives no interrupt controllers "
				  "(KVM_CREATE_IRQCHIP)");
	pthread_mutex_lock(&ic->lock);
	r = wire(ic, err);
	pthread_mutex_unlock(&ic->lock);
	if (r < 0)
		return r;
	r = kvm_ioctl(vm_fd, KVM_CREATE_PIT2, &pit);
	if (r < 0)
		return error_host(err, r,
				  "KVM gives no timer (KVM_CREATE_PIT2)");
	return 0;
}

bool irqchip_wakes_halted(int vm_fd)
{
	/* SMI, NMI and INIT: 82093AA data sheet, 3.2.4, "Delivery Mode". */
	const unsigned modes = 1u << 2 | 1u << 4 | 1u << 5;
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	unsigned i;

	if (kvm_ioctl(vm_fd, KVM_GET_IRQCHIP, &chip) < 0)
		return false;
	for (i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		if (!chip.chip.ioapic.redirtbl[i].fields.mask &&
		    modes >> chip.chip.ioapic.redirtbl[i].fields.delivery_mode &
			    1)
			return true;
	return false;
}

/* ---- what devices are given --------------------------------------------- */

static void input_set(void *opaque, bool level)
{
	const struct irqchip_input *input = opaque;
	struct kvm_irq_level irq = { .irq = input->gsi, .level = level };

	/* Fails only while a reboot changes VMs, and then all lines are low. */
	(void)kvm_ioctl(*input->vm_fd, KVM_IRQ_LINE, &irq);
}

struct irq_line irqchip_line(struct irqchip_input *input, const int *vm_fd,
			     unsigned gsi)
{
	*input = (struct irqchip_input){ .vm_fd = vm_fd, .gsi = gsi };
	return (struct irq_line){ .set = input_set, .opaque = input };
}

int irqchip_edge(struct irqchip *ic, unsigned gsi, int *ret_fd)
{
	struct irqchip_edge *edge = calloc(1, sizeof(*edge));

	if (!edge)
		return -ENOMEM;
	edge->gsi = gsi;
	edge->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (edge->fd < 0) {
		free(edge);
		return -errno;
	}
	pthread_mutex_lock(&ic->lock);
	edge->next = ic->edges;
	ic->edges = edge;
	pthread_mutex_unlock(&ic->lock);
	*ret_fd = edge->fd;
	return 0;
}

static bool same_message(const struct vector *v, const struct msi_message *m)
{
	return v->known && v->message.address == m->address &&
	       v->message.data == m->data;
}

/* Called with the lock held. */
static int set_message(const struct irqchip *ic, struct vector *v,
		       const struct msi_message *message)
{
	const struct vector before = *v;
	int r;

	if (same_message(v, message))
		return 0;
	v->message = *message;
	v->known = true;
	r = set_routes(ic);
	if (r < 0)
		*v = before;
	return r;
}

/* Called with the lock held. Fails only once the VM is gone, and its irqfds too. */
static void disconnect(const struct irqchip *ic, unsigned gsi, struct vector *v)
{
	if (v->fd >= 0)
		(void)set_irqfd(ic, gsi, v->fd, KVM_IRQFD_FLAG_DEASSIGN);
	v->fd = -1;
}

static int msi_set_route(void *opaque, unsigned vector,
			 const struct msi_message *message, int fd)
{
	struct irqchip_msi *msi = opaque;
	struct irqchip *ic = msi->ic;
	struct vector *v;
	int r;

	if (vector >= msi->count)
		return -EINVAL;
	v = &msi->vector[vector];
	pthread_mutex_lock(&ic->lock);
	r = set_message(ic, v, message);
	if (r == 0 && v->fd != fd) {
		disconnect(ic, msi->gsi + vector, v);
		r = connect_with_pending(ic, msi->gsi + vector, fd);
		if (r == 0)
			v->fd = fd;
	}
	pthread_mutex_unlock(&ic->lock);
	return r;
}

static void msi_clear_route(void *opaque, unsigned vector)
{
	struct irqchip_msi *msi = opaque;

	if (vector >= msi->count)
		return;
	pthread_mutex_lock(&msi->ic->lock);
	disconnect(msi->ic, msi->gsi + vector, &msi->vector[vector]);
	pthread_mutex_unlock(&msi->ic->lock);
}

int irqchip_msi(struct irqchip *ic, unsigned vectors, struct msi *ret_msi)
{
	struct irqchip_msi *msi;
	unsigned i;

	msi = calloc(1, sizeof(*msi) + vectors * sizeof(msi->vector[0]));
	if (!msi)
		return -ENOMEM;
	msi->ic = ic;
	msi->count = vectors;
	for (i = 0; i < vectors; i++)
		msi->vector[i].fd = -1;
	pthread_mutex_lock(&ic->lock);
	msi->gsi = ic->next_gsi;
	ic->next_gsi += vectors;
	msi->next = ic->msis;
	ic->msis = msi;
	pthread_mutex_unlock(&ic->lock);
	*ret_msi = (struct msi){ .route = msi_set_route,
				 .unroute = msi_clear_route,
				 .opaque = msi };
	return 0;
}
