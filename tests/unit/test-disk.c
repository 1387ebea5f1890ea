// SPDX-License-Identifier: MIT
/* Disks of the public interface: the setter, and what an image is refused for. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/attach.h"
#include "core/gmem.h"
#include "fake_loop.h"
#include "virtio/virtio.h"
#include "vm.h"

static struct trapmap_vm *vm;
static struct fake_loop fl;
static char path[64];

static int setup(void **state)
{
	int fd;

	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -1;
	vm_config_init(&vm->config);
	fake_loop_init(&fl, 0);
	strncpy(path, "/tmp/test-disk-XXXXXX", sizeof(path) - 1);
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return -1;
	close(fd);
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

/* Opens the n-th disk that was added. */
static int open_disk(unsigned n, struct virtio_device **ret_vd)
{
	static const struct gmem no_ram;

	const struct attach_site site = { .ram = &no_ram,
					  .cpus = 4,
					  .loop = &fl.loop };
	struct attachment *at = vm->config.attached[n];

	return at->ops->device(at, &site, ret_vd, &vm->error);
}

static int try_disk(struct trapmap_disk *disk)
{
	struct virtio_device *vd = NULL;
	int r;

	disk->size = sizeof(*disk);
	r = trapmap_vm_add_disk(vm, disk);
	assert_int_equal(r, 0);
	r = open_disk(vm->config.machine.attached_count - 1, &vd);
	virtio_free(vd);
	vm->config.machine.attached_count--;
	attach_free(vm->config.attached[vm->config.machine.attached_count]);
	return r;
}

static void what_is_given_is_copied(void **state)
{
	struct trapmap_disk disk = TRAPMAP_DISK_INIT;
	char name[] = "a.img", serial[] = "12345678901234567890";

	disk.path = name;
	disk.serial = serial;
	disk.read_only = 2;
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), 0);
	name[0] = serial[0] = '?';
	assert_int_equal(vm->config.machine.attached_count, 1);
	assert_string_equal(vm->config.attached[0]->name, "disk 'a.img'");
	disk.path = NULL;
	disk.serial = NULL;
	disk.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), 0);
	close(disk.fd);
	assert_string_not_equal(vm->config.attached[1]->name,
				vm->config.attached[0]->name);
}

static void what_is_wrong_with_the_struct_is_said(void **state)
{
	struct trapmap_disk disk = { .size = 3, .path = "a" };
	unsigned i;

	assert_int_equal(trapmap_vm_add_disk(vm, &disk), -EINVAL);
	assert_error("struct trapmap_disk: wrong size");
	disk.size = sizeof(disk);
	disk.path = "";
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), -EINVAL);
	assert_error("struct trapmap_disk: the path is empty");
	disk.path = "a";
	disk.serial = "123456789012345678901";
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), -EINVAL);
	assert_error("struct trapmap_disk: the serial number is longer than 20 "
		     "bytes");
	disk.serial = NULL;
	disk.path = NULL;
	disk.fd = -1;
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), -EBADF);
	assert_error("disk: Bad file descriptor");
	assert_int_equal(vm->config.machine.attached_count, 0);
	disk.path = "a";
	for (i = 0; i < TRAPMAP_ATTACHED_MAX; i++)
		assert_int_equal(trapmap_vm_add_disk(vm, &disk), 0);
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), -E2BIG);
	assert_error("more than 28 devices");
	vm->state = VM_RUNNING;
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), -EBUSY);
	vm->state = VM_CONFIGURED;
}

static void an_image_becomes_a_block_device(void **state)
{
	struct trapmap_disk disk = TRAPMAP_DISK_INIT;
	struct virtio_device *vd = NULL;

	disk.path = path;
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), 0);
	assert_int_equal(open_disk(0, &vd), 0);
	assert_int_equal(vd->ops->id, 2);
	assert_int_equal(vd->queues, 4); /* one a processor */
	/* It is ours now. */
	assert_int_equal(open_disk(0, &(struct virtio_device *){ NULL }),
			 -EBUSY);
	assert_int_equal(vm->error.status, ERROR_INPUT);
	assert_non_null(strstr(vm->error.text,
			       "is in use by another program, or mounted"));
	virtio_free(vd);
}

static void what_is_no_image_is_refused_with_a_reason(void **state)
{
	struct trapmap_disk disk = { .path = "/tmp" };

	assert_int_equal(try_disk(&disk), -EISDIR);
	assert_error("disk '/tmp': is a directory; an image or a block device "
		     "was expected");
	disk.path = "/dev/null";
	assert_int_equal(try_disk(&disk), -ENOTBLK);
	assert_error("disk '/dev/null': is neither a regular file nor a block "
		     "device");
	disk.path = "/nowhere/disk.img";
	assert_int_equal(try_disk(&disk), -ENOENT);
	assert_error("disk '/nowhere/disk.img': No such file or directory");
	disk.path = path;
	assert_int_equal(truncate(path, 500), 0);
	assert_int_equal(try_disk(&disk), -ENODATA);
	assert_non_null(strstr(vm->error.text, "is shorter than one sector"));
	disk.path = NULL;
	disk.fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(try_disk(&disk), -EBADF);
	assert_non_null(strstr(vm->error.text,
			       "is not open for reading and writing"));
	assert_non_null(strstr(vm->error.text, "disk 'file descriptor "));
	close(disk.fd);
}

static void a_format_is_one_that_is_known(void **state)
{
	struct trapmap_disk disk = TRAPMAP_DISK_INIT;

	disk.path = path;
	disk.format = (enum trapmap_disk_format)3;
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), -EINVAL);
	assert_error("struct trapmap_disk: unknown format 3");
	disk.format = TRAPMAP_DISK_FORMAT_AUTO;
	disk.werror = (enum trapmap_disk_werror)2;
	assert_int_equal(trapmap_vm_add_disk(vm, &disk), -EINVAL);
	assert_error("struct trapmap_disk: unknown werror 2");
	disk.werror = TRAPMAP_DISK_WERROR_REPORT;
	disk.format = TRAPMAP_DISK_FORMAT_QCOW2;
	assert_int_equal(try_disk(&disk), -EINVAL);
	assert_non_null(strstr(vm->error.text, "disk '/tmp/test-disk-"));
	assert_non_null(strstr(vm->error.text, "': is not a qcow2 image: "));
	disk.format = TRAPMAP_DISK_FORMAT_RAW;
	assert_int_equal(try_disk(&disk), 0);
}

static void a_temporary_disk_needs_no_right_to_write(void **state)
{
	struct trapmap_disk disk = TRAPMAP_DISK_INIT;

	disk.fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(try_disk(&disk), -EBADF);
	disk.temporary = 1;
	assert_int_equal(try_disk(&disk), 0);
	close(disk.fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_given_is_copied),
		T(what_is_wrong_with_the_struct_is_said),
		T(an_image_becomes_a_block_device),
		T(what_is_no_image_is_refused_with_a_reason),
		T(a_format_is_one_that_is_known),
		T(a_temporary_disk_needs_no_right_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
