# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest RFB client: raw pixels, and exact control over what is read and when.

The protocol is RFC 6143; the numbers of messages and encodings are there.
"""
import socket
import struct

from . import picture, websocket

RAW, DESKTOP_SIZE, POINTER_POSITION, ALPHA_CURSOR = 0, -223, -232, -314
FENCE, CONTINUOUS_UPDATES = -312, -313
LED_STATE = -261
FENCE_REQUEST = 1 << 31
SECURITY_NONE = 1


class Closed(Exception):
    """The server closed the connection."""


def connect(address, timeout=20):
    """A socket to HOST:PORT, [HOST]:PORT, unix:PATH, or a WebSocket to a page's address.

    Nothing on it waits longer than timeout.
    """
    if address.startswith("http"):
        return websocket.WebSocket(address, timeout)
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(timeout)
        sock.connect(address[5:])
        return sock
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), timeout)


def set_encodings(encodings):
    return struct.pack(f">BxH{len(encodings)}i", 2, len(encodings), *encodings)


class Client:
    """A viewer. width, height and pixels (XRGB bytes) are what the server has sent so far.

    With ALPHA_CURSOR and POINTER_POSITION it has the guest's pointer, too: shape is its width,
    height and pixels (rows of premultiplied RGBA), hot its hot spot, which lies at point.
    With LED_STATE leds are the guest's lights: 1 Scroll, 2 Num, 4 Caps Lock.
    With FENCE it answers the server's fences; ends counts EndOfContinuousUpdates. text is what was
    copied elsewhere, clipboard what Extended Clipboard said.
    """

    def __init__(self, address, encodings=(RAW, DESKTOP_SIZE), receive_buffer=0, timeout=20):
        self.sock = connect(address, timeout)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.updates = self.resizes = self.ends = 0
        self.shape = self.hot = self.point = self.leds = self.text = None
        self.clipboard = []
        try:
            self._shake_hands()
        except BaseException:
            self.close()
            raise
        # 32 bits, depth 24, little-endian, true colour: x8r8g8b8.
        self.send(struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.encodings(encodings)

    def _shake_hands(self):
        self.version = self.read(12)
        self.send(b"RFB 003.008\n")
        kinds = self.read(self.read(1)[0])
        if not kinds:
            raise Closed(self._reason())
        if SECURITY_NONE not in kinds:
            raise Closed(f"no security type None among {list(kinds)}")
        self.send(bytes((SECURITY_NONE,)))
        if self.read(4) != b"\0\0\0\0":
            raise Closed(self._reason())
        self.send(b"\1")
        self.width, self.height = struct.unpack(">HH", self.read(4))
        self.format = self.read(16)
        self.name = self.read(struct.unpack(">I", self.read(4))[0]).decode()
        self.pixels = bytearray(self.width * self.height * 4)

    def _reason(self):
        return self.read(struct.unpack(">I", self.read(4))[0]).decode(errors="replace")

    def read(self, count):
        data = bytearray(count)
        view, got = memoryview(data), 0
        while got < count:
            length = self.sock.recv_into(view[got:])
            if not length:
                raise Closed(f"closed after {got} of {count} bytes")
            got += length
        return bytes(data)

    def send(self, data):
        self.sock.sendall(data)

    def request(self, incremental=True):
        self.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def encodings(self, encodings):
        self.send(set_encodings(encodings))

    def continuous(self, enable):
        self.send(struct.pack(">BBHHHH", 150, enable, 0, 0, self.width, self.height))

    def _fence(self):
        flags, length = struct.unpack(">3xIB", self.read(8))
        payload = self.read(length)
        if flags & FENCE_REQUEST:
            self.send(struct.pack(">B3xIB", 248, flags & 7, length) + payload)

    def key(self, keysym, down):
        self.send(struct.pack(">BBxxI", 4, down, keysym))

    def copy(self, text):
        self.send(struct.pack(">BxxxI", 6, len(text)) + text.encode("latin-1"))

    def wish(self, width, height):
        """SetDesktopSize, of one screen."""
        self.send(struct.pack(">BxHHBxIHHHHI", 251, width, height, 1, 0, 0, 0, width, height, 0))

    def pointer(self, x, y, buttons=0):
        self.send(struct.pack(">BBHH", 5, buttons, x, y))

    def receive(self):
        """Reads messages up to and with the next update; returns its rectangles."""
        while True:
            kind = self.read(1)[0]
            if kind == 0:
                break
            if kind == 3:
                self._cut_text()
            elif kind == 150:
                self.ends += 1
            elif kind == 248:
                self._fence()
            elif kind != 2:
                raise Closed(f"unknown message {kind} from the server")
        count, = struct.unpack(">xH", self.read(3))
        self.updates += 1
        return [self._rectangle() for _ in range(count)]

    def _cut_text(self):
        length, = struct.unpack(">3xi", self.read(7))
        said = self.read(abs(length))
        if length < 0:  # Extended Clipboard
            self.clipboard.append(said)
        else:
            self.text = said.decode("latin-1")

    def _rectangle(self):
        x, y, width, height, encoding = struct.unpack(">HHHHi", self.read(12))
        if encoding == DESKTOP_SIZE:
            self.width, self.height = width, height
            self.pixels = bytearray(width * height * 4)
            self.resizes += 1
            return x, y, width, height
        if encoding == POINTER_POSITION:
            self.point = x, y
            return x, y, width, height
        if encoding == LED_STATE:
            self.leds, = self.read(1)
            return x, y, width, height
        if encoding == ALPHA_CURSOR:
            self._take_shape(x, y, width, height)
            return x, y, width, height
        if encoding != RAW:
            raise Closed(f"encoding {encoding} was not asked for")
        if x + width > self.width or y + height > self.height:
            raise Closed(f"rectangle {width}x{height}+{x}+{y} outside {self.width}x{self.height}")
        data = self.read(width * height * 4)
        for row in range(height):
            at = ((y + row) * self.width + x) * 4
            self.pixels[at:at + width * 4] = data[row * width * 4:(row + 1) * width * 4]
        return x, y, width, height

    def _take_shape(self, x, y, width, height):
        encoding, = struct.unpack(">i", self.read(4))
        if encoding != RAW:
            raise Closed(f"a pointer in encoding {encoding} was not asked for")
        self.hot = x, y
        self.shape = width, height, self.read(width * height * 4)

    def with_pointer(self):
        """The picture with the guest's pointer drawn over it."""
        width, height, shape = self.shape
        left, top = (point - hot for point, hot in zip(self.point, self.hot))
        under = self.picture()
        rgb = bytearray(under.rgb)
        for at in range(width * height):
            x, y = left + at % width, top + at // width
            if not (0 <= x < under.width and 0 <= y < under.height):
                continue
            *colour, alpha = shape[at * 4:at * 4 + 4]
            to = (y * under.width + x) * 3
            for i in range(3):
                below = rgb[to + i] * (255 - alpha) + 128
                rgb[to + i] = min(colour[i] + ((below + (below >> 8)) >> 8), 255)
        return picture.Picture(under.width, under.height, rgb)

    def update(self, incremental=True):
        """Asks for an update and reads it."""
        self.request(incremental)
        return self.receive()

    def picture(self):
        return picture.from_xrgb(self.width, self.height, bytes(self.pixels))

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
