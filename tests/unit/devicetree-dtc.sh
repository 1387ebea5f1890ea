#!/bin/sh
# SPDX-License-Identifier: MIT
# The devicetree goes through dtc, whose checks must find nothing to say.
#
# usage: devicetree-dtc.sh TEST-DEVICETREE
set -eu

if ! command -v dtc >/dev/null; then
	echo "skipped: dtc is not installed (Debian: device-tree-compiler)"
	exit 77
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Those that dtc does not make by itself, too.
more='-W node_name_chars_strict -W property_name_chars_strict
	-W unique_unit_address_if_enabled -W interrupt_provider'

for machine in '1 mmio' '8 mmio' '300 mmio' '2 pci' '1 four' '3 pieces' '1 bare'; do
	# shellcheck disable=SC2086 # two words
	"$1" dump "$dir/dtb" $machine
	# shellcheck disable=SC2086 # words
	dtc $more -I dtb -O dts -o "$dir/dts" "$dir/dtb" 2>"$dir/log"
	if [ -s "$dir/log" ]; then
		echo "FAIL: dtc complains about $machine:"
		cat "$dir/log"
		exit 1
	fi
	# And back: the source says all that the blob does.
	dtc -I dts -O dtb -o "$dir/again" "$dir/dts" 2>"$dir/log"
	dtc -I dtb -O dts "$dir/again" 2>>"$dir/log" | cmp - "$dir/dts"
done
echo "7 devicetrees read without a warning"
