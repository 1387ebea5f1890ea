// SPDX-License-Identifier: MIT
/*
 * A guest that writes what it likes into a virtqueue's rings while a device uses
 * it. The first bytes say where the queue is and of what kind; then come steps:
 * bytes into RAM, a proper request, pop, push, hold, questions, stop and start.
 * Checks that every span is in RAM, every sum right, and broken stays broken.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/gmem.h"
#include "virtio/queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LOW_LEN 8192u
#define HIGH 0x10000
#define HIGH_LEN 4096u

#define TAKEN_MAX 8
#define ROOM 6

struct rig {
	struct gmem ram;
	uint8_t *low, *high;
	struct virtq q;
	struct virtq_config config;
	struct virtq_chain taken[TAKEN_MAX];
	struct iovec iov[TAKEN_MAX][ROOM];
	unsigned count; /* of those taken, from the first on */
};

/* The input; zeros once it is at its end. */
struct input {
	const uint8_t *data;
	size_t len;
};

static uint8_t take8(struct input *in)
{
	if (in->len == 0)
		return 0;
	in->len--;
	return *in->data++;
}

static uint16_t take16(struct input *in)
{
	uint16_t low = take8(in);

	return (uint16_t)(low | take8(in) << 8);
}

static void must(int cond)
{
	if (!cond)
		abort();
}

static int within(const uint8_t *mem, size_t mem_len, const struct iovec *v)
{
	const uint8_t *p = v->iov_base;

	return p >= mem && p < mem + mem_len &&
	       v->iov_len <= (size_t)(mem + mem_len - p);
}

/* Every span of a chain, read and written to its last byte. */
static void use(struct rig *rig, struct virtq_chain *c)
{
	static uint8_t buf[ROOM * LOW_LEN];
	struct iovec rest[ROOM], *left;
	uint64_t out = 0, in = 0;
	unsigned i;

	must(c->out + c->in <= ROOM);
	for (i = 0; i < c->out + c->in; i++) {
		must(c->iov[i].iov_len > 0);
		must(within(rig->low, LOW_LEN, &c->iov[i]) ||
		     within(rig->high, HIGH_LEN, &c->iov[i]));
		if (i < c->out)
			out += c->iov[i].iov_len;
		else
			in += c->iov[i].iov_len;
	}
	must(out == c->out_len && in == c->in_len);
	must(virtq_copy_out(c, 0, buf, sizeof(buf)) == out);
	must(virtq_copy_out(c, out / 2, buf, sizeof(buf)) == out - out / 2);
	/* Often into the rings themselves. */
	must(virtq_copy_in(c, in / 2, buf, sizeof(buf)) == in - in / 2);

	/* As a disk does: without a first and a last byte. */
	memcpy(rest, c->iov, sizeof(rest));
	i = c->out;
	left = virtq_trim(rest, &i, 1, out);
	for (out = out ? out - 1 : 0; i > 0; i--, left++)
		out -= left->iov_len;
	i = c->in;
	left = virtq_trim(rest + c->out, &i, 0, in ? in - 1 : 0);
	for (in = in ? in - 1 : 0; i > 0; i--, left++)
		in -= left->iov_len;
	must(out == 0 && in == 0);
}

static void start(struct rig *rig)
{
	int r = virtq_start(&rig->q, &rig->config);

	must(r == 0 || (r == -EINVAL && rig->q.why[0]));
	must(rig->q.started == (r == 0) && !rig->q.broken);
}

static void pop(struct rig *rig)
{
	bool broken = rig->q.broken, started = rig->q.started;
	struct virtq_chain *c;
	int r;

	if (rig->count == TAKEN_MAX)
		return;
	c = &rig->taken[rig->count];
	*c = (struct virtq_chain){ .iov = rig->iov[rig->count], .room = ROOM };
	r = virtq_pop(&rig->q, c);
	must(r == 1 || r == 0 || r == -EPROTO);
	must((r == -EPROTO) == rig->q.broken);
	if (broken)
		must(r == -EPROTO);
	if (!started)
		must(r == 0);
	if (r < 0)
		must(rig->q.why[0] && !c->out && !c->in);
	if (r == 1) {
		use(rig, c);
		rig->count++;
	}
}

static void push(struct rig *rig, unsigned which, uint32_t written, bool hold)
{
	struct virtq_chain c;
	struct iovec iov[ROOM];
	unsigned i;

	if (rig->count == 0)
		return;
	which %= rig->count;
	c = rig->taken[which];
	memcpy(iov, rig->iov[which], sizeof(iov));
	/* The last one takes its place. */
	rig->count--;
	memcpy(rig->iov[which], rig->iov[rig->count], sizeof(iov));
	rig->taken[which] = rig->taken[rig->count];
	for (i = 0; i < rig->count; i++)
		rig->taken[i].iov = rig->iov[i];
	if (hold)
		virtq_hold(&rig->q, &c, written);
	else
		virtq_push(&rig->q, &c, written);
}

