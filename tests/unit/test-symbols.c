// SPDX-License-Identifier: MIT
/*
 * ELF files by the System V ABI, System.maps as nm(1) writes them, and Linux in
 * memory where Documentation/arch/x86/x86_64/mm.rst has it.
 */
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base.h"
#include "postmortem/symbols.h"
#include "postmortem/walk.h"
#include "source.h"
#include "trapmap/trapmap.h"

static struct error err;

static struct symbols *read_text(const char *text)
{
	struct symbols *s = NULL;

	assert_int_equal(symbols_read("map", (const uint8_t *)text,
				      strlen(text), &s, &err),
			 0);
	return s;
}

static void expect(const struct symbols *s, uint64_t addr, const char *name,
		   uint64_t offset)
{
	uint64_t off = 0;
	const char *found = symbols_find(s, addr, &off);

	if (!name) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, name);
	assert_int_equal(off, offset);
}

static void refused(const void *buf, size_t len, int code, const char *why)
{
	struct symbols *s = NULL;

	assert_int_equal(symbols_read("f", buf, len, &s, &err), code);
	assert_null(s);
	assert_int_equal(strncmp(err.text, "'f': ", 5), 0);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in: %s", why, err.text);
}

/* ---- System.map ------------------------------------------------------------ */

static const char map[] = "0000000000000000 D __per_cpu_start\n"
			  "0000000000014000 d cpu_var\n"
			  "0000000001000000 A phys_startup_64\n"
			  "ffffffff81000000 T _stext\n"
			  "ffffffff81000000 T _text\n"
			  "ffffffff81000000 T startup_64\n"
			  "ffffffff81000040 t local_one\n"
			  "ffffffff81000040 T sys_one\n"
			  "ffffffff81000040 W weak_one\n"
			  "ffffffff81000100 t two\n"
			  "ffffffff82000000 R linux_banner\n"
			  "ffffffff82400000 B _end\n";

static void addresses_get_the_name_before_them(void **state)
{
	struct symbols *s = read_text(map);

	expect(s, 0xffffffff81000041, "sys_one", 1);
	expect(s, 0xffffffff810000ff, "sys_one", 0xbf);
	expect(s, 0xffffffff81000100, "two", 0);
	expect(s, 0xffffffff80ffffff, NULL, 0);
	symbols_free(s);
}

static void of_several_names_the_best_counts(void **state)
{
	struct symbols *s = read_text(map);

	expect(s, 0xffffffff81000003, "startup_64", 3);
	expect(s, 0xffffffff81000040, "sys_one", 0);
	symbols_free(s);
}

static void nothing_beyond_the_end_has_a_name(void **state)
{
	struct symbols *s = read_text(map);

	expect(s, 0xffffffff823fffff, "linux_banner", 0x3fffff);
	expect(s, 0xffffffff82400000, NULL, 0);
	expect(s, UINT64_MAX, NULL, 0);
	symbols_free(s);
}

static void null_pointers_are_no_per_cpu_variables(void **state)
{
	struct symbols *s = read_text(map);
	uint64_t addr = 0;

	expect(s, 0x10, NULL, 0);
	expect(s, 0x1000010, NULL, 0);
	/* As values they are known. */
	assert_true(symbols_address(s, "cpu_var", &addr));
	assert_int_equal(addr, 0x14000);
	assert_true(symbols_address(s, "phys_startup_64", &addr));
	assert_int_equal(addr, 0x1000000);
	assert_true(symbols_address(s, "two", &addr));
	assert_int_equal(addr, 0xffffffff81000100);
	assert_false(symbols_address(s, "three", &addr));
	symbols_free(s);
}

static void low_kernels_have_low_symbols(void **state)
{
	struct symbols *s = read_text("00100000 T start\n00100010 t loop\n"
				      "00101000 B _end\n");

	expect(s, 0x100012, "loop", 2);
	expect(s, 0x101000, NULL, 0);
	symbols_free(s);
}

