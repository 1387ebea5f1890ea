# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# smp.sh: what stock kernels make of several processors: how many there are, and which
# are a core's and a socket's, by ACPI and by the MP table. A part of suite.sh.

smp_jobs() {
	boot smp-4 /lab/cloud/vmlinuz 4 256 0
	more='-c 8,sockets=2,cores=2,threads=2'
	boot smp-2x2x2 /lab/cloud/vmlinuz 8 256 0
	# Without ACPI a kernel cannot power off.
	for n in 1 2 4 8; do
		limit=90
		boot smp-mp-$n /lab/generic/vmlinuz $n 256 6 \
			acpi=off reboot=k trapmap.end=reboot
	done
	# Three cores: the ids have a gap.
	more='-c 6,sockets=2,cores=3,affinity=0'
	limit=90
	boot smp-mp-table /lab/generic/vmlinuz 6 256 6 \
		acpi=off reboot=k trapmap.end=reboot
}

smp_checks() {
	out=$results/smp-4
	is "$(field topology)" '4/4 0:0.0 1:0.1 2:0.2 3:0.3' \
		"smp-4: one socket with a core each"
	out=$results/smp-2x2x2
	is "$(field topology)" \
		'4/2 0:0.0 1:0.0 2:0.1 3:0.1 4:1.0 5:1.0 6:1.1 7:1.1' \
		"smp-2x2x2: two sockets with two cores of two threads"
	for n in 1 2 4 8; do
		out=$results/smp-mp-$n
		is "$(field topology | cut -d' ' -f1)" "$n/$n" \
			"smp-mp-$n: one socket of $n, by the MP table"
	done
	out=$results/smp-mp-table
	is "$(field topology)" '3/3 0:0.0 1:0.1 2:0.2 4:1.0 5:1.1 6:1.2' \
		"smp-mp-table: two sockets with three cores, by their ids"
}
