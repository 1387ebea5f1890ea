#!/bin/sh
# SPDX-License-Identifier: MIT
#
# suite.sh: stock Debian kernels under Trapmap on a real kvm-amd with nested
# paging (see lab-amd.sh), judged by what the guest prints and by Trapmap's exit
# status. Output is TAP with a totals line. Exit status 0, 1 when something
# failed, 77 when the lab cannot run here.
#
#	suite.sh [--trapmap FILE] [--sanitized FILE] [--keep FOLDER]
#
# --sanitized names a build with ASan and UBSan for a shorter second round.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
trapmap=${TRAPMAP:-$top/build/vmm/cli/trapmap}
sanitized=
keep=
while [ $# -ge 2 ]; do
	case $1 in
	--trapmap) trapmap=$2 ;;
	--sanitized) sanitized=$2 ;;
	--keep) keep=$2 ;;
	*) break ;;
	esac
	shift 2
done
if [ $# -gt 0 ]; then
	echo "usage: suite.sh [--trapmap FILE] [--sanitized FILE]" \
		"[--keep FOLDER]" >&2
	exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

number=0
passed=0
failed=0
skipped=0

skip_all() {
	echo "1..0 # SKIP $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
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
		broken=1
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

# field NAME: what the guest of the job in $out printed after "NAME :".
field() {
	sed -n "s/^$1 *: //p" "$out/console" | head -n 1
}

# The last lines of a job, as TAP comments.
show() {
	for file in console stderr; do
		[ -s "$out/$file" ] || continue
		echo "# ---- $file of ${out##*/}, its end:"
		tail -n 30 "$out/$file" | sed 's/^/# /'
	done
}

# boot NAME IMAGE CPUS MIB STATUS PARAMETERS...: a job, and what to expect. The
# shell code in $before stands before the program, options in $more behind it.
before=
more=
boot() {
	name=$1 image=$2 cpus=$3 mib=$4 status=$5
	shift 5
	echo "$name $limit $before trapmap run $image -i /lab/guest.cpio" \
		"-m $mib -c $cpus -p 'console=ttyS0 quiet $*' $more" >>"$jobs"
	echo "$name $cpus $mib $status" >>"$work/expected"
}

# Judges a boot by its guest's own words.
judge() {
	out=$results/$1 cpus=$2 mib=$3 status=$4
	broken=
	if [ ! -f "$out/status" ]; then
		verdict 1 "$1: was run" "the lab ended before it"
		return
	fi
	tr -d '\r' <"$out/stdout" >"$out/console"
	is "$(cat "$out/status")" "$status" \
		"$1: exit status $status ($(cat "$out/seconds") s)"
	is "$(field CPUs)" "$cpus" "$1: the guest counts $cpus CPUs"
	is "$(field 'clock source')" kvm-clock "$1: it runs on kvm-clock"

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
	[ -z "$broken" ] || show
}

judge_doctor() {
	out=$results/doctor
	broken=
	if [ ! -f "$out/status" ]; then
		verdict 1 "doctor: was run" "the lab ended before it"
		return
	fi
	cat "$out/stdout" >"$out/console"
	is "$(cat "$out/status")" 0 "doctor: finds nothing missing"
	grep -q 'AMD-V' "$out/console" "$out/stderr" && truth=0 || truth=1
	verdict "$truth" "doctor: names AMD-V"
	is "$(cat "$results/doctor-linux/status" 2>/dev/null)" 0 \
		"doctor --linux: a stock Linux can be expected to boot"
	[ -z "$broken" ] || show
}

# in_lab PROGRAM SECONDS JOBS: one boot of the outer machine; sets $lab.
in_lab() {
	"$here/lab-amd.sh" --trapmap "$1" --timeout "$2" --jobs "$3" \
		--results "$results" >"$work/lab-log" 2>&1 && lab=0 || lab=$?
	[ "$lab" != 77 ] || skip_all "$(tail -n 1 "$work/lab-log")"
}

# round NAME PROGRAM SECONDS: all $jobs. The outer machine is an emulated one and
# has been seen to hang as a whole, so that not even its own time-out for the job
# came; what it left undone gets one more boot, and is judged by that.
round() {
	results=$work/$1
	began=$(date +%s)
	in_lab "$2" "$3" "$jobs"
	if [ "$lab" != 0 ]; then
		sed 's/^/# /' "$work/lab-log"
		while read -r name rest; do
			[ -f "$results/$name/status" ] || echo "$name $rest"
		done <"$jobs" >"$work/undone"
		echo "# $1: the outer machine hung in" \
			"$(head -n 1 "$work/undone" | cut -d' ' -f1);" \
			"once more from there"
		in_lab "$2" "$3" "$work/undone"
	fi
	ended=$(date +%s)
	echo "# $1: $((ended - began)) s"

	broken=
	mkdir -p "$results"
	is "$lab" 0 "$1: the outer machine runs all jobs and powers off"
	[ -z "$broken" ] || sed 's/^/# /' "$work/lab-log"
	grep -q 'Nested Paging enabled' "$results/l1.log" 2>/dev/null &&
		truth=0 || truth=1
	verdict "$truth" "$1: it has kvm-amd with nested paging"
	l1=$(cat "$results"/*/began 2>/dev/null | head -n 1)
	if [ "${l1:-0}" -ge $((began - 1)) ] && [ "${l1:-0}" -le "$ended" ]; then
		verdict 0 "$1: its clock is the host's"
	else
		verdict 1 "$1: its clock is the host's" "it began at '$l1'"
	fi
	while read -r name cpus mib status; do
		judge "$name" "$cpus" "$mib" "$status"
	done <"$work/expected"
	[ -z "$keep" ] || {
		mkdir -p "$keep"
		cp -R "$results" "$keep/"
	}
}

[ -x "$trapmap" ] || skip_all "no program at $trapmap"
command -v qemu-system-x86_64 >/dev/null 2>&1 ||
	skip_all "qemu-system-x86_64 is not installed"
"$here/fetch.sh" >"$work/fetch" 2>&1 || skip_all "$(tail -n 1 "$work/fetch")"

jobs=$work/jobs
limit=60
: >"$work/expected"
{
	echo "doctor 20 trapmap doctor"
	echo "doctor-linux 20 trapmap doctor --linux"
} >"$jobs"
boot cloud-1cpu /lab/cloud/vmlinuz 1 256 0
boot cloud-2cpu /lab/cloud/vmlinuz 2 256 0
boot generic-1cpu /lab/generic/vmlinuz 1 512 0
boot generic-2cpu /lab/generic/vmlinuz 2 512 0
boot cloud-elf /lab/cloud/vmlinux 1 256 0
boot generic-elf-2cpu /lab/generic/vmlinux 2 512 0
# More than 4 GiB, in an outer machine that has two: only what the guest
# touches may cost anything.
boot above-4g /lab/cloud/vmlinuz 1 5120 0
# The ACPI reset register, then the keyboard controller's pulse.
boot reset-acpi /lab/cloud/vmlinuz 1 256 6 trapmap.end=reboot
boot reset-kbd-2cpu /lab/cloud/vmlinuz 2 256 6 trapmap.end=reboot reboot=k
# A panicking kernel that is told to restart asks for a reset; one that has
# only a triple fault to restart with is a crash.
boot crash-panic /lab/cloud/vmlinuz 1 256 6 trapmap.end=crash panic=-1
boot crash-triple /lab/cloud/vmlinuz 1 256 8 trapmap.end=reboot reboot=t
# One that is typed to, and one that goes on until its time is up.
before='{ while sleep 1; do echo hello; done; } |'
boot typed-to /lab/cloud/vmlinuz 1 256 0 trapmap.end=ask
before=
more=--timeout=20
boot time-out-2cpu /lab/cloud/vmlinuz 2 256 124 trapmap.end=idle
more=
round plain "$trapmap" 360
out=$results/typed-to
is "$(field 'was told')" hello "typed-to: it was told what was typed"
judge_doctor

if [ -n "$sanitized" ] && [ -x "$sanitized" ]; then
	: >"$jobs"
	: >"$work/expected"
	limit=100
	boot sanitized-2cpu /lab/cloud/vmlinuz 2 256 0
	boot sanitized-crash /lab/cloud/vmlinuz 1 256 8 \
		trapmap.end=reboot reboot=t
	round sanitized "$sanitized" 240
	reports=$(grep -l -E 'Sanitizer|runtime error:' \
		"$results"/*/stderr 2>/dev/null || :)
	is "$reports" "" "sanitized: no report from ASan or UBSan"
elif [ -n "$sanitized" ]; then
	number=$((number + 1))
	skipped=$((skipped + 1))
	echo "ok $number - sanitized # SKIP no program at $sanitized"
fi

echo "1..$number"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
