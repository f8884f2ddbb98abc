# SPDX-License-Identifier: GPL-2.0-or-later
"""Browsers that break off, stall, are silent or flood: nobody else may notice."""
import os
import threading
import time
import unittest

from lib import host, pattern, rfb, websocket

LONG = bool(os.environ.get("PLANECAST_LONG"))
LOOPBACK = "127.0.0.1:auto"
MOVING = "sim:mode=640x480,pattern=bars,fps=20,cursor=off"
TICKS = os.sysconf("SC_CLK_TCK")


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

    def check_rest(self, server):
        """With nobody but silent peers, the server costs next to nothing."""
        begun, ticks = time.monotonic(), server.cpu_ticks()
        time.sleep(1.5)
        used = (server.cpu_ticks() - ticks) / TICKS
        self.assertLess(used, 0.4 * (time.monotonic() - begun), "the server spins")

    def frames_an_update(self, client, updates):
        client.update(incremental=False)
        first = pattern.stamped_frame(client.picture())
        for _ in range(updates):
            client.update()
        return (pattern.stamped_frame(client.picture()) - first) / updates

    def beside(self, server, attack, updates=40):
        """Runs an attack while somebody watches, who must get as many frames as alone.

        The machine may be busy with others: once out of three times is enough.
        """
        rounds = []
        for _ in range(3):
            alone, together = self.frames_beside(server, attack, updates)
            if together <= 2 * alone + 0.5:
                return
            rounds.append(f"{together:.2f} instead of {alone:.2f}")
        self.fail(f"frames an update beside it: {', '.join(rounds)}")

    def frames_beside(self, server, attack, updates):
        with rfb.Client(server.address) as client:
            alone = self.frames_an_update(client, updates)
            over, wrong = threading.Event(), []

            def work():
                try:
                    while not over.is_set():
                        attack()
                except BaseException as error:  # pylint: disable=broad-except
                    wrong.append(error)

            thread = threading.Thread(target=work)
            thread.start()
            try:
                together = self.frames_an_update(client, updates)
            finally:
                over.set()
                thread.join(2 * host.PATIENCE)
        if wrong:
            raise wrong[0]
        return alone, together

    def test_websockets_that_reset_in_the_middle(self):
        server = self.serve(MOVING, web=LOOPBACK)
        broken = 0

        def break_off():
            nonlocal broken
            client = rfb.Client(server.page)
            client.request(incremental=False)
            client.read(broken % 5000)
            client.sock.reset()
            broken += 1

        self.beside(server, break_off)
        while broken < (1000 if LONG else 100):
            break_off()
        self.check_picture(server)
        self.check_rest(server)

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
        self.check_rest(server)

    def test_upgrades_and_silence(self):
        server = self.serve(MOVING, web=LOOPBACK)
        silent = [websocket.WebSocket(server.page) for _ in range(20)]
        self.check_rest(server)
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
        stalled = [StalledClient(server.page, receive_buffer=4096) for _ in range(3)]
        with rfb.Client(server.address) as client:
            end = time.monotonic() + host.PATIENCE
            while client.resizes < 4 and time.monotonic() < end:
                client.update()
            self.assertGreaterEqual(client.resizes, 4)
        for client in stalled:
            client.close()

    def test_floods_of_pings(self):
        server = self.serve(MOVING, web=LOOPBACK)

        def flood():
            client = rfb.Client(server.page)
            try:
                for _ in range(200000):
                    client.sock.send_frame(websocket.PONG)
            except OSError:
                return
            finally:
                client.close()
            self.fail("nobody stops a flood of pings")

        self.beside(server, flood)

    def test_too_many_clients_by_any_way(self):
        server = self.serve(MOVING, "--max-clients", "2", web=LOOPBACK)
        with rfb.Client(server.page), rfb.Client(server.address):
            for address in (server.page, server.address):
                with self.assertRaises((rfb.Closed, ConnectionError)):
                    rfb.Client(address)


class StalledClient(rfb.Client):
    """A viewer that asks for pictures and never reads one."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        for _ in range(50):
            self.request(incremental=False)
