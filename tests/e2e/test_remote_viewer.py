# SPDX-License-Identifier: GPL-2.0-or-later
"""remote-viewer, which people have for SPICE: picture, keys, pointer, sizes, TLS, tickets."""
import os
import re
import shutil
import stat
import subprocess
import time
import unittest
import unittest.mock

from lib import host, pattern, spice, viewer

DEVICE = "sim:mode=320x240,pattern=bars,frame=3,cursor=off"
EXPECTED = pattern.bars(320, 240, 3)
EVENT = re.compile(r"input_event_(?:key_qcode|abs) con [-\d]+, (.*)")


class RemoteViewer(host.Test):
    def setUp(self):
        super().setUp()
        for program, package in (("remote-viewer", "virt-viewer"), ("xdotool", "xdotool")):
            if not shutil.which(program):
                raise unittest.SkipTest(f"{program} is missing (apt-get install {package})")

    def serve(self, *options, device=DEVICE, **more):
        return spice.serve(self, device, *options, **more)

    def watch(self, *arguments):
        screen = viewer.Screen()
        self.addCleanup(screen.close)
        client = viewer.Other(screen, self.scratch, "remote-viewer", *arguments)
        self.addCleanup(client.close)
        return client

    def assert_shows(self, client, expected=EXPECTED):
        self.assert_same(client.await_anywhere(expected), expected, client.log)

    def wait_for(self, condition, what):
        end = time.monotonic() + host.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what())
            time.sleep(0.05)

    def settings(self, server, **more):
        """A file for it (virt-viewer's remote-viewer(1), "CONNECTION FILE")."""
        name, port = server.address.rsplit(":", 1)
        with open(self.path("state/certificate.pem"), encoding="ascii") as file:
            trusted = file.read().replace("\n", "\\n")
        lines = {"type": "spice", "host": name, "tls-port": port, "ca": trusted, **more}
        path = self.path("settings.vv")
        with open(path, "w", encoding="ascii") as file:
            file.write("[virt-viewer]\n" + "".join(f"{k}={v}\n" for k, v in lines.items()))
        return path

    def serve_tls(self):
        secret = self.path("secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("longer than eight\n")
        os.chmod(secret, stat.S_IRUSR | stat.S_IWUSR)
        with unittest.mock.patch.dict(os.environ, STATE_DIRECTORY=self.path("state")):
            return self.serve("--tls-only", "--spice-password-file", secret)

    def test_it_shows_exact_pixels(self):
        self.assert_shows(self.watch(spice.uri(self.serve().address)))

    def test_by_a_unix_socket(self):
        server = self.serve(address=f"unix:{self.path('spice')}")
        self.assert_shows(self.watch(spice.uri(server.address)))

    def test_by_tls_with_a_ticket(self):
        server = self.serve_tls()
        self.assert_shows(self.watch(self.settings(server, password="longer than eight")))
        self.assertNotIn("turned away", server.log)

    def test_a_wrong_ticket_is_refused(self):
        server = self.serve_tls()
        self.watch(self.settings(server, password="longer"))
        self.wait_for(lambda: "turned away" in server.log, lambda: server.log)
        self.assertNotIn("connected", server.log)

    def test_a_new_mode(self):
        server = self.serve(device="sim:modes=320x240+400x300,period=2,pattern=bars,frame=3,"
                                   "cursor=off")
        client = self.watch(spice.uri(server.address))
        for size in ((320, 240), (400, 300), (320, 240)):
            self.assert_shows(client, pattern.bars(*size, 3))

    def test_its_window_sets_the_size(self):
        server = self.serve("--input", f"qmp:{self.path('no-monitor-yet')}")
        client = self.watch(spice.uri(server.address))
        self.assert_shows(client)
        client.screen.run("xdotool", "search", "--sync", "--onlyvisible", "--class",
                          "remote-viewer", "windowsize", "600", "420")
        wished = r"mode (\d+)x(\d+) "
        self.wait_for(lambda: len(re.findall(wished, server.log)) > 1, lambda: server.log)
        width, height = map(int, re.findall(wished, server.log)[-1])
        self.assertGreater(width, 320)
        self.assert_shows(client, pattern.bars(width, height, 3))

    def test_keys_and_the_pointer_reach_the_guest(self):
        if not shutil.which("qemu-system-x86_64"):
            self.skipTest("there is no qemu-system-x86_64 (apt-get install qemu-system-x86)")
        monitor, trace = self.path("qmp"), self.path("trace")
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-m", "64", "-nodefaults", "-no-user-config",
             "-display", "none", "-machine", "microvm", "-device", "virtio-keyboard-device",
             "-device", "virtio-tablet-device", "-qmp", f"unix:{monitor},server=on,wait=off",
             "-trace", "input_event_*", "-D", trace], stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=host.environment())
        self.addCleanup(qemu.wait)
        self.addCleanup(qemu.kill)
        server = self.serve("--input", f"qmp:{monitor}")
        client = self.watch(spice.uri(server.address))
        self.assert_shows(client)
        self.wait_for(lambda: "QEMU's monitor takes it" in server.log, lambda: server.log)

        def events():
            with open(trace, encoding="utf-8", errors="replace") as file:
                return EVENT.findall(file.read())

        left, top = client.place_of(EXPECTED)
        at = str(left + 160), str(top + 120)
        client.screen.run("xdotool", "mousemove", *at, "click", "1", "key", "shift+u", "Return")
        wanted = ["key qcode shift, down 1", "key qcode u, down 1", "key qcode ret, down 1",
                  "key qcode ret, down 0"]
        self.wait_for(lambda: set(wanted) <= set(events()), lambda: str(events()))
        client.screen.run("xdotool", "key", "ctrl+alt+t")
        chord = [f"key qcode {key}, down {down}" for down in (1, 0) for key in ("ctrl", "alt", "t")]
        self.wait_for(lambda: events()[-6:-3] == chord[:3] and set(events()[-3:]) == set(chord[3:]),
                      lambda: str(events()))
        x, y = ([int(event.rpartition("0x")[2], 16) for event in events()
                 if f"axis {axis}" in event][-1] for axis in "xy")
        self.assertAlmostEqual(x * 319 / 0x7fff, 160, delta=1)
        self.assertAlmostEqual(y * 239 / 0x7fff, 120, delta=1)
