# SPDX-License-Identifier: GPL-2.0-or-later
"""Every layout and transport: a stock viewer and a screenshot see exactly the pixels drawn."""
import itertools
import unittest

from lib import host, pattern, picture, rfb

LAYOUTS = ("linear", "x", "y", "yf", "4")
TRANSPORTS = ("region", "dmabuf")
# Sizes that fill no tile; noise, so that no pixel can stand for another.
WIDTH, HEIGHT, FRAME, SEED = 317, 211, 70000, 5


class Pixels(host.Test):
    def check(self, layout, transport):
        device = (f"sim:mode={WIDTH}x{HEIGHT},layout={layout},transport={transport},"
                  f"pattern=noise,frame={FRAME},seed={SEED},cursor=off")
        expected = pattern.noise(WIDTH, HEIGHT, FRAME, SEED)
        self.assert_same(self.screenshot(device), expected, "screenshot")
        server = self.serve(device)
        self.assert_same(self.capture(server.address), expected, "gvnccapture")

    def test_bars_in_full_hd(self):
        device = "sim:mode=1920x1080,layout=y,pattern=bars,frame=123456,cursor=off"
        expected = pattern.bars(1920, 1080, 123456)
        self.assert_same(self.screenshot(device), expected, "screenshot")
        with_viewer = self.capture(self.serve(device).address)
        self.assert_same(with_viewer, expected, "gvnccapture")

    def test_viewer_that_draws_no_pointer_sees_the_guests(self):
        device = "sim:mode=640x480,pattern=desktop,frame=40,fps=0,cursor=on"
        both = self.screenshot(device, "--plane", "both")
        self.assertNotEqual(both, self.screenshot(device), "no pointer is shown")
        self.assert_same(self.capture(self.serve(device).address), both, "gvnccapture")

    def test_viewer_that_draws_pointers_gets_the_guests_beside_the_picture(self):
        device = "sim:mode=640x480,pattern=desktop,frame=40,fps=0,cursor=on"
        both, without = self.screenshot(device, "--plane", "both"), self.screenshot(device)
        encodings = (rfb.RAW, rfb.ALPHA_CURSOR, rfb.POINTER_POSITION)
        with rfb.Client(self.serve(device).address, encodings) as client:
            client.update(incremental=False)
            self.assert_same(client.picture(), without)
            self.assert_same(client.with_pointer(), both)

    def test_every_pattern_is_the_same_in_every_layout(self):
        for kind in ("desktop", "video", "clock", "static"):
            device = f"sim:mode=641x367,pattern={kind},frame=99,cursor=off"
            linear = self.screenshot(f"{device},layout=linear")
            self.assertGreater(linear.colours(), 2, kind)
            for layout in LAYOUTS[1:]:
                self.assert_same(self.screenshot(f"{device},layout={layout}"), linear,
                                 f"{kind} in {layout}")

    def test_moving_picture_ends_on_the_right_frame(self):
        """What a viewer has after many incremental updates is one whole frame, nothing stale."""
        server = self.serve("sim:mode=640x480,pattern=bars,fps=20,layout=x,cursor=off")
        with host.rfb.Client(server.address) as client:
            client.update(incremental=False)
            for _ in range(20):
                client.update()
            good = False
            for _ in range(20):  # an update may be taken between two frames
                got = client.picture()
                frame = pattern.stamped_frame(got)
                good = good or got == pattern.bars(640, 480, frame)
                client.update()
            self.assertTrue(good, "no update out of 20 was one whole frame")


def add(layout, transport):
    setattr(Pixels, f"test_{layout}_through_{transport}",
            lambda self: self.check(layout, transport))


for combination in itertools.product(LAYOUTS, TRANSPORTS):
    add(*combination)

if __name__ == "__main__":
    unittest.main()
