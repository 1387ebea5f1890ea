#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""totals.py TESTLOG FAILURES: counts the test cases in meson's testlog.json.

Prints "PASSED FAILED SKIPPED REASON", REASON being why the first skipped test
was skipped. A test binary that reports its cases (cmocka's or TAP output)
counts as so many, any other as one. Appends the output of failing tests to the
file FAILURES.
"""
import json
import re
import sys

CMOCKA = re.compile(r"^\[\s+(OK|FAILED|SKIPPED|ERROR)\s+\] \w+$", re.M)
TAP = re.compile(r"^(not )?ok\b(.*)$", re.M)
TAIL = 60


def cases(text):
    """(passed, failed, skipped) by what the test printed; zeros if nothing."""
    found = CMOCKA.findall(text)
    if found:
        return (found.count("OK"),
                found.count("FAILED") + found.count("ERROR"),
                found.count("SKIPPED"))
    passed = failed = skipped = 0
    for bad, rest in TAP.findall(text):
        if re.search(r"#\s*skip", rest, re.I):
            skipped += 1
        elif bad:
            failed += 1
        else:
            passed += 1
    return passed, failed, skipped


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def main(testlog, failures):
    total = [0, 0, 0]
    reason = ""
    with open(testlog, encoding="utf-8") as log:
        tests = [json.loads(line) for line in log if line.strip()]
    for test in tests:
        out, err = test.get("stdout") or "", test.get("stderr") or ""
        passed, failed, skipped = cases(out)
        result = test["result"]
        if result == "SKIP":
            passed, failed, skipped = 0, 0, max(1, skipped)
            reason = reason or last_line(err) or last_line(out)
            reason = re.sub(r"^skip(ped)?:\s*", "", reason, flags=re.I)
        elif result in ("OK", "EXPECTEDFAIL"):
            # What meson calls good is good, whatever the words looked like.
            passed, failed = passed + failed, 0
            if passed + skipped == 0:
                passed = 1
        else:
            failed = max(1, failed)
            with open(failures, "a", encoding="utf-8") as file:
                print(f"---- {test['name']}: {result}, status "
                      f"{test.get('returncode')}", file=file)
                for text in (out, err):
                    # A crash says why at its end, a failed check anywhere.
                    for line in text.splitlines()[-TAIL:]:
                        print("    " + line, file=file)
        total = [a + b for a, b in zip(total, (passed, failed, skipped))]
    print(*total, reason)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
