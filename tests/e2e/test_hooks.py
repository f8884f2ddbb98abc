# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's hook and mdevctl's notifier, with a systemctl that only takes notes; the examples."""
import os
import re
import shutil
import subprocess
import time
import unittest

from lib import host, websocket

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOMAIN = "c7a5fdbd-edaf-9455-926a-d65c16db1809"
FIRST = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
SECOND = "5a6a5d3a-91c0-4d34-9f0d-5f9c7b0a2f17"
# What is active is a file in its folder; every call is a line.
SYSTEMCTL = """#!/bin/sh
folder=${0%/*}
echo "$*" >>"$folder/calls"
[ ! -e "$folder/broken" ] || exit 1
[ "$1" != --quiet ] || shift
verb=$1
[ "$verb" != --no-block ] || verb=$2
case $verb in
is-active) [ -e "$folder/active-$2" ] ;;
start) : >"$folder/active-$2" ;;
stop) rm -f "$folder/active-$2" ;;
esac
"""


def mdev(uuid):
    return (f"<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off'>"
            f"<source><address uuid='{uuid}'/></source></hostdev>")


def pci(slot):
    return ("<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' "
            f"bus='0x00' slot='{slot}' function='0x1'/></source></hostdev>")


def displays(inner=""):
    return (f"<metadata><other xmlns='urn:other'/><p:displays xmlns:p='urn:planecast:displays'>"
            f"{inner}</p:displays></metadata>")


def domain(metadata, *devices, uuid=DOMAIN):
    return (f"<domain type='kvm' id='3'><name>my vm</name><uuid>{uuid}</uuid>{metadata}"
            f"<devices><disk/>{''.join(devices)}</devices></domain>")


class Tools(host.Test):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bin"))
        with open(self.path("bin/systemctl"), "w", encoding="ascii") as file:
            file.write(SYSTEMCTL)
        os.chmod(self.path("bin/systemctl"), 0o755)

    def run_tool(self, name, *arguments, text=""):
        """Its messages; it always succeeds."""
        data = text if isinstance(text, bytes) else text.encode()
        done = subprocess.run(
            [os.path.join(TOP, "data", name), *arguments], input=data, timeout=host.PATIENCE,
            env={**host.environment(), "PATH": f"{self.path('bin')}:{os.environ['PATH']}",
                 "PLANECAST_HOOK_RUN": self.path("run"),
                 "PLANECAST_NOTIFIER_CONF": self.path("conf")},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr)
        return done.stderr.decode()

    def calls(self):
        """Of systemctl so far, but is-active, which changes nothing."""
        try:
            with open(self.path("bin/calls"), encoding="utf-8") as file:
                return [line for line in file.read().splitlines() if "is-active" not in line]
        except FileNotFoundError:
            return []

    def files(self):
        """What it has left in /run."""
        return sorted(os.path.relpath(os.path.join(folder, name), self.path("run"))
                      for folder, _, names in os.walk(self.path("run")) for name in names)


