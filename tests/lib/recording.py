# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings by hand (doc/recording.md), for what sim: does not show."""
import struct
import zlib

WHOLE, DELTA, MOVED, STILL, OFF, END = range(1, 7)
CELL = 64, 32  # pixels: how finely planecast notes what changed


class Recording:
    """Its bytes so far are data; frames are `pace` microseconds apart."""

    def __init__(self, pace=33333):
        head = b"\x89PCR\r\n\x1a\n" + struct.pack("<IIQI", 1, 32, 1234567, 0)
        self.data = head + struct.pack("<I", zlib.crc32(head))
        self.frame = self.time = 0
        self._pace = pace

    def record(self, kind, plane, body=b""):
        head = struct.pack("<HHIqI", kind, plane, len(body), self.time, self.frame)
        self.data += head + struct.pack("<I", zlib.crc32(body, zlib.crc32(head))) + body
        if plane == 1:
            self.frame += 1
            self.time += self._pace
        return self

    def show(self, width, height, pixels):
        return self.record(WHOLE, 1, self.description(
            int.from_bytes(b"XR24", "little"), 0, width, height, width * 4, len(pixels)) +
            zlib.compress(pixels))

    def write(self, path):
        with open(path, "wb") as file:
            file.write(self.record(END, 0).data)

    @staticmethod
    def description(fourcc, modifier, width, height, stride, size):
        return struct.pack("<IIQIII28xQ", fourcc, 0, modifier, width, height, stride, size)


def chess(width, height, frame):
    """A picture's XRGB bytes: every other cell has another colour in another frame."""
    rows = []
    for y in range(0, height, CELL[1]):
        row = b"".join(bytes(((frame + 1) * 40 * (1 - (x // CELL[0] + y // CELL[1]) % 2),
                              x // 8 % 256, y // 4 % 256, 0)) * min(CELL[0], width - x)
                       for x in range(0, width, CELL[0]))
        rows += [row] * min(CELL[1], height - y)
    return b"".join(rows)


def chess_game(path, width, height, frames=2, pace=50000):
    """A file that has these frames: each change is as many rectangles as there can be."""
    made = Recording(pace)
    for frame in range(frames):
        made.show(width, height, chess(width, height, frame))
    made.write(path)


def turns(path, width, height, frames, pace):
    """A file in which a third of every other cell changes at a time, in turns; then a smaller mode.

    What changed in three frames is not covered by what changes later.
    """
    made = Recording(pace)
    columns = -(-width // CELL[0])
    for frame in range(frames):
        pixels = bytearray(chess(width, height, 0))
        for number in range(0, columns * -(-height // CELL[1]), 2):
            x, y = number % columns * CELL[0], number // columns * CELL[1]
            shade = bytes(((frame - number // 2 % 3) // 3 * 7 % 256,)) * 4
            at = (y * width + x) * 4
            pixels[at:at + 4] = shade
        made.show(width, height, bytes(pixels))
    made.show(width // 2, height // 2, chess(width // 2, height // 2, 0))
    made.write(path)
