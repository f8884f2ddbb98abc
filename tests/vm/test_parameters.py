# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways of other vendors' drivers, by mplane's parameters (doc/mplane.md): all are shown exactly."""
import json
import os
import time

from lib import host, mdev, pattern

ADDRESS = "127.0.0.1:5900"
SIZE = 320, 240
# All that is tried for a dma-buf, in order.
WAYS = ("dma-buf mmap", "i915 pread", "i915 gtt", "bochs")
FLIPS_SECONDS = 2


def bars(frame):
    return pattern.bars(*SIZE, frame, 1)


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


class Parameters(mdev.Test):
    def painted(self, kind, **files):
        return self.device(kind, mode="{}x{}".format(*SIZE), pattern="bars", frame=1, **files)

    def viewer(self, device):
        """A server that owns the device, and its viewer."""
        server = self.serve(device.spec, "--own", vnc=ADDRESS)
        client = host.rfb.Client(ADDRESS, timeout=host.PATIENCE)
        self.addCleanup(client.close)
        return server, client

    def probe(self, device):
        return json.loads(self.planecast("probe", device.spec, "--json").out)

    def reason(self, device):
        """What the card says, by the server that shows it."""
        return json.loads(self.planecast("status", device.spec, "--json").out)["reason"]

    def test_require_kvm(self):
        """A machine without a processor is made for it."""
        device = self.painted("dmabuf", require_kvm=1)
        if not os.path.exists("/dev/kvm"):
            self.skipTest("no KVM in this machine")
        self.assert_same(self.screenshot(device.spec), bars(1))
        self.assertEqual(self.probe(device)["needed"], ["kvm"])
        _, client = self.viewer(device)
        self.follow(client, bars(1))
        device.paint(frame=2)
        self.follow(client, bars(2), "the next frame")

    def test_no_cpu_map_of_linear_pixels(self):
        """They are read where the guest draws them."""
        device = self.painted("dmabuf", no_cpu_map=1)
        _, client = self.viewer(device)
        self.follow_to_card(client, bars(1))
        self.assertIn("bochs: its registers are of another mode", self.reason(device))
        device.paint(mode="{}x{}".format(*SIZE))  # into the registers that opening has reset
        self.follow(client, bars(1))
        self.assert_same(self.screenshot(device.spec), bars(1))
        report = self.probe(device)
        self.assertEqual(report["primary"]["way"], "bochs")
        seen = " ".join(each["seen"] for each in report["evidence"])
        for way in WAYS[:-1]:
            self.assertRegex(seen, f"{way}: \\w")

    def test_no_cpu_map_of_tiled_pixels(self):
        """None can be read: screenshot, probe and the server say what was tried, and why not."""
        device = self.painted("dmabuf-y", no_cpu_map=1)
        said = self.planecast("screenshot", device.spec, code=1).err
        report = self.probe(device)
        self.assertIsNone(report["primary"]["way"])
        _, client = self.viewer(device)
        self.follow_to_card(client, bars(1))
        seen = " ".join(each["seen"] for each in report["evidence"])
        for way in WAYS:
            for words in (said, seen, self.reason(device)):
                self.assertRegex(words, f"{way}: \\w")
        self.assertIn("No such device", said)
        device.paint(no_cpu_map=0, frame=2)
        self.follow(client, bars(2), "mapped after all")

    def plane_off(self, value):
        device = self.painted("region", plane_off=value)
        self.assertIn("not switched its display on",
                      self.planecast("screenshot", device.spec, code=1).err)
        report = self.probe(device)
        self.assertEqual((report["display"], report["primary"]), ("region", None))
        _, client = self.viewer(device)
        self.follow_to_card(client, bars(1), bars(2))
        self.assertIn("not switched its display on", self.reason(device))
        device.paint(frame=2, plane_off=0)
        self.follow(client, bars(2), "on again")
        device.paint(plane_off=value)
        self.follow_to_card(client, bars(2))

    def test_plane_off_by_zeros(self):
        self.plane_off(1)

    def test_plane_off_by_an_error(self):
        self.plane_off(2)

    def test_first_query_fails(self):
        device = self.painted("dmabuf", first_query_fails=1)
        self.assert_same(self.screenshot(device.spec), bars(1))
        _, client = self.viewer(device)
        self.follow(client, bars(1))
        for width in (200, 333, 320):
            device.paint(mode=f"{width}x240")
            self.follow(client, pattern.bars(width, 240, 1, 1), f"{width} pixels wide")

    def test_pull_only(self):
        """Nothing is told, and nothing changes before it is asked for."""
        for kind in ("region", "dmabuf-4"):
            device = self.painted(kind, pull_only=1)
            server = self.serve(device.spec, "--own", vnc=ADDRESS)
            with host.rfb.Client(ADDRESS, timeout=host.PATIENCE) as client:
                for frame in (1, 2, 70):
                    device.paint(frame=frame)
                    self.follow(client, bars(frame), f"{kind}: frame {frame}")
            self.assertEqual(server.stop(), 0)

    def flips(self, count):
        """Another buffer with every frame, while a viewer asks for all that it can get."""
        device = self.painted("dmabuf-x", flips=count)
        server, client = self.viewer(device)
        self.follow(client, bars(1))
        device.paint(rate=60)
        held, begun = [], time.monotonic()
        while time.monotonic() < begun + FLIPS_SECONDS:
            client.update()
            got = client.picture()
            frame = pattern.stamped_frame(got)
            self.assert_same(got, bars(frame), f"frame {frame}")
            held.append(descriptors(server))
        device.paint(rate=0)
        self.assertGreater(len(held), 3)
        print(f"flips={count}: {len(held)} frames, at most {max(held)} descriptors")
        # What is kept is bounded, whatever the number of ids was.
        self.assertLessEqual(max(held[len(held) // 2:]), max(held[:len(held) // 2]) + 1)
        device.paint(frame=5)
        self.follow(client, bars(5), "the last")

    def test_flips_among_two(self):
        self.flips(2)

    def test_flips_among_eight(self):
        self.flips(8)
