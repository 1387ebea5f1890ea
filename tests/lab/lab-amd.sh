#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lab-amd.sh: runs commands on a real kvm-amd with nested paging, on any
# machine: QEMU emulates an AMD processor with SVM (TCG, no KVM needed), a stock
# Debian kernel boots in it (L1), and the commands run there as root.
set -eu

lab='lab-amd'
vendor=amd
kvm_example=npt=0
mem=2048
limit_jobs=600
limit_one=120
cpus=1
disk=
steady=

usage_more() {
	cat <<'END'
  --cpus N        L1's processors (default: 1; QEMU hangs now and then with more)
  --disk FILE     a raw image that L1 has as /dev/vda, and may write to
  --steady yes    L1's time goes by the instructions that it executes, a ns each, on
                  one processor: a measurement is then the same on a busy host, but
                  knows nothing of what instructions cost
END
}

own_option() {
	case $1 in
	--cpus) cpus=$2 ;;
	--disk) disk=$2 ;;
	--steady) steady=$2 ;;
	*) return 1 ;;
	esac
}

# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
need qemu-system-x86_64 qemu-system-x86

live_tty=
[ ! -t 0 ] || live_tty='tty'
l1_modules='tun vhost_net vhost_vsock virtio_pci virtio_blk brd'
# shellcheck source=tests/lab/pack.sh
. "$here/pack.sh"
pack "$tmp/l1.cpio" "$@"

# Serial ports: L1's console and the results; for one command also two on PCI
# (so that no two share an ISA interrupt) for its stdout and its stderr.
: >"$tmp/l1-console"
ln -s l1-console "$tmp/console.out"
mkfifo "$tmp/console.in"
set -- -chardev "pipe,id=console,path=$tmp/console" -serial chardev:console \
	-chardev "file,id=results,path=$tmp/results.gz" -serial chardev:results
if [ -z "$jobs" ]; then
	set -- "$@" -chardev stdio,id=out,signal=off \
		-chardev "file,id=err,path=$tmp/err" \
		-device pci-serial-2x,chardev1=out,chardev2=err
fi
if [ "$steady" = yes ]; then
	cpus=1
	set -- "$@" -accel tcg,thread=single -icount shift=0,sleep=off
else
	set -- "$@" -accel tcg,thread=multi
fi
[ -z "$disk" ] || set -- "$@" -device virtio-blk-pci,drive=disk \
	-drive "file=$disk,format=raw,if=none,id=disk,file.locking=on"

run_qemu() {
	# Linux distrusts this processor's TSC, but QEMU's is one for all CPUs.
	# Its timer's test fails now and then on a busy host.
	# Not moved (KASLR), L1 knows the addresses of a System.map.
	# QEMU's own words, and the time-out's, are kept for when L1 fails.
	exec timeout --foreground -k 5 "$limit" qemu-system-x86_64 \
		-nodefaults -no-user-config -no-reboot -display none \
		-cpu max -smp "$cpus" -m "$mem" \
		-kernel "$l1_kernel" -initrd "$tmp/l1.cpio" \
		-append 'console=ttyS0 quiet cryptomgr.notests panic=-1 reboot=t tsc=reliable no_timer_check nokaslr' \
		"$@" 2>"$tmp/emulator-log"
}

# A CPU that enters or leaves SVM changes its interrupt_request without the lock under
# which QEMU's timers raise an interrupt there, which is then forgotten now and then: the
# timer's, after which none comes. Any other interrupt makes the CPU look again, so there
# are some each second.
while sleep 0.2; do echo; done 1<>"$tmp/console.in" &
watched=$!

status=0
if [ -n "$jobs" ]; then
	run_qemu "$@" </dev/null >/dev/null &
	emulator_pid=$!
	watch_jobs 1
	wait "$emulator_pid" || status=$?
	emulator_pid=
else
	show_live "$tmp/err" >&2
	(run_qemu "$@") || status=$?
	# Let tail, which looks ten times a second, see the last of it.
	sleep 0.3
fi
finish "$status" QEMU
