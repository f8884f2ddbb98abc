# SPDX-License-Identifier: GPL-2.0-or-later
"""SPICE, as its own clients see it."""
import json
import os
import re
import shutil
import stat
import time
import unittest
import unittest.mock

from lib import host, pattern, picture, recording, rfb, soak, spice, spice_wire

EXPECTED = pattern.bars(320, 240, 3)
LAYOUTS = ("linear", "x", "y", "yf", "4")


class Spice(host.Test):
    def assert_shown(self, server, expected, *options, what="", **more):
        got, said = spice.screenshot(self, server, *options, **more)
        self.assertIsNotNone(got, f"no picture: {said}\n{server.log}")
        self.assert_same(got, expected, what)

    def secret(self, text):
        path = self.path("secret")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)
        return path

    def assert_says(self, server, words):
        end = time.monotonic() + host.PATIENCE
        while words not in server.log and time.monotonic() < end:
            time.sleep(0.05)
        self.assertIn(words, server.log)

    def clients(self, control):
        """What `status` says of SPICE."""
        said = json.loads(self.planecast("status", control, "--json").out)
        return next(sink for sink in said["sinks"] if sink["kind"] == "spice")

    def test_pixels_are_exact_in_every_layout(self):
        for layout in LAYOUTS:
            with self.subTest(layout):
                server = spice.serve(self, "sim:mode=333x222,pattern=noise,frame=2,cursor=off,"
                                     f"layout={layout}")
                self.assert_shown(server, pattern.noise(333, 222, 2), what=layout)

    def test_who_is_watched_by_nobody_holds_nothing(self):
        """Beyond what a server without SPICE has: no picture, no surface to draw it on; before the
        first client and after the last one, whatever the mode does meanwhile."""
        picture_kib = 1920 * 1080 * 4 >> 10
        device = "sim:mode=1920x1080,pattern=bars,frame=3,cursor=off"
        control = f"unix:{self.path('control')}"
        plain, server = self.serve(device), spice.serve(self, device, "--control", control)
        with rfb.Client(plain.address) as client:  # the same has been done there
            client.update(incremental=False)
        self.assert_holds_nothing(server, plain, picture_kib)
        told = json.loads(self.planecast("status", control, "--json").out)
        self.assertEqual((told["counters"]["looks"], told["counters"]["bytes_read"]), (0, 0))
        for _ in range(2):
            self.assert_shown(server, pattern.bars(1920, 1080, 3))
            self.assert_holds_nothing(server, plain, picture_kib)

    def assert_holds_nothing(self, server, plain, picture_kib):
        control, end = self.path("control"), time.monotonic() + host.PATIENCE
        while (told := self.clients(control))["links"] or told["drawables"]:
            self.assertLess(time.monotonic(), end, told)
            time.sleep(0.05)
        if os.environ.get("ASAN_OPTIONS"):
            return  # a sanitizer keeps what is freed
        while (more := soak.sample(server.process.pid, 0).private_kib
               - soak.sample(plain.process.pid, 0).private_kib) > picture_kib / 2:
            self.assertLess(time.monotonic(), end, f"{more} KiB more")
            time.sleep(0.05)

    def test_who_comes_after_new_modes_in_the_sleep_sees_the_last(self):
        """They are seen by a viewer by VNC, while no client of SPICE is there."""
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,frame=5,cursor=off",
                             "--spice-compression", "off", "--vnc",
                             f"127.0.0.1:{host.free_port()}",
                             "--input", f"qmp:{self.path('no-monitor-yet')}")
        vnc = re.search(r"vnc: listening on (\S+)", server.log)[1]
        with rfb.Client(vnc) as other:
            for width, height in ((400, 300), (64, 48), (333, 222), (64, 48), (400, 300)):
                other.wish(width, height)
                self.watch_until(other, lambda size=(width, height): other.picture().size == size)
                if width > 64:
                    continue  # nobody comes in this one
                with spice_wire.Painter(server.address) as viewer:
                    viewer.update()
                    self.assertEqual(viewer.resizes, 1)
                    self.assert_same(viewer.picture(), pattern.bars(width, height, 5))

    def test_pixels_are_exact_in_every_compression(self):
        for name in ("lz4", "lz", "glz", "quic", "auto_lz", "auto_glz", "off"):
            with self.subTest(name):
                server = spice.serve(self, "sim:mode=320x240,pattern=bars,frame=3,cursor=off",
                                     "--spice-compression", name)
                self.assert_shown(server, pattern.bars(320, 240, 3), what=name)

    def test_pictures_are_compressed(self):
        """But to unix sockets: spice-server goes by the kind of the socket that it is given."""
        raw = 640 * 480 * 4
        for name in ("lz4", "lz", "quic", "off"):
            with self.subTest(name):
                server = spice.serve(self, "sim:mode=640x480,pattern=bars,frame=3,cursor=off",
                                     "--spice-compression", name)
                with spice_wire.Viewer(server.address) as viewer:
                    length = len(viewer.display.hear_until(spice_wire.DRAW_COPY))
                if name == "off":
                    self.assertGreater(length, raw)
                else:
                    self.assertLess(length, raw / 4)

    def test_one_client_after_the_other_sees_the_picture_of_the_time(self):
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,fps=20,cursor=off")
        seen, end = [], time.monotonic() + host.PATIENCE
        while len(set(seen)) < 3 and time.monotonic() < end:
            got, said = spice.screenshot(self, server)
            self.assertIsNotNone(got, said)
            seen.append(pattern.stamped_frame(got))
        # Two that come within one frame's time see the same.
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(len(set(seen)), 3)

    def test_a_new_mode_is_shown(self):
        server = spice.serve(self, "sim:modes=320x240+333x222,period=0.7,pattern=bars,frame=5,"
                             "cursor=off")
        expected = {size: pattern.bars(*size, 5) for size in ((320, 240), (333, 222))}
        seen, end = set(), time.monotonic() + host.PATIENCE
        while len(seen) < 2 and time.monotonic() < end:
            got, said = spice.screenshot(self, server)
            self.assertIsNotNone(got, said)
            # One that is taken while the mode changes shows a new surface before all is drawn.
            if picture.difference(got, expected[got.size]) is None:
                seen.add(got.size)
        self.assertEqual(seen, set(expected))

    def test_changes_in_many_pieces_are_shown(self):
        """More than spice-server is given at a time, also before the first picture."""
        size = 1024, 768
        recording.chess_game(self.path("chess.rec"), *size)
        server = spice.serve(self, f"replay:{self.path('chess.rec')},loop")
        expected = [picture.from_xrgb(*size, recording.chess(*size, frame)) for frame in (0, 1)]
        seen, end = set(), time.monotonic() + host.PATIENCE
        while len(seen) < 2 and time.monotonic() < end:
            got, said = spice.screenshot(self, server)
            self.assertIsNotNone(got, said)
            # One that is taken while a change is drawn has some of both.
            seen |= {frame for frame in (0, 1) if not picture.difference(got, expected[frame])}
        self.assertEqual(seen, {0, 1})

    def test_the_pointer_is_no_part_of_the_picture(self):
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,frame=3,cursor=on")
        self.assert_shown(server, pattern.bars(320, 240, 3))

    def test_the_right_password_opens(self):
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,frame=3,cursor=off",
                             "--spice-password-file", self.secret("longer than eight\n"))
        self.assert_shown(server, pattern.bars(320, 240, 3), "-w", "longer than eight")

    def test_a_wrong_password_does_not(self):
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,cursor=off",
                             "--spice-password-file", self.secret("longer than eight\n"))
        got, _ = spice.screenshot(self, server, "-w", "longer than")
        self.assertIsNone(got)
        self.assert_says(server, "turned away")

    def test_a_unix_socket(self):
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,frame=3,cursor=off",
                             address="unix:" + self.path("socket"))
        self.assert_shown(server, pattern.bars(320, 240, 3))

    def test_the_network_is_not_let_in_without_a_password(self):
        result = self.planecast("serve", "sim:", "--spice", "0.0.0.0:auto", code=2)
        self.assertIn("--spice-password-file", result.err)

    def test_tls_for_the_network_keeps_others_out(self):
        server = self.serve_tls("--insecure", "--tls-only", address="0.0.0.0:auto")
        self.assertNotIn("not encrypted", server.log)
        server.addresses = [server.address.replace("0.0.0.0", "127.0.0.1")]
        with spice.connect(server.address) as sock:
            sock.sendall(spice.link())
            self.assertEqual(spice.rest(sock), b"")
        self.assert_shown(server, EXPECTED, tls=True)

    def serve_tls(self, *options, trusted=True, **more):
        """A server with a certificate of its own."""
        patch = unittest.mock.patch.dict(os.environ, STATE_DIRECTORY=self.path("state"),
                                         SSL_CERT_FILE=self.path("trusted.pem"))
        patch.start()
        self.addCleanup(patch.stop)
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,frame=3,cursor=off", "--tls",
                             *options, **more)
        if trusted:
            self.trust()
        return server

    def trust(self):
        """What spicy-screenshot, which has no option for it, trusts is OpenSSL's default."""
        shutil.copy(self.path("state/certificate.pem"), self.path("trusted.pem"))

    def test_tls_shows_the_same(self):
        server = self.serve_tls()
        self.assert_shown(server, EXPECTED, tls=True)
        self.assert_shown(server, EXPECTED, what="without TLS")

    def test_tls_shows_noise_in_every_compression(self):
        """Messages of many records and records of small messages."""
        self.serve_tls().stop()
        for name in ("lz4", "glz", "quic", "off"):
            with self.subTest(name):
                server = spice.serve(self, "sim:mode=333x222,pattern=noise,frame=2,cursor=off",
                                     "--tls", "--spice-compression", name)
                for number in range(3):
                    self.assert_shown(server, pattern.noise(333, 222, 2), what=f"{name} {number}",
                                      tls=True)

    def test_tls_with_a_password(self):
        server = self.serve_tls("--spice-password-file", self.secret("longer than eight\n"))
        self.assert_shown(server, EXPECTED, "-w", "longer than eight", tls=True)
        got, _ = spice.screenshot(self, server, "-w", "longer", tls=True,
                                  name="wrong.ppm")
        self.assertIsNone(got)
        self.assert_says(server, "turned away")

    def test_tls_uses_a_new_certificate_at_once(self):
        server = self.serve_tls()
        self.assert_shown(server, EXPECTED, tls=True)
        for name in ("certificate.pem", "key.pem"):
            os.unlink(self.path(f"state/{name}"))
        self.serve_tls().stop()
        self.assert_shown(server, EXPECTED, tls=True, what="another certificate")

    def test_tls_that_the_client_does_not_trust_shows_nothing(self):
        server = self.serve_tls(trusted=False)
        got, said = spice.screenshot(self, server, tls=True)
        self.assertIsNone(got)
        self.assertIn("certificate", said)
        self.trust()
        self.assert_shown(server, EXPECTED, tls=True)

    def test_vnc_and_spice_show_one_frame(self):
        server = self.serve("sim:mode=320x240,pattern=noise,frame=4,cursor=off", "--spice",
                            "unix:" + self.path("socket"))
        self.assert_same(self.capture(server.address), pattern.noise(320, 240, 4))
        server.addresses = ["unix:" + self.path("socket")]
        self.assert_shown(server, pattern.noise(320, 240, 4))

    def test_a_plane_that_is_off_is_told_by_the_card_at_the_last_mode(self):
        server = self.serve("sim:modes=333x222+off,period=0.7,pattern=bars,frame=5,cursor=off",
                            "--spice", "unix:" + self.path("socket"))
        shown, end = pattern.bars(333, 222, 5), time.monotonic() + host.PATIENCE
        card = self.capture(server.address)
        while picture.difference(card, shown) is None and time.monotonic() < end:
            card = self.capture(server.address)
        self.assertEqual(card.size, (333, 222))
        self.assertIsNotNone(picture.difference(card, shown), "no card was shown")
        server.addresses = ["unix:" + self.path("socket")]
        got = None
        while (not got or picture.difference(got, card)) and time.monotonic() < end:
            got, said = spice.screenshot(self, server)
            self.assertIsNotNone(got, said)
        self.assert_same(got, card)
        self.assert_says(server, "no signal: ")

    def test_what_is_limited_are_clients_not_their_channels(self):
        control = "unix:" + self.path("control")
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,frame=3,cursor=off",
                             "--spice-clients", "2", "--control", control)
        watchers = [spice.Watcher(self, server) for unused in range(2)]
        told = self.clients(self.path("control"))
        self.assertEqual(len(told["clients"]), 2)
        self.assertGreater(told["links"], 2)
        got, _ = spice.screenshot(self, server)
        self.assertIsNone(got)
        self.assert_says(server, "refused: too many clients")
        for watcher in watchers:
            self.assertTrue(watcher.watches())
        watchers[0].leave()
        end = time.monotonic() + host.PATIENCE
        while len(self.clients(self.path("control"))["clients"]) > 1 and time.monotonic() < end:
            time.sleep(0.05)
        self.assert_shown(server, pattern.bars(320, 240, 3))

    def test_nobody_comes_in_by_sasl(self):
        """spice-server would ask the machine's SASL database, although it has not offered that."""
        server = spice.serve(self, "sim:mode=64x64,cursor=off")
        with spice.connect(server.address) as sock:
            sock.sendall(spice.link(capabilities=spice.AUTH_SELECTION) + spice.SASL)
            said = spice.rest(sock)
        reply = 16 + int.from_bytes(said[12:16], "little")
        self.assertEqual(said[reply:], b"", "a list of SASL's mechanisms")

    def test_links_that_break_off_anywhere_do_no_harm(self):
        control = "unix:" + self.path("control")
        server = spice.serve(self, "sim:mode=320x240,pattern=bars,frame=3,cursor=off",
                             "--control", control)
        hello = spice.link()
        for length in range(len(hello) + 1):
            with spice.connect(server.address) as sock:
                sock.sendall(hello[:length])
        for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\0\xff", bytes(5000),
                     b"REDQ" + b"\xff" * 100, spice.link(channel=255), spice.link(2, 77)):
            with spice.connect(server.address) as sock:
                sock.sendall(junk)
        self.assert_shown(server, pattern.bars(320, 240, 3))
        end = time.monotonic() + host.PATIENCE
        while self.clients(self.path("control"))["links"] and time.monotonic() < end:
            time.sleep(0.1)
        told = self.clients(self.path("control"))
        self.assertEqual((told["links"], told["clients"]), (0, []))
        self.assertGreaterEqual(told["accepted"], len(hello) + 6)


if __name__ == "__main__":
    unittest.main()