static void kallsyms_has_modules(void **state)
{
	struct symbols *s = read_text("ffffffff81000000 T _text\r\n"
				      "ffffffff82000000 B _end\r\n"
				      "ffffffffc0000000 t init\t[loop]\r\n"
				      "ffffffffc0000100 t exit\t[loop]\r\n");

	expect(s, 0xffffffffc0000010, "init", 0x10);
	expect(s, 0xffffffffc0000110, "exit", 0x10);
	expect(s, 0xffffffffc1000000, NULL, 0);
	expect(s, 0xffffffff83000000, NULL, 0);
	symbols_free(s);
}

static void what_is_no_map_is_refused(void **state)
{
	static const char broken[] = "ffffffff81000000 T _text\n"
				     "ffffffff81000010 T\n";
	static const char hidden[] = "0000000000000000 T _text\n"
				     "0000000000000000 T _end\n";

	refused("#!/bin/sh\n", 10, -ENOEXEC,
		"an ELF file or a System.map was expected");
	refused("", 0, -ENOEXEC, "expected");
	refused(broken, strlen(broken), -ENOEXEC, "line 2");
	refused(hidden, strlen(hidden), -ENODATA, "/proc/kallsyms");
}

static void names_that_would_spoil_a_terminal_are_refused(void **state)
{
	static const char text[] = "00100000 T good\n00100020 T bad\033[2J\n";
	struct symbols *s = read_text("00100000 T good\n00100010 T .Llocal\n");

	expect(s, 0x100011, "good", 0x11);
	symbols_free(s);
	refused(text, strlen(text), -ENOEXEC, "line 2");
}

static void the_last_line_needs_no_end(void **state)
{
	static const char text[] = "00020000 D .";
	char *exact = malloc(strlen(text));
	struct symbols *s = NULL;

	/* On the heap, so that a look beyond it is seen. */
	assert_non_null(exact);
	memcpy(exact, text, strlen(text));
	assert_int_equal(symbols_read("map", (const uint8_t *)exact,
				      strlen(text), &s, &err),
			 0);
	free(exact);
	expect(s, 0x20001, ".", 1);
	symbols_free(s);
}

static void debian_s_placeholder_is_known(void **state)
{
	static const char text[] =
		"ffffffffffffffff B The real System.map is in the "
		"linux-image-6.1.0-56-amd64-dbg package\n";

	refused(text, strlen(text), -ENODATA, "-dbg package");
}

static void the_first_line_tells(void **state)
{
#define KNOWN(text) symbols_recognise((const uint8_t *)(text), strlen(text))
	assert_true(KNOWN("\177ELF\2\1\1"));
	assert_true(KNOWN("ffffffff81000000 T _stext\nffffffff8"));
	assert_true(KNOWN("c1000000 T _stext"));
	assert_true(KNOWN("0000000000000000 D a_name_that_is_longer_than_the_"
			  "head_is_and_so_"));
	assert_false(KNOWN("MZ"));
	assert_false(KNOWN("ffffffff81000000 T\n"));
	assert_false(KNOWN("ffffffff81000000  T _stext\n"));
	assert_false(KNOWN("fff T _stext\n"));
	assert_false(KNOWN("ffffffff810000001 T _stext\n"));
	assert_false(KNOWN(""));
}

static void two_hundred_thousand_symbols_load_at_once(void **state)
{
	const size_t count = 200000, line = 40;
	char *text = malloc(count * line + 1), *p = text;
	struct timespec from, to;
	struct symbols *s;
	size_t i;

	assert_non_null(text);
	/* From the highest to the lowest, which bad sorting takes badly. */
	for (i = count; i > 0; i--)
		p += snprintf(p, line, "%016zx t f%zu\n",
			      0xffffffff81000000 + i * 16, i);
	clock_gettime(CLOCK_MONOTONIC, &from);
	s = read_text(text);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 5);
	expect(s, 0xffffffff81000000 + 77777 * 16 + 3, "f77777", 3);
	symbols_free(s);
	free(text);
}

