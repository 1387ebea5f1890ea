#!/bin/sh
# SPDX-License-Identifier: MIT
# Holds reports of made-up runs and, where there is KVM, of real ones against
# docs/report.schema.json.
#
# usage: report-schema.sh SCHEMA TEST-REPORT
#        report-schema.sh SCHEMA run TRAPMAP
set -eu

schema=$1
here=$(dirname "$0")

python=
for p in python3 /usr/bin/python3; do
	if "$p" -c 'import jsonschema' 2>/dev/null; then
		python=$p
		break
	fi
done
if [ -z "$python" ]; then
	echo "skipped: Python has no module jsonschema (Debian: python3-jsonschema)"
	exit 77
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

if [ "$2" != run ]; then
	"$2" dump "$dir"
	exec "$python" "$here/report-schema.py" "$schema" "$dir"/*.json
fi

trapmap=$3
if ! { [ -c /dev/kvm ] && (exec 3<>/dev/kvm) 2>/dev/null; }; then
	echo "skipped: /dev/kvm cannot be opened for reading and writing"
	exit 77
fi

# run NAME STATUS OPTION...: its report is NAME.json.
run()
{
	name=$1 want=$2 got=0
	shift 2
	timeout -k 5 30 "$trapmap" run --report "$dir/$name.json" "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null || got=$?
	if [ "$got" != "$want" ]; then
		echo "FAILED: $name: status $got, expected $want"
		cat "$dir/err"
		exit 1
	fi
}

# Real mode, a few bytes each.
printf '\017\001\036\000\000\017\013' >"$dir/crash" # lidt [0]; ud2
printf '\372\364' >"$dir/stuck"			    # cli; hlt
printf '\353\376' >"$dir/loop"			    # jmp .
printf '\346\141\344\171\353\376' >"$dir/touch"	    # in and out at free ports
printf '\270\021\000\347\364' >"$dir/exit"	    # out 0xf4, ax
printf '\037\213\010\000' >"$dir/gzip"
printf '%s\n' 'ffffffff81000000 T _text' 'ffffffff81000040 T start_kernel' \
	>"$dir/System.map"

run crash 8 "$dir/crash"
run stuck 12 --timeout 20 "$dir/stuck"
run timeout 124 --timeout 1 --stats "$dir/loop"
run four 124 --timeout 1 -c 4 --symbols "$dir/System.map" "$dir/loop"
run unclaimed 14 --strict-io "$dir/touch"
run exit 35 "$dir/exit"
run refused 2 "$dir/gzip"
exec "$python" "$here/report-schema.py" "$schema" "$dir"/*.json
