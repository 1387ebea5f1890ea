#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-unpack.sh TRAPMAP GUEST: a tiny guest, packed by each tool there is, runs; what
# is cut off, spoilt or followed by something else is refused in one line.
#
# Exit status 0: all as expected; 1: not; 77: no /dev/kvm.

guest=$(realpath "$2") || exit 2
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

if ! kvm_is_here; then
	echo "SKIPPED: /dev/kvm cannot be opened for reading and writing"
	exit 77
fi

run() {
	capture run "$@"
}

# packed NAME COMMAND...: the guest by that tool, and the file NAME.
packed() {
	name=$1
	shift
	if ! command -v "$1" >/dev/null 2>&1; then
		echo "  SKIPPED: $name: $1 is not installed"
		return 1
	fi
	"$@" <"$guest" >"$name" 2>/dev/null || {
		fail "$name: $* failed"
		return 1
	}
	# A build without the library says so, and names what to build it with.
	run "$name" -p acpi
	# shellcheck disable=SC2154 # capture() sets it
	case $err in
	*"was built without"*)
		echo "  SKIPPED: $name: $err"
		return 1
		;;
	esac
}

each() {
	name=$1
	packed "$@" || return
	set -- "$name"
	head -c "$(($(wc -c <"$1") - 5))" "$1" >shorter
	refuses "data goes on here" shorter
	cp "$1" longer
	echo "and what else" >>longer
	refuses "at offset " longer
	run "$1" -p acpi
	is "$1: status" "$status" 0
	has "$1" "$err" "powered off"
	# shellcheck disable=SC2002 # a pipe is what is meant
	status=$(cat "$1" | {
		run /dev/stdin -p acpi
		echo "$status"
	})
	is "$1 through a pipe" "$status" 0
}

each hello.gz gzip -9c
each hello.xz xz --check=crc32 -c
each hello.lzma xz --format=lzma -c
each hello.zst zstd -19 -qc
each hello.lz4 lz4 -9qc

# A legacy frame has no end of its own; kernels are packed so.
packed hello.lz4l lz4 -l -9qc && {
	head -c 100 hello.lz4l >shorter
	refuses "data goes on here" shorter
	run hello.lz4l -p acpi
	is "hello.lz4l: status" "$status" 0
}

# A gigabyte and more of zeroes.
if command -v zstd >/dev/null 2>&1; then
	head -c 1200000000 /dev/zero | zstd -qc >bomb
	refuses "more than 1073741824 bytes" bomb
fi
gzip -c "$guest" | gzip -c >twice
refuses "gzip-compressed data; unpack it first" twice
refuses "unpack was asked for: that takes a bzImage" --boot=unpack "$guest"
finish 0