/* ---- ELF ------------------------------------------------------------------- */

#define TEXT_AT UINT64_C(0xffffffff81000000)
#define BANNER_OFF 0x100
#define BANNER_AT (TEXT_AT + BANNER_OFF)
#define BASE_OFF 0x1c0 /* phys_base */

static const char banner[] = "Linux version 6.1.0 (b@h) (gcc) #1 SMP\n";
static const char strings[] = "\0linux_banner\0start\0work\0phys_base\0value"
			      "\0file.c\0_etext";

static uint32_t string(const char *name)
{
	const char *p = strings;

	while (strcmp(p, name) != 0)
		p += strlen(p) + 1;
	return (uint32_t)(p - strings);
}

/* One segment, one section of code and data, the symbols and their names. */
struct image {
	Elf64_Ehdr e;
	Elf64_Phdr p;
	Elf64_Shdr s[4];
	uint8_t text[0x200];
	Elf64_Sym y[8];
	char names[sizeof(strings)];
};

static struct image image_new(bool is_linux)
{
	struct image f;
	unsigned i;

	memset(&f, 0, sizeof(f));
	memcpy(f.e.e_ident, ELFMAG, SELFMAG);
	f.e.e_ident[EI_CLASS] = ELFCLASS64;
	f.e.e_ident[EI_DATA] = ELFDATA2LSB;
	f.e.e_type = ET_EXEC;
	f.e.e_machine = EM_X86_64;
	f.e.e_phoff = offsetof(struct image, p);
	f.e.e_phentsize = sizeof(f.p);
	f.e.e_phnum = 1;
	f.e.e_shoff = offsetof(struct image, s);
	f.e.e_shentsize = sizeof(f.s[0]);
	f.e.e_shnum = 4;
	f.p = (Elf64_Phdr){ .p_type = PT_LOAD,
			    .p_flags = PF_R | PF_X,
			    .p_offset = offsetof(struct image, text),
			    .p_vaddr = TEXT_AT,
			    .p_paddr = 0x1000000,
			    .p_filesz = sizeof(f.text),
			    .p_memsz = sizeof(f.text) };
	f.s[1] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS,
			       .sh_flags = SHF_ALLOC,
			       .sh_addr = TEXT_AT,
			       .sh_offset = offsetof(struct image, text),
			       .sh_size = sizeof(f.text) };
	f.s[2] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB,
			       .sh_offset = offsetof(struct image, y),
			       .sh_size = sizeof(f.y),
			       .sh_entsize = sizeof(f.y[0]),
			       .sh_link = 3 };
	f.s[3] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
			       .sh_offset = offsetof(struct image, names),
			       .sh_size = sizeof(f.names) };
	memcpy(f.names, strings, sizeof(strings));
	for (i = 0; i < sizeof(f.text); i++)
		f.text[i] = (uint8_t)(i * 7 + 1);
	memcpy(f.text + BANNER_OFF, banner, sizeof(banner));
	put_le64(f.text + BASE_OFF, 0);

#define SYM(i, n, value, sec, bind, type)           \
	f.y[i] = (Elf64_Sym){ .st_name = string(n), \
			      .st_value = (value),  \
			      .st_shndx = (sec),    \
			      .st_info = ELF64_ST_INFO(bind, type) }
	SYM(1, "start", TEXT_AT, 1, STB_GLOBAL, STT_NOTYPE);
	SYM(2, "work", TEXT_AT + 0x20, 1, STB_LOCAL, STT_FUNC);
	if (is_linux)
		SYM(3, "linux_banner", BANNER_AT, 1, STB_GLOBAL, STT_OBJECT);
	SYM(4, "phys_base", TEXT_AT + BASE_OFF, 1, STB_GLOBAL, STT_OBJECT);
	SYM(5, "value", 0x42, SHN_ABS, STB_GLOBAL, STT_NOTYPE);
	SYM(6, "file.c", 0, SHN_ABS, STB_LOCAL, STT_FILE);
	SYM(7, "_etext", TEXT_AT + sizeof(f.text), 1, STB_GLOBAL, STT_NOTYPE);
	return f;
}

