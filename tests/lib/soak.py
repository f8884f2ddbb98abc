# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that come, watch for a while and leave in every way, and what that leaves in a server.

Shown must be the pattern bars: each client that watches comes to see it exactly.
"""
import collections
import os
import random
import shutil
import statistics
import struct
import threading
import time

from . import host, pattern, picture, rfb, spice, websocket

TIGHT, HEXTILE, ZRLE = 7, 5, 16
WORKERS = 6
PATIENCE = 5 * host.PATIENCE  # a soak may share its machine with anything
SAMPLE_SECONDS = 2
# Of the memory in the second quarter of the time: what the allocator may move about, and what it
# may grow by besides, by what clients do for the first time: less after so many seconds.
GROWTH = 0.05
SLACK_KIB = {110: 4096, 600: 2048}

Sample = collections.namedtuple("Sample", "seconds descriptors threads private_kib")


class Wrong(Exception):
    """Something that must not be: the soak has failed."""


def sample(pid, begun):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        private = sum(int(line.split()[1]) for line in file if line.startswith("Private_"))
    return Sample(time.monotonic() - begun, len(os.listdir(f"/proc/{pid}/fd")),
                  len(os.listdir(f"/proc/{pid}/task")), private)


class Soak:
    """Runs against a server at `vnc`; page (a WebSocket) and spice_server where they are given.

    counts tells how often each thing was done, samples what the process had.
    """

    def __init__(self, server, seed, page=None, spice_server=None, pattern_seed=0,
                 workers=WORKERS):
        self.server, self.page, self.spice_server = server, page, spice_server
        self.workers = workers
        self.vnc = server.address
        self.seed, self.pattern_seed = seed, pattern_seed
        self.counts = collections.Counter()
        self.samples, self.wrong = [], []
        self.over = threading.Event()
        self.spice_turn = threading.Lock()
        self.ways = [self.watch, self.watch, self.watch_encoded, self.break_off, self.stall]
        if page:
            self.ways += [self.watch_page, self.break_off_page]
        if spice_server:
            self.ways += [self.break_off_spice]
            if shutil.which("spicy-screenshot"):
                self.ways += [self.watch_spice]

    # The ways of clients; each is one connection at least.
    def watch(self, chance, address=None):
        with rfb.Client(address or self.vnc) as client:
            self.counts["connections"] += 1
            client.update(incremental=False)
            for _ in range(chance.randrange(1, 30)):
                if self.over.is_set():
                    break
                client.update(incremental=chance.random() < 0.9)
                self.counts["updates"] += 1
            self.counts["modes seen"] += client.resizes
            self.check(client)

    def check(self, client):
        """Comes to see bars of one frame. What changes while it is sent may be of two, and there
        may be a card while nobody owns the device."""
        end = time.monotonic() + PATIENCE
        while not self.over.is_set():
            resizes = client.resizes
            client.update(incremental=False)
            if client.resizes != resizes:
                continue  # its pixels are in the next update
            got = client.picture()
            wrong = picture.difference(got, pattern.bars(
                got.width, got.height, pattern.stamped_frame(got), self.pattern_seed))
            if not wrong:
                self.counts["exact pictures"] += 1
                return
            if time.monotonic() > end:
                raise Wrong(f"no picture of {got.width}x{got.height} is exact: {wrong}")

    def watch_page(self, chance):
        self.watch(chance, self.page)
        self.counts["browsers"] += 1

    def watch_encoded(self, chance):
        """Takes what the library or the encoder make, without a look into it."""
        sock = rfb.connect(self.vnc)
        try:
            self.counts["connections"] += 1
            sock.sendall(b"RFB 003.008\n\1\1")
            kinds = [chance.choice((TIGHT, HEXTILE, ZRLE)), rfb.RAW, rfb.DESKTOP_SIZE, -32 + 6]
            sock.sendall(struct.pack(f">BxH{len(kinds)}i", 2, len(kinds), *kinds))
            for _ in range(chance.randrange(1, 20)):
                sock.sendall(struct.pack(">BBHHHH", 3, chance.random() < 0.5, 0, 0, 4000, 4000))
                if not sock.recv(1 << 20):
                    raise rfb.Closed("in the middle")
        finally:
            sock.close()

    def break_off(self, chance):
        hello = b"RFB 003.008\n\1\1" + bytes(4) + b"\3\0\0\0\0\0\1\x40\0\xf0"
        with rfb.connect(self.vnc) as sock:
            self.counts["connections"] += 1
            sock.sendall(hello[:chance.randrange(len(hello) + 1)])
            if chance.random() < 0.5:
                sock.recv(chance.randrange(1, 4096))
            self.reset(sock, chance)

    @staticmethod
    def reset(sock, chance):
        if chance.random() < 0.5:
            sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER: by RST

    def break_off_page(self, chance):
        with websocket.dial(self.page) as sock:
            self.counts["connections"] += 1
            head = b"GET / HTTP/1.1\r\nHost: " + self.page.split("/")[2].encode() + b"\r\n\r\n"
            sock.sendall(head[:chance.randrange(len(head) + 1)])
            self.reset(sock, chance)

    def break_off_spice(self, chance):
        with spice.connect(self.spice_server.address) as sock:
            self.counts["connections"] += 1
            hello = spice.link()
            sock.sendall(hello[:chance.randrange(len(hello) + 1)])

    def watch_spice(self, chance):
        """One at a time: spice-server 0.15 loses 146 KB when a newcomer replaces a client whose
        display it is just connecting."""
        if not self.spice_turn.acquire(blocking=False):
            return
        path = f"/tmp/planecast-soak.{os.getpid()}.{chance.randrange(1 << 30)}.ppm"
        self.counts["connections"] += 1
        try:
            host.run("spicy-screenshot", "--uri", spice.uri(self.spice_server.address), "-o", path,
                     timeout=PATIENCE)
            self.counts["SPICE pictures"] += os.path.exists(path)
        finally:
            self.spice_turn.release()
            if os.path.exists(path):
                os.unlink(path)

    def stall(self, chance):
        """Asks and does not read, for a while."""
        with rfb.Client(self.vnc, receive_buffer=4096) as client:
            self.counts["connections"] += 1
            client.request(incremental=False)
            self.over.wait(chance.random() * 2)
            self.reset(client.sock, chance)

    # Its course.
    def work(self, number):
        chance = random.Random(self.seed * WORKERS + number)
        while not self.over.is_set():
            way = chance.choice(self.ways)
            try:
                way(chance)
            except (rfb.Closed, websocket.Refused, OSError):
                self.counts["refused or closed"] += 1
                self.over.wait(0.05)
            except Exception as error:  # pylint: disable=broad-except
                self.wrong.append(f"{way.__name__}: {type(error).__name__}: {error}")
                self.over.set()

    def run(self, seconds, also=lambda: None):
        """Soaks for so long; calls also() about once a second, from this thread."""
        pid, begun = self.server.process.pid, time.monotonic()
        self.warm_up()
        first = sample(pid, begun)
        workers = [threading.Thread(target=self.work, args=(number,))
                   for number in range(self.workers)]
        for worker in workers:
            worker.start()
        try:
            while time.monotonic() < begun + seconds and not self.over.is_set():
                also()
                if not self.samples or time.monotonic() - begun > \
                        self.samples[-1].seconds + SAMPLE_SECONDS:
                    self.samples.append(sample(pid, begun))
                self.over.wait(1)
        finally:
            self.over.set()
            for worker in workers:
                worker.join()
        self.judge(first, self.wait_for_rest(pid, begun, first))

    def warm_up(self):
        """One of each way that is answered, so that what is made once is there."""
        chance = random.Random(self.seed)
        for way in dict.fromkeys(self.ways):
            way(chance)

    def wait_for_rest(self, pid, begun, first):
        end = time.monotonic() + host.PATIENCE
        last = sample(pid, begun)
        while (last.descriptors > first.descriptors or last.threads > first.threads) \
                and time.monotonic() < end:
            time.sleep(0.2)
            last = sample(pid, begun)
        return last

    def memory(self):
        """Medians of the second and of the last quarter, KiB."""
        quarter = max(len(self.samples) // 4, 1)
        return (statistics.median(each.private_kib for each in self.samples[quarter:2 * quarter]),
                statistics.median(each.private_kib for each in self.samples[-quarter:]))

    def judge(self, first, last):
        slack = [kib for seconds, kib in SLACK_KIB.items() if self.samples[-1].seconds >= seconds]
        if slack:
            early, late = self.memory()
            if late > early * (1 + GROWTH) + slack[-1]:
                self.wrong.append(f"memory grew from {early:.0f} to {late:.0f} KiB")
        for name in ("descriptors", "threads"):
            if getattr(last, name) > getattr(first, name):
                self.wrong.append(f"{name} left: {getattr(last, name)} of {getattr(first, name)}")
        if not self.server.alive():
            self.wrong.append("the server has ended")
        self.first, self.last = first, last

    def told(self):
        """What was done and what it cost, for people."""
        lines = [f"seed {self.seed}: " + ", ".join(
            f"{count} {name}" for name, count in sorted(self.counts.items()))]
        memory = [("at first", self.first.private_kib), ("at last", self.last.private_kib)]
        if self.samples[-1].seconds >= min(SLACK_KIB):
            memory[1:1] = zip(("in the second quarter", "in the last quarter"), self.memory())
        lines.append("private memory: " + ", ".join(
            f"{kib / 1024:.1f} MiB {when}" for when, kib in memory))
        lines.append(f"descriptors: {self.first.descriptors} at first, {self.last.descriptors} at "
                     f"last, {max(each.descriptors for each in self.samples)} at most; threads: "
                     f"{self.first.threads}, {self.last.threads}, "
                     f"{max(each.threads for each in self.samples)}")
        return "\n".join(lines)
