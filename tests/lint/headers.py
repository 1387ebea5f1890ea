#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The public headers: each compiles alone, as strict C11 and as C++, and each
function in them has a comment above it. Functions that follow one another without
a blank line share a comment.

usage: headers.py ROOT
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import source  # noqa: E402

STRICT = ["-fsyntax-only", "-pedantic", "-Wall", "-Wextra", "-Werror"]
COMPILERS = (
    ("gcc", ["-x", "c", "-std=c11"]),
    ("clang", ["-x", "c", "-std=c11"]),
    ("g++", ["-x", "c++"]),
    ("clang++", ["-x", "c++"]),
)
DECLARATION = re.compile(r"^[a-z][\w \t*]*?\b(\w+)[ \t]*\(")
NOT_DECLARATION = re.compile(r"^(typedef|static|extern|return|struct \w+ \{)")


def compile_alone(report, root, path):
    """Compiles a file of one line that includes the header, twice: a guard that
    does not guard shows too."""
    name = path[len("include/"):]
    text = f"#include <{name}>\n#include <{name}>\n"
    ran = 0
    for compiler, options in COMPILERS:
        if not shutil.which(compiler):
            continue
        ran += 1
        run = subprocess.run(
            [compiler, *options, *STRICT, "-I", os.path.join(root, "include"),
             "-"], input=text + "extern int not_empty;\n", text=True,
            capture_output=True, check=False)
        if run.returncode != 0:
            m = re.search(re.escape(name) + r":(\d+)(?::\d+)?: (.*)",
                          run.stderr)
            report.error(path, m.group(1) if m else 1,
                         f"does not compile alone with {compiler} "
                         f"{' '.join(options)}: "
                         f"{m.group(2) if m else run.stderr}")
    return ran


def assemble_alone(report, root, path):
    """guest_abi.h promises to work in assembler."""
    if os.path.basename(path) != "guest_abi.h" or not shutil.which("gcc"):
        return
    run = subprocess.run(
        ["gcc", "-x", "assembler-with-cpp", "-c", "-o", os.devnull, "-I",
         os.path.join(root, "include"), "-"],
        input=f"#include <{path[len('include/'):]}>\n", text=True,
        capture_output=True, check=False)
    if run.returncode != 0:
        report.error(path, 1, f"does not assemble: {run.stderr.strip()}")


def comments(report, path, text):
    lines = text.split("\n")
    code = source.strip(text).split("\n")
    depth = 0
    for i, line in enumerate(code):
        m = DECLARATION.match(line)
        if m and depth == 0 and not NOT_DECLARATION.match(line):
            above = i - 1
            # Up through the declarations that share the comment.
            while above >= 0 and code[above].strip() and \
                    not code[above].lstrip().startswith("#"):
                above -= 1
            if above < 0 or not lines[above].rstrip().endswith("*/"):
                report.error(path, i + 1,
                             f"{m.group(1)}() has no comment above it")
        if not line.startswith('extern "'):
            depth += line.count("{") - line.count("}")
        depth = max(depth, 0)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    report = source.Report("public headers")
    paths = source.files(root, ".h", under=("include/",))
    ran = 0
    for path in paths:
        ran += compile_alone(report, root, path)
        assemble_alone(report, root, path)
        comments(report, path, source.read(root, path))
    if paths and not ran:
        source.skip("no C compiler (package gcc or clang)")
    report.finish(len(paths))


main()
