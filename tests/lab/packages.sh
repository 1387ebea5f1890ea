# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
#
# packages.sh: the Debian packages that each task needs, in one place, and a
# function that installs those that are missing. Sourced, never run.

# To compile trapmap itself.
packages_build='gcc libc6-dev linux-libc-dev libfdt-dev libjansson-dev
	liblz4-dev liblzma-dev libslirp-dev liburing-dev libyaml-dev libzstd-dev
	libzydis-dev meson ninja-build pkg-config python3 zlib1g-dev'

# To unpack a kernel package and make an initramfs.
packages_guest='busybox-static cpio gzip'

# To emulate a machine with AMD-V, make taps in it, unpack the ELF kernel in a
# bzImage, and make disks, one of them with a Debian userland.
packages_lab='binutils debootstrap e2fsprogs iproute2 lz4 qemu-system-x86 xz-utils
	zstd'

# To emulate a machine with VT-x, and make the disc that it boots from.
packages_lab_intel='bochs bochs-term bochsbios isolinux syslinux-common vgabios
	xorriso'

# What check.sh needs beyond these: the unit tests' library, the second
# compiler with its sanitizers, a C++ compiler for the public header, linters.
packages_check='acpica-tools clang clang-format clang-tidy cppcheck
	device-tree-compiler g++ libclang-rt-dev libcmocka-dev
	libxml2-utils lz4 python3-jsonschema python3-yaml qemu-utils shellcheck
	util-linux xz-utils zstd'

# packages_missing NAME...: prints those that are not installed.
packages_missing() {
	for pkg; do
		dpkg-query -W -f '${Status}\n' "$pkg" 2>/dev/null |
			grep -q '^install ok installed' || echo "$pkg"
	done
}

# packages_install NAME...: installs what is missing. Needs root or sudo; says
# what it does in one line. With neither, names what is missing and fails.
packages_install() {
	# shellcheck disable=SC2046 # one word a package
	set -- $(packages_missing "$@")
	[ $# -gt 0 ] || return 0

	if ! command -v apt-get >/dev/null 2>&1; then
		echo "These packages are needed (names as in Debian 12): $*" >&2
		return 1
	fi
	as_root=
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null 2>&1; then
			echo "Run as root, or install first: apt-get install $*" >&2
			return 1
		fi
		as_root=sudo
	fi
	echo "Installing $# packages: $*" >&2
	packages_log=$(mktemp) || return 1
	# An index that is not there yet, or too old for the mirror, is fetched.
	if packages_apt "$@" >"$packages_log" 2>&1 ||
		{ $as_root apt-get -qq update >>"$packages_log" 2>&1 &&
			packages_apt "$@" >>"$packages_log" 2>&1; }; then
		rm -f "$packages_log"
		return 0
	fi
	echo "apt-get could not install them:" >&2
	tail -n 15 "$packages_log" >&2
	rm -f "$packages_log"
	return 1
}

packages_apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
		apt-get -qq -y -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
		install --no-install-recommends "$@" </dev/null
}
