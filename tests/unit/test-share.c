// SPDX-License-Identifier: MIT
/* Shared folders of the public interface: the setter, and what start refuses. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/attach.h"
#include "core/gmem.h"
#include "virtio/virtio.h"
#include "vm.h"

static struct trapmap_vm *vm;

static int setup(void **state)
{
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -1;
	vm_config_init(&vm->config);
	return 0;
}

static int teardown(void **state)
{
	vm_config_done(&vm->config);
	free(vm);
	return 0;
}

static void assert_error(const char *want)
{
	assert_int_equal(vm->error.status, ERROR_INPUT);
	assert_string_equal(vm->error.text, want);
}

static int add(const char *path, const char *tag)
{
	struct trapmap_share share = TRAPMAP_SHARE_INIT;

	share.path = path;
	share.tag = tag;
	return trapmap_vm_add_share(vm, &share);
}

static int start(unsigned n, struct virtio_device **ret_vd)
{
	static const struct gmem no_ram;
	const struct attach_site site = { .ram = &no_ram, .cpus = 1 };
	struct attachment *at = vm->config.attached[n];

	return at->ops->device(at, &site, ret_vd, &vm->error);
}

static void assert_tag(unsigned n, const char *tag)
{
	struct virtio_device *vd = NULL;
	char space[40] = "";

	assert_int_equal(start(n, &vd), 0);
	assert_int_equal(vd->ops->id, 9);
	assert_int_equal(vd->config_len, 2 + strlen(tag));
	virtio_config_read(vd, 2, space, sizeof(space) - 1);
	assert_string_equal(space, tag);
	virtio_free(vd);
}

static void a_folder_becomes_a_9p_device_with_its_tag(void **state)
{
	char path[] = "/tmp", tag[] = "1234567890123456789012345678901";

	assert_int_equal(add(path, tag), 0);
	path[1] = tag[0] = '?';
	assert_string_equal(vm->config.attached[0]->name, "share '/tmp'");
	assert_tag(0, "1234567890123456789012345678901");
	/* Without one they are counted, past those that are taken. */
	assert_int_equal(add("/tmp", NULL), 0);
	assert_int_equal(add("/tmp", "share1"), 0);
	assert_int_equal(add("/tmp", NULL), 0);
	assert_tag(1, "share");
	assert_tag(2, "share1");
	assert_tag(3, "share2");
}

static void an_open_folder_will_do(void **state)
{
	struct trapmap_share share = TRAPMAP_SHARE_INIT;
	struct virtio_device *vd = NULL;

	share.fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(trapmap_vm_add_share(vm, &share), 0);
	close(share.fd);
	assert_int_equal(start(0, &vd), 0);
	virtio_free(vd);
	share.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(trapmap_vm_add_share(vm, &share), 0);
	close(share.fd);
	assert_int_equal(start(1, &vd), -ENOTDIR);
	assert_non_null(strstr(vm->error.text, "': is not a folder"));
	share.fd = -1;
	assert_int_equal(trapmap_vm_add_share(vm, &share), -EBADF);
	assert_error("share: Bad file descriptor");
}

static void what_is_wrong_with_the_struct_is_said(void **state)
{
	struct trapmap_share share = { .size = 3, .path = "/tmp" };

	assert_int_equal(trapmap_vm_add_share(vm, &share), -EINVAL);
	assert_error("struct trapmap_share: wrong size");
	assert_int_equal(add("", NULL), -EINVAL);
	assert_error("struct trapmap_share: the path is empty");
	assert_int_equal(add("/tmp", ""), -EINVAL);
	assert_error("struct trapmap_share: the tag has no bytes; 1 to 31 are "
		     "expected");
	assert_int_equal(add("/tmp", "12345678901234567890123456789012"),
			 -EINVAL);
	assert_error("struct trapmap_share: the tag has more bytes; 1 to 31 are "
		     "expected");
	assert_int_equal(add("/tmp", "twice"), 0);
	assert_int_equal(add("/", "twice"), -EINVAL);
	assert_error("share '/': the tag 'twice' is that of share '/tmp'; each "
		     "needs its own");
	assert_int_equal(vm->config.machine.attached_count, 1);
	vm->state = VM_RUNNING;
	assert_int_equal(add("/tmp", NULL), -EBUSY);
	vm->state = VM_CONFIGURED;
}

static void what_is_no_folder_is_refused_with_a_reason(void **state)
{
	struct virtio_device *vd = NULL;

	assert_int_equal(add("/dev/null", NULL), 0);
	assert_int_equal(start(0, &vd), -ENOTDIR);
	assert_error("share '/dev/null': is not a folder");
	assert_int_equal(add("/nowhere/at/all", NULL), 0);
	assert_int_equal(start(1, &vd), -ENOENT);
	assert_error("share '/nowhere/at/all': there is no such folder");
	assert_null(vd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_folder_becomes_a_9p_device_with_its_tag),
		T(an_open_folder_will_do),
		T(what_is_wrong_with_the_struct_is_said),
		T(what_is_no_folder_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
