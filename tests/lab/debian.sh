#!/bin/sh
# SPDX-License-Identifier: MIT
#
# debian.sh: a Debian userland on a disk image, made by debootstrap, with its own
# kernel and its own initramfs, none of them changed. Prints the folder that holds
# debian.raw (ext4, no partitions), vmlinuz, initrd.img and mirror/, a package mirror
# with one package that is not installed, trapmap-greeting.
#
# It logs root in without a password, asks for its network by DHCP, and takes its
# packages from http://10.0.2.2:8080/, which under user networking is port 8080 of
# the host's loopback.
#
# Kept in the cache as fetch.sh keeps kernels. Needs root, as debootstrap does. Exit
# status: 0, or 1 with one line that says why.
set -eu

release=bookworm
size=1G

die() {
	echo "debian.sh: $*" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
cache=${TRAPMAP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/trapmap}
# What this script makes is as old as the script.
key=$(cksum <"$here/debian.sh" | cut -d' ' -f1)
dir=$cache/debian-$release-$key
tmp=

if [ -f "$dir/debian.raw" ]; then
	echo "$dir"
	exit 0
fi
[ "$(id -u)" = 0 ] || die "debootstrap needs root"
for tool in debootstrap mke2fs dpkg-deb gzip; do
	command -v $tool >/dev/null 2>&1 ||
		die "needs $tool (package $(case $tool in
		mke2fs) echo e2fsprogs ;;
		dpkg-deb) echo dpkg ;;
		*) echo $tool ;;
		esac))"
done

cleanup() {
	[ -z "$tmp" ] || rm -rf --one-file-system "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$cache"
tmp=$(mktemp -d "$cache/.debian.XXXXXX")
root=$tmp/root

# shellcheck disable=SC2016 # for apt-get to expand
# Where this machine gets its own packages from.
mirror=$(LC_ALL=C apt-get indextargets --format '$(SITE)' 2>/dev/null |
	grep -m 1 '^https\?://.*debian' || echo http://deb.debian.org/debian)

debootstrap --variant=minbase \
	--include=systemd-sysv,udev,dbus,iproute2,linux-image-cloud-amd64 \
	"$release" "$root" "$mirror" >"$tmp/log" 2>&1 ||
	die "debootstrap failed: $(tail -n 1 "$tmp/log")"

echo trapmap >"$root/etc/hostname"
echo '127.0.0.1 localhost trapmap' >"$root/etc/hosts"
sed -i 's/^root:[^:]*:/root::/' "$root/etc/shadow"
cat >"$root/etc/systemd/network/80-dhcp.network" <<'END'
[Match]
Type=ether

[Network]
DHCP=ipv4
LinkLocalAddressing=no
END
ln -s /lib/systemd/system/systemd-networkd.service \
	"$root/etc/systemd/system/multi-user.target.wants/"
echo 'nameserver 10.0.2.3' >"$root/etc/resolv.conf"
rm -f "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*_*
echo 'deb [trusted=yes] http://10.0.2.2:8080/ ./' >"$root/etc/apt/sources.list"

# The mirror: one package, whose program says that it was installed.
mkdir -p "$tmp/mirror" "$tmp/pkg/DEBIAN" "$tmp/pkg/usr/bin"
cat >"$tmp/pkg/DEBIAN/control" <<'END'
Package: trapmap-greeting
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: a program that greets
END
printf '#!/bin/sh\necho "greetings from a package"\n' \
	>"$tmp/pkg/usr/bin/trapmap-greeting"
chmod 755 "$tmp/pkg/usr/bin/trapmap-greeting"
deb=trapmap-greeting_1.0_all.deb
dpkg-deb --root-owner-group -b "$tmp/pkg" "$tmp/mirror/$deb" >/dev/null
{
	cat "$tmp/pkg/DEBIAN/control"
	echo "Filename: ./$deb"
	echo "Size: $(stat -c %s "$tmp/mirror/$deb")"
	echo "SHA256: $(sha256sum "$tmp/mirror/$deb" | cut -d' ' -f1)"
	echo
} >"$tmp/mirror/Packages"
gzip -k "$tmp/mirror/Packages"

cp "$root"/boot/vmlinuz-* "$tmp/vmlinuz"
cp "$root"/boot/initrd.img-* "$tmp/initrd.img"
truncate -s "$size" "$tmp/debian.raw"
mke2fs -q -t ext4 -L debian -d "$root" "$tmp/debian.raw" ||
	die "mke2fs failed"
rm -rf --one-file-system "$root" "$tmp/pkg" "$tmp/log"
chmod 755 "$tmp"
# The rename makes it whole or absent; somebody else may have won.
mv -T "$tmp" "$dir" 2>/dev/null || [ -f "$dir/debian.raw" ] ||
	die "cannot write to $dir"
echo "$dir"
