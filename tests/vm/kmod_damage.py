#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Damage by what a KVM guest writes: exact, once for each reader, nothing at rest, and its price.
usage: kmod_damage.py   (environment: TYPES, default: all; WRITES, default: 10000; SLOW, default:
all: the types for which a guest is idle for long, and tracking's price is measured)"""
import mmap
import os
import random
import sys
import time

from kmod_status import Reader, covered
from kmod_vcpu import Vcpu
from kmod_vfio import BAR0, PARENT, Count, Device, Mdev

UUID = "6b1f5bd4-0007-4000-8000-%012x"
RW = mmap.PROT_READ | mmap.PROT_WRITE
WIDTH, HEIGHT, PITCH = 1024, 768, 4096  # a page is a row
WORDS = WIDTH * HEIGHT
WRITES = int(os.environ.get("WRITES", "10000"))
BANDS = 6
TURNS = 2
IDLE_SECONDS = {True: 10, False: 1}  # for a type that is slow, and another
count = Count()
check = count.check


class Told:
    """What two readers are told from its making on. A request brings both up to date, so that no
    answer depends on when we ask."""

    def __init__(self, *readers):
        self.readers = readers
        readers[0].request(1)
        for reader in readers:
            reader.fired(0)
            reader.damage()
        self.lock = readers[0].status().lock
        self.events = [0 for unused in readers]

    def wait(self, seconds=60):
        """Until each has had an event, without asking for it; True if that is so."""
        for i, reader in enumerate(self.readers):
            self.events[i] += reader.fired(seconds)
        return all(self.events)

    def end(self):
        """How often the page changed, and for each reader its events and rectangles."""
        self.readers[0].request(2)
        self.events = [events + reader.fired(0)
                       for events, reader in zip(self.events, self.readers)]
        # A request changes the page twice besides, and its answer is one event.
        changes = (self.readers[0].status().lock - self.lock) // 2 - 2
        return changes, [events - 1 for events in self.events], [
            set(reader.damage()) for reader in self.readers]


def test_pages(kind, guest, one, two):
    """A write is told to both by an event, and exactly its page; so is the next to the same."""
    for value in (1, 2):
        told = Told(one, two)
        guest.run("poke", 100 * PITCH + 50, value)
        check(told.wait(), kind + ": a write is an event")
        changes, events, rects = told.end()
        check(events == [changes] * 2, "%s: %u changes, events %r" % (kind, changes, events))
        check(rects == [{(0, 100, WIDTH, 1)}] * 2, "%s: one page is %r" % (kind, rects))
    told = Told(one, two)
    guest.run("poke", HEIGHT * PITCH, 1)
    check(told.end() == (0, [0, 0], [set(), set()]), kind + ": not what is not visible")


def test_burst(kind, guest, one, two):
    """Many writes are few events: one for each time that records are added, for each reader."""
    told = Told(one, two)
    for value in range(10):
        guest.run("stride", 200 * PITCH, value, count=100, step=PITCH)
    changes, events, rects = told.end()
    check(1 <= changes < 1000, "%s: 1000 writes are told in %u turns" % (kind, changes))
    check(events == [changes] * 2, "%s: %u changes, events %r" % (kind, changes, events))
    rows = {row for x, y, width, height in rects[0] for row in range(y, y + height)
            if (x, width) == (0, WIDTH)}
    check(rows == set(range(200, 300)) and rects[0] == rects[1],
          "%s: of 100 rows %u are told" % (kind, len(rows)))
    print("%s: 1000 writes, %u events" % (kind, changes), flush=True)


def test_idle(kind, guest, one, two, seconds):
    """A guest that runs, and reads its screen, is idle as long as it does not write."""
    told, turns, end = Told(one, two), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        guest.run("read", 0, count=WORDS)
        turns += 1
    check(turns > 0 and told.end() == (0, [0, 0], [set(), set()]),
          "%s: a guest that only reads, %u times, is told of" % (kind, turns))


def test_random_writes(kind, guest, one, two):
    """Each byte that the guest writes lies in what either reader is told. In one band of the screen
    after the other: a guest that writes everywhere would be left alone, and all be damage."""
    rng = random.Random(WRITES)
    missed, exact = 0, 0
    turns = WRITES // 100
    for turn in range(turns):
        spots = []
        for unused in range(100):
            offset = (turn * BANDS // turns * HEIGHT // BANDS * PITCH +
                      rng.randrange(HEIGHT // BANDS * PITCH))
            guest.run("poke", offset, rng.randrange(256))
            spots.append((offset % PITCH // 4, offset // PITCH))
        one.request(turn)
        for reader in (one, two):
            rects = reader.damage()
            exact += (0, 0, WIDTH, HEIGHT) not in rects
            missed += sum(not covered(rects, x, y) for x, y in spots)
    check(missed == 0, "%s: %u of %u writes missed" % (kind, missed, WRITES))
    # How often depends on how fast the guest comes to write: on a busy host, never.
    print("%s: of %u looks %u were told parts of the screen" % (kind, 2 * turns, exact), flush=True)
    print("%s: %u random writes, each told to both readers" % (kind, WRITES), flush=True)


def repaint(guest, seconds, rate):
    """Repaints all, at a rate or (0) as fast as it goes; frames and the seconds they took."""
    frames = busy = 0
    begun = time.monotonic()
    while time.monotonic() < begun + seconds:
        start = time.monotonic()
        guest.run("fill", 0, frames, count=WORDS)
        now = time.monotonic()
        busy += now - start
        frames += 1
        if rate:
            time.sleep(max(0, begun + frames / rate - now))
    return frames, busy


def price(kind, guest, reader):
    """What tracking costs a guest that repaints all, after a second: figures, judged by nobody
    here."""
    for rate in (60, 0):
        totals = {False: [0, 0], True: [0, 0]}
        # In turns, so that what else the machine does hits both.
        for turn in range(TURNS):
            for tracked in (False, True):
                reader.device.set_irq(reader.irq, reader.slot, [reader.event if tracked else -1])
                repaint(guest, 1, rate)
                for i, value in enumerate(repaint(guest, 2, rate)):
                    totals[tracked][i] += value
        speeds = {tracked: frames / (2 * TURNS) for tracked, (frames, busy) in totals.items()}
        each = {tracked: 1000 * busy / frames for tracked, (frames, busy) in totals.items()}
        print("%s: repainting %s: %.1f frames a second tracked, %.1f not: %.3f; "
              "%.2f and %.2f ms a frame" %
              (kind, "at %u Hz" % rate if rate else "without rest", speeds[True], speeds[False],
               speeds[True] / speeds[False], each[True], each[False]), flush=True)


def test_kind(kind, slow):
    with Mdev(kind, UUID % 1) as mdev, Device(mdev.uuid) as device:
        device.set_mode(WIDTH, HEIGHT)
        with device.mmap(BAR0, device.region(BAR0).size, prot=RW) as screen, Vcpu(screen) as guest:
            one, two = Reader(device), Reader(device)
            guest.run("fill", 0, 0, count=WORDS)  # now every page is mapped
            one.rest()
            two.rest()
            test_pages(kind, guest, one, two)
            test_burst(kind, guest, one, two)
            test_idle(kind, guest, one, two, IDLE_SECONDS[slow])
            test_random_writes(kind, guest, one, two)
            two.close()
            if slow:
                price(kind, guest, one)
            one.close()


def main():
    kinds = os.environ.get("TYPES", "").split() or sorted(
        os.listdir(PARENT + "/mdev_supported_types"))
    slow = os.environ.get("SLOW", " ".join(kinds)).split()
    for kind in kinds:
        test_kind(kind, kind in slow)
    return count.finish("kmod_damage")


sys.exit(main())
