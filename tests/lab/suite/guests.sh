# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# guests.sh: the tiny guests of tests/guests, each with the cases at its head. A part of
# suite.sh.

guests_jobs() {
	guests_build=${trapmap%/vmm/cli/trapmap}
	[ -f "$guests_build/meson-info/intro-tests.json" ] || guests_build=
	[ -n "$guests_build" ] || return 0
	python3 "$here/guests.py" jobs "$guests_build" "$host" >"$work/guests"
	sed 's/ .*/ 0/' "$work/guests" >>"$work/expected"
	cat "$work/guests" >>"$jobs"
}

guests_checks() {
	[ -n "$guests_build" ] || {
		skip_one guests "there are none beside $trapmap"
		return
	}
	python3 "$here/guests.py" results "$guests_build" "$host" "$results" \
		>"$work/guests"
	while IFS='	' read -r status case format reason; do
		case $status in
		0)
			verdict 0 "$case"
			record "$host" "$format" tiny "$case" passed
			;;
		77)
			skip_one "$case" "$reason"
			record "$host" "$format" tiny "$case" skipped "$reason"
			;;
		*)
			verdict 1 "$case" "$reason"
			record "$host" "$format" tiny "$case" failed "$reason"
			;;
		esac
	done <"$work/guests"
}
