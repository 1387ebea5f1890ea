#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The functions that trapmap.h declares, with the headers of its folder that it
includes, the names in the version script and the
symbols that the libraries export are the same set.

usage: exports.py HEADER MAP [--shared LIBRARY.so] [--static LIBRARY.a]
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import source  # noqa: E402


def line_of(text, pos):
    return text.count("\n", 0, pos) + 1


def declared(text):
    """{function: line} of a header's declarations, inline ones not among them."""
    text = source.strip(text)
    text = re.sub(r"^[ \t]*#[^\n]*", "", text, flags=re.MULTILINE)
    found = {}
    depth = 0
    start = 0
    for m in re.finditer(r"[{};]", text):
        if m.group() == "{":
            # An extern "C" block is no scope of its own.
            if re.search(r'extern\s*"\s*"\s*$', text[start:m.start()]):
                start = m.end()
                continue
            depth += 1
        elif m.group() == "}":
            depth = max(depth - 1, 0)
            if depth == 0:
                start = m.end()
        elif depth == 0:
            decl = text[start:m.start()]
            f = re.search(r"\b([A-Za-z_]\w*)\s*\(", decl)
            if f and not re.match(r"\s*(typedef|static)\b", decl):
                found[f.group(1)] = line_of(text, start + f.start(1))
            start = m.end()
    return found


def declared_in(header):
    """The same of a header and of those of its folder that it includes."""
    text = source.read(".", header)
    found = declared(text)
    folder = os.path.dirname(header)
    for name in re.findall(r"#include <trapmap/(\w+\.h)>", text):
        found.update(declared(source.read(".", os.path.join(folder, name))))
    return found


def mapped(report, path, text):
    """{name: line} of a version script's global names."""
    text = re.sub(r"#[^\n]*", "", source.strip(text))
    found = {}
    is_global = True
    for m in re.finditer(r"(global|local)\s*:|([^\s;{}:]+)\s*;|[{}]", text):
        if m.group(1):
            is_global = m.group(1) == "global"
        elif m.group() == "{":
            is_global = True
        elif m.group() == "}" or not is_global:
            continue
        elif re.search(r"[*?\[]", m.group(2)):
            report.error(path, line_of(text, m.start()),
                         f"{m.group(2)}: a pattern exports what nobody chose")
        elif not m.group(2).startswith("TRAPMAP_"):
            found[m.group(2)] = line_of(text, m.start())
    if not re.search(r"local\s*:\s*\*\s*;", text):
        report.error(path, 1, "no `local: *;`, so everything is exported")
    return found


def exported(library, *options):
    run = subprocess.run(["nm", *options, "--defined-only", "-P", library],
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(run.stderr)
    names = set()
    for row in run.stdout.splitlines():
        cols = row.split()
        # A versioned library also has its version's name, class A.
        if len(cols) >= 2 and cols[1] != "A" and not cols[0].endswith(":"):
            names.add(cols[0].split("@", 1)[0])
    return {n for n in names
            if not n.startswith(("__asan", "___asan", "__odr_asan", "__ubsan",
                                 "__gcov", "__llvm", "__sanc"))}


def compare(report, path, have, want, why):
    for name in sorted(set(have) - set(want)):
        line = have[name] if isinstance(have, dict) else 0
        report.error(path, line, f"{name}: {why}")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("header")
    args.add_argument("map")
    args.add_argument("--shared")
    args.add_argument("--static", dest="archive")
    opt = args.parse_args()
    if not shutil.which("nm"):
        source.skip("no nm (package binutils)")

    report = source.Report("exports")
    api = declared_in(opt.header)
    listed = mapped(report, opt.map, source.read(".", opt.map))
    compare(report, opt.header, api, listed,
            f"declared here, but not in {os.path.basename(opt.map)}")
    compare(report, opt.map, listed, api,
            f"listed here, but {os.path.basename(opt.header)} does not "
            "declare it")
    for library, options in ((opt.shared, ("-D", "-g")), (opt.archive, ("-g",))):
        if not library:
            continue
        names = exported(library, *options)
        compare(report, library, names, api, "exported, but not declared in "
                f"{os.path.basename(opt.header)}")
        compare(report, opt.header, api, names,
                f"declared here, but {os.path.basename(library)} does not "
                "export it")
    report.finish(len(api))


main()
