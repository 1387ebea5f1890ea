#!/bin/sh
# SPDX-License-Identifier: MIT
#
# growth.sh BUILD-FOLDER [MIB...]: what more guest memory costs, from 64 MiB to 1 TiB:
# the time of a whole run of a guest that ends at once, and resident memory, as a table on stdout. What KVM refuses is said. ROUNDS (5) starts each.
# docs/benchmarks.md says what it means.

bench=$1/tests/bench
trapmap=$1/vmm/cli/trapmap
here=$(dirname "$0")
shift
[ $# -gt 0 ] || set -- 64 512 4096 32768 262144 1048576

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$bench/raw_kvm" -d start >"$dir/start.bin"
"$bench/raw_kvm" -d idle >"$dir/idle.bin"

ms()
{
	date +%s%N | sed 's/......$//'
}

# The median of what is on stdin, a number a line.
median()
{
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# measure FILE COMMAND...: the milliseconds of each round; the guest ends with 33.
measure()
{
	file=$1
	shift
	: >"$file"
	n=0
	while [ $n -lt "${ROUNDS:-5}" ]; do
		begin=$(ms)
		timeout 60 "$@" >"$dir/out" 2>"$dir/err"
		[ $? = 33 ] || return 1
		echo $(($(ms) - begin)) >>"$file"
		n=$((n + 1))
	done
}

echo "| guest memory | trapmap run, ms | raw KVM, ms | difference |" \
	"resident, KiB | beside the guest's own |"
echo "|---|---:|---:|---:|---:|---:|"
for mib in "$@"; do
	if ! measure "$dir/ours" "$trapmap" run -q -m "$mib" "$dir/start.bin"; then
		echo "| $mib MiB | $(tail -n 1 "$dir/err") | | | | |"
		continue
	fi
	ours=$(median <"$dir/ours")
	measure "$dir/raw" "$bench/raw_kvm" -i -m "$mib"
	raw=$(median <"$dir/raw")
	resident=$("$here/memory.sh" "$trapmap" "$dir/idle.bin" "$mib" |
		awk 'NR == 2 { print $3, $5 }')
	echo "| $mib MiB | $ours | ${raw:-failed} |" \
		"${raw:+$((ours - raw))} | ${resident% *} | ${resident#* } |"
done
