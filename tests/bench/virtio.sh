#!/bin/sh
# SPDX-License-Identifier: MIT
#
# virtio.sh BUILD-FOLDER: disks, networks, consoles and boots of a stock kernel
# beside QEMU's, in lab-amd. From the environment:
#
#	ROUNDS        how often each machine runs, by turns (3)
#	BOOTS         and how often it boots to init (6), with 0 not at all
#	SECONDS_EACH  how long a figure is taken (2)
#	MACHINES      qemu-pc, qemu-q35, qemu-microvm, qemu-qboot, trapmap-pci,
#	              trapmap-mmio; the first is what the others are compared with
#	WORK          of disk, user, tap, console, uart, with commas between
#	EACH, LIMIT   seconds after which a machine is ended (150), and all of it
#	KEEP          a folder for the jobs' own output

build=$1
here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../lab
rounds=${ROUNDS:-3}
boots=${BOOTS:-6}
machines=${MACHINES:-qemu-pc trapmap-pci qemu-microvm trapmap-mmio}

skip()
{
	echo "  SKIPPED: virtio: $*"
	exit 0
}

command -v qemu-system-x86_64 >/dev/null || skip "QEMU is not installed"
ip=$(PATH=$PATH:/usr/sbin:/sbin command -v ip) || skip "ip (iproute2) is not installed"
mkfs=$(PATH=$PATH:/usr/sbin:/sbin command -v mkfs.ext4) ||
	skip "mkfs.ext4 (e2fsprogs) is not installed"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# What L1 gets, and in it what its guests get.
mkdir -p "$dir/l1" "$dir/guest/bin" "$dir/root/dev"
for to in l1 guest/bin root; do
	cp "$build/tests/bench/load" "$dir/$to/" ||
		skip "no static program can be made here"
done
cp "$here/virtio-l1.sh" "$dir/l1/"
"$lab/mkinitramfs.sh" -i "$here/virtio-guest" -a "$dir/guest" "$dir/l1/guest.cpio" ||
	exit 1
truncate -s 64M "$dir/l1/root.ext4"
"$mkfs" -q -d "$dir/root" "$dir/l1/root.ext4" || exit 1
cp "$build/tests/bench/bench" "$dir/l1/"

# All words that are files come along, with what they need.
roms=
for rom in /usr/share/seabios/bios-256k.bin /usr/share/seabios/bios-microvm.bin \
	/usr/share/qemu/bios-microvm.bin /usr/share/qemu/qboot.rom \
	/usr/share/qemu/linuxboot_dma.bin /usr/share/qemu/kvmvapic.bin; do
	[ ! -f "$rom" ] || roms="$roms $rom"
done
{
	l1="WORK=${WORK:-} EACH=${EACH:-150} SECONDS_EACH=${SECONDS_EACH:-2}"
	l1="$l1 sh $dir/l1/virtio-l1.sh"
	# shellcheck disable=SC2086 # words
	echo setup 60 $l1 setup "$ip" '#' /lab/cloud/vmlinuz /lab/guest.cpio \
		"$dir/l1/bench" /usr/bin/qemu-system-x86_64 $roms
	round=1
	while [ $round -le "$rounds" ]; do
		echo "r$round-host 60 $l1 host $round"
		for name in $machines; do
			echo "r$round-$name 400 $l1 guest $round $name"
		done
		round=$((round + 1))
	done
	[ "$boots" = 0 ] || echo "boot 900 $l1 boot $boots $machines"
} >"$dir/jobs"
"$lab/lab-amd.sh" --trapmap "$build/vmm/cli/trapmap" --cpus 2 --mem 3072 \
	--timeout "${LIMIT:-3000}" --add "$dir/l1" --jobs "$dir/jobs" \
	--results "$dir/results"
[ -z "${KEEP:-}" ] || cp -R "$dir/results" "$KEEP"
cat "$dir"/results/*/stderr >&2

set --
all=$(echo "$machines" | tr ' ' ,)
for cpus in 1 2; do
	for depth in 1 32; do
		for how in rand seq; do
			name=random
			[ $how = rand ] || name=in\ order
			set -- "$@" disk-$how-$depth-$cpus \
				"$name, depth $depth, $cpus vCPU" reads/s "$all,host"
		done
	done
done
for net in user tap; do
	set -- "$@" $net-send "$net, to the host" MiB/s "$all" \
		$net-recv "$net, to the guest" MiB/s "$all" \
		$net-ping "$net, a byte and back" 1/s "$all"
done
set -- "$@" console "hvc0, 1 MiB" KiB/s "$all" port "a port, 10 MiB" KiB/s "$all" \
	uart "UART, 32 KiB" KiB/s "$all"
cat "$dir"/results/r*/stdout | "$build/tests/bench/rows" "$@"
[ "$boots" = 0 ] || cat "$dir/results/boot/stdout"
