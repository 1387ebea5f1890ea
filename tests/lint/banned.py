#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls that a library must not make: devices/ and vmm/ without vmm/cli/. Looks
at the source, for a message with a line in it; objects.py looks at what the
compiler made of it.

usage: banned.py ROOT
"""

import re
import sys

sys.dont_write_bytecode = True
import source  # noqa: E402
from bans import BANNED, STREAMS, why_not  # noqa: E402

# Not members (x.exit, x->exit). Functions where they are called, streams always.
NAME = re.compile(
    r"(?<![\w.])(?<!->)(?:__builtin_)?(?:(" + "|".join(BANNED) + r")\s*\(|("
    + "|".join(STREAMS) + r")\b)")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    report = source.Report("banned calls")
    paths = [p for p in source.files(root, ".c", ".h",
                                     under=("devices/", "vmm/"))
             if not p.startswith("vmm/cli/")]
    for path in paths:
        text = source.strip(source.read(root, path))
        for m in NAME.finditer(text):
            line = text.count("\n", 0, m.start()) + 1
            name = m.group(1) or m.group(2)
            why = why_not(path, name)
            if why:
                call = "()" if m.group(1) else ""
                report.error(path, line, f"{name}{call}: {why}")
    report.finish(len(paths))


main()
