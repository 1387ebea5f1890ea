// SPDX-License-Identifier: MIT
/* Guest memory of each kind: zeroes, given back, cleared; and what cannot be had. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base.h"
#include "mem_back.h"
#include "mem_room.h"

static char dir[64], path[96];
static struct mem_back b = { .fd = -1 };
static struct error err;

static int setup(void **state)
{
	strcpy(dir, "/tmp/trapmap-mem-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ram", dir);
	memset(&err, 0, sizeof(err));
	return 0;
}

static int teardown(void **state)
{
	mem_back_unmap(&b);
	unlink(path);
	rmdir(dir);
	return 0;
}

static int map(struct mem_back_config config, uint64_t len)
{
	mem_back_unmap(&b);
	return mem_back_map(&b, &config, len, &err);
}

static void assert_says(int r, int want, enum error_status status,
			const char *what)
{
	assert_int_equal(r, want);
	assert_int_equal(err.status, status);
	if (!strstr(err.text, what))
		fail_msg("\"%s\" does not say \"%s\"", err.text, what);
	assert_null(b.map);
	assert_int_equal(b.fd, -1);
}

/* Pages of [off, off + len) that are in memory. */
static unsigned there(uint64_t off, uint64_t len)
{
	unsigned char *in = calloc(len / 4096, 1);
	unsigned i, n = 0;

	assert_int_equal(mincore(b.host + off, len, in), 0);
	for (i = 0; i < len / 4096; i++)
		n += in[i] & 1;
	free(in);
	return n;
}

static bool is_zero(uint64_t off, uint64_t len)
{
	while (len > 0 && b.host[off + len - 1] == 0)
		len--;
	return len == 0;
}

/* It is mapped: reading and writing, giving back, clearing. */
static void assert_behaves(uint64_t len)
{
	assert_int_equal((uintptr_t)b.host % MEM_BACK_ALIGN, 0);
	assert_true(is_zero(0, len));
	memset(b.host, 0x5a, len);
	if (mem_back_keeps(&b.config)) {
		assert_int_equal(mem_back_discard(&b, b.host, 4096),
				 -EOPNOTSUPP);
		assert_int_equal(b.host[0], 0x5a);
	} else {
		assert_int_equal(mem_back_discard(&b, b.host + 8192, 8192), 0);
		assert_int_equal(there(8192, 8192), 0);
		assert_true(is_zero(8192, 8192));
		assert_int_equal(b.host[8191], 0x5a);
		assert_int_equal(b.host[16384], 0x5a);
	}
	memset(b.host, 0x5a, len);
	assert_int_equal(mem_back_clear(&b, false, &err), 0);
	if (!mem_back_keeps(&b.config) && !b.config.prealloc)
		assert_int_equal(there(0, len), 0);
	assert_true(is_zero(0, len));
	memset(b.host, 0x5a, len);
	assert_int_equal(mem_back_clear(&b, true, &err), 0);
	assert_int_equal(there(0, len), len / 4096);
	assert_true(is_zero(0, len));
}

static void private_memory_behaves(void **state)
{
	assert_int_equal(map((struct mem_back_config){ 0 }, MIB(8)), 0);
	assert_int_equal(b.fd, -1);
	assert_int_equal(there(0, MIB(8)), 0);
	assert_behaves(MIB(8));
}

static void a_memfd_behaves_and_keeps_its_size(void **state)
{
	const struct mem_back_config config = {
		.backing = TRAPMAP_MEMORY_MEMFD,
	};
	uint8_t *other;

	assert_int_equal(map(config, MIB(8)), 0);
	assert_int_equal(there(0, MIB(8)), 0);
	assert_behaves(MIB(8));
	assert_int_equal(ftruncate(b.fd, 4096), -1);
	/* Another mapping is the same memory. */
	other = mmap(NULL, MIB(8), PROT_READ | PROT_WRITE, MAP_SHARED, b.fd, 0);
	assert_true(other != MAP_FAILED);
	other[MIB(3)] = 7;
	assert_int_equal(b.host[MIB(3)], 7);
	munmap(other, MIB(8));
}

