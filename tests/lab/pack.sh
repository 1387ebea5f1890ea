# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# pack.sh: what a lab's outer machine (L1) is given: the program under test, the files
# that its jobs name, Debian's kernels, modules, and l1-init, as an initramfs. Sourced
# by lab-amd.sh and lab-intel.sh after lab.sh, never run; pack() is its way in.

root=$tmp/root

# Puts file $1 into L1 at its own absolute path.
add_file() {
	mkdir -p "$root${1%/*}"
	[ -e "$root$1" ] || cp -L "$1" "$root$1"
}

# A program with the libraries that the loader would give it here. They keep
# their paths, so that a run path relative to the program holds there too.
add_program() {
	add_file "$1"
	libs=$(ldd "$1" 2>/dev/null |
		sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p')
	for lib in $libs; do
		add_file "$lib"
	done
}

# What trapmap loads by itself, if this machine has it: its disassembler, and user
# networks, with what they need in turn.
add_loaded() {
	libs=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null |
		sed -n 's/.*lib\(Zydis\|Zycore\|slirp\)\.so\.[0-9.]* .*=> //p')
	for lib in $libs; do
		add_program "$lib"
	done
}

# One word that a command line has: a file of this machine, or one of ours.
add_word() {
	case $1 in
	/lab/cloud/System.map)
		: >"$root/lab/want-map"
		;;
	/lab/cloud/* | /lab/generic/*)
		flavour=${1#/lab/}
		flavour=${flavour%%/*}
		add_stock "$flavour" "${1##*/}"
		;;
	/lab/guest.cpio) want_guest=yes ;;
	/*)
		if [ -x "$1" ] && [ -f "$1" ]; then
			add_program "$1"
		elif [ -f "$1" ]; then
			add_file "$1"
		fi
		;;
	esac
}

kernel_folder() {
	eval "folder=\${folder_$1:-}"
	if [ -z "$folder" ]; then
		folder=$("$here/fetch.sh" "$1") || exit 70
		eval "folder_$1=\$folder"
	fi
}

# add_stock cloud|generic vmlinuz|vmlinux|vmlinux.gz
add_stock() {
	[ ! -f "$root/lab/$1/$2" ] || return 0
	kernel_folder "$1"
	mkdir -p "$root/lab/$1"
	case $2 in
	vmlinuz) cp "$folder"/boot/vmlinuz-* "$root/lab/$1/vmlinuz" ;;
	vmlinux)
		# Unpacked once, kept beside the kernel.
		[ -f "$folder/boot/vmlinux" ] ||
			"$here/vmlinux.sh" "$folder"/boot/vmlinuz-* \
				"$folder/boot/vmlinux" || exit 70
		cp "$folder/boot/vmlinux" "$root/lab/$1/vmlinux"
		;;
	vmlinux.gz)
		add_stock "$1" vmlinux
		gzip -1nc "$root/lab/$1/vmlinux" >"$root/lab/$1/vmlinux.gz"
		;;
	*) die "no such file: /lab/$1/$2" ;;
	esac
}

# add_module FILE FOLDER: puts a module there, unpacked, and without what only a
# debugger wants, if there is somebody to take it away.
add_module() {
	name=${1##*/}
	mkdir -p "$2"
	case $name in
	*.xz) xz -dc "$1" >"$2/${name%.xz}" ;;
	*.zst) zstd -dcq "$1" >"$2/${name%.zst}" ;;
	*) cp "$1" "$2/$name" ;;
	esac
	strip --strip-debug "$2/${name%.[xz]*}" 2>/dev/null || :
}

# add_modules KERNEL ROOT NAME...: puts these modules of an unpacked kernel, and
# what they need, into ROOT for modprobe. Those that the kernel has not are left
# out.
add_modules() {
	tree=$(echo "$1"/lib/modules/*)
	to=$2/lib/modules/${tree##*/}
	shift 2
	mkdir -p "$to"
	for name; do
		# A line of modules.dep: FILE: FILE..., what it needs.
		grep "/$name\.ko" "$tree/modules.dep" || :
	done | tr -d : | tr ' ' '\n' | sort -u | while read -r file; do
		add_module "$tree/$file" "$to/${file%/*}"
	done
	busybox depmod -b "${to%/lib/modules/*}" "${to##*/}"
}

# add_socket FOLDER: lab-socket, where it can be made, for guests and for L1.
add_socket() {
	mkdir -p "$1"
	[ -f "$tmp/lab-socket" ] ||
		"${CC:-cc}" -O1 -static -o "$tmp/lab-socket" "$here/socket.c" \
			2>/dev/null || return 0
	cp "$tmp/lab-socket" "$1/"
}

