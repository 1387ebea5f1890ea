// SPDX-License-Identifier: MIT
/* What is read of a vCPU, and what people are told of it. */
#include "postmortem_rig.h"

static struct rig rig;
static char *text;

static int setup(void **state)
{
	rig_init(&rig);
	return 0;
}

static int teardown(void **state)
{
	free(text);
	text = NULL;
	rig_done(&rig);
	return 0;
}

static void render(void)
{
	free(text);
	text = postmortem_text(&rig.pm);
	assert_non_null(text);
}

#define says(line) assert_non_null(strstr(text, line))
#define says_not(line) assert_null(strstr(text, line))

/* ---- what is read ------------------------------------------------------- */

static void the_mode_is_what_the_registers_say(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->mode, PM_REAL);
	rig_protected(v);
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->mode, PM_PROTECTED_32);
	v->regs.rflags |= 1 << 17;
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->mode, PM_VIRTUAL_8086);
	rig_long(&rig, v);
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->mode, PM_LONG);
	v->sregs.cs.l = 0;
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->mode, PM_COMPATIBILITY_16);
}

static void real_mode_adds_the_segment(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	v->sregs.cs.selector = 0x1000;
	v->sregs.cs.base = 0x10000;
	v->regs.rip = 0x20;
	rig.ram[0x1001f] = 0xfa;
	rig.ram[0x10020] = 0xf4;
	v->sregs.ss.base = 0x20000;
	v->regs.rsp = 0x12340010; /* SP is 16 bits wide */
	put_le16(rig.ram + 0x20010, 0xbeef);
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->code_walk.linear, 0x10020);
	assert_int_equal(v->code[0], 0xf4);
	assert_int_equal(v->before_len, PM_CODE_BEFORE);
	assert_int_equal(v->before[PM_CODE_BEFORE - 1], 0xfa);
	assert_int_equal(v->word_size, 2);
	assert_int_equal(v->stack_len, PM_STACK_WORDS);
	assert_int_equal(v->stack[0], 0xbeef);
}

static void nothing_is_read_beyond_what_is_there(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	/* The last bytes of RAM; and a stack of three words and a half. */
	rig_protected(v);
	v->regs.rip = RIG_RAM - 3;
	v->regs.rsp = RIG_RAM - 14;
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->code_len, 3);
	assert_int_equal(v->stack_len, 3);

	/* Nothing lies before address 0. */
	v->regs.rip = 5;
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->before_len, 5);

	v->regs.rip = 0xfee00000;
	v->regs.rsp = UINT32_MAX;
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->code_len, 0);
	assert_int_equal(v->stack_len, 0);
}

static void the_bytes_before_stay_on_a_mapped_page(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	rig_long(&rig, v);
	/* A table of pages, of which only the second is there. */
	put_le64(rig.ram + 0x3000, 0x4003);
	put_le64(rig.ram + 0x4008, 0x8003);
	v->regs.rip = 0x1004;
	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(v->before_len, 4);
	assert_int_equal(v->code_walk.gpa, 0x8004);
}

static void registers_may_point_anywhere(void **state)
{
	static const uint64_t address[] = {
		0, 1, 0xfff, RIG_RAM - 1, RIG_RAM, 0xffffffff,
		0x7fffffffffff, 0x800000000000, 0xffff800000000000,
		UINT64_MAX - 1, UINT64_MAX,
	};
	struct pm_vcpu *v = rig_vcpu(&rig);
	unsigned i, k;

	rig_long(&rig, v);
	/* A table that is its own child, at each level. */
	put_le64(rig.ram + RIG_PML4, RIG_PML4 | 3);
	put_le64(rig.ram + RIG_PML4 + 511 * 8, RIG_PML4 | 3);
	for (i = 0; i < ARRAY_SIZE(address); i++)
		for (k = 0; k < ARRAY_SIZE(address); k++) {
			v->regs.rip = address[i];
			v->regs.rsp = address[k];
			v->sregs.cr3 = k % 2 ? RIG_PML4 : address[i];
			gather_memory(v, &rig.gm, NULL);
			render();
		}
}

