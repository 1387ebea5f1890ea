// SPDX-License-Identifier: MIT
/*
 * MSI-X. PCI Local Bus Specification 3.0, 6.8.2 and 6.8.3.
 *
 * A message that is changed while its vector is unmasked, which 6.8.3.1 leaves
 * undefined, is sent as it is written, half by half. What the board cannot route
 * stays pending, until the guest next touches the vector.
 */
#include "pci/msix.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base.h"

/* 6.8.2: a table entry. */
enum { ADDRESS_LOW = 0, ADDRESS_HIGH = 4, DATA = 8, VECTOR_CONTROL = 12 };

#define VECTOR_CONTROL_MASK 1u

static bool same(const struct msi_message *a, const struct msi_message *b)
{
	return a->address == b->address && a->data == b->data;
}

static void update(struct msix *m, unsigned i)
{
	struct msix_vector *v = &m->vector[i];

	if (!m->enabled || m->function_masked || v->masked) {
		if (v->routed)
			msi_unroute(&m->msi, i);
		v->routed = false;
	} else if (!v->routed || !same(&v->sent, &v->message)) {
		if (msi_route(&m->msi, i, &v->message, v->fd) == 0) {
			v->sent = v->message;
			v->routed = true;
		} else if (v->routed) {
			msi_unroute(&m->msi, i);
			v->routed = false;
		}
	}
}

static void update_all(struct msix *m)
{
	unsigned i;

	for (i = 0; i < m->count; i++)
		update(m, i);
}

void msix_set_control(struct msix *m, uint16_t control)
{
	m->enabled = control & MSIX_CONTROL_ENABLE;
	m->function_masked = control & MSIX_CONTROL_FUNCTION_MASK;
	update_all(m);
}

void msix_reset(struct msix *m)
{
	uint64_t events;
	unsigned i;

	msix_set_control(m, 0);
	for (i = 0; i < m->count; i++) {
		struct msix_vector *v = &m->vector[i];

		v->message = (struct msi_message){ 0 };
		v->masked = true;
		(void)!read(v->fd, &events, sizeof(events));
	}
}

/* ---- the table ---------------------------------------------------------- */

static bool fits(uint64_t off, unsigned size, uint64_t len)
{
	return (size == 4 || size == 8) && off % size == 0 && off < len &&
	       len - off >= size;
}

static uint32_t read_word(const struct msix *m, uint64_t off)
{
	const struct msix_vector *v = &m->vector[off / MSIX_ENTRY_LEN];

	switch (off % MSIX_ENTRY_LEN) {
	case ADDRESS_LOW: return (uint32_t)v->message.address;
	case ADDRESS_HIGH: return (uint32_t)(v->message.address >> 32);
	case DATA: return v->message.data;
	default: return v->masked ? VECTOR_CONTROL_MASK : 0;
	}
}

static void write_word(struct msix *m, uint64_t off, uint32_t val)
{
	struct msix_vector *v = &m->vector[off / MSIX_ENTRY_LEN];
	struct msi_message *msg = &v->message;

	switch (off % MSIX_ENTRY_LEN) {
	case ADDRESS_LOW:
		/* 6.8.3.1: the lowest two bits are zero. */
		msg->address &= ~(uint64_t)UINT32_MAX;
		msg->address |= val & ~3u;
		break;
	case ADDRESS_HIGH:
		msg->address &= UINT32_MAX;
		msg->address |= (uint64_t)val << 32;
		break;
	case DATA: msg->data = val; break;
	default: v->masked = val & VECTOR_CONTROL_MASK; break;
	}
}

uint64_t msix_table_read(const struct msix *m, uint64_t off, unsigned size)
{
	uint64_t val;

	if (!fits(off, size, (uint64_t)m->count * MSIX_ENTRY_LEN))
		return 0;
	val = read_word(m, off);
	if (size == 8)
		val |= (uint64_t)read_word(m, off + 4) << 32;
	return val;
}

void msix_table_write(struct msix *m, uint64_t off, unsigned size, uint64_t val)
{
	if (!fits(off, size, (uint64_t)m->count * MSIX_ENTRY_LEN))
		return;
	write_word(m, off, (uint32_t)val);
	if (size == 8)
		write_word(m, off + 4, (uint32_t)(val >> 32));
	update(m, (unsigned)(off / MSIX_ENTRY_LEN));
}

uint64_t msix_pba_read(const struct msix *m, uint64_t off, unsigned size)
{
	struct pollfd p[MSIX_VECTORS_MAX];
	unsigned i, first = (unsigned)off * 8, n = 0;
	uint64_t val = 0;

	if (!fits(off, size, MSIX_VECTORS_MAX / 8))
		return 0;
	for (i = first; i < m->count && n < size * 8; i++)
		p[n++] = (struct pollfd){
			.fd = m->vector[i].routed ? -1 : m->vector[i].fd,
			.events = POLLIN,
		};
	if (n == 0 || poll(p, n, 0) <= 0)
		return 0;
	for (i = 0; i < n; i++)
		if (p[i].revents & POLLIN)
			val |= BIT64(i);
	return val;
}

void msix_raise(const struct msix *m, unsigned vector)
{
	uint64_t one = 1;

	if (vector < m->count)
		(void)!write(m->vector[vector].fd, &one, sizeof(one));
}

/* ---- life --------------------------------------------------------------- */

void msix_done(struct msix *m)
{
	unsigned i;

	for (i = 0; i < m->count; i++) {
		if (m->vector[i].routed)
			msi_unroute(&m->msi, i);
		if (m->vector[i].fd >= 0)
			close(m->vector[i].fd);
	}
	free(m->vector);
	*m = (struct msix){ 0 };
}

int msix_init(struct msix *m, const struct msi *msi, unsigned count)
{
	unsigned i;

	*m = (struct msix){ .msi = *msi };
	m->vector = calloc(count, sizeof(*m->vector));
	if (!m->vector)
		return -ENOMEM;
	m->count = count;
	for (i = 0; i < count; i++)
		m->vector[i] = (struct msix_vector){ .masked = true, .fd = -1 };
	for (i = 0; i < count; i++) {
		m->vector[i].fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (m->vector[i].fd < 0)
			return -errno;
	}
	return 0;
}
