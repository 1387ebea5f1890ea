// SPDX-License-Identifier: MIT
/*
 * Triple faults as they look afterwards. The states are those of a processor
 * that stopped at the instruction, in each mode; what may be said of them is
 * from SDM volume 3, chapter 6.
 */
#include "test.h"

#include <linux/kvm.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/deliver.h"
#include "postmortem/fault.h"

#define RF BIT64(16)
#define IF BIT64(9)

#define CODE 0x10000u
#define HANDLER 0x20000u
#define IDT 0x4000u
#define GDT 0x5000u
#define TSS 0x6000u
#define CS32 0x08
#define DATA 0x10
#define CS64 0x18
#define CS64_USER 0x23

static uint8_t ram[0x100000];
static struct gmem gm;
static struct kvm_regs regs;
static struct kvm_sregs sregs;
static struct kvm_vcpu_events events;
static char text[512];

static int setup(void **state)
{
	memset(ram, 0, sizeof(ram));
	gm = (struct gmem){ 0 };
	memset(&regs, 0, sizeof(regs));
	memset(&sregs, 0, sizeof(sregs));
	memset(&events, 0, sizeof(events));
	regs.rflags = 2;
	regs.rsp = 0x8000;
	return gmem_add(&gm, 0, sizeof(ram), ram);
}

static void put64(gpa_t gpa, uint64_t val)
{
	assert_int_equal(gmem_write(&gm, gpa, &val, 8), 0);
}

static void code(const char *bytes, size_t len)
{
	memcpy(ram + CODE, bytes, len);
}

static void real_mode(void)
{
	sregs.cs.base = CODE;
	sregs.cs.selector = CODE >> 4;
	sregs.ss.limit = 0xffff;
	sregs.idt.limit = 0x3ff;
}

static void protected_mode(void)
{
	sregs.cr0 = 1;
	sregs.cs.selector = CS32;
	sregs.cs.db = 1;
	sregs.ss.selector = DATA;
	sregs.ss.limit = UINT32_MAX;
	sregs.ss.type = 3;
	sregs.ss.db = 1;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 0x2f;
	put64(GDT + CS32, 0x00cf9b000000ffff);
	put64(GDT + DATA, 0x00cf93000000ffff);
	put64(GDT + CS64, 0x00af9b000000ffff);
	put64(GDT + (CS64_USER & ~7), 0x00affb000000ffff);
	regs.rip = CODE;
}

/* The first MiB in pages of 4 KiB, for all, at 0. */
static void long_mode(void)
{
	unsigned i;

	protected_mode();
	sregs.cr0 = BIT64(31) | BIT64(16) | 1;
	sregs.cr3 = 0x1000;
	sregs.cr4 = BIT64(5);
	sregs.efer = 0x500;
	sregs.cs.selector = CS64;
	sregs.cs.l = 1;
	sregs.cs.db = 0;
	put64(0x1000, 0x2007);
	put64(0x2000, 0x3007);
	put64(0x3000, 0x7007);
	for (i = 0; i < 256; i++)
		put64(0x7000 + i * 8, (uint64_t)i << 12 | 7);
}

static void unmap(uint64_t linear)
{
	put64(0x7000 + linear / KIB(4) * 8, 0);
}

static void gate_64(unsigned vector, uint16_t selector, uint64_t offset,
		    unsigned ist)
{
	put64(IDT + vector * 16, (offset & 0xffff) | (uint64_t)selector << 16 |
					 (uint64_t)ist << 32 |
					 UINT64_C(0x8e00) << 32 |
					 (offset >> 16 & 0xffff) << 48);
	put64(IDT + vector * 16 + 8, offset >> 32);
}

static void gate_32(unsigned vector, uint16_t selector, uint32_t offset)
{
	put64(IDT + vector * 8, (offset & 0xffff) | (uint64_t)selector << 16 |
					UINT64_C(0x8e00) << 32 |
					(uint64_t)(offset >> 16) << 48);
}

