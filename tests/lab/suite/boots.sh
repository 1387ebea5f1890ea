# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# boots.sh: stock kernels that boot, as bzImage and as ELF, and power off; what is
# counted, traced and reported of them. A part of suite.sh.

boots_jobs() {
	# One that also tells all that it can of a run.
	more="--stats --trace trace.json --fail-on panic,splat
		--report report.json --symbols $symbols
		--expect '^clock source *: kvm-clock'"
	after="grep -c '\"ph\":\"X\"' trace.json >traced;
		trapmap trace trace.json --symbols $symbols >all;
		wc -l <all >printed; grep -m 1 serial_out all >example;
		rm all trace.json"
	boot cloud-1cpu /lab/cloud/vmlinuz 1 256 0

	# With four serial ports, of which two have an interrupt each.
	more="--expect 'guest of trapmap' --expect 'all tests passed'
		--report report.json --serial stdio --serial file=com2
		--serial file=com3 --serial file=com4"
	after="cat com2 com3 com4 >serial"
	boot generic-2cpu /lab/generic/vmlinuz 2 512 16

	# A line that reports a fault counts only where somebody wants to know.
	boot cloud-elf /lab/cloud/vmlinux 1 256 0 trapmap.say=splat
	more='--fail-on splat --report report.json'
	boot generic-elf-2cpu /lab/generic/vmlinux 2 512 10 trapmap.say=splat

	# More than 4 GiB, in an outer machine that has two: only what the guest
	# touches may cost anything.
	boot above-4g /lab/cloud/vmlinuz 1 5120 0

	# Unpacked before it starts, and moved at random as it would have moved itself.
	more='--boot=unpack --report report.json'
	boot cloud-unpack /lab/cloud/vmlinuz 1 256 0

	# One that is typed to.
	before='{ while sleep 1; do echo hello; done; } |'
	more="--expect '^was told *: hello'"
	boot typed-to /lab/cloud/vmlinuz 1 256 0 trapmap.end=ask
}

boots_checks() {
	out=$results/typed-to
	is "$(field 'was told')" hello "typed-to: it was told what was typed"

	out=$results/generic-2cpu
	is "$(field 'serial ports')" 'ttyS0 3F8 4,ttyS1 2F8 3,ttyS2 3E8 4,ttyS3 2E8 3,' \
		"generic-2cpu: four serial ports, with a PC's ports and interrupts"
	is "$(tr -d '\r' <"$results/generic-2cpu/serial" | tr '\n' ',')" \
		'this is ttyS1,this is ttyS2,this is ttyS3,' \
		"generic-2cpu: and each has a line of its own"

	# What was counted, traced and printed are the same exits.
	traced=$(cat "$results/cloud-1cpu/traced" 2>/dev/null || echo none)
	told cloud-1cpu "a table of exits with the UART, and shares of the time" \
		"^  0x3f8-0x3ff +16550A +[1-9][0-9]* " \
		'^Wall time of 1 vCPU +[1-9]' '^ +the guest +[1-9].* %$' \
		"^trapmap: trace: $traced exits in trace.json\$"
	is "$(cat "$results/cloud-1cpu/printed" 2>/dev/null)" \
		$((${traced%none} + 1)) \
		"cloud-1cpu: trapmap trace prints a line for each exit"
	has 'out 0x3f.*16550A.*serial_out\+0x' "$results/cloud-1cpu/example" \
		"cloud-1cpu: and where the guest was, by name"
	reported cloud-1cpu "the report has no failure, and the exits by place" <<-'END'
		verdict.kind = power-off
		console.hits ~ "rule": "expect"
		stats.places.0.device
		stats.time.guest_ns
		symbols.fit = fit
	END

	reported cloud-unpack "the report says how it started" <<-'END'
		guest.format = unpacked bzImage
	END

	told generic-2cpu "a line never came" \
		"no line of its console matched 'all tests passed'"
	reported generic-2cpu "and the report says which" <<-'END'
		verdict.kind = expect
		console.missing = all tests passed
	END

	told generic-elf-2cpu "which line it was" \
		"powered off .*, but its console said, line [0-9]+: \"" \
		'.*WARNING: CPU: 0 PID: 1 at .*\(splat: WARNING\)$'
	reported generic-elf-2cpu "the report has that line" <<-'END'
		verdict.kind = panic
		console.hits.0.rule = splat
		console.hits.0.what = WARNING
	END
}
