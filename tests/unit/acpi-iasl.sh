#!/bin/sh
# SPDX-License-Identifier: MIT
# Every ACPI table goes through iasl and back: it must disassemble without a
# complaint, and compile to the same bytes.
#
# usage: acpi-iasl.sh TEST-ACPI
set -eu

if ! command -v iasl >/dev/null; then
	echo "skipped: iasl is not installed (Debian: acpica-tools)"
	exit 77
fi

test_acpi=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "FAIL: $1"
	[ ! -e "$dir/log" ] || cat "$dir/log"
	exit 1
}

# What must be the same: all but checksum, compiler and its revision.
body() {
	head -c 9 "$1"
	tail -c +11 "$1" | head -c 18
	tail -c +37 "$1"
}

check() {
	name=$1
	iasl -d "$name.dat" >log 2>&1 || fail "iasl -d $name"
	grep -Eiq 'error|warning|invalid|unknown' log && fail "iasl -d $name"
	grep -Eiq 'error|warning|invalid' "$name.dsl" && {
		cp "$name.dsl" log
		fail "$name.dsl"
	}
	iasl -p "again-$name" "$name.dsl" >log 2>&1 || fail "iasl $name.dsl"
	grep -q '0 Errors, 0 Warnings, 0 Remarks' log || fail "iasl $name.dsl"
	body "$name.dat" >a
	body "again-$name.aml" >b
	cmp a b >log 2>&1 || fail "$name changes on its way"
}

count=0
for kind in mmio pci board bare; do
	for cpus in 1 2 1024; do
		cd "$dir"
		rm -f ./*
		"$test_acpi" dump "$dir" "$cpus" $kind || fail "no dump"
		for file in *.dat; do
			check "${file%.dat}"
			count=$((count + 1))
		done
		cd /
	done
done
# FACP, FACS, APIC, DSDT, RSDT, XSDT; SPCR but for the bare one; MCFG with PCI.
[ $count = 84 ] || fail "84 tables were expected, there are $count"
echo "$count tables disassemble and compile without a complaint"
