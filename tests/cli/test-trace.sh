#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `trapmap trace`: what it prints, what it leaves out, what it says of a broken
# file. Usage: test-trace.sh TRAPMAP
#
# The trace of a real run is left out where there is no KVM device to open.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

run() {
	capture trace "$@"
}

# event NAME CAT TID ARGS: an exit, as docs/trace.md has it.
event() {
	printf '{"name":"%s","cat":"%s","ph":"X","ts":%s.250,"dur":0.125,"pid":1,"tid":%s,"args":{%s}},\n' \
		"$1" "$2" "$3" "$3" "$4"
}

{
	echo '['
	echo '{"name":"process_name","ph":"M","pid":1,"tid":0,"args":{"name":"guest"}},'
	echo '{"name":"trapmap_trace","ph":"M","pid":1,"tid":0,"args":{"version":1}},'
	event "out 0x3f8 16550A" pio 0 '"reason":"IO","addr":"0x3f8","dir":"out","size":1,"count":3,"value":"0x41","device":"16550A","rip":"0xffffffff9d000012"'
	event "read 0xd0000000 unclaimed" mmio 1 '"reason":"MMIO","addr":"0xd0000000","dir":"read","size":4,"count":1,"value":"0xff"'
	event "SHUTDOWN" other 2 '"reason":"SHUTDOWN","value":"0x0"'
	echo '{"name":"trapmap_end","ph":"M","pid":1,"tid":0,"args":{"exits":3,"kernel_offset":"0x1c000000"}}'
	echo ']'
} >good

run good
is "status" $status 0
is "stderr" "$err" ""
is "lines" "$(wc -l <out)" 4
has "a string instruction" "$out" "out 0x3f8 x3"
has "its device" "$out" "16550A"
has "four bytes" "$out" "0x000000ff"
has "an address that nothing claims" "$out" "unclaimed"
has "an end" "$out" "SHUTDOWN"
is "as wide as each other" \
	"$(awk '{ print substr($0, 1, 87) }' out | awk '{ print length }' | sort -u | wc -l)" 1

run good --only mmio,other
is "lines of --only" "$(wc -l <out)" 3
run good --range 0x3f0-0x3ff
is "lines of --range" "$(wc -l <out)" 2
run good --vcpu 2
is "lines of --vcpu" "$(wc -l <out)" 2
run - <good
is "lines from a pipe" "$(wc -l <out)" 4

# The kernel has moved by what the trace's last line says.
printf 'ffffffff81000000 T _stext\nffffffff81000010 T start_it\nffffffff81000100 T other\n' >map
run good --symbols map
has "a name" "$out" "0xffffffff9d000012 start_it+0x2"
# shellcheck disable=SC2002 # a pipe, which cannot be read twice
cat good | "$trapmap" trace - --symbols map >out 2>err
has "a name through a pipe" "$(cat out)" "start_it+0x2"

head -c 700 good >half
run half
is "status of a cut file" $status 0
has "note on a cut file" "$err" "note: 'half' is cut off in line"
head -n 4 good >half
run half
has "note on a file without its end" "$err" "cut off behind line 4; exits up to there: 1"

run good --vcpu 9
is "status where nothing matches" $status 0
has "a note where nothing matches" "$err" "of the exits in 'good', 3, none is one that was asked for"

sed '5s/.*/nonsense/' good >bad
refuses "'bad' is broken in line 5: not JSON" bad
sed 's/"version":1/"version":2/' good >newer
refuses "line 3: version 2, where this program knows 1" newer
echo 'hello' >text
refuses "'text' is not a trace of Trapmap's" text
: >empty
refuses "'empty' is not a trace of Trapmap's" empty
refuses "cannot open 'missing'" missing
refuses "'pio', 'mmio', 'msr', 'hypercall' or 'other' is expected" good --only cpu
refuses "--range 'x'" good --range x
refuses "--vcpu '-1'" good --vcpu=-1
refuses "neither an ELF file nor a System.map" good --symbols text
refuses "which trace?"
run good >/dev/null
timeout 60 "$trapmap" trace good >/dev/full 2>err
is "status of a full disk" $? 4

if kvm_is_here; then
	timeout 60 "$trapmap" run -q --stats --trace real >out 2>err
	is "status of a run" $? 0
	has "the table" "$(cat err)" "Exits by port"
	run real
	is "status of its trace" $status 0
	is "words on its trace" "$err" ""
	has "its console" "$out" "out 0x3f8"
	timeout 60 "$trapmap" run -q --trace /dev/full >out 2>err
	is "a full disk is not the guest's affair" $? 0
	has "but it is told" "$(cat err)" "No space left on device"
else
	echo "no KVM here: real runs are left out"
fi

finish
