# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers that mean no good. Tests run them beside viewers; bench/attack_bench measures those.

Each is made for a server (something with an address and a page) and does a bounded piece of its
work in step(); `done` counts those. What it holds it holds until close().
"""
import collections
import struct
import time
import zlib

from . import host, rfb, spice_wire, websocket

EXTENDED_CLIPBOARD = 0xC0A1E5CE - (1 << 32)
TEXT, CAPS, ASK, PEEK, TELL, GIVE = (1 << bit for bit in (0, 24, 25, 26, 27, 28))
CLIENT_HELLO = b"\x16\x03\x01"
GREETING = b"RFB 003.008\n\1\1"
GONE = (OSError, EOFError, rfb.Closed)  # the server has had enough of it


class Attacker:
    HELD = 64  # connections; the oldest makes room

    def __init__(self, server):
        self.server, self.done = server, 0
        self._held = collections.deque()

    def step(self):
        raise NotImplementedError

    def dial(self, address):
        """A plain connection to either port."""
        if address.startswith("http"):
            return self.hold(websocket.dial(address.replace("https", "http")))
        return self.hold(rfb.connect(address))

    def hold(self, peer):
        self._held.append(peer)
        while len(self._held) > self.HELD:
            self._held.popleft().close()
        return peer

    def close(self):
        while self._held:
            self._held.pop().close()


class Resets(Attacker):
    """Viewers by WebSocket that break the connection in the middle of an update."""

    def step(self):
        client = rfb.Client(self.server.page)
        try:
            client.request(incremental=False)
            client.read(self.done * 97 % 5000)
        finally:
            client.sock.reset()
        self.done += 1


class Silent(Attacker):
    """Who connects to either port and says nothing, or no more than the first bytes of TLS."""

    def step(self):
        for address in (self.server.address, self.server.page):
            try:
                self.dial(address).sendall(CLIENT_HELLO[:self.done % 4])
            except OSError:
                pass  # pushed out already
        self.done += 1


class Stalled(Attacker):
    """Viewers that ask for pictures and read none, three by each port; now and then new ones."""
    HELD = 6

    def step(self):
        if len(self._held) == self.HELD:
            time.sleep(0.25)
        for address in (self.server.address, self.server.page):
            try:
                client = self.hold(rfb.Client(address, receive_buffer=4096))
                for _ in range(50):
                    client.request(incremental=False)
            except GONE:
                pass
        self.done += 1


class StalledSpice(Attacker):
    """SPICE clients that have the ticket and read no picture; new ones for those cut off."""
    HELD = 3

    def step(self):
        for viewer in [each for each in self._held if not self.stays(each)]:
            self._held.remove(viewer)
            viewer.close()
        try:
            if len(self._held) < self.HELD:
                self.hold(spice_wire.Viewer(self.server.spice_address))
        except GONE:
            pass
        time.sleep(0.02)
        self.done += 1

    @staticmethod
    def stays(viewer):
        """The main channel is cut with the other one."""
        return viewer.main.drain()


class MuteSpice(StalledSpice):
    """Those that read all and acknowledge nothing."""

    @staticmethod
    def stays(viewer):
        return viewer.display.drain()


class Trickles(Attacker):
    """Handshakes and WebSockets' requests a byte at a time; a viewer that reads by the byte."""
    HELD = 3

    def __init__(self, server):
        super().__init__(server)
        self._peers = []  # (socket, what it says, a byte each step)

    def _come(self):
        request = b"GET /websockify HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 4000
        self._peers = [(self.dial(self.server.address), GREETING),
                       (self.dial(self.server.page), request)]
        self._reader = self.hold(rfb.Client(self.server.address, receive_buffer=4096))
        for _ in range(50):
            self._reader.request(incremental=False)
        self._said = 0

    def step(self):
        try:
            if not self._peers:
                self._come()
            for sock, words in self._peers:
                sock.sendall(words[self._said % len(words):][:1])
            self._reader.read(1)
            self._said += 1
        except GONE:
            self._peers = []
        self.done += 1


class Storm(Attacker):
    """A viewer that copies, asks for the clipboard and renames its encodings, all the time.

    It is sent pictures meanwhile, and takes them as carefully as anybody: see().
    """

    def __init__(self, server):
        super().__init__(server)
        self.client = self.hold(rfb.Client(server.address, timeout=host.PATIENCE))

    @staticmethod
    def _extended(flags, data=b""):
        return struct.pack(">B3xiI", 6, -4 - len(data), flags) + data

    def give(self, text):
        """Copies a text, as Extended Clipboard has it."""
        text = text.encode() + b"\0"
        self.client.send(self._extended(GIVE | TEXT, zlib.compress(
            struct.pack(">I", len(text)) + text)))

    def say(self):
        """All messages that touch the clipboard, and a list of encodings with and without it."""
        lists = [(rfb.RAW, rfb.DESKTOP_SIZE, EXTENDED_CLIPBOARD), (rfb.RAW, rfb.DESKTOP_SIZE)]
        self.client.encodings(lists[self.done % 2])
        self.client.encodings(lists[0])
        self.client.send(self._extended(
            CAPS | TEXT | ASK | PEEK | TELL | GIVE, struct.pack(">I", 1 << 20)))
        self.give(f"text {self.done}")
        self.client.copy(f"more {self.done}")
        for flags in (ASK | TEXT, PEEK, TELL | TEXT, TELL):
            self.client.send(self._extended(flags))
        self.done += 1

    def see(self):
        """A whole picture, asked for before the storm and read after it."""
        self.client.request(incremental=False)
        self.say()
        self.client.receive()
        return self.client.picture()

    def step(self):
        try:
            self.see()
        except GONE:
            self.client = self.hold(rfb.Client(self.server.address, timeout=host.PATIENCE))


class Pings(Attacker):
    """A WebSocket's frames that bring nothing, as fast as it can, until it is cut off."""

    def step(self):
        client = rfb.Client(self.server.page)
        try:
            while True:
                client.sock.send_frame(websocket.PONG)
        except GONE:
            self.done += 1
        finally:
            client.close()


class Flood(Attacker):
    """A viewer that sends what costs most for its length as fast as it is taken; reads nothing."""

    def __init__(self, server):
        super().__init__(server)
        self.words = b"".join(rfb.set_encodings(each) for each in (
            (7, 16, rfb.RAW), (16, 7, rfb.RAW))) * 100
        self._come()

    def _come(self):
        self.close()
        self.client = self.hold(rfb.Client(self.server.address, receive_buffer=4096))
        self.client.request(incremental=False)
        self.client.sock.settimeout(0.2)  # what it has said too much of is not taken

    def step(self):
        try:
            self.client.send(self.words)
        except TimeoutError:
            pass
        except GONE:
            self._come()
        self.done += 1
