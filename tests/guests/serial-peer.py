#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# serial-peer.py FOLDER: the other end of COM2, a pty of which FOLDER/err has the name,
# and of COM3, the socket FOLDER/socket. To each it says a word once the guest has said
# its line, and all that came back is in FOLDER/2 and FOLDER/3.

import os
import re
import socket
import sys
import time

folder = sys.argv[1]


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
            found = re.search(r"COM2 is (/dev/pts/\d+)\n", err.read())
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


talk(os.open(within_seconds(pty_name), os.O_RDWR | os.O_NOCTTY), 2)
talk(within_seconds(connected), 3)
