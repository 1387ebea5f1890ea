// SPDX-License-Identifier: MIT
/* Images as memory: the setter of the public interface, and the mapping. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/attach.h"
#include "core/base.h"
#include "machine.h"
#include "virtio/virtio.h"
#include "vm.h"

static struct trapmap_vm *vm;
static struct virtio_device *vd[3];
static char path[64];

/* What the board was asked to show the guest. */
static struct {
	uint8_t *host;
	uint64_t len, align;
} shown[3];
static unsigned shows;
static int refuses;

static int map(void *opaque, void *host, uint64_t len, uint64_t align,
	       uint64_t *ret_gpa)
{
	if (refuses)
		return refuses;
	shown[shows].host = host;
	shown[shows].len = len;
	shown[shows++].align = align;
	*ret_gpa = GIB(4) * shows;
	return 0;
}

static int setup(void **state)
{
	int fd;

	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -1;
	vm_config_init(&vm->config);
	strncpy(path, "/tmp/test-pmem-XXXXXX", sizeof(path) - 1);
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, 5000) < 0 ||
	    pwrite(fd, "image", 5, 0) != 5 || pwrite(fd, "end", 3, 4997) != 3)
		return -1;
	close(fd);
	memset(vd, 0, sizeof(vd));
	shows = 0;
	refuses = 0;
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(vd); i++)
		virtio_free(vd[i]);
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

/* Adds an image and opens it. */
static int open_image(const char *name, int fd)
{
	static const struct gmem no_ram;
	static const struct machine_host host = { .map = map };
	const struct attach_site site = { .ram = &no_ram,
					  .cpus = 1,
					  .host = &host };
	struct trapmap_pmem pmem = TRAPMAP_PMEM_INIT;
	unsigned n = vm->config.machine.attached_count;
	struct attachment *at;

	pmem.path = name;
	pmem.fd = fd;
	assert_int_equal(trapmap_vm_add_pmem(vm, &pmem), 0);
	at = vm->config.attached[n];
	return at->ops->device(at, &site, &vd[n % 3], &vm->error);
}

static void the_file_comes_first_and_zeroes_follow(void **state)
{
	uint8_t buf[16];

	assert_int_equal(open_image(path, -1), 0);
	assert_int_equal(shows, 1);
	assert_int_equal(shown[0].len, MIB(2));
	assert_int_equal(shown[0].align, MIB(128));
	assert_int_equal((uintptr_t)shown[0].host % MIB(2), 0);
	assert_memory_equal(shown[0].host, "image", 5);
	assert_memory_equal(shown[0].host + 4997, "end", 4);
	assert_int_equal(shown[0].host[MIB(2) - 1], 0);
	virtio_config_read(vd[0], 0, buf, 16);
	assert_true(get_le64(buf) == GIB(4));
	assert_true(get_le64(buf + 8) == MIB(2));
}

static void a_size_that_is_round_stays_as_it_is(void **state)
{
	assert_int_equal(truncate(path, (off_t)MIB(4)), 0);
	assert_int_equal(open_image(path, -1), 0);
	assert_int_equal(shown[0].len, MIB(4));
	assert_int_equal(truncate(path, (off_t)MIB(4) + 1), 0);
	assert_int_equal(open_image(path, -1), 0);
	assert_int_equal(shown[1].len, MIB(6));
}

/* One page cache: what changes in the file changes in both. */
static void two_machines_share_the_pages_of_one_file(void **state)
{
	int fd;

	assert_int_equal(open_image(path, -1), 0);
	assert_int_equal(open_image(path, -1), 0);
	assert_ptr_not_equal(shown[0].host, shown[1].host);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "IMAGE", 5, 0), 5);
	close(fd);
	assert_memory_equal(shown[0].host, "IMAGE", 5);
	assert_memory_equal(shown[1].host, "IMAGE", 5);
}

static int lock(int fd, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

static void nobody_may_write_to_it_meanwhile(void **state)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_int_equal(lock(fd, F_WRLCK), 0);
	assert_int_equal(open_image(path, -1), -EBUSY);
	assert_non_null(strstr(vm->error.text,
			       "': is being written to by another program"));
	assert_int_equal(lock(fd, F_UNLCK), 0);
	assert_int_equal(open_image(path, -1), 0);
	assert_int_equal(lock(fd, F_WRLCK), -EAGAIN);
	assert_int_equal(lock(fd, F_RDLCK), 0);
	close(fd);
}

static void a_descriptor_will_do(void **state)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(open_image(NULL, fd), 0);
	close(fd);
	assert_memory_equal(shown[0].host, "image", 5);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(open_image(NULL, fd), -EBADF);
	assert_non_null(strstr(vm->error.text, "is not open for reading"));
	close(fd);
}

static void what_is_no_image_is_refused_with_a_reason(void **state)
{
	assert_int_equal(open_image("/tmp", -1), -EISDIR);
	assert_error("pmem '/tmp': is a directory; an image or a block device "
		     "was expected");
	assert_int_equal(open_image("/dev/null", -1), -ENOTBLK);
	assert_error("pmem '/dev/null': is neither a regular file nor a block "
		     "device");
	assert_int_equal(open_image("/nowhere/image", -1), -ENOENT);
	assert_error("pmem '/nowhere/image': No such file or directory");
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(open_image(path, -1), -ENODATA);
	assert_non_null(strstr(vm->error.text, "is empty"));
	assert_int_equal(truncate(path, 1), 0);
	refuses = -ENOSPC;
	assert_int_equal(open_image(path, -1), -ENOSPC);
	assert_int_equal(vm->error.status, ERROR_INPUT);
	assert_non_null(strstr(vm->error.text, "is larger than"));
	assert_int_equal(shows, 0);
}

static void what_is_wrong_with_the_struct_is_said(void **state)
{
	struct trapmap_pmem pmem = { .size = 3, .path = "a" };

	assert_int_equal(trapmap_vm_add_pmem(vm, &pmem), -EINVAL);
	assert_error("struct trapmap_pmem: wrong size");
	pmem.size = sizeof(pmem);
	pmem.path = "";
	assert_int_equal(trapmap_vm_add_pmem(vm, &pmem), -EINVAL);
	assert_error("struct trapmap_pmem: the path is empty");
	pmem.path = NULL;
	pmem.fd = -1;
	assert_int_equal(trapmap_vm_add_pmem(vm, &pmem), -EBADF);
	assert_error("pmem: Bad file descriptor");
	assert_int_equal(vm->config.machine.attached_count, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_file_comes_first_and_zeroes_follow),
		T(a_size_that_is_round_stays_as_it_is),
		T(two_machines_share_the_pages_of_one_file),
		T(nobody_may_write_to_it_meanwhile),
		T(a_descriptor_will_do),
		T(what_is_no_image_is_refused_with_a_reason),
		T(what_is_wrong_with_the_struct_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
