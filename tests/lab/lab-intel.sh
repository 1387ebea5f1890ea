#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lab-intel.sh: runs commands on a real kvm-intel with EPT, on any machine: Bochs
# emulates an Intel processor with VT-x, a stock Debian kernel boots in it (L1), and
# the commands run there as root. Bochs executes some 90 million instructions a second,
# one processor's.
#
# Its status tells nothing (a machine that powers off is a panic to it), so what L1
# sends is what is judged by.
set -eu

lab='lab-intel'
vendor=intel
kvm_example='ept=0'
mem=768
limit_jobs=1200
limit_one=300

usage_more() {
	cat <<'END'
  --model NAME    the processor, of those that "bochs --help cpu" lists (default:
                  corei7_haswell_4770)
The command's input is empty, and L1 has one processor.
END
}

model=corei7_haswell_4770
own_option() {
	case $1 in
	--model) model=$2 ;;
	*) return 1 ;;
	esac
}

# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
isolinux=/usr/lib/ISOLINUX/isolinux.bin
ldlinux=/usr/lib/syslinux/modules/bios/ldlinux.c32
bios=/usr/share/bochs/BIOS-bochs-latest
vgabios=/usr/share/vgabios/vgabios.bin
need bochs bochs
need its-BIOS bochsbios "$bios"
need its-VGA-BIOS vgabios "$vgabios"
need isolinux isolinux "$isolinux"
need ldlinux.c32 syslinux-common "$ldlinux"
need xorriso xorriso

live_tty=
l1_modules='tun vhost_net virtio_pci virtio_blk'
# shellcheck source=tests/lab/pack.sh
. "$here/pack.sh"
mkdir "$tmp/iso"
pack "$tmp/iso/l1.cpio" "$@"

# A disc, as its BIOS knows no other way to load a kernel with an initramfs.
cp "$isolinux" "$ldlinux" "$tmp/iso/"
cp "$l1_kernel" "$tmp/iso/vmlinuz"
cat >"$tmp/iso/isolinux.cfg" <<'END'
DEFAULT l1
PROMPT 0
LABEL l1
KERNEL vmlinuz
INITRD l1.cpio
APPEND console=ttyS0 quiet cryptomgr.notests panic=-1 reboot=t tsc=reliable no_timer_check nokaslr
END
xorriso -as mkisofs -quiet -o "$tmp/l1.iso" -b isolinux.bin -c boot.cat \
	-no-emul-boot -boot-load-size 4 -boot-info-table "$tmp/iso" \
	>"$tmp/emulator-log" 2>&1 || die "$(tail -n 1 "$tmp/emulator-log")"
rm -rf "$tmp/iso"

# ips: so many instructions are a second of L1's. More than are executed in one: its
# time is slow, and time-outs in there are longer by the clock on the wall.
# ignore_bad_msrs: KVM reads some that Bochs does not have.
# Ports: L1's console and the results; of one command also stdout and stderr.
cat >"$tmp/bochsrc" <<END
plugin_ctrl: unmapped=1, biosdev=0, speaker=0, extfpuirq=1, parallel=0, serial=1, gameport=0, iodebug=0
config_interface: textconfig
display_library: rfb, options=timeout=0
cpu: model=$model, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=$mem, host=$mem
romimage: file=$bios, options=fastboot
vgaromimage: file=$vgabios
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$tmp/l1.iso, status=inserted
boot: cdrom
clock: sync=none, time0=utc
log: $tmp/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
com1: enabled=1, mode=file, dev=$tmp/l1-console
com2: enabled=1, mode=file, dev=$tmp/results.gz
END
[ -n "$jobs" ] || cat >>"$tmp/bochsrc" <<END
com3: enabled=1, mode=file, dev=$tmp/out
com4: enabled=1, mode=file, dev=$tmp/err
END
# Debian's has a debugger in it, which waits for a word.
echo c >"$tmp/go"

run_bochs() {
	cd "$tmp"
	exec timeout --foreground -k 5 "$limit" \
		bochs -q -rc go -f bochsrc </dev/null >"$tmp/emulator-log" 2>&1
}

[ -n "$jobs" ] || {
	show_live "$tmp/out"
	show_live "$tmp/err" >&2
}
run_bochs &
emulator_pid=$!
[ -z "$jobs" ] || watch_jobs 3
status=0
wait "$emulator_pid" || status=$?
emulator_pid=
[ -n "$jobs" ] || sleep 0.3
finish "$status" Bochs