static void all_gates_64(unsigned ist)
{
	unsigned i;

	sregs.idt.base = IDT;
	sregs.idt.limit = 0x1ff;
	for (i = 0; i < 32; i++)
		gate_64(i, CS64, HANDLER, ist);
}

static void all_gates_32(void)
{
	unsigned i;

	sregs.idt.base = IDT;
	sregs.idt.limit = 0xff;
	for (i = 0; i < 32; i++)
		gate_32(i, CS32, HANDLER);
}

/* What a KVM leaves that delivers exceptions itself. */
static void kvm_tried(unsigned vector, int error_code)
{
	regs.rflags |= RF;
	events.exception.nr = (uint8_t)vector;
	events.exception.has_error_code = error_code >= 0;
	if (error_code >= 0)
		events.exception.error_code = (uint32_t)error_code;
}

static const char *explain(void)
{
	fault_explain(&regs, &sregs, &events, &gm, text, sizeof(text));
	assert_null(strchr(text, '\n'));
	assert_true(strlen(text) < 220);
	return text;
}

#define EXPLAINED(expected) assert_string_equal(explain(), expected)

/* ---- the order of things --------------------------------------------------- */

static void exceptions_combine_as_in_table_6_5(void **state)
{
	assert_int_equal(vector_combine(6, 13), 13);
	assert_int_equal(vector_combine(6, 14), 14);
	assert_int_equal(vector_combine(0x80, 13), 13);
	assert_int_equal(vector_combine(13, 11), 8);
	assert_int_equal(vector_combine(0, 13), 8);
	assert_int_equal(vector_combine(13, 14), 14);
	assert_int_equal(vector_combine(14, 13), 8);
	assert_int_equal(vector_combine(14, 14), 8);
	assert_int_equal(vector_combine(8, 13), -1);
	assert_int_equal(vector_combine(8, 14), -1);
}

/* ---- long mode ------------------------------------------------------------- */

static void no_idt_at_ud2(void **state)
{
	long_mode();
	code("\x0f\x0b", 2);
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD, #GP, #DF cannot be "
		  "delivered: IDT limit 0");
	/* The same where KVM says so. */
	kvm_tried(6, -1);
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD, #GP, #DF cannot be "
		  "delivered: IDT limit 0");
}

static void jump_to_where_nothing_is_mapped(void **state)
{
	long_mode();
	regs.rip = 0xdead000;
	sregs.cr2 = 0xdead000;
	EXPLAINED("#PF at 0xdead000 (fetch, not mapped); #PF, #DF cannot be "
		  "delivered: IDT limit 0");
	kvm_tried(14, 0);
	EXPLAINED("#PF at 0xdead000 (fetch, not mapped); #PF, #DF cannot be "
		  "delivered: IDT limit 0");
}

static void jump_into_data(void **state)
{
	long_mode();
	sregs.efer |= BIT64(11);
	put64(0x7000 + (CODE >> 12) * 8, CODE | 7 | BIT64(63));
	EXPLAINED("#PF at 0x10000 (fetch, no-execute); #PF, #DF cannot be "
		  "delivered: IDT limit 0");
}

static void jump_to_an_address_that_is_none(void **state)
{
	long_mode();
	regs.rip = 0x800000000000;
	EXPLAINED("#GP: RIP 0x800000000000 is not canonical; #GP, #DF cannot "
		  "be delivered: IDT limit 0");
}

static void a_read_of_unmapped_memory(void **state)
{
	long_mode();
	sregs.cr2 = 0xdead000;
	kvm_tried(14, 0);
	EXPLAINED("#PF at 0xdead000 (read, not mapped), RIP 0x10000; #PF, #DF "
		  "cannot be delivered: IDT limit 0");
	kvm_tried(14, 2);
	explain();
	assert_non_null(strstr(text, "#PF at 0xdead000 (write, not mapped)"));
	kvm_tried(14, 6);
	explain();
	assert_non_null(strstr(text, "(user-mode write, not mapped)"));
}

