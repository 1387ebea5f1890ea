// SPDX-License-Identifier: MIT
/*
 * The traditional memory balloon. VIRTIO 1.2, 5.5: pages that the guest gives up
 * (inflateq) or has no use for at the moment (reporting_vq) go back to the host,
 * and the guest's statistics.
 *
 * A page that has gone back is one of zeroes as soon as it is touched. So there is
 * nothing to do for a page that the guest takes back, and nothing to keep of which
 * pages it gave up; a page that is given up twice costs a call and no more.
 *
 * 5.5.2 numbers the queues whether or not the features are there that they belong
 * to; Linux leaves no gaps. Both find their queue here: see role_of().
 *
 * The guest tells its statistics once at the start and then each time that it is
 * asked, which virtio_balloon_get_stats() does. There is no timer that would wake
 * an idle guest.
 *
 * Not modelled: VIRTIO_BALLOON_F_FREE_PAGE_HINT, which serves migration. Of a
 * request of more than REQUEST_PFNS pages (Linux makes such of 256) the rest stays
 * where it is, with the guest none the wiser.
 */
#include "virtio/balloon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"

/* 5.5.2; Linux wants 32 entries of the last (PAGE_REPORTING_CAPACITY). */
#define QUEUE_SIZE 128
#define CHAIN_MAX 128
enum { INFLATEQ, DEFLATEQ, STATSQ, FREE_PAGE_VQ, REPORTING_VQ, QUEUES };

/* 5.5.4: offsets of the configuration space. */
enum { NUM_PAGES = 0, ACTUAL = 4, FREE_PAGE_HINT_CMD_ID = 8, POISON_VAL = 12 };
#define CONFIG_LEN 16

/* 5.5.6.3: struct virtio_balloon_stat */
#define STAT_LEN 10
/* As many as are looked at in one buffer; there are ten kinds. */
#define STATS_MAX 64

#define PAGE_SHIFT 12
#define REQUEST_PFNS 4096u
/*
 * What a notification may be about before others have their turn: a call for each
 * page, or the host's work for so many bytes.
 */
#define ROUND_PFNS 4096u
#define ROUND_BYTES MIB(256)

struct virtio_balloon {
	struct virtio_device vd;
	struct virtio_balloon_config cfg;
	struct {
		uint8_t config[CONFIG_LEN];
	} state;
	/* The statsq's buffer, which comes back when the guest is asked. */
	struct virtq_chain stats_chain;
	bool stats_held;
	bool complained;
	struct virtio_balloon_stats stats; /* without target and actual */
	uint32_t pfn[REQUEST_PFNS]; /* of the request at hand */
};

/* Pages in a row that go back with one call. */
struct run {
	uint8_t *at;
	size_t len;
	uint64_t *sum; /* counts them */
};

enum role { INFLATE, DEFLATE, STATS, REPORTING, NONE };

static struct virtio_balloon *to_balloon(struct virtio_device *vd)
{
	return container_of(vd, struct virtio_balloon, vd);
}

static enum role role_of(const struct virtio_device *vd, unsigned queue)
{
	if (queue == INFLATEQ)
		return INFLATE;
	if (queue == DEFLATEQ)
		return DEFLATE;
	if (queue == STATSQ && virtio_has(vd, VIRTIO_BALLOON_F_STATS_VQ))
		return STATS;
	/* 4 by the standard; by Linux the first that no other queue has. */
	return virtio_has(vd, VIRTIO_BALLOON_F_PAGE_REPORTING) ? REPORTING :
								 NONE;
}

/* ---- pages -------------------------------------------------------------- */

static void run_flush(struct virtio_balloon *b, struct run *run)
{
	char text[64];
	int r;

	if (run->len == 0)
		return;
	r = b->cfg.discard(b->cfg.opaque, run->at, run->len);
	if (r == 0) {
		*run->sum += run->len;
	} else if (!b->complained) {
		b->complained = true;
		snprintf(text, sizeof(text),
			 "the host does not take memory back: error %d", -r);
		notice_say(&b->vd.notice, text);
	}
	run->len = 0;
}

static void run_add(struct virtio_balloon *b, struct run *run, uint8_t *at,
		    size_t len)
{
	if (run->len == 0 || at != run->at + run->len) {
		run_flush(b, run);
		run->at = at;
	}
	run->len += len;
}

