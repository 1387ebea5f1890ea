#!/bin/sh
# SPDX-License-Identifier: MIT
#
# "trapmap test" with real guests: what passes, fails, is skipped, hangs; what it
# leaves behind, and that nothing is left running.
#
# Usage: test-test.sh TRAPMAP GUESTS, the folder with cmdline.elf, crash.elf,
# end.elf and exit.elf

guests=$(realpath "$2") || exit 2
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
if ! kvm_is_here; then
	echo "skipped: /dev/kvm cannot be opened"
	exit 77
fi
mkdir tmp
export TMPDIR="$work/tmp"

# Runs "trapmap test". Leaves $status, $out and $err.
run() {
	capture test "$@" </dev/null
	is "temporary folders of '$*'" "$(ls tmp)" ""
}

# What was refused has run nothing.
refused() {
	refuses "$@"
	shift
	is "stdout of '$*'" "$out" ""
}

# The processes whose words have $1 in them.
processes() {
	# shellcheck disable=SC2002 # cat says where one is gone, and goes on
	for words in /proc/[0-9]*/cmdline; do
		case $(cat "$words" 2>/dev/null | tr '\0' ' ') in
		*"trapmap run "*"$1"*) echo "$words" ;;
		esac
	done
}

# Waits until there are none.
gone() {
	for _ in $(seq 100); do
		[ -n "$(processes "$2")" ] || break
		sleep 0.1
	done
	is "$1: processes left" "$(processes "$2")" ""
}

manifest() {
	echo "version: 1"
	echo "tests:"
	cat
}

# ---- a good one, from arguments

run "$guests/exit.elf" -- -p '0x560 1 0'
is "status of one that passes" $status 0
is "its stderr" "$err" ""
has "its line" "$out" "passed   exit.elf  "
has "its summary" "$out" "1 passed, 0 failed, 0 skipped in "
is "colors in a file" "$(grep -c "$(printf '\033')" out)" 0
run -q "$guests/exit.elf" -- -p '0x560 1 0'
is "all that -q leaves of it" "$(sed 's/ in .*//' out)" "1 passed, 0 failed, 0 skipped"
run --pass-status 33 "$guests/exit.elf" -- -p '0xf4 1 0x10'
is "status where 33 is a pass" $status 0

# ---- a manifest with every outcome

junk=$(printf 'a\033[2J\377<&>b')
manifest >tests.yaml <<END
  - {name: good, kernel: $guests/exit.elf, params: "0x560 1 0"}
  - {name: odd, kernel: $guests/exit.elf, params: "0xf4 1 0x10", status: 33}
  - {name: crash, kernel: $guests/crash.elf, params: no-idt}
  - {name: hangs, kernel: $guests/end.elf, params: loop, timeout: 1s}
  - {name: not here, kernel: $guests/end.elf, skip: it needs a moon}
  - name: "kunit # 1"
    kernel: $guests/cmdline.elf
    params: "\nKTAP version 1\n1..3\nok 1 a\nnot ok 2 b # too slow\nok 3 c # SKIP\n"
END
run -f tests.yaml -j 4 --artifacts kept --junit junit.xml
is "status where some fail" $status 1
has "a pass" "$out" "passed   good  "
has "an odd pass" "$out" "passed   odd  "
has "a crash" "$out" "failed   crash  "
has "its sentence" "$(grep '^crash' out)" "vCPU 0 triple-faulted"
has "its console" "$out" "        | no-idt"
has "its files" "$out" "        files: kept/crash"
has "a time limit" "$(grep '^hangs' out)" "time limit"
has "a skip" "$(grep '^skipped  not here ' out)" " -  it needs a moon"
has "sub-results" "$(grep '^kunit' out)" "1 of 3 sub-results failed: 'b': too slow"
has "the summary" "$out" "2 passed, 3 failed, 1 skipped in "
is "the table's order" "$(sed -n '/^TEST /,/^$/p' out | cut -c1-4 | tr '\n' ' ')" \
	"TEST good odd  cras hang not  kuni  "
is "the console kept" "$(tr -d '\r' <kept/crash/console.log)" no-idt
has "the report kept" "$(cat kept/crash/report.json)" '"status"'
has "the words kept" "$(cat kept/crash/stderr.log)" "trapmap: vCPU 0 triple-faulted"
is "folders" "$(echo kept/*)" \
	"kept/crash kept/good kept/hangs kept/kunit___1 kept/odd"
has "junit" "$(cat junit.xml)" '<testsuite name="trapmap" tests="6" failures="3" errors="0" skipped="1"'

# The second time, over what is there.
touch -d '2001-01-01' kept/crash/report.json
run -f tests.yaml -j 2 --artifacts kept -t crash
is "status again" $status 1
is "an old report" "$(find kept/crash -name report.json ! -newermt 2002-01-01)" ""

