// SPDX-License-Identifier: MIT
/* A crash in a sentence, and what people are told to try next. */
#include "postmortem_rig.h"

#include "postmortem/sentence.h"

static struct rig rig;
static char hint[PM_HINTS][PM_NOTE];
static unsigned hints;

static int setup(void **state)
{
	rig_init(&rig);
	return 0;
}

static int teardown(void **state)
{
	rig_done(&rig);
	return 0;
}

static void look(void)
{
	hints = postmortem_hints(&rig.pm, hint);
	assert_in_range(hints, 0, PM_HINTS);
}

static bool hinted(const char *words)
{
	unsigned i;

	for (i = 0; i < hints; i++)
		if (strstr(hint[i], words))
			return true;
	return false;
}

static struct pm_vcpu *long_vcpu(void)
{
	struct pm_vcpu *v = rig_vcpu(&rig);

	rig_long(&rig, v);
	gather_memory(v, &rig.gm, NULL);
	return v;
}

static void silence(const char *cmdline)
{
	rig.pm.silent = true;
	rig.pm.bytes[WATCH_COM1] = 0;
	rig.pm.cmdline = cmdline;
	look();
}

static void a_good_end_asks_for_nothing(void **state)
{
	rig.pm.end.kind = TRAPMAP_END_POWEROFF;
	rig.pm.depth = PM_REPORT;
	silence("");
	assert_int_equal(hints, 0);
}

static void a_run_that_never_began_asks_for_nothing(void **state)
{
	rig.pm.end.kind = (enum trapmap_end_kind)2;
	rig.pm.began.ns = 0;
	silence("");
	assert_int_equal(hints, 0);
}

static void a_silent_linux_lacks_a_console(void **state)
{
	silence("root=/dev/vda quiet");
	assert_true(hinted("-p \"console=ttyS0 earlyprintk=ttyS0\""));
	silence("noconsole=ttyS0x");
	assert_true(hinted("neither console=ttyS0 nor earlyprintk="));
	silence("console=ttyS0");
	assert_true(hinted("add earlyprintk=ttyS0"));
	silence("earlyprintk=serial console=ttyS0,115200");
	assert_int_equal(hints, 0);
	rig.pm.format = "ELF";
	silence("");
	assert_true(hinted("if this is Linux: "));
	rig.pm.is_linux = false;
	silence("");
	assert_int_equal(hints, 0);
}

static void a_silent_guest_may_have_spoken_elsewhere(void **state)
{
	rig.pm.is_linux = false;
	rig.pm.bytes[WATCH_DEBUGCON] = 17;
	rig.pm.mmio_unclaimed[0] = (struct pm_unclaimed){ 0xb8000, 0, 4 };
	rig.pm.mmio_unclaimed_len = 1;
	rig.pm.pio_unclaimed[0] = (struct pm_unclaimed){ 0x2f8, 0, 1 };
	rig.pm.pio_unclaimed_len = 1;
	silence("");
	assert_true(hinted("17 bytes to port 0xe9 or 0x402"));
	assert_true(hinted("VGA's memory"));
	assert_true(hinted("each --serial adds one"));
}

/* Linux's 8250 driver writes to IER to find out whether a port is there. */
static void looking_for_a_serial_port_is_not_speaking_to_it(void **state)
{
	rig.pm.pio_unclaimed[0] = (struct pm_unclaimed){ 0x2f9, 3, 3 };
	rig.pm.pio_unclaimed_len = 1;
	silence("");
	assert_false(hinted("each --serial adds one"));
}

static void an_instruction_that_kvm_cannot_run_needs_another_host(void **state)
{
	long_vcpu();
	rig_crash(&rig, KVM_EXIT_INTERNAL_ERROR, KVM_INTERNAL_ERROR_EMULATION);
	snprintf(rig.pm.doctor, sizeof(rig.pm.doctor), "int3 is refused");
	look();
	assert_true(hinted("`trapmap doctor` says of this host: int3 is "
			   "refused"));
	assert_true(hinted("VT-x or AMD-V"));
}

static void lock_cmpxchg16b_is_suspicious_on_a_software_kvm(void **state)
{
	struct pm_vcpu *v;

	memcpy(rig.ram + RIG_CODE, "\xf0\x48\x0f\xc7\x0e", 5); /* [rsi] */
	v = long_vcpu();
	look();
	assert_true(hinted("lock cmpxchg16b"));
	rig.pm.kvm_kind = TRAPMAP_KVM_VTX;
	look();
	assert_false(hinted("lock cmpxchg16b"));
	/* Of eight bytes (no REX.W) it is another instruction. */
	rig.pm.kvm_kind = TRAPMAP_KVM_SOFTWARE;
	memcpy(v->code, "\xf0\x0f\xc7\x0e\x90", 5);
	look();
	assert_false(hinted("lock cmpxchg16b"));
}