static void an_address_in_cr2_that_is_mapped_is_not_named(void **state)
{
	long_mode();
	sregs.cr2 = 0x9000;
	kvm_tried(14, 0);
	EXPLAINED("#PF at RIP 0x10000; #PF, #DF cannot be delivered: IDT limit "
		  "0");
}

static void an_idt_that_is_not_mapped(void **state)
{
	long_mode();
	code("\x0f\x0b", 2);
	sregs.idt.base = 0xdead0000;
	sregs.idt.limit = 0xfff;
	/* As on VT-x: the last #PF is that of #DF's gate. */
	sregs.cr2 = 0xdead0080;
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD, #PF, #DF cannot be "
		  "delivered: the IDT at 0xdead0000 is not mapped");
}

static void an_empty_idt(void **state)
{
	long_mode();
	code("\xcc", 1);
	sregs.idt.base = IDT;
	sregs.idt.limit = 0xfff;
	EXPLAINED("#BP at RIP 0x10000 (int3); #BP, #GP, #DF cannot be "
		  "delivered: the gate is all zeros");
}

static void gates_that_are_wrong_are_shown(void **state)
{
	long_mode();
	code("\x0f\x0b", 2);
	all_gates_64(0);
	put64(IDT + 6 * 16, 0x00000e0000180000);  /* not present */
	put64(IDT + 11 * 16, 0x0000850000180000); /* a task gate */
	put64(IDT + 8 * 16, 0);
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD cannot be delivered: the gate, "
		  "0000000000000000:00000e0000180000, is not present; nor can "
		  "#DF: the gate is all zeros");
	put64(IDT + 6 * 16, 0x0000850000180000); /* a task gate */
	explain();
	assert_non_null(strstr(text, "the gate, "
				     "0000000000000000:0000850000180000, is "
				     "neither for an interrupt nor for a "
				     "trap"));
}

static void selectors_of_gates(void **state)
{
	static const struct {
		uint16_t selector;
		const char *why;
	} cases[] = {
		{ 0, "the gate has the null selector" },
		{ 0x38, "the gate has selector 0x38, beyond the GDT's limit "
			"0x2f" },
		{ DATA, "the gate has selector 0x10, which is no code of ring "
			"0" },
		{ CS64_USER, "the gate has selector 0x23, which is no code of "
			     "ring 0" },
		{ CS32, "the gate has selector 0x8, which is no 64-bit code" },
		{ 0xc, "the gate has selector 0xc, beyond the LDT's limit 0" },
	};
	unsigned i, k;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(state);
		long_mode();
		code("\x0f\x0b", 2);
		all_gates_64(0);
		for (k = 0; k < 32; k++)
			gate_64(k, cases[i].selector, HANDLER, 0);
		explain();
		assert_non_null(strstr(text, "#UD, #GP, #DF cannot be "
					     "delivered: "));
		assert_non_null(strstr(text, cases[i].why));
	}
}

static void a_stack_that_is_not_mapped(void **state)
{
	long_mode();
	code("\x50", 1);
	all_gates_64(0);
	regs.rsp = 0xdead000;
	sregs.cr2 = 0xdeacff8;
	EXPLAINED("#PF, a push to the stack at RSP 0xdead000, which is not "
		  "mapped, at RIP 0x10000; #PF, #DF cannot be delivered: the "
		  "stack at RSP 0xdead000 is not mapped");
	kvm_tried(14, 2);
	EXPLAINED("#PF at 0xdeacff8 (write, not mapped), RIP 0x10000; #PF, #DF "
		  "cannot be delivered: the stack at RSP 0xdead000 is not "
		  "mapped");
}

