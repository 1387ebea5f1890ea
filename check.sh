#!/bin/bash
# SPDX-License-Identifier: MIT
#
# check.sh [--quick|--table]: builds and tests everything, in one line a suite and
# totals at the end. Exit status 0 when nothing failed. --quick: the gcc build's
# unit tests and guests, in about a minute. --table: everything, and the table of
# boot formats in the README is written anew from what came of it.
#
# Missing Debian packages are installed (as root, or with sudo). Builds and logs
# are in build-check/, or in $TRAPMAP_BUILD.
set -uo pipefail

top=$(cd "$(dirname "$0")" && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lab/packages.sh
. tests/lab/packages.sh

quick=
table=
case ${1:-} in
'') ;;
--quick) quick=yes ;;
--table) table=yes ;;
*)
	echo "usage: ./check.sh [--quick|--table]" >&2
	exit 2
	;;
esac

base=${TRAPMAP_BUILD:-build-check}
mkdir -p "$base" || exit 1
base=$(cd "$base" && pwd)
failures=$base/failures
: >"$failures"
# What the table of formats is made of, see tests/lab/record.sh.
results=$base/results
rm -rf "$results"
passed=0
failed=0
skipped=0

# Found faults end a test at once, with the place where they happened.
export ASAN_OPTIONS=detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# report BUILD SUITE PASSED FAILED SKIPPED SECONDS [REASON]
report() {
	local what
	passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
	if [ "$3" = 0 ] && [ "$4" = 0 ]; then
		what="skipped: ${7:-no tests}"
	else
		what="$3 passed"
		[ "$4" = 0 ] || what+=", $4 FAILED"
		[ "$5" = 0 ] || what+=", $5 skipped${7:+ ($7)}"
	fi
	printf '%-6s %-9s %5d s  %s\n' "$1" "$2" "$6" "$what"
}

# build NAME COMPILER OPTION...: a build without a single warning, or a failure.
build() {
	local name=$1 cc=$2 begin=$SECONDS log=$base/$1.log
	shift 2
	{
		if [ -f "$base/$name/build.ninja" ]; then
			meson configure "$base/$name" "$@"
		else
			CC=$cc meson setup "$base/$name" --werror "$@"
		fi && ninja -C "$base/$name"
	} >"$log" 2>&1 </dev/null
	# shellcheck disable=SC2181 # the braces are what is asked about
	if [ $? = 0 ]; then
		report "$name" build 1 0 0 $((SECONDS - begin))
		return 0
	fi
	report "$name" build 0 1 0 $((SECONDS - begin))
	{
		echo "---- $name: build"
		grep -A 6 -m 12 -E '(error|ERROR|warning): ' "$log" |
			cut -c 1-200 | sed 's/^/    /'
	} >>"$failures"
	return 1
}

