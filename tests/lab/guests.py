#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tiny guests as jobs of a lab.

guests.py jobs BUILD HOST          prints a job for each guest, with its cases
guests.py results BUILD HOST DIR   prints "STATUS CASE FORMAT REASON", with tabs, for
                                   each case, by what the jobs have left in DIR:
                                   STATUS is 0 for as expected, 1 for not, 77 for
                                   skipped

Which guests there are, and their cases, is what the build folder's tests say. HOST is
one of rounds.sh.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RUN = os.path.join(os.path.dirname(HERE), "guests", "run.sh")

# What is not for a lab: cases, the beginning of its name, and why.
NOT_HERE = [
    (r"signal-int-idle$", "",
     "a shell without job control starts it with SIGINT ignored, and busybox's "
     "timeout leaves it so"),
    (r"smp-(64|255|300|.*above-255)$", "intel",
     "so many vCPUs take too long on one emulated processor"),
    (r"uart-bulk$", "", "65536 exits are ten seconds on an emulated processor"),
    (r"crash-(?!jump-into|exception|cannot)", "amd",
     "AMD-V keeps no registers of a triple fault, which this looks at"),
    (r"crash-real-no-stack$", ("intel-ept0", "intel-ug0"),
     "KVM emulates real mode there, and goes on with a stack that reads as all ones"),
]
# Guests that test a model, or the watchdog, which know nothing of the processor: the
# first case is run, which shows that exits arrive. So it is with all guests of the usual
# format but on one host: check.sh has half an hour.
ALL_ON = "intel"
ONE_CASE = r"(virtio-|rtc-|uart-|debugcon|console|pvpanic|stuck)"
USUAL = "ELF by linux64"


def guests(build):
    """[(job's name, guest, source, [case])]"""
    with open(os.path.join(build, "meson-info", "intro-tests.json"),
              encoding="utf-8") as f:
        tests = json.load(f)
    found = {}
    for test in tests:
        cmd = test["cmd"]
        if len(cmd) != 5 or not cmd[0].endswith("guests/run.sh"):
            continue
        guest, source, case = cmd[2:]
        if not os.path.isabs(source):
            source = os.path.join(build, source)
        if guest != "-" and not os.path.isabs(guest):
            guest = os.path.join(build, guest)
        found.setdefault((guest, os.path.realpath(source)), []).append(case)
    taken = {}
    for (guest, source), cases in sorted(found.items(), key=lambda i: i[0][1]):
        name = "guest-" + re.sub(r"\W", "-", os.path.basename(source))
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name += f"-{taken[name]}"
        yield name, guest, source, cases


def not_for(case, host):
    return next((why for regex, hosts, why in NOT_HERE
                 if re.match(regex, case) and host.startswith(hosts)), None)


def not_here(case, cases, source, host):
    """Why one of a source's cases is not run there, or None."""
    name = os.path.basename(source)
    first = next((c for c in cases if not not_for(c, host)), None)
    why = not_for(case, host)
    if not why and case != first and (
            re.match(ONE_CASE, name) or
            host != ALL_ON and format_of(source, case) == USUAL):
        why = "of its guest one case is run there, for time"
    return why


def jobs(build, host):
    for name, guest, source, cases in guests(build):
        cases = [case for case in cases
                 if not not_here(case, cases, source, host)]
        if cases:
            print(name, 40 + 5 * len(cases), "sh", os.path.join(HERE, "guests-l1"),
                  RUN, guest, source, *cases)


def format_of(source, case):
    """What the source's head says, see run.sh."""
    own = everyone = None
    current = None
    with open(source, encoding="utf-8") as f:
        for number, line in enumerate(f):
            if number > 0 and "*/" in line:
                break
            if m := re.match(r" \* case (\S+)", line):
                current = m.group(1)
            elif m := re.match(r" \*\tformat: *(.*)", line):
                own = m.group(1) if current == case else own
            elif m := re.match(r" \* format: *(.*)", line):
                everyone = m.group(1)
    return own or everyone or USUAL


def read(*path):
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def result(folder):
    """(status, reason) of a case that has been run, or should have been."""
    status = read(folder, "status").strip()
    said = read(folder, "said").replace("\t", " ").splitlines()
    told = next((line for line in said if re.match("(FAILED|SKIPPED): ", line)),
                said[0] if said else "")
    if status == "77":
        return 77, told.removeprefix("SKIPPED: ")
    if status != "0":
        return 1, told or "it was not run, or did not end"
    claims = read(folder, "claims")
    if claims:
        run = subprocess.run(
            [sys.executable, os.path.join(os.path.dirname(RUN), "report.py"),
             os.path.join(folder, "report.json")],
            input=claims, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            return 1, " ".join((run.stdout + run.stderr).split())
    return 0, ""


def results(build, host, folder):
    for name, _, source, cases in guests(build):
        for case in cases:
            why = not_here(case, cases, source, host)
            status, reason = (77, why) if why else result(
                os.path.join(folder, name, case))
            print(status, case, format_of(source, case), reason, sep="\t")


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "jobs":
        jobs(*sys.argv[2:])
    elif len(sys.argv) == 5 and sys.argv[1] == "results":
        results(*sys.argv[2:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
