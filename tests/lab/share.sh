#!/bin/sh
# SPDX-License-Identifier: MIT
#
# share.sh make FOLDER | check FOLDER | guest: a shared folder, from three sides. In the
# outer machine, `make` fills it and puts a copy of this script there, and `check` looks
# at what has become of it. `guest` uses it, in a guest that has it at /mnt; the same
# folder is there as "loose", for which the guest's cache is on, and read-only as "ro".
# What each finds it says as "name : value" lines. For a busybox.
set -u

say() {
	name=$1; shift; printf '%-14s: %s\n' "$name" "$*"
}

# The sums of all files below the folder, in one.
sums() {
	(cd "$1" && find . -type f | sort | xargs md5sum) | md5sum | cut -c1-32
}

make() {
	i=0
	while [ $i -lt 200 ]; do
		mkdir -p "$1/tree/$((i % 7))/$((i % 3))"
		dd if=/dev/urandom of="$1/tree/$((i % 7))/$((i % 3))/file-$i" \
			bs=$((i * 41 + 1)) count=1 2>/dev/null
		i=$((i + 1))
	done
	cp -R "$1/tree/6/2" "$1/few"
	dd if=/dev/urandom of="$1/few/large" bs=64k count=4 2>/dev/null
	chmod 640 "$1/tree/0/0/file-0"
	ln -s few/large "$1/inside"
	echo 'not for the guest' >"${1%/*}/secret"
	ln -s ../secret "$1/outside"
	mkfifo "$1/fifo"
	cp /bin/busybox "$1/busybox"
	sums "$1/few" >"$1/few-sum"
	sums "$1/tree" >"$1/tree-sum"
	cp "$0" "$1/run"
}

check() {
	say made "$(cat "$1/made/renamed"), $(readlink "$1/made/link")," \
		"$(stat -c '%a %h' "$1/made/renamed"), $(find "$1/made" | wc -l) names"
	say written "$(md5sum <"$1/written" | cut -c1-32)"
	if [ "$(sums "$1/copy")" = "$(sums "$1/tree/0")" ]; then
		say copied "all, $(stat -c %a "$1/copy/0/file-0")"
	fi
}

options=trans=virtio,version=9p2000.L

# read_tree NAME TREE: reads all and says whether it is what was written there.
read_tree() {
	if [ "$(sums "$2")" = "$(cat "$2-sum")" ]; then
		say "$1" "$(find "$2" -type f | wc -l) files as they were"
	else
		say "$1" 'others than they were'
	fi
}

use() {
	mkdir made
	echo 'a line' >made/file
	chmod 600 made/file
	mv made/file made/renamed
	ln made/renamed made/hard
	ln -s renamed made/link
	touch made/gone
	rm made/gone
	say links "$(cat made/link), $(md5sum <inside | cut -c1-32)," \
		"$(cat outside 2>/dev/null || echo nothing)"
	say large "$(md5sum <few/large | cut -c1-32)"
	dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
	dd if=/tmp/data of=written bs=64k 2>/dev/null
	say sum "$(md5sum </tmp/data | cut -c1-32)"
	# What is run is mapped.
	say run "$(./busybox echo a program of the host)"
	exec 5<>made/open
	echo 'still there' >&5
	rm made/open
	say open "$(cat /proc/self/fd/5) $(stat -L -c %s /proc/self/fd/5)"
	exec 5>&-
}

guest() {
	cd /mnt || return
	read_tree read few
	use
	cd /
	mkdir /ro /loose
	mount -t 9p -o $options ro /ro
	say read-only "$(touch /ro/new 2>&1)"
	umount /ro
	mount -t 9p -o $options,cache=loose,msize=262144 loose /loose
	cd /loose || return
	read_tree cached tree
	read_tree again tree
	say 'run cached' "$(./busybox echo and again)"
	cp -a tree/0 copy
	cd /
	umount /loose
}

case $1 in
make) make "$2" ;;
check) check "$2" ;;
guest) guest ;;
esac