static void exits_come_out_in_order(void **state)
{
	struct flight *flight = calloc(1, sizeof(*flight));
	struct pm_vcpu v = { 0 };
	unsigned i;

	assert_non_null(flight);
	for (i = 0; i < FLIGHT_RECORDS + 10; i++)
		flight->record[i % FLIGHT_RECORDS].addr = i;
	atomic_store(&flight->total, FLIGHT_RECORDS + 10);
	gather_exits(&v, flight);
	assert_int_equal(v.exits, FLIGHT_RECORDS + 10);
	assert_int_equal(v.exit_count, FLIGHT_RECORDS);
	assert_int_equal(v.exit[0].addr, 10);
	assert_int_equal(v.exit[FLIGHT_RECORDS - 1].addr, FLIGHT_RECORDS + 9);
	free(v.exit);
	free(flight);
}

/* ---- what is said ------------------------------------------------------- */

static void long_mode_in_full(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	rig_long(&rig, v);
	memcpy(rig.ram + RIG_CODE, "\x0f\x0b\xf4", 3);
	put_le64(rig.ram + RIG_STACK + 8, 0x1122334455667788);
	v->regs.rdx = 0xdeadbeef;
	v->sregs.cr2 = 0xdead000;
	gather_memory(v, &rig.gm, NULL);
	snprintf(rig.pm.disasm_note, sizeof(rig.pm.disasm_note),
		 "(built without a disassembler)");
	render();
	says("vCPU 0: running, 64-bit mode, ring 0, at 0x8000\n");
	says("  >     8000  0f 0b f4 00 00");
	says("(built without a disassembler)");
	says("  rip 0000000000008000  rflags 00000002\n");
	says("  rdx 00000000deadbeef");
	says("  cr0  80010011 PG WP ET PE\n");
	says("  cr4  00000020 PAE\n");
	says("  efer 00000500 LMA LME\n");
	says("  cr2 000000000dead000");
	says("limit ffffffff  code, readable, 64-bit, DPL 0\n");
	says("    PML4E at     0x1000: 0000000000002003 P RW\n");
	says("    PDPTE at     0x2000: 0000000000003003 P RW\n");
	says("    PDE   at     0x3000: 0000000000000083 P RW PS\n");
	says("    -> 0x8000, a page of 2 MiB, writable, supervisor\n");
	says("    +00  0000000000000000 1122334455667788");
	says("Consoles: 100 bytes on the serial port, 0 on the debug console\n");
}

static void an_address_that_is_not_mapped(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	rig_long(&rig, v);
	v->regs.rip = 0x123456789000;
	v->regs.rsp = 0x40000000;
	gather_memory(v, &rig.gm, NULL);
	rig_crash(&rig, KVM_EXIT_SHUTDOWN, 0);
	render();
	says("  code: none at RIP, 0x123456789000 is not mapped\n");
	says("    PML4E at     0x1120: 0000000000000000 not present\n"
	     "    -> not mapped: that PML4E is not present\n");
	says("  stack: none at SS:RSP, 0x40000000 is not mapped\n");
	says("  - RIP 0x123456789000 is not mapped");
	says("  - the stack at 0x40000000 is not there");
	says("SHUTDOWN, a triple fault\n");
}

static void protected_mode_has_narrow_registers(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	rig_protected(v);
	v->sregs.idt.limit = 0;
	gather_memory(v, &rig.gm, NULL);
	rig_crash(&rig, KVM_EXIT_SHUTDOWN, 0);
	render();
	says("vCPU 0: running, 32-bit protected mode, ring 0, at 0x8000\n");
	says("  rip 00008000  rflags");
	says("  rax 00000000  rbx 00000000");
	says_not("r15");
	says("  paging is off\n");
	says("    +00  00000000 00000000");
	says("  - the IDT has no gate for #PF or #GP (limit 0)");
}

static void real_mode_has_segments(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	v->sregs.cs.selector = 0x1000;
	v->sregs.cs.base = 0x10000;
	gather_memory(v, &rig.gm, NULL);
	render();
	says("vCPU 0: running, real mode, at 1000:8000, 0x18000\n");
	says("    +00  0000 0000 0000 0000 0000 0000 0000 0000\n");
}

static void the_state_after_a_reset_is_not_explained(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	v->regs.rip = 0xfff0;
	v->regs.rsp = 0;
	v->sregs.cs.selector = 0xf000;
	v->sregs.cs.base = 0xffff0000;
	gather_memory(v, &rig.gm, NULL);
	assert_true(v->after_reset);
	rig_port(v, 40, 0x71, 0x26, 0);
	rig_crash(&rig, KVM_EXIT_SHUTDOWN, 0);
	render();
	says("These are the values after a reset");
	says("in    0x71 -> 0x26  (toy)\n");
	says("--trace FILE");
	says_not("code, RIP");
	says_not("stack from");
	says_not("IDT has no gate");
}

