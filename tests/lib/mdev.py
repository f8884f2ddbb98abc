# SPDX-License-Identifier: GPL-2.0-or-later
"""Mediated devices of the mplane module, by sysfs (doc/mplane.md)."""
import os
import time
import uuid

from . import host, picture, qemu

TYPES = "/sys/class/mdev_bus/mplane/mdev_supported_types"
DEVICES = "/sys/bus/mdev/devices"


def write(path, value):
    """One write(2), so that the driver's errno comes out."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, str(value).encode())
    finally:
        os.close(fd)


class Mdev:
    """A device; mplane-KIND is its type."""

    def __init__(self, kind):
        self.uuid = str(uuid.uuid4())
        self.kind = kind
        self.folder = f"{DEVICES}/{self.uuid}"
        self.spec = f"mdev:{self.uuid}"
        write(f"{TYPES}/mplane-{kind}/create", self.uuid)

    def paint(self, **files):
        """Writes its files in the order given: paint(mode="640x480", pattern="bars", frame=3)."""
        for name, value in files.items():
            write(f"{self.folder}/{name}", value)

    def argument(self, display="off"):
        """For -device of a QEMU that uses it and, but for display="on", shows nothing itself."""
        return f"vfio-pci,sysfsdev={self.folder},display={display},romfile={qemu.VGA_BIOS}"

    def remove(self):
        if os.path.exists(self.folder):
            write(f"{self.folder}/remove", 1)


class Test(host.Test):
    """A test with devices and with machines that own them."""

    def device(self, kind, **files):
        device = Mdev(kind)
        self.addCleanup(device.remove)
        device.paint(**files)
        return device

    def guest(self, *arguments, **more):
        guest = qemu.Guest(*arguments, **more)
        self.addCleanup(guest.kill)
        return guest

    def assert_text(self, got, expected, what):
        self.assertTrue(picture.same_text(got, expected),
                        f"{what}: {picture.difference(got, expected)}")

    def try_screenshot(self, spec):
        """The picture, or None while the guest's display is off."""
        result = host.run(host.PROGRAM, "screenshot", spec, "-o", "-", "--format", "ppm")
        return None if result.code else picture.from_ppm(result.out)

    def wait_for_text(self, spec, expected, patience=host.PATIENCE):
        """Takes pictures until one is that text screen, or for long enough; the last."""
        end = time.monotonic() + patience
        got = self.try_screenshot(spec)
        while not (got and picture.same_text(got, expected)) and time.monotonic() < end:
            time.sleep(0.5)
            got = self.try_screenshot(spec)
        self.assertIsNotNone(got, "the guest's display stays off")
        return got

    def follow(self, client, expected, what="the viewer"):
        """A viewer that stays connected comes to see the picture."""
        end = time.monotonic() + host.PATIENCE
        while client.picture() != expected and time.monotonic() < end:
            client.update()
        self.assert_same(client.picture(), expected, what)

    def follow_to_card(self, client, *pictures):
        """The viewer comes to see something that is none of these pictures, nor black."""
        end = time.monotonic() + host.PATIENCE
        client.update()
        while (client.picture() in pictures or client.picture().colours() < 2) \
                and time.monotonic() < end:
            client.update()
        self.assertNotIn(client.picture(), pictures, "no card is shown")
        self.assertGreater(client.picture().colours(), 1, "the card is empty")


def open_devices(pid):
    """How many vfio devices a process has open."""
    count = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{number}") == "anon_inode:[vfio-device]"
        except FileNotFoundError:
            pass
    return count
