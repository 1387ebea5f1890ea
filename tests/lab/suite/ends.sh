# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# ends.sh: guests that end otherwise than by powering off, or not at all, and what is
# said of it. A part of suite.sh.

panic='Kernel panic - not syncing: sysrq triggered crash'

ends_jobs() {
	# The ACPI reset register, then the keyboard controller's pulse.
	boot reset-acpi /lab/cloud/vmlinuz 1 256 6 trapmap.end=reboot
	boot reset-kbd-2cpu /lab/cloud/vmlinuz 2 256 6 trapmap.end=reboot reboot=k
	# A panicking kernel that is told to restart asks for a reset; one that has
	# only a triple fault to restart with is a crash.
	boot crash-panic /lab/cloud/vmlinuz 1 256 6 trapmap.end=crash panic=-1
	more='--report report.json'
	boot crash-triple /lab/cloud/vmlinuz 1 256 8 trapmap.end=reboot reboot=t

	# A panic by its line: before the reset that it asks for, and with no end at
	# all.
	more='--fail-on panic --report report.json'
	boot panic-resets /lab/cloud/vmlinuz 1 256 10 trapmap.end=crash panic=-1
	more="--fail-on panic --timeout 45 --report report.json --symbols $symbols"
	boot panic-hangs-2cpu /lab/cloud/vmlinuz 2 256 10 trapmap.end=crash
	# The same by the device for it.
	more='--report report.json'
	boot pvpanic /lab/cloud/vmlinuz 1 256 10 trapmap.end=crash panic=-1 \
		trapmap.modules=pvpanic-mmio
	boot pvpanic-generic-2cpu /lab/generic/vmlinuz 2 512 10 \
		trapmap.end=crash trapmap.modules=pvpanic-mmio

	# Halted for good, which needs no option to be found.
	more="--report report.json --symbols $symbols"
	boot halt /lab/cloud/vmlinuz 1 256 12 trapmap.end=halt
	more="--report report.json --symbols $symbols"
	boot halt-2cpu /lab/cloud/vmlinuz 2 256 12 trapmap.end=halt

	# One that waits for the power button, which SIGTERM presses.
	job button 60 0 "trapmap run /lab/cloud/vmlinuz -i /lab/guest.cpio -m 256
		-p '$console trapmap.end=button' --on-sigterm=powerbutton >said &
		pid=\$!; until grep -q 'waits for' said; do
		kill -0 \$pid || break; sleep 1; done;
		kill \$pid; wait \$pid; status=\$?; cat said; exit \$status"
	echo "button 1 256 0 bzImage by linux64" >>"$work/boots"

	# Nobody sees that this one panics, and nobody waits for it.
	job silent 60 124 trapmap run /lab/cloud/vmlinuz -i /lab/guest.cpio \
		-p "'quiet trapmap.end=crash'" --timeout 14 --report report.json

	# Two that go on until their time is up. They are idle for longer than the
	# watchdog waits, and not stuck. (What a kernel needs to unpack itself, here
	# a few seconds, the watchdog has to wait, too.)
	idle="--timeout 24 --watchdog 10 --report report.json --symbols $symbols"
	more=$idle
	boot time-out-2cpu /lab/cloud/vmlinuz 2 256 124 trapmap.end=idle
	more=$idle
	boot time-out-generic /lab/generic/vmlinux 1 512 124 trapmap.end=idle
}

ends_checks() {
	told crash-triple "the registers are those after the reset" \
		'^trapmap: vCPU 0 triple-faulted; its registers were reset ' \
		'values after a reset' '^  last [0-9]+ of [0-9]+ exits' \
		'serial output .*Restarting system' '  SHUTDOWN, a triple fault$'
	reported crash-triple "the report says the same" <<-'END'
		verdict.kind = crash
		host.kvm = amd-v
		vcpus.0.after_reset = true
		vcpus.0.exits.last.-1.reason = SHUTDOWN
		vcpus.0.exits.last.# = 256
	END
	button_checks
	panic_checks
	halt_checks
	time_out_checks
}

