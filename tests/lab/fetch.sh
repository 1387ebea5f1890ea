#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fetch.sh: Debian's stock kernels, unpacked into a cache folder outside the
# tree; nothing is installed. Prints one folder a line, in the order asked.
#
#	fetch.sh [cloud|generic]...
#
# The cache is $TRAPMAP_CACHE, or trapmap in $XDG_CACHE_HOME or ~/.cache. A
# folder holds boot/vmlinuz-*, boot/config-* and the modules that a guest or a
# nested host can use. Exit status: 0, or 1 with one line that says why.
set -eu

die() {
	echo "fetch.sh: $*" >&2
	exit 1
}

cache=${TRAPMAP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/trapmap}/kernels
# Of the list of files that unpack() keeps; a new list needs a new number.
kept=5
tmp=

cleanup() {
	[ -z "$tmp" ] || rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# The package that the metapackage $1 depends on now.
current_package() {
	LC_ALL=C apt-cache depends "$1" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | tail -n 1
}

# The version of package $1 that apt would download.
candidate_version() {
	LC_ALL=C apt-cache policy "$1" 2>/dev/null |
		sed -n 's/^ *Candidate: \([0-9].*\)$/\1/p'
}

# Downloads package $1 into the temporary folder.
download() {
	(
		cd "$tmp"
		# A sandboxed download needs a folder that the user _apt may
		# write to; this one is private. The package is signed anyway.
		apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 \
			download "$1" >log 2>&1 </dev/null
	)
}

# Unpacks the .deb in the temporary folder to the cache folder $1. Of 400 MB of
# modules, those that a virtual machine has a use for are kept.
unpack() {
	mkdir "$tmp/tree"
	dpkg-deb --fsys-tarfile "$tmp"/*.deb >"$tmp/data.tar" ||
		die "$1: the downloaded package is damaged"
	tar -x -f "$tmp/data.tar" -C "$tmp/tree" --wildcards --no-anchored \
		--exclude='*/gpu/*' 'boot/vmlinuz-*' 'boot/config-*' \
		'modules.*' 'kernel/arch/x86/kvm/*' 'kernel/virt/*' \
		'*virtio*' 'kernel/drivers/misc/pvpanic/*' 'kernel/drivers/vhost/*' \
		'kernel/drivers/nvdimm/*' 'kernel/drivers/dax/*' \
		'kernel/drivers/net/tun.*' 'kernel/drivers/net/tap.*' \
		'kernel/drivers/block/brd.*' 'kernel/drivers/acpi/button.*' \
		'kernel/drivers/input/evdev.*' \
		'*failover.ko*' 'kernel/net/9p/*' 'kernel/net/vmw_vsock/*' \
		'kernel/net/packet/*' \
		'kernel/fs/9p/*' 'kernel/fs/netfs/*' 'kernel/fs/fscache/*' \
		'kernel/fs/ext4/*' 'kernel/fs/jbd2/*' 'kernel/fs/mbcache*' \
		'kernel/fs/overlayfs/*' 'kernel/fs/squashfs/*' \
		'kernel/lib/*' 'kernel/crypto/*' 'kernel/arch/x86/crypto/*' \
		2>/dev/null || : # a pattern that a kernel has no file for
	set -- "$1" "$tmp"/tree/boot/vmlinuz-*
	[ -f "$2" ] || die "$1: no boot/vmlinuz in the package"
	# So that modprobe finds what a module needs; a package has no list of it.
	release=${2##*/vmlinuz-}
	busybox depmod -b "$tmp/tree" "$release" ||
		die "cannot list the modules of $release"
	# The rename makes it whole or absent; somebody else may have won.
	mv -T "$tmp/tree" "$1" 2>/dev/null || [ -d "$1/boot" ] ||
		die "cannot write to $1"
}

# Says where flavour $1 (metapackage $2) is, after fetching it if need be.
fetch() {
	reason=
	package=$(current_package "$2")
	if [ -z "$package" ] && [ "$(id -u)" = 0 ]; then
		apt-get -qq update >/dev/null 2>&1 || :
		package=$(current_package "$2")
	fi
	if [ -n "$package" ]; then
		version=$(candidate_version "$package")
		dir=$cache/${package}_${version}_$kept
		if [ ! -d "$dir/boot" ]; then
			tmp=$(mktemp -d "$cache/.fetch.XXXXXX") ||
				die "cannot write to $cache"
			if download "$package" || refresh_and_download "$2"; then
				unpack "$dir"
			else
				reason="could not download $package: $(
					tail -n 1 "$tmp/log" 2>/dev/null)"
			fi
			rm -rf "$tmp"
			tmp=
		fi
		if [ -d "$dir/boot" ]; then
			ln -sfn "${dir##*/}" "$cache/$1"
			echo "$dir"
			return
		fi
	else
		reason="apt knows no package $2; as root: apt-get update"
	fi
	[ -d "$cache/$1/boot" ] || die "$reason"
	echo "fetch.sh: $reason; using the copy from before, $(
		readlink "$cache/$1")" >&2
	(cd "$cache/$1" && pwd -P)
}

# The mirror may have dropped the version that a stale index names.
refresh_and_download() {
	[ "$(id -u)" = 0 ] || return 1
	apt-get -qq update >/dev/null 2>&1 || return 1
	package=$(current_package "$1")
	version=$(candidate_version "$package")
	dir=$cache/${package}_${version}_$kept
	download "$package"
}

for tool in apt-get apt-cache busybox dpkg-deb tar; do
	command -v $tool >/dev/null 2>&1 ||
		die "needs $tool (kernels come as Debian packages)"
done
mkdir -p "$cache" 2>/dev/null || die "cannot create the cache folder $cache"

[ $# -gt 0 ] || set -- cloud generic
for flavour; do
	case $flavour in
	cloud) fetch cloud linux-image-cloud-amd64 ;;
	generic) fetch generic linux-image-amd64 ;;
	*) die "unknown kernel '$flavour': cloud or generic" ;;
	esac
done
