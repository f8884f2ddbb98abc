# SPDX-License-Identifier: GPL-2.0-or-later
"""The page over https: the same in Chromium, and no worse off with those who break off or stall."""
import os
import socket
import ssl
import time
import unittest.mock

from lib import attackers, host, page, pattern, rfb, websocket

LOOPBACK = "127.0.0.1:auto"
STILL = "sim:mode=317x211,pattern=noise,frame=3,layout=y,cursor=off"
EXPECTED = pattern.noise(317, 211, 3)
CLIENT_HELLO = b"\x16\x03\x01"


class WebTls(page.Test):
    def setUp(self):
        super().setUp()
        patch = unittest.mock.patch.dict(os.environ, STATE_DIRECTORY=self.path("state"))
        patch.start()
        self.addCleanup(patch.stop)

    def serve(self, device, *options, **more):
        return super().serve(device, "--tls", *options, **more)

    def check_picture(self, server):
        with rfb.Client(server.page) as client:
            client.update(incremental=False)
            self.assert_same(client.picture(), EXPECTED)

    def test_a_browser_shows_the_exact_picture_over_https(self):
        server = self.serve(STILL, "--password-file", self.password_file())
        self.assertTrue(server.page.startswith("https://"), server.page)
        window = self.browse(f"{server.page}?quality=lossless")
        window.wait("document.body.dataset.state === 'login'", "the page asks")
        window.run("document.getElementById('password').value = 'sesame';"
                   "document.querySelector('#login button').click()")
        window.wait("document.body.dataset.state === 'connected'", "the page connects")
        self.wait_for_picture(window, EXPECTED)
        self.assertEqual(window.complaints(), [])

    def test_the_page_may_talk_to_an_encrypted_socket_only(self):
        policy = websocket.request(self.serve(STILL).page).headers["Content-Security-Policy"]
        self.assertIn("connect-src 'self' wss://", policy)
        self.assertNotIn("ws://", policy.replace("wss://", ""))

    def test_files_come_whole_however_slowly_they_are_read(self):
        path = f"{page.NOVNC}/core/rfb.js"
        with open(path, "rb") as file:
            expected = file.read()
        with websocket.dial(self.serve(STILL).page, receive_buffer=4096) as sock:
            sock.sendall(b"GET /novnc/core/rfb.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = b""
            while more := sock.recv(2000):
                got += more
                if len(got) < 40000:
                    time.sleep(0.01)
        self.assertEqual(got.partition(b"\r\n\r\n")[2], expected)

    def test_names_and_pages_of_others_are_refused(self):
        server = self.serve(STILL)
        for name, status in (("evil.example", 403), ("localhost", 200)):
            got = websocket.request(server.page, headers={"Host": name})
            self.assertEqual(got.status, status, name)
        for origin in ("https://evil.example", "null"):
            with self.assertRaises(websocket.Refused) as caught:
                websocket.WebSocket(server.page, Origin=origin)
            self.assertEqual(caught.exception.status, 403, origin)
        websocket.WebSocket(server.page, Origin=server.page.rstrip("/")).close()

    def test_a_viewer_sees_the_same_through_an_encrypted_websocket(self):
        server = self.serve(STILL, "--tls-only")
        self.check_picture(server)

    def test_http_and_old_tls_get_nothing(self):
        server = self.serve(STILL)
        with websocket.dial(server.page.replace("https", "http")) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertNotIn(b"HTTP", self.drain(sock))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with websocket.dial(server.page.replace("https", "http")) as sock:
            with self.assertRaises((ssl.SSLError, OSError)):
                context.wrap_socket(sock)
        self.check_picture(server)

    @staticmethod
    def drain(sock):
        got = b""
        try:
            while more := sock.recv(4096):
                got += more
        except OSError:
            pass
        return got

    def test_a_proxy_comes_by_a_unix_socket_without_tls(self):
        path = self.path("web.sock")
        self.serve(STILL, "--web", f"unix:{path}")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(host.PATIENCE)
            sock.connect(path)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: proxied.example\r\n\r\n")
            self.assertTrue(sock.recv(12).endswith(b"200"))

    def test_peers_that_break_off_or_say_nothing(self):
        server = self.serve(STILL)
        before = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        silent = []
        for i in range(60):
            client = rfb.Client(server.page)
            client.request(incremental=False)
            client.read(i * 80 % 5000)
            client.sock.reset()
            silent.append(websocket.dial(server.page.replace("https", "http")))
            silent[-1].sendall(CLIENT_HELLO[:i % 4])
        self.check_picture(server)
        self.assert_rests(server)
        for sock in silent:
            sock.close()
        end = time.monotonic() + host.PATIENCE
        while len(os.listdir(f"/proc/{server.process.pid}/fd")) > before:
            self.assertLess(time.monotonic(), end, "descriptors stay open")
            time.sleep(0.1)

    def test_stalled_readers_hold_up_no_mode_change(self):
        server = self.serve("sim:modes=640x480+800x600,period=0.7,pattern=bars,frame=5,cursor=off")
        stalled = attackers.Stalled(server)
        self.addCleanup(stalled.close)
        for _ in range(3):
            stalled.step()
        with rfb.Client(server.page) as client:
            end = time.monotonic() + host.PATIENCE
            while client.resizes < 4 and time.monotonic() < end:
                client.update()
            self.assertGreaterEqual(client.resizes, 4)
