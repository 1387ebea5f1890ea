// SPDX-License-Identifier: MIT
/* Consoles, ports and sockets of the public interface, and what they are refused for. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/attach.h"
#include "core/gmem.h"
#include "fake_loop.h"
#include "machine.h"
#include "virtio/virtio.h"
#include "vm.h"

static struct trapmap_vm *vm;
static struct fake_loop fl;
static const struct machine_host host;
static char path[64];

static int setup(void **state)
{
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -1;
	vm_config_init(&vm->config);
	fake_loop_init(&fl, 0);
	snprintf(path, sizeof(path), "/tmp/test-ports-%d", (int)getpid());
	unlink(path);
	return 0;
}

static int teardown(void **state)
{
	vm_config_done(&vm->config);
	free(vm);
	unlink(path);
	return 0;
}

static void assert_error(const char *want)
{
	assert_int_equal(vm->error.status, ERROR_INPUT);
	assert_string_equal(vm->error.text, want);
}

static int open_first(struct virtio_device **ret_vd)
{
	static const struct gmem no_ram;
	const struct attach_site site = {
		.ram = &no_ram, .cpus = 1, .loop = &fl.loop, .host = &host
	};
	struct attachment *at = vm->config.attached[0];

	return at->ops->device(at, &site, ret_vd, &vm->error);
}

static int add(const char *name, const char *socket)
{
	struct trapmap_port port = TRAPMAP_PORT_INIT;

	port.name = name;
	port.socket = socket;
	return trapmap_vm_add_port(vm, &port);
}

static void one_device_has_all_ports(void **state)
{
	struct virtio_device *vd = NULL;
	uint8_t max[4];

	assert_int_equal(add("a", NULL), 0);
	assert_int_equal(add(NULL, NULL), 0);
	assert_int_equal(add(NULL, NULL), 0);
	assert_int_equal(vm->config.machine.attached_count, 1);
	assert_int_equal(trapmap_vm_port_resize(vm, 1, 80, 25), 0);
	assert_int_equal(trapmap_vm_port_resize(vm, 1, 0, 25), -EINVAL);
	assert_int_equal(trapmap_vm_port_resize(vm, 0, 80, 25), -ENOENT);
	assert_int_equal(trapmap_vm_port_resize(vm, 3, 80, 25), -ENOENT);
	assert_int_equal(open_first(&vd), 0);
	assert_int_equal(vd->ops->id, 3);
	assert_int_equal(vd->queues, 8);
	/* Number 0 is the first console. */
	virtio_config_read(vd, 0, max, 4);
	assert_int_equal(max[0], 80);
	virtio_free(vd);
	vd = NULL;
}

static void without_a_console_number_0_is_nobody_s(void **state)
{
	struct virtio_device *vd = NULL;

	assert_int_equal(add("a", NULL), 0);
	assert_int_equal(open_first(&vd), 0);
	assert_int_equal(vd->queues, 6);
	/* No size and no emergency write without a console. */
	assert_int_equal(vd->offered & 7, 2);
	virtio_free(vd);
}

