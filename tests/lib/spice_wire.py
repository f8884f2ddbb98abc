# SPDX-License-Identifier: GPL-2.0-or-later
"""A SPICE client by hand, a channel at a time, that says what no client of others would.

Messages are those of spice-protocol's spice/protocol.h and spice/enums.h; the ticket is encrypted
by RSA with OAEP (RFC 8017, section 7.1.1), for which the standard library has all but the padding.
"""
import hashlib
import os
import socket
import struct

from . import host, picture

MAIN, DISPLAY, INPUTS, CURSOR = 1, 2, 3, 4
AUTH_SELECTION, AUTH_SPICE, MINI_HEADER = 1 << 0, 1 << 1, 1 << 3
MODERN = AUTH_SELECTION | AUTH_SPICE | MINI_HEADER

ROOM = 1 << 20
SET_ACK = 3  # the first message that a server says on a channel of its worker
MAIN_INIT = 103
FLUSH_MARK = 4
ATTACH_CHANNELS = 104
AGENT_START, AGENT_DATA, MONITORS_CONFIG = 106, 107, 2
ACK_SYNC, ACK = 1, 2
DISPLAY_INIT = 101
MARK = 102  # the picture is whole
DRAW_COPY = 304
SURFACE_CREATE = 314
INIT = struct.pack("<BqBi", 1, 20 << 20, 1, 3 << 20)


