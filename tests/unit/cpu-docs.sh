#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of docs/cpu.md is what the data of the baselines says.
#
# usage: cpu-docs.sh TEST-CPU-MODELS CPU.MD
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" table >"$dir/made"
sed '1,/^<!-- begin: test-cpu-models table -->$/d; /^<!-- end -->$/,$d' "$2" >"$dir/there"
diff -u "$dir/there" "$dir/made" && exit
echo "docs/cpu.md: the lines from 'begin' to 'end' are to be what '$1 table' prints"
exit 1
