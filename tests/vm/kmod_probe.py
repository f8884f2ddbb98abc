#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests the loaded module by raw VFIO calls. usage: kmod_probe.py KMOD_FRAME"""
import errno
import mmap
import os
import struct
import subprocess
import sys

from kmod_vfio import (BAR0, BAR2, CONFIG, CURSOR, DMABUF, PARENT, PRIMARY, PROBE, REGION, XRGB8888,
                       Count, Device, Mapping, Mdev, fails)

UUID = "6b1f5bd4-0000-4000-8000-%012x"
RW = mmap.PROT_READ | mmap.PROT_WRITE
count = Count()
check = count.check


def expected(pattern, seed, width, height, frame):
    return subprocess.run([sys.argv[1], pattern, str(seed), str(width), str(height), str(frame)],
                          check=True, stdout=subprocess.PIPE).stdout


def test_types():
    types = os.listdir(PARENT + "/mdev_supported_types")
    for kind in ("mplane-region", "mplane-dmabuf"):
        check(kind in types, "type %s is missing" % kind)
        files = {}
        for name in ("name", "description", "device_api", "available_instances"):
            with open("%s/mdev_supported_types/%s/%s" % (PARENT, kind, name)) as file:
                files[name] = file.read().rstrip("\n")
        check(files["device_api"] == "vfio-pci", "%s: device_api" % kind)
        check("guest ABI 1" in files["name"], "%s: name" % kind)
        check("num_heads=1" in files["description"], "%s: description" % kind)
        before = int(files["available_instances"])
        with Mdev(kind, UUID % 1):
            with open("%s/mdev_supported_types/%s/available_instances" % (PARENT, kind)) as file:
                check(int(file.read()) == before - 1, "%s: an instance costs one" % kind)
    made = []
    with open(PARENT + "/mdev_supported_types/mplane-region/available_instances") as file:
        room = int(file.read())
    try:
        for number in range(room):
            made.append(Mdev("mplane-region", UUID % (100 + number)))
        check(fails(errno.ENOSPC, Mdev, "mplane-region", UUID % 99) or
              fails(errno.EUSERS, Mdev, "mplane-region", UUID % 99), "the budget has an end")
    finally:
        for mdev in made:
            mdev.remove()


def test_painter(kind, flag):
    """Painted while closed, read after the reset that opening is; then painted while open."""
    with Mdev(kind, UUID % 2) as mdev:
        check(mdev.get("pattern") == "off" and mdev.get("rate") == "0", kind + ": defaults")
        check(fails(errno.EINVAL, mdev.put, "frame", 1), kind + ": nothing to draw while off")
        for pattern, mode, seed, frame in (("bars", "1024x768", 1, 7), ("video", "640x480", 1, 3),
                                           ("noise", "801x601", 5, 1 << 40),
                                           ("desktop", "1920x1080", 9, 100),
                                           ("clock", "64x64", 1, 12), ("static", "800x600", 2, 0)):
            width, height = map(int, mode.split("x"))
            what = "%s: %s %s seed %u frame %u" % (kind, pattern, mode, seed, frame)
            mdev.put("mode", mode)
            mdev.put("seed", seed)
            mdev.put("pattern", pattern)
            mdev.put("frame", frame)
            check((mdev.get("mode"), mdev.get("pattern"), mdev.get("frame")) ==
                  (mode, pattern, str(frame)), what + ": sysfs reads back")
            with Device(mdev.uuid) as device:
                plane = device.query(flag)
                check((plane.format, plane.width, plane.height, plane.stride) ==
                      (XRGB8888, width, height, width * 4), what + ": plane is %r" % plane)
                check(device.pixels(plane) == expected(pattern, seed, width, height, frame),
                      what + ": pixels after open")
                device.reset()
                mdev.put("frame", frame + 1)
                check(device.pixels(device.query(flag)) ==
                      expected(pattern, seed, width, height, frame + 1), what + ": next frame")
        for name, value in (("mode", "63x64"), ("mode", "0x0"), ("mode", "99999x99999"),
                            ("mode", "4096x4096"), ("mode", "640x480 "), ("mode", "640"),
                            ("rate", "241"), ("rate", "-1"), ("pattern", "nothing"),
                            ("frame", "-1"), ("seed", "4294967296")):
            check(fails(errno.EINVAL, mdev.put, name, value) or
                  fails(errno.ERANGE, mdev.put, name, value),
                  "%s: %s takes %r" % (kind, name, value))


def test_rate(kind, flag):
    """Frames drawn by the clock are the frames that their numbers say, drawn by difference."""
    with Mdev(kind, UUID % 3) as mdev:
        mdev.put("mode", "640x480")
        mdev.put("pattern", "desktop")
        mdev.put("rate", 240)
        while int(mdev.get("frame")) < 50:
            pass
        with Device(mdev.uuid) as device:
            mdev.put("rate", 0)
            frame = int(mdev.get("frame"))
            plane = device.query(flag)
            check(device.pixels(plane) == expected("desktop", 1, 640, 480, frame),
                  "%s: frame %u drawn by the clock" % (kind, frame))
            check(int(mdev.get("frame")) == frame, kind + ": rate 0 stops")
        mdev.put("rate", 60)


