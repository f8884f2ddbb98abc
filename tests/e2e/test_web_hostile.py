# SPDX-License-Identifier: GPL-2.0-or-later
"""Browsers that break off, stall, are silent or flood: nobody else may notice."""
import os
import time
import unittest

from lib import attackers, host, pattern, rfb, websocket

LOOPBACK = "127.0.0.1:auto"
MOVING = "sim:mode=640x480,pattern=bars,fps=20,cursor=off"


class Hostile(host.Test):
    def setUp(self):
        super().setUp()
        if not os.path.exists("/usr/share/novnc/core/rfb.js"):
            raise unittest.SkipTest("noVNC is missing (apt-get install novnc)")

    def check_picture(self, server):
        with rfb.Client(server.page) as client:
            client.update(incremental=False)
            self.assertEqual(client.picture(), pattern.bars(
                640, 480, pattern.stamped_frame(client.picture())))

    def test_websockets_that_reset_during_the_handshake(self):
        server = self.serve(MOVING, web=LOOPBACK)
        hello = b"RFB 003.008\n\1\1"
        for length in range(len(hello)):
            sock = websocket.WebSocket(server.page)
            for byte in hello[:length]:
                sock.sendall(bytes((byte,)))
            sock.reset()
        head = b"GET /websockify HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n"
        for length in range(0, len(head), 3):
            with websocket.dial(server.page) as sock:
                sock.sendall(head[:length])
        for junk in (b"\x16\x03\x01", b"\0" * 4000, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100000,
                     b"GET " + b"/" * 300000, b"RFB 003.008\n"):
            with websocket.dial(server.page) as sock:
                try:
                    sock.sendall(junk)
                except OSError:
                    pass  # it was cut off: so much the better
        self.check_picture(server)
        self.assert_rests(server)

    def test_upgrades_and_silence(self):
        server = self.serve(MOVING, web=LOOPBACK)
        silent = [websocket.WebSocket(server.page) for _ in range(20)]
        self.assert_rests(server)
        self.check_picture(server)
        for sock in silent:
            sock.close()

    def test_silent_connections_never_keep_others_out(self):
        server = self.serve(MOVING, web=LOOPBACK)
        silent = [websocket.dial(server.page) for _ in range(300)]
        for sock in silent[::2]:
            try:
                sock.sendall(b"GET / HTTP/1.1\r\nHo")
            except OSError:
                pass  # pushed out already
        self.assertEqual(websocket.request(server.page).status, 200)
        self.check_picture(server)
        for sock in silent:
            sock.close()

    def test_a_request_has_to_come_in_time(self):
        server = self.serve(MOVING, web=LOOPBACK)
        with websocket.dial(server.page, timeout=host.PATIENCE) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\n")
            self.drip(sock)

    def drip(self, sock):
        """A header line now and then, until the server has had enough."""
        sock.settimeout(0.5)
        end = time.monotonic() + host.PATIENCE
        while time.monotonic() < end:
            try:
                if not sock.recv(1):
                    return
            except TimeoutError:
                pass
            except OSError:
                return
            try:
                sock.sendall(b"a: b\r\n")
            except OSError:
                return
        self.fail("a request that takes for ever is not cut off")

    def test_stalled_readers_during_mode_changes(self):
        server = self.serve("sim:modes=640x480+800x600,period=0.7,pattern=bars,frame=5,cursor=off",
                            web=LOOPBACK)
        stalled = attackers.Stalled(server)
        self.addCleanup(stalled.close)
        for _ in range(3):
            stalled.step()
        with rfb.Client(server.address) as client:
            end = time.monotonic() + host.PATIENCE
            while client.resizes < 4 and time.monotonic() < end:
                client.update()
            self.assertGreaterEqual(client.resizes, 4)

    def test_too_many_clients_by_any_way(self):
        server = self.serve(MOVING, "--max-clients", "2", web=LOOPBACK)
        with rfb.Client(server.page), rfb.Client(server.address):
            for address in (server.page, server.address):
                with self.assertRaises((rfb.Closed, ConnectionError)):
                    rfb.Client(address)
