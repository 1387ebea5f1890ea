#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the directions of dependency: who may include what.

usage: layering.py ROOT
"""

import os
import posixpath
import re
import sys

sys.dont_write_bytecode = True
import source  # noqa: E402

# The files of vmm/ that may include <linux/kvm.h>, each with its header. A new one
# here is a decision.
KVM_USERS = [
    "vmm/doorbell",
    "vmm/exit",
    "vmm/flight",
    "vmm/host",
    "vmm/irqchip",
    "vmm/kvm",
    "vmm/kvm_stats",
    "vmm/postmortem/fault",
    "vmm/postmortem/fault_cause",
    "vmm/postmortem/gather",
    "vmm/postmortem/postmortem",
    "vmm/postmortem/report",
    "vmm/postmortem/text",
    "vmm/stats",
    "vmm/stats_text",
    "vmm/trace",
    "vmm/trace_json",
    "vmm/vcpu",
    "vmm/x86/cpuid",
    "vmm/x86/regs",
]

KVM_HEADERS = {"linux/kvm.h", "asm/kvm.h"}

# Headers that the build makes, by layer: they are not in the tree.
GENERATED = {"vmm": set()}

# The library of each compressed format, which only its own file sees.
UNPACKERS = {
    "vmm/boot/unpack_gzip.c": ("zlib.h",),
    "vmm/boot/unpack_lz4.c": ("lz4.h", "lz4frame.h"),
    "vmm/boot/unpack_lzma.c": ("lzma.h",),
    "vmm/boot/unpack_zstd.c": ("zstd.h", "zstd_errors.h"),
}

# C11, POSIX and glibc; a kernel header is none of them.
LIBC = set("""
assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h
locale.h math.h setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h
stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h tgmath.h threads.h
time.h uchar.h wchar.h wctype.h
arpa/inet.h dirent.h dlfcn.h endian.h byteswap.h elf.h fcntl.h fnmatch.h fts.h getopt.h
glob.h grp.h langinfo.h link.h net/if.h netdb.h netinet/in.h netinet/tcp.h poll.h
pthread.h pwd.h regex.h sched.h semaphore.h spawn.h strings.h syslog.h termios.h
ucontext.h unistd.h utime.h
sys/auxv.h sys/epoll.h sys/eventfd.h sys/file.h sys/inotify.h sys/ioctl.h
sys/mman.h sys/mount.h sys/param.h sys/prctl.h sys/queue.h sys/random.h sys/resource.h
sys/select.h sys/sendfile.h sys/signalfd.h sys/socket.h sys/stat.h sys/statvfs.h
sys/syscall.h sys/sysinfo.h sys/sysmacros.h sys/time.h sys/timerfd.h sys/types.h
sys/uio.h sys/un.h sys/utsname.h sys/vfs.h sys/wait.h sys/xattr.h
""".split())

FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h"}

DOC = "(see docs/architecture.md)"

DIRECTIVE = re.compile(
    r"^[ \t]*(?:#|%:)[ \t]*(include|include_next|import|embed)\b[ \t]*(.*?)"
    r"[ \t]*$", re.MULTILINE)
OPERAND = re.compile(r'^(?:<([^>]*)>|"([^"]*)")$')


def layer_of(path):
    if path.startswith("vmm/cli/"):
        return "vmm/cli"
    return path.split("/", 1)[0]


class Tree:
    def __init__(self, root):
        headers = source.files(root, ".h", ".inc")
        self.all = set(headers)
        self.public = {p[len("include/"):] for p in headers
                       if p.startswith("include/")}
        self.own = {}
        for layer in ("devices", "vmm/cli", "firmware"):
            self.own[layer] = {p[len(layer) + 1:] for p in headers
                               if layer_of(p) == layer}
        # vmm/'s own headers, without the command line's.
        self.own["vmm"] = {p[len("vmm/"):] for p in headers
                           if layer_of(p) == "vmm"}


def devices(tree, path, name):
    if name in KVM_HEADERS:
        return "device models may not know KVM"
    if name.startswith("linux/") or name.startswith("asm/"):
        if path.startswith("devices/backend/"):
            return None
        return "device models may not know the host's kernel; a back end may"
    if name in tree.own["devices"] | tree.public | LIBC:
        return None
    if path == "devices/backend/block_uring.c" and name == "liburing.h":
        return None
    if path == "devices/backend/qcow2_inflate.c" and \
            name in ("zlib.h", "zstd.h"):
        return None
    if path == "devices/backend/slirp_lib.h" and name == "slirp/libslirp.h":
        return None
    return "devices/ includes its own headers, <trapmap/...> and libc only"


def cli(tree, path, name):
    if name in tree.own["vmm/cli"] | LIBC or \
            name in ("trapmap/trapmap.h", "jansson.h", "yaml.h"):
        return None
    return "the command line sees <trapmap/trapmap.h>, libc, <jansson.h>, " \
        "<yaml.h> and its own headers only"


def firmware(tree, path, name):
    if name in tree.own["firmware"] | FREESTANDING or \
            name == "trapmap/guest_abi.h":
        return None
    return "firmware/ includes <trapmap/guest_abi.h>, its own headers and " \
        "freestanding ones only"


def include(tree, path, name):
    if name in tree.public | {"stddef.h", "stdint.h"}:
        return None
    return "public headers include each other, <stddef.h> and <stdint.h> only"


def vmm(tree, path, name):
    if name in KVM_HEADERS:
        if os.path.splitext(path)[0] in KVM_USERS:
            return None
        return "only kvm, vcpu, exit and the files in KVM_USERS of " \
            "tests/lint/layering.py may know KVM's structures"
    if name in UNPACKERS.get(path, ()):
        return None
    if name in tree.own["vmm"] | tree.own["devices"] | tree.public | LIBC or \
            name in GENERATED["vmm"] or name in ("libfdt.h", "cpuid.h", "jansson.h",
                                         "Zydis/Zydis.h") or \
            name.startswith(("linux/", "asm/")):
        return None
    if path.startswith("vmm/boot/unpack_") and \
            name in ("zlib.h", "lzma.h", "zstd.h", "zstd_errors.h", "lz4frame.h"):
        return None
    return "vmm/ includes its own headers, devices/, <trapmap/...>, libc, " \
        "<linux/...>, <libfdt.h>, <jansson.h>, Zydis and the compiler's " \
        "<cpuid.h> only"


RULES = {
    "devices": devices,
    "vmm/cli": cli,
    "firmware": firmware,
    "include": include,
    "vmm": vmm,
}


def check_include(tree, path, operand):
    """Why `#include operand` in path is wrong, or None."""
    m = OPERAND.match(operand)
    if not m:
        return f"includes {operand}: a computed include cannot be checked"
    name = m.group(1) if m.group(1) is not None else m.group(2)
    if ".." in name.split("/"):
        return f"includes {operand}: ../ is banned, name it from the top of " \
            "its layer"
    if name != posixpath.normpath(name) or name.startswith("/"):
        return f"includes {operand}: not a plain path"
    rule = RULES.get(layer_of(path))
    why = rule(tree, path, name) if rule else None
    if why and operand[0] == '"':
        if posixpath.join(posixpath.dirname(path), name) in tree.all:
            why = "name it from the top of its layer, as all others do"
        elif not name.startswith(("linux/", "asm/")) and \
                not any(p.endswith("/" + name) for p in tree.all):
            why = "no such header in the tree"
    return f"includes {operand}: {why} {DOC}" if why else None


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    report = source.Report("layering")
    tree = Tree(root)
    checked = 0
    for path in source.files(root, ".c", ".h", ".S", ".inc"):
        text = source.strip(source.read(root, path), keep_strings=True)
        for m in DIRECTIVE.finditer(text):
            checked += 1
            line = text.count("\n", 0, m.start()) + 1
            if m.group(1) != "include":
                report.error(path, line, f"#{m.group(1)} is banned")
                continue
            why = check_include(tree, path, m.group(2))
            if why:
                report.error(path, line, why)
    report.finish(checked)


main()
