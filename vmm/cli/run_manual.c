// SPDX-License-Identifier: MIT
/* run_manual.c: "trapmap run", as its help, man page and completion know it. */
#include "keys.h"
#include "manual.h"
#include "opts_parts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opt table[] = {
	{ 0, NULL, NULL, "What it runs:" },
	{ 'k', "kernel", "FILE", "the kernel; the same as KERNEL" },
	{ 'i', "initrd", "FILE",
	  "an initial RAM disk; when given several times, one after another (for a multiboot kernel, or one by PVH that is not Linux: a module each)" },
	{ 'p', "params", "STRING",
	  "the kernel's command line, passed on untouched (also --cmdline, --append)" },
	{ 'p', "cmdline", "STRING", NULL },
	{ 'p', "append", "STRING", NULL },
	{ OPT_BOOT, "boot", "auto|linux64|linux32|linux16|pvh|multiboot|sector|flat|unpack",
	  "how the kernel starts: by the entry that hands over the most (auto, the default); a bzImage by its 64-bit or 32-bit entry or by its own real-mode code, or unpacked beforehand; an ELF file by its PVH note, as multiboot or by linux64; a boot sector; or any file as flat real-mode code" },
	{ OPT_FIRMWARE, "firmware", "FILE",
	  "run a firmware image from the reset vector; kernel, initrds and command line are for it to find in fw_cfg" },
	{ OPT_FW_CFG, "fw-cfg", "NAME,file=PATH|string=TEXT",
	  "add a file to QEMU's fw_cfg device; by convention NAME begins with opt/" },
	{ OPT_DTB, "dtb", "auto|none|FILE",
	  "the devicetree that a Linux kernel is handed: the machine's own (auto, the default with --machine), none (the default without), or a file's, untouched" },
	{ OPT_SYMBOLS, "symbols", "FILE",
	  "a vmlinux or a System.map, for names in place of addresses; an ELF kernel's own are taken without this" },

	{ 0, NULL, NULL, "The machine:" },
	{ 'm', "mem", "SIZE[,KEY...]",
	  "memory, with K, M, G or T; a bare number is MiB (default: 256)" },
	{ 'c', "cpus", "N[,KEY...]", "processors (default: 1; also --smp)" },
	{ 'c', "smp", "N[,KEY...]", NULL },
	{ OPT_MACHINE, "machine", "FILE",
	  "the board that a devicetree describes, a blob or (where dtc is installed) its source, in place of a PC: memory, processors, serial ports, clock, places of virtio devices, command line; what --mem, --cpus, --transport and --params say goes before it" },
	{ OPT_CPU, "cpu", "MODEL",
	  "the processor: \"host\" (default), or a baseline that is the same on other hosts: soft, x86-64-v2 or x86-64-v3; then features to add or to hide: host,+FEATURE,-FEATURE" },
	{ OPT_RTC, "rtc", "TIME[,clock=host|vm][,nvram=FILE]",
	  "what the clock shows at first: utc (default), localtime, 2024-02-29[T23:59[:58]] in UTC, or @SECONDS since 1970; and whether it then follows the host's clock (default) or runs on its own, which never steps; with nvram FILE keeps its memory, and the time too unless TIME is given" },
	{ 'd', "disk", "FILE[,KEY...]",
	  "a disk, by virtio: vda, vdb and so on in the order given" },
	{ 'n', "net", "user|tap=NAME|fd=N|none[,KEY...]",
	  "a network, by virtio: eth0, eth1 and so on in the order given" },
	{ OPT_SHARE, "share", "DIR[,tag=NAME][,ro]",
	  "a folder of the host, by 9P: in a Linux guest \"mount -t 9p -o trans=virtio,version=9p2000.L share /mnt\", where \"share\" is the tag (default: share, then share1 and so on); read-only with ro; all is done as the user who runs this, and nothing outside of the folder can be reached" },
	{ OPT_PMEM, "pmem", "FILE",
	  "an image that the guest reads as memory (pmem0, pmem1 ...) and all guests share: mount it read-only, what is written there is gone" },
	{ OPT_BALLOON, "balloon", "[SIZE][,reporting][,deflate-on-oom]",
	  "a memory balloon: has the guest give up SIZE of its memory at first; with reporting, what it has no use for goes back to the host while it runs; with deflate-on-oom it takes memory back rather than run out" },
	{ OPT_TRANSPORT, "transport", "mmio|mmio-cmdline|pci",
	  "how the guest finds virtio devices: registers in memory that ACPI and the devicetree name (default; 8 devices), or that the kernel's command line names instead, to which they are added; or a PCI bus (29 devices)" },
	{ OPT_SERIAL, "serial", "stdio|null|pty|file=PATH|socket=PATH",
	  "where a serial port leads (repeatable: the first is COM1, which is there anyway, up to COM4; default: stdio, or null where a --console is stdio); a pty's name is told; behind a pty or a socket the latest 64 KiB wait for whoever comes" },
	{ OPT_CONSOLE, "console", "stdio|null|file=PATH|socket=PATH[,name=NAME]",
	  "a virtio console (hvc0, hvc1 ... in the order given), or with a name a port (/dev/virtio-ports/NAME), and where it leads; at a socket one client after another can be the other end" },
	{ OPT_VSOCK, "vsock", "PATH|vhost[,cid=N]",
	  "sockets between guest and host: PATH is a unix socket at which \"CONNECT PORT\" leads to a port of the guest's, and what the guest connects to, port N of CID 2, is the unix socket PATH_N; or vhost, the host kernel's own; the guest's address is cid (default: 3)" },
	{ OPT_DEBUGCON, "debugcon", "stdio|stderr|null|file=PATH",
	  "where the debug console leads, which is what the guest writes to port 0xe9 or 0x402 (default: null)" },
	{ OPT_TESTDEV, "testdev", NULL,
	  "add the ports and the memory of QEMU's pc-testdev, which kvm-unit-tests use" },

	{ 0, NULL, NULL, "How it ends:" },
	{ OPT_ON_RESET, "on-reset", "end|reboot|poweroff",
	  "what follows a reset by the guest: the run ends with status 6 (default), starts again, or ends as after a power-off" },
	{ OPT_ON_SIGTERM, "on-sigterm", "end|powerbutton",
	  "what SIGTERM does: it ends the run (default), or presses the power button, so that the guest can shut down; then a second one ends the run" },
	{ OPT_DEBUG_EXIT, "debug-exit", "qemu|plain",
	  "exit status for a value that the guest writes to port 0xf4: twice the value plus 1 (default), or the value itself" },
	{ OPT_TIMEOUT, "timeout", "SECONDS",
	  "end the run after that time, with status 124; other units: 500ms, 2m" },
	{ OPT_WATCHDOG, "watchdog", "SECONDS",
	  "end a guest that makes no progress for that time, with status 12: no exit, no interrupt, and it does not wait for one; longer, then, than a kernel takes to unpack itself" },
	{ OPT_FAIL_ON, "fail-on", "WHAT[,WHAT...]",
	  "end with status 10 for a line on a console: panic (a kernel's panic, which ends the run), splat (BUG:, WARNING:, Oops, KASAN, lockdep, RCU stall, hung task), or any that an extended regular expression matches; a comma in it is written twice" },
	{ OPT_EXPECT, "expect", "REGEX",
	  "end with status 16 unless a line on a console matches; when given several times, each must match" },
	{ OPT_STRICT_IO, "strict-io", NULL,
	  "end the run, with status 14, at the first access to a port or an address that no device has" },

	{ 0, NULL, NULL, "What it tells:" },
	{ OPT_REPORT, "report", "FILE",
	  "write all that is known of the run to FILE, as JSON" },
	{ OPT_STATS, "stats", NULL,
	  "count and time the exits, and show them as a table at the end" },
	{ OPT_TRACE, "trace", "FILE[,only=KIND+...][,range=FIRST-LAST]",
	  "write every exit to FILE, for Perfetto, Chrome's trace viewer and 'trapmap trace'; or only some: pio, mmio, msr, hypercall, other; or only those for an address in a range, as 0x3f8-0x3ff" },
	{ OPT_DUMP_DTB, "dump-dtb", "FILE",
	  "write the machine as a devicetree blob to FILE, and run it" },
	{ 'q', "quiet", NULL, "do not report a run that ended well" },

	{ 0, NULL, NULL, "Others:" },
	{ OPT_KVM_DEVICE, "kvm-device", "PATH",
	  "the KVM device (default: /dev/kvm)" },
	{ 'h', "help", NULL, "show the help" },
	{ 'V', "version", NULL, "show the version" },
};

