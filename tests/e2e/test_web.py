# SPDX-License-Identifier: GPL-2.0-or-later
"""The page for browsers: what it shows in Chromium, and what the web server refuses."""
import os
import shutil
import socket

from lib import host, page, pattern, rfb, websocket

LOOPBACK = "127.0.0.1:auto"
CONNECTED = "document.body.dataset.state === 'connected'"
STATUS = "document.getElementById('status').textContent"
STILL = "sim:mode=317x211,pattern=noise,frame=3,layout=y,cursor=off"
EXPECTED = pattern.noise(317, 211, 3)


class Web(page.Test):
    # In a browser.

    def test_a_browser_shows_the_exact_picture(self):
        server = self.serve(STILL)
        window = self.browse(f"{server.page}?quality=lossless")
        window.wait(CONNECTED, "the page connects")
        self.wait_for_picture(window, EXPECTED)
        self.assertEqual(window.run("document.getElementById('resolution').textContent"),
                         "317 × 211")
        window.wait("/^\\d+ updates\\/s · \\d.* [kM]?B\\/s$/.test("
                    "document.getElementById('rate').textContent)", "the rate is told")
        self.assertEqual(window.complaints(), [])

    def test_a_browser_follows_mode_changes(self):
        server = self.serve("sim:modes=320x240+333x222,period=1,pattern=bars,frame=5,cursor=off")
        window = self.browse(f"{server.page}?quality=lossless")
        for size in ((320, 240), (333, 222), (320, 240)):
            window.wait(f"{STATUS}.startsWith('{size[0]} × {size[1]}')", f"mode {size}")
        self.assertEqual(window.complaints(), [])

    def test_the_rate_is_that_of_the_picture(self):
        server = self.serve("sim:mode=320x240,pattern=bars,fps=10,cursor=off")
        window = self.browse(server.page)
        rate = "parseInt(document.getElementById('rate').textContent)"
        window.wait(f"{rate} >= 1 && {rate} <= 12", "about ten updates a second")

    def test_a_browser_connects_again(self):
        web = f"127.0.0.1:{host.free_port()}"
        first = self.serve(STILL, web=web)
        window = self.browse(f"{first.page}?quality=lossless")
        window.wait(CONNECTED, "the page connects")
        self.assertEqual(first.stop(), 0)
        window.wait("document.body.dataset.state === 'closed'", "the page says that it is over")
        self.serve("sim:mode=320x240,pattern=bars,frame=5,cursor=off", web=web)
        window.wait(CONNECTED, "the page connects again")
        self.wait_for_picture(window, pattern.bars(320, 240, 5))

    def test_a_browser_asks_for_the_password(self):
        server = self.serve(STILL, "--password-file", self.password_file())
        window = self.browse(f"{server.page}?quality=lossless")
        for password, state in (("wrong", "closed"), ("sesame", "connected")):
            window.wait("document.body.dataset.state === 'login'", "the page asks")
            window.run(f"document.getElementById('password').value = '{password}';"
                       "document.querySelector('#login button').click()")
            window.wait(f"document.body.dataset.state === '{state}'", f"{password} is {state}")
            if state == "closed":
                window.run("document.getElementById('again').click()")
        self.wait_for_picture(window, EXPECTED)

    # By hand.

    def test_the_page_has_strict_headers(self):
        server = self.serve(STILL)
        for path in ("/", "/page.js", "/novnc/core/rfb.js"):
            got = websocket.request(server.page, path)
            self.assertEqual(got.status, 200, path)
            policy = got.headers["Content-Security-Policy"]
            for part in ("default-src 'none'", "script-src 'self';", "frame-ancestors 'none'",
                         "base-uri 'none'"):
                self.assertIn(part, policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(got.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(got.headers["Referrer-Policy"], "no-referrer")
            self.assertIsNone(got.headers["Server"])

    def test_nothing_outside_the_tree_is_served(self):
        root = self.path("root")
        os.makedirs(f"{root}/core")
        shutil.copy(f"{page.NOVNC}/core/rfb.js", f"{root}/core/rfb.js")
        with open(self.path("secret.js"), "w", encoding="ascii") as file:
            file.write("secret")
        os.symlink("../secret.js", f"{root}/link.js")
        server = self.serve(STILL, "--web-root", root)
        for path in ("/novnc/../secret.js", "/novnc/%2e%2e/secret.js", "/novnc/..%2fsecret.js",
                     "/novnc/link.js", "/novnc/", "/novnc/core", "/novnc/core/", "/../secret.js",
                     "//etc/passwd", "/novnc//etc/passwd", "/novnc/core/rfb.js%00.html",
                     "/novnc/core/..\\..\\secret.js", f"http://{root}/", "/" + "a/" * 5000):
            got = websocket.request(server.page, path)
            self.assertIn(got.status, (400, 403, 404), path)
            self.assertNotIn(b"secret", got.body, path)
            self.assertNotIn(b"root:", got.body, path)
        self.assertEqual(websocket.request(server.page, "/novnc/core/rfb.js").status, 200)

    def test_only_get_and_head(self):
        server = self.serve(STILL)
        self.assertEqual(websocket.request(server.page, "/", "HEAD").status, 200)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
            self.assertEqual(websocket.request(server.page, "/", method).status, 405, method)
        self.assertEqual(websocket.request(server.page, "/", "POST", body=b"x" * 99999).status, 413)

    def test_names_that_are_not_ours_are_refused(self):
        server = self.serve(STILL, "--web-host", "screens.example")
        port = server.page.split(":")[2].strip("/")
        for name, status in (("evil.example", 403), (f"evil.example:{port}", 403), ("", 403),
                             ("localhost", 200), (f"[::1]:{port}", 200),
                             ("screens.example", 200)):
            got = websocket.request(server.page, "/", headers={"Host": name})
            self.assertIn(got.status, (status, 400) if status == 403 else (status,), name)

    def test_a_server_for_everybody_goes_by_its_machines_name(self):
        port = host.free_port()
        server = self.serve(STILL, "--password-file", self.password_file(), web=f"0.0.0.0:{port}")
        self.assertEqual(server.page, f"http://{socket.gethostname()}:{port}/")
        self.assertIn("not encrypted", server.log)
        for name, status in ((socket.gethostname(), 200), ("evil.example", 403)):
            got = websocket.request(f"http://127.0.0.1:{port}/", headers={"Host": name})
            self.assertEqual(got.status, status, name)

    def upgrade(self, server, **headers):
        try:
            websocket.WebSocket(server.page, **headers).close()
        except websocket.Refused as refused:
            return refused.status
        return 101

    def test_pages_of_others_get_no_websocket(self):
        server = self.serve(STILL, "--web-host", "screens.example")
        own = server.page.rstrip("/")
        port = own.split(":")[2]
        for status, headers in (
                (101, {}), (101, {"Origin": own}), (101, {"Origin": "https://screens.example"}),
                (403, {"Origin": "http://evil.example"}), (403, {"Origin": "null"}),
                (403, {"Origin": f"http://localhost:{port}"}),
                (403, {"Origin": "http://evil.example", "Host": "evil.example"}),
                (403, {"Host": f"evil.example:{port}"}),
                (400, {"Sec_WebSocket_Version": "8"}), (400, {"Sec_WebSocket_Protocol": "chat"})):
            self.assertEqual(self.upgrade(server, **headers), status, headers)

    def test_a_viewer_sees_the_same_through_a_websocket(self):
        server = self.serve(STILL)
        with rfb.Client(server.page) as client:
            client.update(incremental=False)
            self.assert_same(client.picture(), EXPECTED)
            client.sock.send_frame(websocket.PING, b"are you there?")
            client.update(incremental=False)
            self.assertEqual(client.sock.controls, [(websocket.PONG, b"are you there?")])

    def test_the_ways_in(self):
        path = self.path("web.sock")
        server = self.serve(STILL, "--web", f"unix:{path}", web=f"[::1]:{host.free_port()}")
        with rfb.Client(server.page) as client:
            client.update(incremental=False)
            self.assert_same(client.picture(), EXPECTED)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(host.PATIENCE)
            sock.connect(path)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: proxied.example\r\n\r\n")
            self.assertTrue(sock.recv(12).endswith(b"200"))
        server.stop()
        self.assertFalse(os.path.exists(path))

    def test_errors_name_the_fix(self):
        for options, words in (
                (("--web", "127.0.0.1:auto", "--web-root", self.scratch), "--web-root"),
                (("--web", f"0.0.0.0:{host.free_port()}"), "--password-file"),
                (("--web", "nonsense"), "nonsense"),
                (("--web-host", "a.example"), "--web ADDR"),
                (("--web", LOOPBACK, "--web-host", "http://a/"), "http://a/")):
            result = host.run(host.PROGRAM, "serve", STILL, "--vnc", LOOPBACK, *options)
            self.assertIn(result.code, (1, 2), options)
            self.assertIn(words, result.err.splitlines()[-1])
