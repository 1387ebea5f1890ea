#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh TRAPMAP TREE: runs the tree's tests by "trapmap test" and compares each
# result with what unittests.cfg asks for.

trapmap=$(realpath "$1") || exit 2
tree=$(realpath "$2") || exit 2
if ! { [ -c /dev/kvm ] && sh -c ': <>/dev/kvm' 2>/dev/null; }; then
	echo "skipped: /dev/kvm cannot be opened"
	exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

# results NAME STATUS [OPTION...] <EXPECTED: the result lines of TAP.
results() {
	name=$1 expected=$2
	shift 2
	cat >expected
	timeout 120 "$trapmap" test --kvm-unit-tests "$tree" --tap \
		--artifacts "$name" "$@" >tap 2>err </dev/null
	status=$?
	sed -n "s,^\(ok\|not ok\) [0-9]* - ,\1 ,p" tap >got
	if [ $status != "$expected" ] || ! diff -u expected got; then
		echo "FAILED: $name: status $status, expected $expected"
		sed 's/^/    /' tap err
		failed=1
	fi
}

results default 0 <<END
ok args
ok args-none
ok args-append
ok memory
ok memory-default
ok pci
ok smp-4
ok smp-max
ok testdev
ok exit-byte
ok exit-word
ok exit-skip # SKIP the guest ended with status 155 (debug-exit port, value 0x4d)
ok no-32-bit # SKIP for i386
ok no-migration # SKIP would be migrated while it runs
ok no-tcg # SKIP for accel = tcg
ok no-edu # SKIP needs QEMU's '-device edu'
ok no-parameter # SKIP /sys/module/kvm/parameters/no_such_parameter is not there; 'Y' is needed
END

results exit 1 --group exit <<END
ok exit-byte
ok exit-word
ok exit-skip # SKIP the guest ended with status 155 (debug-exit port, value 0x4d)
not ok exit-fail
not ok exit-hang
ok exit-panic
END

results skipped 77 --filter 'no-*' <<END
ok no-32-bit # SKIP for i386
ok no-migration # SKIP would be migrated while it runs
ok no-tcg # SKIP for accel = tcg
ok no-edu # SKIP needs QEMU's '-device edu'
ok no-parameter # SKIP /sys/module/kvm/parameters/no_such_parameter is not there; 'Y' is needed
END

# says TEST LINE: on its console, kept from the runs above.
says() {
	tr -d '\r' <"$1/console.log" | grep -qxF -e "$2" && return
	echo "FAILED: ${1#*/} did not say: $2"
	failed=1
}

says default/args 'argv[4] = fo"ur'
says default/args-append "argv[2] = 'b"
says default/smp-4 "processors: 4"
says default/pci "devices: 0"
says default/memory "SUMMARY: 7 tests"
says default/testdev "SUMMARY: 10 tests"
says exit/exit-fail "SUMMARY: 2 tests, 1 unexpected failures"
grep -q 'vCPU\|panic' exit/exit-panic/stderr.log || {
	echo "FAILED: nothing was said of the panic"
	failed=1
}
exit $failed