static const struct manual_item statuses[] = {
	{ "0", "the guest powered off, or reported success" },
	{ "odd", "the guest's own, from the debug-exit or the test-exit port" },
	{ "2", "nothing was run: a bad option or a bad file" },
	{ "4", "the host failed: no usable KVM, no memory, an I/O error" },
	{ "6", "the guest asked for a reset" },
	{ "8", "the guest crashed" },
	{ "10", "the guest panicked, or said what --fail-on looks for" },
	{ "12", "the guest is stuck: all its processors halted with interrupts off, or no progress (--watchdog)" },
	{ "14", "the guest touched what no device has (--strict-io)" },
	{ "16", "a line that was expected never came (--expect)" },
	{ "124", "the time ran out (--timeout)" },
	{ "128+N", "signal N ended the run; 130 after Ctrl-A x too" },
	{ NULL, NULL },
};

static const struct manual_item examples[] = {
	{ "trapmap run", "Boots the guest that is built in, to see that all works." },
	{ "trapmap run vmlinuz -i initrd.img -p console=ttyS0 -m 512",
	  "Boots a distribution's kernel with its console on this terminal." },
	{ "trapmap run vmlinuz -i initrd.img -d disk.img,root",
	  "The same with a root filesystem on a disk: its command line is \"console=ttyS0 root=/dev/vda rw\"." },
	{ "trapmap run vmlinuz -i initrd.img -p console=ttyS0 -n user,hostfwd=tcp:2222:22",
	  "With a network, and port 2222 of this host for the guest's SSH." },
	{ "trapmap run kernel.elf --timeout 30 --fail-on panic,splat --expect 'all tests passed' --report run.json",
	  "A smoke test: it passes only if the kernel says so and nothing went wrong before, and leaves a report." },
	{ "trapmap run kernel.elf --symbols vmlinux --trace run.json,only=pio+mmio --stats",
	  "What a driver does to its device, and how long that takes." },
	{ NULL, NULL },
};

