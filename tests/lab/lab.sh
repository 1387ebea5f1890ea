# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# lab.sh: what lab-amd.sh and lab-intel.sh have in common, which source it for their
# options, and are told apart by $lab. Each emulates a machine (L1) that has the
# virtualization of a vendor, boots a stock Debian kernel in it, and has l1-init run
# the jobs there. What L1 is given is packed by pack.sh; what it sends comes to
# $tmp/results.gz, its console to $tmp/l1-console.

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

usage() {
	cat <<END
$lab.sh [OPTION]... -- COMMAND [ARGUMENT]...
$lab.sh [OPTION]... --jobs FILE --results FOLDER

Runs one COMMAND and ends with its status, or each job of FILE: a line
"NAME SECONDS COMMAND...", the command a shell's. A job's stdout, stderr, status
and seconds come back in FOLDER/NAME.

In there, "trapmap" is the program under test, and the files that the arguments
or jobs name are at the same place as here. There are also Debian's kernels, the
symbols of one of them, and an initramfs that prints what it finds and powers off
(tests/lab/guest-init says what else it can):
  /lab/cloud/vmlinuz  /lab/cloud/vmlinux  /lab/cloud/vmlinux.gz
  /lab/cloud/System.map  /lab/generic/...
  /lab/guest.cpio

  --trapmap FILE  the program under test (default: \$TRAPMAP, or the one in build/)
  --mem MIB       L1's memory (default: $mem)
  --add FOLDER    a folder that L1 has, too
  --timeout S     for all of it (default: $limit_jobs; one command: $limit_one)
  --kvm-args STR  parameters for kvm-$vendor.ko, such as $kvm_example
  --keep FOLDER   keeps L1's console and results there
END
	usage_more
	cat <<END

Try: tests/lab/$lab.sh -- trapmap run /lab/cloud/vmlinuz \\
       -i /lab/guest.cpio -p console=ttyS0 -m 512
Exit status: the command's; with --jobs 0 if all jobs were run. 70 if the lab
itself failed, 77 if something that it needs is not installed.
END
}

die() {
	echo "$lab: $*" >&2
	exit 70
}

# need PROGRAM PACKAGE [FILE]: the program, or the file, is there.
need() {
	command -v "$1" >/dev/null 2>&1 && return
	[ -f "${3:-}" ] && return
	echo "$lab: skipped: $1 is not installed (package $2)" >&2
	exit 77
}

trapmap=${TRAPMAP:-$top/build/vmm/cli/trapmap}
folder_added=
limit=
jobs=
results=
kvm_args=
keep=
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--)
		shift
		break
		;;
	--*) [ $# -ge 2 ] || die "$1 needs a value" ;;
	esac
	case $1 in
	--trapmap) trapmap=$2 ;;
	--mem) mem=$2 ;;
	--add) folder_added=$2 ;;
	--timeout) limit=$2 ;;
	--jobs) jobs=$2 ;;
	--results) results=$2 ;;
	--kvm-args) kvm_args=$2 ;;
	--keep) keep=$2 ;;
	*) own_option "$1" "${2:-}" || die "unknown option $1 (--help lists them)" ;;
	esac
	shift 2
done
if [ -n "$jobs" ]; then
	[ $# = 0 ] || die "a command or --jobs, not both"
	[ -f "$jobs" ] || die "no such file: $jobs"
	[ -n "$results" ] || die "--jobs needs --results"
	limit=${limit:-$limit_jobs}
elif [ $# = 0 ]; then
	usage >&2
	exit 70
else
	limit=${limit:-$limit_one}
fi

tmp=$(mktemp -d)
watched=
emulator_pid=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	for pid in $watched $emulator_pid; do
		kill "$pid" 2>/dev/null || :
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# watch_jobs FACTOR: ends the emulator when no job has come to its end for longer than
# any may take: L1 has been seen to hang as a whole, its own time-outs included. A
# second of L1's is at most FACTOR of the host's.
watch_jobs() {
	longest=$(($(cut -d' ' -f2 "$jobs" | sort -n | tail -n 1) * $1))
	size=
	still=0
	while kill -0 "$emulator_pid" 2>/dev/null; do
		sleep 1
		now=$(stat -c %s "$tmp/results.gz" 2>/dev/null || echo 0)
		[ "$now" = "$size" ] || still=0
		size=$now
		still=$((still + 1))
		[ $still -lt $((longest + 60)) ] || {
			echo "$lab: no job's end for $still s" >&2
			kill "$emulator_pid" 2>/dev/null || :
			return
		}
	done
}

# show_live FILE: what comes to the file, as it comes.
show_live() {
	: >"$1"
	tail -s 0.1 -f -n +1 "$1" &
	watched="$watched $!"
}

# finish STATUS EMULATOR: hands on what L1 has sent, and ends as the command has.
finish() {
	# One archive a job: with -i tar reads on behind the end of the first.
	mkdir -p "$tmp/results"
	gzip -dc "$tmp/results.gz" 2>/dev/null |
		tar -x -i -C "$tmp/results" 2>/dev/null || :
	if [ -n "$results" ]; then
		mkdir -p "$results"
		cp -R "$tmp/results/." "$results/"
		tr -d '\r' <"$tmp/l1-console" >"$results/l1-console"
	fi
	if [ -n "$keep" ]; then
		mkdir -p "$keep"
		cp -R "$tmp/results" "$tmp/l1-console" "$tmp/emulator-log" "$keep/"
	fi
	if [ ! -f "$tmp/results/finished" ]; then
		{
			if [ "$1" = 124 ]; then
				echo "$lab: no end within $limit s; L1's last words:"
			else
				echo "$lab: L1 ended early ($2's status: $1);" \
					"its last words:"
			fi
			tr -d '\r' <"$tmp/l1-console" 2>/dev/null | tail -n 20
			tail -n 5 "$tmp/emulator-log"
		} >&2
		exit 70
	fi
	[ -z "$jobs" ] || exit 0
	exit "$(cat "$tmp/results/run/status")"
}
