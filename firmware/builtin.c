// SPDX-License-Identifier: MIT
/*
 * builtin.c: the guest that runs when there is no kernel. It shows what the
 * machine looks like from inside: memory, processor, clock, and what it costs
 * to be trapped. It claims nothing that a guest cannot know.
 *
 * Cases for tests/guests/run.sh:
 *
 * case builtin
 *	options: -m 128 -c 2 --rtc base=2030-04-05T06:07:08,clock=vm
 *	status: 0
 *	match: ^ +0x0000100000 - 0x0007ffffff +130048 KiB +RAM$
 *	match: ^ +hypervisor +KVMKVMKVM$
 *	match: ^ +processors +2 in the MADT, APIC ids 0 to 1$
 *	match: ^ +says +Fri 2030-04-05 06:07:[0-9]+$
 *	match: ^ +now says +Sun 1969-07-20 20:17:4[0-9]$
 *	match: ^ +in 0x71 +[0-9]+ cycles +[0-9]+ ns$
 *	out: Powering off by ACPI.
 */
#include <trapmap/guest_abi.h>

#include "guest.h"

#define RTC_DATA 0x71

#define LABEL "  %-11s"

static void show_memory(void)
{
	const struct e820_entry *map;
	unsigned i, n = boot_e820(&map);
	uint64_t ram = 0;

	print("Memory\n");
	for (i = 0; i < n; i++) {
		struct e820_entry e = map[i];

		print("  0x%010lx - 0x%010lx  %10lu KiB  %s\n", e.base,
		      e.base + e.len - 1, e.len >> 10,
		      e.type == E820_RAM ? "RAM" : "reserved");
		if (e.type == E820_RAM)
			ram += e.len;
	}
	print(LABEL "%lu KiB of RAM\n\n", "in all", ram >> 10);
}

static void show_text(const char *label, const uint32_t *regs, unsigned n)
{
	char text[49];
	const char *s = text;

	memcpy(text, regs, n * sizeof(*regs));
	text[n * sizeof(*regs)] = '\0';
	while (*s == ' ')
		s++;
	if (*s)
		print(LABEL "%s\n", label, s);
}

static void show_brand(void)
{
	uint32_t regs[12];
	unsigned i;

	if (cpuid(0x80000000, 0).eax < 0x80000004)
		return;
	for (i = 0; i < 3; i++) {
		struct cpuid r = cpuid(0x80000002 + i, 0);

		memcpy(regs + 4 * i, &r, sizeof(r));
	}
	show_text("name", regs, 12);
}

static void show_signature(void)
{
	uint32_t eax = cpuid(1, 0).eax;
	unsigned family = eax >> 8 & 15, model = eax >> 4 & 15;

	if (family == 6 || family == 15)
		model |= eax >> 12 & 0xf0;
	if (family == 15)
		family += eax >> 20 & 0xff;
	print(LABEL "family %u, model %u, stepping %u\n", "signature", family,
	      model, eax & 15);
}

static void show_features(void)
{
	static const struct {
		uint32_t leaf;
		uint8_t reg; /* index in struct cpuid */
		uint8_t bit;
		const char *name;
	} features[] = {
		{ 1, 2, 21, "x2apic" },
		{ 1, 2, 24, "tsc_deadline_timer" },
		{ 1, 2, 17, "pcid" },
		{ 1, 2, 26, "xsave" },
		{ 1, 2, 30, "rdrand" },
		{ 7, 1, 5, "avx2" },
		{ 0x80000001, 3, 27, "rdtscp" },
		{ 0x80000007, 3, 8, "invariant tsc" },
	};
	unsigned i;

	print(LABEL, "features");
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		uint32_t leaf = features[i].leaf, regs[4];
		struct cpuid r;

		if (cpuid(leaf & 0x80000000, 0).eax < leaf)
			continue;
		r = cpuid(leaf, 0);
		memcpy(regs, &r, sizeof(regs));
		if (regs[features[i].reg] >> features[i].bit & 1)
			print("%s ", features[i].name);
	}
	print("\n");
}

static void show_processor(void)
{
	struct cpuid r = cpuid(0, 0);
	uint32_t ids[SMP_MAX];
	unsigned n = smp_list(ids);

	print("Processor\n");
	show_text("vendor", (uint32_t[]){ r.ebx, r.edx, r.ecx }, 3);
	show_brand();
	show_signature();
	show_features();
	if (cpuid(1, 0).ecx >> 31) {
		r = cpuid(0x40000000, 0);
		show_text("hypervisor", (uint32_t[]){ r.ebx, r.ecx, r.edx }, 3);
	}
	print(LABEL "%u in the MADT", "processors", n);
	if (n > 1)
		print(", APIC ids %u to %u", ids[0], ids[n - 1]);
	print("\n\n");
}

static void show_time(const char *label, const struct rtc_time *t)
{
	static const char *const days[] = { "",	   "Sun", "Mon", "Tue",
					    "Wed", "Thu", "Fri", "Sat" };

	print(LABEL "%s %04u-%02u-%02u %02u:%02u:%02u\n", label,
	      t->weekday < ARRAY_SIZE(days) ? days[t->weekday] : "", t->year,
	      t->month, t->day, t->hour, t->minute, t->second);
}

static void show_clock(void)
{
	/* When the Eagle landed; a Sunday. */
	const struct rtc_time moon = { 1969, 7, 20, 20, 17, 40, 1 };
	struct rtc_time t;

	/* Register D's low bits read as 0, where there is a clock. */
	if (rtc_read(0x0d) == 0xff) {
		print("No clock at ports 0x70 and 0x71\n\n");
		return;
	}
	t = rtc_get();
	print("Clock, by ports 0x70 and 0x71\n");
	show_time("says", &t);
	rtc_set(&moon);
	show_time("set it to", &moon);
	t = rtc_get();
	show_time("now says", &t);
	print("  This is this VM's clock. Whether any other changed, "
	      "look at the host's.\n\n");
}

static void read_rtc(void)
{
	inb(RTC_DATA);
}

static void write_post_code(void)
{
	outb(TRAPMAP_POST_PORT, 0x42);
}

/* What one call takes, in TSC cycles: the least of a few averages. */
static uint64_t measure(void (*what)(void))
{
	uint64_t best = UINT64_MAX, start;
	unsigned round, i;

	for (round = 0; round < 5; round++) {
		start = rdtsc();
		for (i = 0; i < 64; i++)
			what();
		start = (rdtsc() - start) / 64;
		if (start < best)
			best = start;
	}
	return best;
}

static void show_cost(const char *label, uint64_t cycles, uint32_t khz)
{
	print(LABEL "%8lu cycles", label, cycles);
	if (khz)
		print("  %8lu ns", cycles * 1000000 / khz);
	print("\n");
}

static void show_costs(void)
{
	const char *source;
	uint32_t khz = tsc_khz(&source);

	print("Cost of a trap, beside an instruction that needs none\n");
	print(LABEL "%u.%03u MHz (%s)\n", "TSC", khz / 1000, khz % 1000,
	      source);
	rtc_read(0); /* leaves the index register at the seconds */
	show_cost("in 0x71", measure(read_rtc), khz);
	show_cost("out 0x80", measure(write_post_code), khz);
	show_cost("pause", measure(cpu_relax), khz);
	print("\n");
}

int guest_main(void)
{
	print("\nTrapmap's built-in guest: this machine, seen from inside\n\n");
	show_memory();
	show_processor();
	show_clock();
	show_costs();
	print("Powering off by ACPI.\n");
	acpi_power_off();
}
