#!/bin/sh
# SPDX-License-Identifier: MIT
#
# debian-suite.sh: a Debian userland (debian.sh) on a disk, booted under Trapmap on a
# real kvm-amd (lab-amd.sh) as a person would boot it: debian-session logs in, installs
# a package through user networking, and powers off. Output is TAP with a totals line.
# Exit status 0, 1 when something failed, 77 when it cannot run here.
#
#	debian-suite.sh [--trapmap FILE] [--keep FOLDER]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
trapmap=${TRAPMAP:-$top/build/vmm/cli/trapmap}
keep=
while [ $# -ge 2 ]; do
	case $1 in
	--trapmap) trapmap=$2 ;;
	--keep) keep=$2 ;;
	*) break ;;
	esac
	shift 2
done
if [ $# -gt 0 ]; then
	echo "usage: debian-suite.sh [--trapmap FILE] [--keep FOLDER]" >&2
	exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
PATH=$PATH:/usr/sbin:/sbin

TRAPMAP_RESULTS= # it tells nothing of formats
# shellcheck source=tests/lab/judge.sh
. "$here/judge.sh"
# shellcheck source=tests/lab/rounds.sh
. "$here/rounds.sh"

[ -x "$trapmap" ] || skip_all "no program at $trapmap"
for tool in qemu-system-x86_64:qemu-system-x86 e2fsck:e2fsprogs; do
	command -v "${tool%:*}" >/dev/null 2>&1 ||
		skip_all "${tool%:*} is not installed (package ${tool#*:})"
done
"$here/fetch.sh" cloud >"$work/log" 2>&1 || skip_all "$(tail -n 1 "$work/log")"
debian=$("$here/debian.sh" 2>"$work/log") || skip_all "$(tail -n 1 "$work/log")"

# Without the disk, which the outer machine has as one.
mkdir "$work/debian"
for name in vmlinuz initrd.img mirror; do
	ln -s "$debian/$name" "$work/debian/"
done
begin_round
job debian 1700 0 "sh $here/debian-session $work/debian /dev/vda"
lab_options="--add $work/debian --disk $work/debian.raw"
results=$work/results
out=$results/debian

# As for the other suite: what went wrong once, on an emulated machine, gets a second
# go, on a disk of its own.
for attempt in 1 2; do
	rm -rf "$results"
	cp --sparse=always --reflink=auto "$debian/debian.raw" "$work/debian.raw"
	in_lab "$trapmap" "$jobs"
	[ "$lab" != 0 ] || [ "$(left status)" != 0 ] || break
	[ $attempt = 2 ] || {
		sed 's/^/# /' "$work/lab-log"
		tail -n 5 "$out/stderr" 2>/dev/null | sed 's/^/# /' || :
		echo "# once more"
	}
done

is "$lab" 0 "debian: the outer machine runs the session and powers off"
[ "$lab" = 0 ] || sed 's/^/# /' "$work/lab-log"
ended debian 0
# Without what colours it and moves its cursor.
escape=$(printf '\033')
sed "s/\r//g; s/$escape\[[0-9;?]*[a-zA-Z]//g" "$out/stdout" >"$out/console" \
	2>/dev/null || :
has '^trapmap login: ' "$out/console" "debian: its own kernel and initrd come to a login"
has '10\.0\.2\.15/24' "$out/console" "debian: it has its address by DHCP"
has '^apt=0\.' "$out/console" "debian: apt installs a package"
has '^greetings from a package$' "$out/console" "debian: and the package works"
told debian "it powers off" '^trapmap: the guest powered off'
e2fsck -fn "$work/debian.raw" >"$work/fsck" 2>&1 && truth=0 || truth=1
verdict "$truth" "debian: fsck finds nothing on its disk" \
	"$(tail -n 3 "$work/fsck" | tr '\n' ' ')"
[ -z "$keep" ] || {
	mkdir -p "$keep"
	cp -R "$results/." "$keep/"
}
totals
