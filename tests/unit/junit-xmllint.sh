#!/bin/sh
# SPDX-License-Identifier: MIT
# JUnit XML with every byte in every place is well-formed for a reader that is
# not ours.
#
# usage: junit-xmllint.sh TEST-JUNIT
set -eu

if ! command -v xmllint >/dev/null; then
	echo "skipped: xmllint is not installed (Debian: libxml2-utils)"
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" "$dir/junit.xml"
xmllint --noout "$dir/junit.xml"
echo "well-formed"
