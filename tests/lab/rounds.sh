# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# rounds.sh: jobs for the outer machine, gathered and run together. Sourced by
# suite.sh, never run; uses its variables, and leaves what came of them in $results.

symbols=/lab/cloud/System.map

# on_host HOST: the lab that is meant by it, what KVM's module is told and has to say
# of itself there, and the clock that a stock kernel chooses. Where an outer second may
# be more than one of the host's, $stretch tells how many.
on_host() {
	host=$1
	kvm_args=
	vendor=amd
	clock=kvm-clock
	stretch=1
	case $host in
	amd) kvm_has='npt:(1|Y)' ;;
	amd-npt0) kvm_args='npt=0' kvm_has='npt:(0|N)' ;;
	intel) kvm_has='ept:Y' ;;
	intel-ept0) kvm_args='ept=0' kvm_has='ept:N' ;;
	intel-ug0) kvm_args='unrestricted_guest=0' kvm_has='unrestricted_guest:N' ;;
	*) return 1 ;;
	esac
	case $host in
	intel*)
		vendor=intel
		# The model's TSC is invariant.
		clock=tsc
		stretch=4
		;;
	esac
}
on_host amd

# What a boot() has unless it is told otherwise; it returns to these.
usual() {
	before=
	more=
	after=
	console='console=ttyS0 quiet'
	limit=60
}

begin_round() {
	jobs=$work/jobs
	lab_options=
	: >"$jobs"
	: >"$work/expected"
	: >"$work/boots"
	usual
}

# job NAME SECONDS STATUS COMMAND...: a job and its exit status. The command is a
# shell's and may have several lines, none of which a comment.
job() {
	echo "$1 $3" >>"$work/expected"
	{
		printf '%s %s ' "$1" "$2"
		shift 3
		printf '%s' "$*" | tr '\n\t' '  '
		echo
	} >>"$jobs"
}

# format_of_boot IMAGE: what the table of formats calls it, with the options in $more;
# sets $format.
format_of_boot() {
	format=linux64
	case $more in
	*--boot=*)
		format=${more#*--boot=}
		format=${format%%[ \'\"]*}
		;;
	esac
	case $1 in
	*/vmlinux.*) format="compressed ELF" ;;
	*/vmlinux) format="ELF by $format" ;;
	*) format="bzImage by $format" ;;
	esac
}

# boot NAME IMAGE CPUS MIB STATUS PARAMETERS...: a boot of the stock guest, which
# judge() judges. The shell code in $before stands before the program, that in $after
# is run behind it; $more are more options, $console the kernel's words for its
# console, $limit the seconds it may take.
boot() {
	name=$1 image=$2 cpus=$3 mib=$4 status=$5
	shift 5
	format_of_boot "$image"
	[ -z "$after" ] || after="; status=\$?; $after; exit \$status"
	job "$name" "$limit" "$status" \
		"$before trapmap run $image -i /lab/guest.cpio" \
		"-m $mib -c $cpus -p '$console $*' $more $after"
	echo "$name $cpus $mib $status $format" >>"$work/boots"
	usual
}

# in_lab PROGRAM JOBS: one boot of the outer machine, with $lab_options, for at most half
# as long as the jobs may take in all; sets $lab.
in_lab() {
	seconds=120
	while read -r _ allowed _; do
		seconds=$((seconds + allowed / 2))
	done <"$2"
	# shellcheck disable=SC2086 # one word an option
	"$here/lab-$vendor.sh" --trapmap "$1" --timeout $((seconds * stretch)) \
		--kvm-args "$kvm_args" --jobs "$2" --results "$results" \
		$lab_options >"$work/lab-log" 2>&1 && lab=0 || lab=$?
	[ "$lab" != 77 ] || skip_all "$(tail -n 1 "$work/lab-log")"
}

# again PROGRAM: runs jobs once more that ended with another status than expected, if
# they are no more than two; says so, and what their first end was.
again() {
	while read -r name status; do
		[ -f "$results/$name/status" ] || continue
		got=$(cat "$results/$name/status")
		[ "$got" != "$status" ] || continue
		echo "# $name: status $got where $status was expected:" \
			"$(grep -m 1 '^trapmap: ' "$results/$name/stderr")" >&3
		grep "^$name " "$jobs"
	done <"$work/expected" 3>"$work/first-ends" >"$work/failed"
	count=$(wc -l <"$work/failed")
	[ "$lab" = 0 ] && [ "$count" -gt 0 ] && [ "$count" -le 2 ] || return 0
	cat "$work/first-ends"
	echo "# once more"
	while read -r name _; do
		rm -rf "${results:?}/$name"
	done <"$work/failed"
	in_lab "$1" "$work/failed"
}

# round NAME PROGRAM: all jobs. The outer machine is an emulated one and has been seen
# to hang as a whole, so that not even its own time-out for the job came; what it left
# undone gets one more boot, and is judged by that. So is a job or two that ended
# otherwise than expected: stock kernels have been seen to triple-fault in the
# emulator, once in a hundred boots or so.
round() {
	results=$work/$1
	began=$(date +%s)
	in_lab "$2" "$jobs"
	if [ "$lab" != 0 ]; then
		sed 's/^/# /' "$work/lab-log"
		while read -r name rest; do
			[ -f "$results/$name/status" ] || echo "$name $rest"
		done <"$jobs" >"$work/undone"
		echo "# $1: the outer machine hung in" \
			"$(head -n 1 "$work/undone" | cut -d' ' -f1);" \
			"once more from there"
		in_lab "$2" "$work/undone"
	fi
	mkdir -p "$results"
	again "$2"
	ended=$(date +%s)
	echo "# $1: $((ended - began)) s"

	broken=
	is "$lab" 0 "$1: the outer machine runs all jobs and powers off"
	[ -z "$broken" ] || sed 's/^/# /' "$work/lab-log"
	has "/$kvm_has\$" "$results/l1.log" "$1: kvm-$vendor says $kvm_has of itself"
	l1=$(cat "$results"/*/began 2>/dev/null | head -n 1)
	if [ "${l1:-0}" -ge $((began - 1)) ] && [ "${l1:-0}" -le "$ended" ]; then
		verdict 0 "$1: its clock is the host's"
	else
		verdict 1 "$1: its clock is the host's" "it began at '$l1'"
	fi
	while read -r name cpus mib status format; do
		judge "$name" "$cpus" "$mib" "$status" "$format"
	done <"$work/boots"
	[ -z "$keep" ] || {
		mkdir -p "$keep"
		cp -R "$results" "$keep/"
	}
}
