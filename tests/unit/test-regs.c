// SPDX-License-Identifier: MIT
/*
 * The state in which vCPU 0 starts. Judged by boot.rst's "32-bit Boot Protocol",
 * "64-bit Boot Protocol" and "Running the Kernel", Xen's pvh.pandoc and the SDM's
 * volume 3: the page tables are walked as a processor does.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base.h"
#include "error.h"
#include "mem.h"
#include "x86/regs.h"

static struct mem mem;
static struct kvm_regs regs;
static struct kvm_sregs sregs;

/* What the SDM's table of states after reset has, as far as it matters. */
static int setup(void **state)
{
	struct kvm_segment data = { .limit = 0xffff, .type = 3, .s = 1,
				    .present = 1 };

	memset(&regs, 0xee, sizeof(regs));
	memset(&sregs, 0, sizeof(sregs));
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cs = data;
	sregs.cs.type = 0xb;
	sregs.cs.selector = 0xf000;
	sregs.cs.base = 0xffff0000;
	sregs.tr = (struct kvm_segment){ .limit = 0xffff, .type = 0xb,
					 .present = 1 };
	sregs.cr0 = 0x60000010;
	sregs.gdt.limit = sregs.idt.limit = 0xffff;
	sregs.apic_base = 0xfee00900;
	return 0;
}

static int teardown(void **state)
{
	mem_done(&mem);
	return 0;
}

static void make_memory(uint64_t size)
{
	const struct platform pc = platform_pc(size, 1, PLATFORM_TRANSPORT);
	struct error err;

	assert_int_equal(mem_init(&mem, &pc, &err), 0);
	regs_write_tables(&mem.gmem, BOOT_LINUX64);
}

/* ---- long mode ---------------------------------------------------------- */

static const struct boot_plan linux64 = {
	.protocol = BOOT_LINUX64,
	.entry = 0x1000200,
};

static void linux_starts_in_64_bit_mode_with_paging(void **state)
{
	regs_start(&linux64, &regs, &sregs);
	assert_int_equal(sregs.cr0 & 0x80000001, 0x80000001); /* PG, PE */
	assert_int_equal(sregs.cr0 & 0x60000000, 0); /* CD, NW: caches on */
	assert_int_equal(sregs.cr4 & 0x20, 0x20); /* PAE */
	assert_int_equal(sregs.efer & 0x500, 0x500); /* LMA, LME */
	/* CS.L with D clear is 64-bit mode; D set with L is reserved. */
	assert_int_equal(sregs.cs.l, 1);
	assert_int_equal(sregs.cs.db, 0);
	assert_int_equal(sregs.cs.type & 0xa, 0xa); /* code, readable */
	/* VM entry wants a TSS that is busy (SDM 27.3.1.2). */
	assert_int_equal(sregs.tr.type, 0xb);
	assert_int_equal(sregs.tr.present, 1);
	assert_int_equal(sregs.tr.s, 0);
	/* What is none of the protocol's business stays. */
	assert_int_equal(sregs.apic_base, 0xfee00900);
}

static void linux_gets_the_registers_of_the_boot_protocol(void **state)
{
	regs_start(&linux64, &regs, &sregs);
	assert_int_equal(regs.rip, 0x1000200);
	assert_int_equal(regs.rsi, 0x7000); /* boot_params */
	/* Interrupts off; bit 1 is always one. */
	assert_int_equal(regs.rflags, 2);
	assert_int_equal(regs.rbp | regs.rdi | regs.rbx, 0);
}

/* __BOOT_CS is 0x10, __BOOT_DS 0x18, flat, and in the GDT as well. */
static void linux_gets_the_selectors_of_the_boot_protocol(void **state)
{
	const struct kvm_segment *data[] = { &sregs.ds, &sregs.es, &sregs.ss,
					     &sregs.fs, &sregs.gs };
	const uint64_t *gdt;
	unsigned i;

	make_memory(MIB(16));
	regs_start(&linux64, &regs, &sregs);
	assert_int_equal(sregs.cs.selector, 0x10);
	assert_int_equal(sregs.cs.base, 0);
	assert_int_equal(sregs.cs.limit, 0xffffffff);
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		assert_int_equal(data[i]->selector, 0x18);
		assert_int_equal(data[i]->base, 0);
		assert_int_equal(data[i]->limit, 0xffffffff);
		assert_int_equal(data[i]->type & 0xa, 2); /* data, writable */
		assert_int_equal(data[i]->s & data[i]->present, 1);
	}

	/* A descriptor: limit 15:0, base 23:0, access, flags and limit, base. */
	assert_true(sregs.gdt.limit >= 0x1f);
	gdt = gmem_ptr(&mem.gmem, sregs.gdt.base, 0x20);
	assert_non_null(gdt);
	assert_int_equal(gdt[0], 0);
	assert_int_equal(gdt[2] & 0xff0f00ffffffffff, 0x000f00000000ffff);
	assert_int_equal(gdt[3] & 0xff0f00ffffffffff, 0x000f00000000ffff);
	assert_int_equal(gdt[2] >> 40 & 0x9a, 0x9a); /* P, S, code, readable */
	assert_int_equal(gdt[2] >> 52 & 0xe, 0xa); /* G, L, not D */
	assert_int_equal(gdt[3] >> 40 & 0x9a, 0x92); /* P, S, data, writable */
	assert_int_equal(gdt[3] >> 52 & 0xa, 0x8); /* G, not L */
}

