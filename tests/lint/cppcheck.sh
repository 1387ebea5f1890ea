#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs cppcheck over the product's own C. usage: cppcheck.sh ROOT
root=${1:-.}

if ! command -v cppcheck >/dev/null; then
	echo "skipped: no cppcheck (package cppcheck)"
	exit 77
fi
cd "$root" || exit 1

# Nothing that is not in a header here is known to it, so missing system headers
# are no finding.
exec cppcheck --quiet --error-exitcode=1 --std=c11 --platform=unix64 \
	--enable=warning,portability --inline-suppr -j2 \
	--suppress=missingIncludeSystem \
	--template='{file}:{line}: {id}: {message}' \
	-D__x86_64__ -D_GNU_SOURCE -Iinclude -Idevices -Ivmm -Ivmm/cli \
	devices vmm