static void a_stack_that_ran_out(void **state)
{
	long_mode();
	all_gates_64(0);
	unmap(0x7fff);
	code("\xe8\x00\x00\x00\x00", 5);
	explain();
	assert_non_null(strstr(text, "#DF cannot be delivered: the stack at "
				     "RSP 0x8000 is not mapped"));
	/* What is below is enough for what is pushed, but not its last part. */
	setup(state);
	long_mode();
	all_gates_64(0);
	unmap(0x7000);
	regs.rsp = 0x8010;
	code("\x0f\x0b", 2);
	explain();
	assert_non_null(strstr(text, "#DF cannot be delivered: the stack at "
				     "RSP 0x8010 is not mapped"));
}

static void a_stack_that_is_read_only(void **state)
{
	long_mode();
	all_gates_64(0);
	put64(0x7000 + 7 * 8, 0x7005);
	code("\x0f\x0b", 2);
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD, #PF, #DF cannot be "
		  "delivered: the stack at RSP 0x8000 is read-only");
	/* Ring 0 may write to it all the same with CR0.WP clear. */
	sregs.cr0 &= ~BIT64(16);
	EXPLAINED("");
}

static void a_stack_that_is_not_canonical(void **state)
{
	long_mode();
	all_gates_64(0);
	regs.rsp = 0x8000dead00000000;
	code("\x0f\x0b", 2);
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD, #SS, #DF cannot be "
		  "delivered: the stack at RSP 0x8000dead00000000 is not "
		  "canonical");
}

static void stacks_of_the_tss(void **state)
{
	long_mode();
	all_gates_64(3);
	code("\x0f\x0b", 2);
	sregs.tr.base = TSS;
	sregs.tr.limit = 0x33; /* IST3 is at 52 to 59 */
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD, #TS, #DF cannot be "
		  "delivered: the TSS, limit 0x33, ends before its IST3");
	sregs.tr.limit = 0x67;
	put64(TSS + 52, 0xabc000);
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD, #PF, #DF cannot be "
		  "delivered: the stack at IST3 0xabc000 is not mapped");
	put64(TSS + 52, 0x9000);
	EXPLAINED("");
}

static void from_ring_3_the_stack_is_rsp0(void **state)
{
	long_mode();
	all_gates_64(0);
	sregs.cs.selector = CS64_USER;
	sregs.ss.dpl = 3;
	code("\xf4", 1);
	sregs.tr.base = TSS;
	sregs.tr.limit = 0x67;
	put64(TSS + 4, 0xffff800000100000);
	EXPLAINED("#GP at RIP 0x10000 (hlt outside ring 0); #GP, #PF, #DF "
		  "cannot be delivered: the stack at RSP0 0xffff800000100000 "
		  "is not mapped");
}

static void a_handler_that_is_not_mapped(void **state)
{
	long_mode();
	all_gates_64(0);
	unmap(HANDLER);
	regs.rip = HANDLER;
	EXPLAINED("#PF at 0x20000 (fetch, not mapped); #PF cannot be "
		  "delivered: the handler at 0x20000 is not mapped");
}

static void a_gdt_that_is_not_mapped(void **state)
{
	long_mode();
	all_gates_64(0);
	unmap(GDT);
	code("\x0f\x0b", 2);
	EXPLAINED("#UD at RIP 0x10000 (ud2); #UD, #PF, #DF cannot be "
		  "delivered: the GDT at 0x5000 is not mapped");
}

static void what_cannot_be_known_is_not_said(void **state)
{
	long_mode();
	code("\x90", 1);
	/* The number of an exception that the guest has long handled. */
	events.exception.nr = 13;
	EXPLAINED("an exception at RIP 0x10000; #DF cannot be delivered: IDT "
		  "limit 0");
	/* #DE's is that of none. */
	regs.rflags |= RF | IF;
	events.exception.nr = 0;
	sregs.cr2 = 0xdead000;
	EXPLAINED("an exception or interrupt at RIP 0x10000, last #PF at "
		  "0xdead000; #DF cannot be delivered: IDT limit 0");
	/* VT-x may say that it was delivering #DF, which everyone knows. */
	events.exception.nr = 8;
	events.exception.injected = 1;
	EXPLAINED("an exception or interrupt at RIP 0x10000, last #PF at "
		  "0xdead000; #DF cannot be delivered: IDT limit 0");
	all_gates_64(0);
	EXPLAINED("");
}