/* The physical address of va, or UINT64_MAX: 4-level paging, SDM 4.5. */
static uint64_t walk(uint64_t cr3, uint64_t va)
{
	uint64_t table = cr3 & 0xffffffffff000, entry = 0;
	int shift;

	for (shift = 39; shift >= 12; shift -= 9) {
		if (gmem_read(&mem.gmem, table + (va >> shift & 511) * 8,
			      &entry, 8) < 0)
			return UINT64_MAX;
		if ((entry & 3) != 3) /* present, writable */
			return UINT64_MAX;
		if (shift < 39 && shift > 12 && (entry & 0x80)) {
			/* Address bits below the page's size are reserved. */
			assert_int_equal(entry & (BIT64(shift) - 1) & ~0x1fffull,
					 0);
			break;
		}
		table = entry & 0xffffffffff000;
	}
	return (entry & 0xffffffffff000 & ~(BIT64(shift) - 1)) |
	       (va & (BIT64(shift) - 1));
}

/* Every 2 MiB of [0, end), its last byte included, is at its own address. */
static void assert_identity(uint64_t end)
{
	uint64_t va;

	regs_start(&linux64, &regs, &sregs);
	for (va = 0; va < end; va += MIB(2)) {
		uint64_t last = va + MIB(2) - 1 < end ? va + MIB(2) - 1 :
							end - 1;

		assert_int_equal(walk(sregs.cr3, va), va);
		assert_int_equal(walk(sregs.cr3, last), last);
	}
}

static void the_page_tables_map_all_memory_below_the_hole(void **state)
{
	const uint64_t sizes[] = { MIB(1), MIB(16), MIB(17), MIB(1025),
				   GIB(3) };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		make_memory(sizes[i]);
		assert_identity(sizes[i]);
		mem_done(&mem);
	}
	make_memory(GIB(6));
	assert_identity(GIB(3));
}

static void the_page_tables_map_nothing_beyond_memory(void **state)
{
	make_memory(MIB(16));
	regs_start(&linux64, &regs, &sregs);
	assert_int_equal(walk(sregs.cr3, MIB(16)), UINT64_MAX);
	assert_int_equal(walk(sregs.cr3, GIB(1)), UINT64_MAX);
	assert_int_equal(walk(sregs.cr3, BIT64(39)), UINT64_MAX);
	mem_done(&mem);
	make_memory(GIB(6));
	assert_int_equal(walk(sregs.cr3, GIB(3)), UINT64_MAX);
	assert_int_equal(walk(sregs.cr3, GIB(4)), UINT64_MAX);
}

static void the_stack_lies_in_memory(void **state)
{
	make_memory(MIB(1));
	regs_start(&linux64, &regs, &sregs);
	assert_int_equal(regs.rsp % 16, 0);
	assert_non_null(gmem_ptr(&mem.gmem, regs.rsp - 4096, 4096));
	/* Above everything that a kernel finds on its way: 0x1000 to 0x9000. */
	assert_true(regs.rsp - 4096 >= 0x9000);
}

/* ---- protected mode ----------------------------------------------------- */