start=$(date +%s)
run -f tests.yaml -t hangs
is "status of a guest that hangs" $status 1
[ $(($(date +%s) - start)) -lt 10 ] || fail "a limit of 1 s took $(($(date +%s) - start)) s"

# ---- TAP

run -f tests.yaml --tap
is "status with --tap" $status 1
is "TAP's first lines" "$(head -n 2 out)" "$(printf 'TAP version 13\n1..6')"
is "TAP's lines" "$(grep -o '^[a-z ]*ok [0-9]* - .*' out)" "$(
	cat <<'END'
ok 1 - good
ok 2 - odd
not ok 3 - crash
not ok 4 - hangs
ok 5 - not here # SKIP it needs a moon
    ok 1 - a
    not ok 2 - b
    ok 3 - c # SKIP
not ok 6 - kunit \# 1
END
)"
has "progress with --tap" "$err" "failed   crash"
if command -v prove >/dev/null; then
	prove -v --exec cat out >proved 2>&1
	has "prove" "$(cat proved)" "Failed tests:  3-4, 6"
	is "prove's complaints" "$(grep -ci 'parse error' proved)" 0
fi

# ---- bytes that no format likes

manifest >junk.yaml <<END
  - {name: junk, kernel: $guests/cmdline.elf}
END
run -f junk.yaml --junit junk.xml -- -p "$junk"
is "status of junk" $status 0
run -f junk.yaml --junit junk.xml -- -p "$junk" --expect never
is "status of junk that fails" $status 1
has "junk on a terminal" "$out" "[a\\x1b[2J\\xff<&>b]"
if command -v xmllint >/dev/null; then
	xmllint --noout junit.xml || fail "junit.xml is not well-formed"
	xmllint --noout junk.xml || fail "junk.xml is not well-formed"
fi

# ---- all skipped; nothing to run; what cannot be written

run -f tests.yaml -t 'not here'
is "status where all are skipped" $status 77
refused "no test" -f tests.yaml -t nothing
refused "/dev/null/x" -f tests.yaml --artifacts /dev/null/x
refused "./no/such/junit.xml" -f tests.yaml --junit ./no/such/junit.xml
mkdir taken
: >taken/hangs
refused "taken/hangs" -f tests.yaml --artifacts taken
is "guests that ran before" "$(find taken -name report.json)" ""
if [ "$(id -u)" -ne 0 ]; then
	mkdir -m 500 closed
	refused "closed/good" -f tests.yaml --artifacts closed
fi
timeout 60 "$trapmap" test -f tests.yaml -t good >/dev/full 2>err
is "status with a full stdout" $? 4
has "a full stdout" "$(cat err)" "cannot write to stdout"
run -f tests.yaml --list
is "status of --list" $status 0
is "lines of --list" "$(cut -c1-9 out | tr '\n' '|')" \
	"good     |odd      |crash    |hangs    |not here |kunit # 1|"

# ---- at the first failure

manifest >order.yaml <<END
  - {name: one, kernel: $guests/exit.elf, params: "0x560 1 0"}
  - {name: two, kernel: $guests/crash.elf, params: no-idt}
  - {name: three, kernel: $guests/exit.elf, params: "0x560 1 0"}
END
run -f order.yaml -j 1 --fail-fast
is "status with --fail-fast" $status 1
is "what was not run" "$(grep '^not run: ' out)" "not run: three"

# ---- signals

for i in 1 2 3 4 5; do
	echo "  - {name: loop$i, kernel: $guests/end.elf, params: loop, timeout: 60s}"
done | manifest >loops.yaml
for sig in INT:130 TERM:143; do
	timeout -k 20 --preserve-status -s "${sig%:*}" 2 "$trapmap" test \
		-f loops.yaml -j 2 --artifacts "$work/sig" --junit sig.xml \
		</dev/null >out 2>err
	is "status after SIG${sig%:*}" $? "${sig#*:}"
	is "what was not run after SIG${sig%:*}" "$(grep '^not run: ' out)" \
		"not run: loop1 (stopped), loop2 (stopped), loop3, loop4, loop5"
	gone "SIG${sig%:*}" "$work/sig"
	[ -s sig.xml ] || fail "no JUnit after SIG${sig%:*}"
done
"$trapmap" test -f loops.yaml -j 2 --artifacts "$work/killed" </dev/null >out 2>err &
pid=$!
for _ in $(seq 100); do
	[ -n "$(processes "$work/killed")" ] && break
	sleep 0.1
done
kill -KILL $pid
wait $pid 2>/dev/null
gone "SIGKILL" "$work/killed"

finish
