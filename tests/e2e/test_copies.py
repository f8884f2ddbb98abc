# SPDX-License-Identifier: GPL-2.0-or-later
"""Text that scrolls, in viewers that copy what has moved: each frame has every pixel."""
import json
import time

from lib import host, page, pattern, viewer

WIDTH, HEIGHT = 640, 480
SCROLL = f"sim:mode={WIDTH}x{HEIGHT},pattern=scroll,cursor=off"


class Copies(page.Test):
    def scroll(self, *options):
        self.expected = {}
        return self.serve(f"{SCROLL},fps=4", "--control", f"unix:{self.path('control')}", *options)

    def copied(self):
        """How many rectangles the only client has copied."""
        status = json.loads(self.planecast("status", self.path("control"), "--json").out)
        client, = status["sinks"][0]["clients"]
        return client["copied"]

    def is_whole(self, got):
        """Whether that is the frame whose number it carries."""
        frame = pattern.stamped_frame(got)
        if frame not in self.expected:
            self.expected[frame] = self.screenshot(f"{SCROLL},frame={frame}")
        return got == self.expected[frame]

    def watch_frames(self, look, count, copied):
        """Until so many frames were whole, and rectangles copied; look() takes a picture."""
        seen, end = set(), time.monotonic() + host.PATIENCE
        while len(seen) < count or self.copied() < copied:
            got = look()
            if got and (got.width, got.height) == (WIDTH, HEIGHT) and self.is_whole(got):
                seen.add(pattern.stamped_frame(got))
            self.assertLess(time.monotonic(), end, f"whole frames: {seen}")

    def test_vncviewer_copies(self):
        server = self.scroll()
        screen, _ = viewer.watch(self, server.address)
        self.watch_frames(screen.picture, 6, 6)

    def test_a_browser_copies(self):
        server = self.scroll()
        window = self.browse(f"{server.page}?quality=lossless")
        self.watch_frames(window.canvas, 6, 6)

    def test_none_are_sent_where_they_are_forbidden(self):
        server = self.scroll("--no-copyrect")
        screen, _ = viewer.watch(self, server.address)
        self.watch_frames(screen.picture, 4, 0)
        self.assertEqual(self.copied(), 0)
