// SPDX-License-Identifier: MIT
#include "mem.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "core/base.h"
#include "kvm.h"
#include "layout.h"

/*
 * Host and guest addresses agree modulo 2 MiB, so that KVM can map a huge page
 * of the host as one.
 */
#define MEM_ALIGN MIB(2)

int mem_init(struct mem *mem, uint64_t size, struct error *err)
{
	uint64_t low = size < LAYOUT_HOLE ? size : LAYOUT_HOLE;
	uint8_t *host;

	if (size > SIZE_MAX - MEM_ALIGN)
		return error_set(err, ERROR_INPUT, -ENOMEM,
				 "%llu MiB of memory cannot be addressed",
				 (unsigned long long)(size >> 20));

	*mem = (struct mem){ .size = size, .map_len = size + MEM_ALIGN };
	mem->map = mmap(NULL, mem->map_len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem->map == MAP_FAILED) {
		mem->map = NULL;
		return error_set(err, ERROR_INPUT, -errno,
				 "this host has no room for %llu MiB of guest "
				 "memory; ask for less with -m",
				 (unsigned long long)(size >> 20));
	}
	/* A child of the embedder's must not make copies of guest pages. */
	(void)madvise(mem->map, mem->map_len, MADV_DONTFORK);

	host = (uint8_t *)align_up((uintptr_t)mem->map, MEM_ALIGN);
	(void)gmem_add(&mem->gmem, 0, LAYOUT_LOW_RAM_END, host);
	(void)gmem_add(&mem->gmem, LAYOUT_BIOS, low - LAYOUT_BIOS,
		       host + LAYOUT_BIOS);
	if (size > low)
		(void)gmem_add(&mem->gmem, LAYOUT_HOLE_END, size - low,
			       host + low);
	return 0;
}

void mem_done(struct mem *mem)
{
	if (mem->map)
		munmap(mem->map, mem->map_len);
	*mem = (struct mem){ 0 };
}

int mem_attach(const struct mem *mem, int vm_fd, struct error *err)
{
	unsigned i;
	int r;

	for (i = 0; i < mem->gmem.count; i++) {
		const struct gmem_region *region = &mem->gmem.region[i];

		r = kvm_set_memory(vm_fd, i, region->base, region->len,
				   region->host);
		if (r < 0)
			return error_set(
				err, ERROR_INPUT, r,
				"KVM refuses %llu MiB of memory at %#llx "
				"(KVM_SET_USER_MEMORY_REGION: error %d); ask "
				"for less with -m",
				(unsigned long long)(region->len >> 20),
				(unsigned long long)region->base, -r);
	}
	return 0;
}

int mem_clear(struct mem *mem, struct error *err)
{
	if (madvise(mem->map, mem->map_len, MADV_DONTNEED) < 0)
		return error_host(err, -errno, "cannot clear guest memory");
	return 0;
}
