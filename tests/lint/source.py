# SPDX-License-Identifier: MIT
"""What the lint scripts share: which files the tree has, C without its comments
and strings, and how a finding is reported."""

import os
import re
import subprocess
import sys

SKIP = 77


class Report:
    """Findings as 'path:line: text', on stderr; a run with any fails."""

    def __init__(self, what):
        self.what = what
        self.found = 0

    def error(self, path, line, text):
        print(f"{path}:{line}: {text}", file=sys.stderr)
        self.found += 1

    def finish(self, checked):
        if checked == 0:
            print(f"{self.what}: nothing to check, so nothing is proved",
                  file=sys.stderr)
            sys.exit(1)
        print(f"{self.what}: {checked} checked, {self.found} found")
        sys.exit(1 if self.found else 0)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def _from_git(root):
    if not os.path.exists(os.path.join(root, ".git")):
        return None
    run = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, check=False)
    if run.returncode != 0:
        return None
    return [p for p in run.stdout.decode().split("\0") if p]


def _from_walk(root):
    found = []
    for folder, subs, names in os.walk(root):
        # A build folder is no source, wherever it lies.
        subs[:] = [s for s in subs if s not in (".git", "__pycache__") and
                   not os.path.isdir(os.path.join(folder, s, "meson-private"))]
        found += [os.path.relpath(os.path.join(folder, n), root)
                  for n in names]
    return found


def files(root, *suffixes, under=("",)):
    """Paths relative to root, sorted; suffixes none: all."""
    try:
        paths = _from_git(root)
    except FileNotFoundError:
        paths = None
    if paths is None:
        paths = _from_walk(root)
    return sorted(
        p for p in paths
        if os.path.isfile(os.path.join(root, p)) and
        (not suffixes or p.endswith(suffixes)) and p.startswith(tuple(under)))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8",
              errors="replace") as f:
        return f.read()


_TOKEN = re.compile(
    r'(?P<splice>\\[ \t]*\n)'
    r'|(?P<block>/\*.*?(?:\*/|\Z))'
    r'|(?P<line>//(?:\\\n|[^\n])*)'
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<char>'(?:\\.|[^'\\\n])*')",
    re.DOTALL)


def strip(text, keep_strings=False):
    """C source in which comments, and strings unless kept, are blank. Lines that
    end in a backslash are joined with the next, and the newlines that go are put
    behind it, so that line numbers stay right where they matter: at the first
    line of a directive or a statement."""
    owed = 0
    out = []
    pos = 0

    def emit(piece):
        nonlocal owed
        if owed and "\n" in piece:
            head, tail = piece.split("\n", 1)
            piece = head + "\n" * (owed + 1) + tail
            owed = 0
        out.append(piece)

    for m in _TOKEN.finditer(text):
        emit(text[pos:m.start()])
        pos = m.end()
        kind, piece = m.lastgroup, m.group()
        if kind == "splice":
            owed += 1
        elif kind == "block":
            # In a directive a comment is a space, even over several lines.
            owed += piece.count("\n")
            out.append(" ")
        elif kind == "line":
            owed += piece.count("\n")
        elif keep_strings:
            out.append(piece)
        else:
            out.append(piece[0] + " " * (len(piece) - 2) + piece[-1])
    emit(text[pos:])
    return "".join(out)
