// SPDX-License-Identifier: MIT
/*
 * stuck.c: guests that go nowhere, and guests that only seem to.
 *
 * case stuck-halted
 *	options: --timeout 20 --params halt
 *	status: 12
 *	out: halt
 *	err: halted with interrupts off, and nothing can wake it, at 0x1
 *	report: verdict.kind = stuck
 *	report: verdict.text ~ interrupts off
 *	report: vcpus.0.state ~ halted
 *	report: duration_ms ~ ^[0-9]{1,4}(\.|$)
 * case stuck-halted-4
 *	options: -c 4 --timeout 20 --params halt-all
 *	status: 12
 *	out: halt-all
 *	err: all 4 vCPUs have halted with interrupts off
 *	report: verdict.status = 12
 *	report: vcpus.3.state ~ halted
 * case stuck-halted-others-never-started
 *	options: -c 4 --timeout 20 --params halt
 *	status: 12
 * case stuck-silent
 *	options: --timeout 20 --params silent
 *	status: 12
 *	err: not a byte|nothing on any console|no output
 *	report: console.silent = true
 * case stuck-spinning
 *	options: --watchdog 1 --timeout 20 --params spin
 *	status: 12
 *	err: spins with interrupts off, at 0x1[0-9a-f]+
 *	report: verdict.kind = stuck
 * case stuck-spinning-interrupts-on
 *	options: --watchdog 1 --timeout 20 --params spin-on
 *	status: 12
 *	err: spins with interrupts on, at 0x1[0-9a-f]+
 * case not-stuck-without-watchdog
 *	options: --timeout 2 --params spin
 *	status: 124
 * case not-stuck-idle
 *	options: --timeout 3 --params idle
 *	status: 124
 *	report: verdict.kind = timeout
 *	report: vcpus.0.state ~ halted
 * case not-stuck-wakes-up
 *	options: --timeout 20 --params wake
 *	status: 0
 *	out: woken
 * case not-stuck-waits-for-nmi
 *	options: --timeout 20 --params nmi
 *	status: 0
 *	out: 3 NMIs
 * case not-stuck-with-exits
 *	options: --watchdog 1 --timeout 3 --params exits
 *	status: 124
 * case not-stuck-with-interrupts
 *	options: --watchdog 1 --timeout 3 --params ticks
 *	status: 124
 * case not-stuck-one-of-two-works
 *	options: -c 2 --watchdog 1 --timeout 3 --params other-works
 *	status: 124
 */
#include "guest.h"

#define TICK_VECTOR VECTOR_APIC

#define NMI_VECTOR 2
#define IOAPIC_AS_NMI 0x400
#define RTC_INPUT 8
#define RTC_B 0x0b
#define RTC_B_UIE 0x10 /* an interrupt each second */
#define RTC_C 0x0c

static volatile uint32_t ticks;
static volatile unsigned nmis;

static void on_tick(struct trap_frame *frame)
{
	ticks++;
}

static void on_nmi(struct trap_frame *frame)
{
	nmis++;
	(void)rtc_read(RTC_C);
}

/* The clock's interrupt as an NMI: it wakes whoever keeps others off. */
static void wait_for_nmis(unsigned n)
{
	trap_handler(NMI_VECTOR, on_nmi);
	rtc_write(RTC_B, rtc_read(RTC_B) | RTC_B_UIE);
	(void)rtc_read(RTC_C);
	ioapic_route(RTC_INPUT, IOAPIC_AS_NMI, false);
	while (nmis < n)
		asm volatile("hlt");
	print("%u NMIs\n", nmis);
}

static _Noreturn void spin(void)
{
	for (;;)
		cpu_relax();
}

static _Noreturn void wait_forever(void)
{
	for (;;)
		asm volatile("sti; hlt");
}

/* The timer of the local APIC, once or (mode 0x20000) again and again. */
static void start_timer(uint32_t mode, uint32_t count)
{
	trap_handler(TICK_VECTOR, on_tick);
	lapic_write(LAPIC_TIMER_DIVIDE, 0xb); /* by 1 */
	lapic_write(LAPIC_LVT_TIMER, mode | TICK_VECTOR);
	lapic_write(LAPIC_TIMER_INITIAL, count);
}

static _Noreturn void read_the_clock(void)
{
	for (;;)
		(void)rtc_read(0x0a);
}

static void start_others(void (*entry)(void))
{
	uint32_t ids[SMP_MAX];
	unsigned n = smp_list(ids), i;

	for (i = 1; i < n; i++)
		smp_start(ids[i], entry);
}

static void halt_now(void)
{
	halt_forever();
}

static void work(void)
{
	read_the_clock();
}

int guest_main(void)
{
	const char *how = boot_cmdline();

	if (!strcmp(how, "silent"))
		halt_forever();
	print("%s\n", how);
	pic_init();
	lapic_init();
	if (!strcmp(how, "halt"))
		halt_forever();
	if (!strcmp(how, "halt-all")) {
		start_others(halt_now);
		halt_forever();
	}
	if (!strcmp(how, "other-works")) {
		start_others(work);
		spin();
	}
	if (!strcmp(how, "spin"))
		spin();
	if (!strcmp(how, "exits"))
		read_the_clock();
	if (!strcmp(how, "idle"))
		wait_forever();
	if (!strcmp(how, "spin-on")) {
		asm volatile("sti");
		spin();
	}
	if (!strcmp(how, "ticks")) {
		start_timer(0x20000, 50000000);
		asm volatile("sti");
		spin();
	}
	if (!strcmp(how, "nmi"))
		wait_for_nmis(3);
	if (!strcmp(how, "wake")) {
		/* KVM's local APIC counts nanoseconds. */
		start_timer(0, 2500000000u);
		while (!ticks)
			asm volatile("sti; hlt; cli");
		print("woken\n");
	}
	return 0;
}