# What a guest may want to load.
guest_modules='pvpanic-mmio pvpanic-pci virtio_mmio virtio_pci virtio-rng virtio_blk
	virtio_net virtio_console virtio_balloon virtio_pmem nd_pmem
	9pnet_virtio 9p vmw_vsock_virtio_transport af_packet overlay ext4
	squashfs crc32c_generic crc32c-intel button evdev'

# The guest's initramfs, with what trapmap.modules= may name for the kernels
# that have been asked for.
add_guest() {
	mkdir "$tmp/guest"
	for path in "${folder_cloud:-}" "${folder_generic:-}"; do
		# shellcheck disable=SC2086 # one word a module
		[ -z "$path" ] || add_modules "$path" "$tmp/guest" $guest_modules
	done
	add_socket "$tmp/guest/bin"
	"$here/mkinitramfs.sh" -a "$tmp/guest" "$root/lab/guest.cpio"
}

quote() {
	printf "'%s' " "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

# pack_jobs [COMMAND...]: the jobs, or a single one of the command, and the files that
# they name.
pack_jobs() {
	if [ -n "$jobs" ]; then
		cp "$jobs" "$root/lab/jobs"
		for word in $(tr "='\",;()|&" ' ' <"$jobs"); do
			add_word "$word"
		done
		return
	fi
	line="cd $(quote "$PWD")2>/dev/null; exec"
	mkdir -p "$root$PWD"
	for arg; do
		add_word "$arg"
		case $arg in
		/*) ;;
		*) [ ! -f "$arg" ] || add_word "$PWD/$arg" ;;
		esac
		line="$line $(quote "$arg")"
	done
	echo "run $limit $line" >"$root/lab/jobs"
}

pack_trapmap() {
	if [ -x "$trapmap" ]; then
		trapmap=$(cd "$(dirname "$trapmap")" && pwd)/$(basename "$trapmap")
		add_program "$trapmap"
		add_loaded
		ln -s "$trapmap" "$root/bin/trapmap"
		return
	fi
	case " $* $(cat "$root/lab/jobs")" in
	*[\ /]trapmap\ *) die "no program at $trapmap (--trapmap FILE)" ;;
	esac
}

# What "trapmap exec" looks for in L1.
pack_exec() {
	for path in "${folder_cloud:-}" "${folder_generic:-}"; do
		# shellcheck disable=SC2086 # one word a module
		[ -z "$path" ] || add_modules "$path" "$root" $guest_modules
		[ -z "$path" ] || cp "$path"/lib/modules/*/modules.builtin \
			"$root"/lib/modules/"$(basename "$path"/lib/modules/*)"/
	done
}

# pack OUTPUT [COMMAND...]: L1's initramfs, for $jobs or for the command. Leaves the
# kernel that L1 runs in $l1_kernel.
pack() {
	output=$1
	shift
	need busybox busybox-static
	need cpio cpio
	mkdir -p "$root/lab/modules" "$root/bin"
	want_guest=
	pack_jobs "$@"
	[ -z "$folder_added" ] || {
		mkdir -p "$root$folder_added"
		cp -RL "$folder_added/." "$root$folder_added/"
	}
	[ -z "$want_guest" ] || add_guest
	add_socket "$root/bin"
	pack_trapmap "$@"
	if grep -q 'trapmap exec' "$root/lab/jobs"; then
		pack_exec
	fi

	# KVM's own modules, of the kernel that L1 runs, and those that a job may
	# want to modprobe there.
	kernel_folder cloud
	# shellcheck disable=SC2086 # one word a module
	add_modules "$folder" "$root" $l1_modules
	echo "$vendor" >"$root/lab/vendor"
	[ -z "$kvm_args" ] || echo "$kvm_args" >"$root/lab/kvm-$vendor.args"
	for module in irqbypass kvm "kvm-$vendor"; do
		path=$(find "$folder" -name "$module.ko*" | head -n 1)
		[ -n "$path" ] || die "$folder has no module $module"
		add_module "$path" "$root/lab/modules"
	done
	l1_kernel=$(echo "$folder"/boot/vmlinuz-*)

	# For one command, the ports for its stdout and its stderr.
	[ -n "$jobs" ] || echo "/dev/ttyS2 /dev/ttyS3 $live_tty" >"$root/lab/live"
	"$here/mkinitramfs.sh" -i "$here/l1-init" -a "$root" "$output"
	rm -rf "$root" "$tmp/guest"
}
