# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# judge.sh: what the suites say of a job, by its folder in $results, where the lab
# puts what it printed and left. Sourced, never run; uses $top, $work and, of rounds.sh,
# $host and $clock. What is a boot format's result is recorded (record.sh), too.

# shellcheck source=tests/lab/record.sh
. "$top/tests/lab/record.sh"
host=

number=0
passed=0
failed=0
skipped=0

skip_all() {
	[ -z "$host" ] || record "$host" '*' '*' '*' skipped "$1"
	echo "1..0 # SKIP $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
}

# skip_one DESCRIPTION REASON
skip_one() {
	number=$((number + 1))
	skipped=$((skipped + 1))
	echo "ok $number - $1 # SKIP $2"
}

# The end of it all.
totals() {
	echo "1..$number"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] || exit 1
}

# verdict TRUTH DESCRIPTION [DETAIL]: one TAP line; TRUTH is 0 for good.
verdict() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $number - $2"
	else
		failed=$((failed + 1))
		echo "not ok $number - $2"
		[ -z "${3:-}" ] || echo "# $3"
		broken=$2
	fi
}

# is GOT WANTED DESCRIPTION
is() {
	if [ "$1" = "$2" ]; then
		verdict 0 "$3"
	else
		verdict 1 "$3" "wanted '$2', got '$1'"
	fi
}

# has REGEX FILE DESCRIPTION: a line of the file matches.
has() {
	grep -Eq -e "$1" "$2" 2>/dev/null && truth=0 || truth=1
	verdict "$truth" "$3" "no line of ${2##*/} matches: $1"
}

# left FILE: what the job in $out left there, in one line.
left() {
	tr -s '\r\n' ' ' <"$out/$1" 2>/dev/null | sed 's/ $//'
}

# field NAME: what the guest of the job in $out printed after "NAME :".
field() {
	sed -n "s/^$1 *: //p" "$out/console" | head -n 1
}

# The last lines of a job, as TAP comments.
show() {
	for file in console stdout stderr; do
		[ -s "$out/$file" ] || continue
		# What judge() made of it.
		[ $file = stdout ] && [ -f "$out/console" ] && continue
		echo "# ---- $file of ${out##*/}, its end:"
		tail -n 30 "$out/$file" | sed 's/^/# /'
	done
}

# judge NAME CPUS MIB STATUS FORMAT: a boot, by its guest's own words.
judge() {
	out=$results/$1 cpus=$2 mib=$3 status=$4
	broken=
	if [ ! -f "$out/status" ]; then
		verdict 1 "$1: was run" "the lab ended before it"
		record "$host" "$5" stock "$1" failed "the lab ended before it"
		return
	fi
	tr -d '\r' <"$out/stdout" >"$out/console"
	is "$(cat "$out/status")" "$status" \
		"$1: exit status $status ($(cat "$out/seconds") s)"
	is "$(field CPUs)" "$cpus" "$1: the guest counts $cpus CPUs"
	is "$(field 'clock source')" "$clock" "$1: it runs on $clock"

	# QEMU's microvm and q35 have none either.
	is "$(field 'ACPI warnings')" none "$1: ACPI has nothing to complain of"

	# A kernel keeps some for itself: at most a tenth and 40 MiB.
	memory=$(field memory)
	memory=${memory% MiB}
	if [ "${memory:-0}" -le "$mib" ] &&
		[ "${memory:-0}" -ge $((mib - mib / 10 - 40)) ]; then
		verdict 0 "$1: it finds its $mib MiB"
	else
		verdict 1 "$1: it finds its $mib MiB" "it found '$memory'"
	fi

	# The outer machine's clock is set from the host's; the guest read the
	# RTC while the job ran.
	rtc=$(date -u -d "$(field 'RTC time') UTC" +%s 2>/dev/null || echo 0)
	late=$((rtc - $(cat "$out/began")))
	if [ "$late" -ge -1 ] && [ "$late" -le 60 ]; then
		verdict 0 "$1: its RTC has the host's time"
	else
		verdict 1 "$1: its RTC has the host's time" \
			"it says '$(field 'RTC time')', $late s after the start"
	fi
	if [ -n "$broken" ]; then
		record "$host" "$5" stock "$1" failed "$broken"
		show
	else
		record "$host" "$5" stock "$1" passed
	fi
}

# ended NAME STATUS: sets $out, too; its last lines are shown if it ended otherwise.
ended() {
	out=$results/$1
	broken=
	is "$(cat "$out/status" 2>/dev/null)" "$2" \
		"$1: exit status $2 ($(cat "$out/seconds" 2>/dev/null) s)"
	[ -z "$broken" ] || show
}

# told NAME DESCRIPTION REGEX...: stderr has a line for each.
told() {
	out=$results/$1 what="$1: $2"
	shift 2
	for regex; do
		if ! grep -Eq -e "$regex" "$out/stderr" 2>/dev/null; then
			verdict 1 "$what" "no line of stderr matches: $regex"
			return
		fi
	done
	verdict 0 "$what"
}

# reported NAME DESCRIPTION: the job's report.json bears out each claim on stdin,
# see report.py.
reported() {
	claims=$(python3 "$top/tests/guests/report.py" \
		"$results/$1/report.json" 2>&1) && truth=0 || truth=1
	verdict "$truth" "$1: $2" "$(echo "$claims" | head -n 8 | tr '\n' ' ')"
}

# symbols_offset NAME: how far the report says that the kernel has moved.
symbols_offset() {
	sed -n 's/^ *"offset": "\(0x[0-9a-f]*\)".*/\1/p' \
		"$results/$1/report.json" 2>/dev/null
}

# Each report is as its schema says.
follow_schema() {
	set -- "$results"/*/report.json
	[ -f "$1" ] || return 0
	for python in python3 /usr/bin/python3; do
		"$python" -c 'import jsonschema' 2>/dev/null || continue
		"$python" "$top/tests/unit/report-schema.py" \
			"$top/docs/report.schema.json" "$@" \
			>"$work/schema" 2>&1 && truth=0 || truth=1
		verdict "$truth" "reports: as docs/report.schema.json has it" \
			"$(head -n 3 "$work/schema" | tr '\n' ' ')"
		return
	done
}
