#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of boot formats by host, from what the suites have recorded.

table.py RESULTS [README]

RESULTS is a folder of files as record.sh writes them, one a host. Prints the table;
with README puts it there, between the two comments that mark its place. Exit status 0,
or 2 with one line where RESULTS or README is not as it should be.
"""
import glob
import json
import os
import re
import sys

BEGIN = "<!-- the table of boot formats: written by tests/lab/table.py -->"
END = "<!-- the end of the table -->"

# A result of "here" may name the kind of KVM that is there.
HOSTS = {
    "here": "this host",
    "amd": "AMD-V",
    "amd-npt0": "AMD-V, shadow paging",
    "intel": "VT-x, EPT",
    "intel-ept0": "VT-x, shadow paging",
    "intel-ug0": "VT-x, no unrestricted guest",
}
# In this order; others come behind.
FORMATS = [
    "bzImage by linux64", "bzImage by linux32", "bzImage by linux16",
    "bzImage by unpack", "ELF by linux64", "ELF by pvh", "multiboot",
    "compressed ELF", "boot sector", "flat", "firmware", "board",
]
GUESTS = {"tiny": "tiny guests", "stock": "Debian's kernel"}
RESULTS = ("passed", "failed", "skipped")


class Bad(Exception):
    """What is wrong with a file, for people."""


def load(folder):
    """({(host, format, guest): {case: (result, reason)}}, {host: why it was
    skipped as a whole}, {host: label}). A case that was run twice is as it was
    the last time."""
    cells, gone, labels = {}, {}, dict(HOSTS)
    paths = sorted(glob.glob(os.path.join(folder, "*.jsonl")))
    if not paths:
        raise Bad(f"{folder}: no results (*.jsonl) in there")
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                try:
                    r = json.loads(line)
                    if "label" in r:
                        labels[r["host"]] = r["label"]
                        continue
                    key = r["host"], r["format"], r["guest"]
                    case = r["case"], r["result"], r["reason"]
                    if r["result"] not in RESULTS:
                        raise ValueError(f"result '{r['result']}'")
                except (ValueError, KeyError, TypeError) as e:
                    raise Bad(f"{path}:{number}: not a result: {e}") from e
                if key[1] == "*":
                    gone[key[0], key[2]] = case[2]
                else:
                    cells.setdefault(key, {})[case[0]] = case[1:]
    return cells, gone, labels


class Notes:
    """Reasons, numbered as they come up; the same one has one number."""

    def __init__(self):
        self.cases = {}

    def number(self, reason, case):
        known = self.cases.setdefault(reason or "no reason was given", [])
        if case and case not in known:
            known.append(case)
        return list(self.cases).index(reason or "no reason was given") + 1

    def lines(self):
        for n, (reason, cases) in enumerate(self.cases.items(), 1):
            named = ", ".join(f"`{c}`" for c in cases[:4])
            if len(cases) > 4:
                named += f" and {len(cases) - 4} more"
            reason = re.sub(r"([|<>*_\[\]`])", r"\\\1", reason)
            yield f"{n}. {named + ': ' if named else ''}{reason}"


def cell(cases, why_gone, notes):
    if not cases:
        return f"skipped [{notes.number(why_gone, None)}]" if why_gone else "not run"
    words = []
    for kind in RESULTS:
        having = {c: why for c, (result, why) in cases.items() if result == kind}
        if not having:
            continue
        text = f"{len(having)} {kind if kind != 'failed' else '**failed**'}"
        if kind != "passed":
            numbers = sorted({notes.number(why, c) for c, why in having.items()})
            text += " " + "".join(f"[{n}]" for n in numbers)
        words.append(text)
    return ", ".join(words)


def rank(row):
    known = FORMATS.index(row[0]) if row[0] in FORMATS else len(FORMATS)
    return list(GUESTS).index(row[1]) if row[1] in GUESTS else 9, known, row[0]


def table(folder):
    cells, gone, labels = load(folder)
    hosts = [h for h in labels if h in HOSTS] + sorted(
        {key[0] for key in cells} - set(HOSTS))
    rows = sorted({key[1:] for key in cells}, key=rank)
    notes = Notes()
    lines = ["| guest | boot format | " +
             " | ".join(labels.get(h, h) for h in hosts) + " |",
             "|---|---|" + "---|" * len(hosts)]
    for name, guest in rows:
        line = [GUESTS.get(guest, guest), name]
        for host in hosts:
            why = gone.get((host, guest)) or gone.get((host, "*"))
            line.append(cell(cells.get((host, name, guest)), why, notes))
        lines.append("| " + " | ".join(line) + " |")
    noted = list(notes.lines())
    if noted:
        lines += ["", "Skipped or failed, and why:", ""] + noted
    return "\n".join(lines) + "\n"


def put(text, path):
    with open(path, encoding="utf-8") as f:
        old = f.read()
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        raise Bad(f"{path}: the lines '{BEGIN}' and '{END}' are wanted, once each")
    head, rest = old.split(BEGIN)
    if END not in rest:
        raise Bad(f"{path}: '{END}' comes before the beginning")
    new = f"{head}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}"
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(new)
    os.replace(path + ".new", path)


def main(args):
    if len(args) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text = table(args[0])
        if len(args) == 2:
            put(text, args[1])
        else:
            print(text, end="")
    except (Bad, OSError) as e:
        print(f"table.py: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
