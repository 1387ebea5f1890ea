#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mkinitramfs.sh [-z] [-i INIT] [-a FOLDER]... OUTPUT: an initramfs (cpio,
# newc) of a static busybox and an init, by default guest-init, the one that
# prints what machine it finds and then ends. -a adds the tree of a FOLDER, -z
# compresses. Needs no root: the kernel brings /dev/console itself.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
init=$here/guest-init
zip='cat'
tmp=

die() {
	echo "mkinitramfs.sh: $*" >&2
	exit 1
}

usage() {
	die "usage: mkinitramfs.sh [-z] [-i INIT] [-a FOLDER]... OUTPUT"
}

cleanup() {
	[ -z "$tmp" ] || rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

tmp=$(mktemp -d)
mkdir "$tmp/root"
while getopts a:i:z opt; do
	case $opt in
	a)
		[ -d "$OPTARG" ] || die "no such folder: $OPTARG"
		cp -R "$OPTARG/." "$tmp/root/"
		;;
	i) init=$OPTARG ;;
	z) zip='gzip -1n' ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 1 ] || usage

busybox=$(command -v busybox) || die "needs busybox (package busybox-static)"
# A dynamic one would want its libraries; ldd says so with status 0.
if ldd "$busybox" >/dev/null 2>&1; then
	die "$busybox is not static (install package busybox-static)"
fi
command -v cpio >/dev/null 2>&1 || die "needs cpio"
[ -f "$init" ] || die "no such file: $init"

cd "$tmp/root"
mkdir -p bin dev proc sys tmp root
cp "$busybox" bin/busybox
ln -sf busybox bin/sh
cd - >/dev/null
cp "$init" "$tmp/root/init"
chmod 755 "$tmp/root" "$tmp/root/init" "$tmp/root/bin/busybox"

(cd "$tmp/root" && find . | LC_ALL=C sort |
	cpio --quiet -o -H newc -R 0:0 --reproducible) >"$tmp/cpio"
$zip <"$tmp/cpio" >"$tmp/out"
cp "$tmp/out" "$1"