static void a_file_is_made_given_room_and_stays(void **state)
{
	const struct mem_back_config config = {
		.backing = TRAPMAP_MEMORY_FILE,
		.path = path,
	};
	struct stat st;

	assert_int_equal(map(config, MIB(8)), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, MIB(8));
	assert_true((uint64_t)st.st_blocks * 512 >= MIB(8));
	assert_behaves(MIB(8));
	assert_int_equal(stat(path, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 >= MIB(8));
	memset(b.host, 0x77, 4096);
	mem_back_unmap(&b);
	assert_int_equal(access(path, F_OK), 0);
	/* What is in it by then is lost. */
	assert_int_equal(map(config, MIB(4)), 0);
	assert_true(is_zero(0, MIB(4)));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, MIB(4));
}

static void a_file_that_is_used_is_refused(void **state)
{
	struct mem_back_config config = {
		.backing = TRAPMAP_MEMORY_FILE,
		.path = path,
	};
	struct mem_back first = { .fd = -1 };

	assert_int_equal(mem_back_map(&first, &config, MIB(2), &err), 0);
	first.host[5] = 5;
	assert_says(map(config, MIB(2)), -EBUSY, ERROR_INPUT, "uses it");
	assert_int_equal(first.host[5], 5);
	mem_back_unmap(&first);
	config.path = dir;
	assert_says(map(config, MIB(2)), -EISDIR, ERROR_INPUT, dir);
	config.path = (char *)(uintptr_t)"/dev/null";
	assert_says(map(config, MIB(2)), -EINVAL, ERROR_INPUT,
		    "a regular file expected");
	config.path = (char *)(uintptr_t)"/nonexistent/ram";
	assert_says(map(config, MIB(2)), -ENOENT, ERROR_INPUT, "No such file");
	/* As of a link that leads nowhere, which is not "there already". */
	config.path = path;
	unlink(path);
	assert_int_equal(symlink("/nonexistent/ram", path), 0);
	assert_says(map(config, MIB(2)), -ENOENT, ERROR_INPUT, "No such file");
}

static void a_file_system_without_room_says_how_much_it_has(void **state)
{
	const struct mem_back_config config = {
		.backing = TRAPMAP_MEMORY_FILE,
		.path = path,
	};
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	assert_says(map(config, GIB(1) << 14), -ENOSPC, ERROR_HOST,
		    "16 TiB are needed, and its file system has room for ");
	/* What was there before is there still; and nothing is made in vain. */
	assert_int_equal(access(path, F_OK), 0);
	fd = open(path, O_RDONLY);
	assert_int_equal(lseek(fd, 0, SEEK_END), 8);
	close(fd);
	unlink(path);
	assert_int_equal(map(config, GIB(1) << 14), -ENOSPC);
	assert_int_equal(access(path, F_OK), -1);
}

