#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs terminal.py with fresh guests. Usage: test-terminal.sh TRAPMAP

if ! { [ -c /dev/kvm ] && sh -c ': <>/dev/kvm' 2>/dev/null; }; then
	echo "skipped: /dev/kvm cannot be opened"
	exit 77
fi
here=$(realpath "$(dirname "$0")")
guests=$(mktemp -d) || exit 1
trap 'rm -rf "$guests"' EXIT
sh "$here/guests.sh" "$guests"
python3 "$here/terminal.py" "$1" "$guests"
