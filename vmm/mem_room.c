// SPDX-License-Identifier: MIT
/*
 * mem_room.c: sources are the kernel's Documentation/admin-guide/mm/hugetlbpage.rst,
 * filesystems/proc.rst (meminfo) and admin-guide/cgroup-v2.rst (memory.max).
 *
 * Not here: cgroup v1, NUMA, quotas.
 */
#include "mem_room.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

const char *mem_size_text(char buf[32], uint64_t size)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned i = 0;

	while (i + 1 < ARRAY_SIZE(unit) && size >= 1024 && size % 1024 == 0) {
		size /= 1024;
		i++;
	}
	snprintf(buf, 32, "%llu %s", (unsigned long long)size, unit[i]);
	return buf;
}

/* The beginning of a small file, as a string. Returns whether it could be read. */
static bool read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	return true;
}

static bool read_number(const char *path, uint64_t *ret_value)
{
	char text[64];

	return read_text(path, text, sizeof(text)) &&
	       sscanf(text, "%" SCNu64, ret_value) == 1;
}

int mem_room_huge(uint64_t page_size, uint64_t *ret_free, uint64_t *ret_all)
{
	uint64_t count, all, reserved = 0;
	char path[128];
	const char *const folder = "/sys/kernel/mm/hugepages/hugepages-";

	snprintf(path, sizeof(path), "%s%" PRIu64 "kB/free_hugepages", folder,
		 page_size / 1024);
	if (!read_number(path, &count))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s%" PRIu64 "kB/nr_hugepages", folder,
		 page_size / 1024);
	if (!read_number(path, &all))
		return -ENOENT;
	/* Of those that are free, some are promised to others already. */
	snprintf(path, sizeof(path), "%s%" PRIu64 "kB/resv_hugepages", folder,
		 page_size / 1024);
	(void)read_number(path, &reserved);
	*ret_free = count > reserved ? count - reserved : 0;
	*ret_all = all;
	return 0;
}

static uint64_t mem_available(void)
{
	char text[2048];
	const char *at;
	uint64_t kib;

	if (!read_text("/proc/meminfo", text, sizeof(text)))
		return UINT64_MAX;
	at = strstr(text, "MemAvailable:");
	if (!at || sscanf(at, "MemAvailable: %" SCNu64, &kib) != 1)
		return UINT64_MAX;
	return kib * 1024;
}

/* What a group lets its processes have beyond what they have. */
static uint64_t group_room(const char *group)
{
	char path[sizeof(CGROUP_ROOT) + 1100];
	uint64_t max, current;

	snprintf(path, sizeof(path), CGROUP_ROOT "%s/memory.max", group);
	if (!read_number(path, &max)) /* the word "max", too */
		return UINT64_MAX;
	snprintf(path, sizeof(path), CGROUP_ROOT "%s/memory.current", group);
	if (!read_number(path, &current))
		return UINT64_MAX;
	return max > current ? max - current : 0;
}

/* The least of a group and all that it lies in. */
static uint64_t groups_room(void)
{
	char text[1200], *group, *end;
	uint64_t least = UINT64_MAX, room;

	if (!read_text("/proc/self/cgroup", text, sizeof(text)))
		return UINT64_MAX;
	group = strstr(text, "0::/");
	if (!group)
		return UINT64_MAX;
	group += 3;
	group[strcspn(group, "\n")] = '\0';
	for (;;) {
		room = group_room(strcmp(group, "/") ? group : "");
		if (room < least)
			least = room;
		end = strrchr(group, '/');
		if (!end || !*group)
			return least;
		*end = '\0';
	}
}

uint64_t mem_room_available(const char **ret_what)
{
	uint64_t available = mem_available(), group = groups_room();

	*ret_what = group < available ? "its control group's memory.max" :
					"MemAvailable";
	return group < available ? group : available;
}

/* One for all sizes, and since Linux 6.8 one for each, which may differ. */
const char *mem_room_thp_off(bool shared)
{
	static const char *const file[][2] = {
		{ "/sys/kernel/mm/transparent_hugepage/enabled",
		  "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled" },
		{ "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
		  "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/shmem_enabled" },
	};
	char text[128];

	if (!read_text(file[shared][0], text, sizeof(text)))
		return "its kernel, which has none";
	if (!strstr(text, "[never]") && !strstr(text, "[deny]"))
		return NULL;
	if (read_text(file[shared][1], text, sizeof(text)) &&
	    !strstr(text, "[never]") && !strstr(text, "[inherit]"))
		return NULL;
	return file[shared][0];
}
