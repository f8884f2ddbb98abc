# SPDX-License-Identifier: GPL-2.0-or-later
"""What a running server says of itself."""
import ctypes
import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import time

from lib import host, rfb

DEVICE = "sim:mode=320x240,pattern=video,layout=y,fps=20,damage=none"


def landlock_version():
    """The kernel's; 0: it has none. landlock_create_ruleset(), LANDLOCK_CREATE_RULESET_VERSION."""
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


class Status(host.Test):
    def start(self, device=DEVICE):
        self.socket = self.path("control.sock")
        return self.serve(device, "--control", f"unix:{self.socket}")

    def status(self, where=None):
        return json.loads(self.planecast("status", where or self.socket, "--json").out)

    def until(self, holds):
        """Asks until it says what is expected."""
        end = time.monotonic() + host.PATIENCE
        while time.monotonic() < end:
            status = self.status()
            if holds(status):
                return status
        self.fail(f"it never came: {status}")

    def test_tells_who_watches_what(self):
        server = self.start()
        self.assertEqual(stat.S_IMODE(os.stat(self.socket).st_mode), 0o600)
        status = self.status()
        self.assertEqual(status["device"], DEVICE)
        self.assertEqual(status["pid"], server.process.pid)
        self.assertEqual(status["pacer"]["state"], "asleep")
        self.assertEqual(status["counters"]["bytes_read"], 0)
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            for _ in range(5):
                client.update()
            status = self.until(lambda now: now["sinks"][0]["clients"][0]["updates"] >= 6)
            self.assertTrue(status["signal"])
            self.assertEqual(status["mode"], {"width": 320, "height": 240, "stride": 1280,
                                              "format": "XR24", "layout": "y-tiled"})
            self.assertEqual(status["source"], {"kind": "sim", "damage": "compare"})
            self.assertGreaterEqual(status["counters"]["passes"], 6)
            self.assertGreater(status["counters"]["cells"], 0)
            self.assertEqual(status["time"]["read"]["count"], status["counters"]["passes"])
            self.assertGreaterEqual(status["memory"]["frame_bytes"], 320 * 240 * 4)
            self.assertGreater(status["memory"]["rss_bytes"], status["memory"]["frame_bytes"])
            self.assertGreaterEqual(status["memory"]["heap_held_bytes"],
                                    status["memory"]["heap_bytes"])
            told = status["sinks"][0]["clients"][0]
            host_port = "%s:%d" % client.sock.getsockname()[:2]
            self.assertEqual(told["peer"], host_port)
            self.assertEqual(told["encoding"], "raw")
            self.assertGreaterEqual(told["bytes_sent"], 320 * 240 * 4)
            self.assertEqual(sum(told["send"]["log2_us"]), told["send"]["count"])
        self.until(lambda now: now["pacer"]["state"] == "asleep" and
                   now["sinks"][0]["clients"] == [])

    def test_a_server_has_given_up_its_rights(self):
        server = self.start()
        sandbox = self.status()["sandbox"]
        with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as file:
            told = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual(int(told["CapPrm"], 16), 0)
        self.assertEqual(told["NoNewPrivs"], "1")
        self.assertEqual(told["Seccomp"], "2")
        landlock = sandbox.pop("landlock")
        self.assertEqual(sandbox, {"user": pwd.getpwuid(os.getuid()).pw_name,
                                   "capabilities": False, "no_new_privs": True, "calls": True})
        # Every thread has the same: also those of libraries.
        for thread in os.listdir(f"/proc/{server.process.pid}/task"):
            with open(f"/proc/{server.process.pid}/task/{thread}/status", encoding="utf-8") as file:
                self.assertIn("Seccomp:\t2\n", file.read())
        self.assertEqual(landlock, landlock_version())

    def test_watches(self):
        server = self.start()
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            watch = subprocess.Popen([host.PROGRAM, "status", self.socket, "--watch"],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                     env=host.environment())
            for line in watch.stdout:
                client.update()
                if re.match(r"reading  a second: ", line):
                    break
            watch.send_signal(signal.SIGTERM)
            watch.communicate(timeout=host.PATIENCE)

    def said(self, server, pattern):
        """What the server says of its control socket, which is after the first address."""
        end = time.monotonic() + host.PATIENCE
        while time.monotonic() < end:
            found = re.search(pattern + r".*\n", server.log)
            if found:
                return found
            time.sleep(0.02)
        return self.fail(f"not said: {pattern}: {server.log}")

    def test_watch_ends_with_its_server(self):
        server = self.start()
        watch = subprocess.Popen([host.PROGRAM, "status", self.socket, "--watch"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=host.environment())
        self.assertTrue(watch.stdout.readline())
        server.stop()
        _, err = watch.communicate(timeout=host.PATIENCE)
        self.assertEqual(watch.returncode, 1)
        self.assertRegex(err, r"\Aplanecast: [^\n]*no server there[^\n]*\n\Z")
        self.assertFalse(os.path.exists(self.socket))

    def test_servers_of_one_device_have_a_socket_each(self):
        device = f"sim:mode=64x48,pattern=bars,seed={os.getpid()}"
        first, second = self.serve(device), self.serve(device)
        found = [self.said(server, r"control: (?:none: |listening on unix:(\S+))")
                 for server in (first, second)]
        found = [said if said.group(1) else None for said in found]
        if not all(found):
            self.assertRegex(first.log, "control: none: ")
            self.skipTest("this user can make no folder for sockets")
        self.assertEqual(self.status(device)["pid"], first.process.pid)
        self.assertEqual(self.status(found[1].group(1))["pid"], second.process.pid)

    def test_without_a_socket_there_is_none(self):
        server = self.serve(DEVICE, "--control", "none")
        self.assertNotIn("control:", server.log)

    def test_who_connects_and_says_nothing_costs_nothing(self):
        server = self.start()
        silent = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        for one in silent:
            one.connect(self.socket)
        self.assertEqual(self.status()["pid"], server.process.pid)
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
        for one in silent:
            one.close()

    def test_errors_say_what_to_do(self):
        self.planecast("status", code=2)
        self.planecast("status", self.path("x" * 200), code=2)
        self.assertIn("no server there", self.planecast("status", self.path("none"), code=1).err)
        self.planecast("serve", "sim:", "--control", "127.0.0.1:5999", code=2)
        self.planecast("serve", "sim:", "--control", f"unix:{self.path('no/folder')}", code=2)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path("other"))
            other.listen()
            asking = subprocess.Popen([host.PROGRAM, "status", self.path("other")],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env=host.environment())
            peer = other.accept()[0]
            peer.sendall(b"HTTP/1.0 200 OK\r\n")
            peer.close()
            _, err = asking.communicate(timeout=host.PATIENCE)
            self.assertEqual(asking.returncode, 1)
            self.assertRegex(err, r"\Aplanecast: [^\n]*as planecast does\n\Z")
