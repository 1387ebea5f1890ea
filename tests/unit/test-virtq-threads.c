// SPDX-License-Identifier: MIT
/*
 * A driver and a device on threads of their own, each asleep whenever it may be:
 * a barrier that is missing shows as a wrong byte, a sleep without end, or under
 * TSan.
 */
#include "virtq_rig.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REQUESTS 8000
#define RACES 5000
#define SIZE 16
/* A request: its number, and bytes made of it, to be sent back inverted. */
#define BYTES 48
#define PATIENCE_MS 20000

#define QUIT UINT32_MAX

static int kick, call;
static unsigned kicks, calls;

static void wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static bool sleep_on(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, PATIENCE_MS) == 1 && read(fd, &n, sizeof(n)) > 0;
}

static uint32_t next_random(uint32_t *rnd)
{
	*rnd = *rnd * 1664525 + 1013904223;
	return *rnd >> 16;
}

/* Answers a chain. False: it asks for the end. */
static bool serve(const struct virtq_chain *c)
{
	uint8_t buf[BYTES];
	uint32_t number;
	size_t i;

	if (virtq_copy_out(c, 0, buf, BYTES) != BYTES || c->in_len != BYTES)
		abort();
	memcpy(&number, buf, sizeof(number));
	for (i = 0; i < BYTES; i++)
		buf[i] = (uint8_t)~buf[i];
	if (virtq_copy_in(c, 0, buf, BYTES) != BYTES)
		abort();
	return number != QUIT;
}

static void *device(void *opaque)
{
	struct iovec iov[3][ROOM];
	struct virtq_chain c[3];
	uint32_t rnd = 7;
	bool more = true;
	unsigned n, i;

	for (i = 0; i < 3; i++)
		c[i] = (struct virtq_chain){ .iov = iov[i], .room = ROOM };
	while (more) {
		if (!sleep_on(kick))
			return (void *)(uintptr_t) "no notification came";
		do {
			virtq_set_notify(&rig.q, false);
			for (;;) {
				for (n = 0; n < 3; n++)
					if (virtq_pop(&rig.q, &c[n]) != 1)
						break;
				for (i = 0; i < n; i++)
					more &= serve(&c[i]);
				/* In some order, together or one by one. */
				for (i = n; i-- > 0;)
					if (next_random(&rnd) & 1)
						virtq_push(&rig.q, &c[i], BYTES);
					else
						virtq_hold(&rig.q, &c[i], BYTES);
				if (virtq_wants_interrupt(&rig.q))
					wake(call);
				if (n == 0)
					break;
			}
		} while (virtq_set_notify(&rig.q, true));
	}
	return rig.q.broken ? rig.q.why : NULL;
}

static gpa_t place(int id)
{
	return BUFS + 256 * (gpa_t)id;
}

/* Puts a request into the ring, cut into pieces. False: it is full. */
static bool request(uint32_t number, uint32_t *rnd, uint32_t *by_id)
{
	gpa_t at = place(rig.d.free_id);
	unsigned cut = 1 + next_random(rnd) % (BYTES - 1), i;
	const struct vdrv_buf bufs[] = {
		{ at, cut, false },
		{ at + cut, BYTES - cut, false },
		{ at + 64, cut, true },
		{ at + 64 + cut, BYTES - cut, true },
	};
	bool table = next_random(rnd) & 1;
	uint8_t *p = rig.low + at;
	int id;

	if (rig.d.free < (table ? 1 : 4))
		return false;
	for (i = 0; i < BYTES; i++)
		p[i] = (uint8_t)(number * 31 + i);
	memcpy(p, &number, sizeof(number));
	id = table ? vdrv_add_indirect(&rig.d, bufs, 4, at + 128)
		   : vdrv_add(&rig.d, bufs, 4);
	by_id[id] = number;
	return true;
}

static unsigned collect(const uint32_t *by_id)
{
	uint32_t id, len;
	unsigned n, i;

	for (n = 0; vdrv_take(&rig.d, &id, &len); n++) {
		const uint8_t *p = rig.low + place((int)id);
		uint32_t number;

		assert_int_equal(len, BYTES);
		memcpy(&number, p, sizeof(number));
		assert_int_equal(number, by_id[id]);
		for (i = 0; i < BYTES; i++)
			assert_int_equal((uint8_t)~p[64 + i], p[i]);
	}
	return n;
}

