# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# sanitized.sh: a few boots by a build with ASan and UBSan: all that is read of a guest
# and written down of it. A part of suite.sh, for --trapmap with such a build.

sanitized_jobs() {
	limit=100
	more="--fail-on panic --report report.json --symbols $symbols --stats
		--trace /dev/null"
	boot sanitized-2cpu /lab/cloud/vmlinuz 2 256 10 trapmap.end=crash
	limit=100
	boot sanitized-crash /lab/cloud/vmlinuz 1 256 8 \
		trapmap.end=reboot reboot=t
	job sanitized-exec 150 3 "trapmap exec -k /lab/generic/vmlinuz
		--log log -- sh -c 'exit 3' </dev/null"
}

sanitized_checks() {
	ended sanitized-exec 3
	reports=$(grep -l -E 'Sanitizer|runtime error:' \
		"$results"/*/stderr 2>/dev/null || :)
	is "$reports" "" "sanitized: no report from ASan or UBSan"
}
