#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The command as a user meets it: what it answers, how it refuses, and which
# stream it uses for what. Usage: test-cli.sh TRAPMAP
#
# What needs a VM is left out where there is no KVM device to open.

here=$(realpath "$(dirname "$0")")
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

run() {
	capture "$@" </dev/null
}

# What was refused has nothing for stdout.
refused() {
	refuses "$@"
	shift
	is "stdout of '$*'" "$out" ""
}

# ---- answers

run
is "status alone" $status 2
is "stdout alone" "$out" ""
has "usage" "$err" "Usage: trapmap COMMAND"

for words in "--help" "-h" "help" "help run" "help doctor" "run --help" \
	"run -h" "doctor --help"; do
	# shellcheck disable=SC2086 # words, not one word
	run $words
	is "status of $words" $status 0
	is "stderr of $words" "$err" ""
	has "$words" "$out" "Usage: trapmap "
	is "$words: lines over 80 columns" "$(grep -c '.\{81\}' out)" 0
	is "$words: tabs or trailing blanks" "$(grep -c '	\| $' out)" 0
done
for words in "--version" "-V" "run --version"; do
	# shellcheck disable=SC2086
	run $words
	is "status of $words" $status 0
	has "$words" "$out" "trapmap 0."
done
"$trapmap" --help >/dev/full 2>err
is "status with a full stdout" $? 4
has "a full stdout" "$(cat err)" "cannot write to stdout"

# ---- refusals

refused "unknown command 'rnu'; did you mean 'run'?" rnu
refused "unknown command 'frobnicate'" frobnicate
: >some-file
refused "did you mean 'trapmap run some-file'?" some-file
refused "unknown option '-m'; a command comes first" -m 64
refused "unknown option '--inird'; did you mean '--initrd'?" run --inird x
refused "unknown option '-kernel'; did you mean '--kernel'?" run -kernel x
refused "'--mem' needs a value" run --mem
refused "--mem '0'" run -m 0
refused "--mem '-1'" run -m -1
refused "--mem '0.5G'" run -m 0.5G
refused "--mem '17000000T'" run -m 17000000T
refused "--mem '64X'" run -m 64X
refused "--mem '1025K'" run -m 1025K
refused "--cpus '0'" run -c 0
refused "--cpus 'two'" run --smp=two
refused "--cpus: unknown key 'core'; did you mean 'cores'?" run -c 4,core=2
refused "--cpus affinity '0-'" run -c 4,affinity=0-
refused "--cpus: there is no host processor 60000" run -c 4,affinity=0+60000
refused "unknown model 'x86-64-v9'; did you mean 'x86-64-v2'?" run --cpu x86-64-v9
refused "unknown feature 'avx22'; did you mean 'avx2'?" run --cpu soft,+avx22
refused "+avx needs xsave, which soft does not have" run --cpu soft,+avx
refused "--rtc '2023-02-29'" run --rtc 2023-02-29
refused "--rtc: unknown key 'clokc'; did you mean 'clock'?" run --rtc utc,clokc=vm
refused "--on-reset 'halt'" run --on-reset=halt
refused "--debug-exit 'bochs'" run --debug-exit bochs
refused "--timeout '0'" run --timeout=0
refused "--serial 'pty2'" run --serial pty2
refused "'b' is a second kernel" run a b
refused "cannot write './no/such/file'" run --serial file=./no/such/file
refused "unknown option '--linus'; did you mean '--linux'?" doctor --linus
refused "'x': doctor takes options only" doctor x
refused "'y' is a second processor" doctor --cpu x y
refused "--cpu and --linux" doctor --cpu --linux
refused "unknown option '--a?b'" run "$(printf -- '--a\nb')"

refused "--watchdog '0'" run --watchdog 0
refused "--expect ''" run --expect ''
refused "--expect: regular expression 'a{2'" run --expect 'a{2'
refused "--fail-on: regular expression '(': Unmatched (" run --fail-on '('
refused "--fail-on 'panic,': an empty item" run --fail-on panic,
refused "--debugcon 'tty'" run --debugcon tty
refused "'file descriptor 99': Bad file descriptor" run -n fd=99
refused "--trace only 'ports'" run --trace t,only=ports
refused "--trace range '9-3'" run --trace t,range=9-3
refused "--trace: cannot write './no/such/file'" run --trace ./no/such/file
refused "--debugcon: cannot write './no/such/file'" \
	run --debugcon file=./no/such/file
