# SPDX-License-Identifier: MIT
"""What devices/ and vmm/ must not name, and why."""

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

# Streams: no calls, so found by name alone.
STREAMS = dict.fromkeys(("stdin", "stdout", "stderr"),
                        "standard streams are the command line's")

# Where one of them is what is meant. A new line here is a decision.
ALLOWED = {
    # into a string, by open_memstream()
    ("vmm/stats_text", "fprintf"),
    ("vmm/stats_text", "fputc"),
    ("vmm/postmortem/text", "fprintf"),
    ("vmm/postmortem/text_exits", "fprintf"),
    ("vmm/postmortem/text_vcpu", "fprintf"),
    # a pseudo terminal that is ours, not the caller's
    ("devices/backend/pty", "cfmakeraw"),
    ("devices/backend/pty", "tcsetattr"),
    # what gcc makes of some fprintf()
    ("vmm/postmortem/text", "fputc"),
    ("vmm/postmortem/text", "fputs"),
    ("vmm/postmortem/text_exits", "fputc"),
    ("vmm/postmortem/text_exits", "fputs"),
    ("vmm/postmortem/text_vcpu", "fputc"),
}


def why_not(path, name):
    """The reason why the file at path must not use name, or None."""
    stem = path.rsplit(".", 1)[0]
    if (stem, name) in ALLOWED:
        return None
    return BANNED.get(name) or STREAMS.get(name)
