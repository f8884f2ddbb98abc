#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux guests with bochs-drm: captured exactly, idle when idle, and every change told.
usage: kmod_linux.py KERNEL INITRD"""
import os
import socket
import sys
import time

from kmod_guest import Guest, font, wait_for_text
from kmod_status import Reader
from kmod_vfio import BAR0, DMABUF, PARENT, REGION, Count, Mdev, tiled

UUID = "6b1f5bd4-0006-4000-8000-%012x"
# A cursor would blink: damage for ever.
APPEND = ("console=ttyS0 console=tty0 vt.global_cursor_default=0 quiet tsc=reliable no_timer_check "
          "mitigations=off nokaslr panic=-1")
# Where KVM is emulated, 7.2 does not come up on all that -cpu host has.
CPU = "host" if int(os.uname().release.split(".")[0]) < 7 else "Nehalem"
count = Count()
check = count.check


class Serial:
    """The guest's serial line, by which test and guest wait for each other."""
    PATH = "/run/kmod_linux.serial"

    def __init__(self):
        if os.path.exists(self.PATH):
            os.unlink(self.PATH)
        self.said = b""

    def connect(self):
        self.socket = socket.socket(socket.AF_UNIX)
        for unused in range(300):
            try:
                self.socket.connect(self.PATH)
                break
            except OSError:
                time.sleep(0.1)
        self.socket.settimeout(1)

    def wait(self, word, seconds, meanwhile=lambda: None):
        """True if the guest says the word in time."""
        end = time.monotonic() + seconds
        while word not in self.said and time.monotonic() < end:
            meanwhile()
            try:
                self.said += self.socket.recv(4096)
            except TimeoutError:
                pass
        return word in self.said


def follow(device, reader, shadow, seconds=10):
    """Brings a copy up to date by what the reader is told alone, until nothing comes or for so
    long; how many events that were."""
    events, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and reader.fired(0.3):
        events += 1
        for x, y, width, height in reader.damage():
            for row in range(y, y + height):
                at = row * 4096 + x * 4
                shadow[at:at + width * 4] = device.read(BAR0, at, width * 4)
    return events


def test_guest(kind, flag, glyphs):
    more = ("-kernel", sys.argv[1], "-initrd", sys.argv[2], "-append", APPEND, "-cpu", CPU,
            "-smp", "1", "-m", "256")
    serial, events = Serial(), [0]
    port = "unix:%s,server=on,wait=off" % serial.PATH
    with Mdev(kind, UUID % 1) as mdev, Guest(mdev.uuid, accel="kvm", more=more,
                                             serial=port) as guest:
        serial.connect()
        with guest.attach(mdev.uuid) as device:
            check(serial.wait(b"READY", 180), "%s: the guest says %r" % (kind, serial.said[-200:]))
            text = wait_for_text(device, glyphs, "DONE 1", 20)
            # The kernel's font shares most letters with the VGA's, not all.
            check("Line 9 o" in text and "DONE 1" in text, "%s: %r" % (kind, text))
            plane = device.query(flag)
            check((plane.width, plane.height) == (1024, 768), "%s: the EDID's mode: %r" %
                  (kind, plane))
            reader = Reader(device)
            shadow = bytearray(device.read(BAR0, 0, 4096 * 768))
            check(reader.fired(10 if kind == "mplane-region" else 2) == 0, kind + ": idle is idle")
            serial.socket.send(b"go\n")

            def more_events():
                events[0] += follow(device, reader, shadow)
            check(serial.wait(b"DONE", 120, more_events), kind + ": the guest does not end")
            more_events()
            linear = device.read(BAR0, 0, 4096 * 768)
            check(events[0] > 0 and shadow == linear, "%s: a copy kept by %u events differs" %
                  (kind, events[0]))
            check(device.pixels(device.query(flag)) ==
                  tiled(linear, 4096, 768, plane.modifier, plane.stride), kind + ": the scanout")
            text = wait_for_text(device, glyphs, "DONE 2", 20)
            check("DONE 2" in text, "%s: %r" % (kind, text))
            reader.close()
        print("%s: captured, %u events" % (kind, events[0]), flush=True)


def main():
    glyphs = font()
    kinds = os.environ.get("TYPES", "").split()
    for kind in kinds or sorted(os.listdir(PARENT + "/mdev_supported_types")):
        test_guest(kind, REGION if kind == "mplane-region" else DMABUF, glyphs)
    return count.finish("kmod_linux")


sys.exit(main())