static struct symbols *read_image(const struct image *f)
{
	struct symbols *s = NULL;

	assert_int_equal(
		symbols_read("f", (const uint8_t *)f, sizeof(*f), &s, &err), 0);
	return s;
}

static void elf_symbols_end_with_their_section(void **state)
{
	struct image f = image_new(true);
	struct symbols *s = read_image(&f);
	uint64_t addr = 0;

	expect(s, TEXT_AT + 0x1f, "start", 0x1f);
	expect(s, TEXT_AT + 0x20, "work", 0);
	expect(s, TEXT_AT + 0x1ff, "phys_base", 0x1ff - BASE_OFF);
	expect(s, TEXT_AT + 0x200, NULL, 0);
	expect(s, TEXT_AT - 1, NULL, 0);
	expect(s, 0x42, NULL, 0);
	assert_true(symbols_address(s, "value", &addr));
	assert_int_equal(addr, 0x42);
	assert_false(symbols_address(s, "file.c", &addr));
	symbols_free(s);
}

static void elf_of_32_bits(void **state)
{
	struct {
		Elf32_Ehdr e;
		Elf32_Shdr s[4];
		Elf32_Sym y[3];
		char names[sizeof(strings)];
	} f;
	struct symbols *s = NULL;

	memset(&f, 0, sizeof(f));
	memcpy(f.e.e_ident, ELFMAG, SELFMAG);
	f.e.e_ident[EI_CLASS] = ELFCLASS32;
	f.e.e_ident[EI_DATA] = ELFDATA2LSB;
	f.e.e_type = ET_EXEC;
	f.e.e_machine = EM_386;
	f.e.e_shoff = sizeof(f.e);
	f.e.e_shentsize = sizeof(f.s[0]);
	f.e.e_shnum = 4;
	f.s[1] = (Elf32_Shdr){ .sh_type = SHT_NOBITS,
			       .sh_flags = SHF_ALLOC,
			       .sh_addr = 0x100000,
			       .sh_size = 0x1000 };
	f.s[2] = (Elf32_Shdr){ .sh_type = SHT_SYMTAB,
			       .sh_offset = sizeof(f.e) + sizeof(f.s),
			       .sh_size = sizeof(f.y),
			       .sh_entsize = sizeof(f.y[0]),
			       .sh_link = 3 };
	f.s[3] = (Elf32_Shdr){ .sh_type = SHT_STRTAB,
			       .sh_offset = sizeof(f.e) + sizeof(f.s) +
					    sizeof(f.y),
			       .sh_size = sizeof(f.names) };
	f.y[1] = (Elf32_Sym){ .st_name = string("start"),
			      .st_value = 0x100000,
			      .st_shndx = 1 };
	f.y[2] = (Elf32_Sym){ .st_name = string("work"),
			      .st_value = 0x100800,
			      .st_shndx = 1 };
	memcpy(f.names, strings, sizeof(strings));
	assert_int_equal(
		symbols_read("f", (const uint8_t *)&f, sizeof(f), &s, &err), 0);
	expect(s, 0x100801, "work", 1);
	expect(s, 0x101000, NULL, 0);
	symbols_free(s);
}

static void files_without_symbols_have_no_data(void **state)
{
	struct image f = image_new(true);

	f.e.e_shoff = 0;
	refused(&f, sizeof(f), -ENODATA, "no sections");
	f = image_new(true);
	f.s[2].sh_type = SHT_PROGBITS;
	refused(&f, sizeof(f), -ENODATA, "no symbol table");
	f = image_new(true);
	memset(f.y, 0, sizeof(f.y));
	refused(&f, sizeof(f), -ENODATA, "no symbols");
}