static void what_is_wrong_with_a_port_is_said(void **state)
{
	struct trapmap_port port = TRAPMAP_PORT_INIT;
	char name[65];
	unsigned i;

	assert_int_equal(trapmap_vm_port_resize(vm, 0, 1, 1), -ENOENT);
	port.size = 3;
	assert_int_equal(trapmap_vm_add_port(vm, &port), -EINVAL);
	assert_error("struct trapmap_port: wrong size");
	memset(name, 'x', 64);
	name[64] = '\0';
	assert_int_equal(add(name, NULL), -EINVAL);
	assert_error("struct trapmap_port: a name of 1 to 63 bytes is expected");
	assert_int_equal(add("", NULL), -EINVAL);
	assert_int_equal(add("a b", NULL), -EINVAL);
	assert_int_equal(add("a/b", NULL), -EINVAL);
	assert_int_equal(add("\xc3\xa4", NULL), -EINVAL);
	assert_int_equal(add("a", ""), -EINVAL);
	port = (struct trapmap_port)TRAPMAP_PORT_INIT;
	port.socket = path;
	port.out_fd = 1;
	assert_int_equal(trapmap_vm_add_port(vm, &port), -EINVAL);
	port.socket = NULL;
	port.out_fd = 12345;
	assert_int_equal(trapmap_vm_add_port(vm, &port), -EBADF);
	assert_int_equal(vm->config.machine.attached_count, 0);
	assert_int_equal(add("a", NULL), 0);
	assert_int_equal(add("a", NULL), -EINVAL);
	assert_error("there are two ports 'a'");
	for (i = 1; i < TRAPMAP_PORTS_MAX; i++)
		assert_int_equal(add(NULL, NULL), 0);
	assert_int_equal(add(NULL, NULL), -E2BIG);
	vm->state = VM_RUNNING;
	assert_int_equal(add(NULL, NULL), -EBUSY);
	vm->state = VM_CONFIGURED;
}

static void a_socket_s_place_must_be_free(void **state)
{
	struct virtio_device *vd = NULL;
	char want[200];
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(add("a", path), 0);
	assert_int_equal(open_first(&vd), -EADDRINUSE);
	snprintf(want, sizeof(want),
		 "port 'a': '%s' is there already; if no other program listens "
		 "there, remove it",
		 path);
	assert_error(want);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(open_first(&vd), 0);
	assert_int_equal(access(path, F_OK), 0);
	virtio_free(vd);
	/* It goes with the VM. */
	attach_free(vm->config.attached[0]);
	vm->config.machine.attached_count = 0;
	assert_int_equal(access(path, F_OK), -1);
}

static int set_vsock(uint64_t cid, const char *at, int vhost)
{
	struct trapmap_vsock vsock = TRAPMAP_VSOCK_INIT;

	vsock.cid = cid;
	vsock.path = at;
	vsock.vhost = vhost;
	return trapmap_vm_set_vsock(vm, &vsock);
}

static void what_is_wrong_with_a_vsock_is_said(void **state)
{
	struct virtio_device *vd = NULL;
	char want[200], name[100];
	int fd;

	assert_int_equal(set_vsock(2, path, 0), -EINVAL);
	assert_error("struct trapmap_vsock: a cid from 3 to 4294967294 is "
		     "expected");
	assert_int_equal(set_vsock(UINT32_MAX, path, 0), -EINVAL);
	assert_int_equal(set_vsock(0, path, 1), -EINVAL);
	assert_int_equal(set_vsock(0, NULL, 0), -EINVAL);
	assert_int_equal(set_vsock(0, "", 0), -EINVAL);
	assert_int_equal(set_vsock(0, path, 0), 0);
	assert_int_equal(set_vsock(0, NULL, 1), -E2BIG);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(open_first(&vd), -EADDRINUSE);
	snprintf(want, sizeof(want),
		 "vsock '%s': there is something of that name already; if no "
		 "other program listens there, remove it",
		 path);
	assert_error(want);
	unlink(path);
	assert_int_equal(open_first(&vd), 0);
	assert_int_equal(vd->ops->id, 19);
	virtio_free(vd);
	assert_int_equal(access(path, F_OK), -1);
	attach_free(vm->config.attached[0]);
	vm->config.machine.attached_count = 0;
	memset(name, 'x', 97);
	name[97] = '\0';
	assert_int_equal(set_vsock(0, name, 0), 0);
	assert_int_equal(open_first(&vd), -ENAMETOOLONG);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_device_has_all_ports),
		T(without_a_console_number_0_is_nobody_s),
		T(what_is_wrong_with_a_port_is_said),
		T(a_socket_s_place_must_be_free),
		T(what_is_wrong_with_a_vsock_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
