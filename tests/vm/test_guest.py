# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that a QEMU owns, with display=off: planecast attaches, and lets go in time."""
import json
import os
import time
import unittest

import kmod_vfio
from lib import host, mdev, outside, pattern, picture, qemu

# A plain PCI device of the machine that runs this test; see machine.py.
OTHER_DEVICE = os.environ.get("OTHER_DEVICE", "")


class Guest(mdev.Test):
    def setUp(self):
        super().setUp()
        if not os.path.exists(qemu.VGA_BIOS):
            self.skipTest(f"{qemu.VGA_BIOS} is missing (apt-get install seabios)")

    def text_screen(self, kind):
        """A guest's firmware screen is that of the same guest on a display of QEMU's own."""
        expected = outside.picture_of("firmware_screen", "firmware-reference")
        device = self.device(kind)
        guest = self.guest(device.argument())
        self.wait_for_text(device.spec, expected)
        path = os.path.join(host.OUT, f"guest-{kind}.png")
        self.planecast("screenshot", device.spec, "-o", path)
        self.assert_text(picture.read(path), expected, f"kept as guest-{kind}.png")
        self.assert_text(self.screenshot(f"pid:{guest.pid}"), expected, "by pid:")
        self.serve(device.spec, vnc="127.0.0.1:5900")
        self.assert_text(outside.picture_of("capture", f"guest-{kind}-served"), expected, "served")
        self.assertIsNone(guest.process.poll(), "QEMU is gone")

    def test_text_screen_on_a_region(self):
        self.text_screen("region")

    def test_text_screen_on_a_dmabuf(self):
        self.text_screen("dmabuf")

    def test_list_names_the_owner(self):
        device = self.device("region")
        guest = self.guest(device.argument())
        listed = json.loads(self.planecast("list", "--json").out)
        mine, = [each for each in listed["devices"] if each["device"] == device.spec]
        self.assertEqual(mine["owner"]["pid"], guest.pid)
        self.assertIn("qemu", mine["owner"]["command"])

    def several(self, *others):
        """One QEMU with two displays, and whatever else: each shows its own, pid: asks which."""
        one = self.device("region", mode="640x480", pattern="bars", frame=1)
        two = self.device("dmabuf", mode="333x222", pattern="noise", frame=2)
        guest = self.guest(one.argument(), two.argument(), *others, paused=True)
        for _ in range(3):  # attaching must not disturb what comes after
            self.assert_same(self.screenshot(one.spec), pattern.bars(640, 480, 1, 1), one.kind)
            self.assert_same(self.screenshot(two.spec), pattern.noise(333, 222, 2, 1), two.kind)
        result = self.planecast("screenshot", f"pid:{guest.pid}", code=2)
        self.assertIn(one.uuid, result.err)
        self.assertIn(two.uuid, result.err)
        self.assertIsNone(guest.process.poll(), "QEMU is gone")
        return guest, result.err

    def test_two_displays_in_one_process(self):
        self.several()

    def test_two_displays_and_another_vfio_device(self):
        if not os.path.exists(f"/sys/bus/pci/devices/{OTHER_DEVICE}/iommu_group"):
            self.skipTest("this machine has no IOMMU with a spare PCI device")
        folder = f"/sys/bus/pci/devices/{OTHER_DEVICE}"
        mdev.write(f"{folder}/driver_override", "vfio-pci")
        if os.path.exists(f"{folder}/driver"):
            mdev.write(f"{folder}/driver/unbind", OTHER_DEVICE)
        mdev.write("/sys/bus/pci/drivers_probe", OTHER_DEVICE)
        guest, asked = self.several(f"vfio-pci,host={OTHER_DEVICE},rombar=0")
        self.assertEqual(mdev.open_devices(guest.pid), 3)
        self.assertNotIn(OTHER_DEVICE, asked)
        result = self.planecast("screenshot", f"pci:{OTHER_DEVICE}", code=3)
        self.assertIn("no display", result.err)
        guest.kill()
        alone = self.guest(f"vfio-pci,host={OTHER_DEVICE},rombar=0", paused=True)
        self.planecast("screenshot", f"pid:{alone.pid}", code=3)

    def seconds_until_free(self, server, guest):
        """Kills a QEMU; how long planecast still holds its device."""
        guest.kill()
        begun = time.monotonic()
        while mdev.open_devices(server.process.pid):
            if time.monotonic() > begun + 10:
                break
        return time.monotonic() - begun

    def killed(self, kind, times):
        """QEMU is killed and started again: who watches stays connected, sees that, and goes on."""
        device = self.device(kind, mode="640x480", pattern="bars", frame=0)
        guest = self.guest(device.argument(), paused=True)
        server = self.serve(device.spec, vnc="127.0.0.1:5900")
        taken = []
        with host.rfb.Client("127.0.0.1:5900", timeout=host.PATIENCE) as client:
            for turn in range(times):
                shown = pattern.bars(640, 480, turn, 1)
                self.follow(client, shown, f"after {turn} restarts")
                self.assertEqual(mdev.open_devices(server.process.pid), 1)
                taken.append(self.seconds_until_free(server, guest))
                self.follow_to_card(client, shown)
                device.paint(frame=turn + 1)
                # The proof of being free: the device opens again, at once.
                guest = self.guest(device.argument(), paused=True)
            self.follow(client, pattern.bars(640, 480, times, 1), "at the end")
        print(f"{kind}: freed after {', '.join(f'{each * 1000:.0f}' for each in taken)} ms")
        self.assertLessEqual(min(taken), 0.1)

    def test_owner_of_a_region_killed_ten_times(self):
        self.killed("region", 10)

    def test_owner_of_a_dmabuf_killed(self):
        self.killed("dmabuf", 2)

    def test_owner_that_lives_on_without_the_device(self):
        """As when QEMU unplugs it. The owner is this process."""
        device = self.device("region", mode="640x480", pattern="bars", frame=1)
        server = self.serve(device.spec, vnc="127.0.0.1:5900")
        with kmod_vfio.Device(device.uuid) as owned:
            self.assertGreaterEqual(owned.fd, 0)
            with host.rfb.Client("127.0.0.1:5900") as client:
                self.follow(client, pattern.bars(640, 480, 1, 1))
                self.assertEqual(mdev.open_devices(server.process.pid), 1)
                owned.close()
                end = time.monotonic() + host.PATIENCE
                while mdev.open_devices(server.process.pid) and time.monotonic() < end:
                    time.sleep(0.01)
                self.assertEqual(mdev.open_devices(server.process.pid), 0)


if __name__ == "__main__":
    unittest.main()
