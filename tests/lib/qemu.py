# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU guests without a disk: their firmware draws a text screen and says that it cannot boot."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from . import host, picture

VGA_BIOS = "/usr/share/seabios/vgabios-bochs-display.bin"
UEFI = "/usr/share/ovmf/OVMF.fd"


class Guest:
    """A QEMU, from its start until kill(). devices are arguments of -device, vnc is where it serves
    its first display itself, firmware is a file in SeaBIOS' place, first are other arguments."""

    def __init__(self, *devices, memory=64, paused=False, vnc=None, firmware=None, accel="tcg",
                 first=()):
        self.folder = tempfile.TemporaryDirectory(prefix="planecast-qemu.")
        self.socket = os.path.join(self.folder.name, "qmp")
        self.qmp = None
        command = ["qemu-system-x86_64", "-accel", accel, "-m", str(memory), "-nodefaults",
                   "-no-user-config", "-vga", "none", *first,
                   *(("-vnc", vnc) if vnc else ("-display", "none")),
                   *(("-bios", firmware) if firmware else ()),
                   "-qmp", f"unix:{self.socket},server=on,wait=off"]
        if paused:  # its devices are open, but no guest draws on them
            command.append("-S")
        for device in devices:
            command += ["-device", device]
        self.log = open(os.path.join(self.folder.name, "log"), "w+b")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=host.environment())
        self.pid = self.process.pid
        self._connect()

    def _connect(self):
        """When QMP answers, the devices are open."""
        end = time.monotonic() + host.PATIENCE
        self.qmp = socket.socket(socket.AF_UNIX)
        self.qmp.settimeout(host.PATIENCE)
        while True:
            try:
                self.qmp.connect(self.socket)
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.log.seek(0)
                    text = self.log.read().decode(errors="replace").strip()
                    self.kill()
                    raise AssertionError(f"QEMU does not start: {text}") from None
                time.sleep(0.05)
        self.words = self.qmp.makefile("r", encoding="utf-8")
        self.words.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.qmp.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
        for line in self.words:
            answer = json.loads(line)
            if "error" in answer:
                raise AssertionError(f"QMP {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise AssertionError(f"QMP {name}: QEMU is gone")

    def screendump(self):
        """What QEMU itself shows of its first display."""
        path = os.path.join(self.folder.name, "dump.ppm")
        self.command("screendump", filename=path)
        with open(path, "rb") as file:
            return picture.from_ppm(unpadded(file.read()))

    def kill(self, number=signal.SIGKILL):
        """Ends it at once; returns when it is gone."""
        if self.qmp:
            self.qmp.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()


def unpadded(ppm):
    """Rows as they should be: QEMU 7.2 lets each end on a multiple of four bytes."""
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", ppm)
    width, height = int(head.group(1)), int(head.group(2))
    pitch = (len(ppm) - head.end()) // height
    starts = (head.end() + row * pitch for row in range(height))
    return head.group() + b"".join(ppm[start:start + 3 * width] for start in starts)


def firmware_screen():
    """The text on which SeaBIOS ends on a display of QEMU's own: what it must be on a vGPU too."""
    return last_screen(4, 2)


def uefi_screen():
    """The same of OVMF: a shell's prompt, in yellow, before which it counts down from five."""
    return last_screen(8, 4, firmware=UEFI, memory=128)


def last_screen(seconds, colours, **more):
    """A guest's text in so many colours that stays the same for so long."""
    end = time.monotonic() + 2 * host.PATIENCE
    with Guest("bochs-display,xres=1024,yres=768", **more) as guest:
        last, same = guest.screendump(), 0
        while same < seconds and time.monotonic() < end:
            time.sleep(1)
            now = guest.screendump()
            same = (same + 1 if now.colours() == colours and picture.same_text(now, last)
                    else 0)
            last = now
    if same < seconds:
        raise AssertionError("the firmware's screen does not come to rest")
    return last