class LibvirtHook(Tools):
    def hook(self, step, text, sub=None):
        sub = sub or ("begin" if step in ("prepare", "start", "started", "reconnect") else "end")
        return self.run_tool("libvirt-hook", "my vm", step, sub, "-", text=text)

    def test_a_domain_that_asks_is_shown_while_it_runs(self):
        text = domain(displays(), mdev(FIRST), pci("0x02"), mdev(SECOND))
        for step in ("prepare", "start"):
            self.hook(step, text)
        self.assertEqual(self.calls(), [])
        self.hook("started", text)
        self.assertEqual(self.calls(), [f"start planecast@{FIRST}.socket",
                                        f"start planecast@{SECOND}.socket"])
        # libvirtd starts anew while the domain runs: nothing happens to it.
        self.hook("reconnect", text)
        self.assertEqual(len(self.calls()), 2)
        for step in ("stopped", "release"):
            self.hook(step, text)
        self.assertEqual(self.calls()[2:],
                         [f"stop planecast@{FIRST}.socket planecast@{FIRST}.service",
                          f"stop planecast@{SECOND}.socket planecast@{SECOND}.service"])
        self.assertEqual(self.files(), [])

    def test_a_domain_that_does_not_ask_is_left_alone(self):
        for metadata in ("", "<metadata/>", "<metadata><displays/></metadata>",
                         "<metadata><d:displays xmlns:d='urn:other'/></metadata>"):
            text = domain(metadata, mdev(FIRST))
            for step in ("prepare", "start", "started", "reconnect", "stopped", "release"):
                self.hook(step, text)
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.files(), [])

    def test_chosen_devices_get_the_listeners_that_they_name(self):
        chosen = displays(f"<p:display device='{FIRST.upper()}' vnc='[::1]:5901'/>"
                          "<p:display device='0000:00:02.1' vnc='/run/planecast/desk.vnc'/>")
        text = domain(chosen, mdev(FIRST), mdev(SECOND), pci("0x02"))
        self.hook("started", text)
        self.assertEqual(self.calls(), ["daemon-reload", f"start planecast@{FIRST}.socket",
                                        "daemon-reload", "start planecast@pci:0000:00:02.1.socket"])
        path = f"systemd/system/planecast@{FIRST}.socket.d/libvirt.conf"
        with open(self.path(f"run/{path}"), encoding="ascii") as file:
            self.assertEqual(file.read(), "[Socket]\nListenStream=\nListenStream=[::1]:5901\n")
        # What was begun is ended, also when the domain does not say so any more.
        self.hook("stopped", domain("", mdev(FIRST)))
        self.assertIn(f"stop planecast@{FIRST}.socket planecast@{FIRST}.service", self.calls())
        self.assertIn("stop planecast@pci:0000:00:02.1.socket planecast@pci:0000:00:02.1.service",
                      self.calls())
        self.assertEqual(self.calls()[-1], "daemon-reload")
        self.assertEqual(self.files(), [])

    def test_a_display_that_was_there_already_stays(self):
        with open(self.path(f"bin/active-planecast@{FIRST}.socket"), "w", encoding="ascii"):
            pass
        text = domain(displays(), mdev(FIRST))
        for step in ("started", "stopped"):
            self.hook(step, text)
        self.assertEqual(self.calls(), [])

    def test_listeners_that_are_none_are_refused(self):
        for vnc in ("", "5901", "host:5901", "127.0.0.1", "127.0.0.1:", "127.0.0.1:80", "::1:5901",
                    "127.0.0.1:70000", "127.0.0.1:5901\nExecStartPre=/bin/sh", "[127.0.0.1]:5901",
                    "127.0.0.1:+5901", "127.0.0.1:\u0665\u0669\u0660\u0661", "[::1%lo]:5901",
                    "/etc/passwd", "/run/planecast/../x", "/run/planecast/.x",
                    "/run/planecast/%i\nx", "unix:/run/planecast/x"):
            with self.subTest(vnc=vnc):
                quoted = vnc.replace("\n", "&#10;")
                said = self.hook("started", domain(
                    displays(f"<p:display device='{FIRST}' vnc='{quoted}'/>"), mdev(FIRST)))
                self.assertIn("neither ADDRESS:PORT", said)
                self.assertEqual(said.count("\n"), 1)
                self.assertEqual(self.calls(), [])

    def test_devices_that_are_none_are_not_shown(self):
        strange = ("<hostdev/>", "<hostdev mode='subsystem' type='mdev'/>",
                   "<hostdev mode='subsystem' type='mdev'><source><address/></source></hostdev>",
                   mdev("../../etc/passwd"), mdev(FIRST + "; reboot"), mdev(FIRST + "&#10;x"),
                   mdev(FIRST[:-1]), pci("0x2; reboot"), pci("2"), pci("0x12345"),
                   f"<x>{mdev(FIRST)}</x>", mdev(FIRST).replace("subsystem", "capabilities"))
        self.hook("started", domain(displays(), *strange))
        for device in ("", "0000:00:02.1", SECOND, "../x", "sim:"):
            said = self.hook("started", domain(displays(f"<p:display device='{device}'/>"),
                                               *strange))
            self.assertIn("no host device of the domain", said)
        self.assertEqual(self.calls(), [])

    def test_hostile_xml_changes_nothing(self):
        bomb = ("<!DOCTYPE d [<!ENTITY a '" + "x" * 1000 + "'><!ENTITY b '" + "&a;" * 1000 + "'>]>")
        good = domain(displays(), mdev(FIRST))
        for text in ("", "no XML", good[:-20], bomb + good.replace("my vm", "&b;" * 100),
                     "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + good,
                     b"\xff\xfe" + good.encode("utf-16-le"), b"\xff" + good.encode(),
                     domain(displays(), mdev(FIRST), uuid=""),
                     domain(displays(), mdev(FIRST), uuid="../../x"),
                     "<a>" * 100000 + "</a>" * 100000, good + " " * (17 << 20)):
            for step in ("started", "stopped"):
                self.hook(step, text)
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.files(), [])
        # A name may be anything: it is never used, and one line in a log stays one.
        done = self.run_tool("libvirt-hook", "a\nb\x1b[2J", "started", "begin", "-", text="x")
        self.assertEqual(done.count("\n"), 1)
        self.assertNotIn("\x1b", done)

    def test_a_domain_starts_whatever_systemd_says(self):
        with open(self.path("bin/broken"), "w", encoding="ascii"):
            pass
        text = domain(displays(), mdev(FIRST))
        self.assertIn("does not start", self.hook("started", text))
        self.hook("stopped", text)
        self.assertEqual(self.files(), [])

    def test_without_a_step_it_says_what_it_is(self):
        done = subprocess.run([os.path.join(TOP, "data/libvirt-hook")], stdout=subprocess.PIPE,
                              check=True, text=True)
        self.assertIn("virsh metadata", done.stdout)