static void malformed_files_are_refused_with_the_place(void **state)
{
	struct image f;

#define REFUSED(change, why)                           \
	do {                                           \
		f = image_new(true);                   \
		change;                                \
		refused(&f, sizeof(f), -ENOEXEC, why); \
	} while (0)
	REFUSED(f.e.e_ident[EI_CLASS] = 7, "at 0x4: ELF's class is 7");
	REFUSED(f.e.e_ident[EI_DATA] = 2, "at 0x5: ELF's byte order");
	REFUSED(f.e.e_machine = EM_AARCH64, "at 0x12: ELF for machine number");
	REFUSED(f.e.e_type = ET_REL, "at 0x10: ELF of type 1");
	REFUSED(f.e.e_shentsize = 40, "section headers have 40 bytes");
	REFUSED(f.e.e_shoff = sizeof(f) - 8, "ends before its 4 section");
	REFUSED(f.e.e_shoff = UINT64_MAX - 8, "ends before its 4 section");
	REFUSED(f.e.e_phoff = UINT64_MAX, "program headers");
	REFUSED(f.e.e_phentsize = 1, "program headers have 1 bytes");
	REFUSED(f.s[2].sh_size = UINT64_MAX, "symbol table lies beyond");
	REFUSED(f.s[2].sh_offset = sizeof(f), "symbol table lies beyond");
	REFUSED(f.s[2].sh_entsize = 0, "symbols have 0 bytes");
	REFUSED(f.s[2].sh_link = 4, "section 4 of 4");
	REFUSED(f.s[2].sh_link = 1, "no whole string table");
	REFUSED(f.s[3].sh_size = 3, "no whole string table");
	REFUSED(f.y[2].st_name = 0x1000, "symbol 2 has its name at 0x1000");
	f = image_new(true);
	refused(&f, 20, -ENOEXEC, "cut off");
	refused(&f, 60, -ENOEXEC, "cut off");
}

/* ---- where the kernel is --------------------------------------------------- */

#define RAM MIB(64)

static uint8_t *ram;
static struct gmem gm;
static const struct walk_mode paging = {
	.cr0 = BIT64(31) | 1, .cr3 = 0x2000, .cr4 = BIT64(5), .efer = 0x500
};
static const struct walk_mode no_paging = { .cr0 = 1 };

static int ram_setup(void **state)
{
	ram = calloc(1, RAM);
	gm = (struct gmem){ 0 };
	return ram ? gmem_add(&gm, 0, RAM, ram) : -1;
}

static int ram_teardown(void **state)
{
	free(ram);
	return 0;
}

/* Maps 2 MiB of the kernel's area at its offset to physical memory. */
static void map_kernel(gpa_t cr3, uint64_t offset, gpa_t gpa)
{
	uint64_t linear = TEXT_AT + offset;

	put_le64(ram + cr3 + 511 * 8, 0x4003);
	put_le64(ram + 0x4000 + (linear >> 30 & 511) * 8, 0x5003);
	put_le64(ram + 0x5000 + (linear >> 21 & 511) * 8, gpa | 0x83);
}

static void load_image(const struct image *f, gpa_t gpa)
{
	memcpy(ram + gpa, f->text, sizeof(f->text));
}

static void located(const struct symbols *s, const struct walk_mode *mode,
		    enum symbols_fit fit, uint64_t expected)
{
	uint64_t offset = 77;

	assert_int_equal(symbols_locate(s, &gm, mode, &offset), fit);
	assert_int_equal(offset, fit == SYMBOLS_FIT ? expected : 77);
}

static void kaslr_is_found_by_the_banner(void **state)
{
	struct image f = image_new(true);
	struct symbols *s = read_image(&f);

	located(s, &paging, SYMBOLS_UNKNOWN, 0);
	load_image(&f, MIB(16));
	map_kernel(0x2000, 0, MIB(16));
	located(s, &paging, SYMBOLS_FIT, 0);
	memset(ram, 0, MIB(1));
	map_kernel(0x2000, MIB(2) * 77, MIB(16));
	located(s, &paging, SYMBOLS_FIT, MIB(2) * 77);
	symbols_free(s);
}

