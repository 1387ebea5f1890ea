// SPDX-License-Identifier: MIT
/* trace_manual.c: "trapmap trace", as its help, man page and completion know it. */
#include "manual.h"
#include "trace.h"

static const struct opt table[] = {
	{ 0, NULL, NULL, "Options:" },
	{ TRACE_ONLY, "only", "KIND[,KIND...]",
	  "only exits of these kinds: pio, mmio, msr, hypercall, other" },
	{ TRACE_RANGE, "range", "FIRST[-LAST]",
	  "only exits for a port, an address, an MSR or a hypercall in that range" },
	{ TRACE_VCPU, "vcpu", "N", "only exits of that vCPU" },
	{ TRACE_SYMBOLS, "symbols", "FILE",
	  "say where the guest was by name: its kernel as an ELF file, or a System.map" },
	{ 'h', "help", NULL, "show the help" },
};

static const struct manual_item columns[] = {
	{ "time us", "since the trace began, in microseconds" },
	{ "cpu", "the vCPU" },
	{ "exit", "what happened: in, out (ports), read, write (memory), rdmsr, wrmsr, hypercall, or KVM's reason; the address; xN for N items of a string instruction" },
	{ "device", "what it went to, or \"unclaimed\"" },
	{ "value", "read or written; of a string instruction the first item" },
	{ "took us", "Trapmap's time for it" },
	{ "rip", "where the guest was: at the instruction, or behind it where KVM has gone on already" },
	{ NULL, NULL },
};

static const struct manual_item statuses[] = {
	{ "0", "all of the trace was printed, or all that there is of one that was cut off, which a note on stderr tells" },
	{ "2", "a bad option, a file that cannot be read, or no trace of Trapmap's, or a broken one" },
	{ "4", "the output could not be written" },
	{ NULL, NULL },
};

static const struct manual_item examples[] = {
	{ "trapmap run vmlinuz --trace boot.trace && trapmap trace boot.trace | less",
	  "Every exit of a boot, to read." },
	{ "trapmap trace boot.trace --only msr,mmio --symbols System.map",
	  "MSRs and memory only, with the kernel's functions." },
	{ "trapmap trace boot.trace --range 0x3f8-0x3ff",
	  "What the first serial port saw." },
	{ NULL, NULL },
};

static const struct manual_section sections[] = {
	{ "Columns", NULL, columns },
	{ "Exit status", NULL, statuses },
	{ "Examples", NULL, examples },
	{ NULL, NULL, NULL },
};

const struct manual trace_manual = {
	.name = "trace",
	.summary = "print a trace of 'trapmap run --trace'",
	.synopsis = "FILE [OPTION...]",
	.text = "Prints the trace that 'trapmap run --trace FILE' wrote, one line an exit, in the order of the file. FILE - is standard input.\n\nThe same file opens in Perfetto (https://ui.perfetto.dev) and in Chrome's chrome://tracing.",
	.table = table,
	.count = sizeof(table) / sizeof(table[0]),
	.sections = sections,
};
