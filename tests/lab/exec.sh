#!/bin/sh
# SPDX-License-Identifier: MIT
#
# exec.sh SHARE SHARE FILE: what a command of "trapmap exec" finds, as "name : value" lines;
# it writes to both shares, leaves a process behind, and ends with status 7. For a
# busybox.

say() {
	name=$1
	shift
	printf '%-14s: %s\n' "$name" "$*"
}

say kernel "$(uname -r)"
say CPUs "$(nproc)"
say input "$(cat /dev/stdin)"
say said "$SAID"
say folder "$PWD"
say program "$(trapmap --version)"
say root "$(touch /new 2>&1)"
echo kept >/tmp/file
say own "$(cat /tmp/file)"
say kept "$(cat "$3")"
say module "$(modprobe overlay && sed -n 's/^nodev\t\(overlay\)$/\1/p' /proc/filesystems)"
echo 'from the guest' >"$1/below/file"
echo 'from the guest' >"$2/file"
echo 'to stderr' >&2
sleep 1000 &
exit 7
