#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh: from a fresh Debian 12 machine to a stock Debian kernel's userspace
# under Trapmap. Installs the packages it needs (as root, or with sudo), builds
# in build/, fetches Debian's cloud kernel into ~/.cache/trapmap, makes an
# initramfs from busybox, and boots it: on this machine's KVM if that can run a
# stock Linux, else inside an emulated machine with AMD-V. Exit status 0 when
# the guest powered off.
set -eu

cd "$(dirname "$0")"
top=$(pwd)
# shellcheck source=tests/lab/packages.sh
. tests/lab/packages.sh

say() {
	echo "demo: $*"
}

# quietly COMMAND...: its output only matters if it fails.
quietly() {
	if ! "$@" >"$tmp/log" 2>&1 </dev/null; then
		tail -n 25 "$tmp/log" >&2
		echo "demo: failed: $*" >&2
		exit 1
	fi
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM

# shellcheck disable=SC2086,SC2154 # lists of words, from packages.sh
packages_install $packages_build $packages_guest

say "building Trapmap in build/"
[ -f build/build.ninja ] || quietly meson setup build -Dtests=false
quietly ninja -C build
trapmap=$top/build/vmm/cli/trapmap

kernel=$(tests/lab/fetch.sh cloud)
kernel=$(echo "$kernel"/boot/vmlinuz-*)
say "kernel: Debian's ${kernel##*/}, as it is shipped"
tests/lab/mkinitramfs.sh -z "$tmp/guest.cpio.gz"

if why=$("$trapmap" doctor --linux 2>&1 </dev/null); then
	say "booting on this machine's KVM: ${why#yes: }"
	where=
else
	say "not on this machine's own KVM: ${why#no: }"
	say "so booting inside an emulated machine with AMD-V (QEMU)"
	# shellcheck disable=SC2086,SC2154
	packages_install $packages_lab
	where="tests/lab/lab-amd.sh --timeout 150 --keep $tmp/lab --"
fi

set -- "$trapmap" run "$kernel" -i "$tmp/guest.cpio.gz" \
	-p "console=ttyS0 loglevel=3" -m 512 -c 2
say "trapmap run ${kernel##*/} -i guest.cpio.gz -p 'console=ttyS0 loglevel=3'" \
	"-m 512 -c 2"
echo

hundredths() {
	date +%s%N | sed 's/.......$//'
}

begin=$(hundredths)
status=0
$where "$@" </dev/null || status=$?
if [ $status = 70 ] && [ -n "$where" ]; then
	say "the emulated machine hung, which it rarely does; once more"
	status=0
	$where "$@" </dev/null || status=$?
fi
took=$(($(hundredths) - begin))

echo
if [ $status != 0 ]; then
	say "the guest did not power off: trapmap's exit status is $status"
	exit $status
fi
if [ -f "$tmp/lab/results/run/seconds" ]; then
	say "powered off after $(cat "$tmp/lab/results/run/seconds") s" \
		"(in the emulator; $((took / 100)) s with starting that)"
else
	say "powered off after $((took / 100)).$(printf %02d $((took % 100))) s"
fi