static void a_guest_that_polls_is_told_what(void **state)
{
	struct pm_vcpu *v = long_vcpu();
	unsigned i;

	for (i = 0; i < 100; i++)
		rig_port(v, 100 - i, 0x1f7, 0xff, FLIGHT_UNCLAIMED);
	look();
	assert_true(hinted("polls port 0x1f7 (IDE, primary), where nothing "
			   "answers: 64 of its last 64 exits"));
}

static void a_guest_that_spins(void **state)
{
	struct pm_vcpu *v;

	memcpy(rig.ram + RIG_CODE, "\xeb\xfe", 2); /* jmp . */
	v = long_vcpu();
	look();
	assert_true(hinted("touched no device at all"));
	rig.pm.over.tsc = RIG_END + 200000000;
	rig.pm.over.ns = rig.pm.over.tsc + 1;
	rig_port(v, 0, 0x71, 0, 0);
	look();
	assert_true(hinted("spins, near 0x8000"));
}

static void a_guest_that_runs_through_empty_memory(void **state)
{
	long_vcpu();
	look();
	assert_true(hinted("runs zeros, at and before 0x8000"));
}

static void a_triple_fault_always_has_a_next_step(void **state)
{
	struct pm_vcpu *v;

	memcpy(rig.ram + RIG_CODE, "\x0f\x0b", 2); /* ud2 */
	v = long_vcpu();
	rig_crash(&rig, KVM_EXIT_SHUTDOWN, 0);
	look();
	assert_int_equal(hints, 1);
	assert_true(hinted("a handler for #DF on a stack of its own (an IST)"));
	v->sregs.idt.base = 0x5ead00000000;
	gather_memory(v, &rig.gm, NULL);
	look();
	assert_int_equal(hints, 1);
	assert_true(hinted("the IDT at 0x5ead00000000 is not mapped"));
}

/* An interrupt stack table is of 64-bit mode. */
static void a_stack_that_is_not_there_is_named_as_the_mode_has_it(void **state)
{
	struct pm_vcpu *v;

	memcpy(rig.ram + RIG_CODE, "\x0f\x0b", 2);
	v = long_vcpu();
	rig_crash(&rig, KVM_EXIT_SHUTDOWN, 0);
	v->regs.rsp = 0x7eadbeef0000;
	gather_memory(v, &rig.gm, NULL);
	look();
	assert_true(hinted("RSP was never set; an IST stack"));
	v->sregs.cr0 = 0;
	v->sregs.efer = 0;
	v->sregs.cs.l = v->sregs.cs.db = 0;
	v->sregs.ss.base = 0xfffffff0;
	v->regs.rsp = 0;
	gather_memory(v, &rig.gm, NULL);
	look();
	assert_true(hinted("SS:SP was never set"));
	assert_false(hinted("IST"));
}

static void a_panic_has_a_next_step(void **state)
{
	struct watch_hit hit = { .rule = TRAPMAP_RULE_SPLAT, .what = "BUG" };

	long_vcpu();
	rig.pm.end.kind = TRAPMAP_END_PANIC;
	look();
	assert_true(hinted("the guest's console tells best"));
	rig.pm.hit = &hit;
	rig.pm.hits = 1;
	look();
	assert_true(hinted("the guest went on after that line"));
	assert_true(hinted("panic_on_warn=1"));
	hit.rule = TRAPMAP_RULE_FAIL; /* of any guest */
	look();
	assert_true(hinted("the guest went on after that line"));
	assert_false(hinted("Linux"));
	hit.rule = TRAPMAP_RULE_PANIC;
	look();
	assert_false(hinted("went on"));
}

static void a_guest_that_waits_is_told_for_what(void **state)
{
	struct pm_vcpu *v = long_vcpu();

	v->state = PM_IDLE;
	rig_port(v, 50, 0x71, 0x26, 0);
	rig_exit(v, KVM_EXIT_INTR, 0);
	look();
	assert_true(hinted("every vCPU waits for an interrupt"));
	assert_true(hinted("the last that vCPU 0 touched is port 0x71 (toy)"));
	v->state = PM_HALTED;
	rig.pm.end.kind = TRAPMAP_END_STUCK;
	look();
	assert_true(hinted("HLT with interrupts off never returns"));
}

static void a_kernel_address_without_a_name_asks_for_symbols(void **state)
{
	struct pm_vcpu *v = long_vcpu();

	look();
	assert_false(hinted("--symbols"));
	v->regs.rip = 0xffffffff81000000;
	look();
	assert_true(hinted("--symbols"));
}

