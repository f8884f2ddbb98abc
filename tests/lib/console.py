# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the text of a console off a picture, by a font that the picture itself has shown."""

WIDTH, HEIGHT = 8, 16


def cells(shown, row):
    """What is drawn in each place of a row of text, as bytes of ones and zeros; 0 is black."""
    lines = []
    for y in range(row * HEIGHT, row * HEIGHT + HEIGHT):
        line = shown.crop(0, y, shown.width, 1).rgb
        lines.append(bytes(any(line[at:at + 3]) for at in range(0, len(line), 3)))
    return [b"".join(line[x:x + WIDTH] for line in lines)
            for x in range(0, shown.width - WIDTH + 1, WIDTH)]


def rows(shown):
    return range(shown.height // HEIGHT)


def learn(shown, signs):
    """The font, of a picture with a row of these signs, which all look different; or None."""
    for row in rows(shown):
        found = cells(shown, row)[:len(signs)]
        if len(set(found)) == len(signs) and all(any(each) for each in found):
            return {bytes(WIDTH * HEIGHT): " ", **dict(zip(found, signs))}
    return None


def read(shown, font):
    """The rows' texts, with ? for what is no sign."""
    return ["".join(font.get(each, "?") for each in cells(shown, row)).rstrip()
            for row in rows(shown)]
