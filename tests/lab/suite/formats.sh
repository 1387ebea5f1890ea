# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# formats.sh: a stock kernel by each of the protocols that it offers. A part of suite.sh.

formats_jobs() {
	for protocol in linux64 linux32 linux16 unpack; do
		stock $protocol /lab/cloud/vmlinuz
	done
	for protocol in linux64 pvh; do
		stock $protocol /lab/cloud/vmlinux
	done
	stock linux64 /lab/cloud/vmlinux.gz
}

# stock PROTOCOL IMAGE: a boot, or a note that there is none: Bochs needs ten seconds for
# one, and what is left out enters the kernel as another does.
stock() {
	case ${2##*/} in
	vmlinux) name=stock-elf-$1 ;;
	vmlinux.*) name=stock-packed-$1 ;;
	*) name=stock-$1 ;;
	esac
	more="--boot=$1"
	case $host-$name in
	intel-*-stock-unpack | intel-*-stock-elf-linux64 | intel*-stock-packed-*)
		format_of_boot "$2"
		usual
		why="left out for time"
		skip_one "$name" "$why"
		record "$host" "$format" stock "$name" skipped "$why"
		;;
	*)
		console='console=ttyS0 quiet cryptomgr.notests'
		boot "$name" "$2" 1 256 0
		;;
	esac
}

# What boot() looks at is all.
formats_checks() {
	:
}
