// SPDX-License-Identifier: MIT
/*
 * elf.c: ELF files: what in them goes where.
 *
 * Source: System V ABI, chapters 4 and 5, and its AMD64 supplement.
 *
 * Segments go to their physical addresses (p_paddr). Not here: sections,
 * symbols, relocations, more than BOOT_MAX_SEGMENTS segments.
 */
#include "boot/elf.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "core/base.h"
#include "layout.h"

#define MACHINE_LOONGARCH 258 /* not in every elf.h */

static const struct {
	uint16_t machine;
	const char *name;
} machines[] = {
	{ EM_X86_64, "x86-64" },
	{ EM_386, "i386" },
	{ EM_ARM, "ARM" },
	{ EM_AARCH64, "AArch64" },
	{ EM_RISCV, "RISC-V" },
	{ EM_PPC, "PowerPC" },
	{ EM_PPC64, "64-bit PowerPC" },
	{ EM_S390, "s390" },
	{ EM_MIPS, "MIPS" },
	{ EM_SPARC, "SPARC" },
	{ EM_SPARCV9, "64-bit SPARC" },
	{ EM_IA_64, "Itanium" },
	{ EM_68K, "m68k" },
	{ EM_PARISC, "PA-RISC" },
	{ EM_ALPHA, "Alpha" },
	{ EM_BPF, "BPF" },
	{ MACHINE_LOONGARCH, "LoongArch" },
};

/* What Trapmap itself puts below 1 MiB before a kernel starts. */
static const struct {
	gpa_t start, end;
	const char *what;
} taken[] = {
	{ 0, LAYOUT_BOOT_GDT, "the BIOS data area" },
	{ LAYOUT_BOOT_GDT, LAYOUT_BOOT_PARAMS, "the first page tables" },
	{ LAYOUT_BOOT_PARAMS, LAYOUT_BOOT_PARAMS + 0x1000, "boot_params" },
	{ LAYOUT_MULTIBOOT, LAYOUT_MULTIBOOT + LAYOUT_MULTIBOOT_MAX,
	  "setup_data, the multiboot information or PVH's start info" },
	{ LAYOUT_CMDLINE - 0x1000, LAYOUT_CMDLINE, "the first stack" },
	{ LAYOUT_CMDLINE, LAYOUT_CMDLINE + LAYOUT_CMDLINE_MAX,
	  "the command line" },
	{ LAYOUT_EBDA, LAYOUT_HIGH_RAM, "the BIOS area" },
};

static const char *machine_name(uint16_t machine)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	return NULL;
}

/* e_type and e_machine are where they are in every ELF, of either class. */
static int check_machine(const Elf64_Ehdr *e, bool allow_32,
			 struct boot_error *err)
{
	bool big = e->e_ident[EI_DATA] == ELFDATA2MSB;
	uint16_t machine = e->e_machine;
	const char *name;

	if (big)
		machine = (uint16_t)(machine >> 8 | machine << 8);
	name = machine_name(machine);
	if (e->e_ident[EI_CLASS] == ELFCLASS32) {
		if (allow_32 && !big &&
		    (machine == EM_386 || machine == EM_X86_64))
			return 0;
		return boot_refuse(err, EI_CLASS,
				   "a 32-bit ELF for %s; a 64-bit one for x86-64, or a PVH note or multiboot header, expected",
				   name ? name : "an unknown machine");
	}
	if (e->e_ident[EI_CLASS] != ELFCLASS64)
		return boot_refuse(err, EI_CLASS,
				   "ELF's class is %u; 64-bit (2) expected",
				   e->e_ident[EI_CLASS]);
	if (machine != EM_X86_64 && name)
		return boot_refuse(err, offsetof(Elf64_Ehdr, e_machine),
				   "ELF for %s; x86-64 expected", name);
	if (machine != EM_X86_64)
		return boot_refuse(err, offsetof(Elf64_Ehdr, e_machine),
				   "ELF for machine number %u; x86-64 (62) expected",
				   machine);
	if (e->e_ident[EI_DATA] != ELFDATA2LSB)
		return boot_refuse(err, EI_DATA,
				   "ELF's byte order is %u; little-endian (1) expected",
				   e->e_ident[EI_DATA]);
	return 0;
}

