# SPDX-License-Identifier: GPL-2.0-or-later
"""A UEFI guest (OVMF) whose console is on devices of every type at once."""
import os

from lib import host, mdev, outside, picture, qemu

TYPES = ("region", "dmabuf", "dmabuf-x", "dmabuf-y", "dmabuf-yf", "dmabuf-4")


class Uefi(mdev.Test):
    def setUp(self):
        super().setUp()
        if not os.environ.get("PLANECAST_LONG"):
            self.skipTest("a UEFI guest takes a minute and more: scripts/test --long")
        for path in (qemu.UEFI, qemu.VGA_BIOS):
            if not os.path.exists(path):
                self.skipTest(f"{path} is missing (apt-get install ovmf seabios)")

    def test_shell_on_every_type(self):
        """It is what OVMF ends on on a display of QEMU's own. Emulated: a guest that saves CR8 at
        each interrupt, as UEFI does, ends QEMU 7.2 where the KVM below it is emulated itself."""
        expected = outside.picture_of("uefi_screen", "uefi-reference")
        devices = [self.device(kind) for kind in TYPES]
        guest = self.guest(*(device.argument() for device in devices), memory=192,
                           firmware=qemu.UEFI)
        for device in devices:
            got = self.wait_for_text(device.spec, expected, 1.5 * host.PATIENCE)
            path = os.path.join(host.OUT, f"uefi-{device.kind}.png")
            self.planecast("screenshot", device.spec, "-o", path)
            self.assertTrue(picture.same_text(got, expected),
                            f"kept as uefi-{device.kind}.png: {picture.difference(got, expected)}")
        self.assertIsNone(guest.process.poll(), "QEMU is gone")
