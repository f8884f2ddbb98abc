# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's own display (display=on) beside planecast, on the same device at the same time."""
import os
import time

from lib import host, mdev, outside, picture, qemu, rfb


class Peer(mdev.Test):
    def setUp(self):
        super().setUp()
        if not os.path.exists(qemu.VGA_BIOS):
            self.skipTest(f"{qemu.VGA_BIOS} is missing (apt-get install seabios)")

    def shown_by_qemu(self, **more):
        """A region, a QEMU that shows it over VNC, and a viewer of that."""
        device = self.device("region")
        address = f"unix:{self.path('qemu')}"
        guest = self.guest(device.argument(display="on"), vnc=address, **more)
        client = rfb.Client(address, timeout=host.PATIENCE)
        self.addCleanup(client.close)
        return device, guest, client

    def follow_until(self, client, condition):
        """Takes the viewer's updates until its picture is as wanted, or for long enough."""
        end = time.monotonic() + host.PATIENCE
        client.update(incremental=False)
        while not condition(client.picture()) and time.monotonic() < end:
            client.update(incremental=False)
        return client.picture()

    def test_a_guests_text_screen(self):
        expected = outside.picture_of("firmware_screen", "firmware-reference")
        device, guest, client = self.shown_by_qemu()
        theirs = self.follow_until(client, lambda got: picture.same_text(got, expected))
        ours = self.screenshot(device.spec)
        self.assertTrue(picture.same_text(ours, theirs), picture.difference(ours, theirs))
        self.assertTrue(picture.same_text(ours, expected), picture.difference(ours, expected))
        again = self.screenshot(f"pid:{guest.pid}")
        self.assertTrue(picture.same_text(again, ours), picture.difference(again, ours))

    def test_painted_pictures_to_the_pixel(self):
        """XRGB8888: QEMU shows nothing of the other formats."""
        device, guest, client = self.shown_by_qemu(paused=True)
        for mode, painted in (("640x480", "bars"), ("800x600", "noise"), ("333x222", "bars"),
                              ("1024x768", "desktop")):
            with self.subTest(mode=mode, pattern=painted):
                device.paint(mode=mode, pattern=painted, frame=7)
                ours = self.screenshot(device.spec)
                self.assertGreater(ours.colours(), 2)
                theirs = self.follow_until(client, lambda got, ours=ours: got == ours)
                self.assert_same(theirs, ours, "QEMU's VNC")
                self.assert_same(guest.screendump(), ours, "QEMU's screendump")
