# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtual devices of the host: what viewers do is read back from their event nodes."""
import fcntl
import json
import os
import random
import re
import select
import struct
import subprocess
import time

from lib import host, rfb

DEVICE = "sim:mode=640x480,pattern=bars,cursor=off"
NODES = re.compile(r"input: to whoever takes the keyboard (\S+) and the pointer (\S+)")
# linux include/uapi/linux/input-event-codes.h
EV_KEY, EV_REL, EV_ABS, EV_LED = 1, 2, 3, 0x11
KEY_ENTER, KEY_U, KEY_LEFTSHIFT, KEY_Q, KEY_X = 28, 22, 42, 16, 45
BTN_LEFT, REL_X, REL_Y, REL_WHEEL, LED_CAPSL = 0x110, 0, 1, 8, 1
EVIOCGRAB, EVIOCGKEY = 0x40044590, 0x80604518
EVENT = struct.Struct("llHHi")
SHIFT, ENTER = 0xffe1, 0xff0d
DROPS = 500


class Node:
    """An event node, as who takes it has it."""

    def __init__(self, test, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        test.addCleanup(os.close, self.fd)
        self.got = []

    def grab(self, whether):
        fcntl.ioctl(self.fd, EVIOCGRAB, int(whether))

    def read(self, seconds=0):
        """What came, (type, code, value) each, without the marks in between."""
        if select.select([self.fd], [], [], seconds)[0]:
            data = os.read(self.fd, EVENT.size * 64)
            for at in range(0, len(data), EVENT.size):
                *unused, kind, code, value = EVENT.unpack_from(data, at)
                if kind:
                    self.got.append((kind, code, value))
        return self.got

    def write(self, kind, code, value):
        os.write(self.fd, EVENT.pack(0, 0, kind, code, value) + EVENT.pack(0, 0, 0, 0, 0))

    def down(self):
        """Codes of what is down on the device."""
        bits = fcntl.ioctl(self.fd, EVIOCGKEY, bytes(96))
        return [code for code in range(len(bits) * 8) if bits[code // 8] >> code % 8 & 1]


class Uinput(host.Test):
    def setUp(self):
        super().setUp()
        subprocess.run(["modprobe", "-a", "uinput", "evdev"], check=True)

    def start(self, word):
        """A server, and its two nodes."""
        server = self.serve(DEVICE, "--input", word)
        self.until(lambda: NODES.search(server.log), lambda: server.log)
        return server, *(Node(self, path) for path in NODES.search(server.log).groups())

    def until(self, condition, what):
        end = time.monotonic() + host.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what())
            time.sleep(0.02)

    def until_got(self, node, count):
        self.until(lambda: len(node.read(0.1)) >= count, lambda: str(node.got))

    def until_typed(self, node, client, keysym, code):
        """A node that was not taken a moment ago may be taken for free a moment longer."""
        def there():
            client.key(keysym, 1)
            client.key(keysym, 0)
            return (EV_KEY, code, 0) in node.read(0.1)
        self.until(there, lambda: str(node.got))
        node.read(0.3)

    def test_keys_and_a_tablet(self):
        server, keyboard, pointer = self.start("uinput:vm1")
        with rfb.Client(server.address) as client:
            # Nobody has taken it: not for the host's console.
            client.key(ord("x"), 1)
            client.key(ord("x"), 0)
            client.pointer(1, 1, 1)
            client.pointer(1, 1, 0)
            client.update(incremental=False)
            keyboard.grab(True)
            pointer.grab(True)
            self.until_typed(keyboard, client, ord("q"), KEY_Q)
            self.assertNotIn(KEY_X, [code for unused, code, unused in keyboard.got])
            self.assertEqual(pointer.read(), [])
            keyboard.got.clear()
            for keysym, down in ((SHIFT, 1), (ord("U"), 1), (ord("U"), 0), (SHIFT, 0), (ENTER, 1)):
                client.key(keysym, down)
            self.until_got(keyboard, 5)
            self.assertEqual(keyboard.got, [
                (EV_KEY, KEY_LEFTSHIFT, 1), (EV_KEY, KEY_U, 1), (EV_KEY, KEY_U, 0),
                (EV_KEY, KEY_LEFTSHIFT, 0), (EV_KEY, KEY_ENTER, 1)])
            client.pointer(639, 479, 1)
            client.pointer(639, 479, 1 << 3)
            client.pointer(639, 479, 0)
            self.until_got(pointer, 5)
            self.assertEqual(pointer.got, [
                (EV_ABS, 0, 32767), (EV_ABS, 1, 32767), (EV_KEY, BTN_LEFT, 1),
                (EV_KEY, BTN_LEFT, 0), (EV_REL, REL_WHEEL, 1)])
        # The viewer has gone with Enter down.
        self.until_got(keyboard, 6)
        self.assertEqual(keyboard.got[5:], [(EV_KEY, KEY_ENTER, 0)])

    def test_status_names_the_nodes(self):
        server, *unused = self.start("uinput:vm1")
        status = json.loads(self.planecast("status", DEVICE, "--json").out)
        self.assertEqual(status["input"], {"to": "uinput",
                                           "nodes": list(NODES.search(server.log).groups())})
        self.assertTrue(status["sandbox"]["calls"])
        names = []
        for node in status["input"]["nodes"]:
            folder = f"/sys/class/input/{os.path.basename(node)}/device"
            for file in ("name", "phys"):
                with open(f"{folder}/{file}", encoding="ascii") as content:
                    names.append(content.read().strip())
        self.assertEqual(names, ["planecast vm1 keyboard", "planecast/vm1-keyboard",
                                 "planecast vm1 tablet", "planecast/vm1-tablet"])

    def test_a_mouse(self):
        server, unused, pointer = self.start("uinput-mouse")
        pointer.grab(True)
        with rfb.Client(server.address) as client:
            def there():
                client.pointer(100, 100)
                client.pointer(107, 98)
                return (EV_REL, REL_X, 7) in pointer.read(0.1)
            self.until(there, lambda: str(pointer.got))
            self.assertIn((EV_REL, REL_Y, -2), pointer.got)
            self.assertNotIn(EV_ABS, [kind for kind, *unused in pointer.got])

    def test_lights_come_to_viewers(self):
        server, keyboard, unused = self.start("uinput")
        with rfb.Client(server.address, (rfb.RAW, rfb.DESKTOP_SIZE, rfb.LED_STATE)) as client:
            client.update(incremental=False)
            keyboard.grab(True)
            for value, leds in ((1, 4), (0, 0)):
                keyboard.write(EV_LED, LED_CAPSL, value)
                while client.leds != leds:
                    client.update()

    def drops(self, word, seed):
        """Viewers come, press keys and buttons at random, and are gone."""
        server, keyboard, pointer = self.start(word)
        keyboard.grab(True)
        pointer.grab(True)
        dice, seen = random.Random(seed), set()
        for unused in range(DROPS):
            with rfb.Client(server.address) as client:
                for keysym in dice.sample(range(ord("a"), ord("z") + 1), dice.randrange(1, 6)):
                    client.key(keysym, 1)
                client.pointer(dice.randrange(640), dice.randrange(480), dice.randrange(8))
                if dice.random() < 0.2:
                    client.key(SHIFT, 1)
                    client.update(incremental=False)
            seen.update(keyboard.down(), pointer.down())
            keyboard.read()
            pointer.read()
        self.until(lambda: not keyboard.down() + pointer.down(),
                   lambda: f"down: {keyboard.down()}, {pointer.down()}")
        # Something was down in between, so the end means something.
        self.assertGreater(len(seen), 10)
        self.assertTrue(server.alive())

    def test_no_key_is_down_after_500_drops(self):
        self.drops("uinput", 4711)

    def test_no_key_is_down_after_500_drops_more(self):
        self.drops("uinput-mouse", 4712)

    def test_a_qemu_takes_them(self):
        server, *nodes = self.start("uinput")
        paths, trace = NODES.search(server.log).groups(), self.path("trace")
        del nodes
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-m", "64", "-nodefaults", "-no-user-config",
             "-display", "none", "-machine", "microvm", "-device", "virtio-keyboard-device",
             "-device", "virtio-tablet-device",
             "-object", f"input-linux,id=k,evdev={paths[0]},repeat=on",
             "-object", f"input-linux,id=p,evdev={paths[1]}",
             "-trace", "input_event_*", "-D", trace], stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=host.environment())
        self.addCleanup(qemu.wait)
        self.addCleanup(qemu.kill)

        def said():
            if not os.path.exists(trace):
                return ""
            with open(trace, encoding="utf-8", errors="replace") as file:
                return file.read()
        with rfb.Client(server.address) as client:
            def there():
                client.key(ord("q"), 1)
                client.key(ord("q"), 0)
                client.pointer(0, 0)
                client.pointer(639, 479)
                return all(word in said() for word in ("key qcode q, down 1", "value 0x7fff"))
            self.until(there, said)

    def test_without_permission(self):
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", host.PROGRAM,
             "serve", DEVICE, "--input", "uinput", "--vnc", "127.0.0.1:0"], check=False,
            env=host.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertRegex(done.stderr, r"\Aplanecast: input: /dev/uinput: no permission [^\n]*\n\Z")
