# SPDX-License-Identifier: GPL-2.0-or-later
"""Random viewers by the thousand, and one that behaves, who must not notice.

The long run takes another seed each time and prints it: PLANECAST_SEED repeats it.
"""
import json
import os
import random
import subprocess
import threading
import time
import unittest

from lib import host, pattern, rfb

LONG = bool(os.environ.get("PLANECAST_LONG"))
SEED = int(os.environ.get("PLANECAST_SEED", random.randrange(1 << 31) if LONG else 1))
MESSAGES = 5000000 if LONG else 100000
PROGRAM = os.path.join(os.path.dirname(host.PROGRAM), "tests/fuzz/random_client")
EXTENDED_DESKTOP_SIZE = -308


class Watcher:
    """A viewer that takes every update, in a thread of its own."""

    def __init__(self, address):
        self.client = rfb.Client(address, timeout=host.PATIENCE, encodings=(
            rfb.RAW, rfb.DESKTOP_SIZE, rfb.ALPHA_CURSOR, rfb.POINTER_POSITION))
        self.wrong, self._over = None, False
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        try:
            while not self._over:
                self.client.update()
        except Exception as error:  # pylint: disable=broad-except
            self.wrong = error

    def stop(self):
        """The client, which has taken what it had asked for."""
        self._over = True
        self._thread.join(2 * host.PATIENCE)
        if self.wrong:
            raise AssertionError(f"the viewer that behaves: {self.wrong!r}")
        return self.client


class Random(host.Test):
    def setUp(self):
        super().setUp()
        if not os.path.exists(PROGRAM):
            raise unittest.SkipTest(f"{PROGRAM} is not built (make check TESTS=)")

    def vandalise(self, server):
        """What the random clients did, by their own count."""
        port = server.address.rpartition(":")[2]
        done = subprocess.run([PROGRAM, port, str(SEED), str(MESSAGES)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, f"seed {SEED}: {done.stderr}{server.log[-2000:]}")
        print("random", done.stdout.strip(), flush=True)
        words = done.stdout.split()
        return dict(zip(words[::2], map(int, words[1::2])))

    @staticmethod
    def wish(address, width, height):
        """A viewer that has asked for a mode."""
        client = rfb.Client(address, encodings=(rfb.RAW, EXTENDED_DESKTOP_SIZE))
        client.wish(width, height)
        return client

    def watch_exactly(self, server, client):
        """In a mode in which a picture tells its number, every pixel is right."""
        end = time.monotonic() + host.PATIENCE
        with self.wish(server.address, 320, 240):
            while (client.width, client.height) != (320, 240) and time.monotonic() < end:
                client.update()
        client.update(incremental=False)
        self.assertEqual((client.width, client.height), (320, 240))
        self.assert_same(client.picture(),
                         pattern.bars(320, 240, pattern.stamped_frame(client.picture())))

    def clients(self):
        told = self.planecast("status", self.path("control"), "--json").out
        return len(json.loads(told)["sinks"][0]["clients"])

    def test_random_viewers_do_no_harm(self):
        server = self.serve("sim:mode=640x480,pattern=bars,fps=20,cursor=on", "--max-clients",
                            "64", "--control", f"unix:{self.path('control')}")
        watcher = Watcher(server.address)
        try:
            did = self.vandalise(server)
        finally:
            client = watcher.stop()
        self.assertGreaterEqual(did["messages"], MESSAGES)
        self.assertGreater(did["obeyed"], MESSAGES // 10)
        self.assertGreater(did["nonsense"], 0)
        self.watch_exactly(server, client)
        end = time.monotonic() + host.PATIENCE
        while self.clients() > 1 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(self.clients(), 1, f"seed {SEED}: clients that never go")
        client.close()
