# SPDX-License-Identifier: GPL-2.0-or-later
"""The systemd units: how much they leave to the server, and that it is enough."""
import os
import pwd
import re
import shutil
import socket
import subprocess
import time
import unittest

from lib import host, pattern, rfb

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = os.path.join(TOP, "data", "planecast@.service.in")
SOCKET = os.path.join(TOP, "data", "planecast@.socket")
DEVICE = "sim:mode=320x240,pattern=bars,frame=4,cursor=off"
EXPECTED = pattern.bars(320, 240, 4)


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    return unittest.skipIf(missing, f"no {', '.join(missing)}")


def values(name):
    """Of all lines of the unit that set it."""
    with open(UNIT, encoding="utf-8") as file:
        return [line.split("=", 1)[1].strip() for line in file if line.startswith(f"{name}=")]


def calls_of(word):
    """The system calls that a word of SystemCallFilter= means."""
    if not word.startswith("@"):
        return {word}
    out = host.run("systemd-analyze", "--no-pager", "syscall-filter", word).out.decode()
    words = [line.strip() for line in out.splitlines()[1:] if line.startswith("    ")]
    return set().union(*map(calls_of, (word for word in words if not word.startswith("#"))))


def allowed_calls():
    found = set()
    for line in values("SystemCallFilter"):
        named = set().union(*map(calls_of, line.removeprefix("~").split()))
        found = found - named if line.startswith("~") else found | named
    return found


class Service(host.Test):
    def unit(self):
        """The units as they are installed, with the program under test."""
        program = os.path.abspath(host.PROGRAM)
        with open(UNIT, encoding="utf-8") as file:
            text = file.read().replace("@bindir@/planecast", program)
        with open(self.path("planecast@.service"), "w", encoding="utf-8") as file:
            file.write(text)
        shutil.copy(SOCKET, self.path("planecast@.socket"))
        return self.path("planecast@.service")

    def start(self, *before, options=""):
        """The unit's command after some other, with a listener as its socket unit hands it over."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "127.0.0.1:%d" % listener.getsockname()[1]
            command = values("ExecStart")[0].replace("@bindir@/planecast",
                                                     os.path.abspath(host.PROGRAM))
            command = command.replace("$OPTIONS", f"--control=none {options}")
            command = command.replace("${DEVICE}", DEVICE)
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["sh", "-c", f'exec "$@" 3<&{listener.fileno()}', "sh", *before, *command.split()],
                pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, env=host.environment(),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process, address

    def watch(self, address):
        with rfb.Client(address) as client:
            client.update(incremental=False)
            self.assert_same(client.picture(), EXPECTED, address)

    def calls_until_end(self, pid):
        """What strace wrote, when it has seen the process end."""
        deadline = time.monotonic() + host.PATIENCE
        while time.monotonic() < deadline:
            with open(self.path("calls"), encoding="utf-8", errors="replace") as file:
                text = file.read()
            if re.search(rf"^{pid} +\+\+\+ ", text, re.M):
                return text
            time.sleep(0.05)
        self.fail("strace has not seen the server end")

    @needs("systemd-analyze")
    def test_exposure_is_at_most_two(self):
        done = host.run("systemd-analyze", "--no-pager", "security", "--offline=true", self.unit())
        found = re.search(r"Overall exposure level .*: ([\d.]+) ", done.out.decode())
        self.assertTrue(found, done.err)
        self.assertLessEqual(float(found.group(1)), 2.0)

    @needs("systemd-analyze")
    def test_units_have_no_faults(self):
        self.unit()
        done = host.run("systemd-analyze", "--man=no", "verify", self.path("planecast@x.service"),
                        self.path("planecast@x.socket"))
        self.assertEqual([line for line in done.err.splitlines() if "planecast@" in line], [])

    @needs("setpriv", "unshare")
    @unittest.skipIf(os.geteuid(), "taking capabilities and the network away needs root")
    def test_serves_without_capabilities_and_network(self):
        """As CapabilityBoundingSet=, NoNewPrivileges= and PrivateNetwork= have it."""
        kept = values("CapabilityBoundingSet")[0].lower().replace("cap_", "+").replace(" ", ",")
        self.assertEqual(values("PrivateNetwork"), ["yes"])
        _, address = self.start("unshare", "--net", "setpriv", f"--bounding-set=-all,{kept}",
                                "--inh-caps=-all", "--no-new-privs")
        self.watch(address)

    @needs("setpriv")
    @unittest.skipIf(os.geteuid(), "becoming another user needs root")
    def test_becomes_another_user_by_the_drop_in_of_the_readme(self):
        with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
            kept = re.search(r"--user NAME[^#]*CapabilityBoundingSet=([\w ]+)", file.read())[1]
        kept = kept.lower().replace("cap_", "+").replace(" ", ",")
        process, address = self.start("setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all",
                                      "--no-new-privs", options="--user=nobody")
        self.watch(address)
        self.assertEqual(os.stat(f"/proc/{process.pid}").st_uid, pwd.getpwnam("nobody").pw_uid)

    @needs("systemd-analyze", "strace")
    @unittest.skipIf(os.environ.get("ASAN_OPTIONS"), "sanitizers make calls of their own")
    def test_makes_no_call_that_the_unit_forbids(self):
        process, address = self.start("strace", "-D", "-f", "-q", "-o", self.path("calls"))
        self.watch(address)
        process.terminate()
        made = set(re.findall(r"^\d+ +(\w+)\(", self.calls_until_end(process.pid), re.M))
        self.assertLessEqual({"accept4", "seccomp", "capset"}, made)
        self.assertEqual(made - allowed_calls(), set())