refused "--report: cannot write './no/such/file'" run --report ./no/such/file
refused "--report: cannot write '.': Is a directory" run --report .
refused "--report and --trace both write 'x'" run --report x --trace x
refused "--trace would overwrite 'k', which is the kernel" run k --trace k
is "files that refused runs began" "$(ls)" "$(printf 'err\nout\nsome-file')"
echo old >kept
for words in "--fail-on (" "--cpu host,+no-such-feature --expect [" \
	"--report ./no/such/file"; do
	# shellcheck disable=SC2086
	run run --trace kept $words
	is "status of --trace with $words" $status 2
	is "a trace's file after $words" "$(cat kept)" old
done

# ---- a host without KVM

run doctor --kvm-device ./no-such-device
is "doctor's status without a device" $status 4
has "doctor without a device" "$out" "not usable: "
has "doctor without a device" "$out" "./no-such-device"
has "doctor without a device" "$out" "What to do"
is "doctor's stderr" "$err" ""
run doctor --linux --kvm-device ./no-such-device
is "doctor --linux, status without a device" $status 4
is "doctor --linux, lines" "$(wc -l <out)" 1
run doctor --kvm-device /dev/null
is "doctor's status with a device that is not KVM" $status 4
run run --kvm-device ./no-such-device
is "status without a device" $status 4
is "stdout without a device" "$out" ""
is "lines without a device" "$(wc -l <err)" 1
has "without a device" "$err" "./no-such-device"

# ---- with a VM

if ! kvm_is_here; then
	echo "left out: what needs a VM, as /dev/kvm cannot be opened"
	finish 77
fi
sh "$here/guests.sh" .

run doctor
is "doctor's status" $status 0
has "doctor" "$out" "KVM device        /dev/kvm: usable"
has "doctor" "$out" "Stock Linux"
is "doctor: lines over 80 columns" "$(grep -c '.\{81\}' out)" 0
run doctor --linux
is "doctor --linux, lines" "$(wc -l <out)" 1

run doctor --cpu soft
is "doctor --cpu, status" $status 0
has "doctor --cpu" "$out" "Name              Trapmap soft processor"
has "doctor --cpu" "$out" "A guest sees      fpu "
has "doctor --cpu" "$out" "KVM withholds"
has "doctor --cpu, other models" "$out" "  x86-64-v3 "
is "doctor --cpu: lines over 80 columns" "$(grep -c '.\{81\}' out)" 0
refused "unknown model 'sofd'; did you mean 'soft'?" doctor --cpu sofd
run run -q --cpu soft -c 3,sockets=3 --timeout 30
is "status of the built-in guest on three sockets" $status 0
has "its processor" "$out" "Trapmap soft processor"
refused "3 sockets of 1 core of 1 thread cannot be 4 processors" \
	run -c 4,sockets=3

refused "no-such-file" run no-such-file
refused "/" run /
: >empty
refused "empty" run empty
refused "/proc/version: at offset 0: a text file" run /proc/version
refused "no-such-initrd" run echo -i no-such-initrd
refused "vCPUs" run echo -c 100000
refused "feature" run echo --cpu host,+no-such-feature

run run --timeout 30
is "status of the built-in guest" $status 0
has "the built-in guest" "$out" "$(printf '\n')"
is "the built-in guest's stderr, lines" "$(wc -l <err)" 1
has "the verdict" "$err" "trapmap: "
run run -q --timeout 30
is "status with -q" $status 0
is "stderr with -q" "$err" ""

