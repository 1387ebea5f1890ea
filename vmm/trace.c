// SPDX-License-Identifier: MIT
/*
 * A ring has one producer, its vCPU, and one consumer, the writer. head and tail
 * only grow; the producer's release of head pairs with the writer's acquire, and
 * the writer's release of tail with the producer's acquire.
 *
 * The writer looks at the rings fifty times a second, and when a vCPU that has
 * filled a quarter of its ring wakes it.
 */
#include "trace.h"

#include <errno.h>
#include <linux/kvm.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/fd_sink.h"
#include "core/base.h"
#include "core/device.h"
#include "flight.h"
#include "thread.h"
#include "trace_json.h"
#include "trapmap/trapmap.h"
#include "tsc.h"

/*
 * A vCPU stands from FULL on until half of that is left. What is above FULL is
 * for the exits that finish its instruction, see vcpu.c.
 */
#define FULL 4096
#define ROOM 8192 /* a power of two */
#define WAKE (FULL / 4)

#define PERIOD_NS (20 * NSEC_PER_MSEC)
#define DRAIN_MS 2000 /* without a byte taken, while the VM ends */
#define POLL_MS 50
/* Over a shorter time the worth of a tick would be a guess. */
#define SPAN_NS ((uint64_t)NSEC_PER_MSEC)

#define BUFFER 65536
#define LINES (BUFFER / 64)

struct entry {
	struct flight_record rec;
	uint64_t ticks;
};

struct ring {
	_Atomic uint64_t head;
	_Atomic uint64_t tail;
	_Atomic bool full;
	/* The writer's own. */
	uint64_t limit; /* of this pass */
	uint64_t end_ns; /* of the last exit */
	struct entry entry[ROOM];
};

struct trace {
	uint32_t kinds;
	uint64_t first, last;
	const struct bus *pio, *mmio;
	struct trace_hooks hooks;
	unsigned cpus;
	struct ring *ring;
	struct fd_sink sink;
	struct tsc_mark start;

	pthread_t thread;
	bool joinable;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool awake; /* lock: somebody wants the writer */
	_Atomic bool draining;
	_Atomic bool abandoned;
	_Atomic bool ended; /* the writer will write no more */
	_Atomic int error;
	_Atomic uint64_t kernel_offset;

	/* The writer's own, and anybody's once it has been joined. */
	uint64_t exits;
	size_t len; /* of buf */
	unsigned lines; /* exits in buf, with their ends */
	uint32_t line_end[LINES];
	char buf[BUFFER];
};

uint32_t trace_kind(uint32_t reason)
{
	switch (reason) {
	case KVM_EXIT_IO: return TRAPMAP_TRACE_PIO;
	case KVM_EXIT_MMIO: return TRAPMAP_TRACE_MMIO;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR: return TRAPMAP_TRACE_MSR;
	case KVM_EXIT_HYPERCALL: return TRAPMAP_TRACE_HYPERCALL;
	}
	return TRAPMAP_TRACE_OTHER;
}

/* ---- the vCPUs' side ------------------------------------------------------ */

static void wake_writer(struct trace *t)
{
	pthread_mutex_lock(&t->lock);
	t->awake = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
}

/* Keeps the first reason; the writer then ends by itself. */
static void fail(struct trace *t, int err)
{
	int none = 0;

	atomic_compare_exchange_strong(&t->error, &none, err);
}

static bool is_wanted(const struct trace *t, const struct flight_record *rec)
{
	uint32_t kind = trace_kind(rec->reason);

	if (!(t->kinds & kind))
		return false;
	if (t->first == 0 && t->last == UINT64_MAX)
		return true;
	return kind != TRAPMAP_TRACE_OTHER && rec->addr >= t->first &&
	       rec->addr <= t->last;
}

bool trace_is_full(const struct trace *t, unsigned vcpu)
{
	return atomic_load(&t->ring[vcpu].full) && !atomic_load(&t->ended);
}

bool trace_put(struct trace *t, unsigned vcpu, const struct flight_record *rec,
	       uint64_t ticks)
{
	struct ring *ring = &t->ring[vcpu];
	uint64_t head, level;

	if (!is_wanted(t, rec) ||
	    atomic_load_explicit(&t->ended, memory_order_relaxed))
		return false;
	head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	level = head - atomic_load_explicit(&ring->tail, memory_order_acquire);
	if (level == ROOM) {
		fail(t, -EOVERFLOW);
		wake_writer(t);
		return false;
	}
	ring->entry[head % ROOM] = (struct entry){ *rec, ticks };
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	if (++level == WAKE)
		wake_writer(t);
	if (level < FULL)
		return false;
	/* The writer looks at it after each pass, so it may come late. */
	atomic_store(&ring->full, true);
	wake_writer(t);
	return trace_is_full(t, vcpu);
}

