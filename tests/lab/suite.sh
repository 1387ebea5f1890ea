#!/bin/sh
# SPDX-License-Identifier: MIT
#
# suite.sh: stock Debian kernels under Trapmap on a real kvm-amd with nested
# paging (see lab-amd.sh), judged by what the guest prints and by Trapmap's exit
# status, its words on stderr and its report. Output is TAP with a totals line.
# Exit status 0, 1 when something failed, 77 when the lab cannot run here.
#
#	suite.sh [--trapmap FILE] [--sanitized FILE] [--keep FOLDER]
#
# --sanitized names a build with ASan and UBSan for a shorter second round.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
trapmap=${TRAPMAP:-$top/build/vmm/cli/trapmap}
sanitized=
keep=
while [ $# -ge 2 ]; do
	case $1 in
	--trapmap) trapmap=$2 ;;
	--sanitized) sanitized=$2 ;;
	--keep) keep=$2 ;;
	*) break ;;
	esac
	shift 2
done
if [ $# -gt 0 ]; then
	echo "usage: suite.sh [--trapmap FILE] [--sanitized FILE]" \
		"[--keep FOLDER]" >&2
	exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

# shellcheck source=tests/lab/judge.sh
. "$here/judge.sh"

# boot NAME IMAGE CPUS MIB STATUS PARAMETERS...: a job, and what to expect. The
# shell code in $before and $after stands before and behind the program, which
# also gets the options in $more.
before=
more=
after=
console='console=ttyS0 quiet'
boot() {
	name=$1 image=$2 cpus=$3 mib=$4 status=$5
	shift 5
	echo "$name $limit $before trapmap run $image -i /lab/guest.cpio" \
		"-m $mib -c $cpus -p '$console $*' $more $after" >>"$jobs"
	echo "$name $cpus $mib $status" >>"$work/expected"
}

# in_lab PROGRAM SECONDS JOBS: one boot of the outer machine; sets $lab.
in_lab() {
	"$here/lab-amd.sh" --trapmap "$1" --timeout "$2" --jobs "$3" \
		--results "$results" >"$work/lab-log" 2>&1 && lab=0 || lab=$?
	[ "$lab" != 77 ] || skip_all "$(tail -n 1 "$work/lab-log")"
}

# again PROGRAM SECONDS: runs jobs once more that ended with another status than
# expected, if they are no more than two; says so, and what their first end was.
again() {
	while read -r name _ _ status; do
		[ -f "$results/$name/status" ] || continue
		got=$(cat "$results/$name/status")
		[ "$got" != "$status" ] || continue
		echo "# $name: status $got where $status was expected:" \
			"$(grep -m 1 '^trapmap: ' "$results/$name/stderr")" >&3
		grep "^$name " "$jobs"
	done <"$work/expected" 3>"$work/first-ends" >"$work/failed"
	count=$(wc -l <"$work/failed")
	[ "$lab" = 0 ] && [ "$count" -gt 0 ] && [ "$count" -le 2 ] || return 0
	cat "$work/first-ends"
	echo "# once more"
	while read -r name _; do
		rm -rf "${results:?}/$name"
	done <"$work/failed"
	in_lab "$1" "$2" "$work/failed"
}

# round NAME PROGRAM SECONDS: all $jobs. The outer machine is an emulated one and
# has been seen to hang as a whole, so that not even its own time-out for the job
# came; what it left undone gets one more boot, and is judged by that. So is a job
# or two that ended otherwise than expected: stock kernels have been seen to
# triple-fault in the emulator, once in a hundred boots or so.
round() {
	results=$work/$1
	began=$(date +%s)
	in_lab "$2" "$3" "$jobs"
	if [ "$lab" != 0 ]; then
		sed 's/^/# /' "$work/lab-log"
		while read -r name rest; do
			[ -f "$results/$name/status" ] || echo "$name $rest"
		done <"$jobs" >"$work/undone"
		echo "# $1: the outer machine hung in" \
			"$(head -n 1 "$work/undone" | cut -d' ' -f1);" \
			"once more from there"
		in_lab "$2" "$3" "$work/undone"
	fi
	mkdir -p "$results"
	again "$2" "$3"
	ended=$(date +%s)
	echo "# $1: $((ended - began)) s"

	broken=
	is "$lab" 0 "$1: the outer machine runs all jobs and powers off"
	[ -z "$broken" ] || sed 's/^/# /' "$work/lab-log"
	grep -q 'Nested Paging enabled' "$results/l1.log" 2>/dev/null &&
		truth=0 || truth=1
	verdict "$truth" "$1: it has kvm-amd with nested paging"
	l1=$(cat "$results"/*/began 2>/dev/null | head -n 1)
	if [ "${l1:-0}" -ge $((began - 1)) ] && [ "${l1:-0}" -le "$ended" ]; then
		verdict 0 "$1: its clock is the host's"
	else
		verdict 1 "$1: its clock is the host's" "it began at '$l1'"
	fi
	while read -r name cpus mib status; do
		judge "$name" "$cpus" "$mib" "$status"
	done <"$work/expected"
	[ -z "$keep" ] || {
		mkdir -p "$keep"
		cp -R "$results" "$keep/"
	}
}

[ -x "$trapmap" ] || skip_all "no program at $trapmap"
command -v qemu-system-x86_64 >/dev/null 2>&1 ||
	skip_all "qemu-system-x86_64 is not installed"
"$here/fetch.sh" >"$work/fetch" 2>&1 || skip_all "$(tail -n 1 "$work/fetch")"

jobs=$work/jobs
limit=60
: >"$work/expected"
{
	echo "doctor 20 trapmap doctor"
	echo "doctor-linux 20 trapmap doctor --linux"
} >"$jobs"
symbols=/lab/cloud/System.map
# The first also tells all that it can of a run.
more="--stats --trace trace.json --fail-on panic,splat --report report.json
	--expect '^clock source *: kvm-clock' --symbols $symbols"
more=$(echo "$more" | tr -d '\n')
after="; status=\$?; grep -c '\"ph\":\"X\"' trace.json >traced;
	trapmap trace trace.json --symbols $symbols >all; wc -l <all >printed;
	grep -m 1 serial_out all >example; rm all trace.json; exit \$status"
after=$(echo "$after" | tr -d '\n')
boot cloud-1cpu /lab/cloud/vmlinuz 1 256 0
after=
# All that a kernel says, from its first line on. Without XSAVE there is nothing
# for it to warn of (docs/testing.md).
console='console=ttyS0 earlyprintk=ttyS0 loglevel=7'
more='--cpu host,-xsave --fail-on panic,splat'
# With the drivers of virtio, in the order in which they need each other.
virtio=trapmap.modules=virtio_mmio,virtio-rng,virtio_blk
boot cloud-2cpu /lab/cloud/vmlinuz 2 256 0 $virtio
console='console=ttyS0 quiet'
before='truncate -s 16M disk.img;'
after="; status=\$?; rm disk.img; exit \$status"
# In a temporary overlay, which is a qcow2 image.
more='--fail-on panic,splat -d disk.img,tmp,serial=lab'
boot generic-1cpu /lab/generic/vmlinuz 1 512 0 $virtio
more='--fail-on panic,splat -d disk.img,serial=lab'
# The same on PCI: by messages, then by pins and without configuration by memory.
virtio=trapmap.modules=virtio_pci,virtio-rng,virtio_blk
more="--transport pci $more"
boot pci-2cpu /lab/generic/vmlinuz 2 512 0 $virtio
# With an image in memory, of which the guest's filesystem maps the pages.
mkdir "$work/tree"
echo 'in the image' >"$work/tree/text"
PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -b 4096 -O '^has_journal' \
	-d "$work/tree" "$work/pmem.img" 15M >/dev/null 2>&1 ||
	skip_all "mke2fs makes no image (package e2fsprogs)"
more="$more --pmem $work/pmem.img"
boot pci-pins /lab/cloud/vmlinuz 1 256 0 $virtio,virtio_pmem,nd_pmem \
	pci=nomsi,conf1
before=
after=
more="--expect 'guest of trapmap' --expect 'all tests passed' --report report.json"
boot generic-2cpu /lab/generic/vmlinuz 2 512 16
more=
# A line that reports a fault counts only where somebody wants to know.
boot cloud-elf /lab/cloud/vmlinux 1 256 0 trapmap.say=splat
more='--fail-on splat --report report.json'
boot generic-elf-2cpu /lab/generic/vmlinux 2 512 10 trapmap.say=splat
more=
# More than 4 GiB, in an outer machine that has two: only what the guest
# touches may cost anything.
boot above-4g /lab/cloud/vmlinuz 1 5120 0
# The ACPI reset register, then the keyboard controller's pulse.
boot reset-acpi /lab/cloud/vmlinuz 1 256 6 trapmap.end=reboot
boot reset-kbd-2cpu /lab/cloud/vmlinuz 2 256 6 trapmap.end=reboot reboot=k
# A panicking kernel that is told to restart asks for a reset; one that has
# only a triple fault to restart with is a crash.
boot crash-panic /lab/cloud/vmlinuz 1 256 6 trapmap.end=crash panic=-1
more='--report report.json'
boot crash-triple /lab/cloud/vmlinuz 1 256 8 trapmap.end=reboot reboot=t
# A panic by its line: before the reset that it asks for, and with no end at all.
more='--fail-on panic --report report.json'
boot panic-resets /lab/cloud/vmlinuz 1 256 10 trapmap.end=crash panic=-1
more="--fail-on panic --timeout 45 --report report.json --symbols $symbols"
boot panic-hangs-2cpu /lab/cloud/vmlinuz 2 256 10 trapmap.end=crash
# The same by the device for it.
more='--report report.json'
boot pvpanic /lab/cloud/vmlinuz 1 256 10 trapmap.end=crash panic=-1 \
	trapmap.modules=pvpanic-mmio
more=
boot pvpanic-generic-2cpu /lab/generic/vmlinuz 2 512 10 trapmap.end=crash \
	trapmap.modules=pvpanic-mmio
# Halted for good, which needs no option to be found.
more="--report report.json --symbols $symbols"
boot halt /lab/cloud/vmlinuz 1 256 12 trapmap.end=halt
boot halt-2cpu /lab/cloud/vmlinuz 2 256 12 trapmap.end=halt
# Nobody sees that this one panics, and nobody waits for it.
# shellcheck disable=SC2129 # jobs come one by one
echo "silent 60 trapmap run /lab/cloud/vmlinuz -i /lab/guest.cpio" \
	"-p 'quiet trapmap.end=crash' --timeout 14 --report report.json" >>"$jobs"
# What a guest frees goes back: how much of Trapmap is resident once it has filled
# memory, and each second from then on, until most of it has gone.
tr '\n' ' ' <<'END' >>"$jobs"
balloon 100
rss() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' /proc/$!/status; };
mkfifo in;
trapmap run /lab/generic/vmlinuz -i /lab/guest.cpio -m 512
-p 'console=ttyS0 quiet trapmap.free=128
trapmap.modules=virtio_mmio,virtio_pci,virtio_balloon'
--balloon reporting --stats --report report.json <in >console &
exec 3>in;
until grep -q filled console; do sleep 1; done;
full=$(rss); echo free it >&3;
for second in $(seq 30); do
sleep 1; now=$(rss); [ $((full - now)) -lt 100000 ] || break;
done;
echo $full $now >resident; echo end >&3; wait $!
END
echo >>"$jobs"
# One that is typed to, and two that go on until their time is up. They are idle
# for longer than the watchdog waits, and not stuck. (What a kernel needs to
# unpack itself, here a few seconds, the watchdog has to wait, too.)
before='{ while sleep 1; do echo hello; done; } |'
more="--expect '^was told *: hello'"
boot typed-to /lab/cloud/vmlinuz 1 256 0 trapmap.end=ask
before=
# The same on a console of virtio's, beside a port that takes a result.
console='console=ttyS0 console=hvc0 quiet'
before='{ while sleep 1; do echo hello; done; } |'
more="--console stdio --console file=result,name=results --transport pci
	--expect '^was told *: hello'"
more=$(echo "$more" | tr -d '\n')
boot hvc-2cpu /lab/generic/vmlinuz 2 512 0 trapmap.on=hvc0 trapmap.end=ask \
	trapmap.modules=virtio_pci,virtio_console
console='console=ttyS0 quiet'
# Sockets both ways, through unix sockets and through the outer machine's kernel.
vsock=virtio_mmio,vmw_vsock_virtio_transport
calls() {
	echo "{ echo 'the host answers' | lab-socket listen $1 >called;" \
		"echo 'the host calls' | lab-socket connect $2; } &"
}
before=$(calls unix:v.sock_1234 unix:v.sock:1235)
more='--vsock v.sock'
boot vsock /lab/cloud/vmlinuz 1 256 0 trapmap.vsock=1234 trapmap.modules=$vsock
before="modprobe vhost_vsock; $(calls vsock:4294967295:1234 vsock:77:1235)"
more='--vsock vhost,cid=77'
boot vsock-vhost-2cpu /lab/cloud/vmlinuz 2 256 0 trapmap.vsock=1234 \
	trapmap.modules=$vsock
before=
more="--timeout 24 --watchdog 10 --report report.json --symbols $symbols"
boot time-out-2cpu /lab/cloud/vmlinuz 2 256 124 trapmap.end=idle
boot time-out-generic /lab/generic/vmlinux 1 512 124 trapmap.end=idle
more=
# Networks of the outer machine's: two queues that Trapmap serves, and one of its
# kernel's own (vhost).
ip=$(PATH=$PATH:/sbin:/usr/sbin command -v ip || :)
fetch='trapmap.fetch=http://10.9.0.1/blob'
if [ -n "$ip" ]; then
	after="; status=\$?; $ip link del tap0; exit \$status"
	before="sh $here/net-tap.sh $ip multi_queue;"
	more='-n tap=tap0 --stats'
	boot net-tap-2cpu /lab/cloud/vmlinuz 2 256 0 $fetch \
		trapmap.modules=virtio_mmio,virtio_net
	before="sh $here/net-tap.sh $ip;"
	more='-n tap=tap0,vhost --stats --transport pci'
	boot net-vhost /lab/cloud/vmlinuz 1 256 0 $fetch \
		trapmap.modules=virtio_pci,virtio_net
	before=
	after=
	more=
fi
# One of its own, by which it fetches 64 MiB from the outer machine's loopback, and
# is called from there.
served=/dev/shm/served
before="ifconfig lo up; mkdir $served;
	dd if=/dev/urandom of=$served/file bs=1M count=64 2>/dev/null;
	sha256sum $served/file | cut -d' ' -f1 >sum;
	httpd -p 127.0.0.1:8000 -h $served;
	{ until grep -q answers called; do sleep 2;
	nc 127.0.0.1 8080 </dev/null >called; done; } 2>/dev/null &"
before=$(echo "$before" | tr -d '\n')
after="; status=\$?; rm -r $served; exit \$status"
more='--fail-on panic,splat -n user,hostfwd=tcp:8080:80'
limit=120
boot net-user-2cpu /lab/cloud/vmlinuz 2 512 0 \
	trapmap.modules=virtio_mmio,virtio_net \
	trapmap.fetch=http://10.0.2.2:8000/file trapmap.serve=80
limit=60
before=
after=
more=
round plain "$trapmap" 720

out=$results/typed-to
is "$(field 'was told')" hello "typed-to: it was told what was typed"

# What was counted, traced and printed are the same exits.
traced=$(cat "$results/cloud-1cpu/traced" 2>/dev/null || echo none)
told cloud-1cpu "a table of exits with the UART, and shares of the time" \
	"^  0x3f8-0x3ff +16550A +[1-9][0-9]* " \
	'^Wall time of 1 vCPU +[1-9]' '^ +the guest +[1-9].* %$' \
	"^trapmap: trace: $traced exits in trace.json\$"
is "$(cat "$results/cloud-1cpu/printed" 2>/dev/null)" $((${traced%none} + 1)) \
	"cloud-1cpu: trapmap trace prints a line for each exit"
grep -q 'out 0x3f.*16550A.*serial_out+0x' "$results/cloud-1cpu/example" \
	2>/dev/null && truth=0 || truth=1
verdict "$truth" "cloud-1cpu: and where the guest was, by name"
reported cloud-1cpu "the report has no failure, and the exits by place" <<'END'
verdict.kind = power-off
console.hits ~ "rule": "expect"
stats.places.0.device
stats.time.guest_ns
symbols.fit = fit
END

out=$results/cloud-2cpu
for line in '[earlyser0] enabled' 'Run /init as init process'; do
	grep -Fq "$line" "$out/console" 2>/dev/null && truth=0 || truth=1
	verdict "$truth" "cloud-2cpu: the kernel says: $line"
done

told generic-2cpu "a line never came" "no line of its console matched \
'all tests passed'"
reported generic-2cpu "and the report says which" <<'END'
verdict.kind = expect
console.missing = all tests passed
END

told generic-elf-2cpu "which line it was" \
	"powered off .*, but its console said, line [0-9]+: \"" \
	'.*WARNING: CPU: 0 PID: 1 at .*\(splat: WARNING\)$'
reported generic-elf-2cpu "the report has that line" <<'END'
verdict.kind = panic
console.hits.0.rule = splat
console.hits.0.what = WARNING
END

told crash-triple "the registers are those after the reset" \
	'^trapmap: vCPU 0 triple-faulted; its registers were reset ' \
	'values after a reset' '^  last [0-9]+ of [0-9]+ exits' \
	'serial output .*Restarting system' '  SHUTDOWN, a triple fault$'
reported crash-triple "the report says the same" <<'END'
verdict.kind = crash
host.kvm = amd-v
vcpus.0.after_reset = true
vcpus.0.exits.last.-1.reason = SHUTDOWN
vcpus.0.exits.last.# = 256
END

panic='Kernel panic - not syncing: sysrq triggered crash'
out=$results/panic-resets
line=$(grep -n -m 1 "$panic" "$out/console" 2>/dev/null | cut -d: -f1)
told panic-resets "which line it was" "^trapmap: the guest asked for a reset \
.*, but its console said, line $line: \".*$panic\" \(panic\)\$"
reported panic-resets "the report has that line" <<END
verdict.kind = panic
console.hits.0.rule = panic
console.hits.0.line = $line
END

# One vCPU panics, the other has been stopped.
told panic-hangs-2cpu "which line it was, and where in panic() it is" \
	"^trapmap: the guest panicked: console line [0-9]+: \".*$panic" \
	'^vCPU [01]: running, ' '^vCPU [01]: halted, interrupts off, ' \
	'^    \+[0-9a-f]+ +[0-9a-f]{16}  panic\+0x'
reported panic-hangs-2cpu "the report has it, and a second of silence" <<'END'
verdict.kind = panic
symbols.fit = fit
vcpus.0.exits.last.-1.time_us ~ ^-[1-9][0-9]{6}
vcpus.1.exits.last.-1.time_us ~ ^-[1-9][0-9]{6}
END
# The panicking kernel says itself where it is.
moved=$(sed -n 's/.*Kernel Offset: \(0x[0-9a-f]*\) .*/\1/p' \
	"$results/panic-hangs-2cpu/console" 2>/dev/null)
is "$(symbols_offset panic-hangs-2cpu)" "${moved:-0x0}" \
	"panic-hangs-2cpu: how far it moved is what the kernel says"

for name in pvpanic pvpanic-generic-2cpu; do
	told $name "the sentence names the device" \
		'^trapmap: the guest panicked \(pvpanic, port 0x505\)$' \
		' out   0x505 <- 0x01  \(pvpanic\)$'
done
reported pvpanic "the report says the same" <<'END'
verdict.kind = panic
vcpus.0.exits.last.-1.device = pvpanic
END

told halt "where it halted" \
	'^trapmap: the guest is stuck: it has halted with interrupts off, and nothing can wake it, at 0x'
reported halt "the report says where, by name" <<'END'
verdict.kind = stuck
vcpus.0.state = halted-interrupts-off
vcpus.0.code.symbol ~ halt|stop_this_cpu
END
told halt-2cpu "both have halted" \
	'^trapmap: the guest is stuck: all 2 vCPUs have halted with interrupts off'
reported halt-2cpu "the report says it of each" <<'END'
verdict.kind = stuck
vcpus.0.state = halted-interrupts-off
vcpus.1.state = halted-interrupts-off
END

is "$(cat "$results/silent/status" 2>/dev/null)" 124 "silent: exit status 124"
is "$(wc -c <"$results/silent/stdout" 2>/dev/null)" 0 "silent: not a byte"
told silent "it is told of the missing console" '^The guest was silent' \
	'console=ttyS0 earlyprintk=ttyS0'
reported silent "the report says the same, and no more" <<'END'
verdict.kind = timeout
console.silent = true
hints ~ console=ttyS0 earlyprintk=ttyS0
hints ~ ^(?!.*it wrote to a serial port)
END

told time-out-2cpu "its idle loop by name" \
	'^vCPU 0: halted, interrupts on, .* = [a-z_]*(halt|idle)[a-z_]*\+0x' \
	'^vCPU 1: halted, interrupts on, .* = [a-z_]*(halt|idle)[a-z_]*\+0x' \
	'^    \+[0-9a-f]+ +[0-9a-f]{16}  do_idle\+0x'
reported time-out-2cpu "the report has a kernel moved by steps of 2 MiB" <<'END'
verdict.kind = timeout
symbols.fit = fit
symbols.offset ~ ^0x(0|[0-9a-f]*[02468ace]00000)$
vcpus.0.state = halted-interrupts-on
vcpus.0.code.disassembly.0.text
END
moved=
for name in cloud-1cpu panic-hangs-2cpu halt halt-2cpu time-out-2cpu; do
	moved="$moved $(symbols_offset $name)"
done
echo "$moved" | grep -q '0x[1-9a-f]' && truth=0 || truth=1
verdict "$truth" "symbols: a kernel that moved is found" "offsets:$moved"

told time-out-generic "the symbols of another kernel are noticed" \
	'^Symbols: .*System.map.* another kernel than the one in memory'
reported time-out-generic "and none is shown" <<'END'
verdict.kind = timeout
symbols.fit = misfit
symbols.offset = null
vcpus.0.code.symbol = null
END

for name in cloud-2cpu generic-1cpu; do
	out=$results/$name
	is "$(field entropy)" "virtio_rng.0, 4096 bytes, IRQ 16" \
		"$name: it reads from the entropy device"
done
out=$results/pci-2cpu
is "$(field entropy)" "virtio_rng.0, 4096 bytes, MSI" \
	"pci-2cpu: the entropy device interrupts by messages"
out=$results/pci-pins
is "$(field entropy)" "virtio_rng.0, 4096 bytes, IRQ 17" \
	"pci-pins: the entropy device interrupts by its pin"
for name in generic-1cpu pci-2cpu pci-pins; do
	out=$results/$name
	is "$(field disk)" "vda, 32768 sectors, lab, 1 MiB read as written" \
		"$name: its disk has what was written"
done

for name in net-tap-2cpu net-vhost; do
	out=$results/$name
	[ -f "$out/console" ] || continue
	is "$(field fetched | sed 's/ from.* s,//')" \
		"4194304 bytes $(cat "$out/sum" 2>/dev/null)" \
		"$name: it fetches 4 MiB over its tap"
done
[ -z "$ip" ] || told net-vhost "the queues are the kernel's" '^    queue 0 +in the kernel$' \
	'^    queue 1 +in the kernel$'

out=$results/net-user-2cpu
is "$(field network)" "eth0, MTU 16384, 10.0.2.15 by 10.0.2.2, DNS 10.0.2.3" \
	"net-user-2cpu: it has an address by DHCP"
is "$(field fetched | sed 's/ from.* s,//')" \
	"67108864 bytes $(cat "$out/sum" 2>/dev/null)" \
	"net-user-2cpu: it fetches 64 MiB from the host's loopback"
grep -q '^Linux .* answers$' "$out/called" 2>/dev/null && truth=0 || truth=1
verdict "$truth" "net-user-2cpu: a port of the host leads to its server"

out=$results/pci-pins
is "$(field pmem)" "pmem0, 32768 sectors, ro,dax=always, in the image" \
	"pci-pins: it maps an image in memory and finds its file"

is "$(cat "$results/balloon/status" 2>/dev/null)" 0 "balloon: exit status 0"
read -r full now <"$results/balloon/resident" 2>/dev/null || full=0 now=0
if [ $((full - now)) -ge 100000 ]; then
	verdict 0 "balloon: what the guest frees goes back to the host"
else
	verdict 1 "balloon: what the guest frees goes back to the host" \
		"resident: $full KiB, then $now KiB"
fi
told balloon "a line of what went back, and the queue of it" \
	'^  back with the host, in all: 0 MiB of such, [1-9][0-9]* MiB of free' \
	'^  balloon$' '^    queue [34] +[1-9]'
reported balloon "the report says the same" <<'END'
stats.balloon.reported ~ ^[1-9][0-9]{8}
stats.queues ~ "device": "balloon"
END

out=$results/hvc-2cpu
is "$(field 'was told')" hello "hvc-2cpu: it was told what was typed"
is "$(field ports)" "results $(md5sum 2>/dev/null <"$out/result" | cut -c1-32)" \
	"hvc-2cpu: a MiB through a port came out whole"
for name in vsock vsock-vhost-2cpu; do
	out=$results/$name
	is "$(field sockets)" "was told 'the host answers', then 'the host calls'" \
		"$name: it calls the host, and is called"
	is "$(cat "$out/called" 2>/dev/null)" 'the guest calls' \
		"$name: the host was called"
done

follow_schema
judge_doctor

if [ -n "$sanitized" ] && [ -x "$sanitized" ]; then
	: >"$jobs"
	: >"$work/expected"
	limit=100
	# All that is read of a guest and written down of it.
	more="--fail-on panic --report report.json --symbols $symbols --stats
		--trace /dev/null"
	more=$(echo "$more" | tr -d '\n')
	boot sanitized-2cpu /lab/cloud/vmlinuz 2 256 10 trapmap.end=crash
	more=
	boot sanitized-crash /lab/cloud/vmlinuz 1 256 8 \
		trapmap.end=reboot reboot=t
	round sanitized "$sanitized" 240
	reports=$(grep -l -E 'Sanitizer|runtime error:' \
		"$results"/*/stderr 2>/dev/null || :)
	is "$reports" "" "sanitized: no report from ASan or UBSan"
elif [ -n "$sanitized" ]; then
	number=$((number + 1))
	skipped=$((skipped + 1))
	echo "ok $number - sanitized # SKIP no program at $sanitized"
fi

echo "1..$number"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