/* In a child, since limits are for a whole process. */
static int in_child(int resource, uint64_t limit, struct mem_back_config config,
		    const char *what)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit r = { limit, limit };
		bool good;

		if (setrlimit(resource, &r) < 0)
			_exit(2);
		/* Who may lock whatever he likes has to be somebody else. */
		if (resource == RLIMIT_MEMLOCK && geteuid() == 0 &&
		    setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		good = map(config, MIB(16)) < 0 && err.status == ERROR_HOST &&
		       strstr(err.text, what);
		if (!good)
			fprintf(stderr, "%s\n", err.text);
		_exit(!good);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void limits_of_the_process_are_told(void **state)
{
	const struct mem_back_config lock = { .lock = true };
	const struct mem_back_config file = {
		.backing = TRAPMAP_MEMORY_FILE,
		.path = path,
	};
	const struct mem_back_config memfd = {
		.backing = TRAPMAP_MEMORY_MEMFD,
	};
	const struct mem_back_config huge = {
		.backing = TRAPMAP_MEMORY_HUGETLB,
		.page_size = MIB(2),
	};
	uint64_t room, all;

	assert_int_equal(in_child(RLIMIT_MEMLOCK, MIB(1), lock,
				  "may lock 1 MiB (ulimit -l"),
			 0);
	/* No SIGXFSZ. */
	assert_int_equal(in_child(RLIMIT_FSIZE, MIB(2), file,
				  "(ulimit -f) has room for 2 MiB"),
			 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(in_child(RLIMIT_FSIZE, MIB(2), memfd,
				  "files of at most 2 MiB (ulimit -f)"),
			 0);
	if (mem_room_huge(MIB(2), &room, &all) == 0)
		assert_int_equal(in_child(RLIMIT_FSIZE, MIB(2), huge,
					  "files of at most 2 MiB (ulimit -f)"),
				 0);
}

static void what_is_taken_at_once_is_there(void **state)
{
	struct mem_back_config config = { .prealloc = true };
	struct rlimit limit;

	assert_int_equal(map(config, MIB(200)), 0);
	assert_int_equal(there(0, MIB(200)), MIB(200) / 4096);
	/* It also stays, or is there again, after a reset. */
	assert_int_equal(mem_back_discard(&b, b.host, MIB(4)), 0);
	assert_int_equal(mem_back_clear(&b, false, &err), 0);
	assert_int_equal(there(0, MIB(200)), MIB(200) / 4096);

	config = (struct mem_back_config){ .lock = true };
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur < MIB(4))
		return;
	assert_int_equal(map(config, MIB(4)), 0);
	assert_int_equal(there(0, MIB(4)), MIB(4) / 4096);
	assert_behaves(MIB(4));
}

static void more_than_there_is_cannot_be_taken_at_once(void **state)
{
	const struct mem_back_config config = { .prealloc = true };
	const char *what = NULL;
	uint64_t room = mem_room_available(&what);

	if (room > GIB(1) << 12)
		skip();
	assert_non_null(what);
	assert_says(map(config, align_up(room + GIB(64), 4096)), -ENOMEM,
		    ERROR_HOST, "is to be taken at once, and this host has ");
}

static void huge_pages_are_there_or_counted(void **state)
{
	const struct mem_back_config config = {
		.backing = TRAPMAP_MEMORY_HUGETLB,
		.page_size = MIB(2),
	};
	uint64_t room = 0, all = 0;
	int r;

	if (mem_room_huge(MIB(2), &room, &all) < 0) {
		assert_says(map(config, MIB(4)), -ENODEV, ERROR_HOST,
			    "huge pages of 2 MiB");
		return;
	}
	assert_true(room <= all);
	r = map(config, (room + 1000000) * MIB(2));
	assert_says(r, -ENOMEM, ERROR_HOST, "huge pages of 2 MiB, and of ");
	assert_non_null(strstr(err.text, "are free"));
	assert_says(map(config, MIB(3)), -EINVAL, ERROR_INPUT,
		    "3 MiB is not made up of whole huge pages of 2 MiB");
	if (room < 4) {
		print_message("[  INFO  ] no huge pages to map here\n");
		return;
	}
	assert_int_equal(map(config, MIB(8)), 0);
	assert_behaves(MIB(8));
}

static void transparent_huge_pages_are_had_or_refused(void **state)
{
	struct mem_back_config config = { .thp = TRAPMAP_THP_ON };
	unsigned i;

	for (i = 0; i < 2; i++) {
		const char *off = mem_room_thp_off(i > 0);

		config.backing = i ? TRAPMAP_MEMORY_MEMFD : TRAPMAP_MEMORY_ANON;
		if (off)
			assert_says(map(config, MIB(8)), -EOPNOTSUPP,
				    ERROR_HOST, off);
		else
			assert_int_equal(map(config, MIB(8)), 0);
	}
	config.thp = TRAPMAP_THP_OFF;
	assert_int_equal(map(config, MIB(8)), 0);
	assert_behaves(MIB(8));
}

static void sizes_are_whole_for_people(void **state)
{
	char text[32];

	assert_string_equal(mem_size_text(text, MIB(1536)), "1536 MiB");
	assert_string_equal(mem_size_text(text, GIB(1024)), "1 TiB");
	assert_string_equal(mem_size_text(text, 4097), "4097 B");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(private_memory_behaves),
		T(a_memfd_behaves_and_keeps_its_size),
		T(a_file_is_made_given_room_and_stays),
		T(a_file_that_is_used_is_refused),
		T(a_file_system_without_room_says_how_much_it_has),
		T(limits_of_the_process_are_told),
		T(what_is_taken_at_once_is_there),
		T(more_than_there_is_cannot_be_taken_at_once),
		T(huge_pages_are_there_or_counted),
		T(transparent_huge_pages_are_had_or_refused),
		T(sizes_are_whole_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
