#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh BUILD-FOLDER [start|exit|recorder|path|memory|growth|disk|virtio...]: the
# benchmarks, all but growth and virtio without a name, as tables on stdout.
# docs/benchmarks.md says what they mean. ROUNDS is how often each start is measured (50), and other things a
# fifth as often.

build=$1
bench=$build/tests/bench
trapmap=$build/vmm/cli/trapmap
here=$(dirname "$0")
shift
[ $# -gt 0 ] || set -- start exit recorder path memory disk

if [ ! -x "$bench/bench" ]; then
	echo "usage: $0 BUILD-FOLDER [start|exit|recorder|path|memory|growth|disk|virtio...]" >&2
	exit 2
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$bench/raw_kvm" -d start >"$dir/start.bin"
"$bench/raw_kvm" -d idle >"$dir/idle.bin"

by_turns()
{
	"$bench/bench" -r "${ROUNDS:-50}" "$@"
}

# QEMU enters its firmware 16 bytes below the end, where guest_start fits.
qemu()
{
	head -c 65520 /dev/zero >"$dir/bios"
	cat "$dir/start.bin" >>"$dir/bios"
	truncate -s 65536 "$dir/bios"
	echo qemu-system-x86_64 -M microvm,accel=kvm -m 64 -nodefaults \
		-no-user-config -display none -bios "$dir/bios" \
		-chardev stdio,id=out \
		-device isa-debugcon,iobase=0xea,chardev=out \
		-device isa-debug-exit,iobase=0xf4
}

start()
{
	echo "Start"
	qemu=$(qemu)
	why=
	if command -v qemu-system-x86_64 >/dev/null; then
		# shellcheck disable=SC2086 # words
		timeout 20 $qemu </dev/null >"$dir/out" 2>&1
		[ $? -eq 33 ] ||
			why="it does not run the guest: $(tail -n 1 "$dir/out")"
	else
		why="it is not installed"
	fi
	set -- "raw KVM" "$bench/raw_kvm" \
		"raw KVM, irqchip" "$bench/raw_kvm -i" \
		"libtrapmap" "$bench/start" \
		"trapmap run" "$trapmap run $dir/start.bin"
	if [ -n "$why" ]; then
		echo "  SKIPPED: qemu -M microvm: $why"
	else
		set -- "$@" "qemu -M microvm" "$qemu"
	fi
	by_turns "$@"
	echo
	echo "Start, by -m (MiB)"
	by_turns "raw KVM -m 64" "$bench/raw_kvm" \
		"raw KVM -m 8192" "$bench/raw_kvm -m 8192" \
		"libtrapmap -m 1" "$bench/start -m 1" \
		"libtrapmap -m 64" "$bench/start -m 64" \
		"libtrapmap -m 8192" "$bench/start -m 8192"
}

# Reads of 4 KiB by a tiny guest, beside those of a program of this host.
disk()
{
	count=$((${ROUNDS:-50} / 5 + 1))
	if [ ! -x "$bench/load" ]; then
		echo "  SKIPPED: disk: no static C library"
		return
	fi
	dd if=/dev/zero of="$dir/disk" bs=1M count=64 2>/dev/null
	modes=cached
	! dd if="$dir/disk" of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null ||
		modes="cached direct"
	for round in $(seq "$count"); do
		for mode in $modes; do
			for depth in 1 32; do
				# shellcheck disable=SC2046 # a word or none
				echo "$mode-$depth $round host $("$bench/load" disk \
					"$dir/disk" rand $depth 1 0.3 \
					$(echo "$mode" | grep cached))"
				# shellcheck disable=SC2046
				echo "$mode-$depth $round trapmap $("$trapmap" run \
					"$bench/disk.elf" -q -p "$depth 3200" \
					--timeout 30 -d "$dir/disk,format=raw$(
						[ "$mode" = cached ] || echo ,direct)")"
			done
		done
	done >"$dir/figures"
	set --
	for mode in $modes; do
		for depth in 1 32; do
			set -- "$@" "$mode-$depth" \
				"$mode, depth $depth" "reads/s" host,trapmap
		done
	done
	"$bench/rows" "$@" <"$dir/figures"
}

if ! { [ -c /dev/kvm ] && (exec 3<>/dev/kvm) 2>/dev/null; }; then
	echo "SKIPPED: start, exit, memory, disk: /dev/kvm cannot be opened"
	case " $* " in
	*" virtio "*) set -- recorder path virtio ;;
	*) set -- recorder path ;;
	esac
fi
for what in "$@"; do
	case $what in
	start) start ;;
	exit)
		echo "One exit"
		for access in out:0x80 out:0x70 in:0x71; do
			"$bench/exits" "$access"
		done
		;;
	recorder)
		echo "The flight recorder"
		"$bench/recorder"
		;;
	path)
		echo "The monitor's part of an exit"
		"$here/exit-path.sh" "$bench/exit_path"
		;;
	memory)
		echo "Memory"
		"$here/memory.sh" "$trapmap" "$dir/idle.bin"
		;;
	growth)
		echo "Growth"
		"$here/growth.sh" "$build"
		;;
	disk)
		echo "Reads by a tiny guest"
		disk
		;;
	virtio)
		echo "Virtio, in lab-amd"
		"$here/virtio.sh" "$build"
		;;
	*) echo "$0: no benchmark '$what'" >&2; exit 2 ;;
	esac
	echo
done
