#!/bin/sh
# SPDX-License-Identifier: MIT
#
# here.sh TRAPMAP: records for the table of formats what this host is called there, by
# what "trapmap doctor" says of it, and why no stock kernel is booted on it.
here=$(dirname "$0")
# shellcheck source=tests/lab/record.sh
. "$here/record.sh"
[ -n "${TRAPMAP_RESULTS:-}" ] || exit 0

kind=$("$1" doctor 2>/dev/null | sed -n 's/^Kind *//p')
case $kind in
software*) label='software KVM' ;;
AMD-V* | VT-x*) label="${kind%%[:, ]*}, this host" ;;
*) label='this host, without KVM' ;;
esac
if why=$("$1" doctor --linux 2>&1); then
	why='a host may have any kernel: the labs boot these'
else
	why="$label: ${why#no: }"
fi
record here '*' stock '*' skipped "$why"
echo "{\"host\": \"here\", \"label\": \"$label\"}" >>"$TRAPMAP_RESULTS/here.jsonl"