/* ---- the writer: out ------------------------------------------------------ */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 +
	       (uint64_t)(ts.tv_nsec / NSEC_PER_MSEC);
}

/* All of buf. Returns 0 or -errno; *ret_done is what has gone either way. */
static int write_all(struct trace *t, size_t *ret_done)
{
	struct pollfd p = { .fd = t->sink.fd, .events = POLLOUT };
	uint64_t since = 0; /* when the reader began to take nothing */
	ssize_t n;

	*ret_done = 0;
	while (*ret_done < t->len) {
		if (atomic_load(&t->abandoned))
			return -ECANCELED;
		n = fd_sink_write(&t->sink, (uint8_t *)t->buf + *ret_done,
				  t->len - *ret_done);
		if (n >= 0) {
			*ret_done += (size_t)n;
			since = 0;
			continue;
		}
		if (n != -EAGAIN)
			return (int)n;
		if (atomic_load(&t->draining)) {
			if (since == 0)
				since = now_ms();
			else if (now_ms() - since > DRAIN_MS)
				return -ETIMEDOUT;
		}
		(void)poll(&p, 1, POLL_MS);
	}
	return 0;
}

static int flush(struct trace *t)
{
	size_t done;
	unsigned i;
	int r = write_all(t, &done);

	for (i = 0; i < t->lines && t->line_end[i] <= done; i++)
		t->exits++;
	t->lines = 0;
	t->len = 0;
	return r;
}

/* Where the next line goes, behind what separates it from the last. */
static char *begin_line(struct trace *t)
{
	memcpy(t->buf + t->len, ",\n", 2);
	t->len += 2;
	return t->buf + t->len;
}

/* ---- the writer: in ------------------------------------------------------- */

/* Of the exits that were there at the pass's beginning, the one that came first. */
static struct ring *next_ring(struct trace *t)
{
	struct ring *best = NULL;
	uint64_t best_tsc = 0;
	unsigned i;

	for (i = 0; i < t->cpus; i++) {
		struct ring *ring = &t->ring[i];
		uint64_t tail = atomic_load_explicit(&ring->tail,
						     memory_order_relaxed);
		uint64_t tsc;

		if (tail == ring->limit)
			continue;
		tsc = ring->entry[tail % ROOM].rec.tsc;
		if (!best || tsc < best_tsc) {
			best = ring;
			best_tsc = tsc;
		}
	}
	return best;
}

static void take_one(struct trace *t, struct ring *ring,
		     const struct tsc_mark *now)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	const struct entry *e = &ring->entry[tail % ROOM];
	const struct device *dev = flight_device(&e->rec, t->pio, t->mmio);
	uint64_t ns = 0, dur = tsc_to_ns(&t->start, now, e->ticks);
	char *line;

	if (e->rec.tsc > t->start.tsc)
		ns = tsc_to_ns(&t->start, now, e->rec.tsc - t->start.tsc);
	/* Each pass has another idea of a tick: none shall overlap its like. */
	if (ns < ring->end_ns)
		ns = ring->end_ns;
	ring->end_ns = ns + dur;
	line = begin_line(t);
	t->len += trace_json_exit(line, &e->rec, (unsigned)(ring - t->ring), ns,
				  dur, dev ? dev->ops->name : NULL);
	t->line_end[t->lines++] = (uint32_t)t->len;
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

/* Lets those go that waited. */
static void tell_room(struct trace *t)
{
	bool any = false;
	unsigned i;

	for (i = 0; i < t->cpus; i++) {
		struct ring *ring = &t->ring[i];

		if (!atomic_load(&ring->full))
			continue;
		if (atomic_load(&ring->head) - atomic_load(&ring->tail) >
			    FULL / 2 &&
		    !atomic_load(&t->ended))
			continue;
		atomic_store(&ring->full, false);
		any = true;
	}
	if (any)
		t->hooks.room(t->hooks.opaque);
}

