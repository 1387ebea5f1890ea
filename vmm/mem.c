// SPDX-License-Identifier: MIT
#include "mem.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base.h"
#include "kvm.h"
#include "layout.h"

/*
 * Host and guest addresses agree modulo 2 MiB, so that KVM can map a huge page
 * of the host as one.
 */
#define MEM_ALIGN MIB(2)

/* MAXPHYADDR is never more (SDM volume 3, 4.1.4). */
#define PHYS_BITS_MAX 52u

/* "6 GiB", "1536 MiB": for messages. */
static const char *size_text(char buf[32], uint64_t size)
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

/* One mapping for all of it, in the order of the addresses. */
static void place_ram(struct mem *mem, const struct platform *p, uint8_t *host)
{
	unsigned i;

	(void)gmem_add(&mem->gmem, 0, LAYOUT_LOW_RAM_END, host);
	(void)gmem_add(&mem->gmem, LAYOUT_BIOS, p->ram[0].len - LAYOUT_BIOS,
		       host + LAYOUT_BIOS);
	for (i = 1; i < p->rams; i++) {
		host += p->ram[i - 1].len;
		(void)gmem_add(&mem->gmem, p->ram[i].base, p->ram[i].len, host);
	}
}

int mem_init(struct mem *mem, const struct platform *platform,
	     struct error *err)
{
	uint64_t size = platform->mem;
	char text[32];
	uint8_t *host;

	if (size > SIZE_MAX - MEM_ALIGN)
		return error_set(err, ERROR_INPUT, -ENOMEM,
				 "%s of memory cannot be addressed",
				 size_text(text, size));

	*mem = (struct mem){ .size = size, .map_len = size + MEM_ALIGN };
	mem->map = mmap(NULL, mem->map_len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem->map == MAP_FAILED) {
		mem->map = NULL;
		return error_set(err, ERROR_INPUT, -errno,
				 "this host has no room for %s of guest memory; "
				 "ask for less",
				 size_text(text, size));
	}
	/* A child of the embedder's must not make copies of guest pages. */
	(void)madvise(mem->map, mem->map_len, MADV_DONTFORK);

	host = (uint8_t *)align_up((uintptr_t)mem->map, MEM_ALIGN);
	place_ram(mem, platform, host);
	return 0;
}

void mem_done(struct mem *mem)
{
	if (mem->map)
		munmap(mem->map, mem->map_len);
	*mem = (struct mem){ 0 };
}

int mem_add_window(struct mem *mem, unsigned phys_bits, void *host,
		   uint64_t len, uint64_t align, gpa_t *ret_gpa)
{
	const struct gmem_region *ram = &mem->gmem.region[mem->gmem.count - 1];
	uint64_t end = phys_bits < PHYS_BITS_MAX ? BIT64(phys_bits) :
						   BIT64(PHYS_BITS_MAX);
	gpa_t gpa = ram->base + ram->len;
	unsigned n = mem->windows;

	if (gpa < LAYOUT_HOLE_END)
		gpa = LAYOUT_HOLE_END;
	if (n > 0)
		gpa = mem->window[n - 1].gpa + mem->window[n - 1].len;
	gpa = align_up(gpa, align);
	if (n == MEM_WINDOWS_MAX || gpa >= end || len > end - gpa)
		return -ENOSPC;
	mem->window[n] = (struct mem_window){ gpa, len, host };
	mem->windows++;
	*ret_gpa = gpa;
	return 0;
}

static int attach_windows(const struct mem *mem, int vm_fd, struct error *err)
{
	char text[32];
	unsigned i;
	int r;

	for (i = 0; i < mem->windows; i++) {
		const struct mem_window *w = &mem->window[i];

		r = kvm_set_read_only(vm_fd, mem->gmem.count + i, w->gpa,
				      w->len, w->host);
		if (r < 0)
			return error_set(err, ERROR_HOST, r,
					 "KVM refuses %s of read-only memory "
					 "(KVM_MEM_READONLY: %s)",
					 size_text(text, w->len),
					 strerrordesc_np(-r) ?: "unknown error");
	}
	return 0;
}

int mem_attach(const struct mem *mem, int vm_fd, struct error *err)
{
	char text[32];
	unsigned i;
	int r;

	for (i = 0; i < mem->gmem.count; i++) {
		const struct gmem_region *region = &mem->gmem.region[i];

		r = kvm_set_memory(vm_fd, i, region->base, region->len,
				   region->host);
		if (r < 0)
			return error_set(err, ERROR_INPUT, r,
					 "KVM refuses a machine with %s of "
					 "memory (KVM_SET_USER_MEMORY_REGION: "
					 "%s); ask for less",
					 size_text(text, mem->size),
					 strerrordesc_np(-r) ?: "unknown error");
	}
	return attach_windows(mem, vm_fd, err);
}

int mem_clear(struct mem *mem, bool pinned, struct error *err)
{
	unsigned i;

	for (i = 0; pinned && i < mem->gmem.count; i++)
		memset(mem->gmem.region[i].host, 0, mem->gmem.region[i].len);
	if (!pinned && madvise(mem->map, mem->map_len, MADV_DONTNEED) < 0)
		return error_host(err, -errno, "cannot clear guest memory");
	return 0;
}

int mem_discard(void *host, size_t len)
{
	return madvise(host, len, MADV_DONTNEED) < 0 ? -errno : 0;
}
