#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lab-amd.sh: runs commands on a real kvm-amd with nested paging, on any
# machine: QEMU emulates an AMD processor with SVM (TCG, no KVM needed), a stock
# Debian kernel boots in it (L1), and the commands run there as root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

usage() {
	cat <<'END'
lab-amd.sh [OPTION]... -- COMMAND [ARGUMENT]...
lab-amd.sh [OPTION]... --jobs FILE --results FOLDER

Runs one COMMAND and ends with its status, or each job of FILE: a line
"NAME SECONDS COMMAND...", the command a shell's. A job's stdout, stderr, status
and seconds come back in FOLDER/NAME.

In there, `trapmap` is the program under test, and the files that the arguments
or jobs name are at the same place as here. There are also Debian's kernels, the
symbols of one of them, and an initramfs that prints what it finds and powers off
(tests/lab/guest-init says what else it can):
  /lab/cloud/vmlinuz  /lab/cloud/vmlinux  /lab/cloud/System.map  /lab/generic/...
  /lab/guest.cpio

  --trapmap FILE  the program under test (default: $TRAPMAP, or the one in build/)
  --cpus N        L1's processors (default: 2)
  --mem MIB       L1's memory (default: 2048)
  --add FOLDER    a folder that L1 has, too
  --disk FILE     a raw image that L1 has as /dev/vda, and may write to
  --timeout S     for all of it (default: 600; one command: 120)
  --kvm-args STR  parameters for kvm-amd.ko, such as npt=0
  --steady yes    L1's time goes by the instructions that it executes, a ns each, on
                  one processor: a measurement is then the same on a busy host, but
                  knows nothing of what instructions cost
  --keep FOLDER   keeps L1's console and results there

Try: tests/lab/lab-amd.sh -- trapmap run /lab/cloud/vmlinuz \
       -i /lab/guest.cpio -p console=ttyS0 -m 512
Exit status: the command's; with --jobs 0 if all jobs were run. 70 if the lab
itself failed, 77 if something that it needs is not installed.
END
}

die() {
	echo "lab-amd: $*" >&2
	exit 70
}

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "lab-amd: skipped: $1 is not installed (package $2)" >&2
	exit 77
}

trapmap=${TRAPMAP:-$top/build/vmm/cli/trapmap}
cpus=2
mem=2048
disk=
folder_added=
limit=
jobs=
results=
kvm_args=
steady=
keep=
while [ $# -gt 0 ]; do
	case $1 in
	--trapmap | --cpus | --mem | --add | --disk | --timeout | --jobs | --results | \
		--kvm-args | --steady | --keep)
		[ $# -ge 2 ] || die "$1 needs a value"
		;;
	esac
	case $1 in
	--trapmap) trapmap=$2 ;;
	--cpus) cpus=$2 ;;
	--mem) mem=$2 ;;
	--add) folder_added=$2 ;;
	--disk) disk=$2 ;;
	--timeout) limit=$2 ;;
	--jobs) jobs=$2 ;;
	--results) results=$2 ;;
	--kvm-args) kvm_args=$2 ;;
	--steady) steady=$2 ;;
	--keep) keep=$2 ;;
	-h | --help)
		usage
		exit 0
		;;
	--)
		shift
		break
		;;
	*) die "unknown option $1 (--help lists them)" ;;
	esac
	shift 2