static void run(unsigned flags)
{
	uint32_t by_id[SIZE], rnd = 1, sent = 0, done = 0, number;
	pthread_t thread;
	void *said;

	rig_start(SIZE, flags);
	kick = eventfd(0, 0);
	call = eventfd(0, 0);
	kicks = calls = 0;
	assert_true(kick >= 0 && call >= 0);
	assert_int_equal(pthread_create(&thread, NULL, device, NULL), 0);
	while (done < REQUESTS) {
		unsigned n = next_random(&rnd) % SIZE;

		vdrv_interrupts(&rig.d, false);
		while (n-- > 0 && sent < REQUESTS) {
			number = sent == REQUESTS - 1 ? QUIT : sent;
			if (!request(number, &rnd, by_id))
				break;
			sent++;
		}
		if (vdrv_should_notify(&rig.d)) {
			kicks++;
			wake(kick);
		}
		done += collect(by_id);
		/* Something is out, and nothing has come back: sleep. */
		if (sent > done && !vdrv_interrupts(&rig.d, true)) {
			if (!sleep_on(call))
				fail_msg("no interrupt came");
			calls++;
		}
	}
	pthread_join(thread, &said);
	if (said)
		fail_msg("%s", (char *)said);
	assert_int_equal(rig.q.stats.chains, REQUESTS);
	assert_int_equal(rig.q.in_flight, 0);
	assert_true(kicks <= REQUESTS && calls <= REQUESTS);
	close(kick);
	close(call);
}

static void split_rings_lose_nothing_between_threads(void **state)
{
	run(0);
}

static void split_rings_with_event_index_lose_nothing(void **state)
{
	run(VDRV_EVENT_IDX);
}

static void packed_rings_lose_nothing_between_threads(void **state)
{
	run(VDRV_PACKED);
}

static void packed_rings_with_event_index_lose_nothing(void **state)
{
	run(VDRV_PACKED | VDRV_EVENT_IDX);
}

/* Both threads leave it at the same moment, as near as can be. */
static void meet(void)
{
	static unsigned arrived, turn;
	unsigned now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE), spins;

	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == 2) {
		__atomic_store_n(&arrived, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&turn, now + 1, __ATOMIC_RELEASE);
		return;
	}
	for (spins = 0; __atomic_load_n(&turn, __ATOMIC_ACQUIRE) == now; spins++)
		if (spins > 500)
			sched_yield();
}

static bool device_saw, device_told;

/* As below, from the other side. */
static void *racing_device(void *opaque)
{
	unsigned i;

	for (i = 0; i < RACES; i++) {
		virtq_set_notify(&rig.q, false);
		meet();
		device_saw = virtq_set_notify(&rig.q, true);
		meet();
		if (virtq_pop(&rig.q, &rig.c) != 1)
			return (void *)(uintptr_t) "nothing to pop";
		meet();
		virtq_push(&rig.q, &rig.c, i);
		device_told = virtq_wants_interrupt(&rig.q);
		meet();
	}
	return NULL;
}

/*
 * A request against "notify me", and an answer against "interrupt me", at once:
 * either the one who asks sees it, or the other one sees that it was asked.
 */
static void race(unsigned flags)
{
	pthread_t thread;
	bool saw, told;
	unsigned i;
	int id;

	rig_start(4, flags);
	assert_int_equal(pthread_create(&thread, NULL, racing_device, NULL), 0);
	for (i = 0; i < RACES; i++) {
		vdrv_interrupts(&rig.d, false);
		meet();
		id = rig_add(8, true);
		told = vdrv_should_notify(&rig.d);
		meet();
		if (!told && !device_saw)
			fail_msg("race %u: no notification", i);
		meet();
		saw = vdrv_interrupts(&rig.d, true);
		meet();
		if (!saw && !device_told)
			fail_msg("race %u: no interrupt", i);
		rig_take((uint32_t)id, i);
	}
	pthread_join(thread, NULL);
}

static void nobody_sleeps_through_anything(void **state)
{
	race(0);
	race(VDRV_EVENT_IDX);
	race(VDRV_PACKED);
	race(VDRV_PACKED | VDRV_EVENT_IDX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(split_rings_lose_nothing_between_threads),
		RIG_TEST(split_rings_with_event_index_lose_nothing),
		RIG_TEST(packed_rings_lose_nothing_between_threads),
		RIG_TEST(packed_rings_with_event_index_lose_nothing),
		RIG_TEST(nobody_sleeps_through_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
