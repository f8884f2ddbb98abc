# SPDX-License-Identifier: GPL-2.0-or-later
"""The test pictures said again, from their description in kmod/pattern.c and not from its code."""
from .picture import Picture

BARS = (0xC0C0C0, 0xC0C000, 0x00C0C0, 0x00C000, 0xC000C0, 0xC00000, 0x0000C0, 0x101010)
WORD = 0xFFFFFFFF


def _rgb(value):
    return value.to_bytes(3, "big")


def bars(width, height, frame, seed=0):
    upper = b"".join(_rgb(BARS[x * 8 // width]) for x in range(width))
    middle = b"".join(_rgb(BARS[7 - x * 8 // width]) for x in range(width))
    shift = (4 * (frame & WORD) + seed) & WORD
    grey = bytearray()
    for x in range(width):
        value = ((x + shift) & WORD) % width * 256 // width
        grey += bytes((value, value, value))
    stamp = b"".join(b"\xff\xff\xff" if frame >> (31 - x // 8) & 1 else b"\0\0\0"
                     for x in range(min(width, 256)))
    rows = []
    for y in range(height):
        if y < height - height // 3:
            row = upper
        else:
            row = middle if y < height - height // 4 else bytes(grey)
        if y < 8:
            row = stamp + row[len(stamp):]
        rows.append(row)
    return Picture(width, height, b"".join(rows))


def stamped_frame(picture):
    """The frame number that a picture of bars carries (mod 2^32)."""
    number = 0
    for bit in range(32):
        number = number << 1 | (picture.pixel(bit * 8 + 4, 4) == 0xFFFFFF)
    return number


def _scramble(value):
    value ^= value >> 16
    value = value * 0x7FEB352D & WORD
    value ^= value >> 15
    value = value * 0x846CA68B & WORD
    return value ^ value >> 16


def noise(width, height, frame, seed=0):
    key = _scramble(((frame & WORD) + _scramble(((frame >> 32) + seed) & WORD)) & WORD)
    out = bytearray()
    for y in range(height):
        row = _scramble((key + y) & WORD)
        for x in range(width):
            out += _rgb(_scramble((row + x * 0x9E3779B9) & WORD) & 0xFFFFFF)
    return Picture(width, height, out)


def off(width, height, frame=0, seed=0):
    return Picture(width, height, bytes(width * height * 3))
