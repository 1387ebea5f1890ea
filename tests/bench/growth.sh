#!/bin/sh
# SPDX-License-Identifier: MIT
#
# growth.sh BUILD-FOLDER [MIB...]: what more guest memory costs, from 64 MiB to 1 TiB:
# the time of a whole run of a guest that ends at once, and resident memory, as a table
# on stdout. What KVM refuses is said. ROUNDS (5) starts each. docs/benchmarks.md says
# what it means.

bench=${1:?usage: growth.sh BUILD-FOLDER [MIB...]}/tests/bench
[ -x "$bench/raw_kvm" ] || {
	echo "growth.sh: no $bench/raw_kvm: a build folder is expected" >&2
	exit 2
}
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

# measure FILE COMMAND...: adds a run's milliseconds; the guest ends with 33.
measure()
{
	file=$1
	shift
	begin=$(ms)
	timeout 60 "$@" >"$dir/out" 2>"$dir/err"
	[ $? = 33 ] || return 1
	echo $(($(ms) - begin)) >>"$file"
}

# rounds MIB: in turn, as what one run has to reclaim from the page cache is there for
# the next.
rounds()
{
	rm -f "$dir/ours" "$dir/raw"
	n=0
	while [ $n -lt "${ROUNDS:-5}" ]; do
		measure "$dir/raw" "$bench/raw_kvm" -i -m "$1"
		measure "$dir/ours" "$trapmap" run -q -m "$1" "$dir/start.bin" ||
			return 1
		n=$((n + 1))
	done
}

echo "| guest memory | trapmap run, ms | raw KVM, ms | difference |" \
	"resident, KiB | beside the guest's own |"
echo "|---|---:|---:|---:|---:|---:|"
for mib in "$@"; do
	if ! rounds "$mib"; then
		echo "| $mib MiB | $(tail -n 1 "$dir/err") | | | | |"
		continue
	fi
	ours=$(median <"$dir/ours")
	raw=$([ ! -f "$dir/raw" ] || median <"$dir/raw")
	resident=$("$here/memory.sh" "$trapmap" "$dir/idle.bin" "$mib" |
		awk 'NR == 2 { print $3, $5 }')
	echo "| $mib MiB | $ours | ${raw:-failed} |" \
		"${raw:+$((ours - raw))} | ${resident% *} | ${resident#* } |"
done