# stdin: a pipe, in which all waits until the guest takes it; a file; closed.
head -c 3000 /dev/zero | tr '\0' 'p' >typed
echo q >>typed
"$trapmap" run echo --timeout 30 <typed >out 2>err
is "status with a file as stdin" $? 0
is "bytes echoed from a file" "$(wc -c <out)" 3001
# shellcheck disable=SC2002 # a pipe is the point
cat typed | "$trapmap" run echo --timeout 30 >out 2>err
is "status with a pipe as stdin" $? 0
is "bytes echoed from a pipe" "$(wc -c <out)" 3001
"$trapmap" run deaf --timeout 300ms >out 2>err <&-
is "status with stdin closed" $? 124
is "output with stdin closed" "$(cat out)" R
"$trapmap" run echo --timeout 30 <typed >&- 2>err
is "status with stdout closed" $? 0
"$trapmap" run echo --timeout 30 <typed >out 2>&-
is "status with stderr closed" $? 0
"$trapmap" run echo --timeout 30 <&- >&- 2>&- &
sleep 1
kill $!
wait $!
is "status with all three closed" $? 143

# --serial
"$trapmap" run echo --timeout 300ms --serial file=log,,1 <typed >out 2>err
is "status with --serial file" $? 124
is "stdout with --serial file" "$(cat out)" ""
is "the file" "$(cat log,1)" R
run run deaf --serial null --timeout 300ms
is "status with --serial null" $status 124
is "stdout with --serial null" "$out" ""

# signals
for sig in INT:130 TERM:143 HUP:129 QUIT:131; do
	# Not from this shell, which has background jobs ignore INT and QUIT.
	timeout -k 20 -s "${sig%:*}" 1 "$trapmap" run deaf </dev/null >out 2>err
	status=$?
	# timeout answers 124 where its own signal was taken to end.
	case $status in
	124 | ${sig#*:}) pass ;;
	*) fail "status after SIG${sig%:*}: $status" ;;
	esac
	is "lines after SIG${sig%:*}" "$(grep -c '^trapmap: ' err)" 1
done
(
	trap '' HUP
	exec "$trapmap" run deaf --timeout 1500ms </dev/null >out 2>err
) &
sleep 0.7
kill -HUP $!
wait $!
is "status where SIGHUP is ignored (nohup)" $? 124

"$trapmap" run deaf --timeout 200ms --dump-dtb dtb </dev/null >out 2>err
is "status with --dump-dtb" $? 124
is "the devicetree's magic number" "$(od -An -tx1 -N4 dtb | tr -d ' ')" d00dfeed
"$trapmap" run --dump-dtb /dev/full </dev/null >out 2>err
is "status with a devicetree that has no room" $? 4
"$trapmap" run deaf --dump-dtb ./no/such/file </dev/null >out 2>err
is "status with a devicetree that cannot be written" $? 2
is "lines for it" "$(wc -l <err)" 1

# Whatever is refused leaves files as they were, and none that was not there.
printf old >kept
for option in '--serial=file=' '--console=file=' '--debugcon=file=' --trace= \
	--dump-dtb=; do
	for wrong in ./no-kernel --disk=./no-disk --cpu=no-cpu; do
		"$trapmap" run "$wrong" "${option}kept" --serial=null \
			--serial=file=fresh </dev/null >out 2>err
		is "status of $option with $wrong" $? 2
		is "the file of $option with $wrong" "$(cat kept)" old
		[ ! -e fresh ] || fail "$option with $wrong left a file"
	done
done
"$trapmap" run deaf --timeout 300ms --serial file=kept --trace fresh \
	</dev/null >out 2>err
is "status with files" $? 124
is "a file that is begun anew" "$(cat kept)" R
[ -s fresh ] || fail "no trace"

# A pty is named, whatever else is not said, and a socket goes with the run.
"$trapmap" run deaf -q --timeout 300ms --serial pty --serial socket=sock \
	</dev/null >out 2>err
is "status with a pty" $? 124
has "the pty's name" "$(cat err)" 'trapmap: COM1 is /dev/pts/'
[ ! -e sock ] || fail "the socket is still there"
touch sock
"$trapmap" run deaf --serial pty --serial socket=sock </dev/null >out 2>err
is "status with a socket that is there" $? 2
is "lines for it" "$(wc -l <err)" 1
has "what it says" "$(cat err)" "serial port COM2: 'sock' is there already"
[ -e sock ] || fail "it took away what was there"

# ---- boards

