#!/bin/sh
# SPDX-License-Identifier: MIT
# Breaks a copy of the tree in every way that the lint scripts look for, one at a
# time, and checks that the right script fails and names file and line.
# usage: selftest.sh ROOT
root=$(cd "${1:-.}" && pwd) || exit 1
lint=$root/tests/lint
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

clean=$tmp/clean
tree=$tmp/tree
tried=0
failed=0

# What is there now, broken or not, is not the matter here; a finding only counts
# when the untouched copy did not have it.
mkdir -p "$clean"
for part in include devices vmm firmware docs README.md; do
	[ ! -e "$root/$part" ] || cp -r "$root/$part" "$clean/"
done

fresh() {
	rm -rf "$tree"
	cp -r "$clean" "$tree"
}

# What each script says about the untouched copy.
for name in layering banned headers style prose; do
	(cd "$clean" && python3 "$lint/$name.py" .) >"$tmp/$name" 2>&1
done

# expect WHAT PATTERN SCRIPT COMMAND...: it fails, with a line that the extended
# regular expression matches from its start and that SCRIPT did not give before.
expect() {
	what=$1 pattern=$2 script=$3
	shift 3
	tried=$((tried + 1))
	(cd "$tree" && "$@") >"$tmp/out" 2>&1
	status=$?

	if [ "$status" = 77 ]; then
		echo "skipped: $what: $(cat "$tmp/out")"
		return
	elif [ "$status" != 1 ]; then
		echo "FAILED: $what: exit status $status, not 1"
	elif [ -f "$tmp/$script" ] && grep -qE "^$pattern" "$tmp/$script"; then
		echo "FAILED: $what: found before it was broken"
	elif grep -qE "^$pattern" "$tmp/out"; then
		return
	else
		echo "FAILED: $what: no line like '$pattern' in:"
		sed 's/^/    /' "$tmp/out"
	fi
	failed=$((failed + 1))
}

# broken FILE TEXT: an untouched copy but for this file, TEXT as printf has it.
broken() {
	fresh
	mkdir -p "$tree/$(dirname "$1")"
	# shellcheck disable=SC2059
	printf "$2" >"$tree/$1"
}

head='// SPDX-License-Identifier: MIT\n'

layering() {
	broken "$2" "$head$3"
	expect "$1" "$2:$4" layering python3 "$lint/layering.py" .
}

layering "KVM in a device" devices/bad.c '#include <linux/kvm.h>\n' \
	'2: includes <linux/kvm.h>: device models may not know KVM'
layering "KVM with blanks and a comment" devices/bad.c \
	'\n  #  /* x\n y */ include /**/ <linux/kvm.h> // z\n' \
	'3: includes <linux/kvm.h>: device models may not know KVM'
layering "KVM over two lines" devices/bad.c \
	'#inc\\\nlude <linux/kvm.h>\n' \
	'2: includes <linux/kvm.h>: device models may not know KVM'
layering "KVM by a digraph" devices/bad.c '%%:include <linux/kvm.h>\n' \
	'2: includes <linux/kvm.h>: device models may not know KVM'
layering "KVM in quotes" devices/bad.c '#include "linux/kvm.h"\n' \
	'2: includes "linux/kvm.h": device models may not know KVM'
layering "KVM by a detour" devices/bad.c '#include <linux/./kvm.h>\n' \
	'2: includes <linux/./kvm.h>: not a plain path'
layering "KVM by a macro" devices/bad.c \
	'#define H <linux/kvm.h>\n#include H\n' \
	'3: includes H: a computed include'
layering "KVM where it is not listed" vmm/bad.c '#include <linux/kvm.h>\n' \
	'2: includes <linux/kvm.h>: only kvm, vcpu, exit and'
layering "the monitor in a device" devices/bad.c '#include "layout.h"\n' \
	'2: includes "layout.h": devices/ includes its own headers'
layering "a kernel header in a device" devices/bad.c '#include <linux/if.h>\n' \
	'2: includes <linux/if.h>: device models may not know the host'
layering "a private header in the command line" vmm/cli/bad.c \
	'#include "layout.h"\n' \
	'2: includes "layout.h": the command line sees'
layering "a device in the command line" vmm/cli/bad.c \
	'#include "core/bus.h"\n' \
	'2: includes "core/bus.h": the command line sees'
layering "../ in an include" vmm/bad.c '#include "../devices/core/bus.h"\n' \
	'2: includes "../devices/core/bus.h": ../ is banned'
layering "../ in a test" tests/unit/bad.c '#include "core/../core/bus.h"\n' \
	'2: includes "core/../core/bus.h": ../ is banned'