# suite NAME SUITE [MESON-TEST-ARGUMENT]...: a meson suite of a build.
suite() {
	local name=$1 suite=$2 begin=$SECONDS log json counts p f s reason
	shift 2
	log=$base/$name-$suite
	if [ $# = 0 ]; then
		set -- --suite "$suite"
	fi
	rm -f "$base/$name/meson-logs/check-$suite"*
	meson test -C "$base/$name" --no-rebuild --logbase "check-$suite" \
		-t "$patience" "$@" >"$log.log" 2>&1 </dev/null
	# A wrapper's name becomes a part of the log's.
	json=$(find "$base/$name/meson-logs" -name "check-$suite*.json")
	if [ ! -s "$json" ]; then
		if grep -q -i 'no suitable tests\|no tests defined' "$log.log"; then
			report "$name" "$suite" 0 0 1 0 "it has no tests"
		else
			report "$name" "$suite" 0 1 0 $((SECONDS - begin))
			sed "1i---- $name: $suite: meson test did not run" \
				"$log.log" | tail -n 20 >>"$failures"
		fi
		return
	fi
	: >"$base/failed-now"
	counts=$(python3 tests/lab/totals.py "$json" "$base/failed-now")
	read -r p f s reason <<<"$counts"
	sed "s/^---- /---- $name: /" "$base/failed-now" >>"$failures"
	report "$name" "$suite" "${p:-0}" "${f:-1}" "${s:-0}" \
		$((SECONDS - begin)) "$reason"
}

# The product's own files through clang-tidy, by the clang build's commands.
tidy() {
	local begin=$SECONDS log=$base/$1-tidy.log
	if ! command -v run-clang-tidy >/dev/null 2>&1; then
		report "$1" tidy 0 0 1 0 "clang-tidy is not installed"
		return
	fi
	if run-clang-tidy -quiet -p "$base/$1" \
		"$top/(vmm|devices)/.*\\.c\$" >"$log" 2>&1 </dev/null; then
		report "$1" tidy 1 0 0 $((SECONDS - begin))
		return
	fi
	report "$1" tidy 0 1 0 $((SECONDS - begin))
	{
		echo "---- $1: tidy"
		grep -E 'error:|warning:' "$log" | sort -u | head -n 40 |
			sed 's/^/    /'
	} >>"$failures"
}

# The tests that run threads, of those that a build has.
threaded() {
	meson test -C "$base/$1" --list 2>/dev/null |
		sed -n 's/^.*:\(unit\|api\) \/ //p' |
		grep -E '^(loop|iothreads|chardev|port-fd|vcpu|api|gmem|bus|trace|watch|frame-ring|net-user|nvram-file|machine-serial|port-kept|p9-(share|escape)|virtio-(9p|each)|virtq-(threads|split|packed))' |
		sort -u
}

# TSan wants an address space less random than some kernels make it.
no_random=()
if command -v setarch >/dev/null 2>&1 &&
	setarch "$(uname -m)" -R true 2>/dev/null; then
	no_random=(--wrapper "setarch $(uname -m) -R")
fi

# lab BUILD NAME SCRIPT [ARGUMENT]...: runs a suite of tests/lab with a build's program,
# and notes how long it took.
lab() {
	local build=$1 name=$2 script=$3 begin=$SECONDS
	shift 3
	rm -rf "${base:?}/$name"
	TRAPMAP_RESULTS=$results "tests/lab/$script" \
		--trapmap "$base/$build/vmm/cli/trapmap" --keep "$base/$name" \
		"$@" >"$base/$name.log" 2>&1 </dev/null
	echo $((SECONDS - begin)) >"$base/$name.seconds"
}

# report_lab BUILD NAME: by its TAP and its totals.
report_lab() {
	local log=$base/$2.log p f s reason=
	read -r p f s < <(tail -n 1 "$log" | tr -dc '0-9 \n')
	[ "${s:-0}" = 0 ] || reason=$(sed -n 's/.*# SKIP //p' "$log" | head -n 1)
	if [ "${f:-1}" != 0 ]; then
		{
			echo "---- $2"
			grep -v '^ok ' "$log" | sed 's/^/    /' | head -n 150
		} >>"$failures"
	fi
	report "$1" "$2" "${p:-0}" "${f:-1}" "${s:-0}" \
		"$(cat "$base/$2.seconds")" "$reason"
}

# labs "BUILD NAME SCRIPT [ARGUMENT]..."...: as many at a time as there are processors, as an
# emulator keeps one of them busy. The longest are the first.
labs() {
	local words parts
	# What runs in a shell's background does not hear Ctrl-C.
	trap 'trap - TERM; kill 0; exit 130' INT TERM
	# What they share is fetched once.
	tests/lab/fetch.sh >"$base/fetch.log" 2>&1 </dev/null
	for words; do
		while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
			wait -n
		done
		# shellcheck disable=SC2086 # a list of words
		lab $words &
	done
	wait
	for words; do
		read -r -a parts <<<"$words"
		report_lab "${parts[0]}" "${parts[1]}"
	done
}

finish() {
	if [ -s "$failures" ]; then
		echo
		echo "What failed (logs are in ${base#"$top"/}/):"
		cat "$failures"
		echo
	fi
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
	exit
}

# shellcheck disable=SC2086,SC2154 # lists of words, from packages.sh
if [ -n "$quick" ]; then
	packages_install $packages_build $packages_check
else
	packages_install $packages_build $packages_guest $packages_lab \
		$packages_lab_intel $packages_check
fi || echo "check.sh: going on without them" >&2

patience=2
if build gcc gcc; then
	suite gcc unit
	[ -n "$quick" ] || for part in lint fuzz api; do
		suite gcc $part
	done
	TRAPMAP_RESULTS=$results suite gcc guests
	TRAPMAP_RESULTS=$results sh tests/lab/here.sh "$base/gcc/vmm/cli/trapmap"
fi
[ -z "$quick" ] || finish

patience=6
if build asan clang -Db_sanitize=address,undefined -Db_lundef=false; then
	suite asan unit
	suite asan fuzz
	suite asan api
	suite asan guests
	tidy asan
fi

patience=10
if build tsan clang -Db_sanitize=thread -Db_lundef=false; then
	mapfile -t tests < <(threaded tsan)
	if [ ${#tests[@]} -gt 0 ]; then
		suite tsan threads "${no_random[@]}" "${tests[@]}"
	else
		report tsan threads 0 0 1 0 "no tests run threads"
	fi
fi

labs "gcc lab-amd suite.sh" \
	"gcc lab-intel suite.sh --host intel" \
	"gcc lab-ept0 suite.sh --host intel-ept0" \
	"gcc lab-ug0 suite.sh --host intel-ug0" \
	"gcc lab-npt0 suite.sh --host amd-npt0" \
	"asan lab-asan suite.sh sanitized" \
	"gcc debian debian-suite.sh"
python3 tests/lab/table.py "$results" >"$base/formats.md" &&
	[ -n "$table" ] && python3 tests/lab/table.py "$results" README.md
finish
