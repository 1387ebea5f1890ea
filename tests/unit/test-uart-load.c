// SPDX-License-Identifier: MIT
/*
 * A serial console under heavy load in both directions loses nothing: on the board,
 * with its real back ends, and a guest that is held as vCPUs are. Whoever is at the
 * other end reads and writes in odd pieces, and now and then not at all.
 *
 * Guest, back end and peer take turns on one thread, or 16 MiB by 16 bytes would be
 * a million thread switches; a smaller load then has threads, as in a VM.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/unix_socket.h"
#include "core/base.h"
#include "fake_loop.h"
#include "loop.h"
#include "machine.h"

#define COM1 0x3f8
#define LSR_DR 0x01
#define LSR_OE 0x02
#define LSR_THRE 0x20
#define BURSTS 32 /* of 16 bytes, that a guest sends before it looks again */

static const int no_vm = -1;
static struct machine m;
static struct fake_loop fl;
static struct loop *loop;
static struct machine_config config;
static size_t total;

/* Two streams that do not look alike. */
static uint8_t byte_at(size_t i, bool to_guest)
{
	uint32_t x = (uint32_t)i * 2654435761u + (to_guest ? 0x9e3779b9u : 0);

	return (uint8_t)(x >> 24 ^ x >> 7);
}

/* ---- the guest ----------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;
	unsigned holds;
	size_t got, sent;
	unsigned wrong, overruns;
} guest = { .lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER };

static void on_throttle(void *opaque, bool on)
{
	pthread_mutex_lock(&guest.lock);
	guest.held = on;
	guest.holds += on;
	pthread_cond_broadcast(&guest.changed);
	pthread_mutex_unlock(&guest.lock);
}

static unsigned in(unsigned reg)
{
	uint64_t val = 0;

	bus_read(&m.pio, COM1 + reg, 1, &val);
	return (unsigned)val;
}

static void out(unsigned reg, unsigned val)
{
	bus_write(&m.pio, COM1 + reg, 1, val);
}

static void guest_begins(void)
{
	guest.got = guest.sent = 0;
	guest.wrong = guest.overruns = guest.holds = 0;
	out(3, 0x03);
	out(2, 0x07);
	out(1, 0x01); /* so that the peer knows that somebody listens */
}

static bool guest_is_done(void)
{
	return guest.got == total && guest.sent == total;
}

static void guest_burst(void)
{
	unsigned lsr = in(5), i;

	guest.overruns += (lsr & LSR_OE) != 0;
	for (; lsr & LSR_DR; lsr = in(5))
		guest.wrong += in(0) != byte_at(guest.got++, true);
	for (i = 0; i < 16 && (lsr & LSR_THRE) && guest.sent < total; i++)
		out(0, byte_at(guest.sent++, false));
}

static void *run_guest(void *opaque)
{
	while (!guest_is_done()) {
		pthread_mutex_lock(&guest.lock);
		while (guest.held)
			pthread_cond_wait(&guest.changed, &guest.lock);
		pthread_mutex_unlock(&guest.lock);
		guest_burst();
		if (guest.sent == total)
			sched_yield();
	}
	return NULL;
}

/* ---- the other end ------------------------------------------------------- */

static struct {
	size_t got, sent;
	unsigned wrong, turn;
} peer;

static void take(int fd)
{
	uint8_t buf[9000];
	ssize_t n = read(fd, buf, 1 + peer.turn * 97 % sizeof(buf)), i;

	assert_true(n > 0 || (n < 0 && errno == EAGAIN));
	for (i = 0; i < n; i++)
		peer.wrong += buf[i] != byte_at(peer.got++, false);
}

static void give(int fd)
{
	uint8_t buf[9000];
	size_t len = 1 + peer.turn * 61 % sizeof(buf), i;
	ssize_t n;

	if (len > total - peer.sent)
		len = total - peer.sent;
	for (i = 0; i < len; i++)
		buf[i] = byte_at(peer.sent + i, true);
	n = write(fd, buf, len);
	assert_true(n > 0 || (n < 0 && errno == EAGAIN));
	peer.sent += n > 0 ? (size_t)n : 0;
}

static bool peer_is_done(void)
{
	return peer.got == total && peer.sent == total;
}

static void peer_turn(int in_fd, int out_fd, int timeout_ms)
{
	struct pollfd p[] = {
		{ .fd = in_fd, .events = POLLIN },
		{ .fd = peer.sent < total ? out_fd : -1, .events = POLLOUT },
	};

	poll(p, 2, timeout_ms);
	if (p[0].revents)
		take(in_fd);
	if (p[1].revents)
		give(out_fd);
	peer.turn++;
}

/* ---- all together -------------------------------------------------------- */

static void build(enum trapmap_serial_kind kind, int in_fd, int out_fd,
		  char *path)
{
	static const struct machine_host host = { .throttle = on_throttle };
	struct error err;

	config = (struct machine_config){
		.platform = platform_pc(MIB(16), 1, TRAPMAP_TRANSPORT_MMIO),
		.serial = { { .asked = true, .kind = kind, .in_fd = in_fd,
			      .out_fd = out_fd, .path = path } },
		.debugcon_fd = -1,
	};
	assert_int_equal(machine_init(&m, &config, &host, loop, &no_vm, &err),
			 0);
}