static void a_division_is_known(void **state)
{
	long_mode();
	code("\x48\xf7\xf1", 3); /* div rcx */
	kvm_tried(0, -1);
	EXPLAINED("#DE at RIP 0x10000; #DE, #DF cannot be delivered: IDT limit "
		  "0");
}

static void an_interrupt_without_a_gate(void **state)
{
	long_mode();
	code("\x90", 1);
	events.interrupt.injected = 1;
	events.interrupt.nr = 0x30;
	EXPLAINED("interrupt 0x30 at RIP 0x10000; interrupt 0x30, #GP, #DF "
		  "cannot be delivered: IDT limit 0");
	events.interrupt.injected = 0;
	code("\xcd\x80", 2);
	EXPLAINED("int 0x80 at RIP 0x10000; interrupt 0x80, #GP, #DF cannot be "
		  "delivered: IDT limit 0");
}

static void a_reset_state_says_nothing(void **state)
{
	regs.rip = 0xfff0;
	sregs.cs.base = 0xffff0000;
	sregs.cs.selector = 0xf000;
	EXPLAINED("");
}

/* ---- protected mode -------------------------------------------------------- */

static void protected_mode_without_an_idt(void **state)
{
	protected_mode();
	code("\x0f\x0b", 2);
	EXPLAINED("#UD at EIP 0x10000 (ud2); #UD, #GP, #DF cannot be "
		  "delivered: IDT limit 0");
	/* Gate 6 ends at 55; 8 and 13 are beyond. */
	sregs.idt.base = IDT;
	sregs.idt.limit = 0x37;
	gate_32(6, CS32, HANDLER);
	EXPLAINED("");
}

static void a_selector_that_cannot_be_loaded(void **state)
{
	protected_mode();
	kvm_tried(13, 0xf0);
	EXPLAINED("#GP for selector 0xf0 of the GDT at EIP 0x10000; #GP, #DF "
		  "cannot be delivered: IDT limit 0");
}

static void segments_limit_stack_and_handler(void **state)
{
	protected_mode();
	all_gates_32();
	code("\x0f\x0b", 2);
	EXPLAINED("");
	sregs.ss.limit = 0x7ffe;
	EXPLAINED("#UD at EIP 0x10000 (ud2); #UD, #SS, #DF cannot be "
		  "delivered: the stack at ESP 0x8000 is outside its segment");
	sregs.ss.limit = UINT32_MAX;
	regs.rsp = 4;
	EXPLAINED("");
	regs.rsp = 2;
	explain();
	assert_non_null(strstr(text, "the stack at ESP 0x2 is outside its "
				     "segment"));
	regs.rsp = 0x8000;
	put64(GDT + CS32, 0x00409b000000ffff);
	explain();
	assert_non_null(strstr(text, "#UD, #GP, #DF cannot be delivered: the "
				     "handler 0x20000 is beyond its segment's "
				     "limit 0xffff"));
}

static void an_inner_stack_from_the_tss(void **state)
{
	protected_mode();
	all_gates_32();
	code("\x0f\x0b", 2);
	sregs.ss.dpl = 3;
	sregs.tr.base = TSS;
	sregs.tr.limit = 0x67;
	sregs.tr.type = 11;
	EXPLAINED("#UD at EIP 0x10000 (ud2); #UD, #TS, #DF cannot be "
		  "delivered: SS0 has the null selector");
	put64(TSS + 4, 0x9000 | (uint64_t)CS32 << 32);
	explain();
	assert_non_null(strstr(text, "SS0 has selector 0x8, which is no "
				     "writable data of its ring"));
	put64(TSS + 4, 0x9000 | (uint64_t)DATA << 32);
	EXPLAINED("");
}

