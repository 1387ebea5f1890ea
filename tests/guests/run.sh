#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh TRAPMAP GUEST SOURCE CASE: runs a tiny guest and compares how it ended
# with what the comment at the head of its source says. GUEST may be "-": no
# kernel is given.
#
# A case begins with " * case NAME" and has lines of "KEY: VALUE":
#
#	if:       a shell command; if it fails the case does not apply here
#	options:  for trapmap run, in shell quoting ($dir: a scratch folder)
#	setup:    a shell command to run before
#	stdin:    printf's format of what the guest is sent, once it has printed
#		  something; then, and where there is none, the input ends
#	signal:   sent to trapmap once the guest has printed something
#	status:   the exit status expected
#	out:      a line expected on stdout; such lines come in this order
#	match:    an extended regular expression that a stdout line matches
#	err:      the same for stderr
#	report:   a claim about the JSON report, see report.py
#	check:    a shell command to run afterwards; $dir/out is stdout
#
# A line " * format: NAME" at the head says which boot format the cases are of that
# have no such key themselves; "ELF by linux64" where there is none.
#
# Exit status 0: as expected; 1: not; 77: this host has no usable /dev/kvm.
#
# With $TRAPMAP_RESULTS, a folder, the result is told there, too, see
# tests/lab/record.sh. With $GUEST_KEEP, a folder, the claims about the report are not
# judged but left there with it, for where there is a Python.

trapmap=$1 guest=$2 source=$3 case=$4

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

awk -v want="$case" '
	NR > 1 && /\*\// { exit } # the first is the licence
	/^ \* case / { on = $3 == want; next }
	on && /^ \*\t[a-z]+: / { sub(/^ \*\t/, ""); print }
' "$source" >"$dir/case"

# All values of one key, a line each.
values()
{
	sed -n "s/^$1: *//p" "$dir/case"
}

# told RESULT [REASON]
told()
{
	[ -n "${TRAPMAP_RESULTS:-}" ] || return
	# shellcheck source=tests/lab/record.sh
	. "$(dirname "$0")/../lab/record.sh"
	record "${TRAPMAP_HOST:-here}" "$(format_of "$source" "$case")" tiny \
		"$case" "$@"
}

skip()
{
	echo "SKIPPED: $1"
	told skipped "$1"
	exit 77
}

fail()
{
	echo "FAILED: $case: $1"
	told failed "$1"
	sed 's/^/  stdout| /' "$dir/out" | tail -n 25
	sed 's/^/  stderr| /' "$dir/err" | tail -n 40
	exit 1
}

status=$(values status)
if [ -z "$status" ]; then
	echo "FAILED: $source has no case $case with a status"
	exit 1
fi

# Opened, not only looked at: the mode bits do not say whether KVM answers.
if ! { [ -c /dev/kvm ] && (exec 3<>/dev/kvm) 2>/dev/null; }; then
	skip "/dev/kvm cannot be opened for reading and writing"
fi

condition=$(values if)
if [ -n "$condition" ] && ! eval "$condition"; then
	skip "not here: $condition"
fi

values setup >"$dir/setup"
# shellcheck source=/dev/null
. "$dir/setup"
eval "set -- $(values options)"
[ "$guest" = - ] || set -- "$@" "$guest"
values report >"$dir/claims"
[ ! -s "$dir/claims" ] || set -- "$@" --report "$dir/report.json"

signal=$(values signal)
stdin=$(values stdin)
: >"$dir/out"

# Until the guest has printed something.
wait_for_output()
{
	for _ in $(seq 200); do
		[ -s "$dir/out" ] && break
		sleep 0.05
	done
}

send_input()
{
	[ -n "$stdin" ] || return
	wait_for_output
	# shellcheck disable=SC2059
	printf "$stdin"
}

# Or a signal would come twice: GNU's sends it to its group, too.
foreground=--foreground
timeout $foreground 1 true 2>/dev/null || foreground=
# shellcheck disable=SC2086 # nothing, where it is empty
send_input | timeout $foreground -k 5 30 "$trapmap" run "$@" >"$dir/out" 2>"$dir/err" &
pid=$!
if [ -n "$signal" ]; then
	wait_for_output
	# timeout hands it on.
	kill -s "$signal" "$pid" 2>/dev/null
fi
wait "$pid"
got=$?

tr -d '\r' <"$dir/out" >"$dir/lines"
[ "$got" = "$status" ] || fail "exit status $got, expected $status"

values out >"$dir/expected"
missing=$(awk '
	FILENAME == ARGV[1] { want[++n] = $0; next }
	i < n && $0 == want[i + 1] { i++ }
	END { if (i < n) print want[i + 1] }
' "$dir/expected" "$dir/lines")
[ -z "$missing" ] || fail "no line (or not in this order): $missing"

values match >"$dir/patterns"
while read -r pattern; do
	grep -Eq -e "$pattern" "$dir/lines" || fail "no line matches: $pattern"
done <"$dir/patterns"

values err >"$dir/patterns"
while read -r pattern; do
	grep -Eq -e "$pattern" "$dir/err" || fail "stderr has no: $pattern"
done <"$dir/patterns"

if [ -s "$dir/claims" ] && [ -n "${GUEST_KEEP:-}" ]; then
	cp "$dir/claims" "$dir/report.json" "$GUEST_KEEP/"
elif [ -s "$dir/claims" ]; then
	python3 "$(dirname "$0")/report.py" "$dir/report.json" \
		<"$dir/claims" >"$dir/untrue" 2>&1 || fail "$(cat "$dir/untrue")"
fi

values check >"$dir/check"
if [ -s "$dir/check" ]; then
	# shellcheck source=/dev/null
	(. "$dir/check") || fail "the check of the output failed"
fi
told passed
exit 0
