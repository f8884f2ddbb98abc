# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures as rows of RGB bytes: read from PNG, PPM or raw pixels, and compared exactly."""
import struct
import zlib
from itertools import accumulate
from operator import and_


class Picture:
    """width x height pixels; rgb holds three bytes each, row by row."""

    def __init__(self, width, height, rgb):
        if len(rgb) != width * height * 3:
            raise ValueError(f"{len(rgb)} bytes are not {width}x{height} pixels")
        self.width, self.height, self.rgb = width, height, bytes(rgb)

    def __eq__(self, other):
        return (isinstance(other, Picture) and self.size == other.size
                and self.rgb == other.rgb)

    @property
    def size(self):
        return self.width, self.height

    def pixel(self, x, y):
        """0xrrggbb"""
        at = (y * self.width + x) * 3
        return int.from_bytes(self.rgb[at:at + 3], "big")

    def crop(self, x, y, width, height):
        rows = (((y + row) * self.width + x) * 3 for row in range(height))
        return Picture(width, height, b"".join(self.rgb[at:at + width * 3] for at in rows))

    def colours(self):
        """How many different colours there are, counted up to 1000 of them."""
        seen = set()
        for at in range(0, len(self.rgb), 3):
            seen.add(self.rgb[at:at + 3])
            if len(seen) >= 1000:
                break
        return len(seen)


def difference(got, expected):
    """None if both are the same, else one line: how many pixels differ, and the first of them."""
    if got.size != expected.size:
        return f"{got.width}x{got.height} pixels instead of {expected.width}x{expected.height}"
    if got.rgb == expected.rgb:
        return None
    count, first = 0, None
    for at in range(0, len(got.rgb), 3):
        if got.rgb[at:at + 3] != expected.rgb[at:at + 3]:
            count += 1
            first = at // 3 if first is None else first
    y, x = divmod(first, got.width)
    return (f"{count} of {got.width * got.height} pixels differ, the first at ({x}, {y}): "
            f"{got.pixel(x, y):06x} instead of {expected.pixel(x, y):06x}")


def same_text(got, expected):
    """True if two text screens differ by nothing but the blinking cursor: within 8x16 pixels."""
    if got.size != expected.size:
        return False
    pitch = got.width * 3
    rows = [y for y in range(got.height)
            if got.rgb[y * pitch:(y + 1) * pitch] != expected.rgb[y * pitch:(y + 1) * pitch]]
    if not rows:
        return True
    columns = [x for y in rows for x in range(got.width) if got.pixel(x, y) != expected.pixel(x, y)]
    return rows[-1] - rows[0] < 16 and max(columns) - min(columns) < 8


def from_xrgb(width, height, data):
    """From little-endian 32-bit XRGB, rows packed."""
    if len(data) != width * height * 4:
        raise ValueError(f"{len(data)} bytes are not {width}x{height} pixels of 4 bytes")
    rgb = bytearray(width * height * 3)
    rgb[0::3], rgb[1::3], rgb[2::3] = data[2::4], data[1::4], data[0::4]
    return Picture(width, height, rgb)


def from_ppm(data):
    """A binary PPM (P6, 255) as planecast writes it: no comments."""
    fields = data[:64].split(maxsplit=4)[:4]
    if len(fields) < 4 or fields[0] != b"P6" or fields[3] != b"255":
        raise ValueError(f"not a PPM: {data[:64]}")
    at = data.index(b"\n255\n") + 5
    return Picture(int(fields[1]), int(fields[2]), data[at:])


def from_png(data):
    """A PNG of 8 bits, RGB or RGBA (alpha is dropped), not interlaced."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG")
    at, header, packed, ended = 8, None, b"", False
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + length]
        check, = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(kind + body) != check:
            raise ValueError(f"PNG chunk {kind} has a wrong checksum")
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        ended = kind == b"IEND"
        at += 12 + length
    width, height, depth, colour, _, _, interlace = header
    if not ended or depth != 8 or colour not in (2, 6) or interlace:
        raise ValueError(f"PNG cut short or of an unknown kind: {header}")
    step = 3 if colour == 2 else 4
    pixels = _unfilter(zlib.decompress(packed), width * step, height, step)
    if step == 4:
        rgb = bytearray(width * height * 3)
        for channel in range(3):
            rgb[channel::3] = pixels[channel::4]
        pixels = rgb
    return Picture(width, height, pixels)


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    return from_png(data) if data[:1] == b"\x89" else from_ppm(data)


def _unfilter(data, pitch, height, step):
    """Undoes the filters of PNG (its specification, section 9)."""
    out, above = [], bytes(pitch)
    if len(data) != (pitch + 1) * height:
        raise ValueError("PNG with a wrong amount of pixels")
    for y in range(height):
        kind = data[y * (pitch + 1)]
        row = data[y * (pitch + 1) + 1:(y + 1) * (pitch + 1)]
        if kind == 1:
            left = bytearray(pitch)
            for channel in range(step):
                sums = accumulate(row[channel::step])
                left[channel::step] = bytes(value & 255 for value in sums)
            row = bytes(left)
        elif kind == 2:
            row = _add(row, above)
        elif kind == 3:
            row = _average(row, above, step)
        elif kind == 4:
            row = _paeth(row, above, step)
        elif kind:
            raise ValueError(f"PNG filter {kind}")
        out.append(row)
        above = row
    return b"".join(out)


def _add(one, other):
    """Adds bytes pairwise without carries between them, as one big number."""
    low = int.from_bytes(b"\x7f" * len(one), "big")
    high = low ^ int.from_bytes(b"\xff" * len(one), "big")
    a, b = int.from_bytes(one, "big"), int.from_bytes(other, "big")
    total = (and_(a, low) + and_(b, low)) ^ ((a ^ b) & high)
    return total.to_bytes(len(one), "big")


def _average(row, above, step):
    out = bytearray(row)
    for i in range(len(out)):
        left = out[i - step] if i >= step else 0
        out[i] = (out[i] + (left + above[i]) // 2) & 255
    return bytes(out)


def _paeth(row, above, step):
    out = bytearray(row)
    for i in range(step):
        out[i] = (out[i] + above[i]) & 255
    for i in range(step, len(out)):
        left, up, corner = out[i - step], above[i], above[i - step]
        to_left, to_up = abs(up - corner), abs(left - corner)
        to_corner = abs(left + up - 2 * corner)
        if to_left <= to_up and to_left <= to_corner:
            guess = left
        else:
            guess = up if to_up <= to_corner else corner
        out[i] = (out[i] + guess) & 255
    return bytes(out)
