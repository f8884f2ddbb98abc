#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests what user space reads: tilings, formats, copies, flips, the cursor, the ways of vendors.
usage: kmod_scanout.py KMOD_FRAME"""
import errno
import mmap
import os
import struct
import subprocess
import sys

from kmod_vfio import (BAR0, BAR2, CURSOR, DMABUF, PRIMARY, REGION, Count, Device, Mapping, Mdev,
                       fails, ioctl)

UUID = "6b1f5bd4-0002-4000-8000-%012x"
RW = mmap.PROT_READ | mmap.PROT_WRITE
# type: flag, name of the layout, tile's width and height, modifier
TYPES = {
    "mplane-region": (REGION, "linear", 1, 1, 0),
    "mplane-dmabuf": (DMABUF, "linear", 1, 1, 0),
    "mplane-dmabuf-x": (DMABUF, "x", 512, 8, 1 << 56 | 1),
    "mplane-dmabuf-y": (DMABUF, "y", 128, 32, 1 << 56 | 2),
    "mplane-dmabuf-yf": (DMABUF, "yf", 128, 32, 1 << 56 | 3),
    "mplane-dmabuf-4": (DMABUF, "4", 128, 32, 1 << 56 | 9),
}
FORMATS = {"XR24": (0x34325258, 4), "XR30": (0x30335258, 4), "RG16": (0x36314752, 2),
           "C8": (0x20203843, 1)}
count = Count()
check = count.check


def expected(*words):
    return subprocess.run([sys.argv[1]] + [str(word) for word in words], check=True,
                          stdout=subprocess.PIPE).stdout


def rounded(value, unit):
    return (value + unit - 1) // unit * unit


def test_layouts(kind):
    flag, layout, tile_width, tile_height, modifier = TYPES[kind]
    with Mdev(kind, UUID % 1) as mdev:
        for name, (fourcc, cpp) in FORMATS.items():
            if layout == "yf" and cpp != 4:
                check(fails(errno.EINVAL, mdev.put, "format", name), kind + ": Yf takes " + name)
                continue
            mdev.put("format", name)
            mdev.put("pattern", "noise")
            for width, height, frame in ((640, 480, 5), (65, 67, 6), (1366, 768, 7)):
                mdev.put("mode", "%ux%u" % (width, height))
                mdev.put("frame", frame)
                with Device(mdev.uuid) as device:
                    plane = device.query(flag)
                    what = "%s: %s %ux%u: %r" % (kind, name, width, height, plane)
                    stride = rounded(width * cpp, max(tile_width, 4))
                    size = stride * rounded(height, tile_height)
                    check((plane.format, plane.modifier, plane.width, plane.height, plane.stride) ==
                          (fourcc, modifier, width, height, stride), what)
                    check(plane.size == rounded(size, 4096), what + ": size")
                    pixels = device.pixels(plane, size)
                    check(pixels == expected("noise", 1, width, height, frame, layout, name,
                                             stride),
                          what + ": pixels")
                    # Drawn by difference, copied by difference.
                    mdev.put("pattern", "desktop")
                    mdev.put("rate", 120)
                    while int(mdev.get("frame")) < 5:
                        device.query(flag)
                    mdev.put("rate", 0)
                    frame = mdev.get("frame")
                    pixels = device.pixels(device.query(flag), size)
                    check(pixels == expected("desktop", 1, width, height, frame, layout, name,
                                             stride), what + ": pixels by the clock")
                    mdev.put("pattern", "noise")


def test_guest(kind):
    """A guest's writes show at the next query, in every depth, from odd offsets, too."""
    flag, layout, tile_width, unused, modifier = TYPES[kind]
    with Mdev(kind, UUID % 2) as mdev, Device(mdev.uuid) as device:
        with device.mmap(BAR0, device.region(BAR0).size, prot=RW) as bar:
            for bpp, name in ((32, "XR24"), (16, "RG16"), (8, "C8")):
                device.set_mode(640, 480, bpp)
                plane = device.query(flag)
                if layout == "yf" and bpp != 32:
                    check(plane.size == 0, kind + ": Yf of %u bits is off" % bpp)
                    continue
                check(plane.format == FORMATS[name][0], "%s: depth %u: %r" % (kind, bpp, plane))
                pitch = 640 * bpp // 8
                bar.write(7 * pitch, bytes(range(1, 129)))
                device.write(BAR0, 9 * pitch, bytes(range(1, 129)))
                device.query(flag)
                check(top_left(device.pixels(plane, plane.size), plane, layout, 7, bpp // 8) ==
                      bytes(range(1, 17)), "%s: depth %u: written by mmap" % (kind, bpp))
                check(top_left(device.pixels(plane, plane.size), plane, layout, 9, bpp // 8) ==
                      bytes(range(1, 17)), "%s: depth %u: written by pwrite" % (kind, bpp))
                # A second write to the same page is seen, too.
                bar.write(7 * pitch, bytes(range(101, 117)))
                device.query(flag)
                check(top_left(device.pixels(plane, plane.size), plane, layout, 7, bpp // 8) ==
                      bytes(range(101, 117)), "%s: depth %u: written again" % (kind, bpp))
            device.set_mode(640, 480)
            device.vbe(virt_width=701, x_offset=3, y_offset=5, virt_height=600)
            plane = device.query(flag)
            bar.write((5 * 701 + 3) * 4, b"odd offset, page")
            plane = device.query(flag)
            check(top_left(device.pixels(plane, plane.size), plane, layout, 0, 4) ==
                  b"odd offset, page", kind + ": a picture that starts within a page: %r" % plane)
            mdev.put("format", "XR30")
            check(device.query(flag).format == FORMATS["XR30"][0], kind + ": XR30 for a guest")


def top_left(pixels, plane, layout, row, cpp):
    """The first 16 bytes of a row among the first 16 rows: in one run in every layout."""
    if layout == "linear":
        offset = row * plane.stride
    elif layout == "x":
        offset = row // 8 * 8 * plane.stride + row % 8 * 512
    elif layout == "y":
        offset = row * 16
    elif layout == "yf":
        offset = (row & 7) * 16 + (row & 8) * 32
    else:
        offset = (row & 3) * 16 + (row & 4) * 64 + (row & 8) * 128
    return pixels[offset:offset + 16]


def cursor_pixel(shape, x, y):
    if shape == 0:
        if x > y or x + y >= 48:
            return 0
        return 0xff000000 if x in (0, y) or x + y == 47 else 0xffffffff
    if shape == 1:
        return 0xffffffff if x in (15, 16) and y < 32 else 0
    return 0x80800000 if x in (31, 32) or y in (31, 32) else 0


def bounce(way, size):
    at = way % (2 * size - 2)
    return at if at < size else 2 * size - 2 - at


def test_cursor(kind):
    flag = TYPES[kind][0]
    with Mdev(kind, UUID % 3) as mdev:
        mdev.put("mode", "640x480")
        mdev.put("pattern", "static")
        with Device(mdev.uuid) as device:
            check(device.query(flag, CURSOR).size == 0, kind + ": no cursor at first")
            mdev.put("cursor", 1)
            ids = {}
            for frame in (0, 1, 63, 64, 130, 200, 1000, 1 << 33):
                mdev.put("frame", frame)
                plane = device.query(flag, CURSOR)
                shape = frame // 64 % 3
                what = "%s: cursor in frame %u: %r" % (kind, frame, plane)
                check((plane.format, plane.width, plane.height, plane.stride, plane.modifier) ==
                      (0x34325241, 64, 64, 256, 0), what)
                check((plane.x, plane.y) == (bounce(frame * 5, 640), bounce(frame * 3, 480)),
                      what + ": place")
                check((plane.hot_x, plane.hot_y) == ((0, 0), (16, 16), (32, 32))[shape],
                      what + ": hot spot")
                pixels = struct.pack("=4096I", *[cursor_pixel(shape, x, y) for y in range(64)
                                                 for x in range(64)])
                check(device.pixels(plane) == pixels, what + ": pixels")
                if flag == DMABUF:
                    check(ids.setdefault(shape, plane.index) == plane.index, what + ": id")
            check(flag == REGION or len(set(ids.values())) == 3, kind + ": an id a shape")
            mdev.put("cursor", 0)
            check(device.query(flag, CURSOR).size == 0, kind + ": no cursor at last")


def test_quirks(kind):
    flag = TYPES[kind][0]
    with Mdev(kind, UUID % 4) as mdev:
        check(mdev.get("display_region") == str(int(flag == REGION)), kind + ": display_region")
        check(mdev.get("display_dmabuf") == str(int(flag == DMABUF)), kind + ": display_dmabuf")
        for name, top in (("require_kvm", 1), ("no_cpu_map", 1), ("plane_off", 2),
                          ("first_query_fails", 1), ("pull_only", 1), ("flips", 8)):
            check(mdev.get(name) == "0", "%s: %s is off" % (kind, name))
            check(fails(errno.EINVAL, mdev.put, name, top + 1), "%s: %s too large" % (kind, name))
            mdev.put(name, top)
            check(mdev.get(name) == str(top), "%s: %s reads back" % (kind, name))
            mdev.put(name, 0)
        mdev.put("require_kvm", 1)
        check(fails(errno.ESRCH, Device, mdev.uuid), kind + ": require_kvm")
        mdev.put("require_kvm", 0)
        mdev.put("mode", "640x480")
        mdev.put("pattern", "bars")
        with Device(mdev.uuid) as device:
            plane = device.query(flag)
            mdev.put("plane_off", 1)
            check(device.query(flag).size == 0, kind + ": plane_off=1")
            mdev.put("plane_off", 2)
            check(fails(errno.ENODEV, device.query, flag), kind + ": plane_off=2")
            mdev.put("plane_off", 0)
            mdev.put("first_query_fails", 1)
            mdev.put("mode", "800x600")
            check(fails(errno.ENOMEM, device.query, flag), kind + ": first_query_fails")
            check(device.query(flag).width == 800, kind + ": the second does not")
            mdev.put("first_query_fails", 0)
            if flag == DMABUF:
                mdev.put("no_cpu_map", 1)
                plane = device.query(flag)
                fd = device.dmabuf(plane.index)
                check(fails(errno.ENODEV, Mapping, fd, plane.size), kind + ": no_cpu_map")
                os.close(fd)
                mdev.put("no_cpu_map", 0)
        test_copies(kind, mdev, flag)


def test_copies(kind, mdev, flag):
    unused, layout, tile_width, tile_height, unused = TYPES[kind]
    stride = rounded(640 * 4, max(tile_width, 64))
    size = stride * rounded(480, tile_height)
    mdev.put("mode", "640x480")
    with Device(mdev.uuid) as device:
        mdev.put("pull_only", 1)
        mdev.put("frame", 3)
        plane = device.query(flag)
        mdev.put("frame", 4)
        check(device.pixels(plane, size) == expected("bars", 1, 640, 480, 3, layout, "XR24",
                                                     stride),
              kind + ": pull_only holds the picture")
        plane = device.query(flag)
        check(device.pixels(plane, size) == expected("bars", 1, 640, 480, 4, layout, "XR24",
                                                     stride),
              kind + ": until it is asked for")
        mdev.put("pull_only", 0)
        mdev.put("flips", 3)
        seen, held = [], []
        for frame in range(10, 16):
            mdev.put("frame", frame)
            plane = device.query(flag)
            seen.append(plane.index)
            check(device.pixels(plane, size) ==
                  expected("bars", 1, 640, 480, frame, layout, "XR24", stride),
                  "%s: flips: frame %u" % (kind, frame))
            if flag == DMABUF:
                fd = device.dmabuf(plane.index)
                held.append((Mapping(fd, plane.size), frame))
                os.close(fd)
        if flag == DMABUF:
            check(len(set(seen)) == 3 and seen[:3] == seen[3:], kind + ": flips: ids %r" % seen)
            mdev.put("mode", "800x600")
            device.query(flag)
            for mapping, frame in held[3:]:
                check(mapping.bytes(0, size) ==
                      expected("bars", 1, 640, 480, frame, layout, "XR24", stride),
                      "%s: flips: frame %u outlives a mode change" % (kind, frame))
            for mapping, frame in held:
                mapping.close()
        mdev.put("flips", 0)


def vgem():
    """The node of the kernel's virtual GEM device, which imports any dma-buf; None: not there."""
    for name in sorted(os.listdir("/sys/class/drm")):
        if name.startswith("card") and "vgem" in os.path.realpath("/sys/class/drm/" + name):
            return "/dev/dri/" + name
    return None


def test_import(kind):
    """Another driver attaches the dma-buf and maps its pages."""
    with Mdev(kind, UUID % 5) as mdev, Device(mdev.uuid) as device:
        mdev.put("mode", "640x480")
        mdev.put("pattern", "static")
        plane = device.query(DMABUF)
        fd, card = device.dmabuf(plane.index), os.open(vgem(), os.O_RDWR | os.O_CLOEXEC)
        prime = bytearray(struct.pack("=IIi", 0, 0, fd))
        ioctl(card, 0xc00c642e, prime)  # DRM_IOCTL_PRIME_FD_TO_HANDLE
        handle = struct.unpack_from("=I", prime)[0]
        ioctl(fd, 0x40086200, struct.pack("=Q", 1))
        ioctl(fd, 0x40086200, struct.pack("=Q", 5))
        again = bytearray(struct.pack("=IIi", handle, 0, -1))
        ioctl(card, 0xc00c642d, again)  # DRM_IOCTL_PRIME_HANDLE_TO_FD
        back = struct.unpack("=IIi", again)[2]
        with Mapping(back, plane.size) as mapping:
            check(mapping.bytes(0, plane.size) == device.pixels(plane, plane.size),
                  kind + ": imported and exported again, other pixels")
        os.close(back)
        os.close(fd)
        mdev.put("mode", "800x600")
        ioctl(card, 0x40086409, struct.pack("=II", handle, 0))  # DRM_IOCTL_GEM_CLOSE
        os.close(card)


def main():
    kinds = os.environ.get("TYPES", "").split() or TYPES
    if vgem():
        for kind in kinds:
            if TYPES[kind][0] == DMABUF:
                test_import(kind)
    else:
        print("SKIP: no vgem: dma-bufs are not imported", flush=True)
    for kind in kinds:
        test_layouts(kind)
        test_guest(kind)
        test_cursor(kind)
        test_quirks(kind)
    return count.finish("kmod_scanout")


sys.exit(main())
