# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh: what the tests of the command share, to be sourced by each with its own
# arguments: the first is TRAPMAP. From then on the test is in a scratch folder of
# its own, which goes at its end; a path that it was given has to be made absolute
# before.

trapmap=$(realpath "$1") || exit 2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
passed=0

pass() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	echo "FAILED $*"
}

# is WHAT GOT EXPECTED
is() {
	if [ "$2" = "$3" ]; then
		pass
	else
		fail "$1: got '$2', expected '$3'"
	fi
}

# has WHAT TEXT PART
has() {
	case $2 in
	*"$3"*) pass ;;
	*) fail "$1: no '$3' in '$2'" ;;
	esac
}

# capture WORD...: runs trapmap. Leaves $status, $out and $err.
capture() {
	timeout 60 "$trapmap" "$@" >out 2>err
	status=$?
	# shellcheck disable=SC2034 # the tests use it
	out=$(cat out)
	err=$(cat err)
}

# refuses "PART OF THE LINE" WORD...: by run(), which the test has; status 2 and
# one line on stderr that begins as all of Trapmap's do.
refuses() {
	part=$1
	shift
	run "$@"
	is "status of '$*'" "$status" 2
	is "lines of '$*'" "$(wc -l <err)" 1
	has "'$*'" "$err" "trapmap: "
	has "'$*'" "$err" "$part"
}

# Opened, not only looked at: the mode bits do not say whether KVM answers.
kvm_is_here() {
	[ -c /dev/kvm ] && sh -c ': <>/dev/kvm' 2>/dev/null
}

# finish [STATUS]: the sum, and the end; 1 if anything failed.
finish() {
	echo "$passed checks passed, $failed failed"
	[ $failed -eq 0 ] || exit 1
	exit "${1:-0}"
}
