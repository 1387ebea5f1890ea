#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Looks into compiled libraries: no mutable variable of static storage (two VMs
in one process would share it), and no reference to a banned function, however it
was spelt in the source.

usage: objects.py LIBRARY.a...
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import source  # noqa: E402
from bans import BANNED, why_not  # noqa: E402

# What sanitizers and coverage add.
INSTRUMENTED = ("__asan", "___asan", "__ubsan", "__tsan", "__sanc", "__llvm",
                "__gcov", "__prof", "__covrec", "__sanitizer", "asan.", "tsan.",
                "__odr_asan", "__unnamed_")

# Written to only by the dynamic linker, then read-only.
RELRO = (".data.rel.ro",)


def nm(*args):
    run = subprocess.run(["nm", *args], capture_output=True, text=True,
                         check=False)
    if run.returncode != 0:
        print(run.stderr, file=sys.stderr)
        sys.exit(1)
    return run.stdout


def symbols(library):
    """(object, name, class, section, 'path:line' or '') of each symbol."""
    member = os.path.basename(library)
    for row in nm("-f", "sysv", "-l", library).splitlines():
        m = re.match(r"^(?:Symbols|Undefined symbols) from .*?([^/\[]+?)\]?:$",
                     row)
        if m:
            member = m.group(1)
            continue
        cols = [c.strip() for c in row.split("|")]
        if len(cols) != 7 or cols[0] == "Name":
            continue
        section, _, where = cols[6].partition("\t")
        yield member, cols[0], cols[2], section.strip(), where.strip()


def plain(name):
    """The libc function behind a fortified or versioned name."""
    name = name.split("@", 1)[0]
    m = re.match(r"^__(\w+)_chk$", name)
    name = m.group(1) if m else name
    m = re.match(r"^__(?:isoc99_|builtin_)?(\w+)$", name)
    return m.group(1) if m and m.group(1) in BANNED else name


def short(where, library, member):
    """path:line within the tree; without debug information, line 0 of what the
    names of library and object say (meson makes x86_regs.c.o of x86/regs.c)."""
    path, _, line = where.rpartition(":")
    m = re.search(r"(?:^|/)((?:devices|vmm)/.*)$", os.path.normpath(path))
    if m:
        return m.group(1), line
    layer = "devices" if "devices" in os.path.basename(library) else "vmm"
    return f"{layer}/{member[:-2] if member.endswith('.o') else member}", 0


def main():
    if not shutil.which("nm"):
        source.skip("no nm (package binutils)")
    report = source.Report("objects")
    checked = 0
    for library in sys.argv[1:]:
        for member, name, kind, section, where in symbols(library):
            checked += 1
            if name.startswith(INSTRUMENTED):
                continue
            path, line = short(where, library, member)
            if kind in "BbDdCsSgG" and not section.startswith(RELRO):
                report.error(path, line, f"{name} is a variable of static "
                             f"storage ({section}): two VMs would share it")
            elif kind == "U":
                why = why_not(path, plain(name))
                if why:
                    report.error(path, line, f"refers to {name}: {why}")
    report.finish(checked)


main()
