# SPDX-License-Identifier: GPL-2.0-or-later
"""Modes that change 20 times a second: no picture has a pixel of another one."""
import os
import threading
import time

from lib import host, mdev, pattern

ADDRESS = "127.0.0.1:5900"
RATE = 20
SECONDS = int(os.environ.get("PLANECAST_MODES_SECONDS", "4"))


class Changes:
    """A thread that programs another mode RATE times a second; none comes twice within a minute."""

    def __init__(self, device):
        self.device = device
        self.count = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work)

    @staticmethod
    def size(number):
        return 160 + number * 7 % 120, 100 + number * 5 % 121

    def _work(self):
        begun = time.monotonic()
        while not self.ended.is_set():
            self.count += 1
            self.device.paint(mode="{}x{}".format(*self.size(self.count)))
            self.ended.wait(max(begun + self.count / RATE - time.monotonic(), 0))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        self.thread.join()


class Modes(mdev.Test):
    def assert_whole(self, got, what):
        """All pixels are of the mode whose size it has."""
        self.assert_same(got, pattern.bars(*got.size, 9, 1), what)

    def changing(self, kind):
        return self.device(kind, mode="160x100", pattern="bars", frame=9)

    def screenshots(self, kind):
        device = self.changing(kind)
        taken, sizes, end = 0, set(), time.monotonic() + SECONDS
        with Changes(device) as changes:
            while taken < 3 or time.monotonic() < end:
                got = self.screenshot(device.spec)
                self.assert_whole(got, f"screenshot {taken}")
                sizes.add(got.size)
                taken += 1
        print(f"{kind}: {taken} screenshots, {len(sizes)} sizes, {changes.count} modes")
        self.assertGreater(len(sizes), 1)

    def watched(self, kind):
        device = self.changing(kind)
        self.serve(device.spec, "--own", vnc=ADDRESS)
        whole, sizes = 0, set()
        with host.rfb.Client(ADDRESS, timeout=host.PATIENCE) as client:
            client.update()
            end = time.monotonic() + SECONDS
            with Changes(device) as changes:
                while whole < 3 or time.monotonic() < end:
                    resizes = client.resizes
                    client.update()
                    if client.resizes == resizes:  # the size comes before the pixels
                        self.assert_whole(client.picture(), f"frame {whole}")
                        sizes.add(client.picture().size)
                        whole += 1
            self.follow(client, pattern.bars(*changes.size(changes.count), 9, 1), "the last mode")
        print(f"{kind}: {whole} frames, {len(sizes)} sizes, {changes.count} modes")
        self.assertGreater(len(sizes), 1)

    def test_region_screenshots(self):
        self.screenshots("region")

    def test_tiled_screenshots(self):
        self.screenshots("dmabuf-y")

    def test_region_watched(self):
        self.watched("region")

    def test_dmabuf_watched(self):
        self.watched("dmabuf")