static int check_type(const Elf64_Ehdr *e, struct boot_error *err)
{
	const uint64_t off = offsetof(Elf64_Ehdr, e_type);

	switch (e->e_type) {
	case ET_EXEC:
	case ET_DYN:
		return 0;
	case ET_REL:
		return boot_refuse(err, off,
				   "a relocatable ELF (an object file or a module); a linked kernel expected");
	case ET_CORE:
		return boot_refuse(err, off,
				   "an ELF core dump; a linked kernel expected");
	default:
		return boot_refuse(err, off,
				   "ELF of type %u; an executable (2 or 3) expected",
				   e->e_type);
	}
}

bool elf_is_32(const Elf64_Ehdr *e)
{
	return e->e_ident[EI_CLASS] == ELFCLASS32;
}

static size_t phdr_size(const Elf64_Ehdr *e)
{
	return elf_is_32(e) ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

/* The program headers must lie in the head. */
static int check_headers(const Elf64_Ehdr *e, size_t head_len,
			 uint64_t file_len, struct boot_error *err)
{
	uint64_t len = (uint64_t)e->e_phnum * phdr_size(e);

	if (e->e_phnum == 0)
		return boot_refuse(err, offsetof(Elf64_Ehdr, e_phnum),
				   "ELF has no program headers; nothing to load");
	if (e->e_phentsize != phdr_size(e))
		return boot_refuse(err, offsetof(Elf64_Ehdr, e_phentsize),
				   "ELF's program headers have %u bytes each, %zu expected",
				   e->e_phentsize, phdr_size(e));
	if (e->e_phoff > UINT64_MAX - len)
		return boot_refuse(err, offsetof(Elf64_Ehdr, e_phoff),
				   "ELF's program headers are at 0x%" PRIx64
				   ", beyond any file",
				   e->e_phoff);
	if (e->e_phoff + len > file_len)
		return boot_refuse(err, file_len,
				   "ELF is truncated: its program headers end at 0x%" PRIx64
				   ", the file at 0x%" PRIx64,
				   e->e_phoff + len, file_len);
	if (e->e_phoff + len > head_len)
		return boot_refuse(err, offsetof(Elf64_Ehdr, e_phoff),
				   "ELF's program headers end at 0x%" PRIx64
				   ", within the first 0x%zx bytes expected",
				   e->e_phoff + len, head_len);
	return 0;
}

static bool overlaps(gpa_t a, uint64_t a_len, gpa_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

int elf_add_segment(struct boot_plan *plan, const Elf64_Phdr *ph,
		    const struct elf_phdr_at *at, uint64_t file_len,
		    struct boot_error *err)
{
	unsigned i, n = plan->segments;

	if (ph->p_filesz > ph->p_memsz)
		return boot_refuse(err, at->filesz,
				   "segment %u has 0x%" PRIx64
				   " bytes in the file, 0x%" PRIx64
				   " in memory",
				   n, ph->p_filesz, ph->p_memsz);
	if (ph->p_offset > UINT64_MAX - ph->p_filesz)
		return boot_refuse(err, at->offset,
				   "segment %u is at 0x%" PRIx64
				   ", beyond any file",
				   n, ph->p_offset);
	if (ph->p_offset + ph->p_filesz > file_len)
		return boot_refuse(err, file_len,
				   "file is truncated: segment %u ends at 0x%" PRIx64
				   ", the file at 0x%" PRIx64,
				   n, ph->p_offset + ph->p_filesz, file_len);
	if (ph->p_paddr > LAYOUT_HOLE ||
	    ph->p_memsz > LAYOUT_HOLE - ph->p_paddr)
		return boot_refuse(err, at->paddr,
				   "segment %u has 0x%" PRIx64
				   " bytes at 0x%" PRIx64
				   ", memory below 4 GiB ends at 0x%llx",
				   n, ph->p_memsz, ph->p_paddr, LAYOUT_HOLE);
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		if (overlaps(ph->p_paddr, ph->p_memsz, taken[i].start,
			     taken[i].end - taken[i].start))
			return boot_refuse(err, at->paddr,
					   "segment %u at 0x%" PRIx64
					   " collides with %s at 0x%" PRIx64,
					   n, ph->p_paddr, taken[i].what,
					   taken[i].start);
	for (i = 0; i < n; i++)
		if (overlaps(ph->p_paddr, ph->p_memsz, plan->segment[i].gpa,
			     plan->segment[i].mem_len))
			return boot_refuse(err, at->paddr,
					   "segment %u at 0x%" PRIx64
					   " overlaps segment %u at 0x%" PRIx64,
					   n, ph->p_paddr, i,
					   plan->segment[i].gpa);
	if (n == BOOT_MAX_SEGMENTS)
		return boot_refuse(err, at->header,
				   "ELF has more than %u segments to load", n);
	plan->segment[plan->segments++] = (struct boot_segment){
		.file_off = ph->p_offset,
		.file_len = ph->p_filesz,
		.gpa = ph->p_paddr,
		.mem_len = ph->p_memsz,
	};
	return 0;
}

/*
 * Linux's e_entry is physical, but a kernel linked high may well have a virtual
 * one: then it is where its segment was loaded. Only bytes of the file count,
 * since zeros are not code.
 */
static int find_entry(const struct boot_plan *plan,
		      const struct elf_entry *entry, const uint64_t *vaddr,
		      uint64_t *ret_entry, struct boot_error *err)
{
	const struct boot_segment *s = plan->segment;
	const uint64_t at = entry->addr;
	unsigned i;

	for (i = 0; i < plan->segments; i++)
		if (at >= s[i].gpa && at - s[i].gpa < s[i].file_len) {
			*ret_entry = at;
			return 0;
		}
	for (i = 0; i < plan->segments && !entry->physical; i++)
		if (at >= vaddr[i] && at - vaddr[i] < s[i].file_len) {
			*ret_entry = s[i].gpa + (at - vaddr[i]);
			return 0;
		}
	return boot_refuse(err, entry->off,
			   "ELF's %s 0x%" PRIx64
			   " lies in none of its segments",
			   entry->physical ? "PVH entry" : "entry", at);
}

static void reserve_all(struct boot_plan *plan)
{
	gpa_t start = UINT64_MAX, end = 0;
	unsigned i;

	for (i = 0; i < plan->segments; i++) {
		const struct boot_segment *s = &plan->segment[i];

		if (s->gpa < start)
			start = s->gpa;
		if (s->gpa + s->mem_len > end)
			end = s->gpa + s->mem_len;
	}
	plan->reserve = start;
	plan->reserve_len = end - start;
}

/* The fields that are used, of a 32-bit header in its 64-bit form. */
static void widen_header(const Elf32_Ehdr *from, Elf64_Ehdr *to)
{
	memcpy(to->e_ident, from->e_ident, sizeof(to->e_ident));
	to->e_type = from->e_type;
	to->e_machine = from->e_machine;
	to->e_entry = from->e_entry;
	to->e_phoff = from->e_phoff;
	to->e_phentsize = from->e_phentsize;
	to->e_phnum = from->e_phnum;
}

uint64_t elf_phdr_off(const Elf64_Ehdr *e, unsigned i)
{
	return e->e_phoff + i * phdr_size(e);
}

Elf64_Phdr elf_phdr(const struct boot_image *image, const Elf64_Ehdr *e,
		    unsigned i)
{
	const uint8_t *at = image->head + elf_phdr_off(e, i);
	Elf32_Phdr narrow;
	Elf64_Phdr ph;

	if (!elf_is_32(e)) {
		memcpy(&ph, at, sizeof(ph));
		return ph;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return (Elf64_Phdr){
		.p_type = narrow.p_type,
		.p_offset = narrow.p_offset,
		.p_vaddr = narrow.p_vaddr,
		.p_paddr = narrow.p_paddr,
		.p_filesz = narrow.p_filesz,
		.p_memsz = narrow.p_memsz,
		.p_align = narrow.p_align,
	};
}

bool elf_is(const struct boot_image *image)
{
	return image->head_len >= SELFMAG &&
	       memcmp(image->head, ELFMAG, SELFMAG) == 0;
}

int elf_header(const struct boot_image *image, bool allow_32,
	       Elf64_Ehdr *ret_ehdr, struct boot_error *err)
{
	const uint8_t *head = image->head;
	size_t head_len = image->head_len;
	Elf32_Ehdr narrow;
	Elf64_Ehdr e = { 0 };
	size_t need = sizeof(e);
	int r;

	if (allow_32 && head_len > EI_CLASS && head[EI_CLASS] == ELFCLASS32)
		need = sizeof(narrow);
	if (head_len < need)
		return boot_refuse(err, image->len,
				   "ELF is truncated: a header of %zu bytes expected, %zu found",
				   need, head_len);
	if (need == sizeof(narrow)) {
		memcpy(&narrow, head, sizeof(narrow));
		widen_header(&narrow, &e);
	} else {
		memcpy(&e, head, sizeof(e));
	}
	r = check_machine(&e, allow_32, err);
	if (r == 0)
		r = check_type(&e, err);
	if (r == 0)
		r = check_headers(&e, head_len, image->len, err);
	if (r == 0)
		*ret_ehdr = e;
	return r;
}

#define PHDR_AT(type, off)                            \
	((struct elf_phdr_at){                        \
		.header = (off),                      \
		.offset = (off) + offsetof(type, p_offset), \
		.paddr = (off) + offsetof(type, p_paddr),   \
		.filesz = (off) + offsetof(type, p_filesz), \
	})

int elf_load(const struct boot_image *image, const Elf64_Ehdr *e,
	     const struct elf_entry *entry, struct boot_plan *plan,
	     struct boot_error *err)
{
	uint64_t vaddr[BOOT_MAX_SEGMENTS] = { 0 };
	unsigned i;
	int r;

	for (i = 0; i < e->e_phnum; i++) {
		uint64_t off = elf_phdr_off(e, i);
		struct elf_phdr_at at = elf_is_32(e) ? PHDR_AT(Elf32_Phdr, off) :
						       PHDR_AT(Elf64_Phdr, off);
		Elf64_Phdr ph = elf_phdr(image, e, i);

		/* FreeBSD's kernel names one, too. */
		if (ph.p_type == PT_INTERP && plan->boot != TRAPMAP_BOOT_PVH &&
		    plan->boot != TRAPMAP_BOOT_MULTIBOOT)
			return boot_refuse(err, off,
					   "an ELF program for user space (it names an interpreter); a kernel expected");
		if (ph.p_type != PT_LOAD || ph.p_memsz == 0)
			continue;
		r = elf_add_segment(plan, &ph, &at, image->len, err);
		if (r < 0)
			return r;
		vaddr[plan->segments - 1] = ph.p_vaddr;
	}
	if (plan->segments == 0)
		return boot_refuse(err, e->e_phoff,
				   "ELF has no segment to load");
	r = find_entry(plan, entry, vaddr, &plan->entry, err);
	if (r < 0)
		return r;
	reserve_all(plan);
	return 0;
}

struct elf_entry elf_entry(const Elf64_Ehdr *e)
{
	return (struct elf_entry){
		.addr = e->e_entry,
		.off = offsetof(Elf64_Ehdr, e_entry),
	};
}
