# SPDX-License-Identifier: GPL-2.0-or-later
"""README's commands, as a reader types them, with a machine called my-vm that has a display."""
import os
import re
import signal
import subprocess

from lib import host, mdev

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../README.md")
UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
PID = "pid:1234"
AGENT, QMP = "/run/my-vm.agent", "/run/my-vm.qmp"
ASKS = "mkpasswd -m yescrypt"  # for a password, if it is given none
LISTENS = re.compile(r"planecast: (vnc|spice): listening on |planecast: web: open ")
# What other tests run, by the beginnings of lines: all else runs here.
ELSEWHERE = {
    "./scripts/demo": "tests/stranger.sh",
    "./scripts/test": "this runs in it",
    "virsh ": "test_units.py", "<": "what virsh gets, or libvirt's", "  <": "the same", "X": "",
    "for uuid ": "test_units.py", "systemctl ": "test_units.py", "ln -s ": "test_units.py",
    "mkdir -p /etc/libvirt": "test_units.py",
    "# ": "a remark",
    "websockify ": "tests/e2e/test_hooks.py",
    "vncviewer ": "tests/e2e/test_tls.py, test_units.py",
    "remote-viewer ": "tests/e2e/test_remote_viewer.py",
    "planecast: ": "what planecast says",
    "qemu-system-x86_64 ": "tests/e2e/test_vdagent.py has the socket, setUp() here its arguments",
    "    -device ": "the same",
    "./autogen.sh ": "tests/deb_package.sh",
    "sudo scripts/build-deb ": "tests/deb_package.sh",
}


def commands():
    """The lines of README's blocks."""
    with open(README, encoding="utf-8") as file:
        blocks = re.findall(r"^```\n(.*?)^```$", file.read(), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


class Readme(mdev.Test):
    def setUp(self):
        super().setUp()
        subprocess.run(["modprobe", "-a", "uinput", "evdev"], check=True)
        self.display = self.device("region", mode="640x480", pattern="desktop", rate=10)
        self.machine = self.guest(
            self.display.argument(), paused=True, first=(
                "-name", "my-vm", "-qmp", f"unix:{QMP},server=on,wait=off",
                "-device", "virtio-serial", "-device",
                "virtserialport,chardev=agent,name=com.redhat.spice.0",
                "-chardev", f"socket,id=agent,path={AGENT},server=on,wait=off"))
        os.makedirs("/etc/planecast", mode=0o700, exist_ok=True)
        with open("/etc/planecast/password", "w", encoding="ascii",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write("hushhush\n")
        folder = self.path("bin")
        os.mkdir(folder)
        os.symlink(os.path.abspath(host.PROGRAM), os.path.join(folder, "planecast"))
        self.path_of_programs = f"{folder}:{os.environ['PATH']}"

    def shell(self, line):
        """A shell that reads the line, as an interactive one does: it is in nobody's arguments,
        where pgrep -f would find it."""
        shell = subprocess.Popen(
            ["bash", "--norc"], cwd=self.scratch, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            env={**host.environment(), "PATH": self.path_of_programs})
        self.addCleanup(self.kill, shell)
        shell.stdin.write(line.replace(UUID, self.display.uuid)
                          .replace(PID, f"pid:{self.machine.pid}")
                          .replace(ASKS, f"{ASKS} hushhush") + "\n")
        shell.stdin.close()
        return shell

    @staticmethod
    def kill(shell):
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
        shell.stdout.close()

    def until(self, shell, pattern):
        """What it says up to the line that has the pattern."""
        said = ""
        for line in shell.stdout:
            said += line
            if re.search(pattern, line):
                return said
        self.fail(f"it ended with {shell.wait()}: {said}")

    def ends(self, shell, number):
        """All that the shell started gets the signal, as by Ctrl-C, and ends well."""
        os.killpg(shell.pid, number)
        rest = shell.stdout.read()
        shell.wait(host.PATIENCE)
        self.assertNotRegex(rest, host.SANITIZER)

    def serves(self, line):
        shell = self.shell(f"exec {line}")
        self.until(shell, LISTENS)
        self.ends(shell, signal.SIGINT)
        self.assertEqual(shell.returncode, 0)

    def tells(self, line):
        """Of a running server."""
        server = self.shell(f"exec planecast serve {line.split()[2]} --vnc 127.0.0.1:auto")
        self.until(server, LISTENS)
        shell = self.shell(f"exec {line}")
        if "--watch" in line:
            self.until(shell, r"^pacer ")
            self.ends(shell, signal.SIGINT)
        else:
            said = shell.stdout.read()
            self.assertEqual(shell.wait(host.PATIENCE), 0, said)
            self.assertIn("planecast_info{", said)
        self.ends(server, signal.SIGTERM)

    def is_done(self, line):
        shell = self.shell(line)
        said = shell.stdout.read()
        self.assertEqual(shell.wait(host.PATIENCE), 0, said)

    def run_line(self, line):
        if line.startswith("planecast serve "):
            self.serves(line)
        elif line.startswith("planecast status "):
            self.tells(line)
        else:
            self.is_done(line)

    def test_commands_do_what_they_say(self):
        ran = 0
        for line in commands():
            if any(line.startswith(begin) for begin in ELSEWHERE):
                continue
            with self.subTest(line):
                self.run_line(line)
                ran += 1
        self.assertGreater(ran, 20)
        for name in ("screen.png", "expected.png", "bug.rec"):
            self.assertGreater(os.path.getsize(self.path(name)), 1000, name)
