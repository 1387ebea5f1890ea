#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of the boot fuzz targets: corpus/boot and corpus/linux-boot.

Each is a small image made up field by field, whole or spoilt in one way, so
that a fuzzer starts beyond the first checks. The unit tests have the full
tables of what is said of a spoilt image; run this again only to add seeds.
"""

import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent / "corpus"


def put(image, off, fmt, *values):
    struct.pack_into("<" + fmt, image, off, *values)


def bzimage(code=0x400, **fields):
    """Two sectors of setup code, then `code` bytes; fields by their offset."""
    image = bytearray(0x400 + code)
    put(image, 0x1F1, "B", 1)  # setup_sects
    put(image, 0x1F4, "I", code // 16)  # syssize
    put(image, 0x1FE, "HH4sH", 0xAA55, 0x6AEB, b"HdrS", 0x020F)
    put(image, 0x211, "B", 1)  # LOADED_HIGH
    put(image, 0x22C, "IIBBHI", 0x7FFFFFFF, 0x200000, 1, 21, 3, 2047)
    put(image, 0x248, "II", 0x240, 0x100)  # payload
    put(image, 0x258, "QI", 0x1000000, 0x400000)  # pref_address, init_size
    for at, (fmt, value) in fields.items():
        put(image, int(at.lstrip("at_"), 16), fmt, value)
    return image


def elf(segments, entry=0x1000000, kind=2, machine=62):
    """Segments are (type, offset, vaddr, paddr, filesz, memsz)."""
    image = bytearray(0x400)
    put(image, 0, "4sBBB", b"\x7fELF", 2, 1, 1)
    put(image, 16, "HHIQQ", kind, machine, 1, entry, 64)
    put(image, 52, "HHH", 64, 56, len(segments))
    for i, (what, off, vaddr, paddr, filesz, memsz) in enumerate(segments):
        put(image, 64 + 56 * i, "IIQQQQQQ", what, 7, off, vaddr, paddr,
            filesz, memsz, 0x1000)
    return image


TEXT = (1, 0x300, 0xFFFFFFFF81000000, 0x1000000, 0x80, 0x80)
DATA = (1, 0x380, 0xFFFFFFFF81400000, 0x1400000, 0x40, 0x200000)
NOTE = (4, 0x3C0, 0, 0, 0x20, 0x20)
LOW = (1, 0x380, 0, 0x30000, 0x40, 0x1000)

SECTOR = bytes([0xFA, 0xF4]) + bytes(508) + b"\x55\xaa"

WHOLE = {
    "bzimage": bzimage(),
    "bzimage-fixed": bzimage(at_234=("B", 0), at_258=("Q", 0x100000)),
    "bzimage-low-initrd": bzimage(at_236=("H", 1)),
    "bzimage-long-header": bzimage(at_201=("B", 0x8E)),
    "elf": elf([TEXT, DATA, NOTE]),
    "elf-virtual-entry": elf([TEXT, DATA], entry=0xFFFFFFFF81000010),
    "elf-low": elf([TEXT, LOW], kind=3),
}

SPOILT = {
    "bzimage-cut": bzimage()[:0x7FF],
    "bzimage-header-cut": bzimage()[:0x240],
    "bzimage-32-bit": bzimage(at_236=("H", 2)),
    "bzimage-needs-much": bzimage(at_260=("I", 0xFFFFFFFF)),
    "elf-cut": elf([TEXT, DATA])[:0x3A0],
    "elf-overlap": elf([TEXT, TEXT]),
    "elf-aarch64": elf([TEXT], machine=183),
    "elf-object": elf([TEXT], kind=1),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "lzma": b"\x5d\0\0\x80\0" + b"\xff" * 8,
    "mz": b"MZ" + bytes(62),
    "script": b"#!/bin/sh\nexit 0\n",
    "text": b"not a kernel\n",
    "cpio": b"070701" + b"0" * 104,
}

def multiboot(image, at, flags, *addresses):
    magic = 0x1BADB002
    put(image, at, "III", magic, flags, -(magic + flags) & 0xFFFFFFFF)
    put(image, at + 12, f"{len(addresses)}I", *addresses)
    return image


def elf32():
    image = bytearray(0x400)
    put(image, 0, "4sBBB", b"\x7fELF", 1, 1, 1)
    put(image, 16, "HHIIII", 2, 3, 1, 0x40000C, 52, 0)
    put(image, 40, "HHH", 52, 32, 1)
    put(image, 52, "8I", 1, 0x200, 0x400000, 0x400000, 0x100, 0x5000, 5, 4096)
    return image


MULTIBOOT = {
    "multiboot-elf32": multiboot(elf32(), 0x200, 0),
    "multiboot-flat": multiboot(bytearray(0x400), 0x40, 0x10003, 0x200040,
                                0x200000, 0x200300, 0x201000, 0x200080),
}

def note(owner, kind, data):
    """One ELF note, padded to four bytes."""
    name = owner + b"\0"
    blank = -len(name) % 4
    return (struct.pack("<III", len(name), len(data), kind) + name +
            bytes(blank) + data + bytes(-len(data) % 4))


def with_notes(image, *notes):
    """In the place of the segment NOTE, which has room for two."""
    data = b"".join(notes)
    image[0x3C0 : 0x3C0 + len(data)] = data
    return image


ENTRY = note(b"Xen", 18, struct.pack("<I", 0x1000010))
NOTES = (4, 0x3C0, 0, 0, 0x40, 0x40)

PVH = {
    "pvh": with_notes(elf([TEXT, DATA, NOTES], entry=0), ENTRY),
    "pvh-linux": with_notes(elf([TEXT, DATA, NOTES]),
                            note(b"Linux", 0x100, bytes(4)), ENTRY),
    "pvh-nowhere": with_notes(elf([TEXT, NOTES]),
                              note(b"Xen", 18, bytes(8))),
    "pvh-cut": with_notes(elf([TEXT, NOTES]),
                          struct.pack("<III", 4, 0xFFFFFFF0, 18)),
}

OLD = {
    "bzimage-2.02": bzimage(at_206=("H", 0x202), at_201=("B", 0x2A)),
    "bzimage-2.08": bzimage(at_206=("H", 0x208)),
}

REAL = {
    "sector": SECTOR,
    "flat": b"\xfa\xf4\xeb\xfe",
}


def sizes(cmdline, flags, e820, seed, mem_mib, initrd):
    return struct.pack("<HBBHIIH", cmdline, flags, e820, seed,
                       mem_mib * 256 - 1, initrd - 1, 0)


def write(folder, name, data):
    (HERE / folder).mkdir(parents=True, exist_ok=True)
    (HERE / folder / name).write_bytes(bytes(data))


def main():
    for name, image in {**WHOLE, **SPOILT, **MULTIBOOT, **PVH, **OLD,
                        **REAL}.items():
        write("boot", name, b"\0" + image)
    for name in ("bzimage", "elf", "flat"):
        image = {**WHOLE, **REAL}[name]
        write("boot", name + "-long", b"\4" + image)

    usual = sizes(20, 2, 6, 32, 128, 8 << 20)
    for name, image in {**WHOLE, **REAL}.items():
        write("linux-boot", name, usual + image)
    for name, image in OLD.items():
        write("linux-boot", name, usual + image)
    image = WHOLE["bzimage"]
    # The upper half of the flags is the protocol that is wanted.
    write("linux-boot", "linux32", sizes(20, 0x22, 6, 32, 128, 1) + image)
    write("linux-boot", "linux16", sizes(20, 0x32, 6, 32, 128, 1) + image)
    named = bytearray(sizes(20, 0x36, 6, 32, 128, 1))
    named[14:16] = 20, 250  # modules, and how long their names are
    write("linux-boot", "modules", named + OLD["bzimage-2.02"])
    write("linux-boot", "line-too-long", sizes(2048, 0, 6, 0, 64, 1) + image)
    write("linux-boot", "seed-too-long",
          sizes(0, 2, 6, 0xFFFF, 64, 1) + image)
    write("linux-boot", "map-too-long", sizes(0, 0, 129, 0, 64, 1) + image)
    write("linux-boot", "initrd-too-big",
          sizes(0, 0, 6, 0, 32, 64 << 20) + image)
    write("linux-boot", "initrd-below",
          sizes(0, 0, 6, 0, 24, 12 << 20) + image)
    write("linux-boot", "little-memory", sizes(0, 0, 6, 0, 1, 1) + image)


if __name__ == "__main__":
    main()