static void assert_flat_32(void)
{
	const struct kvm_segment *data[] = { &sregs.ds, &sregs.es, &sregs.ss };
	unsigned i;

	assert_int_equal(sregs.cr0 & 0x80000001, 1); /* PE, not PG */
	assert_int_equal(sregs.efer, 0);
	assert_int_equal(sregs.cs.base, 0);
	assert_int_equal(sregs.cs.limit, 0xffffffff);
	assert_int_equal(sregs.cs.g, 1);
	assert_int_equal(sregs.cs.type & 0xa, 0xa); /* code, readable */
	assert_int_equal(sregs.cs.db, 1);
	assert_int_equal(sregs.cs.l, 0);
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		assert_int_equal(data[i]->base, 0);
		assert_int_equal(data[i]->limit, 0xffffffff);
		assert_int_equal(data[i]->type & 0xa, 2); /* data, writable */
		assert_int_equal(data[i]->db, 1);
		assert_int_equal(data[i]->s & data[i]->present, 1);
	}
	/* Neither VM, nor IF, nor TF. */
	assert_int_equal(regs.rflags, 2);
}

static void linux_starts_in_32_bit_mode_without_paging(void **state)
{
	const struct boot_plan plan = {
		.protocol = BOOT_LINUX32,
		.entry = 0x1000000,
	};
	const uint64_t *gdt;

	make_memory(MIB(16));
	regs_write_tables(&mem.gmem, BOOT_LINUX32);
	regs_start(&plan, &regs, &sregs);
	assert_flat_32();
	assert_int_equal(regs.rip, 0x1000000);
	assert_int_equal(regs.rsi, 0x7000); /* boot_params */
	assert_int_equal(regs.rbp | regs.rdi | regs.rbx, 0);
	assert_int_equal(sregs.cs.selector, 0x10);
	assert_int_equal(sregs.ds.selector, 0x18);
	assert_int_equal(sregs.es.selector, 0x18);
	assert_int_equal(sregs.ss.selector, 0x18);
	/* What the selectors select says the same. */
	assert_true(sregs.gdt.limit >= 0x1f);
	gdt = gmem_ptr(&mem.gmem, sregs.gdt.base, 0x20);
	assert_int_equal(gdt[2] & 0xff0f00ffffffffff, 0x000f00000000ffff);
	assert_int_equal(gdt[2] >> 40 & 0x9a, 0x9a); /* P, S, code, readable */
	assert_int_equal(gdt[2] >> 52 & 0xe, 0xc); /* G, D, not L */
	assert_int_equal(gdt[3] >> 40 & 0x9a, 0x92); /* P, S, data, writable */
}

static void pvh_starts_with_its_start_info(void **state)
{
	const struct boot_plan plan = {
		.protocol = BOOT_PVH,
		.entry = 0x1000850,
	};

	sregs.cr4 = 0x40;
	regs_start(&plan, &regs, &sregs);
	assert_flat_32();
	assert_int_equal(regs.rip, 0x1000850);
	assert_int_equal(regs.rbx, 0x8000);
	/* All that can be written but PE; bit 4 (ET) cannot. */
	assert_int_equal(sregs.cr0, 0x11);
	assert_int_equal(sregs.cr4, 0);
	assert_int_equal(sregs.tr.base, 0);
	assert_int_equal(sregs.tr.limit, 0x67);
	assert_int_equal(sregs.tr.type, 0xb); /* 32 bits, active */
	assert_int_equal(sregs.tr.present, 1);
	assert_int_equal(sregs.tr.s, 0);
}

/* ---- real mode ---------------------------------------------------------- */

static void real_mode_starts_at_cs_ip_with_its_stack(void **state)
{
	const struct boot_plan plan = {
		.protocol = BOOT_REAL,
		.cs = 0x1000,
		.entry = 0x0010,
		.ss = 0x2000,
		.sp = 0xfff0,
	};

	regs_start(&plan, &regs, &sregs);
	assert_int_equal(sregs.cr0 & 0x80000001, 0);
	assert_int_equal(sregs.efer, 0);
	assert_int_equal(regs.rip, 0x10);
	assert_int_equal(regs.rsp, 0xfff0);
	assert_int_equal(regs.rflags, 2);
	assert_int_equal(regs.rax | regs.rsi | regs.rdx, 0);
	assert_int_equal(sregs.cs.selector, 0x1000);
	assert_int_equal(sregs.cs.base, 0x10000);
	assert_int_equal(sregs.ss.selector, 0x2000);
	assert_int_equal(sregs.ss.base, 0x20000);
	/* A small model binary finds its data. */
	assert_int_equal(sregs.ds.base, 0x10000);
	assert_int_equal(sregs.es.base, 0x10000);
	/* Real mode's limits, or VM entry fails without unrestricted guest. */
	assert_int_equal(sregs.cs.limit, 0xffff);
	assert_int_equal(sregs.ss.limit, 0xffff);
}

