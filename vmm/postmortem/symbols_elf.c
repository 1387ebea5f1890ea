// SPDX-License-Identifier: MIT
/*
 * symbols_elf.c: symbols and samples of an ELF kernel, of 64 or 32 bits.
 *
 * Sources: System V ABI, chapters 4 and 5.
 *
 * Not here: .dynsym, debug information, symbols in sections beyond 65279
 * (SHN_XINDEX), relocatable files.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/symbols_table.h"

struct elf {
	const char *name; /* for messages */
	const uint8_t *buf;
	size_t len;
	struct error *err;
	bool is_64;
	/* As in the header, widened. */
	uint64_t phoff, shoff;
	unsigned phentsize, shentsize, phnum;
	uint64_t shnum;
};

static int refuse(const struct elf *e, uint64_t off, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(const struct elf *e, uint64_t off, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return error_set(e->err, ERROR_INPUT, -ENOEXEC,
			 "'%s': at 0x%" PRIx64 ": %s", e->name, off, why);
}

static bool lies_within(const struct elf *e, uint64_t off, uint64_t len)
{
	return off <= e->len && len <= e->len - off;
}

static int read_header(struct elf *e)
{
	Elf64_Ehdr h = { 0 };
	uint16_t type, machine;

	if (e->len < sizeof(Elf32_Ehdr))
		return refuse(e, e->len, "the ELF header is cut off");
	memcpy(&h, e->buf, sizeof(Elf32_Ehdr));
	e->is_64 = h.e_ident[EI_CLASS] == ELFCLASS64;
	if (!e->is_64 && h.e_ident[EI_CLASS] != ELFCLASS32)
		return refuse(e, EI_CLASS,
			      "ELF's class is %u; 32-bit (1) or 64-bit (2) "
			      "expected",
			      h.e_ident[EI_CLASS]);
	if (h.e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(e, EI_DATA,
			      "ELF's byte order is %u; little-endian (1) "
			      "expected",
			      h.e_ident[EI_DATA]);
	type = h.e_type;
	machine = h.e_machine;
	if (machine != EM_X86_64 && machine != EM_386)
		return refuse(e, offsetof(Elf64_Ehdr, e_machine),
			      "ELF for machine number %u; x86-64 (62) or i386 "
			      "(3) expected",
			      machine);
	if (type != ET_EXEC && type != ET_DYN)
		return refuse(e, offsetof(Elf64_Ehdr, e_type),
			      "ELF of type %u; a linked kernel (2 or 3) "
			      "expected",
			      type);
	if (e->is_64) {
		if (e->len < sizeof(h))
			return refuse(e, e->len, "the ELF header is cut off");
		memcpy(&h, e->buf, sizeof(h));
		e->phoff = h.e_phoff;
		e->shoff = h.e_shoff;
		e->phentsize = h.e_phentsize;
		e->shentsize = h.e_shentsize;
		e->phnum = h.e_phnum;
		e->shnum = h.e_shnum;
	} else {
		Elf32_Ehdr h32;

		memcpy(&h32, e->buf, sizeof(h32));
		e->phoff = h32.e_phoff;
		e->shoff = h32.e_shoff;
		e->phentsize = h32.e_phentsize;
		e->shentsize = h32.e_shentsize;
		e->phnum = h32.e_phnum;
		e->shnum = h32.e_shnum;
	}
	return 0;
}

/* Section header i, which check_tables() has found to be there. */
static Elf64_Shdr section(const struct elf *e, uint64_t i)
{
	const uint8_t *at = e->buf + e->shoff + i * e->shentsize;
	Elf32_Shdr s32;
	Elf64_Shdr s;

	if (e->is_64) {
		memcpy(&s, at, sizeof(s));
		return s;
	}
	memcpy(&s32, at, sizeof(s32));
	return (Elf64_Shdr){
		.sh_name = s32.sh_name,
		.sh_type = s32.sh_type,
		.sh_flags = s32.sh_flags,
		.sh_addr = s32.sh_addr,
		.sh_offset = s32.sh_offset,
		.sh_size = s32.sh_size,
		.sh_link = s32.sh_link,
		.sh_entsize = s32.sh_entsize,
	};
}

static Elf64_Phdr segment(const struct elf *e, unsigned i)
{
	const uint8_t *at = e->buf + e->phoff + (uint64_t)i * e->phentsize;
	Elf32_Phdr p32;
	Elf64_Phdr p;

	if (e->is_64) {
		memcpy(&p, at, sizeof(p));
		return p;
	}
	memcpy(&p32, at, sizeof(p32));
	return (Elf64_Phdr){
		.p_type = p32.p_type,
		.p_flags = p32.p_flags,
		.p_offset = p32.p_offset,
		.p_vaddr = p32.p_vaddr,
		.p_paddr = p32.p_paddr,
		.p_filesz = p32.p_filesz,
		.p_memsz = p32.p_memsz,
	};
}

static Elf64_Sym symbol(const struct elf *e, const Elf64_Shdr *table, uint64_t i)
{
	const uint8_t *at = e->buf + table->sh_offset;
	Elf32_Sym y32;
	Elf64_Sym y;

	if (e->is_64) {
		memcpy(&y, at + i * sizeof(y), sizeof(y));
		return y;
	}
	memcpy(&y32, at + i * sizeof(y32), sizeof(y32));
	return (Elf64_Sym){
		.st_name = y32.st_name,
		.st_info = y32.st_info,
		.st_shndx = y32.st_shndx,
		.st_value = y32.st_value,
		.st_size = y32.st_size,
	};
}

static int check_tables(struct elf *e)
{
	unsigned sh = e->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	unsigned ph = e->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (e->shoff == 0)
		return error_set(e->err, ERROR_INPUT, -ENODATA,
				 "'%s': it has no sections, so no symbols "
				 "(is it stripped?)",
				 e->name);
	if (e->shentsize != sh)
		return refuse(e, e->shoff,
			      "ELF's section headers have %u bytes each, %u "
			      "expected",
			      e->shentsize, sh);
	/* More than 65279 sections: their number is in the first of them. */
	if (e->shnum == 0 && lies_within(e, e->shoff, sh))
		e->shnum = section(e, 0).sh_size;
	if (e->shnum > e->len / sh || !lies_within(e, e->shoff, e->shnum * sh))
		return refuse(e, e->len,
			      "the file ends before its %" PRIu64
			      " section headers at 0x%" PRIx64,
			      e->shnum, e->shoff);
	if (e->phnum > 0 && e->phentsize != ph)
		return refuse(e, e->phoff,
			      "ELF's program headers have %u bytes each, %u "
			      "expected",
			      e->phentsize, ph);
	if (!lies_within(e, e->phoff, (uint64_t)e->phnum * ph))
		return refuse(e, e->len,
			      "the file ends before its %u program headers at "
			      "0x%" PRIx64,
			      e->phnum, e->phoff);
	return 0;
}

static unsigned symbol_size(const struct elf *e)
{
	return e->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

static int find_table(const struct elf *e, Elf64_Shdr *ret_symbols,
		      Elf64_Shdr *ret_names)
{
	unsigned size = symbol_size(e);
	Elf64_Shdr symbols, names;
	uint64_t i, at;

	for (i = 0; i < e->shnum; i++) {
		symbols = section(e, i);
		if (symbols.sh_type == SHT_SYMTAB)
			break;
	}
	if (i == e->shnum)
		return error_set(e->err, ERROR_INPUT, -ENODATA,
				 "'%s': it has no symbol table (is it "
				 "stripped?)",
				 e->name);
	at = e->shoff + i * e->shentsize;
	if (!lies_within(e, symbols.sh_offset, symbols.sh_size))
		return refuse(e, at, "the symbol table lies beyond the file");
	if (symbols.sh_entsize != size)
		return refuse(e, at,
			      "ELF's symbols have %" PRIu64
			      " bytes each, %u expected",
			      (uint64_t)symbols.sh_entsize, size);
	if (symbols.sh_link >= e->shnum)
		return refuse(e, at,
			      "the symbol table's names are in section %u of "
			      "%" PRIu64,
			      symbols.sh_link, e->shnum);
	names = section(e, symbols.sh_link);
	at = e->shoff + (uint64_t)symbols.sh_link * e->shentsize;
	if (names.sh_type != SHT_STRTAB || names.sh_size == 0 ||
	    !lies_within(e, names.sh_offset, names.sh_size) ||
	    e->buf[names.sh_offset + names.sh_size - 1] != '\0')
		return refuse(e, at,
			      "the symbols' names are no whole string table");
	*ret_symbols = symbols;
	*ret_names = names;
	return 0;
}

static uint32_t rank_of(const Elf64_Sym *y, const char *name)
{
	unsigned type = ELF64_ST_TYPE(y->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC ? 4u : 0) |
	       (ELF64_ST_BIND(y->st_info) == STB_LOCAL ? 0 : 2u) |
	       (name[0] != '_' ? 1u : 0);
}

/* Where a symbol can reach at most, or 0: it has no place in memory. */
static uint64_t end_of(const struct elf *e, const Elf64_Sym *y)
{
	Elf64_Shdr s;

	if (y->st_shndx >= SHN_LORESERVE || y->st_shndx >= e->shnum)
		return 0;
	s = section(e, y->st_shndx);
	if (!(s.sh_flags & SHF_ALLOC))
		return 0;
	return s.sh_size > UINT64_MAX - s.sh_addr ? UINT64_MAX
						  : s.sh_addr + s.sh_size;
}

static int read_symbols(const struct elf *e, const Elf64_Shdr *table,
			const Elf64_Shdr *names, struct symbols *s)
{
	uint64_t i, n = table->sh_size / symbol_size(e);
	int r = 0;

	for (i = 1; i < n && r == 0; i++) {
		Elf64_Sym y = symbol(e, table, i);
		unsigned type = ELF64_ST_TYPE(y.st_info);
		const char *name;
		uint64_t end;

		if (y.st_shndx == SHN_UNDEF || type == STT_SECTION ||
		    type == STT_FILE || type == STT_TLS)
			continue;
		if (y.st_name >= names->sh_size)
			return refuse(e,
				      table->sh_offset + i * table->sh_entsize,
				      "symbol %" PRIu64
				      " has its name at 0x%x, beyond the table "
				      "of 0x%" PRIx64 " bytes",
				      i, y.st_name, (uint64_t)names->sh_size);
		/* Ends within: find_table() saw the table's last NUL. */
		name = (const char *)e->buf + names->sh_offset + y.st_name;
		end = end_of(e, &y);
		r = symbols_add(s, name, strnlen(name, SYMBOLS_NAME_MAX + 1),
				y.st_value, end,
				end ? rank_of(&y, name) : SYMBOLS_RANK_VALUE);
	}
	return r;
}

/* ---- what to know the kernel in memory by --------------------------------- */

static void read_banner(const struct elf *e, struct symbols *s)
{
	Elf64_Shdr sh = { 0 };
	uint64_t i, addr;
	size_t len;

	if (!symbols_address(s, "linux_banner", &addr))
		return;
	for (i = 0; i < e->shnum; i++) {
		sh = section(e, i);
		if (sh.sh_type == SHT_PROGBITS && sh.sh_flags & SHF_ALLOC &&
		    addr >= sh.sh_addr && addr - sh.sh_addr < sh.sh_size &&
		    lies_within(e, sh.sh_offset, sh.sh_size))
			break;
	}
	if (i == e->shnum)
		return;
	addr -= sh.sh_addr;
	len = strnlen((const char *)e->buf + sh.sh_offset + addr,
		      (size_t)(sh.sh_size - addr));
	if (len == sh.sh_size - addr || len >= sizeof(s->banner))
		return;
	memcpy(s->banner, e->buf + sh.sh_offset + addr, len);
}

/* All of one value is what memory that nobody wrote looks like, too. */
static bool is_telling(const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 1; i < len; i++)
		if (bytes[i] != bytes[0])
			return true;
	return false;
}

static void take_samples(const struct elf *e, struct symbols *s)
{
	unsigned i, k;

	for (i = 0; i < e->phnum; i++) {
		Elf64_Phdr p = segment(e, i);

		if (p.p_type != PT_LOAD || !(p.p_flags & PF_X) ||
		    !lies_within(e, p.p_offset, p.p_filesz))
			continue;
		for (k = 0; k < 4 && s->samples < SYMBOLS_SAMPLES; k++) {
			struct symbols_sample *sample = &s->sample[s->samples];
			uint64_t off = p.p_filesz / 4 * k;
			uint64_t len = p.p_filesz - off;

			if (len > SYMBOLS_SAMPLE_LEN)
				len = SYMBOLS_SAMPLE_LEN;
			if (!is_telling(e->buf + p.p_offset + off, len))
				continue;
			sample->vaddr = p.p_vaddr + off;
			sample->paddr = p.p_paddr + off;
			sample->len = (uint32_t)len;
			memcpy(sample->bytes, e->buf + p.p_offset + off, len);
			s->samples++;
		}
	}
}

int symbols_read_elf(const char *name, const uint8_t *buf, size_t len,
		     struct symbols *s, struct error *err)
{
	struct elf e = { .name = name, .buf = buf, .len = len, .err = err };
	Elf64_Shdr table = { 0 }, names = { 0 };
	int r;

	r = read_header(&e);
	if (r == 0)
		r = check_tables(&e);
	if (r == 0)
		r = find_table(&e, &table, &names);
	if (r == 0)
		r = read_symbols(&e, &table, &names, s);
	if (r < 0)
		return r;
	read_banner(&e, s);
	take_samples(&e, s);
	return 0;
}