static void the_vcpu_of_the_verdict_comes_first_and_dull_ones_are_short(
	void **state)
{
	unsigned i;

	for (i = 0; i < RIG_VCPUS; i++) {
		struct pm_vcpu *v = rig_vcpu(&rig);

		gather_memory(v, &rig.gm, NULL);
		v->state = i == 2 ? PM_RUNNING :
			   i < 5  ? PM_IDLE :
				    PM_NOT_STARTED;
	}
	rig.pm.end.vcpu = 2;
	render();
	assert_int_equal(strncmp(text, "vCPU 2: running", 15), 0);
	says("\nvCPU 0: halted, interrupts on, at 0x8000\n"
	     "vCPU 1: halted, interrupts on, at 0x8000\n"
	     "vCPU 3: halted, interrupts on, at 0x8000\n"
	     "vCPU 4: halted, interrupts on, at 0x8000\n"
	     "vCPUs 5 to 254: never started\n");
}

static void many_that_hang_do_not_fill_the_screen(void **state)
{
	const char *at;
	unsigned i, n = 0;

	for (i = 0; i < RIG_VCPUS; i++) {
		struct pm_vcpu *v = rig_vcpu(&rig);

		gather_memory(v, &rig.gm, NULL);
		v->state = PM_HALTED;
	}
	render();
	for (at = text; (at = strstr(at, "gdtr")) != NULL; at++)
		n++;
	assert_int_equal(n, 16);
	says("\nvCPU 254: halted, interrupts off, at 0x8000\n");
	says("--report FILE");
}

static void a_vcpu_without_registers_still_has_its_exits(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	v->has_regs = false;
	rig_port(v, 7, 0x70, 0x0a, FLIGHT_WRITE);
	render();
	says("vCPU 0: KVM does not give its registers\n");
	says("     -7.0 us  out   0x70 <- 0x0a  (toy)\n");
}

static void alike_exits_are_folded(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);
	unsigned i;

	v->has_regs = false;
	rig_port(v, 3000, 0x60, 0xff, FLIGHT_UNCLAIMED);
	for (i = 0; i < 37; i++)
		rig_port(v, 2000 - i, 0x71, 0x26, 0);
	for (i = 0; i < 20; i++) {
		rig_port(v, 1000 - 2 * i, 0x70, 0x0b, FLIGHT_WRITE);
		rig_port(v, 999 - 2 * i, 0x71, 0x02, 0);
	}
	rig_exit(v, KVM_EXIT_HLT, 1);
	render();
	says("  last 79 of 79 exits, by the time to the end:\n"
	     "  -3000.0 us  in    0x60 -> 0xff  (nothing there)\n"
	     "  -1964.0 us  in    0x71 -> 0x26  (toy)  x 37\n"
	     "   -962.0 us  out   0x70 <- 0x0b  (toy)\n"
	     "   -961.0 us  in    0x71 -> 0x02  (toy)  these 2 x 20\n"
	     "     -1.0 us  HLT\n");
}

static void serial_output_reads_as_text(void **state)
{
	static const char said[] = "Hi \"you\"\x1b\r\n";
	struct pm_vcpu *v = rig_vcpu(&rig);
	unsigned i;

	v->has_regs = false;
	for (i = 0; i < sizeof(said) - 1; i++) {
		rig_port(v, 900 - 2 * i, 0x3fd, 0x60, 0);
		rig_port(v, 899 - 2 * i, 0x3f8, (uint8_t)said[i], FLIGHT_WRITE);
	}
	render();
	says("serial output \"Hi \\x22you\\x22\\x1b\\r\\n\", 22 exits\n");
}

static void only_the_last_exits_are_shown(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);
	unsigned i;

	v->has_regs = false;
	for (i = 0; i < 200; i++)
		rig_port(v, 1000 - i, 0x71, i, 0);
	v->exits = 100000;
	render();
	says("  last 16 of 100000 exits, by the time to the end:\n"
	     "   -816.0 us  in    0x71 -> 0xb8  (toy)\n");
}