button_checks() {
	out=$results/button
	# EV_KEY, KEY_POWER, pressed.
	is "$(field 'was pressed')" ' 1 116 1 0' \
		"button: the guest is told that its power button was pressed"
	has '^RTC alarm *: fired, 1 interrupt; in (99999[0-9]|1000000) s$' \
		"$out/console" "button: its clock's alarm fires, and has a date"
	told button "that SIGTERM pressed it, and how it ended" \
		'^trapmap: SIGTERM: the power button is pressed' \
		'^trapmap: the guest powered off \(ACPI S5\)$'
}

panic_checks() {
	out=$results/panic-resets
	line=$(grep -n -m 1 "$panic" "$out/console" 2>/dev/null | cut -d: -f1)
	told panic-resets "which line it was" "^trapmap: the guest asked for a \
reset .*, but its console said, line $line: \".*$panic\" \(panic\)\$"
	reported panic-resets "the report has that line" <<-END
		verdict.kind = panic
		console.hits.0.rule = panic
		console.hits.0.line = $line
	END

	# One vCPU panics, the other has been stopped.
	told panic-hangs-2cpu "which line it was, and where in panic() it is" \
		"^trapmap: the guest panicked: console line [0-9]+: \".*$panic" \
		'^vCPU [01]: running, ' '^vCPU [01]: halted, interrupts off, ' \
		'^    \+[0-9a-f]+ +[0-9a-f]{16}  panic\+0x'
	reported panic-hangs-2cpu "the report has it, and a second of silence" <<-'END'
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
	reported pvpanic "the report says the same" <<-'END'
		verdict.kind = panic
		vcpus.0.exits.last.-1.device = pvpanic
	END
}

halt_checks() {
	told halt "where it halted" "^trapmap: the guest is stuck: it has halted \
with interrupts off, and nothing can wake it, at 0x"
	reported halt "the report says where, by name" <<-'END'
		verdict.kind = stuck
		vcpus.0.state = halted-interrupts-off
		vcpus.0.code.symbol ~ halt|stop_this_cpu
	END
	told halt-2cpu "both have halted" "^trapmap: the guest is stuck: all 2 \
vCPUs have halted with interrupts off"
	reported halt-2cpu "the report says it of each" <<-'END'
		verdict.kind = stuck
		vcpus.0.state = halted-interrupts-off
		vcpus.1.state = halted-interrupts-off
	END
}

time_out_checks() {
	ended silent 124
	is "$(wc -c <"$out/stdout" 2>/dev/null)" 0 "silent: not a byte"
	told silent "it is told of the missing console" '^The guest was silent' \
		'console=ttyS0 earlyprintk=ttyS0'
	reported silent "the report says the same, and no more" <<-'END'
		verdict.kind = timeout
		console.silent = true
		hints ~ console=ttyS0 earlyprintk=ttyS0
		hints ~ ^(?!.*it wrote to a serial port)
	END

	told time-out-2cpu "its idle loop by name" \
		'^vCPU 0: halted, interrupts on, .* = [a-z_]*(halt|idle)[a-z_]*\+0x' \
		'^vCPU 1: halted, interrupts on, .* = [a-z_]*(halt|idle)[a-z_]*\+0x' \
		'^    \+[0-9a-f]+ +[0-9a-f]{16}  do_idle\+0x'
	reported time-out-2cpu "the report has a kernel moved by steps of 2 MiB" <<-'END'
		verdict.kind = timeout
		symbols.fit = fit
		symbols.offset ~ ^0x(0|[0-9a-f]*[02468ace]00000)$
		vcpus.0.state = halted-interrupts-on
		vcpus.0.code.disassembly.0.text
	END
	moved=
	for name in panic-hangs-2cpu halt halt-2cpu time-out-2cpu; do
		moved="$moved $(symbols_offset $name)"
	done
	echo "$moved" | grep -q '0x[1-9a-f]' && truth=0 || truth=1
	verdict "$truth" "symbols: a kernel that moved is found" "offsets:$moved"

	told time-out-generic "the symbols of another kernel are noticed" \
		'^Symbols: .*System.map.* another kernel than the one in memory'
	reported time-out-generic "and none is shown" <<-'END'
		verdict.kind = timeout
		symbols.fit = misfit
		symbols.offset = null
		vcpus.0.code.symbol = null
	END
}
