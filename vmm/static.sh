#!/bin/sh
# SPDX-License-Identifier: MIT
# static.sh OUTPUT ARCHIVE...: links the archives into one object whose only
# global symbols are the public ones, and makes OUTPUT of it. So a program that
# embeds the static library can call its own functions what it likes.
set -eu
out=$1
shift
ld -r -o "$out.o" --whole-archive "$@"
objcopy --wildcard --keep-global-symbol='trapmap_*' "$out.o"
rm -f "$out"
ar rcs "$out" "$out.o"