layering "libc in a guest" firmware/bad.c '#include <stdio.h>\n' \
	'2: includes <stdio.h>: firmware/ includes'
layering "the public header in a guest" firmware/bad.S \
	'#include <trapmap/trapmap.h>\n' \
	'2: includes <trapmap/trapmap.h>: firmware/ includes'
layering "stdio in a public header" include/trapmap/bad.h \
	'#include <stdio.h>\n' \
	'2: includes <stdio.h>: public headers include'
layering "include_next" devices/bad.c '#include_next <errno.h>\n' \
	'2: #include_next is banned'

banned() {
	broken "$2" "$head$3"
	expect "$1" "$2:$4" banned python3 "$lint/banned.py" .
}

banned "printf in a device" devices/bad.c \
	'void f(void);\nvoid f(void)\n{\n\tprintf("x");\n}\n' \
	'5: printf\(\): the library never prints'
banned "exit in the monitor" vmm/boot/bad.c \
	'/* exit(1) is\n * fine here */\nvoid f(void) { exit (1); }\n' \
	'4: exit\(\): the library never ends its process'
banned "sigaction" vmm/bad.h 'int x = sigaction(1, 0, 0);\n' \
	'2: sigaction\(\): the library never touches signal'
banned "tcsetattr" devices/backend/bad.c 'int x = tcsetattr(0, 0, 0);\n' \
	'2: tcsetattr\(\): the terminal is'
banned "strcpy" vmm/bad.c '#define C(a, b) __builtin_strcpy(a, b)\n' \
	'2: strcpy\(\): no bound'
banned "stderr by another name" vmm/bad.c '#define OUT stderr\n' \
	"2: stderr: standard streams are the command line's"

broken vmm/cli/bad.c "${head}int main(void) { return puts(\"fine\"); }\n"
tried=$((tried + 1))
if (cd "$tree" && python3 "$lint/banned.py" .) 2>&1 | grep -q cli/bad.c; then
	echo "FAILED: the command line may print"
	failed=$((failed + 1))
fi

objects() {
	broken devices/bad.c "$head$2"
	tried=$((tried + 1))
	if ! command -v cc >/dev/null || ! command -v ar >/dev/null; then
		echo "skipped: $1: no cc or no ar"
		return
	fi
	(cd "$tree" && cc -g -O1 -fPIC -c devices/bad.c -o bad.o &&
		ar rc bad.a bad.o && python3 "$lint/objects.py" bad.a) \
		>"$tmp/out" 2>&1
	if [ $? = 1 ] && grep -qE "^$3" "$tmp/out"; then
		return
	fi
	echo "FAILED: $1: no line like '$3' in:"
	sed 's/^/    /' "$tmp/out"
	failed=$((failed + 1))
}

objects "a static variable" \
	'static int seen;\nint f(void);\nint f(void) { return seen++; }\n' \
	'devices/bad.c:2: seen is a variable of static storage'
objects "a static variable in a function" \
	'int f(void);\nint f(void)\n{\n\tstatic int n = 7;\n\treturn n++;\n}\n' \
	'devices/bad.c:5: n\.[0-9]+ is a variable of static storage'
objects "a banned function by its address" \
	'#include <stdlib.h>\nvoid *f(void);\nvoid *f(void) { return (void *)abort; }\n' \
	'[^:]*:[0-9]+: refers to abort: the library never ends'
tried=$((tried + 1))
broken devices/bad.c "${head}static const char *const t[] = { \"a\" };
const char *f(int);\nconst char *f(int i) { return t[i]; }\n"
if command -v cc >/dev/null && command -v ar >/dev/null &&
	! (cd "$tree" && cc -g -fPIC -c devices/bad.c -o bad.o &&
		ar rc bad.a bad.o && python3 "$lint/objects.py" bad.a) \
		>"$tmp/out" 2>&1; then
	echo "FAILED: a const table of pointers is fine, but:"
	sed 's/^/    /' "$tmp/out"
	failed=$((failed + 1))
fi

# A library of one function, then one more than is declared.
small() {
	broken include/trapmap/small.h "$1"
	printf '%b' "$2" >"$tree/small.map"
	printf '%b' "$3" >"$tree/small.c"
	# shellcheck disable=SC2016
	expect "$4" "$5" exports sh -c '[ -f small.map ] || exit 1
		cc -shared -fPIC -Wl,--version-script=small.map small.c \
			-o small.so && exec python3 "$0" \
			include/trapmap/small.h small.map --shared small.so' \
		"$lint/exports.py"
}

