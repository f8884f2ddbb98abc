# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a server listens, and what it leaves behind."""
import os
import socket
import stat

from lib import host, pattern, rfb

DEVICE = "sim:mode=320x240,pattern=bars,frame=4,cursor=off"
EXPECTED = pattern.bars(320, 240, 4)


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

    def test_stale_unix_socket_is_taken_over(self):
        path = self.path("vnc.sock")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        self.check(self.serve(DEVICE, vnc=f"unix:{path}").address)

    def test_ipv6_loopback(self):
        server = self.serve(DEVICE, vnc=f"[::1]:{host.free_port()}")
        self.assertRegex(server.address, r"^\[::1\]:\d+$")
        self.check(server.address)

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
