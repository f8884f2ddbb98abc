# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine may do to a process: signals, no disk, no descriptors, no memory, a pause."""
import os
import random
import resource
import signal
import socket
import subprocess
import time
import unittest

from lib import host, page, pattern, picture, rfb, spice

DEVICE = "sim:mode=320x240,pattern=bars,frame=4,cursor=off"
EXPECTED = pattern.bars(320, 240, 4)
SEED = random.randrange(1 << 32)
SANITIZED = os.environ.get("ASAN_OPTIONS")
TMPFS = "mount -t tmpfs -o size=256k none \"$0\" && cd \"$0\" && \"$@\"; code=$?; ls -A; exit $code"


def heed():
    """In a new process: what a shell's background made it ignore."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Faults(host.Test):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)

    def check(self, server):
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            self.assert_same(client.picture(), EXPECTED)

    def descriptors(self, server):
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    def wait_for(self, condition, what):
        end = time.monotonic() + host.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def interrupt(self, number, seconds, *command):
        """Starts planecast and sends it a signal after a while; its exit code and messages."""
        process = subprocess.Popen([host.PROGRAM, *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env=host.environment(), text=True, preexec_fn=heed)
        time.sleep(seconds)
        process.send_signal(number)
        try:
            log = process.communicate(timeout=host.PATIENCE)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            self.fail(f"{signal.Signals(number).name} after {seconds:.4f} s is not the end: "
                      f"{process.communicate()[1]}")
        self.assertNotRegex(log, host.SANITIZER)
        return process.returncode, log

    def test_a_server_that_is_ended_at_any_moment_leaves_no_socket(self):
        paths = [f"--{kind}=unix:{self.path(kind)}" for kind in ("vnc", "spice", "control")]
        codes = set()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            for _ in range(12):
                seconds = self.random.uniform(0, 0.4 if SANITIZED else 0.1)
                code, log = self.interrupt(number, seconds, "serve", DEVICE, *paths)
                codes.add(code)
                self.assertIn(code, (0, -number), f"seed {SEED}: {log}")
                self.assertEqual(os.listdir(self.scratch), [], f"seed {SEED}: {log}")
        self.assertIn(0, codes, "none came to listen")

    def test_a_recording_that_is_ended_at_any_moment_is_whole_or_not_there(self):
        path, whole = self.path("a.rec"), 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            for _ in range(8):
                seconds = self.random.uniform(0, 0.6 if SANITIZED else 0.2)
                self.interrupt(number, seconds, "record", DEVICE, "-o", path)
                if os.path.exists(path):
                    self.assert_same(self.screenshot(f"replay:{path}"), EXPECTED, f"seed {SEED}")
                    os.unlink(path)
                    whole += 1
                self.assertEqual(os.listdir(self.scratch), [], f"seed {SEED}")
        self.assertGreater(whole, 0)

    def test_a_picture_that_is_ended_at_any_moment_is_the_old_or_the_new(self):
        path, old, seen = self.path("a.png"), b"old", set()
        expected = pattern.noise(800, 600, 4)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            for _ in range(5):
                with open(path, "wb") as file:
                    file.write(old)
                seconds = self.random.uniform(0, 0.6 if SANITIZED else 0.2)
                self.interrupt(number, seconds, "screenshot",
                               "sim:mode=800x600,pattern=noise,frame=4,cursor=off", "-o", path)
                with open(path, "rb") as file:
                    got = file.read()
                if got != old:
                    self.assert_same(picture.from_png(got), expected, f"seed {SEED}")
                seen.add(got == old)
                self.assertEqual(os.listdir(self.scratch), ["a.png"], f"seed {SEED}")
        self.assertIn(True, seen, "none was ended")

    def test_nohup_keeps_a_server(self):
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        address = f"unix:{self.path('vnc')}"
        process = subprocess.Popen([host.PROGRAM, "serve", DEVICE, "--vnc", address],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=host.environment(), preexec_fn=ignore)
        try:
            self.wait_for(lambda: os.path.exists(self.path("vnc")), "it does not listen")
            process.send_signal(signal.SIGHUP)
            with rfb.Client(address) as client:
                client.update(incremental=False)
                self.assert_same(client.picture(), EXPECTED)
        finally:
            process.terminate()
            self.assertEqual(process.wait(host.PATIENCE), 0)

    def on_a_full_disk(self, *command):
        """Runs planecast in a folder with room for 256 KiB; its exit code, messages, files left."""
        os.mkdir(self.path("disk"))
        done = host.run("unshare", "-rm", "sh", "-c", TMPFS, self.path("disk"),
                        os.path.abspath(host.PROGRAM), *command)
        if "unshare" in done.err or "mount:" in done.err:
            raise unittest.SkipTest(f"no filesystem of our own: {done.err.strip()}")
        self.assertNotRegex(done.err, host.SANITIZER)
        return done.code, done.err, done.out.decode().split()

    def test_a_picture_that_finds_no_room_leaves_nothing(self):
        code, said, left = self.on_a_full_disk("screenshot", "sim:mode=640x480,pattern=noise",
                                               "-o", "a.png")
        self.assertEqual((code, left), (1, []), said)
        self.assertRegex(said, r"\Aplanecast: [^\n]*cannot write a\.png: No space left[^\n]*\n\Z")

    def test_a_recording_that_finds_no_room_keeps_what_it_has(self):
        code, said, left = self.on_a_full_disk(
            "record", "sim:mode=160x120,pattern=noise,fps=60", "-o", "a.rec", "--frames", "60")
        self.assertEqual((code, left), (1, ["a.rec.part"]), said)
        self.assertRegex(said, r"\Aplanecast: [^\n]*cannot write a\.rec: No space left[^\n]*"
                               r"what was written is in [^\n]*a\.rec\.part[^\n]*\n\Z")

    def test_standard_output_that_is_full_is_told(self):
        server = self.serve(DEVICE, "--control", f"unix:{self.path('control')}")
        for command in (("screenshot", DEVICE, "-o", "-"), ("list",), ("list", "--json"),
                        ("record", DEVICE, "-o", "-", "--frames", "2"), ("--help",),
                        ("--version",), ("serve", "--help"), ("status", self.path("control")),
                        ("status", self.path("control"), "--watch")):
            with self.subTest(" ".join(command)), open("/dev/full", "wb") as full:
                said = self.planecast(*command, code=1, stdout=full).err
                self.assertRegex(said, r"\Aplanecast: .*\n\Z")
        self.assertTrue(server.alive())

    def test_too_few_descriptors_are_refused_at_the_start(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
        result = self.planecast("serve", DEVICE, "--vnc", f"unix:{self.path('vnc')}", code=1,
                                preexec_fn=limit)
        self.assertIn("only 20 descriptors are allowed", result.err)
        self.assertEqual(os.listdir(self.scratch), [])

    def knock(self, server, kind):
        """A connection that says its first words and stays; None where it is refused."""
        path = self.path(kind)
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            sock.connect(path)
            sock.send({"vnc": b"RFB 003.008\n\1\1", "spice": spice.link(),
                       "control": b"status\n"}.get(kind, b"GET / HTTP/1.1\r\n"))
        except OSError:
            sock.close()
            return None
        return sock

    def test_no_descriptors_left_is_no_end_and_no_spinning(self):
        kinds = ("vnc", "spice", "control", "web")
        if not os.path.exists(page.NOVNC):
            kinds = kinds[:3]
        server = self.serve(DEVICE, "--max-clients", "256", vnc=f"unix:{self.path('vnc')}",
                            *[f"--{kind}=unix:{self.path(kind)}" for kind in kinds[1:]])
        self.check(server)
        before = self.descriptors(server)
        room = before + 106
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (room, room))
        for _ in range(3):
            held = [self.knock(server, kind) for _ in range(100) for kind in kinds]
            self.wait_for(lambda: self.descriptors(server) > room - 12, "it lets nobody in")
            self.wait_for(lambda: self.rests(server), "it spins")
            for sock in filter(None, held):
                sock.close()
            # Who waited to be let in is still in the queue, for a while.
            self.wait_for(lambda: self.serves(server), server.log)
            self.wait_for(lambda: self.descriptors(server) <= before + 2, server.log)

    @unittest.skipIf(SANITIZED, "sanitizers end a process that gets no memory")
    def test_a_mode_that_finds_no_memory_is_told_and_the_next_shown(self):
        server = self.serve("sim:modes=320x240+8192x8000,period=0.5,pattern=bars,frame=4,"
                            "cursor=off")
        with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
            size = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (size + (96 << 20),) * 2)
        with rfb.Client(server.address) as client:
            for times in (1, 2):
                self.wait_for(lambda: self.told(server, client) >= times, server.log)
            self.wait_for(lambda: self.sees(client, EXPECTED), "the picture does not come back")

    def serves(self, server):
        try:
            self.check(server)
        except (rfb.Closed, OSError):
            return False
        return True

    def rests(self, server):
        """Whether it takes less than half of a processor for a second."""
        ticks, begun = server.cpu_ticks(), time.monotonic()
        time.sleep(1)
        used = (server.cpu_ticks() - ticks) / os.sysconf("SC_CLK_TCK")
        return used < 0.5 * (time.monotonic() - begun)

    def told(self, server, client):
        client.update(incremental=False)
        return server.log.count("no memory for a plane of 8192x8000")

    def sees(self, client, expected):
        client.update(incremental=False)
        return client.picture() == expected

    def test_a_server_that_was_stopped_goes_on(self):
        server = self.serve("sim:mode=320x240,pattern=bars,fps=20,cursor=off")
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            first = pattern.stamped_frame(client.picture())
            client.request()
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(2)
            server.process.send_signal(signal.SIGCONT)
            client.receive()
            client.update()
            last = pattern.stamped_frame(client.picture())
            self.assert_same(client.picture(), pattern.bars(320, 240, last))
        self.assertGreaterEqual(last - first, 30, "time did not go on")