static int compare_pfn(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Returns how much work it was. */
static uint32_t inflate(struct virtio_balloon *b,
			const struct virtq_chain *chain)
{
	struct run run = { .sum = &b->stats.inflated };
	uint32_t n = REQUEST_PFNS, i;

	if (chain->out_len % sizeof(uint32_t)) {
		virtio_fail(&b->vd, "an inflate request of %llu bytes: no "
				    "multiple of 4",
			    (unsigned long long)chain->out_len);
		return 0;
	}
	if (chain->out_len < sizeof(b->pfn))
		n = (uint32_t)(chain->out_len / sizeof(uint32_t));
	virtq_copy_out(chain, 0, b->pfn, n * sizeof(uint32_t));
	for (i = 0; i < n; i++)
		b->pfn[i] = get_le32(&b->pfn[i]);
	qsort(b->pfn, n, sizeof(b->pfn[0]), compare_pfn);
	for (i = 0; i < n; i++) {
		gpa_t gpa = (gpa_t)b->pfn[i] << PAGE_SHIFT;
		uint8_t *host;

		if (i > 0 && b->pfn[i] == b->pfn[i - 1])
			continue;
		host = gmem_ptr(b->cfg.ram, gpa, VIRTIO_BALLOON_PAGE);
		if (!host) {
			virtio_fail(&b->vd, "page %#x was given up: not RAM",
				    b->pfn[i]);
			break;
		}
		run_add(b, &run, host, VIRTIO_BALLOON_PAGE);
	}
	run_flush(b, &run);
	return n;
}

/* Whether what a page holds now may become zeroes (5.5.6.7). */
static bool may_clear(const struct virtio_balloon *b)
{
	return !virtio_has(&b->vd, VIRTIO_BALLOON_F_PAGE_POISON) ||
	       get_le32(b->state.config + POISON_VAL) == 0;
}

/* 5.5.6.7: the buffers are the pages. Returns how much work it was. */
static uint64_t report(struct virtio_balloon *b,
		       const struct virtq_chain *chain)
{
	struct run run = { .sum = &b->stats.reported };
	unsigned i;

	if (!may_clear(b))
		return 0;
	for (i = 0; i < chain->in; i++) {
		const struct iovec *iov = &chain->iov[chain->out + i];
		uintptr_t from = align_up((uintptr_t)iov->iov_base,
					  VIRTIO_BALLOON_PAGE);
		uintptr_t to = align_down((uintptr_t)iov->iov_base +
						  iov->iov_len,
					  VIRTIO_BALLOON_PAGE);

		if (from < to)
			run_add(b, &run, (uint8_t *)from, to - from);
	}
	run_flush(b, &run);
	return chain->in_len;
}

/* ---- statistics --------------------------------------------------------- */

static void forget_stats(struct virtio_balloon *b)
{
	struct virtio_balloon_stats *s = &b->stats;

	s->swap_in = s->swap_out = VIRTIO_BALLOON_UNTOLD;
	s->free = s->total = s->available = s->caches = VIRTIO_BALLOON_UNTOLD;
	s->major_faults = s->minor_faults = VIRTIO_BALLOON_UNTOLD;
}

static void take_stats(struct virtio_balloon *b,
		       const struct virtq_chain *chain)
{
	struct virtio_balloon_stats *s = &b->stats;
	uint64_t *const by_tag[] = {
		&s->swap_in, &s->swap_out, &s->major_faults, &s->minor_faults,
		&s->free, &s->total, &s->available, &s->caches,
	};
	uint8_t stat[STAT_LEN];
	uint64_t off = 0;
	unsigned i;

	forget_stats(b);
	for (i = 0; i < STATS_MAX; i++, off += STAT_LEN) {
		if (virtq_copy_out(chain, off, stat, STAT_LEN) < STAT_LEN)
			return;
		if (get_le16(stat) < ARRAY_SIZE(by_tag))
			*by_tag[get_le16(stat)] = get_le64(stat + 2);
	}
}

/* Gives the buffer back, which asks for another (5.5.6.3). */
static void ask_for_stats(struct virtio_balloon *b)
{
	if (!b->stats_held)
		return;
	b->stats_held = false;
	virtio_push(&b->vd, STATSQ, &b->stats_chain, 0);
}

/* ---- queues ------------------------------------------------------------- */

/* Returns whether there may be more before others have their turn. */
static bool handle(struct virtio_balloon *b, unsigned queue, enum role role,
		   const struct virtq_chain *chain, uint64_t *work)
{
	switch (role) {
	case STATS:
		/* One that is there although 5.5.6.3 allows only one. */
		ask_for_stats(b);
		take_stats(b, chain);
		b->stats_chain = *chain;
		b->stats_chain.iov = NULL; /* nothing of it is read again */
		b->stats_held = true;
		return true;
	case INFLATE:
		*work += (uint64_t)inflate(b, chain) * (ROUND_BYTES / ROUND_PFNS);
		break;
	case REPORTING: *work += report(b, chain); break;
	case DEFLATE:
	case NONE: break;
	}
	virtio_push(&b->vd, queue, chain, 0);
	return *work < ROUND_BYTES;
}

static void balloon_notify(struct virtio_device *vd, unsigned queue)
{
	struct virtio_balloon *b = to_balloon(vd);
	enum role role = role_of(vd, queue);
	struct virtq *q = &vd->queue[queue].q;
	struct iovec iov[CHAIN_MAX];
	struct virtq_chain chain = { .iov = iov, .room = CHAIN_MAX };
	unsigned budget = QUEUE_SIZE;
	uint64_t work = 0;

	if (role == NONE) {
		virtio_fail(vd, "queue %u is of a feature that was not accepted",
			    queue);
		return;
	}
	do {
		virtq_set_notify(q, false);
		while (budget > 0 && virtio_pop(vd, queue, &chain) > 0)
			if (handle(b, queue, role, &chain, &work))
				budget--;
			else
				budget = 0;
		if (budget == 0) {
			virtio_again(vd, queue);
			return;
		}
	} while (virtq_set_notify(q, true));
}

/* ---- configuration space ------------------------------------------------ */

static void balloon_config_read(struct virtio_device *vd, size_t off, void *buf,
				size_t len)
{
	memcpy(buf, to_balloon(vd)->state.config + off, len);
}

static bool is_writable(const struct virtio_device *vd, size_t off)
{
	if (off >= ACTUAL && off < FREE_PAGE_HINT_CMD_ID)
		return vd->started;
	/* 5.5.6.6.1: before DRIVER_OK, and not after it. */
	return off >= POISON_VAL && !vd->started &&
	       virtio_has(vd, VIRTIO_BALLOON_F_PAGE_POISON);
}

static void balloon_config_write(struct virtio_device *vd, size_t off,
				 const void *buf, size_t len)
{
	struct virtio_balloon *b = to_balloon(vd);
	const uint8_t *from = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (is_writable(vd, off + i))
			b->state.config[off + i] = from[i];
}

static void set_target(struct virtio_balloon *b, uint64_t bytes)
{
	uint64_t pages = bytes >> PAGE_SHIFT;

	put_le32(b->state.config + NUM_PAGES,
		 pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX);
}

static uint64_t bytes_at(const struct virtio_balloon *b, size_t off)
{
	return (uint64_t)get_le32(b->state.config + off) << PAGE_SHIFT;
}

/* ---- for the VM --------------------------------------------------------- */

void virtio_balloon_set_target(struct virtio_device *vd, uint64_t bytes)
{
	struct virtio_balloon *b = to_balloon(vd);
	uint64_t before;

	virtio_lock(vd);
	before = bytes_at(b, NUM_PAGES);
	set_target(b, bytes);
	if (bytes_at(b, NUM_PAGES) != before)
		virtio_config_changed(vd);
	virtio_unlock(vd);
}

void virtio_balloon_get_stats(struct virtio_device *vd, bool ask,
			      struct virtio_balloon_stats *ret_stats)
{
	struct virtio_balloon *b = to_balloon(vd);

	virtio_lock(vd);
	*ret_stats = b->stats;
	ret_stats->target = bytes_at(b, NUM_PAGES);
	ret_stats->actual = bytes_at(b, ACTUAL);
	if (ask)
		ask_for_stats(b);
	virtio_unlock(vd);
}

/* ---- life --------------------------------------------------------------- */

/* A driver that begins has given up nothing yet, and told nothing. */
static void balloon_stop(struct virtio_device *vd)
{
	struct virtio_balloon *b = to_balloon(vd);

	b->stats_held = false;
	b->complained = false;
	forget_stats(b);
	put_le32(b->state.config + ACTUAL, 0);
	put_le32(b->state.config + POISON_VAL, 0);
}

static void balloon_free(struct virtio_device *vd)
{
	virtio_done(vd);
	free(to_balloon(vd));
}

static const struct virtio_ops balloon_ops = {
	.name = "virtio-balloon",
	.id = VIRTIO_ID_BALLOON,
	.config_read = balloon_config_read,
	.config_write = balloon_config_write,
	.stop = balloon_stop,
	.notify = balloon_notify,
	.free = balloon_free,
};

int virtio_balloon_new(const struct virtio_balloon_config *config,
		       struct virtio_device **ret_vd)
{
	static const uint16_t sizes[QUEUES] = {
		QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE,
	};
	struct virtio_config common = {
		.ops = &balloon_ops,
		.ram = config->ram,
		.queues = config->reporting ? QUEUES : STATSQ + 1,
		.sizes = sizes,
		.config_len = CONFIG_LEN,
		.features = BIT64(VIRTIO_BALLOON_F_MUST_TELL_HOST) |
			    BIT64(VIRTIO_BALLOON_F_STATS_VQ) |
			    BIT64(VIRTIO_BALLOON_F_PAGE_POISON),
	};
	struct virtio_balloon *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	if (config->reporting)
		common.features |= BIT64(VIRTIO_BALLOON_F_PAGE_REPORTING);
	if (config->deflate_on_oom)
		common.features |= BIT64(VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	if (virtio_init(&b->vd, &common) < 0) {
		free(b);
		return -ENOMEM;
	}
	b->cfg = *config;
	forget_stats(b);
	set_target(b, config->target);
	*ret_vd = &b->vd;
	return 0;
}
