# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux guest's console, worked on by viewers: what is typed, pointed at and wished arrives."""
import contextlib
import os
import shutil
import struct
import threading
import time

import kmod_vfio
from lib import console, host, linux_guest, mdev, picture, rfb, spice_wire

VNC, SPICE = "127.0.0.1:5900", "127.0.0.1:5930"
# bochs-drm reads its monitor's EDID whenever it is asked for a monitor, not only when it starts.
DETECTS = int(os.uname().release.split(".")[0]) >= 7
COMMAND = "uname -a\n"
SCANCODES = {"u": 0x16, "n": 0x31, "a": 0x1e, "m": 0x32, "e": 0x12, " ": 0x39, "-": 0x0c,
             "\n": 0x1c}
KEY_DOWN, KEY_UP = 101, 102
RETURN = 0xff0d
PLACES = ((512, 384), (0, 0), (1023, 767), (3, 700), (1000, 5))  # not where it is at first


class Console(mdev.Test):
    def setUp(self):
        super().setUp()
        if not os.environ.get("PLANECAST_LONG"):
            self.skipTest("a Linux guest takes a minute (--long)")
        for program in ("busybox", "cpio", "gcc"):
            if not shutil.which(program):
                self.skipTest(f"{program} is missing")
        self.client = self.font = None

    def boot(self, kind):
        device = self.device(kind)
        guest = linux_guest.LinuxGuest(device, self.scratch)
        self.addCleanup(guest.kill)
        guest.wait_for(lambda said: "READY" in said, "the guest does not come up")
        return device, guest

    def watch(self):
        self.client = rfb.Client(VNC, timeout=host.PATIENCE)
        self.addCleanup(self.client.close)

    def follow_until(self, condition, what):
        """Takes updates until condition(picture) gives something; that."""
        end = time.monotonic() + host.PATIENCE
        self.client.update(incremental=False)
        while not (found := condition(self.client.picture())):
            self.assertLess(time.monotonic(), end, what())
            self.client.update(incremental=False)
        return found

    def lines(self):
        return console.read(self.client.picture(), self.font)

    def wait_for_lines(self, text, count):
        """Until so many rows have nothing but that text."""
        self.follow_until(lambda shown: console.read(shown, self.font).count(text) == count,
                          lambda: f"{count} times {text!r}: {self.lines()}")

    def type_by_vnc(self, text):
        for sign in text:
            for down in (1, 0):
                self.client.key(RETURN if sign == "\n" else ord(sign), down)

    def type_by_spice(self, text):
        """The client stays: one that goes with words unread takes along what it has said."""
        main, session = spice_wire.session(SPICE)
        self.addCleanup(main.sock.close)
        inputs = spice_wire.Channel(SPICE, spice_wire.INPUTS, session)
        self.addCleanup(inputs.sock.close)
        for sign in text:
            inputs.say(KEY_DOWN, struct.pack("<I", SCANCODES[sign]))
            inputs.say(KEY_UP, struct.pack("<I", SCANCODES[sign] | 0x80))

    def point(self, guest, limits):
        """The guest's pointer is where the viewer's is, within a pixel."""
        for place in PLACES:
            self.client.pointer(*place)

            def there(said, place=place):
                at = [line.split()[1:] for line in said.splitlines() if line[:3] == "AT "]
                pixels = [int(each) * (size - 1) / limit for each, size, limit in
                          zip(at[-1], self.client.picture().size, limits)] if at else [-9, -9]
                return all(abs(pixel - wanted) <= 1 for pixel, wanted in zip(pixels, place))
            guest.wait_for(there, f"the pointer at {place}")

    def assert_edid(self, guest, width, height, order="rebind"):
        """The guest, whose driver looks at its monitor anew, finds one of that size."""
        end = time.monotonic() + host.PATIENCE
        while True:
            guest.order(order)
            line = guest.wait_for(
                lambda said: [each for each in said.splitlines(True)
                              if each[:5] == "EDID " and each[-1] == "\n"], "no EDID")[0]
            if self.size_of(line.split()[1]) == (width, height):
                self.assertIn(b"planecast".hex(), line)
                return
            self.assertLess(time.monotonic(), end, line)

    @staticmethod
    def size_of(text):
        """The preferred mode of an EDID in hexadecimal digits, if it is one."""
        if len(text) < 256:
            return None
        edid = bytes.fromhex(text)
        return edid[56] | (edid[58] & 0xf0) << 4, edid[59] | (edid[61] & 0xf0) << 4

    def watch_by_spice(self):
        """A client that takes all that comes, and so its picture."""
        def take():
            with contextlib.suppress(OSError, EOFError):
                while True:
                    viewer.update()
        viewer = spice_wire.Painter(SPICE)
        self.addCleanup(viewer.close)
        threading.Thread(target=take, daemon=True).start()
        return viewer

    def assert_follows(self, viewer):
        """The SPICE client comes to see what the VNC viewer sees."""
        end = time.monotonic() + host.PATIENCE
        while (wrong := picture.difference(viewer.picture(), self.client.picture())):
            self.assertLess(time.monotonic(), end, wrong)
            time.sleep(0.2)

    def assert_exact(self, guest, device):
        """What the viewer sees is what the guest has in its video memory, once it rests."""
        def memory(width, height):
            with kmod_vfio.Device.attach(guest.pid, device.uuid) as opened:
                linear = opened.read(kmod_vfio.BAR0, 0, width * height * 4)
            return picture.from_xrgb(width, height, linear)
        self.follow_until(lambda shown: shown == memory(*shown.size),
                          lambda: picture.difference(self.client.picture(),
                                                     memory(*self.client.picture().size)))

    def test_keys_pointer_and_size(self):
        device, guest = self.boot("region")
        uname = next(line for line in guest.said.splitlines() if line[:6] == "Linux ")
        limits = [int(each) for line in guest.said.splitlines() if line[:8] == "POINTER "
                  for each in line.split()[1:]][:2]
        self.serve(device.spec, "--spice", SPICE, "--spice-compression", "off", "--input",
                   f"qmp:{guest.monitor}", vnc=VNC)
        self.watch()
        self.font = self.follow_until(lambda shown: console.learn(shown, linux_guest.SIGNS),
                                      lambda: "the guest's signs are never shown")
        self.type_by_vnc(COMMAND)
        self.wait_for_lines(uname, 1)
        self.type_by_spice(COMMAND)
        self.wait_for_lines(uname, 2)
        self.assertEqual(sum("uname -a" in line for line in self.lines()), 2, self.lines())
        self.point(guest, limits)
        self.assert_exact(guest, device)
        self.client.wish(1152, 864)
        self.assert_edid(guest, 1152, 864)
        # Between two drivers the kernel's console has 80 columns, and cuts its lines there.
        cut = uname[:80].rstrip()
        self.wait_for_size(1152, 864, cut)
        self.assert_exact(guest, device)
        viewer = self.watch_by_spice()
        self.assert_follows(viewer)
        viewer.wish(800, 600)
        self.assert_edid(guest, 800, 600)
        self.wait_for_size(800, 600, cut)
        self.assert_exact(guest, device)
        self.assert_follows(viewer)
        if DETECTS:
            viewer.wish(1280, 720)
            self.assert_edid(guest, 1280, 720, "detect")
            guest.order("paint")
            expected = linux_guest.painted(1280, 720)
            self.follow_until(lambda shown: shown == expected,
                              lambda: picture.difference(self.client.picture(), expected))
            self.assert_follows(viewer)

    def wait_for_size(self, width, height, line):
        """Until the screen has that size, and twice that line again."""
        self.follow_until(lambda shown: shown.size == (width, height)
                          and console.read(shown, self.font).count(line) == 2,
                          lambda: f"{self.client.picture().size}: {self.lines()}")

    def test_the_monitor_is_found_by_itself(self):
        device, guest = self.boot("dmabuf-y")
        uname = next(line for line in guest.said.splitlines() if line[:6] == "Linux ")
        server = self.serve(f"pid:{guest.pid}", vnc=VNC)
        end = time.monotonic() + host.PATIENCE
        while f"to QEMU's monitor {guest.monitor}" not in server.log:
            self.assertLess(time.monotonic(), end, server.log)
            time.sleep(0.1)
        self.watch()
        self.font = self.follow_until(lambda shown: console.learn(shown, linux_guest.SIGNS),
                                      lambda: "the guest's signs are never shown")
        self.type_by_vnc(COMMAND)
        self.wait_for_lines(uname, 1)
        self.assert_exact(guest, device)
