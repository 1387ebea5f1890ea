#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes unpack_samples.h: small files by gzip, xz, zstd and lz4 themselves.

Run by hand when a sample is to be added: unpack_samples.py >unpack_samples.h
"""

import subprocess

TEXT = b"Trapmap" * 4096

# Name, format, command; where a byte of a check is, from the end (0: there is
# none); whether the format says where it ends; whether zeroes may follow.
SAMPLES = [
    ("gzip", "gzip", "gzip -9n", 8, 1, 1),
    ("gzip with a name", "gzip", "gzip -1", 8, 1, 1),
    ("xz", "xz", "xz", 1, 1, 1),
    ("xz as kernels", "xz", "xz --check=crc32 --x86 --lzma2=dict=32MiB", 1, 1,
     1),
    ("lzma", "lzma", "xz --format=lzma", 0, 1, 0),
    ("zstd", "zstd", "zstd -19 -q", 1, 1, 0),
    ("zstd as kernels", "zstd", "zstd -22 --ultra -q --no-check", 0, 1, 0),
    ("lz4", "lz4", "lz4 -9 -q", 1, 1, 0),
    ("lz4 of small blocks", "lz4", "lz4 -B4 -BD -BX -q --no-frame-crc", 0, 1,
     0),
    ("lz4 as kernels", "lz4", "lz4 -l -9 -q", 0, 0, 0),
]


def pack(command, data):
    return subprocess.run(command.split() + ["-c"], input=data, check=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def sample(name, kind, data, check, ends, pads):
    print(f'\t\t.name = "{name}",')
    print(f'\t\t.format = "{kind}",')
    print(f"\t\t.check = {len(data) - check if check else 0},")
    print(f"\t\t.ends = {ends},")
    print(f"\t\t.pads = {pads},")
    print(f"\t\t.len = {len(data)},")
    print("\t\t.bytes = (const uint8_t[]){")
    for at in range(0, len(data), 12):
        line = ", ".join(f"0x{byte:02x}" for byte in data[at:at + 12])
        print(f"\t\t\t{line},")
    print("\t\t},")


print("/* SPDX-License-Identifier: MIT */")
print("/* unpack_samples.h: made by unpack_samples.py. */")
print("#ifndef TRAPMAP_TEST_UNPACK_SAMPLES_H")
print("#define TRAPMAP_TEST_UNPACK_SAMPLES_H\n")
print("#include <stddef.h>\n#include <stdint.h>\n")
print("struct unpack_sample {")
print("\tconst char *name, *format;")
print("\tsize_t check; /* a byte of the last checksum; 0: there is none */")
print("\tint ends; /* the format says where it ends */")
print("\tint pads; /* zeroes may follow */")
print("\tsize_t len;")
print("\tconst uint8_t *bytes;")
print("};\n")
print("static const struct unpack_sample unpack_samples[] = {")
for title, kind_, tool, *facts in SAMPLES:
    print("\t{")
    sample(title, kind_, pack(tool, TEXT), *facts)
    print("\t},")
print("};\n")
print("/* 64 MiB of zeroes. */")
print("static const struct unpack_sample unpack_bomb = {")
sample("bomb", "zstd", pack("zstd -19 -q", bytes(64 << 20)), 1, 1, 0)
print("};")
print("\n#endif")
