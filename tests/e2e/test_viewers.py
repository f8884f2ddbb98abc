# SPDX-License-Identifier: GPL-2.0-or-later
"""Viewers of others, as they come: what they show is what the device shows."""
import json
import os
import shutil
import time
import unittest

from lib import host, pattern, picture, rfb, viewer

MOVING = "sim:mode=320x240,pattern=bars,fps=4,layout=y,cursor=off"


def need(program, package):
    if not shutil.which(program):
        raise unittest.SkipTest(f"{program} is missing (apt-get install {package})")


class Viewers(host.Test):
    def serve_with_status(self, device):
        self.control = self.path("control")
        return self.serve(device, "--control", f"unix:{self.control}")

    def client(self):
        """What the server says of its one client."""
        status = json.loads(self.planecast("status", self.control, "--json").out)
        clients, = (sink["clients"] for sink in status["sinks"])
        self.assertEqual(len(clients), 1, clients)
        return clients[0]

    def watch_frames(self, screen, client, count, top=0):
        """Until the viewer has shown so many whole frames (from the row top), in their order."""
        seen, end = [], time.monotonic() + host.PATIENCE
        while len(seen) < count:
            got = screen.picture().crop((viewer.WIDTH - 320) // 2, (viewer.HEIGHT - 240) // 2, 320,
                                        240)
            frame = pattern.stamped_frame(got)
            whole = pattern.bars(320, 240, frame).crop(0, top, 320, 240 - top)
            if got.crop(0, top, 320, 240 - top) == whole and frame not in seen:
                self.assertGreater(frame, max(seen, default=-1), "an older frame came back")
                seen.append(frame)
            self.assertIsNone(client.process.poll(), client.log)
            self.assertLess(time.monotonic(), end, f"whole frames seen: {seen}\n{client.log}")

    def test_vncviewer_gets_updates_without_asking(self):
        server = self.serve_with_status(MOVING)
        screen, client = viewer.watch(self, server.address)
        self.watch_frames(screen, client, 5)
        self.assertIn("Enabling continuous updates", client.log)
        status = self.client()
        self.assertTrue(status["continuous"], status)
        self.assertGreater(status["round_trip_ms"], 0, status)

    def test_vncviewer_changes_its_format_on_the_way(self):
        """With AutoSelect it begins in few colours and goes on in full colour, for what changes."""
        server = self.serve_with_status(MOVING)
        screen, client = viewer.watch(self, server.address, "-AutoSelect=1", "-FullColor=0",
                                      "-LowColorLevel=1")
        self.watch_frames(screen, client, 3, top=240 - 240 // 4)
        self.assertIn("little-endian rgb888", client.log)
        self.assertTrue(self.client()["continuous"], client.log)

    def test_updates_without_asking_follow_the_modes(self):
        server = self.serve("sim:modes=640x480+333x222,period=0.5,pattern=bars,frame=5,cursor=off")
        encodings = (rfb.RAW, rfb.DESKTOP_SIZE, rfb.FENCE, rfb.CONTINUOUS_UPDATES)
        with rfb.Client(server.address, encodings) as client:
            client.update(incremental=False)
            client.continuous(True)
            seen, resizes, end = set(), 0, time.monotonic() + host.PATIENCE
            while resizes < 3 or len(seen) < 2:
                client.receive()
                if client.resizes != resizes:
                    resizes = client.resizes
                    client.continuous(True)
                if client.picture() == pattern.bars(client.width, client.height, 5):
                    seen.add(client.width)
                self.assertLess(time.monotonic(), end, f"{resizes} modes, whole pictures: {seen}")
            self.assertEqual(client.ends, 1)

    def focused(self, server, name):
        """A vncviewer that has the keyboard, on a screen of its own."""
        os.mkdir(self.path(name))
        screen = viewer.Screen()
        self.addCleanup(screen.close)
        client = viewer.Viewer(screen, server.address, self.path(name))
        self.addCleanup(client.close)
        expected = pattern.bars(320, 240, 7)
        self.assert_same(viewer.await_picture(screen, client, expected), expected, client.log)
        screen.run("xdotool", "search", "--sync", "--onlyvisible", "--name", "TigerVNC",
                   "windowfocus")
        return screen, client

    def test_vncviewers_share_what_is_copied(self):
        need("xclip", "xclip")
        need("xdotool", "xdotool")
        server = self.serve("sim:mode=320x240,pattern=bars,frame=7,cursor=off")
        screens = [self.focused(server, name) for name in ("one", "two")]
        for at, text in ((0, "grüße € 🎉\nzwei"), (1, "zurück"), (0, "x" * 100000)):
            (here, sender), (there, receiver) = screens[at], screens[1 - at]
            got, end = None, time.monotonic() + host.PATIENCE
            while got != text:
                self.assertLess(time.monotonic(), end,
                                f"{text[:20]}: {sender.log}\n{receiver.log}")
                here.run("xclip", "-selection", "clipboard", given=text.encode())
                got = there.run("xclip", "-selection", "clipboard", "-o").decode()

    def test_ssvncviewer_shows_exact_pixels(self):
        need("ssvncviewer", "ssvnc")
        expected = pattern.bars(320, 240, 7)
        server = self.serve("sim:mode=320x240,pattern=bars,frame=7,cursor=off")
        for encoding in ("tight", "zrle", "hextile", "zlib", "rre", "corre", "raw"):
            screen = viewer.Screen()
            self.addCleanup(screen.close)
            other = viewer.Other(screen, self.scratch, "ssvncviewer", "-viewonly", "-noshm",
                                 "-encodings", encoding, "-nojpeg", "-geometry", "320x240+0+0",
                                 server.address.replace(":", "::"))
            self.addCleanup(other.close)
            self.assert_same(other.await_anywhere(expected), expected, f"{encoding}: {other.log}")

    def test_vncsnapshot_takes_a_picture(self):
        """A JPEG is all that it writes: bars come out of one nearly as they were."""
        need("vncsnapshot", "vncsnapshot")
        need("djpeg", "libjpeg-turbo-progs")
        server = self.serve("sim:mode=320x240,pattern=bars,frame=7,cursor=off")
        path = self.path("snapshot.jpg")
        done = host.run("vncsnapshot", "-quiet", "-quality", "100",
                        viewer.display_of(server.address), path)
        self.assertEqual(done.code, 0, done.err)
        got = picture.from_ppm(host.run("djpeg", "-pnm", path).out)
        expected = pattern.bars(320, 240, 7)
        self.assertEqual((got.width, got.height), (320, 240))
        off = sum(abs(a - b) for a, b in zip(got.rgb, expected.rgb)) / len(expected.rgb)
        self.assertLess(off, 3, "mean difference of a colour, of 255")


if __name__ == "__main__":
    unittest.main()