# refuses NAME WORDS OPTION...: status 2 and one line, which has the words in it.
refuses() {
	name=$1 words=$2
	shift 2
	"$trapmap" run "$@" </dev/null >out 2>err
	is "status with $name" $? 2
	is "lines for $name" "$(wc -l <err)" 1
	grep -q -e "$words" err || fail "$name: $(cat err)"
}

head -c 100 dtb >part
printf '/dts-v1/; / { a = <1 };\n' >wrong.dts
refuses "no machine file" "cannot open 'nowhere'" --machine nowhere
refuses "part of a machine file" 'part: not a whole devicetree blob' --machine part
refuses "part of a devicetree" 'part: not a whole devicetree blob' --dtb part
refuses "a machine file that is a folder" 'Is a directory' --machine .
refuses "a devicetree that would be overwritten" 'what --machine reads' \
	--machine dtb --dump-dtb dtb
refuses "a bus that the board has not" 'a PCI bus was asked for' \
	--machine dtb --transport pci
refuses "a serial port that the board has not" 'no serial port COM2' \
	--machine dtb --serial null --serial null
if command -v dtc >/dev/null; then
	refuses "a source that dtc refuses" 'wrong.dts:1' --machine wrong.dts
fi
(
	PATH=/nonexistent
	"$trapmap" run --machine wrong.dts </dev/null >out 2>err
) # no dtc there
is "status without dtc" $? 2
is "without dtc" "$(grep -c 'dtc is needed' err)" 1

# ---- what is told of a run

run run --report report.json --stats --trace trace.json
is "status with all that can be told" $status 0
has "the statistics" "$err" "exits"
has "the trace's line" "$err" "exits in trace.json"
is "what is JSON" "$(for file in report trace; do
	python3 -m json.tool $file.json >/dev/null && echo $file
done)" "$(printf 'report\ntrace')"
is "temporary files left" "$(find . -name '.report*')" ""
is "the end of a report" "$(tail -n 1 report.json)" "}"
is "its last byte" "$(tail -c 1 report.json | od -An -tx1 | tr -d ' ')" 0a
run run -q --trace trace.json --report report.json
is "stderr with -q and files" "$err" ""
run run no-such-kernel --report none.json
is "status of a start that failed" $status 2
has "its report" "$(cat none.json)" "no-such-kernel"
run run -q --report /dev/full
is "status with a report that has no room" $status 4
has "a report that has no room" "$err" "--report: cannot write '/dev/full'"
run run --trace /dev/full
is "status with a trace that has no room" $status 0
has "a trace that has no room" "$err" "trace: /dev/full ended after "
has "a trace that has no room" "$err" "No space left on device"
: >linked.json
ln -s linked.json link.json
chmod 640 linked.json
run run -q --report link.json
is "what a report is written through" "$(readlink link.json)" linked.json
is "the report's mode" "$(stat -c %a linked.json)" 640
[ -s linked.json ] || fail "no report where the link leads"
run run -q --report /dev/stdout
has "a report on stdout" "$out" '"verdict"'
run run --expect 'this is never said'
is "status without the line expected" $status 16
has "the verdict without it" "$err" "this is never said"
run run --fail-on 'nobody says this,.'
is "status with a line that fails" $status 10
run run --strict-io --testdev --debugcon stderr --watchdog 5
is "status of the built-in guest, watched closely" $status 0

# A reader that comes late gets all that there was room for, without a hole; one
# that never comes cannot hold the end.
"$trapmap" run flood --timeout 4s </dev/null 2>err | {
	sleep 2
	wc -c >out
}
[ "$(cat out)" -gt 65536 ] || fail "a late reader got $(cat out) bytes"
is "nothing lost to a late reader" "$(grep -c 'are lost' err)" 0
mkfifo stuck
sleep 60 <stuck &
sleeper=$!
"$trapmap" run flood --timeout 4s </dev/null 2>err >stuck
is "status with a reader that does not read" $? 124
kill $sleeper
has "a reader that does not read" "$(cat err)" "are lost"
"$trapmap" run flood --timeout 30 </dev/null 2>err | head -c 10 >out
has "a reader that is gone" "$(cat err)" "trapmap: "

finish
