// SPDX-License-Identifier: MIT
/* Serial ports whose other end the library makes, and what prepare leaves undone. */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct trapmap_serial a_socket(uint32_t port, const char *path)
{
	struct trapmap_serial s = TRAPMAP_SERIAL_INIT;

	s.port = port;
	s.kind = TRAPMAP_SERIAL_SOCKET;
	s.path = path;
	return s;
}

static struct trapmap_serial a_pty(uint32_t port)
{
	struct trapmap_serial s = TRAPMAP_SERIAL_INIT;

	s.port = port;
	s.kind = TRAPMAP_SERIAL_PTY;
	return s;
}

static void set_serial(struct trapmap_vm *vm, struct trapmap_serial s)
{
	if (trapmap_vm_set_serial(vm, &s))
		fail_msg("%s", trapmap_vm_error(vm));
}

/* Sends a word that ends in q, and wants it back. */
static void assert_echo(int fd)
{
	static const char word[] = "the fox jumps q";
	char buf[sizeof(word)] = "";
	size_t n = 0;

	assert_int_equal(write(fd, word, sizeof(word) - 1), sizeof(word) - 1);
	while (n < sizeof(word) - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		assert_int_equal(poll(&p, 1, GIVE_UP_MS), 1);
		got = read(fd, buf + n, sizeof(word) - 1 - n);
		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_string_equal(buf, word);
}

static void a_pty_can_be_opened_before_the_guest_runs(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_echo), NULL);
	const char *name;
	struct stat st;
	int fd;

	set_serial(vm, a_pty(0));
	set_serial(vm, a_pty(2));
	assert_null(trapmap_vm_serial_name(vm, 0));
	if (trapmap_vm_prepare(vm))
		fail_msg("%s", trapmap_vm_error(vm));
	name = trapmap_vm_serial_name(vm, 0);
	assert_non_null(name);
	assert_null(trapmap_vm_serial_name(vm, 1));
	assert_string_not_equal(trapmap_vm_serial_name(vm, 2), name);
	fd = open(name, O_RDWR | O_NOCTTY);
	assert_true(fd >= 0);
	start_vm(vm);
	assert_echo(fd);
	assert_int_equal(wait_end(vm).status, 0);
	assert_int_equal(stat(name, &st), 0);
	trapmap_vm_free(vm);
	close(fd);
}

static void a_socket_is_there_from_prepare_to_free(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct trapmap_vm *vm = new_vm(GUEST(guest_echo), NULL), *other;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), r;

	snprintf(addr.sun_path, sizeof(addr.sun_path),
		 "/tmp/test-serial-%d", (int)getpid());
	set_serial(vm, a_socket(0, addr.sun_path));
	assert_int_equal(access(addr.sun_path, F_OK), -1);
	assert_int_equal(trapmap_vm_prepare(vm), 0);
	assert_string_equal(trapmap_vm_serial_name(vm, 0), addr.sun_path);
	/* Nobody else can have it. */
	other = new_vm(GUEST(guest_echo), NULL);
	set_serial(other, a_socket(3, addr.sun_path));
	assert_int_equal(trapmap_vm_start(other), -EADDRINUSE);
	assert_int_equal(trapmap_vm_start_status(other), 2);
	assert_non_null(strstr(trapmap_vm_error(other), "serial port COM4: '"));
	trapmap_vm_free(other);

	start_vm(vm);
	r = connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
	assert_int_equal(r, 0);
	assert_echo(fd);
	assert_int_equal(wait_end(vm).status, 0);
	trapmap_vm_free(vm);
	assert_int_equal(access(addr.sun_path, F_OK), -1);
	close(fd);
}

static void only_ports_that_are_there_take_a_break(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_echo), NULL);

	set_serial(vm, a_pty(1));
	assert_int_equal(trapmap_vm_serial_break(vm, 0), -ENODEV);
	start_vm(vm);
	assert_int_equal(trapmap_vm_serial_break(vm, 0), 0);
	assert_int_equal(trapmap_vm_serial_break(vm, 1), 0);
	assert_int_equal(trapmap_vm_serial_break(vm, 2), -ENODEV);
	assert_int_equal(trapmap_vm_serial_break(vm, 4), -ENODEV);
	assert_null(trapmap_vm_serial_name(vm, 4));
	trapmap_vm_free(vm);
}

static void nonsense_is_refused_with_a_sentence(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_echo), NULL);
	struct trapmap_serial s = a_pty(4);

	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EINVAL);
	assert_non_null(strstr(trapmap_vm_error(vm), "0 to 3"));
	s = a_pty(0);
	s.out_fd = 1;
	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EINVAL);
	s = a_socket(0, "");
	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EINVAL);
	s = a_socket(0, NULL);
	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EINVAL);
	s = a_pty(0);
	s.path = "x";
	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EINVAL);
	s.kind = (enum trapmap_serial_kind)9;
	assert_int_equal(trapmap_vm_set_serial(vm, &s), -EINVAL);
	trapmap_vm_free(vm);
}

static void a_prepared_vm_is_whole_and_stands(void **state)
{
	static struct port port;
	struct trapmap_vm *vm = new_vm(GUEST(guest_echo), &port);
	const void *blob = NULL;
	uint8_t byte = 0;
	size_t len = 0;

	assert_int_equal(trapmap_vm_prepare(vm), 0);
	assert_int_equal(trapmap_vm_prepare(vm), -EBUSY);
	assert_int_equal(trapmap_vm_set_cmdline(vm, "late"), -EBUSY);
	assert_int_equal(trapmap_vm_wait(vm, 0, NULL), -ESRCH);
	assert_int_equal(trapmap_vm_pause(vm), -ESRCH);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_STOPPED, 0), -ESRCH);
	assert_int_equal(trapmap_vm_devicetree(vm, &blob, &len), 0);
	assert_int_equal(trapmap_vm_read_mem(vm, 0x10000, &byte, 1), 0);
	/* One that never starts. */
	assert_null(trapmap_vm_free(vm));
}

static void what_is_wrong_shows_at_prepare(void **state)
{
	struct trapmap_source none = { .size = sizeof(none),
				       .path = "/nowhere/kernel" };
	struct trapmap_vm *vm;

	assert_int_equal(trapmap_vm_new(&vm), 0);
	assert_int_equal(trapmap_vm_set_kernel(vm, &none), 0);
	assert_int_equal(trapmap_vm_prepare(vm), -ENOENT);
	assert_int_equal(trapmap_vm_start_status(vm), 2);
	assert_int_equal(trapmap_vm_start(vm), -EBUSY);
	trapmap_vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pty_can_be_opened_before_the_guest_runs),
		cmocka_unit_test(a_socket_is_there_from_prepare_to_free),
		cmocka_unit_test(only_ports_that_are_there_take_a_break),
		cmocka_unit_test(nonsense_is_refused_with_a_sentence),
		cmocka_unit_test(a_prepared_vm_is_whole_and_stands),
		cmocka_unit_test(what_is_wrong_shows_at_prepare),
	};

	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
