#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-disk-full.sh TRAPMAP GUEST: a guest fills a disk whose image is on a
# filesystem that has no room for it; GUEST is that of tests/guests/virtio-blk.c.
# It pauses, and goes on once there is room; or it is told of an I/O error.
#
# Exit status 0: as expected; 1: not; 77: no /dev/kvm, or no mount in a namespace.

if [ "$3" != inside ]; then
	if ! { [ -c /dev/kvm ] && (exec 3<>/dev/kvm) 2>/dev/null; }; then
		echo "SKIPPED: /dev/kvm cannot be opened for reading and writing"
		exit 77
	fi
	if ! unshare -Urm sh -c 'mount -t tmpfs none /mnt && exec 3<>/dev/kvm' \
		2>/dev/null; then
		echo "SKIPPED: a tmpfs cannot be mounted in a namespace of one's own"
		exit 77
	fi
	exec unshare -Urm "$0" "$1" "$2" inside
fi

trapmap=$1 guest=$2
dir=$(mktemp -d) || exit 1
trap 'umount "$dir/m"; rm -rf "$dir"' EXIT
mkdir "$dir/m"
mount -t tmpfs -o size=512k none "$dir/m" || exit 1

fail()
{
	echo "FAILED: $1"
	sed 's/^/  stdout| /' "$dir/out"
	sed 's/^/  stderr| /' "$dir/err"
	exit 1
}

# wait_for FILE PATTERN
wait_for()
{
	for _ in $(seq 200); do
		grep -q "$2" "$dir/$1" && return 0
		sleep 0.05
	done
	fail "no '$2' in std$1"
}

# What the guest wrote: a letter for each 2 KiB.
expected()
{
	awk 'BEGIN { for (i = 0; i < 128; i++) {
		c = sprintf("%c", 65 + i % 26)
		for (k = 0; k < 2048; k++) printf "%s", c } }'
}

# fill FORMAT WERROR: begins, with 128 KiB of room.
fill()
{
	rm -f "$dir"/m/*
	if [ "$1" = raw ]; then
		truncate -s 256K "$dir/m/disk"
	else
		qemu-img create -q -f qcow2 -o cluster_size=4k "$dir/m/disk" \
			256K || exit 77
	fi
	head -c 384K /dev/zero >"$dir/m/filler"
	: >"$dir/out"
	: >"$dir/err"
	"$trapmap" run "$guest" -p fill --timeout 20 \
		-d "$dir/m/disk,format=$1,werror=$2" \
		>"$dir/out" 2>"$dir/err" </dev/null &
	pid=$!
}

formats=raw
! qemu-img --version >/dev/null 2>&1 || formats='raw qcow2'
for format in $formats; do
	fill $format stop
	wait_for err 'no space left on the host; the guest is paused'
	# Still none: it pauses again, and says so again.
	kill -s CONT $pid
	for _ in $(seq 200); do
		[ "$(grep -c 'guest is paused' "$dir/err")" = 2 ] && break
		sleep 0.05
	done
	[ "$(grep -c 'guest is paused' "$dir/err")" = 2 ] ||
		fail "it did not pause again"
	grep -q filled "$dir/out" && fail "it went on without room"
	rm "$dir/m/filler"
	kill -s CONT $pid
	wait $pid || fail "exit status $? with $format, expected 0"
	grep -q filled "$dir/out" || fail "the guest did not finish"
	grep -q 'failed on the host' "$dir/err" && fail "a failure is reported"
	cp "$dir/m/disk" "$dir/raw"
	if [ $format = qcow2 ]; then
		qemu-img check -q "$dir/m/disk" || fail "the image is damaged"
		qemu-img convert -O raw "$dir/m/disk" "$dir/raw"
	fi
	expected | cmp - "$dir/raw" || fail "what is on the disk is wrong"

	fill $format report
	wait $pid
	[ $? -gt 0 ] || fail "the guest was not told of the error"
	grep -q "failed on the host, the first with: No space left" "$dir/err" ||
		fail "the failure is not reported"
done

# While it is paused its time may run out.
fill raw stop
wait_for err 'guest is paused'
kill -s TERM $pid
wait $pid
[ $? = 143 ] || fail "a paused guest cannot be ended"
