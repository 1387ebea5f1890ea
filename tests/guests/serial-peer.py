#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# serial-peer.py FOLDER HOW: the other end of serial ports. A pty's name is in
# FOLDER/err, a socket is FOLDER/socket. HOW is
#
#	talk		with COM2, a pty, and COM3, a socket: says a word once the guest
#			has said its line; all that came back is in FOLDER/2 and FOLDER/3
#	load-pty	with COM1: 64 KiB each way (uart-load.c); what came of it is in
#	load-socket	FOLDER/peer

import os
import re
import select
import socket
import sys
import time

folder, how = sys.argv[1:]
TOTAL = 65536


def within_seconds(find):
    for _ in range(300):
        found = find()
        if found is not None:
            return found
        time.sleep(0.05)
    sys.exit("serial-peer.py: nothing to connect to")


def pty_name():
    try:
        with open(folder + "/err", encoding="utf-8") as err:
            found = re.search(r"COM[12] is (/dev/pts/\d+)\n", err.read())
    except OSError:
        return None
    return found and found.group(1)


def connected():
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.connect(folder + "/socket")
    except OSError:
        return None
    return peer.detach()


def talk(fd, number):
    got = b""
    said = False
    while not got.endswith(b"q"):
        piece = os.read(fd, 7)
        if not piece:
            break
        got += piece
        if not said and got.endswith(b"\n"):
            os.write(fd, b"hello, COM%dq" % number)
            said = True
    with open(f"{folder}/{number}", "wb") as out:
        out.write(got)


def byte_at(i):
    i &= 0xFFFFFFFF
    return ((i * 2654435761 & 0xFFFFFFFF) >> 24 ^ i) & 0xFF


def load(fd):
    os.set_blocking(fd, False)
    to_send = bytes(byte_at(~i) for i in range(TOTAL))
    expected = bytes(byte_at(i) for i in range(TOTAL))
    got = b""
    sent = turn = 0
    while len(got) < TOTAL or sent < TOTAL:
        wanted = [fd] if sent < TOTAL else []
        readable, writable, _ = select.select([fd], wanted, [], 10)
        if not readable and not writable:
            break
        turn += 1
        if readable:
            piece = os.read(fd, 1 + turn * 97 % 3000)
            if not piece:
                break
            got += piece
        if writable:
            sent += os.write(fd, to_send[sent : sent + 1 + turn * 61 % 300])
        if turn % 100 == 0:
            time.sleep(0.02)
    same = "as they were sent" if got == expected else "of which some are wrong"
    with open(folder + "/peer", "w", encoding="ascii") as out:
        out.write(f"{len(got)} bytes, {same}\n")


def opened():
    return os.open(within_seconds(pty_name), os.O_RDWR | os.O_NOCTTY)


if how == "load-pty":
    load(opened())
elif how == "load-socket":
    load(within_seconds(connected))
else:
    talk(opened(), 2)
    talk(within_seconds(connected), 3)
