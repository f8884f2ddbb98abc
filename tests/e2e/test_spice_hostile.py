# SPDX-License-Identifier: GPL-2.0-or-later
"""SPICE clients that got in, and then do what spice-server does not survive: nobody may notice."""
import contextlib
import fcntl
import os
import random
import re
import struct
import threading
import time

from lib import host, pattern, recording, rfb, spice, spice_wire
from lib.spice_wire import Channel

CHANNELS = (spice_wire.MAIN, spice_wire.DISPLAY, spice_wire.INPUTS, spice_wire.CURSOR)
FIONREAD = 0x541b
VNC = re.compile(r"vnc: listening on (\S+)")
BREAKS = 300 if os.environ.get("PLANECAST_LONG") else 60
SILENT = 12 if os.environ.get("PLANECAST_LONG") else 4
LEAVERS = 60 if os.environ.get("PLANECAST_LONG") else 12
NO_WORD = 99


def waiting(sock):
    """The bytes that have come to a socket and were not taken."""
    return struct.unpack("i", fcntl.ioctl(sock, FIONREAD, bytes(4)))[0]


def newcomer(address, kind):
    """A session with one more channel, as soon as those before have left it some room."""
    end = time.monotonic() + host.PATIENCE
    while True:
        try:
            main, session = spice_wire.session(address)
            return [main, Channel(address, kind, session)]
        except (ConnectionError, EOFError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class SpiceHostile(host.Test):
    """Each test ends with the exact picture for a client that behaves."""

    def serve(self, *options, device="sim:mode=320x240,pattern=bars,frame=3,cursor=off"):
        return spice.serve(self, device, "--spice-clients", "8", *options)

    def shot(self, server):
        shown, said = spice.screenshot(self, server)
        self.assertIsNotNone(shown, f"no picture: {said}\n{server.log}")
        return shown

    def assert_shown(self, server):
        self.assert_same(self.shot(server), pattern.bars(320, 240, 3))

    def test_words_of_migration_end_the_connection(self):
        server = self.serve()
        for kind in CHANNELS:
            main, session = spice_wire.session(server.address)
            with main:
                channel = main if kind == spice_wire.MAIN else \
                    Channel(server.address, kind, session)
                with channel:
                    channel.say(spice_wire.FLUSH_MARK)
                    self.assertTrue(channel.is_cut(), f"channel {kind}")
            self.assert_shown(server)

    def test_clients_of_before_mini_headers(self):
        server = self.serve()
        for capabilities in (0, spice_wire.AUTH_SELECTION):
            main, session = spice_wire.session(server.address, capabilities)
            with main, \
                    Channel(server.address, spice_wire.DISPLAY, session, capabilities) as display:
                display.say(spice_wire.DISPLAY_INIT, spice_wire.INIT)
                display.hear_until(spice_wire.MARK)
                display.say(spice_wire.FLUSH_MARK)
                self.assertTrue(display.is_cut())
        self.assert_shown(server)

    def test_a_channel_is_opened_once(self):
        server = self.serve()
        for kind in CHANNELS[1:]:
            main, session = spice_wire.session(server.address)
            with main, Channel(server.address, kind, session):
                for _ in range(3):
                    with self.assertRaises((EOFError, ConnectionError)):
                        Channel(server.address, kind, session)
        with self.assertRaises((EOFError, ConnectionError)):
            Channel(server.address, spice_wire.MAIN, 77)
        self.assert_shown(server)

    def test_a_display_without_an_init_holds_up_nobody(self):
        """spice-server's worker would wait half a minute for it."""
        server = self.serve()
        main, session = spice_wire.session(server.address)
        with main, Channel(server.address, spice_wire.DISPLAY, session) as silent:
            self.assertEqual(silent.hear()[0], spice_wire.SET_ACK)
            silent.hear_until(spice_wire.MARK)
            self.assert_shown(server)
            silent.say(spice_wire.DISPLAY_INIT, spice_wire.INIT)
            silent.say(spice_wire.DISPLAY_INIT, spice_wire.INIT)
            self.assertTrue(silent.is_cut(), "it began twice")
        self.assert_shown(server)

    def test_stalled_readers_hold_up_no_new_mode(self):
        """Before a surface goes, spice-server waits until everybody has taken what shows it."""
        server = self.serve(device="sim:modes=640x480+800x600,period=1,fps=20,pattern=noise")
        stalled = [self.display(server.address) for _ in range(2)]
        for _, display in stalled:
            self.wait_until_full(display.sock)
        main, display = self.display(server.address)
        with main, display:
            for _ in range(4):
                display.hear_until(spice_wire.SURFACE_CREATE)
        for each in stalled:
            for channel in each:
                channel.reset()
        sizes = {self.shot(server).size for _ in range(2)}
        self.assertLessEqual(sizes, {(640, 480), (800, 600)})

    def test_clients_that_acknowledge_nothing_hold_up_no_new_mode(self):
        """spice-server would have waited for them for half a minute, and others for it."""
        server = self.serve("--vnc", f"127.0.0.1:{host.free_port()}",
                            device="sim:modes=640x480+800x600,period=0.1,fps=20,pattern=noise")
        with rfb.Client(VNC.search(server.log)[1], timeout=host.PATIENCE) as viewer:
            muted = [self.display(server.address) for _ in range(2)]
            main, display = self.display(server.address)
            with main, display:
                cut = [threading.Thread(target=self.listen_only, args=(each[1],)) for each in muted]
                for each in cut:
                    each.start()
                    self.addCleanup(each.join)
                while any(each.is_alive() for each in cut):
                    display.hear_until(spice_wire.SURFACE_CREATE)
                    viewer.update()
                for _ in range(4):
                    display.hear_until(spice_wire.SURFACE_CREATE)
        self.assertIn("cut off: others waited for it", server.log)

    def test_clients_that_fall_silent_before_a_new_mode_do_not_hold_it_up(self):
        """In their first second, with more to come than spice-server lets wait: it would wait for
        them for half a minute before the surface goes, and say so."""
        recording.turns(self.path("turns.rec"), 660, 480, 30, 20000)
        server = self.serve("--vnc", f"127.0.0.1:{host.free_port()}",
                            device=f"replay:{self.path('turns.rec')},loop")
        healthy = self.aside(self.take_all, *self.display(server.address))
        # The mode is looked at while anybody waits for a picture.
        with rfb.Client(VNC.search(server.log)[1], timeout=host.PATIENCE) as viewer:
            for _ in range(SILENT):
                cut = self.aside(self.listen_only, self.display(server.address)[1])
                while cut.is_alive():
                    viewer.update()
            resizes = viewer.resizes
            while viewer.resizes < resizes + 2:
                viewer.update()
        self.assertTrue(healthy.is_alive(), server.log)
        self.assertIn("cut off: others waited for it", server.log)
        self.assertNotIn("timeout", server.log)

    def aside(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        return thread

    @staticmethod
    def take_all(_, display):
        """Until it is cut off."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                display.hear()

    def test_stalled_clients_that_leave_while_the_mode_changes(self):
        """spice-server's worker waits for them then, and would use them after their end."""
        server = self.serve(device="sim:modes=640x480+800x600,period=0.1,fps=20,pattern=noise")
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        for number in range(LEAVERS):
            with self.subTest(seed=seed, number=number):
                stalled = [newcomer(server.address, spice_wire.DISPLAY) for _ in range(2)]
                main, display = newcomer(server.address, spice_wire.DISPLAY)
                with main, display:
                    for _ in range(chance.randrange(2, 6)):
                        display.hear_until(spice_wire.SURFACE_CREATE)
                    for channels in stalled:
                        with contextlib.suppress(ConnectionError):
                            channels[1].say(NO_WORD if number % 2 else spice_wire.ACK, b"xx")
                        time.sleep(chance.random() / 20)
                        for channel in reversed(channels):
                            channel.reset()
        self.shot(server)

    @staticmethod
    def listen_only(display):
        """Until it is cut off."""
        display.answers = False
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                display.hear()

    def test_clients_that_acknowledge_nothing_are_cut_off(self):
        server = self.serve(device="sim:mode=320x240,pattern=bars,fps=20")
        main, display = self.display(server.address)
        with main, display:
            self.listen_only(display)
            self.assertGreater(display.heard, 20)
        self.assertIn("cut off: it took nothing", self.said(server, "cut off"))

    def test_clients_that_acknowledge_too_much_are_cut_off(self):
        """spice-server would send them nothing more, and in the end nobody else."""
        server = self.serve()
        main, display = self.display(server.address)
        with main, display:
            display.hear_until(spice_wire.MARK)
            display.say(spice_wire.ACK)
            self.assertTrue(display.is_cut())
        self.assertIn("it acknowledges what was not sent", self.said(server, "acknowledges"))
        self.assert_shown(server)

    def said(self, server, words):
        """Its log, once that is in it."""
        end = time.monotonic() + host.PATIENCE
        while words not in server.log:
            self.assertLess(time.monotonic(), end, server.log)
            time.sleep(0.05)
        return server.log

    def display(self, address):
        """A client of these two channels alone, which the test closes."""
        main, session = spice_wire.session(address)
        display = Channel(address, spice_wire.DISPLAY, session)
        self.addCleanup(display.sock.close)
        self.addCleanup(main.sock.close)
        return main, display

    def wait_until_full(self, sock):
        """Until no byte more comes to who takes none."""
        end, before = time.monotonic() + host.PATIENCE, -1
        while (now := waiting(sock)) != before or not now:
            self.assertLess(time.monotonic(), end, "the reader is never full")
            before = now
            time.sleep(0.3)

    def test_clients_that_break_off_while_their_display_opens(self):
        server = self.serve()
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        for number in range(BREAKS):
            with self.subTest(seed=seed, number=number):
                self.break_off(server.address, chance)
        self.assert_shown(server)

    @staticmethod
    def break_off(address, chance):
        channels = newcomer(address, chance.choice(CHANNELS[1:]))
        how = chance.randrange(4)
        if how:
            channels[1].say(spice_wire.DISPLAY_INIT, spice_wire.INIT)
        if how > 1:
            time.sleep(chance.random() / 200)
        if how > 2:
            with contextlib.suppress(ConnectionError, EOFError):
                channels[1].hear()  # unless it is one client too many
        chance.shuffle(channels)
        for channel in channels:
            if chance.random() < 0.5:
                channel.reset()
            else:
                channel.sock.close()
