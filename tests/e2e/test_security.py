# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is let in: stock viewers with passwords, and what is said to the others."""
import os
import pty
import select
import shutil
import struct
import termios
import time
import unittest

from lib import host, pattern, picture, rfb, viewer

DEVICE = "sim:mode=320x240,pattern=bars,frame=4,cursor=off"
EXPECTED = pattern.bars(320, 240, 4)
FULL, WATCH = "hushhush", "lookonly"
# What `vncpasswd -f` makes of FULL.
VNCPASSWD_OF_FULL = bytes.fromhex("99d2d67e36a4f15b")


def talk(program, *args, answer):
    """Runs a program that asks for a password on its terminal; its exit code and all it said."""
    pid, terminal = pty.fork()
    if not pid:
        os.execvpe(program, [program, *args], host.environment())
    said, answered, end = b"", False, time.monotonic() + host.PATIENCE
    while time.monotonic() < end:
        # Who asks turns the echo off, and drops what was typed before that.
        asks = b"Password" in said and not termios.tcgetattr(terminal)[3] & termios.ECHO
        if asks and not answered:
            os.write(terminal, answer.encode() + b"\n")
            answered = True
        if not select.select([terminal], [], [], 0.05)[0]:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # a terminal that nobody has open any more
            piece = b""
        if not piece:
            break
        said += piece
    else:
        os.kill(pid, 9)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode(errors="replace")


class Security(host.Test):
    def secret(self, text, mode=0o600):
        path = self.path("password")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def serve_secret(self, *options, **more):
        return self.serve(DEVICE, "--password-file", self.secret(f"{FULL}\n{WATCH}\n"), *options,
                          **more)

    def take(self, server, password):
        """What gvnccapture sees with that password, or None if it is not let in."""
        if not shutil.which("gvnccapture"):
            raise unittest.SkipTest("gvnccapture is missing (apt-get install gvncviewer)")
        path = self.path(f"{password}.png")
        name, port = server.address.rsplit(":", 1)
        code, said = talk("gvnccapture", "-q", f"{name}:{int(port) - 5900}", path, answer=password)
        self.assertIn("Password", said, "it was not asked for a password")
        self.assertEqual(code == 0, os.path.exists(path), said)
        return picture.read(path) if code == 0 else None

    def test_gvnccapture_sees_every_pixel_with_either_password(self):
        server = self.serve_secret()
        for password in (FULL, WATCH):
            self.assert_same(self.take(server, password), EXPECTED, password)
        server.stop()
        self.assertEqual(server.log.count("connected, to watch"), 1)

    def view(self, secret):
        return viewer.watch(self, self.serve_secret().address, "-passwd",
                            viewer.password_file(self, secret))

    def test_vncviewer_shows_every_pixel_with_a_password(self):
        screen, client = self.view(VNCPASSWD_OF_FULL)
        self.assert_same(viewer.await_picture(screen, client, EXPECTED), EXPECTED, client.log)
        self.assertEqual(viewer.chosen_security(client.log), "VncAuth")

    def test_vncviewer_tells_why_it_is_refused(self):
        client = self.view(bytes(8))[1]
        client.wait()
        self.assertIn("wrong password", client.log)

    def test_a_wrong_password_is_refused_and_not_repeated(self):
        server = self.serve_secret()
        self.assertIsNone(self.take(server, "wrongone"))
        self.assert_same(self.take(server, FULL), EXPECTED)
        with open(f"/proc/{server.process.pid}/cmdline", encoding="utf-8") as file:
            said = file.read()
        server.stop()
        self.assertIn("refused: wrong password", server.log)
        said += server.log
        for password in (FULL, WATCH, "wrongone"):
            self.assertNotIn(password, said)

    def test_who_guesses_has_to_wait(self):
        server = self.serve_secret()
        last = ""
        for _ in range(30):
            with rfb.connect(server.address) as sock:
                last = self.guess(sock)
            if "too many wrong passwords" in last:
                return
        self.fail(f"30 guesses, and the last was answered: {last}")

    @staticmethod
    def guess(sock):
        """Answers a challenge with zeros; what the server says to that."""
        stream = sock.makefile("rb")
        stream.read(12)
        sock.sendall(b"RFB 003.008\n")
        if stream.read(1) != b"\0":
            if stream.read(1) != b"\2":
                return "no VNC authentication"
            sock.sendall(b"\2" + bytes(16))
            stream.read(16 + 4)
        length, = struct.unpack(">I", stream.read(4))
        return stream.read(length).decode()

    def test_a_client_without_authentication_is_not_let_in(self):
        server = self.serve_secret("--vnc", f"unix:{self.path('socket')}", listeners=2)
        for address in server.addresses:
            with self.assertRaises(rfb.Closed):
                rfb.Client(address)

    def test_a_network_is_served_with_a_password_or_when_told_to(self):
        anywhere = f"0.0.0.0:{host.free_port()}"
        result = self.planecast("serve", DEVICE, "--vnc", anywhere, code=2)
        self.assertIn("--password-file", result.err)
        server = self.serve_secret(vnc=anywhere)
        self.assertIn("not encrypted", server.log)
        server.stop()
        server = self.serve(DEVICE, "--insecure", vnc=anywhere)
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            self.assert_same(client.picture(), EXPECTED)

    def test_secrets_that_others_read_are_refused(self):
        path = self.secret(f"{FULL}\n", 0o644)
        result = self.planecast("serve", DEVICE, "--vnc", f"unix:{self.path('socket')}",
                                "--password-file", path, code=4)
        self.assertIn("chmod 600", result.err)
        self.assertNotIn(FULL, result.err)
        self.assertFalse(os.path.exists(self.path("socket")))

    def test_one_address_gets_so_many_clients(self):
        server = self.serve(DEVICE, "--max-per-address", "1")
        with rfb.Client(server.address) as one:
            with self.assertRaises(rfb.Closed) as refusal:
                rfb.Client(server.address)
            self.assertIn("too many clients from this address", str(refusal.exception))
            one.update(incremental=False)
            self.assert_same(one.picture(), EXPECTED)
