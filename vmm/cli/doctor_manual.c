// SPDX-License-Identifier: MIT
/* doctor_manual.c: "trapmap doctor", as its help, man page and completion know it. */
#include "doctor.h"
#include "manual.h"

static const struct opt table[] = {
	{ 0, NULL, NULL, "Options:" },
	{ DOCTOR_LINUX, "linux", NULL,
	  "only tell whether a stock Linux can be expected to boot, and why: one line, and status 0 or 4" },
	{ DOCTOR_CPU, "cpu", NULL,
	  "tell what processor a guest would see: \"host\", or the MODEL that follows, as trapmap run --cpu takes it, with what KVM withholds of the host's and what the model leaves out" },
	{ DOCTOR_KVM_DEVICE, "kvm-device", "PATH",
	  "the KVM device (default: /dev/kvm)" },
	{ 'h', "help", NULL, "show the help" },
};

static const struct manual_item statuses[] = {
	{ "0", "guests can run here; with --linux: a stock Linux too" },
	{ "2", "a bad option; with --cpu: no such processor can be had here" },
	{ "4", "they cannot" },
	{ NULL, NULL },
};

static const struct manual_item files[] = {
	{ "/dev/kvm", "the KVM device, which must be readable and writable" },
	{ NULL, NULL },
};

static const struct manual_item examples[] = {
	{ "trapmap doctor", "What this host has, lacks, and what to do about it." },
	{ "trapmap doctor --linux && trapmap run vmlinuz -i initrd.img",
	  "Boots a stock kernel only where one can run." },
	{ "trapmap doctor --cpu x86-64-v2,+aes",
	  "Whether that can be had here, and what it is." },
	{ NULL, NULL },
};

static const struct manual_section sections[] = {
	{ "Exit status", NULL, statuses },
	{ "Files", NULL, files },
	{ "Examples", NULL, examples },
	{ NULL, NULL, NULL },
};

const struct manual doctor_manual = {
	.name = "doctor",
	.summary = "what this host offers, and how to mend what is missing",
	.synopsis = "[OPTION...]",
	.text = "Looks at this host's KVM: what kind it is, whether guests can run and a stock Linux can boot on it, its limits, and what to do about what is missing.",
	.table = table,
	.count = sizeof(table) / sizeof(table[0]),
	.sections = sections,
};
