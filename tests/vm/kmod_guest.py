#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs SeaBIOS guests on devices of every type and reads their text screens."""
import os
import re
import struct
import subprocess
import sys
import time

from kmod_vfio import BAR0, BAR2, DMABUF, PARENT, REGION, Count, Device, Mdev, tiled

ROM = "/usr/share/seabios/vgabios-bochs-display.bin"
UUID = "6b1f5bd4-0001-4000-8000-%012x"
# An 'A' of the VGA's 8x16 font, by which the font is found in the ROM.
LETTER_A = bytes.fromhex("000010386cc6c6fec6c6c6c600000000")
count = Count()
check = count.check


class Guest:
    """A QEMU without a guest image: its firmware says that it cannot boot."""

    def __init__(self, *uuids, display="off", accel="tcg", serial="none", more=()):
        command = ["qemu-system-x86_64", "-accel", accel, "-m", "128", "-nodefaults", "-vga",
                   "none",
                   "-display", "none", "-serial", serial, "-monitor", "stdio", *more]
        for uuid in uuids:
            command += ["-device",
                        "vfio-pci,sysfsdev=/sys/bus/mdev/devices/%s,display=%s,romfile=%s" %
                        (uuid, display, ROM)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def attach(self, uuid):
        for unused in range(600):
            try:
                return Device.attach(self.pid, uuid)
            except OSError:
                if self.process.poll() is not None:
                    raise
                time.sleep(0.1)
        raise TimeoutError("QEMU does not open %s" % uuid)

    def screendump(self):
        """What QEMU itself shows, as XRGB8888."""
        path = "/run/kmod_guest.ppm"
        if os.path.exists(path):
            os.unlink(path)
        self.process.stdin.write(b"screendump %s\n" % path.encode())
        self.process.stdin.flush()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            time.sleep(0.2)
            if not os.path.exists(path):
                continue
            with open(path, "rb") as file:
                data = file.read()
            head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
            size = head and int(head.group(1)) * int(head.group(2))
            if head and len(data) == head.end() + 3 * size:
                out = bytearray(4 * size)
                for channel in range(3):
                    out[2 - channel::4] = data[head.end() + channel::3]
                return bytes(out)
        return b""

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()


def font():
    with open(ROM, "rb") as file:
        rom = file.read()
    start = rom.index(LETTER_A) - ord("A") * 16
    glyphs = {}
    for code in range(126, 31, -1):
        glyphs[rom[start + code * 16:start + code * 16 + 16]] = chr(code)
    return glyphs


def read_text(width, height, pixels, glyphs):
    """The characters on a text screen; '?' for what is none."""
    lines = []
    for top in range(0, height - 15, 16):
        rows = [pixels[y * width * 4:(y + 1) * width * 4]
                for y in range(top, top + 16)]
        line = ""
        if not any(row.count(0) < len(row) for row in rows):
            lines.append(line)
            continue
        for x in range(0, width - 7, 8):
            if not any(any(row[4 * x:4 * x + 32]) for row in rows):
                line += " "
                continue
            glyph = bytes(sum((rows[y][4 * (x + i):4 * (x + i) + 3] != b"\0\0\0") << (7 - i)
                              for i in range(8)) for y in range(16))
            line += glyphs.get(glyph, "?")
        lines.append(line.rstrip())
    return "\n".join(lines).rstrip()


def wait_for_text(device, glyphs, wanted, seconds=90):
    """Reads video memory, which is linear in every type, until the screen has that text."""
    text, end = "", time.monotonic() + seconds
    while wanted not in text and time.monotonic() < end:
        time.sleep(0.3)
        width, height, unused, enable = struct.unpack("=4H", device.read(BAR2, 0x502, 8))
        if enable & 1:
            text = read_text(width, height, device.read(BAR0, 0, width * height * 4), glyphs)
    return text


def still_picture(device, flag, shown=lambda: None):
    """A plane, its pixels, the video memory and what shown() gives, of a while in which the guest
    drew nothing: firmware moves its cursor now and then."""
    for _ in range(50):
        before = device.read(BAR0, 0, 4096 * 768)
        time.sleep(0.3)
        plane = device.query(flag)
        pixels = device.pixels(plane)
        other = shown()
        linear = device.read(BAR0, 0, 4096 * 768)
        if linear == before:
            break
    return plane, pixels, linear, other


def test_text(kind, flag, glyphs):
    with Mdev(kind, UUID % 1) as mdev, Guest(mdev.uuid) as guest:
        with guest.attach(mdev.uuid) as device:
            text = wait_for_text(device, glyphs, "No bootable device.")
            check("SeaBIOS (version" in text, "%s: the screen shows %r" % (kind, text))
            check("No bootable device." in text, "%s: the screen ends with %r" % (kind, text[-80:]))
            plane, pixels, linear, _ = still_picture(device, flag)
            check((plane.width, plane.height) == (1024, 768), "%s: plane %r" % (kind, plane))
            check(pixels == tiled(linear, 4096, 768, plane.modifier, plane.stride),
                  kind + ": scanout and video memory differ")
        print("%s:\n%s" % (kind, text), flush=True)


def test_display_on(glyphs):
    """QEMU's own display of the region type shows what the device says."""
    with Mdev("mplane-region", UUID % 2) as mdev, Guest(mdev.uuid, display="on") as guest:
        with guest.attach(mdev.uuid) as device:
            text = wait_for_text(device, glyphs, "No bootable device.")
            check("No bootable device." in text, "display=on: the screen ends with %r" % text[-80:])
            _, pixels, _, dump = still_picture(device, REGION, guest.screendump)
            check(dump == without_x(pixels), "display=on: QEMU shows other pixels")
            mdev.put("mode", "640x480")
            mdev.put("pattern", "static")
            pixels = device.pixels(device.query(REGION))
            check(guest.screendump() == without_x(pixels), "display=on: a painted picture differs")


def without_x(pixels):
    data = bytearray(pixels)
    data[3::4] = bytes(len(pixels) // 4)
    return bytes(data)


def test_kvm(glyphs):
    """A device that wants KVM opens with it only; KVM's writes are damage."""
    if not os.path.exists("/dev/kvm"):
        print("SKIP: no KVM in this machine: require_kvm with KVM", flush=True)
        return
    with Mdev("mplane-dmabuf-y", UUID % 3) as mdev:
        mdev.put("require_kvm", 1)
        with Guest(mdev.uuid, accel="kvm") as guest:
            with guest.attach(mdev.uuid) as device:
                event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                device.set_irq(5, 0, [event])
                text = wait_for_text(device, glyphs, "No bootable device.")
                check("No bootable device." in text, "KVM: the screen ends with %r" % text[-80:])
                # Brought up to date by the event alone: a query without damage copies nothing.
                plane, pixels, linear, _ = still_picture(device, DMABUF)
                check(os.eventfd_read(event) > 2, "KVM: the guest's writes are events")
                check(pixels == tiled(linear, 4096, 768, plane.modifier, plane.stride),
                      "KVM: pixels")
                os.close(event)
    print("KVM guest: ran", flush=True)


def main():
    glyphs = font()
    test_display_on(glyphs)
    test_kvm(glyphs)
    for kind in sorted(os.listdir(PARENT + "/mdev_supported_types")):
        test_text(kind, REGION if kind == "mplane-region" else DMABUF, glyphs)
    return count.finish("kmod_guest")


if __name__ == "__main__":
    sys.exit(main())
