# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a server listens, and what it leaves behind."""
import os
import socket
import stat
import subprocess

from lib import host, page, pattern, rfb

DEVICE = "sim:mode=320x240,pattern=bars,frame=4,cursor=off"
EXPECTED = pattern.bars(320, 240, 4)
GET = b"GET / HTTP/1.1\r\nHost: proxied.example\r\n\r\n"


class Listen(host.Test):
    def check(self, address):
        with rfb.Client(address) as client:
            client.update(incremental=False)
            self.assert_same(client.picture(), EXPECTED, address)

    def test_unix_socket_comes_and_goes(self):
        path = self.path("vnc.sock")
        server = self.serve(DEVICE, vnc=f"unix:{path}")
        self.assertEqual(server.address, f"unix:{path}")
        self.assertTrue(stat.S_ISSOCK(os.stat(path).st_mode))
        self.check(server.address)
        server.stop()
        self.assertEqual(os.listdir(self.scratch), [])

    def test_unix_sockets_have_the_mode_that_they_are_given(self):
        for text, mode in (("", 0o600), (",mode=0660", 0o660), (",mode=666", 0o666)):
            server = self.serve(DEVICE, vnc=f"unix:{self.path('vnc')}{text}")
            self.assertEqual(stat.S_IMODE(os.stat(self.path("vnc")).st_mode), mode)
            self.assertEqual(server.address, f"unix:{self.path('vnc')}")
            self.check(server.address)
            server.stop()
            self.assertEqual(os.listdir(self.scratch), [])

    @staticmethod
    def greeting(path, uid, gid, says=b""):
        """What somebody else hears at a socket, or None if he may not connect."""
        code = ("import socket, sys\nwith socket.socket(socket.AF_UNIX) as sock:\n"
                f" sock.connect({path!r})\n sock.sendall({says!r})\n print(sock.recv(12))")
        done = subprocess.run(["/usr/bin/python3", "-c", code], user=uid, group=gid,
                              extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        return done.stdout.strip().decode() or None

    def test_unix_sockets_belong_to_whom_they_are_given(self):
        """Although the server has given its own rights up when it listens."""
        if os.geteuid():
            self.skipTest("needs root: sockets are given to other users")
        os.chmod(self.scratch, 0o755)
        kinds = ["vnc", "spice", "control", "metrics"]
        if os.path.exists(page.NOVNC):
            kinds.append("web")
        uid, gid = 12345, 23456
        server = self.serve(DEVICE, *[
            word for kind in kinds[1:] for word in (
                f"--{kind}", f"unix:{self.path(kind)},group={gid},mode=0660")],
                            vnc=f"unix:{self.path('vnc')},user={uid},group={gid},mode=0660")
        for kind in kinds:
            made = os.stat(self.path(kind))
            self.assertEqual((made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)),
                             (uid if kind == "vnc" else 0, gid, 0o660), kind)
        for user, group in ((uid, 1), (54321, gid)):
            self.assertEqual(self.greeting(self.path("vnc"), user, group), "b'RFB 003.008\\n'")
        self.assertIsNone(self.greeting(self.path("vnc"), 54321, 1))
        self.assertIsNone(self.greeting(self.path("control"), uid, 1))
        if "web" in kinds:
            web = self.path("web")
            self.assertEqual(self.greeting(web, 54321, gid, GET), "b'HTTP/1.1 200'")
            self.assertIsNone(self.greeting(web, uid, 1, GET))
        self.check(server.address)
        server.stop()
        self.assertEqual(os.listdir(self.scratch), [])

    def test_sockets_that_cannot_be_given_away_are_not_made(self):
        path = self.path("vnc")
        for settings, word in ((",group=nobody-has-it", "no such group"),
                               (",user=nobody-has-it", "no such user"),
                               (",mode=8", "no mode"), (",owner=root", "a socket has no")):
            for kind in ("vnc", "web") if os.path.exists(page.NOVNC) else ("vnc",):
                result = self.planecast("serve", DEVICE, f"--{kind}", f"unix:{path}{settings}",
                                        code=2)
                self.assertRegex(result.err, f"planecast: {kind}: .*{word}")
        if not os.geteuid():
            os.chmod(self.scratch, 0o777)
            result = self.planecast("serve", DEVICE, "--vnc", f"unix:{path},user=1", code=4,
                                    user=12345, group=12345, extra_groups=[])
            self.assertIn("give it away", result.err)
        self.assertEqual(os.listdir(self.scratch), [])

    def test_stale_unix_socket_is_taken_over(self):
        path = self.path("vnc.sock")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        self.check(self.serve(DEVICE, vnc=f"unix:{path}").address)

    def test_ipv6_loopback(self):
        server = self.serve(DEVICE, vnc=f"[::1]:{host.free_port()}")
        self.assertRegex(server.address, r"^\[::1\]:\d+$")
        self.check(server.address)

    def test_a_name_is_all_of_its_addresses(self):
        port = host.free_port()
        found = {info[4][0] for info in socket.getaddrinfo("localhost", port,
                                                           type=socket.SOCK_STREAM)}
        server = self.serve(DEVICE, vnc=f"localhost:{port}", listeners=len(found))
        for address in server.addresses:
            self.check(address)

    def test_several_listeners(self):
        server = self.serve(DEVICE, "--vnc", f"unix:{self.path('a')}", "--vnc",
                            f"[::1]:{host.free_port()}", listeners=3)
        for address in server.addresses:
            self.check(address)

    def test_bare_port_is_loopback(self):
        port = host.free_port()
        server = self.serve(DEVICE, vnc=str(port))
        self.assertEqual(server.address, f"127.0.0.1:{port}")
        self.check(server.address)

    def test_a_viewer_may_come_again(self):
        server = self.serve(DEVICE)
        for _ in range(5):
            self.check(server.address)

    def test_too_many_clients_are_refused_and_the_rest_served(self):
        server = self.serve(DEVICE, "--max-clients", "2")
        with rfb.Client(server.address) as one, rfb.Client(server.address) as two:
            with self.assertRaises((rfb.Closed, ConnectionError)):
                rfb.Client(server.address)
            for client in (one, two):
                client.update(incremental=False)
                self.assert_same(client.picture(), EXPECTED)

    def test_without_authentication_only_loopback(self):
        result = self.planecast("serve", DEVICE, "--vnc", f"0.0.0.0:{host.free_port()}", code=2)
        self.assertIn("0.0.0.0", result.err)
