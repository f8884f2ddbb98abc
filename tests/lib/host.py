# SPDX-License-Identifier: GPL-2.0-or-later
"""planecast and viewers as processes, and the base of all end-to-end tests.

The environment says what is tested: PLANECAST is the program, PLANECAST_OUT keeps pictures.
"""
import collections
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from . import picture, rfb

PROGRAM = os.environ.get("PLANECAST", "build/planecast")
OUT = os.environ.get("PLANECAST_OUT", "build/test-out")
# Emulation and sanitizers are slow; nothing below is expected to take long.
PATIENCE = int(os.environ.get("PLANECAST_PATIENCE", "60"))
SANITIZER = re.compile(r"Sanitizer|runtime error:")

Result = collections.namedtuple("Result", "code out err")


def environment():
    """Without display and session, with messages in one language."""
    kept = ("PATH", "HOME", "TMPDIR", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "ASAN_OPTIONS",
            "UBSAN_OPTIONS", "LSAN_OPTIONS", "SSL_CERT_FILE")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "LC_ALL": "C.UTF-8"}


def run(*args, timeout=PATIENCE, **more):
    """Runs a program to its end; its output is bytes, its messages are text."""
    more.setdefault("stdout", subprocess.PIPE)
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=timeout,
                          env=environment(), check=False, **more)
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


class Server:
    """`planecast serve`, from the moment that it listens until stop()."""
    LISTENING = r"planecast: vnc: listening on (\S+)"

    def __init__(self, device, *options, listeners=1, pages=0, pass_fds=()):
        self.lines, self.addresses, self.pages = [], [], []
        self._listeners, self._pages = listeners, pages
        self._ready = threading.Event()
        self.process = subprocess.Popen(
            [PROGRAM, "serve", device, *options], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), text=True,
            pass_fds=pass_fds)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(PATIENCE) or not self._listens():
            self.kill()
            raise AssertionError(f"serve {device}: not listening: {self.log}")

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            for pattern, found in ((self.LISTENING, self.addresses),
                                   (r"planecast: web: open (\S+)", self.pages)):
                match = re.match(pattern, line)
                if match:
                    found.append(match.group(1))
            if self._listens():
                self._ready.set()
        self._ready.set()

    def _listens(self):
        return len(self.addresses) >= self._listeners and len(self.pages) >= self._pages

    @property
    def address(self):
        return self.addresses[0]

    @property
    def page(self):
        """What to open in a browser."""
        return self.pages[0]

    @property
    def log(self):
        return "".join(self.lines)

    def alive(self):
        return self.process.poll() is None

    def cpu_ticks(self):
        """User and system time so far, in clock ticks."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def stop(self):
        """Ends it as systemd would; returns its exit code."""
        if self.alive():
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"serve does not end on SIGTERM: {self.log}") from None
        self._reader.join(PATIENCE)
        return self.process.returncode

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()


class Test(unittest.TestCase):
    """A test with a scratch folder and helpers that assert."""

    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="planecast-test.")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.scratch, name)

    def serve(self, device, *options, vnc=None, web=None, **more):
        """A server that is stopped, and judged, at the end of the test."""
        options = ("--vnc", vnc or f"127.0.0.1:{free_port()}", *options)
        if web:
            options += ("--web", web)
            more.setdefault("pages", 1)
        server = Server(device, *options, **more)
        self.addCleanup(self.end, server)
        return server

    def end(self, server):
        code = server.stop()
        self.assertNotRegex(server.log, SANITIZER)
        self.assertEqual(code, 0, f"serve ended with {code}: {server.log}")

    def planecast(self, *args, code=0, **more):
        """Runs planecast; asserts its exit code. A failure has one clear line, no more."""
        result = run(PROGRAM, *args, **more)
        self.assertNotRegex(result.err, SANITIZER)
        self.assertEqual(result.code, code, f"planecast {' '.join(args)}: {result.err}")
        if code:
            self.assertRegex(result.err, r"\Aplanecast: [^\n]+\n\Z")
        return result

    def screenshot(self, device, *options):
        """The picture that `planecast screenshot` takes."""
        return picture.from_ppm(
            self.planecast("screenshot", device, "-o", "-", "--format", "ppm", *options).out)

    def watch_until(self, viewer, condition):
        """Takes the updates of a screen that moves until the condition holds."""
        for _ in range(20 * PATIENCE):
            viewer.update()
            if condition():
                return
        self.fail("the viewer never comes to see it")

    def capture(self, address):
        """The picture that a stock VNC viewer sees."""
        return capture(address, self.path("capture.png"))

    def assert_rests(self, server):
        """
        While this process burns a second of a processor the server takes next to nothing, whatever
        else the machine does: a thread that spins would get about as much.
        """
        before, begun = server.cpu_ticks(), time.process_time()
        while time.process_time() < begun + 1:
            pass
        ticks = server.cpu_ticks() - before
        self.assertLess(ticks, 0.2 * os.sysconf("SC_CLK_TCK"), "the server spins")

    def assert_same(self, got, expected, what=""):
        wrong = picture.difference(got, expected)
        if wrong:
            self.fail(f"{what}: {wrong}" if what else wrong)


def capture(address, path):
    """Takes a picture of a VNC server by gvnccapture, a program of others, into a PNG."""
    if not shutil.which("gvnccapture"):
        raise unittest.SkipTest("gvnccapture is missing (apt-get install gvncviewer)")
    host, port = address.rsplit(":", 1)
    display = f"{host}:{int(port) - 5900}"
    result = run("gvnccapture", "-q", display, path)
    if result.code:
        raise AssertionError(f"gvnccapture {display}: exit code {result.code}: {result.err}")
    return picture.read(path)


def free_port():
    """A TCP port that was free a moment ago (5900 at least: viewers count displays from there)."""
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            if sock.getsockname()[1] >= 5900:
                return sock.getsockname()[1]


def keep(image_path, name):
    """Keeps a picture among the output of the tests."""
    os.makedirs(OUT, exist_ok=True)
    return shutil.copyfile(image_path, os.path.join(OUT, name))