done
if [ -n "$jobs" ]; then
	[ $# = 0 ] || die "a command or --jobs, not both"
	[ -f "$jobs" ] || die "no such file: $jobs"
	[ -n "$results" ] || die "--jobs needs --results"
elif [ $# = 0 ]; then
	usage >&2
	exit 70
fi

need qemu-system-x86_64 qemu-system-x86
need busybox busybox-static
need cpio cpio

tmp=$(mktemp -d)
tail_pid=
qemu_pid=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[ -z "$tail_pid" ] || kill "$tail_pid" 2>/dev/null || :
	[ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null || :
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
root=$tmp/root
mkdir -p "$root/lab/modules" "$root/bin" "$tmp/results"

# Puts file $1 into L1 at its own absolute path.
add_file() {
	mkdir -p "$root${1%/*}"
	[ -e "$root$1" ] || cp -L "$1" "$root$1"
}

# A program with the libraries that the loader would give it here. They keep
# their paths, so that a run path relative to the program holds there too.
add_program() {
	add_file "$1"
	libs=$(ldd "$1" 2>/dev/null |
		sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p')
	for lib in $libs; do
		add_file "$lib"
	done
}

# What trapmap loads by itself, if this machine has it: its disassembler, and user
# networks, with what they need in turn.
add_loaded() {
	libs=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null |
		sed -n 's/.*lib\(Zydis\|Zycore\|slirp\)\.so\.[0-9.]* .*=> //p')
	for lib in $libs; do
		add_program "$lib"
	done
}

# One word that a command line has: a file of this machine, or one of ours.
add_word() {
	case $1 in
	/lab/cloud/System.map)
		: >"$root/lab/want-map"
		;;
	/lab/cloud/* | /lab/generic/*)
		flavour=${1#/lab/}
		flavour=${flavour%%/*}
		add_stock "$flavour" "${1##*/}"
		;;
	/lab/guest.cpio) want_guest=yes ;;
	/*)
		if [ -x "$1" ] && [ -f "$1" ]; then
			add_program "$1"
		elif [ -f "$1" ]; then
			add_file "$1"
		fi
		;;
	esac
}

kernel_folder() {
	eval "folder=\${folder_$1:-}"
	if [ -z "$folder" ]; then
		folder=$("$here/fetch.sh" "$1") || exit 70
		eval "folder_$1=\$folder"
	fi
}

# add_stock cloud|generic vmlinuz|vmlinux
add_stock() {
	[ ! -f "$root/lab/$1/$2" ] || return 0
	kernel_folder "$1"
	mkdir -p "$root/lab/$1"
	case $2 in
	vmlinuz) cp "$folder"/boot/vmlinuz-* "$root/lab/$1/vmlinuz" ;;
	vmlinux)
		# Unpacked once, kept beside the kernel.
		[ -f "$folder/boot/vmlinux" ] ||
			"$here/vmlinux.sh" "$folder"/boot/vmlinuz-* \
				"$folder/boot/vmlinux" || exit 70
		cp "$folder/boot/vmlinux" "$root/lab/$1/vmlinux"
		;;
	*) die "no such file: /lab/$1/$2" ;;
	esac
}

# add_module FILE FOLDER: puts a module there, unpacked.
add_module() {
	name=${1##*/}
	mkdir -p "$2"
	case $name in
	*.xz) xz -dc "$1" >"$2/${name%.xz}" ;;
	*.zst) zstd -dcq "$1" >"$2/${name%.zst}" ;;
	*) cp "$1" "$2/$name" ;;
	esac
}

# add_modules KERNEL ROOT NAME...: puts these modules of an unpacked kernel, and
# what they need, into ROOT for modprobe. Those that the kernel has not are left
# out.
add_modules() {
	tree=$(echo "$1"/lib/modules/*)
	to=$2/lib/modules/${tree##*/}
	shift 2
	mkdir -p "$to"
	for name; do
		# A line of modules.dep: FILE: FILE..., what it needs.
		grep "/$name\.ko" "$tree/modules.dep" || :
	done | tr -d : | tr ' ' '\n' | sort -u | while read -r file; do
		add_module "$tree/$file" "$to/${file%/*}"
	done
	busybox depmod -b "${to%/lib/modules/*}" "${to##*/}"
}

# add_socket FOLDER: lab-socket, where it can be made, for guests and for L1.
add_socket() {
	mkdir -p "$1"
	[ -f "$tmp/lab-socket" ] ||
		"${CC:-cc}" -O1 -static -o "$tmp/lab-socket" "$here/socket.c" \
			2>/dev/null || return 0
	cp "$tmp/lab-socket" "$1/"
}