def test_uapi(kind, flag):
    other = REGION if flag == DMABUF else DMABUF
    with Mdev(kind, UUID % 4) as mdev, Device(mdev.uuid) as device:
        unused, flags, regions, irqs = device.info()
        check(flags & 3 == 3 and regions >= 9 and irqs >= 5, kind + ": device info")
        for plane in (0, PRIMARY, CURSOR):
            check(device.query(PROBE | flag, plane), kind + ": probe of its own transport")
            check(fails(errno.EINVAL, device.query, PROBE | other, plane),
                  kind + ": probe of other")
        for bad in (0, PROBE, other, flag | other, PROBE | flag | other, flag | 8, 1 << 31):
            check(fails(errno.EINVAL, device.query, bad), "%s: query flags %#x" % (kind, bad))
        if flag == REGION:
            check(device.query(flag, 0).size == 0, kind + ": QEMU's type of a region's plane")
        else:
            check(fails(errno.EINVAL, device.query, flag, 0), kind + ": overlay plane")
        check(fails(errno.EINVAL, device.query, flag, 3), kind + ": unknown plane")
        check(fails(errno.EINVAL, device.query, flag, PRIMARY, 59), kind + ": argsz too small")
        check(device.query(flag, PRIMARY, 60).size == 0, kind + ": argsz 60")
        plane = device.query(flag)
        check((plane.format, plane.width, plane.height, plane.size) == (0, 0, 0, 0),
              kind + ": off at open")
        check(device.query(flag, CURSOR).size == 0, kind + ": no cursor")
        check(fails(errno.EINVAL, device.dmabuf, 1), kind + ": dma-buf of an unknown id")
        check(fails(errno.EINVAL, device.region, regions), kind + ": region past the last")
        check(fails(errno.EINVAL, device.irq, irqs), kind + ": interrupt past the last")
        check(fails(errno.EINVAL, device.set_irq, 0, 0, [-1]), kind + ": no INTx to set")
        check(device.irq(0)[2] == 0, kind + ": no INTx")
        check(fails(errno.EINVAL, device.irq, 3), kind + ": no error interrupt")


def test_config(kind):
    with Mdev(kind, UUID % 5) as mdev, Device(mdev.uuid) as device:
        config = device.read(CONFIG, 0, 256)
        check(len(config) == 256, kind + ": config space is 256 bytes")
        check(struct.unpack_from("<HH", config) == (0x1234, 0x1111), kind + ": vendor and device")
        check(config[10:12] == b"\x80\x03", kind + ": class")
        check(struct.unpack_from("<HH", config, 0x2c) == (0x1af4, 0x1100), kind + ": subsystem")
        check(config[0x3d] == 0 and config[6] == 0, kind + ": no interrupt pin, no capabilities")
        for bar, size, low in ((0, device.region(BAR0).size, 8), (2, 4096, 0)):
            device.write(CONFIG, 0x10 + 4 * bar, b"\xff" * 4)
            value = struct.unpack("<I", device.read(CONFIG, 0x10 + 4 * bar, 4))[0]
            check(value == (1 << 32) - size | low, "%s: BAR%u sizes to %#x" % (kind, bar, value))
        device.write(CONFIG, 0, b"\0" * 4)
        check(device.read(CONFIG, 0, 4) == config[:4], kind + ": ids are read-only")
        device.write(CONFIG, 4, b"\x06\0")
        check(device.read(CONFIG, 4, 2) == b"\x06\0", kind + ": command is writable")
        device.reset()
        check(device.read(CONFIG, 0, 256) == config, kind + ": reset restores config space")
        check(device.read(CONFIG, 250, 100) == config[250:], kind + ": a read is cut at the end")
        check(fails(errno.EINVAL, device.read, CONFIG, 256, 1), kind + ": a read past the end")
        check(fails(errno.EINVAL, device.read, 1, 0, 4), kind + ": a read of no region")


