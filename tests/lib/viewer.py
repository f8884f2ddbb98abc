# SPDX-License-Identifier: GPL-2.0-or-later
"""TigerVNC's viewer on an X server of its own, and what it shows there.

The format of xwd's output is X11/XWDFile.h: a header of big-endian 32-bit numbers.
"""
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

from . import host, picture

WIDTH, HEIGHT = 640, 480


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"{program} is missing (apt-get install tigervnc-viewer xvfb "
                                    "x11-apps)")


class Screen:
    """Xvfb, until close()."""

    def __init__(self):
        need("Xvfb", "xwd")
        reading, writing = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{WIDTH}x{HEIGHT}x24",
             "-nolisten", "tcp", "-noreset"], pass_fds=(writing,), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=host.environment())
        os.close(writing)
        with os.fdopen(reading) as file:
            self.display = f":{file.readline().strip()}"
        if self.display == ":":
            self.close()
            raise AssertionError("Xvfb does not start")

    def dump(self):
        """What xwd says. It asks for every window, of which one may go or shrink meanwhile."""
        end = time.monotonic() + host.PATIENCE
        while True:
            done = host.run("xwd", "-silent", "-root", "-display", self.display)
            if not done.code:
                return done
            if not re.search("BadWindow|BadMatch", done.err) or time.monotonic() > end:
                raise AssertionError(f"xwd: {done.err}")

    def picture(self):
        """All of the screen."""
        done = self.dump()
        header = struct.unpack_from(">25I", done.out)
        size, width, height, bits, line, colours = (header[i] for i in (0, 4, 5, 11, 12, 19))
        if bits not in (24, 32) or header[7]:  # 7: the byte order, least significant first
            raise AssertionError(f"xwd: {bits} bits a pixel, byte order {header[7]}")
        at, long = size + colours * 12, width * bits // 8
        pixels = b"".join(done.out[at + y * line:at + y * line + long] for y in range(height))
        if bits == 24:  # where windows differ in kind, xwd puts them together like this
            wide = bytearray(width * height * 4)
            for byte in range(3):
                wide[byte::4] = pixels[byte::3]
            pixels = bytes(wide)
        return picture.from_xrgb(width, height, pixels)

    def run(self, *command, given=None):
        """A program on it, which may leave another one behind; its output."""
        variables = {**host.environment(), "DISPLAY": self.display}
        with tempfile.TemporaryFile() as output:
            subprocess.run(command, input=given, stdout=output, stderr=subprocess.DEVNULL,
                           env=variables, timeout=host.PATIENCE, check=False)
            output.seek(0)
            return output.read()

    def close(self):
        self.process.terminate()
        self.process.wait()


class Viewer:
    """vncviewer, full screen, until close(); it writes what it does to `log`."""

    def __init__(self, screen, address, folder, *options, **variables):
        need("vncviewer")
        self.log_path = os.path.join(folder, "viewer.log")
        variables = {**host.environment(), "DISPLAY": screen.display, "HOME": folder, **variables}
        name, port = address.rsplit(":", 1)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["vncviewer", "-FullScreen", "-RemoteResize=0", "-AutoSelect=0", "-NoJPEG",
                 "-FullColor", "-AlertOnFatalError=0", "-ReconnectOnError=0",
                 "-Log=*:stderr:30", *options, f"{name}::{port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables)

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self):
        """Until it has given up; its exit code tells nothing."""
        self.process.wait(host.PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def place_in(screen, part):
    """Where a picture has another one in it: x and y, or None."""
    top = bytes(part.crop(0, 0, part.width, 1).rgb)
    for y in range(screen.height - part.height + 1):
        row, at = bytes(screen.crop(0, y, screen.width, 1).rgb), -1
        while (at := row.find(top, at + 1)) >= 0:
            if at % 3 == 0 and screen.crop(at // 3, y, part.width, part.height) == part:
                return at // 3, y
    return None


class Other:
    """Another viewer's program, until close(), anywhere on a screen."""

    def __init__(self, screen, folder, *command):
        self.screen = screen
        self.log_path = os.path.join(folder, "other.log")
        variables = {**host.environment(), "DISPLAY": screen.display, "HOME": folder}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=variables)

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def await_anywhere(self, expected):
        """Waits until the screen shows it in some place; all of the last screen otherwise."""
        end = time.monotonic() + host.PATIENCE
        while True:
            got = self.screen.picture()
            if place_in(got, expected):
                return expected
            if time.monotonic() > end or self.process.poll() is not None:
                return got
            time.sleep(0.1)

    def place_of(self, expected):
        """Where on the screen it is now: x and y, or None."""
        return place_in(self.screen.picture(), expected)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def display_of(address):
    """HOST:DISPLAY of a TCP address, as older viewers want it."""
    name, port = address.rsplit(":", 1)
    return f"{name}:{int(port) - 5900}"


def watch(test, address, *options, **variables):
    """A viewer on a screen of its own, both until the end of a host.Test."""
    screen = Screen()
    test.addCleanup(screen.close)
    viewer = Viewer(screen, address, test.scratch, *options, **variables)
    test.addCleanup(viewer.close)
    return screen, viewer


def password_file(test, secret):
    """A file for -passwd."""
    path = test.path("viewer.passwd")
    with open(path, "wb") as file:
        file.write(secret)
    return path


def await_picture(screen, viewer, expected):
    """Waits until the middle of the screen shows it; the last picture otherwise."""
    end = time.monotonic() + host.PATIENCE
    while True:
        got = screen.picture().crop((WIDTH - expected.width) // 2, (HEIGHT - expected.height) // 2,
                                    expected.width, expected.height)
        if got == expected or time.monotonic() > end or viewer.process.poll() is not None:
            return got
        time.sleep(0.1)


def chosen_security(log):
    """The security type that a viewer says it has chosen, of VeNCrypt the sub-type."""
    found = re.findall(r"Choosing security type (\w+)", log)
    return found[-1] if found else None