/* Bytes of the input into RAM, near the queue's parts or anywhere. */
static void scribble(struct rig *rig, struct input *in)
{
	const gpa_t bases[] = { rig->config.desc, rig->config.driver,
				rig->config.device, 0, HIGH };
	uint8_t what = take8(in);
	gpa_t at = bases[what % ARRAY_SIZE(bases)] + take8(in);
	unsigned n = 1 + what / ARRAY_SIZE(bases) % 16;

	for (; n > 0; n--, at++) {
		uint8_t byte = take8(in);

		gmem_write(&rig->ram, at, &byte, 1);
	}
}

/* A descriptor made of sensible parts: few bytes of input go a long way. */
static void describe(struct rig *rig, struct input *in)
{
	uint8_t slot = take8(in), bits = take8(in), where = take8(in);
	uint64_t addr = where & 0x80 ? HIGH + where * 32 % HIGH_LEN
				     : where * 64u;
	uint32_t len = take8(in) * (bits & 0x40 ? 16u : 1u);
	uint16_t flags = bits & 7, next = take8(in) % 16;
	uint8_t d[16];

	if (rig->config.packed)
		flags |= bits & 0x10 ? 0x80 : 0x8000;
	memcpy(d, &addr, 8);
	memcpy(d + 8, &len, 4);
	memcpy(d + 12, rig->config.packed ? &next : &flags, 2);
	memcpy(d + 14, rig->config.packed ? &flags : &next, 2);
	/* In the ring, or where a table may well be. */
	gmem_write(&rig->ram,
		   (bits & 0x20 ? where * 64u : rig->config.desc) +
			   slot % 16 * 16u,
		   d, sizeof(d));
}

/* Split: one more entry. */
static void offer(struct rig *rig, struct input *in)
{
	uint16_t idx, head = take8(in) % 16;

	if (rig->config.packed || !rig->config.size ||
	    gmem_read(&rig->ram, rig->config.driver + 2, &idx, 2) < 0)
		return;
	gmem_write(&rig->ram,
		   rig->config.driver + 4 + 2 * (idx % rig->config.size), &head,
		   2);
	idx++;
	gmem_write(&rig->ram, rig->config.driver + 2, &idx, 2);
}

static void step(struct rig *rig, struct input *in)
{
	uint8_t op = take8(in);
	struct virtq_stats s;

	switch (op % 16) {
	case 0:
	case 1:
	case 2: describe(rig, in); break;
	case 3:
	case 4: offer(rig, in); break;
	case 5: scribble(rig, in); break;
	case 6:
	case 7:
	case 8: pop(rig); break;
	case 9:
	case 10: push(rig, op >> 4, take16(in), op % 16 == 10); break;
	case 11: virtq_publish(&rig->q); break;
	case 12:
		if (virtq_wants_interrupt(&rig->q))
			must(rig->q.started && !rig->q.broken);
		must(!virtq_wants_interrupt(&rig->q));
		break;
	case 13: virtq_set_notify(&rig->q, op & 0x10); break;
	case 14:
		/* The rings as a driver would leave them, if it cares. */
		if (op & 0x10)
			memset(rig->low, 0, LOW_LEN);
		virtq_notified(&rig->q);
		start(rig);
		break;
	case 15:
		if (op < 0x80)
			break;
		virtq_stop(&rig->q);
		break;
	}
	must(rig->q.in_flight <= rig->config.size);
	virtq_stats_read(&rig->q, &s);
	must(s.bytes == 0 || s.chains > 0);
}

static void configure(struct rig *rig, struct input *in)
{
	static const uint32_t sizes[] = { 1, 2, 4, 8, 16, 3, 7, 256 };
	uint8_t kind = take8(in), place = take8(in);

	rig->config = (struct virtq_config){
		.ram = &rig->ram,
		.packed = kind & 1,
		.event_idx = kind & 2,
		.indirect = !(kind & 4),
		.size = sizes[kind >> 3 & 7],
		.desc = place & 1 ? HIGH + HIGH_LEN - 256 : 0,
		.driver = 0x1000u + (place & 0x0e) * 2,
		.device = 0x1100u + (place & 0x10),
	};
	if (place & 0x80)
		rig->config.driver = take16(in);
	if (place & 0x40)
		rig->config.device = take16(in);
	start(rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct rig rig;
	struct input in = { data, len };

	memset(&rig, 0, sizeof(rig));
	rig.low = aligned_alloc(4096, LOW_LEN);
	rig.high = aligned_alloc(4096, HIGH_LEN);
	if (rig.low && rig.high && gmem_add(&rig.ram, 0, LOW_LEN, rig.low) == 0 &&
	    gmem_add(&rig.ram, HIGH, HIGH_LEN, rig.high) == 0) {
		memset(rig.low, 0, LOW_LEN);
		memset(rig.high, 0, HIGH_LEN);
		configure(&rig, &in);
		while (in.len > 0)
			step(&rig, &in);
	}
	free(rig.low);
	free(rig.high);
	return 0;
}