def test_guest_modes(kind, flag):
    """What a guest does: dispi registers and writes to BAR0, by mmap and by pwrite."""
    with Mdev(kind, UUID % 6) as mdev, Device(mdev.uuid) as device:
        size = device.region(BAR0).size
        check(struct.unpack("=H", device.read(BAR2, 0x500, 2))[0] == 0xb0c5, kind + ": dispi id")
        check(struct.unpack("=H", device.read(BAR2, 0x514, 2))[0] == size >> 16, kind + ": memory")
        device.vbe(id=0)
        check(struct.unpack("=H", device.read(BAR2, 0x500, 2))[0] == 0xb0c5, kind + ": id is fixed")
        with device.mmap(BAR0, size, prot=RW) as bar:
            device.set_mode(640, 480)
            plane = device.query(flag)
            check((plane.width, plane.height, plane.stride) == (640, 480, 2560), kind + ": mode")
            row = bytes(range(256)) * 10
            bar.write(2560 * 3, row)
            device.write(BAR0, 2560 * 4 + 1, row[:77])
            pixels = device.pixels(plane)
            check(pixels[2560 * 3:2560 * 4] == row, kind + ": a write by mmap shows")
            check(pixels[2560 * 4 + 1:2560 * 4 + 78] == row[:77],
                  kind + ": a write by pwrite shows")
            check(device.read(BAR0, 2560 * 3, 2560) == row, kind + ": and reads back")
            check(not any(pixels[:2560 * 3]), kind + ": the rest is black")
            if flag == REGION:
                with device.mmap(plane.index, plane.size) as window:
                    device.vbe(y_offset=16, virt_height=1024)  # 16 * 2560 is a page
                    bar.write(16 * 2560, b"\x5a" * 100)
                    check(window.bytes(0, 100) == b"\x5a" * 100,
                          kind + ": the window follows a pan")
                    check(device.read(plane.index, 0, 100) == b"\x5a" * 100,
                          kind + ": and its read")
                    device.vbe(y_offset=0)
                    check(window.bytes(2560 * 3, 2560) == row, kind + ": and back")
                check(fails(errno.EPERM, device.mmap, plane.index, plane.size, 0, RW),
                      kind + ": the display is read-only")
                check(fails(errno.EINVAL, device.write, plane.index, 0, b"x"),
                      kind + ": also by write")
            else:
                test_dmabuf(device, plane, bar)
        for registers in (dict(xres=0), dict(yres=0), dict(xres=63), dict(bpp=15), dict(enable=0),
                          dict(yres=65535), dict(y_offset=65535), dict(xres=65535)):
            device.set_mode(640, 480)
            device.vbe(**registers)
            check(device.query(flag).size == 0, "%s: off with %r" % (kind, registers))
        device.set_mode(640, 480)
        device.reset()
        check(device.query(flag).size == 0, kind + ": off after reset")
        device.set_mode(640, 480)
    with Mdev(kind, UUID % 6) as mdev:
        with Device(mdev.uuid) as device:
            device.set_mode(640, 480)
            old = device.mmap(BAR0, 4096, prot=RW)
            old.write(0, b"secret")
        with Device(mdev.uuid) as device:
            check(device.query(flag).size == 0, kind + ": off at the next open")
            check(not any(device.read(BAR0, 0, 1 << 20)), kind + ": video memory is new at open")
            device.write(BAR0, 0, b"private")
            check(old.bytes(0, 6) == b"secret", kind + ": an old mapping shows nothing new")
        old.close()


def test_dmabuf(device, plane, bar):
    check(device.query(DMABUF).index == plane.index, "dma-buf: one id for one buffer")
    first, second = device.dmabuf(plane.index), device.dmabuf(plane.index)
    check(not os.get_inheritable(first), "dma-buf: close on exec")
    check(os.lseek(first, 0, os.SEEK_END) == plane.size, "dma-buf: its size")
    with Mapping(first, plane.size) as one, Mapping(second, plane.size) as two:
        bar.write(0, b"live")
        check(one.bytes(0, 4) == b"live" and two.bytes(0, 4) == b"live", "dma-buf: two GETs, live")
        check(fails(errno.EACCES, one.protect, RW), "dma-buf: mprotect to writable")
        with Mapping(first, plane.size, 0, mmap.PROT_READ, mmap.MAP_PRIVATE) as private:
            check(private.bytes(0, 4) == b"live", "dma-buf: private mapping")
        check(fails(errno.EPERM, Mapping, first, plane.size, 0, RW), "dma-buf: writable mapping")
        check(fails(errno.EINVAL, Mapping, first, plane.size + 4096), "dma-buf: mapping too long")
        device.set_mode(800, 600)
        other = device.query(DMABUF)
        check(other.index != plane.index, "dma-buf: another mode, another id")
        check(one.bytes(0, 4) == b"live", "dma-buf: outlives a mode change")
        third = device.dmabuf(plane.index)
        os.close(third)
        device.set_mode(640, 480)
        check(device.query(DMABUF).index == plane.index, "dma-buf: the old id again")
        for width in range(100, 140):
            device.set_mode(width, 100)
            device.query(DMABUF)
        check(fails(errno.EINVAL, device.dmabuf, plane.index), "dma-buf: old ids are forgotten")
        check(one.bytes(0, 4) == b"live", "dma-buf: but stay mapped")
    os.close(first)
    os.close(second)


def main():
    test_types()
    for kind, flag in (("mplane-region", REGION), ("mplane-dmabuf", DMABUF)):
        test_painter(kind, flag)
        test_rate(kind, flag)
        test_uapi(kind, flag)
        test_config(kind)
        test_guest_modes(kind, flag)
    return count.finish("kmod_probe")


sys.exit(main())
