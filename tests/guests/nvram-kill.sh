#!/bin/sh
# SPDX-License-Identifier: MIT
#
# nvram-kill.sh TRAPMAP GUEST [TIMES]: ends trapmap by SIGKILL, 200 times, at any
# moment while the guest of rtc-nvram.c stores one generation after the other into the
# clock's memory. Each time the file is read, and the next guest starts from it and
# looks at every byte: it is one generation, whole, and never an older one.
#
# Exit status 0, 1, or 77: this host has no usable /dev/kvm.

trapmap=$1 guest=$2 times=${3:-200}

if ! { [ -c /dev/kvm ] && (exec 3<>/dev/kvm) 2>/dev/null; }; then
	echo "SKIPPED: /dev/kvm cannot be opened for reading and writing"
	exit 77
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

exec python3 - "$trapmap" "$guest" "$times" "$dir/nvram" <<'END'
import os, random, re, struct, subprocess, sys, time, zlib

trapmap, guest, times, path = sys.argv[1:]
seed = random.randrange(1 << 32)
rng = random.Random(seed)


def fail(why):
    print(f"FAILED: {why} (seed {seed})")
    sys.exit(1)


def slot(raw, n):
    """What docs/nvram.md says of one: (sequence, RAM), or None."""
    raw = raw[512 * n : 512 * n + 512]
    magic, version, sequence = struct.unpack_from("<8sI4xQ", raw)
    (crc,) = struct.unpack_from("<I", raw, 508)
    if crc != zlib.crc32(raw[:508]):
        return None
    if magic != b"TRAPCMOS" or version != 1 or sequence % 2 != n:
        fail(f"slot {n} has a checksum that is right, and nonsense")
    return sequence, raw[128:256]


def generation(ram):
    """The generation that the memory has, if it is all of one."""
    value = int.from_bytes(ram[14:18], "little")
    total = sum(ram[14:18])
    for i in range(18, 0x7E):
        if i == 0x32:
            continue
        if ram[i] != value * i & 0xFF:
            fail(f"byte {i:#x} is not of generation {value}")
        total += ram[i]
    if ram[0x7E] | ram[0x7F] << 8 != total & 0xFFFF:
        fail(f"generation {value} has a wrong sum")
    return value


def on_file():
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return 0, 0
    with open(path, "rb") as file:
        raw = file.read()
    if len(raw) != 1024:
        fail(f"the file has {len(raw)} bytes")
    whole = [s for s in (slot(raw, 0), slot(raw, 1)) if s]
    if not whole:
        if any(raw):
            fail("no slot is whole")
        return 0, 0
    sequence, ram = max(whole)
    return sequence, generation(ram)


last, writes, torn = (0, 0), 0, 0
for turn in range(int(times)):
    run = subprocess.Popen(
        [trapmap, "run", guest, "--params", "generations", "--rtc", f"nvram={path}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # Now and then before the guest has begun; else anywhere in its writes.
    if rng.random() < 0.9:
        line = run.stdout.readline().decode()
        found = re.match(r"generation (\d+)", line)
        if not found:
            run.kill()
            fail(f"turn {turn}: '{line.strip()}': {run.communicate()[1].decode()}")
        if int(found[1]) != last[1]:
            fail(f"turn {turn}: the guest found {found[1]}, the file had {last[1]}")
    time.sleep(rng.random() * 0.25)
    run.kill()
    run.communicate()
    now = on_file()
    if now[0] < last[0] or now[1] < last[1]:
        fail(f"turn {turn}: after {last} the file has {now}")
    writes += now[0] - last[0]
    last = now
if writes < int(times) // 2:
    fail(f"the file was written {writes} times only: nothing was tested")
print(f"{times} kills, {writes} writes, generation {last[1]}: never half of one")
END
