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
}

# stock PROTOCOL IMAGE: a boot, or a note that there is none. Bochs needs half a minute
# for one.
stock() {
	name=stock-$1
	[ "${2##*/}" = vmlinuz ] || name=stock-elf-$1
	more="--boot=$1"
	case $host-$name in
	intel-ept0-stock-linux32 | intel-*-stock-unpack | intel-*-stock-elf-linux64)
		format_of_boot "$2"
		record "$host" "$format" stock "$name" skipped \
			"too slow to boot there, too"
		usual
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
