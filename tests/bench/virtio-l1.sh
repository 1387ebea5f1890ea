#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC3043,SC3060,SC2046,SC2086 # busybox has these; words are meant
#
# virtio-l1.sh STEP...: what virtio.sh runs in lab-amd's outer machine, each step a job.
#
#	setup IP             a disk, a tap (by iproute2's IP) and an initramfs
#	host ROUND           figures of L1's own
#	guest ROUND MACHINE  those of a machine, with one processor and with two
#	boot ROUNDS MACHINE...
#
# A figure is a line: WORK, round, machine and number, with tabs between.

here=$(dirname "$0")
shm=/dev/shm
kernel=/lab/cloud/vmlinuz
initrd=$shm/initrd
user_mac=52:54:00:00:00:01
tap_mac=52:54:00:00:00:02
seconds=${SECONDS_EACH:-2}

setup()
{
	modprobe tun
	modprobe brd rd_nr=1 rd_size=262144
	# A page that nobody has written is cheaper than others.
	dd if=/dev/zero of=/dev/ram0 bs=1M 2>/dev/null
	"$1" tuntap add dev tap0 mode tap
	"$1" addr add 10.9.0.1/24 dev tap0
	"$1" link set tap0 up
	# Only the modules of the first, and the init of the second.
	cat /lab/guest.cpio "$here/guest.cpio" >$initrd
}

figure()
{
	printf '%s\t%s\t%s\t%s\n' "$@"
}

host()
{
	for cpus in 1 2; do
		for how in 'rand 1' 'rand 32' 'seq 1' 'seq 32'; do
			figure "disk-$(echo $how | tr ' ' -)-$cpus" $1 host \
				"$("$here/load" disk /dev/ram0 $how $cpus $seconds)"
		done
	done
}

# qemu CPUS TRANSPORT DISK SERIAL PARAMS MACHINE...: the command line, with what
# trapmap has.
qemu()
{
	local cpus=$1 disk=$3 serial=$4 params=$5 t=$2 rom=

	shift 5
	[ $t = device ] || rom=,romfile=
	exec /usr/bin/qemu-system-x86_64 "$@" -accel kvm -cpu host -m 256 -smp $cpus \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel $kernel -initrd $initrd -append "$params" \
		-object iothread,id=io \
		-drive file=$disk,format=raw,if=none,id=disk,$cache,aio=io_uring \
		-device virtio-blk-$t,drive=disk,iothread=io \
		-netdev user,id=user \
		-device virtio-net-$t,netdev=user,mac=$user_mac$rom \
		-netdev tap,id=tap,ifname=tap0,script=no,downscript=no,vhost=off \
		-device virtio-net-$t,netdev=tap,mac=$tap_mac$rom \
		-device virtio-serial-$t -chardev $con,id=con \
		-device virtconsole,chardev=con \
		-chardev file,id=port,path=$shm/port \
		-device virtserialport,chardev=port,name=port \
		-chardev file,id=said,path=$shm/said \
		-device virtserialport,chardev=said,name=said -serial $serial \
		-object rng-builtin,id=rng -device virtio-rng-$t,rng=rng
}

ours()
{
	local direct=

	[ "$cache" != cache=none ] || direct=,direct
	exec trapmap run $kernel -i $initrd -p "$5" -m 256 -c $1 \
		--transport $2 -d $3,format=raw$direct -n user,mac=$user_mac \
		-n tap=tap0,mac=$tap_mac --console ${con/,path/} \
		--console file=$shm/port,name=port \
		--console file=$shm/said,name=said \
		--serial $(echo $4 | tr : =) --quiet
}

# machine NAME CPUS DISK SERIAL PARAMS: becomes that monitor.
machine()
{
	local name=$1

	shift
	case $name in
	trapmap-*) ours $1 ${name#trapmap-} "$2" "$3" "$4" ;;
	qemu-pc) qemu $1 pci "$2" "$3" "$4" -M pc ;;
	qemu-q35) qemu $1 pci "$2" "$3" "$4" -M q35 ;;
	qemu-microvm) qemu $1 device "$2" "$3" "$4" -M microvm ;;
	qemu-qboot)
		qemu $1 device "$2" "$3" "$4" -M microvm \
			-bios /usr/share/qemu/qboot.rom
		;;
	esac
}

# figures MACHINE CPUS WORK ROUND
figures()
{
	rm -f $shm/said $shm/con $shm/port $shm/uart
	: >$shm/said
	timeout -k 5 ${EACH:-150} sh "$0" run $1 $2 "$3" >$shm/out 2>$shm/err
	status=$?
	[ $status = 0 ] || {
		echo "$1 ended with $status:"
		tail -n 30 $shm/err
		tail -n 3 $shm/uart
	} >&2
	while read -r work number; do
		figure "$work" $4 $1 "$number"
	done <$shm/said
}

guest()
{
	"$here/load" serve 5201 &
	figures $2 1 "${WORK:-disk,user,tap,console,uart}" $1
	[ ! -f $shm/port ] || [ -n "${WORK:-}" ] || [ "$(wc -c <$shm/port)" = 10485760 ] ||
		echo "$2: not all came out of its port" >&2
	case ${WORK:-disk} in
	*disk*) figures $2 2 disk $1 ;;
	esac
}

boot()
{
	rounds=$1
	shift
	for name; do
		shift
		set -- "$@" $name "sh $0 start $name"
	done
	"$here/bench" -s 0 -f "to init" -r $rounds -w 1 "$@"
}

step=$1
shift
case $step in
setup | host | guest | boot) $step "$@" ;;
run)
	cache=cache=none con=file,path=$shm/con
	machine $1 $2 /dev/ram0 file:$shm/uart \
		"console=ttyS0 quiet bench.work=$3 bench.cpus=$2 bench.seconds=$seconds"
	;;
start)
	cache=cache=writeback con=stdio
	machine $1 1 "$here/root.ext4" null "console=ttyS0 quiet bench.boot"
	;;
esac