/* ---- the sentence ------------------------------------------------------- */

static void crashes_have_a_sentence(void **state)
{
	static const uint8_t bytes[] = { 0xcc, 0x90 };
	struct sentence_crash crash = {
		.reason = KVM_EXIT_SHUTDOWN,
		.fault = "#PF at 0xdead000, IDT limit 0",
		.insn = "int3",
		.bytes = bytes,
		.len = 1,
	};
	struct pm_vcpu *v = rig_vcpu(&rig);
	char s[512];

	rig_long(&rig, v);
	gather_memory(v, &rig.gm, NULL);
	assert_true(sentence_crash(&rig.pm, v, &crash, s, sizeof(s)));
	assert_string_equal(s, "vCPU 0 triple-faulted: #PF at 0xdead000, IDT "
			       "limit 0");
	v->after_reset = true;
	rig.pm.kvm_kind = TRAPMAP_KVM_AMDV;
	assert_true(sentence_crash(&rig.pm, v, &crash, s, sizeof(s)));
	assert_string_equal(s, "vCPU 0 triple-faulted; its registers were reset "
			       "before they could be read, as AMD-V does");

	v->after_reset = false;
	rig.pm.kvm_kind = TRAPMAP_KVM_SOFTWARE;
	crash.reason = KVM_EXIT_INTERNAL_ERROR;
	crash.detail = KVM_INTERNAL_ERROR_EMULATION;
	assert_true(sentence_crash(&rig.pm, v, &crash, s, sizeof(s)));
	assert_string_equal(s, "vCPU 0: KVM here (software) gave up on an "
			       "exception: #PF at 0xdead000, IDT limit 0");
	crash.fault = "";
	assert_true(sentence_crash(&rig.pm, v, &crash, s, sizeof(s)));
	assert_string_equal(s, "vCPU 0: KVM here (software) cannot run `int3` in "
			       "ring 0, at 0x8000");
	crash.insn = "";
	crash.len = 2;
	rig.pm.kvm_kind = TRAPMAP_KVM_VTX;
	rig.pm.nested_paging = 1;
	v->mode = PM_REAL;
	assert_true(sentence_crash(&rig.pm, v, &crash, s, sizeof(s)));
	assert_string_equal(s, "vCPU 0: KVM here (VT-x, EPT) cannot run the "
			       "instruction cc 90 in real mode, at 0x8000");
	crash.len = 0;
	assert_true(sentence_crash(&rig.pm, v, &crash, s, sizeof(s)));
	assert_non_null(strstr(s, "no RAM at RIP, 0x8000"));
	crash.detail = KVM_INTERNAL_ERROR_SIMUL_EX;
	assert_false(sentence_crash(&rig.pm, v, &crash, s, sizeof(s)));
}

static void a_crash_is_placed_by_name(void **state)
{
	static const char map[] = "0000000000007ff0 T start_here\n";
	struct sentence_crash crash = {
		.reason = KVM_EXIT_SHUTDOWN,
		.fault = "#UD at RIP 0x8000 (ud2), IDT limit 0",
	};
	struct pm_vcpu *v = long_vcpu();
	struct error err;
	char s[512];

	assert_int_equal(symbols_read("m", (const uint8_t *)map,
				      sizeof(map) - 1, &rig.pm.symbols.table,
				      &err),
			 0);
	rig.pm.symbols.fit = SYMBOLS_FIT;
	assert_true(sentence_crash(&rig.pm, v, &crash, s, sizeof(s)));
	assert_string_equal(s, "vCPU 0 triple-faulted in start_here+0x10: #UD at "
			       "RIP 0x8000 (ud2), IDT limit 0");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_good_end_asks_for_nothing),
		T(a_run_that_never_began_asks_for_nothing),
		T(a_silent_linux_lacks_a_console),
		T(a_silent_guest_may_have_spoken_elsewhere),
		T(looking_for_a_serial_port_is_not_speaking_to_it),
		T(an_instruction_that_kvm_cannot_run_needs_another_host),
		T(lock_cmpxchg16b_is_suspicious_on_a_software_kvm),
		T(a_guest_that_polls_is_told_what),
		T(a_guest_that_spins),
		T(a_guest_that_runs_through_empty_memory),
		T(a_triple_fault_always_has_a_next_step),
		T(a_stack_that_is_not_there_is_named_as_the_mode_has_it),
		T(a_panic_has_a_next_step),
		T(a_guest_that_waits_is_told_for_what),
		T(a_kernel_address_without_a_name_asks_for_symbols),
		T(crashes_have_a_sentence),
		T(a_crash_is_placed_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