/* ---- real mode ------------------------------------------------------------- */

static void real_mode_with_limit_0(void **state)
{
	real_mode();
	regs.rip = 5;
	memcpy(ram + CODE + 5, "\x0f\x0b", 2);
	sregs.idt.limit = 0;
	EXPLAINED("#UD at CS:IP 1000:0005 (ud2); #UD, #GP, #DF cannot be "
		  "delivered: IDT limit 0");
}

static void real_mode_with_its_vectors_nowhere(void **state)
{
	real_mode();
	code("\xf7\xf1", 2);
	sregs.idt.base = 0x80000000;
	kvm_tried(0, -1);
	EXPLAINED("#DE at CS:IP 1000:0000; #DE, #PF, #DF cannot be delivered: "
		  "the IVT at 0x80000000 is outside RAM");
}

static void real_mode_without_room_on_the_stack(void **state)
{
	real_mode();
	code("\xcc", 1);
	regs.rsp = 3;
	explain();
	assert_non_null(strstr(text, "#BP, #SS, #DF cannot be delivered: the "
				     "stack has no room for FLAGS, CS and IP: "
				     "SP is 3"));
	/* What wraps between two pushes is no fault. */
	regs.rsp = 2;
	EXPLAINED("");
	regs.rsp = 0;
	EXPLAINED("");
	/* A limit that was loaded in protected mode stays. */
	sregs.ss.limit = 0xff;
	explain();
	assert_non_null(strstr(text, "#BP, #SS, #DF cannot be delivered: the "
				     "stack at SP 0 is outside its segment"));
}

/* ---- any text -------------------------------------------------------------- */

static void text_that_does_not_fit_is_cut(void **state)
{
	char small[8] = "xxxxxxx";

	long_mode();
	code("\x0f\x0b", 2);
	fault_explain(&regs, &sregs, &events, &gm, small, 5);
	assert_string_equal(small, "#UD ");
	assert_int_equal(small[5], 'x');
	fault_explain(&regs, &sregs, &events, &gm, small, 0);
	assert_int_equal(small[0], '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup(f, setup)
		TEST(exceptions_combine_as_in_table_6_5),
		TEST(no_idt_at_ud2),
		TEST(jump_to_where_nothing_is_mapped),
		TEST(jump_into_data),
		TEST(jump_to_an_address_that_is_none),
		TEST(a_read_of_unmapped_memory),
		TEST(an_address_in_cr2_that_is_mapped_is_not_named),
		TEST(an_idt_that_is_not_mapped),
		TEST(an_empty_idt),
		TEST(gates_that_are_wrong_are_shown),
		TEST(selectors_of_gates),
		TEST(a_stack_that_is_not_mapped),
		TEST(a_stack_that_ran_out),
		TEST(a_stack_that_is_read_only),
		TEST(a_stack_that_is_not_canonical),
		TEST(stacks_of_the_tss),
		TEST(from_ring_3_the_stack_is_rsp0),
		TEST(a_handler_that_is_not_mapped),
		TEST(a_gdt_that_is_not_mapped),
		TEST(what_cannot_be_known_is_not_said),
		TEST(a_division_is_known),
		TEST(an_interrupt_without_a_gate),
		TEST(a_reset_state_says_nothing),
		TEST(protected_mode_without_an_idt),
		TEST(a_selector_that_cannot_be_loaded),
		TEST(segments_limit_stack_and_handler),
		TEST(an_inner_stack_from_the_tss),
		TEST(real_mode_with_limit_0),
		TEST(real_mode_with_its_vectors_nowhere),
		TEST(real_mode_without_room_on_the_stack),
		TEST(text_that_does_not_fit_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