static void another_build_is_noticed(void **state)
{
	struct image f = image_new(true);
	struct symbols *s = read_image(&f);

	f.text[BANNER_OFF + 14] = '5'; /* Linux version 5 */
	load_image(&f, MIB(16));
	map_kernel(0x2000, MIB(4), MIB(16));
	located(s, &paging, SYMBOLS_MISFIT, 0);
	/* Nothing of the kind is there, but something is. */
	memset(ram + MIB(16), 0x90, KIB(4));
	located(s, &paging, SYMBOLS_MISFIT, 0);
	symbols_free(s);
}

static void a_map_knows_the_place_only(void **state)
{
	struct symbols *s = read_text("ffffffff81000000 T _text\n"
				      "ffffffff81000100 R linux_banner\n"
				      "ffffffff81001000 B _end\n");
	struct image f = image_new(true);

	load_image(&f, MIB(32));
	map_kernel(0x2000, MIB(128), MIB(32));
	located(s, &paging, SYMBOLS_FIT, MIB(128));
	ram[MIB(32) + BANNER_OFF] = 'l';
	located(s, &paging, SYMBOLS_MISFIT, 0);
	symbols_free(s);
}

static void a_process_s_own_tables_lie_behind_the_kernel_s(void **state)
{
	struct image f = image_new(true);
	struct symbols *s = read_image(&f);
	struct walk_mode user = paging;

	load_image(&f, MIB(16));
	map_kernel(0x2000, MIB(6), MIB(16));
	user.cr3 = 0x3000;
	located(s, &user, SYMBOLS_FIT, MIB(6));
	symbols_free(s);
}

static void after_a_reset_physical_memory_is_searched(void **state)
{
	struct image f = image_new(true);
	struct symbols *s = read_image(&f);

	/* At its link address, and not moved. */
	load_image(&f, MIB(16));
	located(s, &no_paging, SYMBOLS_FIT, 0);
	/* 16 MiB further, its addresses moved by 6 MiB. */
	memset(ram + MIB(16), 0, KIB(4));
	put_le64(f.text + BASE_OFF, MIB(10));
	load_image(&f, MIB(32));
	located(s, &no_paging, SYMBOLS_FIT, MIB(6));
	/* What phys_base says cannot be. */
	put_le64(f.text + BASE_OFF, 123);
	load_image(&f, MIB(32));
	located(s, &no_paging, SYMBOLS_UNKNOWN, 0);
	f.text[BANNER_OFF + 14] = '5';
	load_image(&f, MIB(32));
	located(s, &no_paging, SYMBOLS_MISFIT, 0);
	symbols_free(s);
}

static void other_kernels_are_known_by_their_code(void **state)
{
	struct image f = image_new(false);
	struct symbols *s = read_image(&f);

	located(s, &paging, SYMBOLS_UNKNOWN, 0);
	load_image(&f, MIB(16));
	located(s, &no_paging, SYMBOLS_FIT, 0);
	map_kernel(0x2000, 0, MIB(16));
	located(s, &paging, SYMBOLS_FIT, 0);
	/* Code that patched itself in one place is still the same. */
	memset(ram + MIB(16), 0x90, 64);
	located(s, &paging, SYMBOLS_FIT, 0);
	memset(ram + MIB(16), 0x90, KIB(4));
	located(s, &paging, SYMBOLS_MISFIT, 0);
	symbols_free(s);
}

/* ---- from a file, and in public -------------------------------------------- */

static void a_source_is_checked_and_read(void **state)
{
	struct source src;
	struct symbols *s = NULL;

	assert_int_equal(source_from_data(&src, "map", map, strlen(map)), 0);
	assert_int_equal(symbols_check(&src, &err), 0);
	assert_int_equal(symbols_load(&src, UINT64_MAX, &s, &err), 0);
	expect(s, 0xffffffff81000101, "two", 1);
	symbols_free(s);
	source_done(&src);
	assert_int_equal(source_from_data(&src, "bzImage", "MZ", 2), 0);
	assert_int_equal(symbols_check(&src, &err), -ENOEXEC);
	assert_int_equal(err.status, ERROR_INPUT);
	assert_string_equal(err.text, "'bzImage': an ELF file or a System.map "
				      "was expected as symbols");
	source_done(&src);
}

