#!/bin/sh
# SPDX-License-Identifier: MIT
#
# transport.sh TRAPMAP: how long Debian's cloud kernel takes to its init and to all its
# virtio devices, by --transport, in lab-amd with a clock that counts instructions
# (--steady), as a table on stdout. docs/benchmarks.md says what it means.
set -eu

trapmap=${1:?usage: transport.sh TRAPMAP}
lab=$(dirname "$0")/../lab/lab-amd.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# job TRANSPORT MODULE DISKS
job()
{
	files=
	disks=
	for n in $(seq "$3"); do
		files="$files disk$n"
		disks="$disks -d disk$n,serial=disk$n"
	done
	echo "$1-$3 300 truncate -s 16M $files;" \
		"trapmap run /lab/cloud/vmlinuz -i /lab/guest.cpio -m 256" \
		"--transport $1 --stats $disks -p 'console=ttyS0 quiet" \
		"trapmap.modules=$2,virtio-rng,virtio_blk'; rm $files"
}

for count in 1 7; do
	job mmio virtio_mmio $count
	job pci virtio_pci $count
done >"$dir/jobs"
"$lab" --steady yes --trapmap "$trapmap" --timeout 560 --jobs "$dir/jobs" \
	--results "$dir/results" >&2

echo "| boot of Debian's cloud kernel | up for, s | run, s | exits |"
echo "|---|---:|---:|---:|"
while read -r name _; do
	out=$dir/results/$name
	up=$(tr -d '\r' <"$out/stdout" | sed -n 's/^up for *: \(.*\) s$/\1/p')
	exits=$(awk '$1 == "IO" || $1 == "MMIO" { n += $2 } END { print n }' \
		"$out/stderr")
	echo "| $name | ${up:-failed} | $(cat "$out/seconds") | $exits |"
done <"$dir/jobs"