one='#include <stddef.h>\n\n/* One. */\nint trapmap_one(void);\n'
map='TRAPMAP_0.1 {\nglobal:\n\ttrapmap_one;\nlocal:\n\t*;\n};\n'
src='int trapmap_one(void) { return 1; }\n'
small "$one" "$(printf '%s' "$map" | sed 's/_one;/_one;\\n\\ttrapmap_two;/')" \
	"${src}int trapmap_two(void) { return 2; }\n" "an undeclared export" \
	'small.map:4: trapmap_two: listed here, but small.h does not declare it'
small "$one" "$(printf '%s' "$map" | sed 's/trapmap_one;/trapmap_*;/')" \
	"${src}int trapmap_two(void) { return 2; }\n" "an export by pattern" \
	'small.map:3: trapmap_\*: a pattern exports'
small "$one" "$(printf '%s' "$map" | sed 's/_one;/_one;\\n\\ttrapmap_two;/')" \
	"${src}int trapmap_two(void) { return 2; }\n" "the library's own symbols" \
	'small.so:0: trapmap_two: exported, but not declared in small.h'
small "$one/* Two. */\nint trapmap_two(void);\n" "$map" "$src" \
	"a function that is not exported" \
	'include/trapmap/small.h:6: trapmap_two: declared here, but not in small.map'

fresh
sed 's/^global:/&\n\ttrapmap_secret;/' "$clean/vmm/libtrapmap.map" \
	>"$tree/vmm/libtrapmap.map"
expect "an undeclared export of the real library" \
	'vmm/libtrapmap.map:3: trapmap_secret: listed here, but trapmap.h' \
	exports python3 "$lint/exports.py" include/trapmap/trapmap.h \
	vmm/libtrapmap.map

headers() {
	broken include/trapmap/bad.h "/* SPDX-License-Identifier: MIT */\n$2"
	expect "$1" "include/trapmap/bad.h:$3" headers python3 "$lint/headers.py" .
}

headers "a header that needs another" \
	'#pragma once\n/* F. */\nint f(size_t n);\n' '4: does not compile alone'
headers "a header that C++ does not know" \
	'#pragma once\n/* F. */\nint f(int class);\n' \
	'4: does not compile alone with (g|clang)\+\+'
headers "a header without a guard" 'enum e { A };\n' \
	'2: does not compile alone'
headers "a function without a comment" \
	'#pragma once\n/* F. */\nint f(int a);\nint g(int a);\n\nint h(int a);\n' \
	'7: h\(\) has no comment'

style() {
	broken "$2" "$3"
	expect "$1" "$2:$4" style python3 "$lint/style.py" .
}

style "no licence line" devices/bad.c 'int x;\n' '1: no SPDX'
style "blanks at a line's end" docs/bad.md 'a \nb\n' '1: blanks at the end'
style "a leftover" vmm/bad.c "${head}/* FIX""ME */\n" '2: FIX'
style "a path of this machine" docs/bad.md 'in /ho''me/me/x\n' \
	'1: names a path of one machine'
style "no header guard" devices/bad.h "${head}int x;\n" '1: no header guard'
style "a guard used twice" devices/core/bad.h \
	"$head#ifndef TRAPMAP_BAD_H\n#define TRAPMAP_DAB_H\n#endif\n" \
	'1: no header guard'
style "no newline at the end" vmm/bad.c "${head}int x;" \
	'2: no newline at the end'
style "too long a file" vmm/bad.c "$head$(printf '%0900d' 0 | sed 's/0/\\n/g')" \
	'801: 90[0-9] lines, more than 800'

prose() {
	broken "$2" "$3"
	expect "$1" "$2:$4" prose python3 "$lint/prose.py" .
}

prose "a dead link" docs/bad.md 'See\n[this](nowhere.md).\n' \
	'2: link to nowhere.md: no such file'
prose "a dead anchor" docs/bad.md '# Top\n\n[a](#top) [b](#bottom)\n' \
	'3: link to #bottom: no such heading'
prose "a doubled word" docs/bad.md 'All in\nin one.\n' "1: 'in' stands twice"
prose "a doubled word in a comment" vmm/bad.c "$head\n/*\n * the\n * the\n */\n" \
	"4: 'the' stands twice"

if command -v cppcheck >/dev/null; then
	broken devices/bad.c \
		"${head}int f(void);\nint f(void)\n{\n\tint a[2] = { 0, 1 };\n\n\treturn a[2];\n}\n"
	expect "an access out of bounds" 'devices/bad.c:7: arrayIndexOutOfBounds' \
		cppcheck sh "$lint/cppcheck.sh" .
else
	echo "skipped: cppcheck is not installed"
fi

echo "lint selftest: $tried tried, $failed failed"
[ "$failed" = 0 ]