static void an_embedder_can_read_symbols(void **state)
{
	struct trapmap_source src = { .size = sizeof(src),
				      .data = map,
				      .len = strlen(map) };
	struct trapmap_symbols *s = NULL;
	uint64_t off = 0;
	FILE *f;

	assert_int_equal(trapmap_symbols_new(&src, &s), 0);
	assert_string_equal(trapmap_symbols_find(s, 0xffffffff81000102, &off),
			    "two");
	assert_int_equal(off, 2);
	assert_null(trapmap_symbols_find(s, 1, &off));
	assert_null(trapmap_symbols_free(s));

	f = tmpfile();
	assert_non_null(f);
	assert_int_equal(fputs(map, f) < 0, 0);
	fflush(f);
	src = (struct trapmap_source){ .size = sizeof(src), .fd = fileno(f) };
	assert_int_equal(trapmap_symbols_new(&src, &s), 0);
	assert_non_null(trapmap_symbols_find(s, 0xffffffff81000102, &off));
	trapmap_symbols_free(s);
	fclose(f);
}

static void what_an_embedder_gives_may_be_wrong(void **state)
{
	struct trapmap_source src = { .size = sizeof(src),
				      .path = "/nowhere/vmlinux" };
	struct trapmap_symbols *s = NULL;

	assert_int_equal(trapmap_symbols_new(&src, &s), -ENOENT);
	src.path = "/";
	assert_int_equal(trapmap_symbols_new(&src, &s), -EISDIR);
	src.data = map;
	assert_int_equal(trapmap_symbols_new(&src, &s), -EINVAL);
	src = (struct trapmap_source){ .size = 1 };
	assert_int_equal(trapmap_symbols_new(&src, &s), -EINVAL);
	src = (struct trapmap_source){ .size = sizeof(src),
				       .data = "MZ",
				       .len = 2 };
	assert_int_equal(trapmap_symbols_new(&src, &s), -ENOEXEC);
	assert_null(s);
	assert_null(trapmap_symbols_free(NULL));
	assert_null(symbols_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test(f)
#define TEST_RAM(f) cmocka_unit_test_setup_teardown(f, ram_setup, ram_teardown)
		TEST(addresses_get_the_name_before_them),
		TEST(of_several_names_the_best_counts),
		TEST(nothing_beyond_the_end_has_a_name),
		TEST(null_pointers_are_no_per_cpu_variables),
		TEST(low_kernels_have_low_symbols),
		TEST(kallsyms_has_modules),
		TEST(what_is_no_map_is_refused),
		TEST(names_that_would_spoil_a_terminal_are_refused),
		TEST(the_last_line_needs_no_end),
		TEST(debian_s_placeholder_is_known),
		TEST(the_first_line_tells),
		TEST(two_hundred_thousand_symbols_load_at_once),
		TEST(elf_symbols_end_with_their_section),
		TEST(elf_of_32_bits),
		TEST(files_without_symbols_have_no_data),
		TEST(malformed_files_are_refused_with_the_place),
		TEST_RAM(kaslr_is_found_by_the_banner),
		TEST_RAM(another_build_is_noticed),
		TEST_RAM(a_map_knows_the_place_only),
		TEST_RAM(a_process_s_own_tables_lie_behind_the_kernel_s),
		TEST_RAM(after_a_reset_physical_memory_is_searched),
		TEST_RAM(other_kernels_are_known_by_their_code),
		TEST(a_source_is_checked_and_read),
		TEST(an_embedder_can_read_symbols),
		TEST(what_an_embedder_gives_may_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
