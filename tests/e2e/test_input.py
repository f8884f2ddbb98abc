# SPDX-License-Identifier: GPL-2.0-or-later
"""What viewers type and point at reaches QEMU, which traces its input events."""
import os
import re
import shutil
import signal
import subprocess
import time

from lib import host, rfb, spice

DEVICE = "sim:mode=640x480,pattern=bars,cursor=off"
VIRTIO = ("-machine", "microvm", "-device", "virtio-keyboard-device",
          "-device", "virtio-tablet-device")
PS2 = ("-machine", "pc")
# QEMU's enumerations of buttons and axes, qapi/ui.json.
EVENT = re.compile(r"input_event_(key_qcode|btn|abs|rel) con [-\d]+, (.*)")
TAKEN = "input: QEMU's monitor takes it"
SHIFT, ENTER = 0xffe1, 0xff0d


class Input(host.Test):
    def qemu(self, *machine):
        """A QEMU without a guest; returns the process and the path of its monitor."""
        if not shutil.which("qemu-system-x86_64"):
            self.skipTest("there is no qemu-system-x86_64 (apt-get install qemu-system-x86)")
        monitor, self.trace = self.path("qmp"), self.path("trace")
        process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-m", "64", "-nodefaults", "-no-user-config",
             "-display", "none", *machine, "-qmp", f"unix:{monitor},server=on,wait=off",
             "-trace", "input_event_*", "-D", self.trace], stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=host.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, monitor

    def events(self):
        """What QEMU has got so far: kind and the numbers or words of its line."""
        if not os.path.exists(self.trace):
            return []
        with open(self.trace, encoding="utf-8", errors="replace") as file:
            return EVENT.findall(file.read())

    def wait_for(self, condition, what):
        end = time.monotonic() + host.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what())
            time.sleep(0.02)

    def until_events(self, client, wanted, send):
        """Sends again until QEMU was heard of: the monitor may not be there yet."""
        def there():
            send(client)
            return any(wanted in event for unused, event in self.events())
        self.wait_for(there, lambda: f"no {wanted} among {self.events()[-9:]}")

    def keys(self):
        """The keys that QEMU got, and whether down; it gives scancodes its own names."""
        found = [re.match(r"key qcode (\S+), down (\d)", event) for kind, event in self.events()
                 if kind == "key_qcode"]
        return [(match.group(1), int(match.group(2))) for match in found]

    def test_keys_and_a_tablet(self):
        unused, monitor = self.qemu(*VIRTIO)
        server = self.serve(DEVICE, "--input", f"qmp:{monitor}")
        with rfb.Client(server.address) as client:
            self.until_events(client, "value 0x7fff",
                              lambda each: (each.pointer(0, 0), each.pointer(639, 479)))
            for keysym, down in ((SHIFT, 1), (ord("U"), 1), (ord("U"), 0), (SHIFT, 0), (ENTER, 1)):
                client.key(keysym, down)
            self.wait_for(lambda: len(self.keys()) >= 5, lambda: str(self.events()[-9:]))
            self.assertEqual(self.keys(), [("shift", 1), ("u", 1), ("u", 0), ("shift", 0),
                                           ("ret", 1)])
            client.pointer(639, 479, 1 << 3)
            client.pointer(639, 479)
            self.wait_for(lambda: sum(kind == "btn" for kind, unused in self.events()) >= 2,
                          lambda: str(self.events()[-9:]))
        # The viewer has gone with Enter down.
        self.wait_for(lambda: ("ret", 0) in self.keys(), lambda: str(self.keys()))

    def test_keys_and_a_tablet_by_spice(self):
        unused, monitor = self.qemu(*VIRTIO)
        server = spice.serve(self, DEVICE, "--input", f"qmp:{monitor}")
        # The typist types once, and what comes before the monitor is there is lost.
        self.wait_for(lambda: TAKEN in server.log, lambda: server.log)
        spice.type_and_point(self, server, 640, 480)
        # It has gone with Enter down.
        self.wait_for(lambda: ("ret", 0) in self.keys(), lambda: str(self.events()[-9:]))
        self.assertEqual(self.keys(), [("shift", 1), ("u", 1), ("u", 0), ("shift", 0),
                                       ("ret", 1), ("ret", 0)])
        self.assertEqual([event for kind, event in self.events() if kind == "abs"],
                         ["axis x, value 0x7fff", "axis y, value 0x7fff"])

    def test_a_mouse_gets_distances(self):
        unused, monitor = self.qemu(*PS2)
        server = self.serve(DEVICE, "--input", f"qmp:{monitor}")
        with rfb.Client(server.address) as client:
            self.until_events(client, "value 7",
                              lambda each: (each.pointer(100, 100), each.pointer(107, 100)))
            self.assertNotIn("abs", [kind for kind, unused in self.events()])

    def test_a_stopped_qemu_holds_nobody_up(self):
        process, monitor = self.qemu(*VIRTIO)
        server = self.serve(DEVICE, "--input", f"qmp:{monitor}")
        with rfb.Client(server.address) as client:
            self.until_events(client, "value 0x7fff",
                              lambda each: (each.pointer(0, 0), each.pointer(639, 479)))
            process.send_signal(signal.SIGSTOP)
            try:
                for at in range(20000):
                    client.pointer(at % 640, 3)
                client.update(incremental=False)
            finally:
                process.send_signal(signal.SIGCONT)
            client.key(ord("q"), 1)
            self.wait_for(lambda: ("q", 1) in self.keys(), lambda: str(self.events()[-9:]))
            self.assertLess(len(self.events()), 2000)

    def test_a_qemu_that_comes_back_gets_input(self):
        process, monitor = self.qemu(*VIRTIO)
        server = self.serve(DEVICE, "--input", f"qmp:{monitor}")
        with rfb.Client(server.address) as client:
            for unused in range(2):
                self.until_events(client, "down 1",
                                  lambda each: (each.key(ord("a"), 1), each.key(ord("a"), 0)))
                process.kill()
                process.wait()
                os.unlink(self.trace)
                process, unused = self.qemu(*VIRTIO)

    def test_without_input_viewers_watch(self):
        server = self.serve(DEVICE)
        self.wait_for(lambda: "input: none, viewers only watch" in server.log, lambda: server.log)
        with rfb.Client(server.address) as client:
            client.key(ord("a"), 1)
            client.pointer(1, 1, 1)
            client.update(incremental=False)

    def test_wrong_words(self):
        for option, value in (("--input", "qmp:"), ("--input", "spice"), ("--keymap", "klingon"),
                              ("--input", "uinput:"), ("--input", "uinput:a/b"),
                              ("--input", f"uinput:{'x' * 41}"), ("--input", "uinputs")):
            result = self.planecast("serve", DEVICE, option, value, code=2)
            self.assertIn(value, result.err)

    def test_a_host_without_virtual_devices(self):
        if os.path.exists("/dev/uinput"):
            self.skipTest("this host has /dev/uinput, which tests leave alone")
        for word in ("uinput", "uinput-mouse:vm1"):
            result = self.planecast("serve", DEVICE, "--input", word, code=1)
            self.assertIn("input: /dev/uinput: there is none (modprobe uinput", result.err)
