# SPDX-License-Identifier: GPL-2.0-or-later
"""The forms of a screenshot: PNG, PPM and raw say the same; files appear whole or not at all."""
import os

from lib import host, pattern, picture

DEVICE = "sim:mode=333x222,layout=4,pattern=bars,frame=9,seed=3,cursor=off"
EXPECTED = pattern.bars(333, 222, 9, 3)


class Screenshot(host.Test):
    def test_png_file(self):
        path = self.path("a.png")
        self.planecast("screenshot", DEVICE, "-o", path)
        self.assert_same(picture.read(path), EXPECTED)
        self.assertEqual(os.listdir(self.scratch), ["a.png"])

    def test_png_on_stdout(self):
        result = self.planecast("screenshot", DEVICE, "-o", "-")
        self.assert_same(picture.from_png(result.out), EXPECTED)

    def test_the_best_png_has_the_same_pixels_and_is_smaller(self):
        device = "sim:mode=640x480,pattern=desktop,frame=3"
        fast = self.planecast("screenshot", device, "-o", "-").out
        best = self.planecast("screenshot", device, "-o", "-", "--best").out
        self.assert_same(picture.from_png(best), picture.from_png(fast))
        self.assertLess(len(best), len(fast) * 3 / 4)

    def test_ppm_by_the_name_of_the_file_or_by_option(self):
        path = self.path("a.ppm")
        self.planecast("screenshot", DEVICE, "-o", path, "--format", "ppm")
        self.assert_same(picture.read(path), EXPECTED)

    def test_raw_is_packed_xrgb_with_x_zero(self):
        raw = self.planecast("screenshot", DEVICE, "-o", "-", "--format", "raw").out
        self.assert_same(picture.from_xrgb(333, 222, raw), EXPECTED)
        self.assertEqual(set(raw[3::4]), {0})

    def test_an_old_file_is_replaced(self):
        path = self.path("a.png")
        with open(path, "wb") as file:
            file.write(b"old" * 100000)
        self.planecast("screenshot", DEVICE, "-o", path)
        self.assert_same(picture.read(path), EXPECTED)

    def test_cursor_plane_is_smaller_than_the_screen(self):
        device = DEVICE.replace("cursor=off", "cursor=on")
        raw = self.planecast("screenshot", device, "--plane", "cursor", "-o", "-", "--format",
                             "ppm").out
        cursor = picture.from_ppm(raw)
        self.assertLess(cursor.width * cursor.height, 333 * 222)
        self.assertGreater(cursor.colours(), 1)

    def test_both_planes_differ_from_the_primary_only_under_the_cursor(self):
        # In frame 0 of seed 0 the cursor is well inside; it wanders over the edges, too.
        device = "sim:mode=640x480,layout=4,pattern=bars,frame=0,seed=0,cursor=on"
        both = self.screenshot(device, "--plane", "both")
        primary = self.screenshot(device, "--plane", "primary")
        self.assert_same(primary, pattern.bars(640, 480, 0))
        self.assertEqual(both.size, primary.size)
        changed = [at // 3 for at in range(0, len(both.rgb), 3)
                   if both.rgb[at:at + 3] != primary.rgb[at:at + 3]]
        self.assertTrue(changed, "no cursor in the picture")
        columns, rows = [at % 640 for at in changed], [at // 640 for at in changed]
        self.assertLessEqual(max(columns) - min(columns), 256)
        self.assertLessEqual(max(rows) - min(rows), 256)
