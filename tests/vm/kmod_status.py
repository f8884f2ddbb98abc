#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests the status region, the event, damage tracking, the EDID region and removal.
usage: kmod_status.py   (environment: TYPES, default: three that stand for all)"""
import errno
import mmap
import os
import random
import select
import struct
import sys
import threading
import time

from kmod_vfio import (BAR0, BAR2, DMABUF, REGION, XRGB8888, Count, Device, Mdev, fails)

UUID = "6b1f5bd4-0003-4000-8000-%012x"
RW = mmap.PROT_READ | mmap.PROT_WRITE
STATUS_TYPE = (1 << 31 | 0x1234, 1)
EDID_TYPE = (1, 1)
TRACKED, LEAVING = 1, 2
REQUEST = 0x1000
REQ_IRQ = 4
KINDS = (("mplane-region", REGION), ("mplane-dmabuf", DMABUF), ("mplane-dmabuf-y", DMABUF))
count = Count()
check = count.check


class Status:
    """One copy of the page, taken under its lock."""
    HEAD = "=10I6Q"

    def __init__(self, mapping):
        for unused in range(100000):
            data = mapping.bytes(0, 4096)
            lock = struct.unpack_from("=I", mapping.bytes(12, 4))[0]
            head = struct.unpack_from(self.HEAD, data)
            if head[3] == lock and not lock & 1:
                break
        (self.magic, self.version, self.size, self.lock, self.event, self.flags, self.format,
         self.width, self.height, self.stride, self.modifier, self.generation, self.cursor,
         self.request, self.complete, self.sequence) = head
        self.ring = [struct.unpack_from("=Q4I", data, 88 + 24 * i) for i in range(64)]

    def since(self, sequence):
        """The rectangles from record `sequence` on; the whole plane if some are lost."""
        if self.sequence - sequence > 64:
            return [(0, 0, self.width, self.height)]
        rects = []
        for number in range(sequence, self.sequence):
            record = self.ring[number % 64]
            check(record[0] == number, "record %u has number %u" % (number, record[0]))
            rects.append(record[1:])
        return rects


class Reader:
    """One reader of the event: a free subindex, and what it has seen."""

    def __init__(self, device):
        self.device = device
        self.region = device.find_region(STATUS_TYPE)
        self.map = device.mmap(self.region.index, 4096)
        self.event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.irq = Status(self.map).event
        for self.slot in range(device.irq(self.irq)[2]):
            try:
                device.set_irq(self.irq, self.slot, [self.event])
                break
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
        self.rest()

    def status(self):
        return Status(self.map)

    def request(self, number):
        self.device.write(self.region.index, REQUEST, struct.pack("=Q", number))

    def fired(self, seconds):
        """How often the event came, waiting for its first time no longer than that."""
        if not select.select([self.event], [], [], seconds)[0]:
            return 0
        return os.eventfd_read(self.event)

    def rest(self):
        """Lets everything come that is on its way; of a screen that never rests, for so long."""
        end = time.monotonic() + 10
        while self.fired(0.2) and time.monotonic() < end:
            pass
        self.seen = self.status().sequence

    def damage(self):
        """The rectangles since the last time."""
        status = self.status()
        rects = status.since(self.seen)
        self.seen = status.sequence
        return rects

    def close(self):
        os.close(self.event)
        self.map.close()


def test_region(kind, flag):
    with Mdev(kind, UUID % 1) as mdev, Device(mdev.uuid) as device:
        region = device.find_region(STATUS_TYPE)
        check(region and region.flags & 7 == 7, kind + ": status region")
        check(struct.unpack("=IIQQ", region.caps[1]) == (1, 0, 0, 4096), kind + ": its sparse area")
        check(fails(errno.EPERM, device.mmap, region.index, 4096, 0, RW), kind + ": read-only")
        check(fails(errno.EINVAL, device.mmap, region.index, 8192), kind + ": one page")
        with device.mmap(region.index, 4096) as page:
            status = Status(page)
            check((status.magic, status.version, status.size) == (0x6e6c706d, 1, 88 + 24 * 64),
                  kind + ": header")
            check(device.irq(status.event)[0] & 1 and device.irq(status.event)[2] >= 2,
                  kind + ": the event's interrupt")
            check((status.format, status.width, status.flags) == (0, 0, 0), kind + ": off")
            for bad in (b"1234567", b"123456789", b"1"):
                check(fails(errno.EINVAL, device.write, region.index, REQUEST, bad),
                      kind + ": size")
            check(fails(errno.EINVAL, device.write, region.index, 72, b"12345678"),
                  kind + ": place")
            device.set_mode(640, 480)
            generation = status.generation
            device.write(region.index, REQUEST, struct.pack("=Q", 77))
            status = Status(page)
            plane = device.query(flag)
            check((status.request, status.complete) == (77, 77), kind + ": request")
            check((status.format, status.width, status.height, status.stride, status.modifier) ==
                  (plane.format, plane.width, plane.height, plane.stride, plane.modifier),
                  kind + ": the plane")
            check(status.generation > generation, kind + ": generation")
            check(status.since(0) == [(0, 0, 640, 480)], kind + ": all is damaged")
            check(device.read(region.index, 0, 4096)[88:] == page.bytes(88, 4008), kind + ": pread")


def covered(rects, x, y):
    return any(a <= x < a + w and b <= y < b + h for a, b, w, h in rects)


def test_damage(kind, flag):
    with Mdev(kind, UUID % 2) as mdev, Device(mdev.uuid) as device:
        device.set_mode(1024, 768)
        one, two = Reader(device), Reader(device)
        check((one.slot, two.slot) == (0, 1), kind + ": each reader has its own subindex")
        check(fails(errno.EBUSY, device.set_irq, one.irq, 1, [one.event]), kind + ": busy")
        check(one.status().flags & TRACKED, kind + ": tracked")
        with device.mmap(BAR0, device.region(BAR0).size, prot=RW) as bar:
            # One page is one row of 1024 pixels.
            for reader in (one, two):
                reader.rest()
            bar.write(100 * 4096 + 50, b"x")
            check(one.fired(5) == 1 and two.fired(5) == 1, kind + ": a write is one event")
            check(one.damage() == two.damage() == [(0, 100, 1024, 1)], kind + ": exactly its page")
            check(one.fired(2) == 0, kind + ": then nothing")
            bar.write(100 * 4096 + 50, b"y")
            check(one.fired(5) == 1 and two.fired(5) == 1, kind + ": the same page again")
            check(one.damage() == two.damage() == [(0, 100, 1024, 1)], kind + ": exactly, again")
            device.write(BAR0, 7 * 4096 + 4000, b"z" * 200)
            check(one.fired(5) >= 1, kind + ": pwrite")
            check(one.damage() == [(0, 7, 1024, 2)], kind + ": of two pages")
            bar.write(768 * 4096 + 10, b"z")
            check(one.fired(0.5) == 0 and one.damage() == [], kind + ": not what is not visible")
            check(one.fired(10 if kind == "mplane-region" else 1) == 0, kind + ": idle is idle")
            two.rest()
            random_writes(kind, device, flag, bar, one, two)
            repaint(kind, bar, one)
            repaint_half(kind, bar, one)
        # A stride that is no part of a page: damage within rows.
        one.rest()
        device.set_mode(800, 600)
        check(one.fired(5) >= 1, kind + ": a mode is an event")
        check((0, 0, 800, 600) in one.damage(), kind + ": and damages all")
        one.rest()
        device.write(BAR0, 3 * 4096, b"z")
        one.fired(5)
        # Bytes 12288 .. 16383 of rows of 3200: rows 3 (from 672), 4, 5 (up to 95).
        check(sorted(one.damage()) == [(0, 4, 800, 1), (0, 5, 96, 1), (672, 3, 128, 1)],
              kind + ": a page over three rows")
        two.close()
        one.rest()
        three = Reader(device)
        check(three.slot == 1, kind + ": a subindex whose reader is gone is free")
        device.set_irq(one.irq, 0, [-1])
        three.rest()
        one.fired(0)
        device.write(BAR0, 0, b"z")
        check(three.fired(5) >= 1 and one.fired(0.2) == 0, kind + ": -1 frees a subindex")
        three.close()
        check(fails(errno.EBADF, device.set_irq, one.irq, 0, [999]), kind + ": no such descriptor")
        check(fails(errno.EINVAL, device.set_irq, one.irq, 16, [-1]), kind + ": no such subindex")
        check(fails(errno.EINVAL, device.set_irq, one.irq, 0, [one.map and 0]),
              kind + ": no eventfd")


def random_writes(kind, device, flag, bar, one, two):
    """10,000 writes in rounds; after each, every written pixel lies in what either reader got. In
    one sixth of the screen after the other, as more would be too much to be told exactly."""
    rng = random.Random(4)
    missed, rounds = 0, 0
    while rounds < 100:
        rounds += 1
        spots = []
        for unused in range(100):
            offset = rounds * 6 // 101 * 128 * 4096 + rng.randrange(128 * 4096)
            bar.write(offset, bytes([rng.randrange(256)]))
            spots.append((offset // 4 % 1024, offset // 4096))
        one.request(rounds)
        rects = [reader.damage() for reader in (one, two)]
        missed += sum(not covered(rects[i], x, y) for x, y in spots for i in (0, 1))
    check(missed == 0, "%s: %u of 10000 writes missed" % (kind, missed))
    plane = device.query(flag)
    if not plane.modifier:
        check(device.pixels(plane) == bar.bytes(0, 1024 * 768 * 4), kind + ": pixels after them")
    # A writer that does not wait: a write that began after request m began, and was over before
    # request n began, is told by one of m .. n.
    stop, turn, written, rows = threading.Event(), [0], [], [set(range(128))]

    def write():
        local = random.Random(5)
        while not stop.is_set() and len(written) < 200000:
            row, begun = local.randrange(128), turn[0]
            bar.write(row * 4096 + local.randrange(4096), b"w")
            written.append((row, begun, turn[0] + 1))
    thread = threading.Thread(target=write)
    one.rest()
    thread.start()
    while turn[0] < 300:
        turn[0] += 1
        if turn[0] == 300:
            stop.set()
            thread.join()
        one.request(turn[0])
        rows.append({row for unused, y, unused, height in one.damage()
                     for row in range(y, y + height)})
        time.sleep(0.001)
    missed = sum(not any(row in told for told in rows[begun:over + 1])
                 for row, begun, over in written)
    check(missed == 0 and len(written) > 100, "%s: %u of %u racing writes missed" %
          (kind, missed, len(written)))
    print("%s: %u racing writes" % (kind, len(written)), flush=True)


def repaint(kind, bar, one):
    """A guest that repaints all: all is damage, and it is not slowed down by a fault a page."""
    one.rest()
    screen = os.urandom(1024 * 768 * 4)
    got = []
    for unused in range(30):
        bar.write(0, screen)
        one.fired(1)
        got += one.damage()
    check((0, 0, 1024, 768) in got, kind + ": all is damage")
    speed_of_repaint(kind, bar, one, screen)
    one.rest()
    bar.write(5 * 4096, b"x")
    one.fired(5)
    check(one.damage() == [(0, 5, 1024, 1)], kind + ": and exact again after a rest")


def repaint_half(kind, bar, one):
    """A guest that repaints half of the screen: that half is damage, the rest stays exact."""
    one.rest()
    half, told, all_told = os.urandom(1024 * 384 * 4), False, False
    for unused in range(30):
        bar.write(256 * 4096, half)
        one.fired(1)
        rects = one.damage()
        told |= (0, 256, 1024, 384) in rects
        all_told |= (0, 0, 1024, 768) in rects
    check(told and not all_told, kind + ": half of it is damage, and not all")
    bar.write(700 * 4096, b"x")
    rows = set()
    for unused in range(100):
        one.fired(1)
        rows |= {(y, height) for unused, y, unused, height in one.damage() if y + height > 640}
        if rows:
            break
    check(rows == {(700, 1)}, "%s: beside it a row is exact, not %r" % (kind, rows))
    one.rest()
    bar.write(300 * 4096, b"x")
    one.fired(5)
    check(one.damage() == [(0, 300, 1024, 1)], kind + ": and so is that half, after a rest")


def speed_of_repaint(kind, bar, one, screen):
    """What tracking costs a guest that repaints all: a figure, judged by nobody here."""
    def frames(tracked):
        one.device.set_irq(one.irq, one.slot, [one.event if tracked else -1])
        done, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            bar.write(0, screen)
            done += 1
        return done
    # In turns, so that what else the machine does hits both.
    without, tracked = map(sum, zip(*[(frames(False), frames(True)) for unused in range(2)]))
    print("%s: repainting, tracked / untracked: %.3f" % (kind, tracked / without), flush=True)


def test_painter(kind, flag):
    with Mdev(kind, UUID % 3) as mdev, Device(mdev.uuid) as device:
        mdev.put("mode", "640x480")
        mdev.put("pattern", "bars")
        reader = Reader(device)
        mdev.put("frame", 5)
        check(reader.fired(5) == 1, kind + ": a frame is an event")
        check(reader.damage() == [(0, 0, 640, 480)], kind + ": a frame by order damages all")
        mdev.put("pattern", "desktop")
        reader.rest()
        mdev.put("rate", 30)
        for unused in range(10):
            check(reader.fired(5) >= 1, kind + ": frames by the clock are events")
        check(all(x + w <= 640 and y + h <= 480 and w and h for x, y, w, h in reader.damage()),
              kind + ": damage lies inside")
        mdev.put("rate", 0)
        reader.rest()
        cursor = reader.status().cursor
        mdev.put("cursor", 1)
        check(reader.fired(5) == 1 and reader.status().cursor == cursor + 1, kind + ": cursor on")
        check(reader.damage() == [], kind + ": a cursor is no damage")
        generation = reader.status().generation
        mdev.put("pattern", "off")
        mdev.put("mode", "800x600")
        reader.fired(5)
        status = reader.status()
        check((status.width, status.height) == (800, 600) and status.generation > generation,
              kind + ": another mode")
        device.reset()
        check(reader.fired(5) >= 1 and reader.status().format == 0, kind + ": off by reset")
        reader.close()


def test_edid(kind):
    with Mdev(kind, UUID % 4) as mdev, Device(mdev.uuid) as device:
        region = device.find_region(EDID_TYPE)
        index = region.index
        offset, room, size, width, height, link = struct.unpack("=6I", device.read(index, 0, 24))
        first = device.read(index, offset, size)
        check(first[:8] == b"\0\xff\xff\xff\xff\xff\xff\0" and sum(first) % 256 == 0,
              kind + ": a monitor is there at first")
        check(device.read(BAR2, 0, 128) == first and link == 1, kind + ": the guest sees it")
        check(width >= 1024 and height >= 768 and room >= 256, kind + ": limits")
        device.write(index, 20, struct.pack("=I", 2))
        check(not any(device.read(BAR2, 0, 1024)), kind + ": link down: no monitor")
        blob = bytes(range(256))
        device.write(index, 8, struct.pack("=I", 256))
        device.write(index, offset, blob)
        check(not any(device.read(BAR2, 0, 1024)), kind + ": still none")
        device.write(index, 20, struct.pack("=I", 1))
        check(device.read(BAR2, 0, 1024) == blob + bytes(768), kind + ": link up: the new one")
        for place, value in ((0, 1), (4, 1), (8, room + 1), (12, 1), (20, 0), (20, 3), (24, 1)):
            check(fails(errno.EINVAL, device.write, index, place, struct.pack("=I", value)),
                  "%s: EDID register %u takes %u" % (kind, place, value))
        check(fails(errno.EINVAL, device.write, index, 8, b"\1"), kind + ": half a register")
        check(fails(errno.EINVAL, device.write, index, offset + room - 4, b"12345678"),
              kind + ": past the end")
        device.reset()
        check(device.read(BAR2, 0, 256) == blob, kind + ": a reset leaves the monitor")


def test_remove(kind):
    with Mdev(kind, UUID % 5) as mdev:
        device = Device(mdev.uuid)
        reader = Reader(device)
        event = os.eventfd(0, os.EFD_CLOEXEC)
        check(device.irq(REQ_IRQ)[2] == 1, kind + ": request interrupt")
        device.set_irq(REQ_IRQ, 0, [event])
        second = os.dup(device.fd)
        thread = threading.Thread(target=mdev.remove)
        thread.start()
        check(select.select([event], [], [], 5)[0], kind + ": removal is announced to the owner")
        check(reader.fired(5) and reader.status().flags & LEAVING, kind + ": and to readers")
        device.close()
        check(thread.is_alive(), kind + ": but waits for them")
        os.close(second)
        thread.join(1)
        check(not thread.is_alive(), kind + ": and no longer")
        thread.join(30)
        check(not os.path.exists(mdev.path), kind + ": then the device is gone")
        check(reader.map.bytes(0, 4) == b"mpln", kind + ": what is mapped stays")
        reader.close()
        os.close(event)


def main():
    kinds = os.environ.get("TYPES", "").split()
    for kind, flag in KINDS:
        if kinds and kind not in kinds:
            continue
        test_region(kind, flag)
        test_damage(kind, flag)
        test_painter(kind, flag)
        test_edid(kind)
        test_remove(kind)
    return count.finish("kmod_status")


if __name__ == "__main__":
    sys.exit(main())
