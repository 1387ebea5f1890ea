#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a formatter does not see: lengths, licence lines, header guards, leftovers.

usage: style.py ROOT
"""

import os
import re
import sys

sys.dont_write_bytecode = True
import source  # noqa: E402

LONG = 500
TOO_LONG = 800
CODE = (".c", ".h", ".S", ".ld", ".py", ".sh")
TEXT = CODE + (".md", ".build", ".txt", ".map", ".in", ".clang-format",
               ".clang-tidy", ".gitignore")

# Put together here, so that this file does not find itself.
LEFTOVER = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "X" "XX"))
                      + r")\b")
HERE = re.compile(r"(?<![\w.$}])/(wor" r"k/|home/\w|root/)")


def check_text(report, path, lines):
    for i, line in enumerate(lines, 1):
        if line != line.rstrip():
            report.error(path, i, "blanks at the end of the line")
        m = LEFTOVER.search(line)
        if m:
            report.error(path, i, f"{m.group(1)}: do it, or open an issue")
        m = HERE.search(line)
        if m:
            report.error(path, i, f"names a path of one machine (/{m.group(1)})")
    if lines and lines[-1] == "":
        report.error(path, len(lines), "empty lines at the end")


def check_length(report, path, lines):
    if len(lines) > TOO_LONG:
        report.error(path, TOO_LONG + 1, f"{len(lines)} lines, more than "
                     f"{TOO_LONG}: two things live in one file")
    elif len(lines) > LONG:
        print(f"warning: {path}: {len(lines)} lines, more than {LONG}")


def check_licence(report, path, lines):
    at = 1 if lines and lines[0].startswith("#!") else 0
    if len(lines) <= at or "SPDX-License-Identifier: MIT" not in lines[at]:
        report.error(path, at + 1, "no SPDX-License-Identifier: MIT here")


def check_guard(report, path, text, guards):
    m = re.search(r"^#ifndef (\w+)\n#define (\w+)\s*$", source.strip(text),
                  re.MULTILINE)
    if not m or m.group(1) != m.group(2):
        report.error(path, 1, "no header guard")
        return
    name = m.group(1)
    stem = re.sub(r"\W", "_", os.path.basename(path)).upper()
    if not name.endswith("_" + stem):
        report.error(path, 1, f"header guard {name} does not end in _{stem}")
    if name in guards:
        report.error(path, 1, f"header guard {name} is that of {guards[name]} "
                     "too")
    guards[name] = path


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    report = source.Report("style")
    guards = {}
    paths = [p for p in source.files(root, *TEXT) if "/corpus/" not in p]
    for path in paths:
        text = source.read(root, path)
        lines = text.split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        elif text:
            report.error(path, len(lines), "no newline at the end")
        check_text(report, path, lines)
        if path.endswith(CODE):
            check_length(report, path, lines)
            check_licence(report, path, lines)
        if path.endswith(".h"):
            check_guard(report, path, text, guards)
    report.finish(len(paths))


main()
