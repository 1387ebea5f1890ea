#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs cppcheck over the product's own C. usage: cppcheck.sh ROOT
root=${1:-.}

if ! command -v cppcheck >/dev/null; then
	echo "skipped: no cppcheck (package cppcheck)"
	exit 77
fi
cd "$root" || exit 1

# False alarms of cppcheck 2.10: it reads an array as uninitialised where another
# argument of the same call fills it (aml.c); it takes the two ends of a linker's
# range for two objects (api.c).
exec cppcheck --quiet --error-exitcode=1 --std=c11 --platform=unix64 \
	--enable=warning,portability --inline-suppr -j2 \
	--suppress=missingIncludeSystem \
	--suppress=uninitvar:vmm/x86/aml.c \
	--suppress=comparePointers:vmm/api.c \
	--template='{file}:{line}: {id}: {message}' \
	-D__x86_64__ -D_GNU_SOURCE -Iinclude -Idevices -Ivmm -Ivmm/cli \
	devices vmm