def _mask(seed, length):
    blocks = range(length // 20 + 1)
    return b"".join(hashlib.sha1(seed + struct.pack(">I", i)).digest() for i in blocks)[:length]


def _xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


def _encrypt(key, text):
    """By the 1024 bits of RSA in a SubjectPublicKeyInfo."""
    modulus, exponent = int.from_bytes(key[29:157], "big"), int.from_bytes(key[159:162], "big")
    seed = os.urandom(20)
    data = hashlib.sha1(b"").digest() + bytes(128 - 42 - len(text)) + b"\x01" + text
    data = _xor(data, _mask(seed, 107))
    seed = _xor(seed, _mask(data, 20))
    return pow(int.from_bytes(seed + data, "big"), exponent, modulus).to_bytes(128, "big")


class Channel:
    """A channel whose ticket was taken. Closed by `with`, or by reset()."""

    def __init__(self, address, kind=MAIN, session=0, capabilities=MODERN):
        name, port = address.rsplit(":", 1)
        self.sock = socket.create_connection((name, int(port)), host.PATIENCE)
        self.sock.settimeout(host.PATIENCE)
        if kind == MAIN:  # which few read: there is room for what a server times the way by
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self.mini = bool(capabilities & MINI_HEADER)
        self.window = self.heard = 0
        self.answers = True  # acknowledges what it hears, when asked to
        try:
            self._link(kind, session, capabilities)
        except BaseException:
            self.sock.close()
            raise

    def _link(self, kind, session, capabilities):
        body = struct.pack("<IBBIIII", session, kind, 0, 1, 0, 18, capabilities)
        self.sock.sendall(b"REDQ" + struct.pack("<III", 2, 2, len(body)) + body)
        reply = self.read(struct.unpack("<I", self.read(16)[12:])[0])
        if capabilities & AUTH_SELECTION:
            self.sock.sendall(struct.pack("<I", 1))
        self.sock.sendall(_encrypt(reply[4:166], b"\0"))
        result = struct.unpack("<I", self.read(4))[0]
        if result:
            raise ConnectionError(f"link error {result}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def read(self, length):
        got = bytearray(length)
        view, have = memoryview(got), 0
        while have < length:
            more = self.sock.recv_into(view[have:])
            if not more:
                raise EOFError(f"{have} bytes of {length}, then the end")
            have += more
        return bytes(got)

    def say(self, kind, body=b""):
        if self.mini:
            self.sock.sendall(struct.pack("<HI", kind, len(body)) + body)
        else:
            self.sock.sendall(struct.pack("<QHII", 1, kind, len(body), 0) + body)

    def hear(self):
        """The next message: its type and its body. The server hears how far this has come."""
        if self.mini:
            kind, length = struct.unpack("<HI", self.read(6))
        else:
            _, kind, length, _ = struct.unpack("<QHII", self.read(18))
        body = self.read(length)
        self.heard += 1
        if not self.answers:
            return kind, body
        if kind == SET_ACK:
            self.window = struct.unpack("<I", body[4:8])[0]
            self.heard = 0
            self.say(ACK_SYNC, body[:4])
        elif self.window and self.heard % self.window == 0:
            self.say(ACK)
        return kind, body

    def hear_until(self, wanted):
        """The body of the next message of a type."""
        while True:
            kind, body = self.hear()
            if kind == wanted:
                return body

    def drain(self):
        """Takes what has come; false at the end."""
        self.sock.settimeout(0)
        try:
            while self.sock.recv(1 << 20):
                pass
            return False
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.sock.settimeout(host.PATIENCE)

    def is_cut(self):
        """Whether the server hangs up, after all that it still says."""
        try:
            while self.sock.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True


def session(address, capabilities=MODERN):
    """A client's main channel, and what its other channels belong to."""
    main = Channel(address, MAIN, 0, capabilities)
    return main, struct.unpack("<I", main.hear_until(MAIN_INIT)[:4])[0]


class Viewer:
    """A client that watches; it counts as rfb.Client does."""

    def __init__(self, address):
        self.main, number = session(address)
        self.display = Channel(address, DISPLAY, number)
        self.display.say(DISPLAY_INIT, INIT)
        self.updates = self.resizes = 0

    def update(self):
        """Takes what comes up to the next change of the picture."""
        kind = 0
        while kind != DRAW_COPY:
            kind, body = self.display.hear()
            if kind == SURFACE_CREATE:
                self.resizes += 1
                self.create(body)
        self.updates += 1
        self.draw(body)

    def create(self, body):
        pass

    def draw(self, body):
        pass

    def close(self):
        self.display.sock.close()
        self.main.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Painter(Viewer):
    """One that has the picture, of a server with --spice-compression off."""
    BITMAP, FORMAT, TOP_DOWN = 0, 8, 4  # SPICE_IMAGE_TYPE_, SPICE_BITMAP_FMT_32BIT and FLAGS_
    NO_CLIP = 0
    PALETTE = 4  # bytes; there is none

    def __init__(self, address):
        self.surface = 0, 0, bytearray()  # of one thread; others may want the picture
        super().__init__(address)

    def create(self, body):
        _, width, height = struct.unpack("<III", body[:12])
        self.surface = width, height, bytearray(width * height * 4)

    def draw(self, body):
        """SpiceMsgDisplayDrawCopy and what it points at, as spice.proto has them."""
        _, top, left, bottom, right, clip, at = struct.unpack("<IiiiiBI", body[:25])
        kind, _, width, height = struct.unpack("<BBII", body[at + 8:at + 18])
        form, flags, _, _, stride = struct.unpack("<BBIII", body[at + 18:at + 32])
        if (kind, form, clip) != (self.BITMAP, self.FORMAT, self.NO_CLIP) or \
                (width, height) != (right - left, bottom - top):
            raise ValueError(f"an image of kind {kind}, {width}x{height}, for {body[4:20].hex()}")
        at += 32 + self.PALETTE
        across, _, pixels = self.surface
        for row in range(height):
            line = row if flags & self.TOP_DOWN else height - 1 - row
            begin = ((top + row) * across + left) * 4
            pixels[begin:begin + width * 4] = body[at + line * stride:][:width * 4]

    def picture(self):
        width, height, pixels = self.surface
        return picture.from_xrgb(width, height, bytes(pixels))

    def wish(self, width, height):
        """Its window has that size: a VDAgentMonitorsConfig in a VDAgentMessage (vd_agent.h)."""
        config = struct.pack("<IIIIIii", 1, 0, height, width, 32, 0, 0)
        self.main.say(AGENT_START, struct.pack("<I", 10))
        self.main.say(AGENT_DATA, struct.pack("<IIQI", 1, MONITORS_CONFIG, 0, len(config)) + config)
