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
#include "mem_room.h"

/* MAXPHYADDR is never more (SDM volume 3, 4.1.4). */
#define PHYS_BITS_MAX 52u

/* One mapping for all of it, in the order of the addresses. */
static void place_ram(struct mem *mem, const struct platform *p, uint8_t *host)
{
	bool placed = false;
	unsigned i;

	(void)gmem_add(&mem->gmem, 0, LAYOUT_LOW_RAM_END, host);
	(void)gmem_add(&mem->gmem, LAYOUT_BIOS, p->ram[0].len - LAYOUT_BIOS,
		       host + LAYOUT_BIOS);
	for (i = 1; i <= p->rams; i++) {
		bool low = i < p->rams && p->ram[i].base < LAYOUT_HOLE;

		if (mem->rom && !placed && !low) {
			(void)gmem_add_rom(&mem->gmem, LAYOUT_HOLE_END - p->rom,
					   p->rom, mem->rom);
			placed = true;
		}
		if (i == p->rams)
			break;
		host += p->ram[i - 1].len;
		(void)gmem_add(&mem->gmem, p->ram[i].base, p->ram[i].len, host);
	}
}

static int map_rom(struct mem *mem, uint64_t len, struct error *err)
{
	void *map;

	if (len == 0)
		return 0;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return error_host(err, -errno, "no memory for the firmware");
	mem->rom = map;
	mem->rom_len = len;
	return 0;
}

int mem_init_on(struct mem *mem, const struct platform *platform,
		const struct mem_back_config *config, struct error *err)
{
	int r;

	*mem = (struct mem){ .size = platform->mem };
	r = mem_back_map(&mem->back, config, platform->mem, err);
	if (r == 0)
		r = map_rom(mem, platform->rom, err);
	if (r < 0) {
		mem_done(mem);
		return r;
	}
	place_ram(mem, platform, mem->back.host);
	return 0;
}

int mem_init(struct mem *mem, const struct platform *platform,
	     struct error *err)
{
	const struct mem_back_config plain = { 0 };

	return mem_init_on(mem, platform, &plain, err);
}

void mem_done(struct mem *mem)
{
	if (mem->back.map)
		mem_back_unmap(&mem->back);
	if (mem->rom)
		munmap(mem->rom, mem->rom_len);
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
					 mem_size_text(text, w->len),
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

		r = region->rom ?
			    kvm_set_read_only(vm_fd, i, region->base,
					      region->len, region->host) :
			    kvm_set_memory(vm_fd, i, region->base, region->len,
					   region->host);
		if (r < 0)
			return error_set(err, ERROR_INPUT, r,
					 "KVM refuses a machine with %s of "
					 "memory (KVM_SET_USER_MEMORY_REGION: "
					 "%s); ask for less",
					 mem_size_text(text, mem->size),
					 strerrordesc_np(-r) ?: "unknown error");
	}
	return attach_windows(mem, vm_fd, err);
}

int mem_clear(struct mem *mem, bool pinned, struct error *err)
{
	return mem_back_clear(&mem->back, pinned, err);
}

int mem_discard(const struct mem *mem, void *host, size_t len)
{
	return mem_back_discard(&mem->back, host, len);
}
