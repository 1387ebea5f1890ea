// SPDX-License-Identifier: MIT
/*
 * What split and packed virtqueues have in common: VIRTIO 1.2, 2.6, and the
 * gathering of a chain with all its checks.
 *
 * Not modelled: VIRTIO_F_IN_ORDER, VIRTIO_F_NOTIFICATION_DATA, the layout of
 * legacy devices.
 */
#include "virtio/queue.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "virtio/queue_ring.h"

/* 2.7.5.2: a chain is not longer than this in total. */
#define CHAIN_BYTES_MAX (UINT64_C(1) << 32)

/* One writer; virtq_stats_read() may be looking. */
static void count(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

int virtq_fail(struct virtq *q, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(q->why, sizeof(q->why), fmt, ap);
	va_end(ap);
	q->broken = true;
	return -EPROTO;
}

/* The contrary of a start. */
static int __attribute__((format(printf, 2, 3)))
refuse(struct virtq *q, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(q->why, sizeof(q->why), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/*
 * Where a part of the queue is, or NULL. It stays there while the queue runs.
 */
static uint8_t *find_part(struct virtq *q, const struct virtq_config *config,
			  const char *name, gpa_t gpa, uint32_t align,
			  uint32_t len)
{
	uint8_t *host;

	if (gpa % align) {
		refuse(q, "%s at %#llx: not a multiple of %u", name,
		       (unsigned long long)gpa, align);
		return NULL;
	}
	host = gmem_ptr(config->ram, gpa, len);
	if (!host)
		refuse(q, "%s at %#llx: its %u bytes are not all RAM", name,
		       (unsigned long long)gpa, len);
	return host;
}

int virtq_start(struct virtq *q, const struct virtq_config *config)
{
	const struct virtq_format *format =
		config->packed ? &virtq_packed : &virtq_split;
	uint32_t size = config->size;
	uint8_t *desc, *driver, *device;

	virtq_stop(q);
	if (size == 0 || size > VIRTQ_SIZE_MAX)
		return refuse(q, "a size of %u: not within 1 and %u", size,
			      VIRTQ_SIZE_MAX);
	if (!config->packed && (size & (size - 1)))
		return refuse(q, "a size of %u: no power of two", size);
	desc = find_part(q, config, "descriptor area", config->desc, 16,
			 size * VIRTQ_DESC_LEN);
	if (!desc)
		return -EINVAL;
	driver = find_part(q, config, "driver area", config->driver,
			   format->driver_align, format->driver_len(size));
	if (!driver)
		return -EINVAL;
	device = find_part(q, config, "device area", config->device, 4,
			   format->device_len(size));
	if (!device)
		return -EINVAL;

	q->config = *config;
	q->format = format;
	q->desc = desc;
	q->driver = driver;
	q->device = device;
	q->next_avail = q->next_used = q->avail_seen = 0;
	q->avail_wrap = q->used_wrap = true;
	q->held = 0;
	q->unsignalled = 0;
	q->why[0] = '\0';
	q->started = true;
	return 0;
}

void virtq_stop(struct virtq *q)
{
	q->started = q->broken = false;
	q->in_flight = 0;
	q->life++;
}

static bool usable(const struct virtq *q)
{
	return q->started && !q->broken;
}

int virtq_gather_add(struct virtq_gather *g, gpa_t addr, uint32_t len,
		     bool write)
{
	struct virtq_chain *chain = &g->chain;
	void *host;

	if (g->seen++ == chain->room)
		return virtq_fail(g->q, "a chain of more than %u buffers",
				  chain->room);
	if (g->writable && !write)
		return virtq_fail(g->q,
				  "a readable buffer after a writable one");
	g->writable = write;
	if (chain->out_len + chain->in_len + len > CHAIN_BYTES_MAX)
		return virtq_fail(g->q, "a chain of more than 2^32 bytes");
	if (len == 0)
		return 0;
	host = gmem_ptr(g->q->config.ram, addr, len);
	if (!host)
		return virtq_fail(g->q, "a buffer of %u bytes at %#llx: not RAM",
				  len, (unsigned long long)addr);
	chain->iov[chain->out + chain->in] = (struct iovec){
		.iov_base = host,
		.iov_len = len,
	};
	if (write) {
		chain->in++;
		chain->in_len += len;
	} else {
		chain->out++;
		chain->out_len += len;
	}
	return 0;
}

/*
 * A chain in a table may well have more descriptors than the queue has entries:
 * 2.7.5.3.1 says otherwise, but Linux makes such. What bounds it is room.
 */
int virtq_gather_table(struct virtq_gather *g, gpa_t addr, uint32_t len,
		       const uint8_t **ret_table, uint32_t *ret_entries)
{
	const uint8_t *table;

	if (!g->q->config.indirect)
		return virtq_fail(g->q,
				  "an indirect table without the feature");
	if (len == 0 || len % VIRTQ_DESC_LEN)
		return virtq_fail(
			g->q, "an indirect table of %u bytes: no multiple of %u",
			len, VIRTQ_DESC_LEN);
	if (len / VIRTQ_DESC_LEN > VIRTQ_SIZE_MAX)
		return virtq_fail(
			g->q, "an indirect table of %u entries: more than %u",
			len / VIRTQ_DESC_LEN, VIRTQ_SIZE_MAX);
	table = gmem_ptr(g->q->config.ram, addr, len);
	if (!table)
		return virtq_fail(
			g->q, "an indirect table of %u bytes at %#llx: not RAM",
			len, (unsigned long long)addr);
	*ret_table = table;
	*ret_entries = len / VIRTQ_DESC_LEN;
	return 0;
}

int virtq_pop(struct virtq *q, struct virtq_chain *chain)
{
	struct virtq_gather g = {
		.q = q,
		.chain = { .iov = chain->iov,
			   .room = chain->room,
			   .life = q->life },
	};
	int r;

	if (!q->started)
		return 0;
	if (q->broken)
		return -EPROTO;
	r = q->format->pop(q, &g);
	if (r <= 0)
		return r;
	q->in_flight++;
	*chain = g.chain;
	return 1;
}

void virtq_hold(struct virtq *q, const struct virtq_chain *chain,
		uint32_t written)
{
	if (!usable(q) || chain->life != q->life || q->in_flight == 0)
		return;
	q->format->hold(q, chain, written);
	q->in_flight--;
	q->held += chain->count;
	count(&q->stats.chains, 1);
	count(&q->stats.bytes, chain->out_len + written);
}

void virtq_publish(struct virtq *q)
{
	if (!usable(q) || q->held == 0)
		return;
	q->format->publish(q);
	/* After 2^16 every index and every slot has been used again. */
	q->unsignalled += q->held;
	if (q->unsignalled > 2 * VIRTQ_SIZE_MAX)
		q->unsignalled = 2 * VIRTQ_SIZE_MAX;
	q->held = 0;
}

void virtq_push(struct virtq *q, const struct virtq_chain *chain,
		uint32_t written)
{
	virtq_hold(q, chain, written);
	virtq_publish(q);
}

bool virtq_wants_interrupt(struct virtq *q)
{
	bool wants;

	virtq_publish(q);
	if (!usable(q) || q->unsignalled == 0)
		return false;
	/*
	 * The driver asks for interrupts, then looks for used buffers; we show
	 * used buffers, then look whether it asks. One of both must notice.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wants = q->format->wants_interrupt(q);
	q->unsignalled = 0;
	count(wants ? &q->stats.interrupts : &q->stats.interrupts_saved, 1);
	return wants;
}

bool virtq_set_notify(struct virtq *q, bool on)
{
	if (!usable(q))
		return false;
	q->format->set_notify(q, on);
	if (!on)
		return false;
	/* The same with the sides changed: 2.7.13.4, 2.8.21.2. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return q->format->pending(q);
}

void virtq_notified(struct virtq *q)
{
	count(&q->stats.notifications, 1);
}

void virtq_stats_read(const struct virtq *q, struct virtq_stats *ret_stats)
{
	const struct virtq_stats *s = &q->stats;

	*ret_stats = (struct virtq_stats){
		.chains = __atomic_load_n(&s->chains, __ATOMIC_RELAXED),
		.bytes = __atomic_load_n(&s->bytes, __ATOMIC_RELAXED),
		.notifications =
			__atomic_load_n(&s->notifications, __ATOMIC_RELAXED),
		.interrupts = __atomic_load_n(&s->interrupts, __ATOMIC_RELAXED),
		.interrupts_saved =
			__atomic_load_n(&s->interrupts_saved, __ATOMIC_RELAXED),
	};
}
