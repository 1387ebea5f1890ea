#!/bin/sh
# SPDX-License-Identifier: MIT
#
# modes.sh: suite.sh on several hosts, two at a time, as an emulator of one processor
# leaves the others idle. Output is TAP with a totals line, one after the other. Exit
# status as suite.sh's: 77 only if all were skipped.
#
#	modes.sh [--trapmap FILE] [--keep FOLDER] HOST...
set -u

here=$(cd "$(dirname "$0")" && pwd)
trapmap=
keep=
hosts=
while [ $# -gt 0 ]; do
	case $1 in
	--trapmap) trapmap=$2 ;;
	--keep) keep=$2 ;;
	-*)
		echo "usage: modes.sh [--trapmap FILE] [--keep FOLDER] HOST..." >&2
		exit 2
		;;
	*)
		hosts="$hosts $1"
		shift
		continue
		;;
	esac
	shift 2
done
# shellcheck disable=SC2086 # a word a host
set -- $hosts

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

one() {
	set -- "$1" "$work/$1"
	"$here/suite.sh" --host "$1" ${trapmap:+--trapmap "$trapmap"} \
		${keep:+--keep "$keep"} >"$2.tap" 2>&1 </dev/null
	echo $? >"$2.status"
}

# One that takes another's place as soon as that has ended.
two_at_a_time() {
	for host; do
		mkdir "$work/$host.taken" 2>/dev/null && one "$host"
	done
}
two_at_a_time "$@" &
two_at_a_time "$@"
wait

passed=0
failed=0
skipped=0
ran=
for host; do
	cat "$work/$host.tap"
	status=$(cat "$work/$host.status")
	[ "$status" = 77 ] || ran=yes
	# shellcheck disable=SC2046 # three words
	set -- $(tail -n 1 "$work/$host.tap" |
		sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
	if [ $# != 3 ]; then
		echo "not ok - $host: the suite ended early, with status $status"
		set -- 0 1 0
	fi
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] || exit 1
[ -n "$ran" ] || exit 77