class MdevctlNotifier(Tools):
    def notify(self, action, uuid=FIRST, event="notify", state="success"):
        return self.run_tool("mdevctl-notifier", "-t", "mplane-region", "-e", event, "-a", action,
                             "-s", state, "-u", uuid, "-p", "mplane", text='{"attrs":[]}')

    def test_a_device_with_settings_is_shown_from_start_to_stop(self):
        self.notify("start")
        self.assertEqual(self.calls(), [])
        os.mkdir(self.path("conf"))
        with open(self.path(f"conf/{FIRST}.conf"), "w", encoding="ascii"):
            pass
        self.notify("start", SECOND)
        for action in ("define", "modify", "undefine", "attributes"):
            self.notify(action)
        self.notify("start", event="pre", state="none")
        self.notify("start", state="failure")
        self.assertEqual(self.calls(), [])
        self.notify("start")
        self.notify("stop")
        self.assertEqual(self.calls(), [
            f"--no-block start planecast@{FIRST}.socket",
            f"--no-block stop planecast@{FIRST}.socket planecast@{FIRST}.service"])

    def test_a_name_that_is_none_is_ignored(self):
        os.makedirs(self.path("conf/x"))
        for name in ("", "x", "../conf/x", FIRST + "/..", "-" * 36, FIRST.replace("8", "*")):
            self.notify("start", name)
        self.assertEqual(self.calls(), [])


class Examples(host.Test):
    def text(self, name):
        with open(os.path.join(TOP, "examples", name), encoding="utf-8") as file:
            return file.read()

    def test_kubernetes_manifest(self):
        try:
            import yaml  # pylint: disable=import-outside-toplevel
        except ImportError:
            self.skipTest("no YAML for Python (apt-get install python3-yaml)")
        pod, = [each for each in yaml.safe_load_all(self.text("kubernetes.yaml")) if each]
        self.assertEqual((pod["apiVersion"], pod["kind"]), ("v1", "Pod"))
        self.assertTrue(pod["spec"]["shareProcessNamespace"])
        sidecar, = [each for each in pod["spec"]["containers"] if each["name"] == "planecast"]
        self.assertEqual(sidecar["command"][:2], ["planecast", "serve"])
        known = self.planecast("serve", "--help").out.decode()
        for argument in sidecar["command"][2:-1]:
            self.assertRegex(known, re.escape(argument.split("=")[0]) + r"\b")
        ports = {each["name"]: each["containerPort"] for each in sidecar["ports"]}
        self.assertIn(f"--metrics=0.0.0.0:{ports['metrics']}", sidecar["command"])
        self.assertEqual(pod["metadata"]["annotations"]["prometheus.io/port"],
                         str(ports["metrics"]))
        self.assertEqual(sidecar["readinessProbe"]["httpGet"],
                         {"path": "/metrics", "port": "metrics"})
        self.assertEqual(sidecar["securityContext"]["capabilities"],
                         {"drop": ["ALL"], "add": ["SYS_PTRACE", "DAC_READ_SEARCH"]})
        volumes = [each["name"] for each in pod["spec"]["volumes"]]
        self.assertEqual([each["name"] for each in sidecar["volumeMounts"]], volumes)

    @unittest.skipUnless(shutil.which("websockify"), "no websockify (apt-get install websockify)")
    def test_websockify_tokens(self):
        """The file as it is, but for the sockets' folder: websockify finds a display by it."""
        text = self.text("websockify-tokens")
        path = re.search(r"^desk-1: unix_socket:(\S+)$", text, re.M).group(1)
        with open(self.path("tokens"), "w", encoding="utf-8") as file:
            file.write(text.replace(path, self.path("vnc")))
        self.serve("sim:mode=64x48", vnc=f"unix:{self.path('vnc')}")
        port = host.free_port()
        proxy = subprocess.Popen(  # pylint: disable=consider-using-with
            [shutil.which("websockify"), "--token-plugin", "TokenFile",
             "--token-source", self.path("tokens"), f"127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        self.addCleanup(proxy.wait)
        self.addCleanup(os.killpg, proxy.pid, 15)
        self.assertEqual(self.greeting(port, "desk-1"), b"RFB 003.008\n")

    def greeting(self, port, token):
        end = time.monotonic() + host.PATIENCE
        while True:
            try:
                link = websocket.WebSocket(f"http://127.0.0.1:{port}/websockify?token={token}")
                break
            except ConnectionRefusedError:
                self.assertLess(time.monotonic(), end, "websockify does not listen")
                time.sleep(0.05)
        self.addCleanup(link.close)
        greeting = bytearray(12)
        self.assertEqual(link.recv_into(greeting), 12)
        return bytes(greeting)


del Tools
