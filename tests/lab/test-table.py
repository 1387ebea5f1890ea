#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of table.py and of the heads that it counts by. Output is TAP."""
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def script(name):
    spec = importlib.util.spec_from_file_location(name, f"{HERE}/{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


table = script("table")
guests = script("guests")


class Table(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def record(self, *args):
        """By record.sh itself, from a shell."""
        subprocess.run(
            ["sh", "-c", '. "$0"; record "$@"', f"{HERE}/record.sh", *args],
            env={**os.environ, "TRAPMAP_RESULTS": self.folder.name}, check=True)

    def lines(self):
        return table.table(self.folder.name).splitlines()

    def row(self, *begin):
        found = [line.split(" | ") for line in self.lines()
                 if line.startswith("| " + " | ".join(begin) + " |")]
        self.assertEqual(len(found), 1)
        return [word.strip("| ") for word in found[0]]

    def test_counts_by_format_and_host(self):
        self.record("amd", "flat", "tiny", "a", "passed")
        self.record("amd", "flat", "tiny", "b", "passed")
        self.record("intel", "flat", "tiny", "a", "passed")
        self.record("amd", "flat", "stock", "c", "passed")
        self.assertEqual(self.row("tiny guests", "flat")[2:],
                         ["not run", "2 passed", "not run", "1 passed",
                          "not run", "not run"])
        self.assertEqual(self.row("Debian's kernel", "flat")[3], "1 passed")

    def test_a_failure_shows_with_its_reason(self):
        self.record("amd", "flat", "tiny", "a", "passed")
        self.record("amd", "flat", "tiny", "b", "failed", 'said "no" \\ | x')
        self.assertEqual(self.row("tiny guests", "flat")[3],
                         "1 passed, 1 **failed** [1]")
        self.assertIn('1. `b`: said "no" \\ \\| x', self.lines())

    def test_one_reason_has_one_note(self):
        for case in "abcdef":
            self.record("amd", "flat", "tiny", case, "skipped", "not here")
        self.record("intel", "flat", "tiny", "g", "skipped", "other")
        row = self.row("tiny guests", "flat")
        self.assertEqual((row[3], row[5]), ("6 skipped [1]", "1 skipped [2]"))
        self.assertIn("1. `a`, `b`, `c`, `d` and 2 more: not here", self.lines())

    def test_the_last_result_of_a_case_counts(self):
        self.record("amd", "flat", "tiny", "a", "failed", "once")
        self.record("amd", "flat", "tiny", "a", "passed")
        self.assertEqual(self.row("tiny guests", "flat")[3], "1 passed")

    def test_a_host_that_was_skipped_says_why(self):
        self.record("amd", "flat", "tiny", "a", "passed")
        self.record("intel", "*", "*", "*", "skipped", "no bochs")
        self.record("here", "*", "stock", "*", "skipped", "software")
        row = self.row("tiny guests", "flat")
        self.assertEqual((row[2], row[5]), ("not run", "skipped [1]"))

    def test_a_host_may_have_a_name_of_its_own(self):
        self.record("here", "flat", "tiny", "a", "passed")
        with open(self.path("here.jsonl"), "a", encoding="utf-8") as f:
            f.write('{"host": "here", "label": "software KVM"}\n')
        self.assertIn("| software KVM |", self.lines()[0])

    def test_formats_come_in_their_order(self):
        for name in ("flat", "a new one", "bzImage by linux64"):
            self.record("amd", name, "tiny", "a", "passed")
        self.assertEqual([line.split(" | ")[1] for line in self.lines()[2:5]],
                         ["bzImage by linux64", "flat", "a new one"])

    def test_replaces_what_is_between_the_marks_only(self):
        self.record("amd", "flat", "tiny", "a", "passed")
        with open(self.path("README"), "w", encoding="utf-8") as f:
            f.write(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
        for _ in range(2):
            self.assertEqual(
                table.main([self.folder.name, self.path("README")]), 0)
        with open(self.path("README"), encoding="utf-8") as f:
            text = f.read()
        self.assertTrue(text.startswith(f"before\n{table.BEGIN}\n\n| guest "))
        self.assertTrue(text.endswith(f"\n{table.END}\nafter\n"))
        self.assertNotIn("old", text)

    def test_refuses_what_is_no_result(self):
        for line in ("{", "[]", '{"host": "amd"}', '{"host": "amd", "format": "x", '
                     '"guest": "y", "case": "z", "result": "maybe", "reason": ""}'):
            with open(self.path("amd.jsonl"), "w", encoding="utf-8") as f:
                f.write(line + "\n")
            with self.assertRaisesRegex(table.Bad, r"amd\.jsonl:1: not a result"):
                self.lines()

    def test_refuses_an_empty_folder_and_a_file_without_marks(self):
        self.assertRaises(table.Bad, self.lines)
        self.record("amd", "flat", "tiny", "a", "passed")
        with open(self.path("README"), "w", encoding="utf-8") as f:
            f.write(f"{table.BEGIN}\n")
        self.assertRaises(table.Bad, table.put, "", self.path("README"))


class Heads(unittest.TestCase):
    HEAD = ("// SPDX\n/*\n * format: flat\n *\n * case one\n *\tstatus: 0\n"
            " * case two\n *\tstatus: 0\n *\tformat: boot sector\n"
            " * case three\n *\tstatus: 0\n */\n/* format: none */\n")

    def test_shell_and_python_read_the_same(self):
        with tempfile.NamedTemporaryFile("w", suffix=".c") as f:
            for head in (self.HEAD, self.HEAD.replace("format:", "other:")):
                f.seek(0)
                f.truncate()
                f.write(head)
                f.flush()
                for case in ("one", "two", "three"):
                    shell = subprocess.run(
                        ["sh", "-c", '. "$0"; format_of "$@"',
                         f"{HERE}/record.sh", f.name, case],
                        capture_output=True, text=True, check=True)
                    self.assertEqual(guests.format_of(f.name, case),
                                     shell.stdout.strip())

    def test_a_case_stands_above_the_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".c") as f:
            f.write(self.HEAD)
            f.flush()
            self.assertEqual([guests.format_of(f.name, case)
                              for case in ("one", "two", "three")],
                             ["flat", "boot sector", "flat"])


class Results(unittest.TestCase):
    def result(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                    f.write(text)
            return guests.result(folder)

    def test_what_left_nothing_failed(self):
        self.assertEqual(self.result()[0], 1)

    def test_a_status_alone_tells(self):
        self.assertEqual(self.result(status="0\n", said=""), (0, ""))
        self.assertEqual(self.result(status="77\n", said="x\nSKIPPED: why\n"),
                         (77, "why"))
        self.assertEqual(self.result(status="1\n", said="FAILED: c: why\n  more\n"),
                         (1, "FAILED: c: why"))

    def test_claims_about_a_report_count(self):
        good = {"status": "0", "claims": "a = 1\n"}
        self.assertEqual(self.result(**good)[0], 1)
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**good, "report.json": '{"a": 2}'}.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                    f.write(text)
            self.assertEqual(guests.result(folder)[0], 1)
            with open(os.path.join(folder, "report.json"), "w",
                      encoding="utf-8") as f:
                f.write('{"a": 1}')
            self.assertEqual(guests.result(folder), (0, ""))


class Tap(unittest.TextTestResult):
    def addSuccess(self, test):
        print(f"ok - {test.id()}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        print(f"not ok - {test.id()}")

    addError = addFailure


if __name__ == "__main__":
    sys.exit(not unittest.main(
        exit=False, testRunner=unittest.TextTestRunner(resultclass=Tap)
    ).result.wasSuccessful())