/* What has come since the last pass. Returns 0 or -errno. */
static int pass(struct trace *t)
{
	struct tsc_mark now;
	struct ring *ring;
	bool any = false;
	unsigned i;
	int r;

	for (i = 0; i < t->cpus; i++) {
		t->ring[i].limit = atomic_load_explicit(&t->ring[i].head,
							memory_order_acquire);
		any |= t->ring[i].limit != atomic_load(&t->ring[i].tail);
	}
	now = tsc_mark();
	if (any && now.ns - t->start.ns < SPAN_NS) {
		nanosleep(&(struct timespec){ .tv_nsec = (long)SPAN_NS }, NULL);
		now = tsc_mark();
	}
	while ((ring = next_ring(t))) {
		take_one(t, ring, &now);
		if (t->len + TRACE_JSON_MAX + 2 <= BUFFER && t->lines < LINES)
			continue;
		r = flush(t);
		if (r < 0)
			return r;
		tell_room(t);
	}
	r = flush(t);
	tell_room(t);
	return r;
}

static void wait_for_work(struct trace *t)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PERIOD_NS;
	if (until.tv_nsec >= NSEC_PER_SEC) {
		until.tv_nsec -= NSEC_PER_SEC;
		until.tv_sec++;
	}
	pthread_mutex_lock(&t->lock);
	while (!t->awake &&
	       pthread_cond_timedwait(&t->wake, &t->lock, &until) == 0)
		;
	t->awake = false;
	pthread_mutex_unlock(&t->lock);
}

static int write_end(struct trace *t)
{
	char *line = begin_line(t);

	t->len += trace_json_end(line, t->exits,
				 atomic_load(&t->kernel_offset));
	memcpy(t->buf + t->len, "\n]\n", 3);
	t->len += 3;
	return flush(t);
}

static void *writer(void *opaque)
{
	struct trace *t = opaque;
	bool last = false;
	int r = 0;

	thread_set_name("trapmap-trace");
	while (r == 0 && !last) {
		/* Read first: then the pass sees all that there will be. */
		last = atomic_load(&t->draining);
		r = pass(t) ?: atomic_load(&t->error);
		if (r == 0 && last)
			r = write_end(t);
		else if (r == 0)
			wait_for_work(t);
	}
	if (r < 0)
		fail(t, r);
	atomic_store(&t->ended, true);
	tell_room(t);
	t->hooks.drained(t->hooks.opaque);
	return NULL;
}

/* ---- start and end -------------------------------------------------------- */

static void write_head(struct trace *t)
{
	char *line;
	unsigned i;

	memcpy(t->buf, "[\n", 2);
	t->len = 2;
	t->len += trace_json_process(t->buf + t->len);
	line = begin_line(t);
	t->len += trace_json_version(line);
	for (i = 0; i < t->cpus; i++) {
		line = begin_line(t);
		t->len += trace_json_vcpu(line, i);
	}
}

int trace_new(const struct trapmap_trace *config, unsigned cpus,
	      const struct bus *pio, const struct bus *mmio,
	      const struct trace_hooks *hooks, struct trace **ret_trace)
{
	struct trace *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;
	int r;

	if (!t)
		return -ENOMEM;
	t->kinds = config->kinds ? config->kinds : UINT32_MAX;
	t->first = config->first;
	t->last = config->last ? config->last : UINT64_MAX;
	t->pio = pio;
	t->mmio = mmio;
	t->hooks = *hooks;
	t->cpus = cpus;
	/* Memory that a vCPU never fills is never there. */
	t->ring = calloc(cpus, sizeof(*t->ring));
	r = t->ring ? fd_sink_init(&t->sink, config->fd) : -ENOMEM;
	if (r < 0) {
		free(t->ring);
		free(t);
		return r;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	t->start = tsc_mark();
	write_head(t);
	r = thread_start(&t->thread, writer, t);
	if (r < 0) {
		trace_free(t);
		return r;
	}
	t->joinable = true;
	*ret_trace = t;
	return 0;
}

bool trace_drain(struct trace *t, uint64_t kernel_offset)
{
	if (!atomic_load(&t->draining)) {
		atomic_store(&t->kernel_offset, kernel_offset);
		atomic_store(&t->draining, true);
		wake_writer(t);
	}
	return atomic_load(&t->ended);
}

int trace_finish(struct trace *t, uint64_t kernel_offset, uint64_t *ret_exits)
{
	(void)trace_drain(t, kernel_offset);
	if (t->joinable)
		pthread_join(t->thread, NULL);
	t->joinable = false;
	*ret_exits = t->exits;
	return atomic_load(&t->error);
}

void trace_abandon(struct trace *t)
{
	atomic_store(&t->abandoned, true);
}

struct trace *trace_free(struct trace *t)
{
	uint64_t exits;

	if (!t)
		return NULL;
	trace_abandon(t);
	(void)trace_finish(t, 0, &exits);
	fd_sink_done(&t->sink);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t->ring);
	free(t);
	return NULL;
}
