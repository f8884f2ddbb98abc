# SPDX-License-Identifier: GPL-2.0-or-later
"""SPICE clients of others: spicy-screenshot, and the first words of the protocol by hand.

The first words are RedLinkHeader and SpiceLinkMess of spice/protocol.h.
"""
import os
import re
import shutil
import socket
import struct
import subprocess
import unittest

from . import host, picture


class Server(host.Server):
    """`planecast serve --spice`, which need not serve VNC."""
    LISTENING = r"planecast: spice: listening on (\S+)"


def serve(test, device, *options, address="127.0.0.1:auto"):
    server = Server(device, "--spice", address, *options)
    test.addCleanup(test.end, server)
    return server


def screenshot(test, server, *options, name="spice.ppm", tls=False):
    """Runs spicy-screenshot: its picture, or None, and what it said."""
    if not shutil.which("spicy-screenshot"):
        raise unittest.SkipTest("spicy-screenshot is missing (apt-get install spice-client-gtk)")
    path = test.path(name)
    done = host.run("spicy-screenshot", "--uri", uri(server.address, tls), "-o", path, *options)
    try:
        with open(path, "rb") as file:
            return picture.from_ppm(file.read()), done.err
    except FileNotFoundError:
        return None, done.err + done.out.decode(errors="replace")


PYTHON = "/usr/bin/python3"  # the one that Debian's packages extend


def need_bindings():
    asked = host.run(PYTHON, "-c", "import gi; gi.require_version('SpiceClientGLib', '2.0')")
    if asked.code:
        raise unittest.SkipTest("spice-gtk's bindings are missing "
                                "(apt-get install gir1.2-spiceclientglib-2.0 python3-gi)")


def script(name):
    return os.path.join(os.path.dirname(__file__), name)


def type_and_point(test, server, width, height):
    """A client types Shift+U, points at the last pixel and leaves with Enter down."""
    need_bindings()
    done = host.run(PYTHON, script("spice_typist.py"), uri(server.address), str(width),
                    str(height))
    test.assertEqual(done.out, b"typed\n", done.err)


class Watcher:
    """A client that has got a picture, and stays."""

    def __init__(self, test, server):
        need_bindings()
        self._process = subprocess.Popen(
            [PYTHON, script("spice_watcher.py"), uri(server.address)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=host.environment())
        test.addCleanup(self.leave)
        test.assertEqual(self._process.stdout.readline(), b"watching\n")

    def watches(self):
        return self._process.poll() is None

    def leave(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def uri(address, tls=False):
    if address.startswith("unix:"):
        return "spice+unix://" + address[len("unix:"):]
    port = "tls-port" if tls else "port"
    return "spice://" + re.sub(r":(\d+)$", rf"?{port}=\1", address)


def connect(address):
    name, port = address.rsplit(":", 1)
    sock = socket.create_connection((name, int(port)), host.PATIENCE)
    sock.settimeout(host.PATIENCE)
    return sock


AUTH_SELECTION = 1
SASL = struct.pack("<I", 2)


def link(channel=1, session=0, capabilities=0):
    """The first message of a channel."""
    body = struct.pack("<IBBIIII", session, channel, 0, 1, 0, 18, capabilities)
    return b"REDQ" + struct.pack("<III", 2, 2, len(body)) + body


def rest(sock):
    """What still comes until the server hangs up."""
    got = b""
    try:
        while more := sock.recv(4096):
            got += more
    except ConnectionResetError:
        pass
    return got
