# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# doctor.sh: what "trapmap doctor" finds there. A part of suite.sh.

doctor_jobs() {
	job doctor 20 0 trapmap doctor
	job doctor-linux 20 0 trapmap doctor --linux
}

doctor_checks() {
	ended doctor 0
	cat "$out/stdout" "$out/stderr" >"$out/console" 2>/dev/null
	case $host in
	amd*) has '^Kind +AMD-V' "$out/console" "doctor: names AMD-V" ;;
	*) has '^Kind +VT-x' "$out/console" "doctor: names VT-x" ;;
	esac
	case $host in
	*npt0 | *ept0) paging=no ;;
	*) paging=yes ;;
	esac
	has "^Nested paging +$paging" "$out/console" "doctor: nested paging: $paging"
	ended doctor-linux 0
}
