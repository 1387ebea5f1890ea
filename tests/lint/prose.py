#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Markdown: each relative link leads somewhere, its heading included, and no word
stands twice in a row. The comments of C files are read for doubled words too.

usage: prose.py ROOT
"""

import os
import re
import sys

sys.dont_write_bytecode = True
import source  # noqa: E402

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
TWICE = re.compile(r"\b([A-Za-z]+)([ \t]+|[ \t]*\n[ \t*/#]*)\1\b")
MAY_DOUBLE = {"that", "had", "long"}


def blank(m):
    return re.sub(r"[^\n]", " ", m.group())


def without_code(text):
    text = re.sub(r"^(```|~~~).*?^\1[^\n]*$", blank, text,
                  flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^(?: {4}|\t)[^\n]*", blank, text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`", blank, text)


def anchors(text):
    """The anchors that a forge gives to the headings."""
    text = re.sub(r"^(```|~~~).*?^\1[^\n]*$", blank, text,
                  flags=re.DOTALL | re.MULTILINE)
    seen = {}
    for m in re.finditer(r"^#+[ \t]+(.*?)[ \t]*#*$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", m.group(1).lower()).replace(" ", "-")
        n = seen.get(slug, 0)
        seen[slug] = n + 1
        yield slug if n == 0 else f"{slug}-{n}"


def check_link(root, path, target):
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    name, _, anchor = target.partition("#")
    if name.startswith("/"):
        return f"link to {target}: not relative"
    full = os.path.normpath(
        os.path.join(os.path.dirname(path), name)) if name else path
    if full.startswith(".."):
        return f"link to {target}: leads out of the tree"
    if not os.path.exists(os.path.join(root, full)):
        return f"link to {target}: no such file"
    if anchor and full.endswith(".md") and \
            anchor not in anchors(source.read(root, full)):
        return f"link to {target}: no such heading in {full}"
    return None


def check_twice(report, path, text):
    for m in TWICE.finditer(text):
        if m.group(1).lower() not in MAY_DOUBLE:
            line = text.count("\n", 0, m.start()) + 1
            report.error(path, line, f"'{m.group(1)}' stands twice")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    report = source.Report("prose")
    paths = source.files(root, ".md")
    for path in paths:
        text = without_code(source.read(root, path))
        for m in list(LINK.finditer(text)) + list(REFERENCE.finditer(text)):
            why = check_link(root, path, m.group(1))
            if why:
                report.error(path, text.count("\n", 0, m.start(1)) + 1, why)
        check_twice(report, path, text)
    code = source.files(root, ".c", ".h", ".S")
    for path in code:
        text = source.read(root, path)
        for m in COMMENT.finditer(text):
            start = text.count("\n", 0, m.start())
            check_twice(report, path, "\n" * start + m.group())
    report.finish(len(paths) + len(code))


main()
