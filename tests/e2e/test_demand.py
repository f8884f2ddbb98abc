# SPDX-License-Identifier: GPL-2.0-or-later
"""The device is looked at as often as viewers take pictures, and no oftener."""
import json
import os
import re
import time

from lib import host, rfb

TIGHT = 7
MOVING = "sim:mode=640x480,pattern=bars,fps=60,cursor=off"
STILL = "sim:mode=1920x1080,pattern=static,fps=0,cursor=off"


class Demand(host.Test):
    def status(self, server):
        self.assertTrue(server.alive(), server.log)
        return json.loads(self.planecast("status", self.path("control"), "--json").out)

    def looks(self, server):
        return self.status(server)["counters"]["looks"]

    def moving(self, *options):
        return self.serve(MOVING, "--control", f"unix:{self.path('control')}", *options)

    def test_a_slow_viewer_causes_few_captures(self):
        """One that takes nine pictures a second, of sixty: no more than one look for each."""
        server = self.moving()
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            before, updates = self.looks(server), 36
            for _ in range(updates):
                time.sleep(1 / 9)
                client.update()
            self.assertLessEqual(self.looks(server) - before, updates + 1)

    def test_captures_are_never_faster_than_the_fastest(self):
        """Three slow ones beside one: what they cause is what one of them would, and its own."""
        server = self.moving()
        clients = [rfb.Client(server.address) for _ in range(4)]
        for client in clients:
            self.addCleanup(client.close)
            client.update(incremental=False)
        before, updates = self.looks(server), 40
        for turn in range(updates):
            clients[0].update()
            if turn % 4 == 0:
                for client in clients[1:]:
                    client.update()
        self.assertLessEqual(self.looks(server) - before, updates + updates / 4 * 3 + 1)

    def test_captures_keep_to_the_rate(self):
        server = self.moving("--max-fps", "10")
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            begun, before = time.monotonic(), self.looks(server)
            for _ in range(15):
                client.update()
            looks = self.looks(server) - before
            self.assertLessEqual(looks, (time.monotonic() - begun) * 10 + 2)

    def test_who_asks_for_nothing_costs_nothing(self):
        """A viewer that has its picture and does not ask again: no look, nothing encoded."""
        server = self.moving()
        with rfb.Client(server.address, encodings=(TIGHT,)) as client:
            client.request(incremental=False)
            end = time.monotonic() + host.PATIENCE
            before = self.status(server)
            while not before["sinks"][0]["clients"][0]["updates"] and time.monotonic() < end:
                before = self.status(server)
            self.assertGreater(before["sinks"][0]["encoder"]["encoded"], 0)
            time.sleep(1)  # sixty frames of the device
            after = self.status(server)
        self.assertLessEqual(after["counters"]["looks"], before["counters"]["looks"] + 1)
        self.assertEqual(after["sinks"][0]["encoder"], before["sinks"][0]["encoder"])

    def woken(self, server):
        """How often threads of the server have gone to sleep."""
        count = 0
        for task in os.scandir(f"/proc/{server.process.pid}/task"):
            with open(f"{task.path}/status", encoding="ascii") as file:
                count += int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)", file.read())[1])
        return count

    def comes_to_rest(self, server):
        """No thread of it wakes while this process burns a second of a processor."""
        end = time.monotonic() + host.PATIENCE
        while time.monotonic() < end:
            before, begun = self.woken(server), time.process_time()
            while time.process_time() < begun + 1:
                pass
            if self.woken(server) == before:
                return True
        return False

    def test_nobody_wakes_for_viewers_that_have_everything(self):
        """A still, and viewers that wait for what changes; then one of them takes nothing more."""
        server = self.serve(STILL, "--control", f"unix:{self.path('control')}")
        with rfb.Client(server.address, receive_buffer=65536) as client, \
                rfb.Client(server.address) as other:
            for each in client, other:
                each.update(incremental=False)
                each.request()
            self.assertTrue(self.comes_to_rest(server), server.log)
            client.request(incremental=False)  # 8 MB, more than these sockets hold
            end = time.monotonic() + host.PATIENCE
            while not self.parked(server) and time.monotonic() < end:
                time.sleep(0.1)
            self.assertEqual(self.parked(server), 1)

    def parked(self, server):
        return sum(each["parked"] for each in self.status(server)["sinks"][0]["clients"])
