#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares a report (trapmap run --report) with claims about it, one a line of
stdin:

    PATH = VALUE      the value there is VALUE, as text
    PATH ~ REGEX      the value there, as text, matches
    PATH              there is something: not null, empty or false

PATH is names and indexes joined by dots: vcpus.0.state; a negative index counts
from the end, and # is a list's length.

usage: report.py REPORT.json
"""

import json
import re
import sys


def look_up(value, path):
    for step in path.split("."):
        if step == "#":
            value = len(value)
        elif isinstance(value, list):
            value = value[int(step)]
        else:
            value = value[step]
    return value


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def holds(report, claim):
    m = re.match(r"^(\S+)(?:\s+([=~])\s+(.*))?$", claim)
    value = look_up(report, m.group(1))
    if not m.group(2):
        return bool(value), value
    if m.group(2) == "=":
        return text(value) == m.group(3), value
    return re.search(m.group(3), text(value)) is not None, value


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        report = json.load(f)
    failed = 0
    for line in sys.stdin:
        claim = line.strip()
        if not claim:
            continue
        try:
            ok, found = holds(report, claim)
        except (KeyError, IndexError, ValueError, TypeError) as e:
            ok, found = False, f"nothing ({type(e).__name__}: {e})"
        if not ok:
            print(f"the report does not say: {claim}\n  but: {text(found)}")
            failed = 1
    return failed


sys.exit(main())
