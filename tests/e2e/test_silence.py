# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers that say nothing, or begin with TLS and fall silent, take no processor time of anybody."""
import os
import unittest
import unittest.mock

from lib import host, page, pattern, rfb, websocket

DEVICE = "sim:mode=320x240,pattern=bars,frame=4,cursor=off"
EXPECTED = pattern.bars(320, 240, 4)
CLIENT_HELLO = b"\x16\x03\x01"
PEERS = 16
# VeNCrypt, up to the point where TLS begins: version, type, version, X509None.
TO_TLS = b"RFB 003.008\n\x13\0\2\0\0\1\4"


class Silence(page.Test):
    def setUp(self):
        super().setUp()
        patch = unittest.mock.patch.dict(os.environ, STATE_DIRECTORY=self.path("state"))
        patch.start()
        self.addCleanup(patch.stop)

    def come(self, dial, words):
        """Peers that say as many of the words as there are, one less each."""
        for i in range(PEERS):
            sock = dial()
            self.addCleanup(sock.close)
            sock.sendall(words[:len(words) - i % (len(CLIENT_HELLO) + 1)])

    def check_served(self, server):
        """Who comes after others by the same port is accepted after them."""
        for address in (server.address, server.page):
            with rfb.Client(address) as client:
                client.update(incremental=False)
                self.assert_same(client.picture(), EXPECTED, address)

    def check_rest(self, server):
        self.check_served(server)
        self.assert_rests(server)
        self.check_served(server)

    def test_silence_on_the_vnc_port(self):
        for options in ((), ("--tls",)):
            server = self.serve(DEVICE, *options)
            self.come(lambda: rfb.connect(server.address), CLIENT_HELLO)
            self.check_rest(server)
            server.stop()

    def test_silence_where_tls_begins(self):
        server = self.serve(DEVICE, "--tls")
        self.come(lambda: rfb.connect(server.address), TO_TLS + CLIENT_HELLO)
        self.check_rest(server)

    def test_silence_on_the_web_port(self):
        for options in ((), ("--tls",)):
            server = self.serve(DEVICE, *options)
            address = server.page.replace("https", "http")
            self.come(lambda: websocket.dial(address), CLIENT_HELLO)
            self.check_rest(server)
            server.stop()


if __name__ == "__main__":
    unittest.main()