static const struct manual_item cpus_keys[] = {
	{ "N", "how many there are; left out, it is sockets times cores times threads" },
	{ "sockets=N", "how many sockets; of what is left out of these three, the first of cores, sockets and threads makes up N, and the others are 1" },
	{ "cores=N", "how many cores a socket has" },
	{ "threads=N", "how many threads a core has" },
	{ "affinity=LIST", "the processors of the host that they run on, as 0+2+4-7: the first on the first, and from the start again when the list is used up" },
	{ NULL, NULL },
};

static const struct manual_item mem_keys[] = {
	{ "SIZE", "how much there is" },
	{ "backing=anon", "private memory of the process (the default)" },
	{ "backing=memfd", "shared memory that another process can map, by /proc/PID/fd" },
	{ "backing=file=PATH", "a file, also on a tmpfs or a hugetlbfs: made if it is not there, given the size of guest memory, emptied; it stays, and others can map it" },
	{ "backing=hugetlb[=2M|1G]", "huge pages that the host has set apart (default: of 2 MiB)" },
	{ "thp=on|off", "transparent huge pages, of anon and memfd, whatever the host does by itself" },
	{ "prealloc", "all of it is taken at the start" },
	{ "lock", "the same, and it is never swapped out" },
	{ NULL, NULL },
};

static const struct manual_item disk_keys[] = {
	{ "FILE", "a raw image, a block device, or a qcow2 image" },
	{ "ro", "the guest cannot write to it" },
	{ "root", "adds \"root=/dev/vdX rw\" (with ro: ro) to the kernel's command line; where none is given it begins with console=ttyS0 (-p '': with nothing)" },
	{ "tmp", "what is written goes to a temporary file, in TMPDIR or /var/tmp, and is gone at the end" },
	{ "format=raw|qcow2", "in place of going by what is in it (auto), where a guest may not turn a raw disk into something else; of a qcow2 image the backing file that it names is read, too" },
	{ "serial=ID", "a serial number of up to 20 bytes (also id=)" },
	{ "werror=stop", "with no room on the host the guest pauses, and tries again after Ctrl-A r or SIGCONT; report, the default, gives it an I/O error" },
	{ "direct", "past the host's page cache" },
	{ "pinned", "guest memory is registered with io_uring, and takes its full size on the host" },
	{ "iothread=NAME", "on an I/O thread of that name, which all devices share that name it, in place of the VM's own" },
	{ NULL, NULL },
};

static const struct manual_item net_keys[] = {
	{ "user", "a network of its own without privileges: 10.0.2.0/24 with DHCP, where 10.0.2.2 is the host" },
	{ "hostfwd=tcp:8080:80", "leads a port of the host into the guest: tcp|udp:[ADDRESS:]PORT:[ADDRESS:]PORT, the host's address being 127.0.0.1 unless it is given; again for more" },
	{ "offline", "nothing leaves for the host or beyond it, but for what came by hostfwd" },
	{ "tap=NAME", "an interface of the host's; or fd=N, one that is open" },
	{ "vhost", "the host's kernel moves the frames (/dev/vhost-net)" },
	{ "queues=N", "pairs of queues of a tap (default: one a processor)" },
	{ "mac=MAC", "the address (default: made up)" },
	{ "iothread=NAME", "as of a disk" },
	{ NULL, NULL },
};

static const struct manual_section sections[] = {
	{ "What --mem takes", NULL, mem_keys },
	{ "What --cpus takes", NULL, cpus_keys },
	{ "What --disk takes", NULL, disk_keys },
	{ "What --net takes", NULL, net_keys },
	{ "Keys", "Where the input is a terminal, Ctrl-A and one more key is for Trapmap.",
	  keys_help },
	{ "Exit status", NULL, statuses },
	{ "Examples", NULL, examples },
	{ NULL, NULL, NULL },
};

const struct manual run_manual = {
	.name = "run",
	.summary = "boot a kernel, or without one the guest that is built in",
	.synopsis = "[KERNEL] [OPTION...]",
	.text = "Boots KERNEL, which is recognised by its content: a Linux bzImage, an ELF vmlinux or PVH kernel, a multiboot kernel, a boot sector, or a flat real-mode binary; one that is compressed is unpacked first. Without a KERNEL it boots the guest that is built in. The guest's first serial port is this terminal.\n"
		"\n"
		"At the end one line on stderr says how the guest ended, and the exit status says the same. A guest that crashed, panicked, got stuck or ran out of time also leaves a post-mortem there: its registers, its code, its page tables, and what it did last.",
	.table = table,
	.count = COUNT(table),
	.sections = sections,
};