static void unclaimed_places_are_named_and_added_up(void **state)
{
	rig.pm.pio_unclaimed[0] = (struct pm_unclaimed){ 0x1f7, 3, 0 };
	rig.pm.pio_unclaimed[1] = (struct pm_unclaimed){ 0x200, 1, 2 };
	rig.pm.pio_unclaimed_len = 2;
	rig.pm.pio_others = 12;
	rig.pm.mmio_unclaimed[0] = (struct pm_unclaimed){ 0xb8000, 0, 4 };
	rig.pm.mmio_unclaimed[1] = (struct pm_unclaimed){ 0xb8002, 1, 1 };
	rig.pm.mmio_unclaimed_len = 2;
	render();
	says("Unclaimed ports (reads gave all ones, writes vanished):\n"
	     "  0x1f7: 3 reads, 0 writes  (IDE, primary)\n"
	     "  0x200: 1 read, 2 writes\n"
	     "  others: 12 accesses\n"
	     "Unclaimed addresses (reads gave all ones, writes vanished):\n"
	     "  0xb8000 to 0xb8002: 1 read, 5 writes  (VGA text memory)\n");
}

static void a_silent_end_is_told_in_short(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	gather_memory(v, &rig.gm, NULL);
	v->state = PM_HALTED;
	rig_port(v, 12, 0x604, 1, FLIGHT_WRITE | FLIGHT_UNCLAIMED);
	rig.pm.depth = PM_SHORT;
	rig.pm.silent = true;
	rig.pm.bytes[WATCH_COM1] = 0;
	rig.pm.end.kind = TRAPMAP_END_RESET;
	rig.pm.post[0] = (struct pm_post){ 0x12, 1, 2500000 };
	rig.pm.post[1] = (struct pm_post){ 0x13, 7, 1000 };
	rig.pm.posts = 2;
	rig.pm.cmdline = "quiet";
	render();
	says("not a byte came out of a console");
	says_not("No POST code");
	says("vCPU 0: halted, interrupts off, at 0x8000\n");
	says("out   0x604 <- 0x01  (nothing there)\n");
	says("  0x12  2500.0 us before the end\n"
	     "  0x13  1.0 us before the end, 7 in a row\n");
	says("-p \"console=ttyS0 earlyprintk=ttyS0\"");
	says_not("gdtr");
}

static void symbols_of_another_kernel_are_named_and_not_used(void **state)
{
	struct pm_vcpu *v = rig_vcpu(&rig);
	const char map[] = "0000000000007ff0 T here\n0000000000009000 T there\n";
	struct error err;

	gather_memory(v, &rig.gm, NULL);
	assert_int_equal(symbols_read("m", (const uint8_t *)map,
				      sizeof(map) - 1, &rig.pm.symbols.table,
				      &err),
			 0);
	rig.pm.symbols.fit = SYMBOLS_FIT;
	render();
	says("at 0000:8000, 0x8000 = here+0x10\n");
	rig.pm.symbols.offset = 0x10;
	render();
	says("0x8000 = here\n");
	rig.pm.symbols.fit = SYMBOLS_MISFIT;
	snprintf(rig.pm.symbols.note, sizeof(rig.pm.symbols.note),
		 "the symbols are of another kernel");
	render();
	says("Symbols: the symbols are of another kernel\n");
	says_not("= here");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_mode_is_what_the_registers_say),
		T(real_mode_adds_the_segment),
		T(nothing_is_read_beyond_what_is_there),
		T(the_bytes_before_stay_on_a_mapped_page),
		T(registers_may_point_anywhere),
		T(exits_come_out_in_order),
		T(long_mode_in_full),
		T(an_address_that_is_not_mapped),
		T(protected_mode_has_narrow_registers),
		T(real_mode_has_segments),
		T(the_state_after_a_reset_is_not_explained),
		T(the_vcpu_of_the_verdict_comes_first_and_dull_ones_are_short),
		T(many_that_hang_do_not_fill_the_screen),
		T(a_vcpu_without_registers_still_has_its_exits),
		T(alike_exits_are_folded),
		T(serial_output_reads_as_text),
		T(only_the_last_exits_are_shown),
		T(unclaimed_places_are_named_and_added_up),
		T(a_silent_end_is_told_in_short),
		T(symbols_of_another_kernel_are_named_and_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
