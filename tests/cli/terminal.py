#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What trapmap does to its terminal, and in what state it leaves it.

    terminal.py TRAPMAP GUESTS

This script plays the job-control shell: it leads a session whose controlling
terminal is a pty, starts trapmap as the foreground or a background job, types,
sends signals, and compares the terminal's modes before, during and after.
"""

import fcntl
import os
import pty
import select
import signal
import sys
import termios
import time

PATIENCE = 20.0


class Failure(Exception):
    pass


def check(what, got, want):
    if got != want:
        raise Failure(f"{what}: got {got!r}, expected {want!r}")


class Job:
    """One run of trapmap on the terminal."""

    def __init__(self, terminal, args, foreground=True):
        self.terminal = terminal
        self.screen = b""
        self.said = b""
        err_r, err_w = os.pipe()
        go_r, go_w = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setpgid(0, 0)
                os.close(go_w)
                os.read(go_r, 1)  # until the terminal is ours, or not
                # What a shell leaves ignored in the background, too.
                for sig in (signal.SIGTTOU, signal.SIGHUP, signal.SIGINT,
                            signal.SIGQUIT):
                    signal.signal(sig, signal.SIG_DFL)
                for fd, to in ((terminal.slave, 0), (terminal.slave, 1), (err_w, 2)):
                    os.dup2(fd, to)
                os.closerange(3, 64)
                os.execv(TRAPMAP, [TRAPMAP, "run"] + args)
            finally:
                os._exit(99)
        os.close(err_w)
        os.close(go_r)
        self.err = err_r
        self.make_foreground(self.pid if foreground else os.getpgrp())
        os.close(go_w)

    def make_foreground(self, group):
        try:
            os.setpgid(self.pid, self.pid)
        except OSError:
            pass
        os.tcsetpgrp(self.terminal.slave, group)

    def pump(self, seconds):
        """Takes what came from the screen and from stderr."""
        fds = [self.terminal.master] + ([self.err] if self.err >= 0 else [])
        ready, _, _ = select.select(fds, [], [], seconds)
        if self.terminal.master in ready:
            self.screen += os.read(self.terminal.master, 65536)
        if self.err in ready:
            text = os.read(self.err, 65536)
            self.said += text
            if not text:
                os.close(self.err)
                self.err = -1
        return ready

    def until(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise Failure(f"{what}: not within {PATIENCE:.0f} s; "
                              f"screen {self.screen[-200:]!r}, said {self.said!r}")
            self.pump(0.05)

    def expect(self, text):
        self.until(f"{text!r} on the screen", lambda: text in self.screen)
        self.screen = self.screen[self.screen.index(text) + len(text):]

    def type(self, text):
        while text:
            n = os.write(self.terminal.master, text[:1024])
            text = text[n:]
            self.pump(0.01)

    def wait(self, options=0):
        """The wait status, as (kind, number)."""
        end = time.monotonic() + PATIENCE
        while True:
            pid, status = os.waitpid(self.pid, options | os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise Failure(f"it does not end; said {self.said!r}")
            self.pump(0.02)
        if os.WIFSTOPPED(status):
            return "stopped", os.WSTOPSIG(status)
        os.tcsetpgrp(self.terminal.slave, os.getpgrp())
        while self.err >= 0 and self.err in self.pump(0.2):
            pass
        if self.err >= 0:
            os.close(self.err)
        self.pump(0.05)
        if os.WIFSIGNALED(status):
            return "killed", os.WTERMSIG(status)
        return "exit", os.WEXITSTATUS(status)


class Terminal:
    def __init__(self):
        self.master, self.slave = pty.openpty()
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.sane = termios.tcgetattr(self.slave)
        # Something of the user's own, which must come back too.
        self.sane[0] |= termios.IXANY
        termios.tcsetattr(self.slave, termios.TCSANOW, self.sane)
        self.sane = termios.tcgetattr(self.slave)

    def is_sane(self):
        return termios.tcgetattr(self.slave) == self.sane

    def is_raw(self):
        lflag = termios.tcgetattr(self.slave)[3]
        return not lflag & (termios.ICANON | termios.ECHO | termios.ISIG)

    def reset(self):
        termios.tcsetattr(self.slave, termios.TCSANOW, self.sane)
        termios.tcflush(self.slave, termios.TCIOFLUSH)


def guest(name):
    return ["-k", os.path.join(GUESTS, name)]


def started(t, name="echo", *more):
    job = Job(t, guest(name) + list(more))
    job.expect(b"R")
    job.until("raw mode", t.is_raw)
    return job


def restored_after_a_normal_end(t):
    job = started(t)
    job.type(b"abc")
    job.expect(b"abc")
    job.type(b"q")
    check("status", job.wait(), ("exit", 0))
    check("restored", t.is_sane(), True)
    check("a verdict", job.said.count(b"trapmap: "), 1)


def ctrl_a_x_ends_and_other_control_keys_are_the_guests(t):
    job = started(t)
    job.type(b"\x03\x1a\x1c\x11\r")
    job.expect(b"\x03\x1a\x1c\x11\r")
    job.type(b"\x01\x01")
    job.expect(b"\x01")
    job.type(b"\x01h")
    job.until("the keys", lambda: b"Ctrl-A x" in job.said)
    job.type(b"\x01x")
    check("status", job.wait(), ("exit", 130))
    check("restored", t.is_sane(), True)
    check("verdict", b"ended by Ctrl-A x" in job.said, True)


def ctrl_a_x_ends_a_guest_that_reads_nothing(t):
    job = started(t, "deaf")
    job.type(b"k" * 150000)
    job.type(b"\x01x")
    check("status", job.wait(), ("exit", 130))
    check("restored", t.is_sane(), True)


def ctrl_a_p_presses_the_power_button(t):
    job = started(t, "button")
    job.type(b"p")
    job.pump(0.3)
    job.type(b"\x01p")
    check("status", job.wait(), ("exit", 0))
    check("verdict", b"powered off (ACPI S5)" in job.said, True)


def sigterm_can_press_the_power_button(t):
    job = started(t, "button", "--on-sigterm=powerbutton")
    os.kill(job.pid, signal.SIGTERM)
    check("status", job.wait(), ("exit", 0))
    job = started(t, "deaf", "--on-sigterm=powerbutton")
    os.kill(job.pid, signal.SIGTERM)
    job.until("a word", lambda: b"the power button is pressed" in job.said)
    os.kill(job.pid, signal.SIGTERM)
    check("status", job.wait(), ("exit", 143))
    job = started(t, "deaf", "--on-sigterm=powerbutton")
    os.kill(job.pid, signal.SIGINT)
    check("status of SIGINT", job.wait(), ("exit", 130))
    check("restored", t.is_sane(), True)


def restored_after_signals(t):
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        job = started(t)
        os.kill(job.pid, sig)
        check(f"status after {sig.name}", job.wait(), ("exit", 128 + sig))
        check(f"restored after {sig.name}", t.is_sane(), True)


def restored_after_a_timeout(t):
    job = started(t, "deaf", "--timeout=300ms")
    check("status", job.wait(), ("exit", 124))
    check("restored", t.is_sane(), True)


def restored_after_crashes_of_its_own(t):
    for sig in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
        job = started(t)
        os.kill(job.pid, sig)
        kind, number = job.wait()
        # A sanitizer's handler, which comes after ours, ends it otherwise.
        if kind == "killed":
            check(f"end after {sig.name}", number, sig)
        check(f"restored after {sig.name}", t.is_sane(), True)


def restored_after_sigkill(t):
    job = started(t)
    os.kill(job.pid, signal.SIGKILL)
    check("end", job.wait(), ("killed", signal.SIGKILL))
    job.until("restored", t.is_sane)


def stopped_and_continued(t):
    job = started(t)
    os.kill(job.pid, signal.SIGTSTP)
    check("end", job.wait(os.WUNTRACED), ("stopped", signal.SIGTSTP))
    check("restored", t.is_sane(), True)
    job.make_foreground(job.pid)
    os.kill(job.pid, signal.SIGCONT)
    job.until("raw mode", t.is_raw)
    job.type(b"on")
    job.expect(b"on")
    job.type(b"q")
    check("status", job.wait(), ("exit", 0))
    check("restored", t.is_sane(), True)


def a_background_job_leaves_the_terminal_alone(t):
    job = Job(t, guest("echo"), foreground=False)
    job.expect(b"R")
    job.type(b"q\n")  # for whoever is in the foreground
    for _ in range(20):
        job.pump(0.05)
        check("still running", os.waitpid(job.pid, os.WNOHANG | os.WUNTRACED)[0], 0)
        check("untouched", t.is_sane(), True)
    termios.tcflush(t.slave, termios.TCIFLUSH)
    job.make_foreground(job.pid)  # fg
    job.until("raw mode", t.is_raw)
    job.screen = b""
    job.type(b"now")
    job.expect(b"now")
    job.type(b"q")
    check("status", job.wait(), ("exit", 0))
    check("restored", t.is_sane(), True)


def untouched_where_nothing_runs(t):
    job = Job(t, guest("no-such-file"))
    check("status", job.wait(), ("exit", 2))
    check("untouched", t.is_sane(), True)
    check("one line", job.said.count(b"\n"), 1)


TESTS = (
    restored_after_a_normal_end,
    ctrl_a_x_ends_and_other_control_keys_are_the_guests,
    ctrl_a_x_ends_a_guest_that_reads_nothing,
    ctrl_a_p_presses_the_power_button,
    sigterm_can_press_the_power_button,
    restored_after_signals,
    restored_after_a_timeout,
    restored_after_crashes_of_its_own,
    restored_after_sigkill,
    stopped_and_continued,
    a_background_job_leaves_the_terminal_alone,
    untouched_where_nothing_runs,
)


def main():
    # Only a process that leads no group can begin a session.
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    terminal = Terminal()
    failed = 0
    for test in TESTS:
        terminal.reset()
        try:
            test(terminal)
            print(f"ok     {test.__name__}", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAILED {test.__name__}: {failure}", flush=True)
    os._exit(1 if failed else 0)


if __name__ == "__main__":
    TRAPMAP, GUESTS = sys.argv[1:]
    sys.exit(main())
