# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks beside a viewer, who goes on seeing what is shown; bench/attack_bench says how fast."""
import json
import os
import resource
import threading
import time

from lib import attackers, host, page, pattern, rfb, websocket

SIZE = 320, 240
MOVING = "sim:mode=320x240,pattern=bars,fps=20,cursor=off"
STILL = "sim:mode=320x240,pattern=noise,frame=7,cursor=off"
UPDATES = 30
DESCRIPTORS = 1100
VIEWERS = 220


class Attacks(page.Test):
    def start(self, device, *options, **more):
        return self.serve(device, "--control", f"unix:{self.path('control')}", *options, **more)

    def status(self):
        """What the server says of VNC."""
        told = self.planecast("status", self.path("control"), "--json").out
        return json.loads(told)["sinks"][0]

    def until(self, condition, what):
        end = time.monotonic() + host.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    @staticmethod
    def descriptors(server):
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    def at_once(self, function, attacks):
        """Runs the function for each of them, in threads; what became of each."""
        wrong = []

        def work(attack):
            try:
                function(attack)
            except BaseException as error:  # pylint: disable=broad-except
                wrong.append(error)
            finally:
                attack.close()

        threads = [threading.Thread(target=work, args=(each,)) for each in attacks]
        for thread in threads:
            thread.start()
            self.addCleanup(thread.join)
        return threads, wrong

    def beside(self, server, attacks, steps):
        """Runs attacks of so many steps each beside a viewer, who sees pictures come meanwhile."""
        def work(attack):
            while attack.done < steps:
                attack.step()

        before = self.descriptors(server)
        with rfb.Client(server.address, timeout=host.PATIENCE) as client:
            client.update(incremental=False)
            first = pattern.stamped_frame(client.picture())
            threads, wrong = self.at_once(work, attacks)
            while any(each.is_alive() for each in threads) or client.updates <= UPDATES:
                client.update()
            if wrong:
                raise wrong[0]
            self.until(lambda: self.sees(client, first), "the picture is old, or wrong")
        self.until(lambda: not self.status()["clients"], "clients that never go")
        self.until(lambda: self.descriptors(server) <= before, "descriptors stay open")
        self.assert_rests(server)

    @staticmethod
    def sees(client, first):
        """A later frame than that one, exactly."""
        client.update(incremental=False)
        number = pattern.stamped_frame(client.picture())
        return number > first and client.picture() == pattern.bars(*SIZE, number)

    def test_a_thousand_websockets_that_reset(self):
        server = self.start(MOVING)
        self.beside(server, [attackers.Resets(server) for _ in range(10)], 100)

    def test_silence(self):
        server = self.start(MOVING)
        self.beside(server, [attackers.Silent(server)], 300)

    def test_trickles(self):
        server = self.start(MOVING)
        self.beside(server, [attackers.Trickles(server)], 1000)

    def test_floods_of_pings_are_cut_off(self):
        server = self.start(MOVING)
        self.beside(server, [attackers.Pings(server)], 3)
        self.assertEqual(server.log.count("cut off: it floods"), 3, server.log)

    def test_floods_of_settings(self):
        server = self.start(MOVING)
        self.beside(server, [attackers.Flood(server) for _ in range(3)], 20)

    def test_who_stops_reading_is_parked(self):
        server = self.start("sim:mode=1280x720,pattern=noise,fps=20,cursor=off")
        with rfb.Client(server.address) as client:
            stalled = attackers.Stalled(server)
            self.addCleanup(stalled.close)
            stalled.step()
            parked = 0
            end = time.monotonic() + host.PATIENCE
            while parked < 2 and time.monotonic() < end:
                client.update()
                parked = sum(each["parked"] for each in self.status()["clients"])
            self.assertEqual(parked, 2)
            for _ in range(UPDATES):
                client.update()

    def test_clipboard_storms_during_updates(self):
        server = self.start(STILL)
        expected = pattern.noise(*SIZE, 7)
        storms = [attackers.Storm(server) for _ in range(4)]

        def storm(attack):
            while attack.done < UPDATES:
                self.assert_same(attack.see(), expected, f"after {attack.done} storms")

        threads, wrong = self.at_once(storm, storms)
        with rfb.Client(server.address, timeout=host.PATIENCE) as client:
            while any(each.is_alive() for each in threads) or client.updates < UPDATES:
                client.update(incremental=False)
                self.assert_same(client.picture(), expected, "beside the storm")
            self.assert_same(self.capture(server.address), expected)
            if wrong:
                raise wrong[0]
            # All were heard: the last word reaches who watches, and storms were answered.
            last = attackers.Storm(server)
            last.see()
            last.give("the last word")
            self.until(lambda: self.pastes(client, "the last word"), client.text)
            last.close()
        for attack in storms:
            self.assertGreater(len(attack.client.clipboard), 0, "Extended Clipboard said nothing")
        status = self.status()
        self.assertEqual((status["stalled"], status["behind"], status["flooded"]), (0, 0, 0))
        self.assert_rests(server)

    @staticmethod
    def pastes(client, text):
        client.update(incremental=False)
        return client.text == text

    def test_many_descriptors(self):
        """More than libvncserver's sets hold: each of two hundred viewers sees every pixel."""
        server = self.start("sim:mode=64x48,pattern=noise,frame=7,cursor=off", "--max-clients",
                            str(VIEWERS + 8))
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (4096, 4096))
        expected = pattern.noise(64, 48, 7)
        before = self.descriptors(server)
        peers = []
        try:
            for _ in range(VIEWERS):
                peers.append(rfb.Client(server.page, timeout=host.PATIENCE))
            while self.descriptors(server) < DESCRIPTORS and len(peers) < 3 * VIEWERS:
                peers.append(rfb.connect(server.address))
                peers.append(websocket.dial(server.page))
            self.assertGreaterEqual(self.descriptors(server), DESCRIPTORS)
            self.assert_same(self.capture(server.address), expected, "a newcomer")
            for client in peers[:VIEWERS]:
                client.update(incremental=False)
                self.assert_same(client.picture(), expected)
        finally:
            for peer in peers:
                peer.close()
        self.until(lambda: self.descriptors(server) <= before, "descriptors stay open")

    def test_too_many_descriptors_from_the_start(self):
        """Where somebody else has all low descriptors viewers are told why they cannot come."""
        taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(DESCRIPTORS)]
        try:
            server = self.start(STILL, pass_fds=taken)
            self.assertGreater(self.descriptors(server), DESCRIPTORS)
            for _ in range(3):
                with self.assertRaisesRegex(rfb.Closed, "too many open files"):
                    rfb.Client(server.address)
        finally:
            for each in taken:
                os.close(each)
        self.assert_rests(server)
