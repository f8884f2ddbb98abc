# SPDX-License-Identifier: GPL-2.0-or-later
"""JPEG where viewers allow it, and what they have when the picture rests: every pixel."""
import json
import select
import time

from lib import host, page, rfb, viewer

TIGHT, QUALITY_1, QUALITY_9 = 7, -31, -23
PICTURE = "pattern=static,cursor=off"


class Quality(page.Test):
    def still(self, width, height, *options):
        """A server that shows a detailed still, and the still."""
        device = f"sim:mode={width}x{height},{PICTURE}"
        return self.serve(device, *options), self.screenshot(device)

    def beginning(self, server):
        """The first bytes of a Tight update at a low quality: longer than any head."""
        with rfb.Client(server.address, encodings=(TIGHT, QUALITY_1)) as client:
            client.request(incremental=False)
            return client.read(20000)

    def test_vncviewer_has_every_pixel_at_rest(self):
        server, expected = self.still(600, 400)
        for options in (("-NoJPEG=0", "-QualityLevel=1"), ("-NoJPEG=0", "-QualityLevel=9"),
                        ("-NoJPEG=0", "-QualityLevel=4", "-FullColor=1", "-CompressLevel=6"), ()):
            with self.subTest(options=options):
                screen, client = viewer.watch(self, server.address, *options)
                self.assert_same(viewer.await_picture(screen, client, expected), expected,
                                 client.log)
                client.close()
                screen.close()

    def test_a_browser_has_every_pixel_at_rest(self):
        server, expected = self.still(640, 480)
        for quality in ("", "?quality=lossless"):
            window = self.browse(f"{server.page}{quality}")
            self.wait_for_picture(window, expected)
            self.assertEqual(window.complaints(), [])

    def test_gvnccapture_has_every_pixel(self):
        server, expected = self.still(1100, 300)
        self.assert_same(self.capture(server.address), expected)

    def test_clients_may_allow_jpeg(self):
        server, _ = self.still(640, 480)
        self.assertIn(b"JFIF", self.beginning(server))

    def test_a_lossless_server_sends_none(self):
        server, expected = self.still(640, 480, "--lossless")
        self.assertNotIn(b"JFIF", self.beginning(server))
        screen, client = viewer.watch(self, server.address, "-NoJPEG=0", "-QualityLevel=1")
        self.assert_same(viewer.await_picture(screen, client, expected), expected, client.log)

    def sent(self):
        """Updates and bytes so far, of the only client."""
        client = json.loads(self.planecast("status", self.path("control"), "--json").out)[
            "sinks"][0]["clients"][0]
        return client["updates"], client["bytes_sent"]

    def test_who_reads_slowly_gets_less_quality(self):
        """It takes 4 MB a second: its updates of more than a megabyte become much smaller."""
        server = self.serve("sim:mode=1280x720,pattern=film,fps=30,cursor=off", "--control",
                            f"unix:{self.path('control')}")
        with rfb.Client(server.address, encodings=(TIGHT, QUALITY_9),
                        receive_buffer=65536) as client:
            client.request(incremental=False)
            end, before = time.monotonic() + host.PATIENCE, (0, 0)
            # The first update counts when all of it was taken.
            while not before[0] and time.monotonic() < end:
                if select.select([client.sock], [], [], 0.05)[0]:
                    client.sock.recv(65536)
                before = self.sent()
            first = last = before[1]
            while time.monotonic() < end and last > first / 3:
                for _ in range(30):
                    client.request()
                    time.sleep(len(client.sock.recv(65536)) / 4e6)
                now = self.sent()
                if now[0] > before[0]:
                    last = (now[1] - before[1]) / (now[0] - before[0])
                    before = now
        self.assertGreater(first, 1e6)
        self.assertLessEqual(last, first / 3)

    def test_the_help_tells_of_it(self):
        self.assertIn(b"--lossless", host.run(host.PROGRAM, "serve", "--help").out)
