#!/bin/sh
# SPDX-License-Identifier: MIT
#
# vmlinux.sh BZIMAGE OUTPUT: the ELF kernel inside a bzImage, found by the
# header's payload_offset and payload_length (protocol 2.08, see the kernel's
# Documentation/x86/boot.rst).
set -eu

die() {
	echo "vmlinux.sh: $*" >&2
	exit 1
}

[ $# = 2 ] || die "usage: vmlinux.sh BZIMAGE OUTPUT"
image=$1
out=$2
if ! [ -f "$image" ] || ! [ -r "$image" ]; then
	die "cannot read $image"
fi

# number OFFSET SIZE: a little-endian field of the setup header.
number() {
	od -An -v "-tu$2" "-j$1" "-N$2" "$image" 2>/dev/null | tr -d ' \n'
}

[ "$(number 514 4)" = 1400005704 ] || # "HdrS" at 0x202
	die "$image is not a bzImage: no HdrS at 0x202"
[ "$(number 518 2)" -ge 520 ] || die "$image: boot protocol before 2.08"

sectors=$(number 497 1)
[ "$sectors" != 0 ] || sectors=4
payload=$(($(number 584 4) + (sectors + 1) * 512))
# The last four bytes are the unpacked size, put there by the kernel's build.
# Gzip has it as a part of its format; other tools would call it garbage.
length=$(number 588 4)
[ "$length" -gt 4 ] || die "$image: no payload"

magic=$(od -An -v -tx1 "-j$payload" -N4 "$image" | tr -d ' \n')
trailer=4
case $magic in
1f8b*) unpack='gzip -dc' trailer=0 package=gzip ;;
fd377a58) unpack='xz -dc' package=xz-utils ;;
28b52ffd) unpack='zstd -dcq' package=zstd ;;
02214c18) unpack='lz4 -dcq' package=lz4 ;;
5d0000*) unpack='lzma -dc' package=xz-utils ;;
425a68*) unpack='bzip2 -dc' package=bzip2 ;;
894c5a4f) unpack='lzop -dc' trailer=0 package=lzop ;;
7f454c46) unpack=cat trailer=0 package=coreutils ;;
*) die "$image: unknown compression, payload begins with $magic" ;;
esac
command -v "${unpack%% *}" >/dev/null 2>&1 ||
	die "$image: needs ${unpack%% *} (package $package)"

# To a name of its own first, so that a failure leaves no half of a kernel.
partial=$out.$$
trap 'rm -f "$partial"' EXIT
trap 'exit 1' HUP INT TERM
tail -c "+$((payload + 1))" "$image" | head -c "$((length - trailer))" |
	$unpack >"$partial" || die "$image: the payload does not unpack"
[ "$(od -An -v -tx1 -N4 "$partial" | tr -d ' \n')" = 7f454c46 ] ||
	die "$image: the payload is not an ELF kernel"
mv "$partial" "$out"
