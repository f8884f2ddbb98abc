# SPDX-License-Identifier: GPL-2.0-or-later
"""Viewers that set the mode: TigerVNC's by its window, and what a guest without EDID answers."""
import re
import shutil
import time
import unittest

from lib import host, pattern, rfb, viewer

DEVICE = "sim:mode=320x240,pattern=bars,frame=4"


class Resize(host.Test):
    def test_vncviewer_fills_its_screen(self):
        server = self.serve(DEVICE)
        expected = pattern.bars(viewer.WIDTH, viewer.HEIGHT, 4)
        screen, client = viewer.watch(self, server.address, "-RemoteResize=1")
        self.assert_same(viewer.await_picture(screen, client, expected), expected, client.log)

    def test_vncviewer_asks_for_the_size_that_it_was_given(self):
        server = self.serve(DEVICE)
        expected = pattern.bars(400, 300, 4)
        client = viewer.watch(self, server.address, "-RemoteResize=1", "-FullScreen=0",
                              "-DesktopSize=400x300")[1]
        self.await_mode(server, client, expected)

    def test_the_mode_follows_the_window(self):
        if not shutil.which("xdotool"):
            raise unittest.SkipTest("xdotool is missing (apt-get install xdotool)")
        server = self.serve(DEVICE)
        screen, client = viewer.watch(self, server.address, "-RemoteResize=1", "-FullScreen=0")
        self.await_mode(server, client, pattern.bars(320, 240, 4))
        for width, height in ((500, 400), (222, 333)):
            moved = host.run("env", f"DISPLAY={screen.display}", "xdotool", "search", "--sync",
                             "--onlyvisible", "--name", "TigerVNC", "windowsize", str(width),
                             str(height))
            self.assertEqual(moved.code, 0, moved.err)
            self.await_mode(server, client, pattern.bars(width, height, 4))

    def test_without_an_edid_the_mode_stays(self):
        server = self.serve(DEVICE + ",edid=off")
        expected = pattern.bars(320, 240, 4)
        screen, client = viewer.watch(self, server.address, "-RemoteResize=1")
        self.assert_same(viewer.await_picture(screen, client, expected), expected, client.log)
        end = time.monotonic() + host.PATIENCE
        while not re.search(r"SetDesktopSize failed: 1", client.log):
            self.assertLess(time.monotonic(), end, client.log)
            time.sleep(0.1)
        self.assert_same(viewer.await_picture(screen, client, expected), expected, client.log)

    def await_mode(self, server, client, expected):
        """Until another viewer, who wishes nothing, sees it."""
        end = time.monotonic() + host.PATIENCE
        while True:
            with rfb.Client(server.address) as other:
                other.update(incremental=False)
                got = other.picture()
            if got == expected or time.monotonic() > end:
                self.assert_same(got, expected, client.log)
                return
            time.sleep(0.1)
