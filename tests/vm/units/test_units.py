# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd's units, libvirt's hook and mdevctl's notifier under a booted systemd.

What `make install` installs lies in the machine's root (machine.py puts it there).
"""
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

from lib import host, mdev, pattern, rfb

SHARE = "/usr/local/share/planecast"
LINKS = {"/etc/libvirt/hooks/qemu.d/planecast": f"{SHARE}/libvirt-hook",
         "/etc/mdevctl.d/scripts.d/notifiers/planecast": f"{SHARE}/mdevctl-notifier"}
NETWORK = "/proc/self/ns/net"
DOMAIN = """<domain type='qemu'>
  <name>unit test</name>
  {metadata}
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off'>
      <source><address uuid='{uuid}'/></source>
    </hostdev>
  </devices>
</domain>
"""
ASKS = "<metadata><p:displays xmlns:p='urn:planecast:displays'>{}</p:displays></metadata>"


def setUpModule():
    """As README.md has it."""
    for link, tool in LINKS.items():
        os.makedirs(os.path.dirname(link), exist_ok=True)
        os.symlink(tool, link)
    os.makedirs("/etc/planecast", mode=0o700, exist_ok=True)
    # The machine's root is a layer that cannot be mounted again in another place.
    with open("/etc/libvirt/qemu.conf", "a", encoding="ascii") as file:
        file.write("namespaces = []\n")
    systemctl("daemon-reload")


def systemctl(*arguments, check=True):
    done = host.run("systemctl", "--no-pager", *arguments)
    if check and done.code:
        raise AssertionError(f"systemctl {' '.join(arguments)}: {done.err}{journal()}")
    return done.out.decode().strip()


def journal():
    return host.run("journalctl", "--no-pager", "-n", "40", "-o", "short-monotonic").out.decode()


def is_active(unit):
    return systemctl("is-active", unit, check=False) == "active"


def capabilities(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"^CapPrm:\s(\w+)", file.read(), re.M)[1], 16)


class Test(mdev.Test):
    def setUp(self):
        """What systemd said meanwhile goes to the test's log."""
        super().setUp()
        self.addCleanup(lambda: print(journal(), file=sys.stderr))

    def until(self, holds, what):
        end = time.monotonic() + host.PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, f"{what}: {journal()}")
            time.sleep(0.1)

    def instance(self, name, conf=None):
        """Its units' name and its viewers' address."""
        if conf is not None:
            self.file(f"/etc/planecast/{name}.conf", conf)
        self.addCleanup(systemctl, "stop", f"planecast@{name}.socket", f"planecast@{name}.service")
        return f"planecast@{name}", f"unix:/run/planecast/{name}.vnc"

    def file(self, path, text, mode=0o600):
        """Written, or written anew; gone at the end."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            self.addCleanup(os.unlink, path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def watch(self, address, expected):
        with rfb.Client(address, timeout=host.PATIENCE) as client:
            self.follow(client, expected)

    def status(self, device):
        return json.loads(self.planecast("status", device, "--json").out)


class Units(Test):
    def test_a_viewer_starts_the_service_and_it_follows_the_owner(self):
        device = self.device("region", mode="640x480", pattern="bars", frame=1)
        unit, address = self.instance(device.uuid)
        systemctl("start", f"{unit}.socket")
        self.assertFalse(is_active(f"{unit}.service"))
        expected = pattern.bars(640, 480, 1, 1)
        with rfb.Client(address, timeout=host.PATIENCE) as client:
            self.follow_to_card(client, expected)
            guest = self.guest(device.argument(), paused=True)
            self.follow(client, expected, "with an owner")
            guest.kill()
            self.follow_to_card(client, expected)
            device.paint(frame=2)
            self.guest(device.argument(), paused=True)
            self.follow(client, pattern.bars(640, 480, 2, 1), "with another owner")
        status = self.status(device.uuid)
        self.assertEqual(str(status["pid"]),
                         systemctl("show", "-P", "MainPID", f"{unit}.service"))
        self.assertEqual({key: status["sandbox"][key] for key in ("capabilities", "no_new_privs",
                                                                  "calls")},
                         {"capabilities": False, "no_new_privs": True, "calls": True})
        self.assertNotEqual(os.readlink(f"/proc/{status['pid']}/ns/net"), os.readlink(NETWORK))
        self.assertEqual(capabilities(status["pid"]), 0)
        group = systemctl("show", "-P", "ControlGroup", f"{unit}.service")
        with open(f"/sys/fs/cgroup{group}/cgroup.procs", encoding="ascii") as file:
            helper, = set(file.read().split()) - {str(status["pid"])}
        self.assertEqual(capabilities(helper), 1 << 19 | 1 << 2)  # SYS_PTRACE, DAC_READ_SEARCH
        systemctl("stop", f"{unit}.socket", f"{unit}.service")
        self.assertFalse(os.path.exists(address.removeprefix("unix:")))
        self.assertFalse(os.path.exists(f"/proc/{helper}"))

    def test_an_instance_names_its_device_and_its_options(self):
        unit, address = self.instance(
            "demo", "DEVICE=sim:mode=320x240,pattern=bars,frame=4,cursor=off\n"
                    "OPTIONS=--password-file cred:password\n")
        self.file("/etc/planecast/demo.password", "secret\n")
        systemctl("start", f"{unit}.socket")
        with self.assertRaisesRegex(rfb.Closed, "no security type None"):
            rfb.Client(address, timeout=host.PATIENCE)
        systemctl("stop", f"{unit}.socket", f"{unit}.service")
        self.file("/etc/planecast/demo.conf",
                  "DEVICE=sim:mode=320x240,pattern=bars,frame=4,cursor=off\n")
        systemctl("start", f"{unit}.socket")
        self.watch(address, pattern.bars(320, 240, 4))

    def test_another_user_needs_the_drop_in_of_the_readme(self):
        unit, address = self.instance("other", "DEVICE=sim:mode=320x240,pattern=bars,frame=4,"
                                               "cursor=off\nOPTIONS=--user nobody\n")
        systemctl("start", f"{unit}.service", check=False)
        self.until(lambda: not is_active(f"{unit}.service"), "it runs without the right to")
        systemctl("stop", f"{unit}.socket", f"{unit}.service")
        self.file(f"/run/systemd/system/{unit}.service.d/user.conf",
                  "[Service]\nCapabilityBoundingSet=CAP_SETUID CAP_SETGID\n"
                  "SystemCallFilter=@setuid\n")
        systemctl("daemon-reload")
        self.addCleanup(systemctl, "daemon-reload")
        systemctl("reset-failed", f"{unit}.service", f"{unit}.socket", check=False)
        systemctl("start", f"{unit}.socket")
        self.watch(address, pattern.bars(320, 240, 4))
        pid = systemctl("show", "-P", "MainPID", f"{unit}.service")
        self.assertEqual(os.stat(f"/proc/{pid}").st_uid, 65534)
        self.assertEqual(capabilities(pid), 0)

    @staticmethod
    def result(unit):
        return tuple(systemctl("show", "-P", what, f"{unit}.service")
                     for what in ("ActiveState", "Result"))

    def test_what_no_other_try_cures_is_not_tried_for_ever(self):
        for name, more, said in (("wrong", "--no-such-option", "Unknown option --no-such-option"),
                                 ("refused", "--user nobody", "may become another user")):
            with self.subTest(name):
                unit, address = self.instance(name, f"DEVICE=sim:\nOPTIONS={more}\n")
                systemctl("start", f"{unit}.service", check=False)
                self.until(lambda unit=unit: self.result(unit) == ("failed", "exit-code"),
                           "it does not fail")
                self.assertEqual(systemctl("show", "-P", "NRestarts", f"{unit}.service"), "0")
                # A viewer who waits has some tries, and then is refused like all others.
                with rfb.connect(address, host.PATIENCE) as waiting:
                    with self.assertRaises(ConnectionResetError):
                        waiting.recv(1)
                self.until(lambda unit=unit: not is_active(f"{unit}.socket"), "it listens")
                with self.assertRaises(OSError):
                    rfb.connect(address)
                self.assertIn(said, journal())

    def test_exposure_is_at_most_two(self):
        unit, _ = self.instance("exposed", "DEVICE=sim:\n")
        systemctl("start", f"{unit}.service")
        out = host.run("systemd-analyze", "--no-pager", "security", f"{unit}.service").out.decode()
        found = re.search(r"Overall exposure level .*: ([\d.]+) ", out)
        self.assertTrue(found, out)
        self.assertLessEqual(float(found[1]), 2.0)


@unittest.skipUnless(shutil.which("mdevctl"), "no mdevctl (apt-get install mdevctl)")
class Mdevctl(Test):
    def test_a_device_with_settings_is_shown_from_start_to_stop(self):
        device = mdev.Mdev("region")
        device.remove()
        unit, _ = self.instance(device.uuid, "")
        start = ["mdevctl", "start", "-u", device.uuid, "-p", "mplane", "-t", "mplane-region"]
        self.assertEqual(host.run(*start).code, 0, journal())
        self.until(lambda: is_active(f"{unit}.socket"), "it is not shown")
        self.assertEqual(host.run("mdevctl", "stop", "-u", device.uuid).code, 0)
        self.until(lambda: not is_active(f"{unit}.socket"), "it stays")


@unittest.skipUnless(shutil.which("virsh"), "no libvirt (apt-get install libvirt-daemon-system)")
class Libvirt(Test):
    def virsh(self, *arguments):
        done = host.run("virsh", "-q", "-c", "qemu:///system", *arguments)
        self.assertEqual(done.code, 0, f"virsh {' '.join(arguments)}: {done.err}{journal()}")
        return done.out.decode()

    def domain(self, device, metadata):
        self.file(self.path("domain.xml"), DOMAIN.format(uuid=device.uuid, metadata=metadata))
        # No guest runs: what is seen is what the device paints.
        self.virsh("create", self.path("domain.xml"), "--paused")
        self.addCleanup(host.run, "virsh", "-c", "qemu:///system", "destroy", "unit test")

    def test_a_domain_has_its_display_while_it_runs(self):
        device = self.device("region", mode="640x480", pattern="bars", frame=3)
        unit, address = self.instance(device.uuid)
        expected = pattern.bars(640, 480, 3, 1)
        self.domain(device, ASKS.format(""))
        self.assertTrue(is_active(f"{unit}.socket"), journal())
        with rfb.Client(address, timeout=host.PATIENCE) as client:
            self.follow(client, expected)
            status = self.status(device.uuid)
            self.assertEqual(status["source"]["held"], "attached")
            self.assertIn("qemu", status["source"]["owner"]["command"])
            self.assertEqual(mdev.open_devices(status["pid"]), 1)
            # libvirtd starts anew: the domain and its viewer go on.
            systemctl("restart", "libvirtd.service")
            self.virsh("list")
            device.paint(frame=4)
            self.follow(client, pattern.bars(640, 480, 4, 1), "after a restart of libvirtd")
            self.virsh("destroy", "unit test")
            self.until(lambda: not is_active(f"{unit}.socket"), "its display stays")
            with self.assertRaises((rfb.Closed, OSError)):
                while True:
                    client.update()
        self.until(lambda: not os.listdir("/run/planecast-libvirt"), "the hook does not end")
        self.assertFalse(is_active(f"{unit}.service"))
        self.assertFalse(os.path.exists(address.removeprefix("unix:")))
        # The device is free: it opens again, and can be removed.
        self.guest(device.argument(), paused=True).kill()
        device.remove()
        self.assertFalse(os.path.exists(device.folder))

    def test_a_domain_names_its_listener(self):
        device = self.device("dmabuf-y", mode="640x480", pattern="bars", frame=3)
        port = host.free_port()
        unit, _ = self.instance(device.uuid)
        self.domain(device, ASKS.format(
            f"<p:display device='{device.uuid}' vnc='127.0.0.1:{port}'/>"))
        self.watch(f"127.0.0.1:{port}", pattern.bars(640, 480, 3, 1))
        self.virsh("destroy", "unit test")
        self.until(lambda: not is_active(f"{unit}.socket"), "its display stays")
        with self.assertRaises(ConnectionRefusedError):
            rfb.connect(f"127.0.0.1:{port}")

    def test_a_domain_that_does_not_ask_has_none(self):
        device = self.device("region")
        self.domain(device, "")
        self.assertFalse(is_active(f"planecast@{device.uuid}.socket"))
        self.assertEqual(mdev.open_devices(int(subprocess.check_output(
            ["pgrep", "-f", "guest=unit test"]))), 1)


del Test
