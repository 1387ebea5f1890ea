// SPDX-License-Identifier: MIT
/* exec_manual.c: "trapmap exec", as its help, man page and completion know it. */
#include "exec/exec_manual.h"

#include "manual.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opt table[] = {
	{ 0, NULL, NULL, "The kernel:" },
	{ 'k', "kernel", "FILE", "a Linux kernel: a bzImage or an ELF vmlinux" },
	{ 'p', "params", "STRING",
	  "words for the kernel's command line, beside ours" },
	{ EXEC_MODULES, "modules", "DIR",
	  "the folder with its modules.dep (default: lib/modules/RELEASE beside the folder that the kernel is in, or /lib/modules/RELEASE)" },

	{ 0, NULL, NULL, "What the command sees:" },
	{ EXEC_SHARE, "share", "DIR",
	  "a folder that it may write to; all else of the host's files is read-only, but for /tmp and /run, which are the guest's own; can be given several times" },
	{ EXEC_ROOT, "root", "auto|9p|copy",
	  "how it gets the host's files: by 9p, or copied into the initramfs: the command with its libraries, the files that its arguments name, and what --copy names (default: by 9p unless the kernel is known not to have it)" },
	{ EXEC_COPY, "copy", "PATH",
	  "a file, with its libraries, or a folder to copy where files are copied; can be given several times" },
	{ EXEC_DIR, "chdir", "DIR",
	  "its working directory (default: the current one)" },

	{ 0, NULL, NULL, "The machine:" },
	{ 'm', "mem", "SIZE",
	  "memory, with K, M, G or T; a bare number is MiB (default: 1G)" },
	{ 'c', "cpus", "N[,KEY...]",
	  "processors, as of trapmap run (default: 1; also --smp)" },
	{ 'c', "smp", "N", NULL },
	{ OPT_CPU, "cpu", "MODEL",
	  "the processor, as of trapmap run: host,+FEATURE,-FEATURE" },
	{ 'd', "disk", "FILE[,KEY...]", "a disk, as of 'trapmap run'" },
	{ 'n', "net", "user|tap=NAME[,KEY...]",
	  "a network, as of 'trapmap run'; the command itself brings it up" },
	{ OPT_TRANSPORT, "transport", "mmio|pci",
	  "how the guest finds its devices (default: mmio)" },

	{ 0, NULL, NULL, "How it ends, and what it tells:" },
	{ OPT_TIMEOUT, "timeout", "SECONDS",
	  "end it after that time, with status 124; other units: 500ms, 2m" },
	{ EXEC_LOG, "log", "FILE",
	  "where the kernel's console goes, as /dev/stderr (default: nowhere)" },
	{ OPT_REPORT, "report", "FILE",
	  "write all that is known of the run to FILE, as JSON" },
	{ OPT_STATS, "stats", NULL,
	  "count and time the exits, and show them as a table at the end" },

	{ 0, NULL, NULL, "Others:" },
	{ OPT_KVM_DEVICE, "kvm-device", "PATH",
	  "the KVM device (default: /dev/kvm)" },
	{ 'h', "help", NULL, "show the help" },
};

static const struct manual_item statuses[] = {
	{ "0-255", "the command's own" },
	{ "128+N", "signal N ended the command, or this program" },
	{ "124", "the time ran out (--timeout)" },
	{ "125", "the command was not run: a bad option, a host or a kernel that cannot" },
	{ "126", "the command cannot be executed" },
	{ "127", "there is no such command" },
	{ NULL, NULL },
};

static const struct manual_item examples[] = {
	{ "trapmap exec -k arch/x86/boot/bzImage -- uname -a",
	  "What a kernel that was just built says of itself." },
	{ "trapmap exec -k vmlinuz --share . -c 4 -- make check",
	  "Runs a test suite on a kernel; it may write to this folder." },
	{ "generate | trapmap exec -k vmlinuz -- sort | less",
	  "Its input, its output and its errors are those of any command." },
	{ NULL, NULL },
};

static const struct manual_section sections[] = {
	{ "Exit status", NULL, statuses },
	{ "Examples", NULL, examples },
	{ NULL, NULL, NULL },
};

const struct manual exec_manual = {
	.name = "exec",
	.summary = "run a command of this host on another kernel",
	.synopsis = "-k KERNEL [OPTION...] -- COMMAND [ARGUMENT...]",
	.text = "Boots KERNEL in a virtual machine and runs COMMAND there as root, with this host's files, environment and working directory, and returns its exit status. Input, output and errors are kept apart and pass every byte; none of them is a terminal.\n"
		"\n"
		"The kernel needs virtio's console, and 9p over virtio for the host's files, built in or as modules, which are loaded.",
	.table = table,
	.count = COUNT(table),
	.sections = sections,
};
