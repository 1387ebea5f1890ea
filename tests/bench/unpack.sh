#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unpack.sh TRAPMAP: how long Debian's kernels take from the start of trapmap to their
# init, as a bzImage that unpacks itself in the guest and with --boot=unpack, in lab-amd
# with a clock that counts instructions (--steady), as a table on stdout. Its cloud
# kernel is packed with lz4, the generic one with xz. docs/benchmarks.md says what it
# means.
set -eu

trapmap=${1:?usage: unpack.sh TRAPMAP}
lab=$(dirname "$0")/../lab/lab-amd.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for kernel in cloud generic; do
	for boot in linux64 unpack; do
		echo "$kernel-$boot 300 trapmap run /lab/$kernel/vmlinuz" \
			"--boot=$boot -i /lab/guest.cpio -m 256" \
			"-p 'console=ttyS0 quiet' --stats"
	done
done >"$dir/jobs"
"$lab" --steady yes --trapmap "$trapmap" --timeout 560 --jobs "$dir/jobs" \
	--results "$dir/results" >&2

# To init: all of it but what came after, which both have.
echo "| kernel | start | run, s | ratio | up for, s | exits |"
echo "|---|---|---:|---:|---:|---:|"
while read -r name _; do
	out=$dir/results/$name
	up=$(tr -d '\r' <"$out/stdout" | sed -n 's/^up for *: \(.*\) s$/\1/p')
	exits=$(awk '$1 == "IO" || $1 == "MMIO" { n += $2 } END { print n }' \
		"$out/stderr")
	seconds=$(cat "$out/seconds")
	case $name in
	*-linux64) first=$seconds ;;
	esac
	ratio=$(awk "BEGIN { printf \"%.3f\", $seconds / $first }")
	echo "| ${name%-*} | ${name#*-} | $seconds | $ratio |" \
		"${up:-failed} | $exits |"
done <"$dir/jobs"
