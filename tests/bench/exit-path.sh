#!/bin/sh
# SPDX-License-Identifier: MIT
#
# exit-path.sh EXIT_PATH [CASE...]: instructions of one exit in the monitor, by
# callgrind; see exit_path.c. With CASES, and KEEP set to a folder, the profiles
# stay there for callgrind_annotate.

exit_path=$1
shift
[ $# -gt 0 ] || set -- none out-80 out-70 in-71 out-com2 in-com2-lsr \
	in-pm-timer in-unclaimed mmio-read mmio-write

if ! command -v valgrind >/dev/null; then
	echo "SKIPPED: valgrind is not installed"
	exit 77
fi
dir=${KEEP:-$(mktemp -d)} || exit 1
[ -n "$KEEP" ] || trap 'rm -rf "$dir"' EXIT

# Instructions of the whole program.
count()
{
	valgrind -q --tool=callgrind --toggle-collect=exit_handle \
		--callgrind-out-file="$dir/$1.$2" \
		"$exit_path" "$1" "$2" >"$dir/log" 2>&1 ||
		{ cat "$dir/log" >&2; exit 1; }
	awk '/^(summary|totals):/ { n = $2 } END { print n }' "$dir/$1.$2"
}

echo "  one exit in the monitor          instructions"
for case in "$@"; do
	few=$(count "$case" 1000) || exit 1
	many=$(count "$case" 11000) || exit 1
	awk -v name="$case" -v n=$((many - few)) \
		'BEGIN { printf "  %-30s %14.1f\n", name, n / 10000 }'
done