# What a guest may want to load.
guest_modules='pvpanic-mmio pvpanic-pci virtio_mmio virtio_pci virtio-rng virtio_blk
	virtio_net virtio_console virtio_balloon virtio_pmem nd_pmem
	9pnet_virtio 9p vmw_vsock_virtio_transport af_packet overlay ext4
	squashfs crc32c_generic crc32c-intel'

# The guest's initramfs, with what trapmap.modules= may name for the kernels
# that have been asked for.
add_guest() {
	mkdir "$tmp/guest"
	for path in "${folder_cloud:-}" "${folder_generic:-}"; do
		# shellcheck disable=SC2086 # one word a module
		[ -z "$path" ] || add_modules "$path" "$tmp/guest" $guest_modules
	done
	add_socket "$tmp/guest/bin"
	"$here/mkinitramfs.sh" -a "$tmp/guest" "$root/lab/guest.cpio"
}

quote() {
	printf "'%s' " "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

# The jobs, and the files that they name.
want_guest=
if [ -n "$jobs" ]; then
	limit=${limit:-600}
	cp "$jobs" "$root/lab/jobs"
	for word in $(tr "='\",;()|&" ' ' <"$jobs"); do
		add_word "$word"
	done
else
	limit=${limit:-120}
	line="cd $(quote "$PWD")2>/dev/null; exec"
	mkdir -p "$root$PWD"
	for arg; do
		add_word "$arg"
		case $arg in
		/*) ;;
		*) [ ! -f "$arg" ] || add_word "$PWD/$arg" ;;
		esac
		line="$line $(quote "$arg")"
	done
	echo "run $limit $line" >"$root/lab/jobs"
fi
[ -z "$folder_added" ] || {
	mkdir -p "$root$folder_added"
	cp -RL "$folder_added/." "$root$folder_added/"
}
[ -z "$want_guest" ] || add_guest
add_socket "$root/bin"

if [ -x "$trapmap" ]; then
	trapmap=$(cd "$(dirname "$trapmap")" && pwd)/$(basename "$trapmap")
	add_program "$trapmap"
	add_loaded
	ln -s "$trapmap" "$root/bin/trapmap"
else
	case " $* $(cat "$root/lab/jobs")" in
	*[\ /]trapmap\ *) die "no program at $trapmap (--trapmap FILE)" ;;
	esac
fi

# What "trapmap exec" looks for in L1.
if grep -q 'trapmap exec' "$root/lab/jobs"; then
	for path in "${folder_cloud:-}" "${folder_generic:-}"; do
		# shellcheck disable=SC2086 # one word a module
		[ -z "$path" ] || add_modules "$path" "$root" $guest_modules
		[ -z "$path" ] || cp "$path"/lib/modules/*/modules.builtin \
			"$root"/lib/modules/"$(basename "$path"/lib/modules/*)"/
	done
fi

# KVM's own modules, of the kernel that L1 runs, and those that a job may want to
# modprobe there.
kernel_folder cloud
add_modules "$folder" "$root" tun vhost_net vhost_vsock virtio_pci virtio_blk brd
[ -z "$kvm_args" ] || echo "$kvm_args" >"$root/lab/kvm-amd.args"
for module in irqbypass kvm kvm-amd; do
	path=$(find "$folder" -name "$module.ko*" | head -n 1)
	[ -n "$path" ] || die "$folder has no module $module"
	add_module "$path" "$root/lab/modules"
done

# Serial ports: L1's console and the results; for one command also two on PCI
# (so that no two share an ISA interrupt) for its stdout and its stderr.
set -- -serial chardev:console -serial chardev:results
if [ -z "$jobs" ]; then
	tty=
	[ ! -t 0 ] || tty='tty'
	echo "/dev/ttyS2 /dev/ttyS3 $tty" >"$root/lab/live"
	: >"$tmp/err"
	set -- "$@" -chardev stdio,id=out,signal=off \
		-chardev "file,id=err,path=$tmp/err" \
		-device pci-serial-2x,chardev1=out,chardev2=err
fi
if [ "$steady" = yes ]; then
	cpus=1
	set -- "$@" -accel tcg,thread=single -icount shift=0,sleep=off
else
	set -- "$@" -accel tcg,thread=multi
fi
[ -z "$disk" ] || set -- "$@" -device virtio-blk-pci,drive=disk \
	-drive "file=$disk,format=raw,if=none,id=disk,file.locking=on"
"$here/mkinitramfs.sh" -i "$here/l1-init" -a "$root" "$tmp/l1.cpio"

run_qemu() {
	# Linux distrusts this processor's TSC, but QEMU's is one for all CPUs.
	# Its timer's test fails now and then on a busy host.
	# Not moved (KASLR), L1 knows the addresses of a System.map.
	# QEMU's own words, and the time-out's, are kept for when L1 fails.
	exec timeout --foreground -k 5 "$limit" qemu-system-x86_64 \
		-nodefaults -no-user-config -no-reboot -display none \
		-cpu max -smp "$cpus" -m "$mem" \
		-chardev "file,id=console,path=$tmp/l1-console" \
		-chardev "file,id=results,path=$tmp/results.tar" \
		-kernel "$folder"/boot/vmlinuz-* -initrd "$tmp/l1.cpio" \
		-append 'console=ttyS0 quiet cryptomgr.notests panic=-1 reboot=t tsc=reliable no_timer_check nokaslr' \
		"$@" 2>"$tmp/qemu-log"
}

# Ends QEMU when no job has come to its end for longer than any may take: L1 has been
# seen to hang as a whole, its own time-outs included.
watch_qemu() {
	longest=$(cut -d' ' -f2 "$jobs" | sort -n | tail -n 1)
	size=
	still=0
	while kill -0 "$qemu_pid" 2>/dev/null; do
		sleep 1
		now=$(stat -c %s "$tmp/results.tar" 2>/dev/null || echo 0)
		[ "$now" = "$size" ] || still=0
		size=$now
		still=$((still + 1))
		[ $still -lt $((longest + 60)) ] || {
			echo "lab-amd: no job's end for $still s" >&2
			kill "$qemu_pid" 2>/dev/null || :
			return
		}
	done
}

qemu_status=0
if [ -n "$jobs" ]; then
	run_qemu "$@" </dev/null &
	qemu_pid=$!
	watch_qemu
	wait "$qemu_pid" || qemu_status=$?
	qemu_pid=
else
	tail -s 0.1 -f -n +1 "$tmp/err" >&2 &
	tail_pid=$!
	(run_qemu "$@") || qemu_status=$?
	# Let tail, which looks ten times a second, see the last of it.
	sleep 0.3
fi
rm -f "$tmp/l1.cpio"

# One archive a job: with -i tar reads on behind the end of the first.
tar -x -i -f "$tmp/results.tar" -C "$tmp/results" 2>/dev/null || :
if [ -n "$results" ]; then
	mkdir -p "$results"
	cp -R "$tmp/results/." "$results/"
	tr -d '\r' <"$tmp/l1-console" >"$results/l1-console"
fi
if [ -n "$keep" ]; then
	mkdir -p "$keep"
	cp -R "$tmp/results" "$tmp/l1-console" "$tmp/qemu-log" "$keep/"
fi

if [ ! -f "$tmp/results/finished" ]; then
	{
		if [ "$qemu_status" = 124 ]; then
			echo "lab-amd: no end within $limit s; L1's last words:"
		else
			echo "lab-amd: L1 ended early (QEMU's status:" \
				"$qemu_status); its last words:"
		fi
		tr -d '\r' <"$tmp/l1-console" 2>/dev/null | tail -n 20
		tail -n 5 "$tmp/qemu-log"
	} >&2
	exit 70
fi
[ -z "$jobs" ] || exit 0
exit "$(cat "$tmp/results/run/status")"
