#!/bin/sh
# SPDX-License-Identifier: MIT
#
# suite.sh: stock Debian kernels and tiny guests under Trapmap on a real kvm-amd or
# kvm-intel (see lab-amd.sh and lab-intel.sh), judged by what the guest prints and by
# Trapmap's exit status, its words on stderr and its report. Output is TAP with a totals
# line. Exit status 0, 1 when something failed, 77 when the lab cannot run here.
#
#	suite.sh [--host HOST] [--trapmap FILE] [--keep FOLDER] [PART]...
#
# A HOST is one of rounds.sh; amd, without. A PART is a file of suite/ without its
# ".sh": its functions PART_jobs and PART_checks. Without any, those are run that the
# host is for, in one boot of the outer machine. The part sanitized is for a build with
# ASan and UBSan.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
trapmap=${TRAPMAP:-$top/build/vmm/cli/trapmap}
on=amd
keep= # of rounds.sh
while [ $# -ge 2 ]; do
	case $1 in
	--host) on=$2 ;;
	--trapmap) trapmap=$2 ;;
	--keep) keep=$2 ;;
	*) break ;;
	esac
	shift 2
done
for part; do
	[ -f "$here/suite/$part.sh" ] && continue
	echo "usage: suite.sh [--host HOST] [--trapmap FILE] [--keep FOLDER]" \
		"[PART]..." >&2
	exit 2
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

# shellcheck source=tests/lab/judge.sh
. "$here/judge.sh"
# shellcheck source=tests/lab/rounds.sh
. "$here/rounds.sh"

on_host "$on" || {
	echo "suite.sh: there is no host '$on' (rounds.sh has them)" >&2
	exit 2
}

[ -x "$trapmap" ] || skip_all "no program at $trapmap"
trapmap=$(realpath "$trapmap")
PATH=$PATH:/usr/sbin:/sbin command -v mke2fs >/dev/null 2>&1 ||
	skip_all "mke2fs is not installed (package e2fsprogs)"
"$here/fetch.sh" >"$work/fetch" 2>&1 || skip_all "$(tail -n 1 "$work/fetch")"

parts=$*
[ $# -gt 0 ] || case $host in
amd) parts='doctor boots smp ends virtio net share exec formats guests' ;;
*) parts='doctor formats guests' ;;
esac
begin_round
for part in $parts; do
	# shellcheck source=/dev/null # a part
	. "$here/suite/$part.sh"
	"${part}_jobs"
done
round "$host" "$trapmap"
for part in $parts; do
	"${part}_checks"
done
follow_schema
totals
