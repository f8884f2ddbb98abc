# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices painted by the module, without a guest: every pixel is known beforehand."""
import json
import subprocess

from lib import host, mdev, outside, pattern

KINDS = ("region", "dmabuf")


class Painted(mdev.Test):
    def screenshots(self, kind):
        device = self.device(kind, seed=7, mode="333x222", pattern="noise")
        for frame in (0, 1, 70000):
            device.paint(frame=frame)
            self.assert_same(self.screenshot(device.spec), pattern.noise(333, 222, frame, 7),
                             f"frame {frame}")
        device.paint(mode="1280x720", pattern="bars", frame=12)
        self.assert_same(self.screenshot(device.uuid), pattern.bars(1280, 720, 12, 7))

    def served(self, kind):
        device = self.device(kind, seed=3, mode="640x480", pattern="bars", frame=5)
        server = self.serve(device.spec, "--own", vnc="127.0.0.1:5900")
        self.assertEqual(mdev.open_devices(server.process.pid), 1)
        got = outside.picture_of("capture", f"{kind}-served")
        self.assert_same(got, pattern.bars(640, 480, 5, 3))
        device.paint(frame=6)
        got = outside.picture_of("capture", f"{kind}-next-frame")
        self.assert_same(got, pattern.bars(640, 480, 6, 3), "the next frame")
        device.paint(mode="333x222")
        got = outside.picture_of("capture", f"{kind}-next-mode")
        self.assert_same(got, pattern.bars(333, 222, 6, 3), "the next mode")

    def test_region_screenshots(self):
        self.screenshots("region")

    def test_dmabuf_screenshots(self):
        self.screenshots("dmabuf")

    def test_region_served_to_a_viewer_outside(self):
        self.served("region")

    def test_dmabuf_served_to_a_viewer_outside(self):
        self.served("dmabuf")

    def test_a_free_device_is_not_opened_without_own(self):
        device = self.device("region", mode="640x480", pattern="bars")
        server = self.serve(device.spec, vnc="127.0.0.1:5900")
        outside.picture_of("capture", "no-signal")
        self.assertEqual(mdev.open_devices(server.process.pid), 0)

    def test_a_screenshot_leaves_the_device_free(self):
        device = self.device("dmabuf", mode="640x480", pattern="bars")
        self.screenshot(device.spec)
        self.serve(device.spec, "--own", vnc="127.0.0.1:5900")

    def test_an_owned_device_is_shared_among_planecasts(self):
        device = self.device("region", mode="640x480", pattern="bars", frame=8)
        self.serve(device.spec, "--own", vnc="127.0.0.1:5900")
        self.assert_same(self.screenshot(device.spec), pattern.bars(640, 480, 8, 1))

    def test_display_is_off(self):
        result = self.planecast("screenshot", self.device("region").spec, code=1)
        self.assertIn("display", result.err)

    def test_without_permission(self):
        device = self.device("region", mode="640x480", pattern="bars")
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", host.PROGRAM,
             "screenshot", device.spec, "-o", "-"], env=host.environment(), check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertRegex(done.stderr, r"\Aplanecast: [^\n]*" + device.uuid + r"[^\n]*\n\Z")
        self.assertEqual(done.stdout, "")

    def test_no_such_device(self):
        name = "deadbeef-0000-4000-8000-000000000000"
        result = self.planecast("screenshot", f"mdev:{name}", code=1)
        self.assertIn(name, result.err)

    def test_list_shows_types_and_devices(self):
        device = self.device("dmabuf")
        listed = json.loads(self.planecast("list", "--json").out)
        self.assertIn("mplane-region", [each["type"] for each in listed["types"]])
        mine = [each for each in listed["devices"] if each["device"] == device.spec]
        self.assertEqual(len(mine), 1)
        self.assertIn("mplane-dmabuf", mine[0]["type"])
        self.assertIsNone(mine[0]["owner"])
        self.assertIn(device.uuid.encode(), self.planecast("list").out)
