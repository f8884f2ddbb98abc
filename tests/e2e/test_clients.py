# SPDX-License-Identifier: GPL-2.0-or-later
"""Several viewers, modes that change, and viewers that do not read."""
import socket
import threading
import time

from lib import host, pattern, rfb


class Stalled(rfb.Client):
    """A viewer that asks for pictures and never reads one."""

    def __init__(self, address):
        super().__init__(address, receive_buffer=4096)
        for _ in range(50):
            self.request(incremental=False)


class Clients(host.Test):
    def at_once(self, functions):
        """Runs all in threads of their own; the first exception of them is raised."""
        wrong = []

        def guarded(function):
            try:
                function()
            except BaseException as error:  # pylint: disable=broad-except
                wrong.append(error)

        threads = [threading.Thread(target=guarded, args=(each,)) for each in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * host.PATIENCE)
            self.assertFalse(thread.is_alive(), "a viewer got no answer")
        if wrong:
            raise wrong[0]

    def test_ten_viewers_at_once_see_the_same(self):
        server = self.serve("sim:mode=317x211,pattern=noise,frame=3,layout=y,cursor=off")
        expected = pattern.noise(317, 211, 3)

        def view(number):
            got = host.capture(server.address, self.path(f"{number}.png"))
            self.assert_same(got, expected, f"viewer {number}")

        self.at_once([lambda number=number: view(number) for number in range(10)])

    def test_ten_clients_follow_a_moving_picture(self):
        server = self.serve("sim:mode=320x240,pattern=bars,fps=30,cursor=off")

        def follow():
            with rfb.Client(server.address) as client:
                client.update(incremental=False)
                first = pattern.stamped_frame(client.picture())
                for _ in range(15):
                    client.update()
                self.assertNotEqual(pattern.stamped_frame(client.picture()), first)

        self.at_once([follow] * 10)

    def test_sixty_four_clients_converge_to_the_same_pixels(self):
        """The screen changes until its recording ends: all have to come to the last frame."""
        path = self.path("moving.rec")
        self.planecast("record", "sim:mode=320x240,pattern=bars,fps=30,cursor=off", "-o", path,
                       "--seconds", "3")
        last = self.screenshot(f"replay:{path},frame={self.frames(path) - 1}")
        server = self.serve(f"replay:{path}", "--max-clients", "64")
        saw = [0] * 64

        def converge(number):
            end = time.monotonic() + host.PATIENCE
            with rfb.Client(server.address, timeout=host.PATIENCE) as client:
                client.update(incremental=False)
                while client.picture() != last and time.monotonic() < end:
                    client.update()
                    saw[number] += 1
                self.assert_same(client.picture(), last, f"client {number}")

        self.at_once([lambda number=number: converge(number) for number in range(64)])
        self.assertGreater(max(saw), 1, "the screen did not change")

    def frames(self, path):
        """How many frames a recording has, by what is said of one that it does not have."""
        said = self.planecast("screenshot", f"replay:{path},frame=4294967295", "-o", "-",
                              code=2).err
        return int(said.rpartition("it has ")[2].split(",")[0])

    def watch_modes(self, client, sizes, changes, incremental=True):
        """Follows so many mode changes; in every size a whole picture comes."""
        seen = set()
        end = time.monotonic() + host.PATIENCE
        while time.monotonic() < end:
            client.update(incremental)
            if client.picture() == pattern.bars(client.width, client.height, 5):
                seen.add((client.width, client.height))
            if client.resizes >= changes and seen >= sizes:
                return
        self.fail(f"{client.resizes} mode changes, whole pictures of {seen}")

    def test_mode_changes_while_a_client_watches(self):
        server = self.serve("sim:modes=640x480+333x222+800x600,period=0.5,pattern=bars,frame=5,"
                            "layout=x,cursor=off")
        with rfb.Client(server.address) as client:
            self.watch_modes(client, {(640, 480), (333, 222), (800, 600)}, 4)

    def test_mode_changes_while_a_client_asks_for_whole_pictures(self):
        """Such a client always has something to be sent; it must not keep the picture old."""
        server = self.serve("sim:modes=320x240+333x222,period=0.5,pattern=bars,frame=5,cursor=off")
        with rfb.Client(server.address) as client:
            self.watch_modes(client, {(320, 240), (333, 222)}, 3, incremental=False)

    def test_mode_changes_with_a_stalled_client(self):
        server = self.serve("sim:modes=640x480+800x600,period=1,pattern=bars,frame=5,cursor=off")
        with Stalled(server.address), rfb.Client(server.address) as client:
            self.watch_modes(client, {(640, 480), (800, 600)}, 3)

    def test_clients_that_break_off_anywhere_do_no_harm(self):
        server = self.serve("sim:mode=320x240,pattern=noise,frame=1,cursor=off")
        hello = b"RFB 003.008\n\1\1" + bytes(4) + b"\3\0\0\0\0\0\1\x40\0\xf0"
        for length in range(len(hello) + 1):
            for reset in (False, True):
                sock = rfb.connect(server.address)
                if reset:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                sock.sendall(hello[:length])
                sock.close()
        for junk in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\0\xff", b"\xff" * 5000):
            with rfb.connect(server.address) as sock:
                sock.sendall(junk)
        self.assert_same(self.capture(server.address), pattern.noise(320, 240, 1))
        self.assertTrue(server.alive())