static void setup_code_has_one_segment_for_its_data(void **state)
{
	const struct kvm_segment *data[] = { &sregs.ds, &sregs.es, &sregs.fs,
					     &sregs.gs, &sregs.ss };
	const struct boot_plan plan = {
		.protocol = BOOT_LINUX16,
		.cs = 0x1020,
		.ss = 0x1000,
		.sp = 0xe000,
	};
	unsigned i;

	regs_start(&plan, &regs, &sregs);
	assert_int_equal(sregs.cr0 & 0x80000001, 0);
	assert_int_equal(regs.rip, 0);
	assert_int_equal(regs.rsp, 0xe000);
	assert_int_equal(regs.rflags, 2); /* interrupts off */
	assert_int_equal(sregs.cs.selector, 0x1020);
	assert_int_equal(sregs.cs.base, 0x10200);
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		assert_int_equal(data[i]->selector, 0x1000);
		assert_int_equal(data[i]->base, 0x10000);
	}
}

/* ---- names -------------------------------------------------------------- */

static const char *const names64[] = {
	"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8",
	"r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags",
	"cr0", "cr2", "cr3", "cr4", "cr8", "efer", "apic_base", "cs.base",
	"ds.base", "es.base", "fs.base", "gs.base", "ss.base", "tr.base",
	"ldtr.base",
};
static const char *const names16[] = {
	"cs", "ds", "es", "fs", "gs", "ss", "tr", "ldtr",
};

static const struct reg_name *find(const char *name)
{
	const struct reg_name *reg = regs_find(name);

	if (!reg)
		fail_msg("no register %s", name);
	return reg;
}

static void every_register_has_a_place_of_its_own(void **state)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(names64); i++)
		regs_name_set(find(names64[i]), &regs, &sregs,
			      0x0123456789abcd00 + i);
	for (i = 0; i < ARRAY_SIZE(names16); i++)
		regs_name_set(find(names16[i]), &regs, &sregs, 0x4000 + i);

	for (i = 0; i < ARRAY_SIZE(names64); i++)
		assert_int_equal(regs_name_get(find(names64[i]), &regs, &sregs),
				 0x0123456789abcd00 + i);
	for (i = 0; i < ARRAY_SIZE(names16); i++)
		assert_int_equal(regs_name_get(find(names16[i]), &regs, &sregs),
				 0x4000 + i);
	/* And the place is the right one. */
	assert_int_equal(regs.r15, 0x0123456789abcd0f);
	assert_int_equal(regs.rip, 0x0123456789abcd10);
	assert_int_equal(sregs.ldt.selector, 0x4007);
	assert_int_equal(sregs.gs.base, 0x0123456789abcd1d);
}

static void a_selector_has_sixteen_bits(void **state)
{
	sregs.fs.base = 0x77;
	sregs.fs.limit = 0x1234;
	regs_name_set(find("fs"), &regs, &sregs, 0xfffffffffffe0030);
	assert_int_equal(regs_name_get(find("fs"), &regs, &sregs), 0x30);
	assert_int_equal(sregs.fs.base, 0x77);
	assert_int_equal(sregs.fs.limit, 0x1234);
}

static void it_is_known_which_of_kvms_two_structures_has_it(void **state)
{
	assert_false(regs_is_special(find("rax")));
	assert_false(regs_is_special(find("rflags")));
	assert_true(regs_is_special(find("cr3")));
	assert_true(regs_is_special(find("cs")));
	assert_true(regs_is_special(find("tr.base")));
}

static void other_names_are_none(void **state)
{
	const char *const none[] = { "", "RAX", "eax", "r16", "cr1", "cs.limit",
				     "rax ", "rflag", "gdtr" };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(none); i++)
		assert_null(regs_find(none[i]));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(linux_starts_in_64_bit_mode_with_paging),
		T(linux_gets_the_registers_of_the_boot_protocol),
		T(linux_gets_the_selectors_of_the_boot_protocol),
		T(the_page_tables_map_all_memory_below_the_hole),
		T(the_page_tables_map_nothing_beyond_memory),
		T(the_stack_lies_in_memory),
		T(linux_starts_in_32_bit_mode_without_paging),
		T(pvh_starts_with_its_start_info),
		T(setup_code_has_one_segment_for_its_data),
		T(real_mode_starts_at_cs_ip_with_its_stack),
		T(every_register_has_a_place_of_its_own),
		T(a_selector_has_sixteen_bits),
		T(it_is_known_which_of_kvms_two_structures_has_it),
		T(other_names_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