static void loop_turn(void)
{
	struct pollfd p[FAKE_LOOP_MAX];
	unsigned i;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		const struct loop_watch *w = &fl.watch[i];

		p[i].fd = w->used && w->events ? w->fd : -1;
		p[i].events = (short)((w->events & LOOP_IN ? POLLIN : 0) |
				      (w->events & LOOP_OUT ? POLLOUT : 0));
		p[i].revents = 0;
	}
	poll(p, FAKE_LOOP_MAX, 0);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		if (p[i].revents && fl.watch[i].used)
			fl.watch[i].ready(fl.watch[i].opaque,
					  fl.watch[i].events);
}

static void by_turns(int in_fd, int out_fd)
{
	unsigned i, round;

	for (round = 0; !guest_is_done() || !peer_is_done(); round++) {
		for (i = 0; i < BURSTS && !guest.held; i++)
			guest_burst();
		loop_turn();
		/* Most of the time it is busy with something else. */
		if (round % 64 == 0 || guest.held)
			peer_turn(in_fd, out_fd, 0);
	}
}

static void by_threads(int in_fd, int out_fd)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_guest, NULL), 0);
	while (!peer_is_done())
		peer_turn(in_fd, out_fd, 10000);
	pthread_join(thread, NULL);
}

static void exchange(int in_fd, int out_fd, bool threads)
{
	memset(&peer, 0, sizeof(peer));
	guest_begins();
	if (threads)
		by_threads(in_fd, out_fd);
	else
		by_turns(in_fd, out_fd);
	assert_int_equal(peer.wrong, 0);
	assert_int_equal(guest.wrong, 0);
	assert_int_equal(guest.overruns, 0);
	/* Or it was no heavy load. */
	assert_true(threads || guest.holds > 0);
}

static void through_pipes(bool threads)
{
	int to[2], from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	build(TRAPMAP_SERIAL_FDS, to[0], from[1], NULL);
	if (threads)
		assert_int_equal(vm_loop_start(loop, "test-io"), 0);
	fcntl(to[1], F_SETFL, O_NONBLOCK);
	exchange(from[0], to[1], threads);
	close(to[0]);
	close(to[1]);
	close(from[0]);
	close(from[1]);
}

static void through_a_socket(bool threads)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/test-uart-load-%d", (int)getpid());
	build(TRAPMAP_SERIAL_SOCKET, -1, -1, path);
	if (threads)
		assert_int_equal(vm_loop_start(loop, "test-io"), 0);
	fd = unix_socket_connect(machine_serial_name(&m, 0));
	assert_true(fd >= 0);
	/* It is met before there is more than is kept for it. */
	if (threads)
		usleep(100000);
	else
		loop_turn();
	exchange(fd, fd, threads);
	close(fd);
}

static void through_a_pty(bool threads)
{
	int fd;

	build(TRAPMAP_SERIAL_PTY, -1, -1, NULL);
	if (threads)
		assert_int_equal(vm_loop_start(loop, "test-io"), 0);
	fd = open(machine_serial_name(&m, 0),
		  O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	usleep(400000);
	if (!threads)
		loop_turn();
	exchange(fd, fd, threads);
	close(fd);
}

static int setup(void **state)
{
	fake_loop_init(&fl, 0);
	loop = &fl.loop;
	total = MIB(16);
	return 0;
}

static int teardown(void **state)
{
	machine_done(&m);
	return 0;
}

static int setup_threads(void **state)
{
	total = KIB(256);
	return vm_loop_new(&loop);
}

static int teardown_threads(void **state)
{
	vm_loop_stop(loop);
	machine_done(&m);
	vm_loop_free(loop);
	return 0;
}

static void sixteen_mib_each_way_between_descriptors(void **state)
{
	through_pipes(false);
}

static void four_mib_each_way_through_a_socket(void **state)
{
	total = MIB(4);
	through_a_socket(false);
}

static void four_mib_each_way_through_a_pty(void **state)
{
	total = MIB(4);
	through_a_pty(false);
}

static void threads_lose_nothing_between_descriptors(void **state)
{
	through_pipes(true);
}

static void threads_lose_nothing_through_a_socket(void **state)
{
	through_a_socket(true);
}

static void threads_lose_nothing_through_a_pty(void **state)
{
	through_a_pty(true);
}

#define TURNS(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define THREADS(f) \
	cmocka_unit_test_setup_teardown(f, setup_threads, teardown_threads)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TURNS(sixteen_mib_each_way_between_descriptors),
		TURNS(four_mib_each_way_through_a_socket),
		TURNS(four_mib_each_way_through_a_pty),
		THREADS(threads_lose_nothing_between_descriptors),
		THREADS(threads_lose_nothing_through_a_socket),
		THREADS(threads_lose_nothing_through_a_pty),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
