# SPDX-License-Identifier: MIT
"""What devices/ and vmm/ must not call, and why."""

_ENDS = "the library never ends its process; return -errno"
_PRINTS = "the library never prints; hand the text to the caller"
_SIGNALS = "the library never touches signal handlers"
_TERMINAL = "the terminal is the command line's"
_UNBOUNDED = "no bound on what it writes; use snprintf or memcpy"
_SHELL = "the library runs no other program"

BANNED = {}
for _why, _names in (
        (_ENDS, "exit _exit _Exit quick_exit abort err errx verr verrx"),
        (_PRINTS, "warn warnx vwarn vwarnx error printf vprintf fprintf "
                  "vfprintf dprintf vdprintf puts fputs putchar fputc putc "
                  "perror psignal syslog"),
        (_SIGNALS, "signal sigaction bsd_signal sigset"),
        (_TERMINAL, "tcsetattr tcflush cfmakeraw"),
        (_SHELL, "system popen"),
        (_UNBOUNDED, "strcpy stpcpy strcat sprintf vsprintf gets"),
        ("a guest could choose how much stack it takes; use the heap",
         "alloca")):
    for _name in _names.split():
        BANNED[_name] = _why
