# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux guest under KVM with a console by bochs-drm: the kernel of this machine, busybox, and a
program that tells of its pointer. What it says comes by its serial line, as do its orders."""
import gzip
import os
import shutil
import socket
import subprocess
import time
import unittest

from . import host, qemu

MODULES = ("bochs", "virtio_pci", "virtio_input", "evdev")
APPEND = ("console=ttyS0 console=tty0 vt.global_cursor_default=0 quiet tsc=reliable "
          "no_timer_check mitigations=off nokaslr panic=-1")
# Where KVM is emulated, 7.2 does not come up on all that -cpu host has.
CPU = "host" if int(os.uname().release.split(".")[0]) < 7 else "Nehalem"
# Every sign once, by which the font is known; then a shell at the screen, and orders by the line.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod /modules/$module; done </modules/order
uname -a >/dev/ttyS0
for event in /dev/input/event*; do pointer $event >/dev/ttyS0 & done
say() { echo "$1" >/dev/tty1; }
say 'SIGNS'
say '@SIGNS@'
(while true; do setsid sh -c 'exec sh </dev/tty1 >/dev/tty1 2>&1'; done) &
echo READY >/dev/ttyS0
while read -r order </dev/ttyS0; do
	case $order in
	rebind)
		cd /sys/bus/pci/drivers/bochs-drm || continue
		for card in 0000:*; do
			for console in /sys/class/vtconsole/*/bind; do
				grep -q 'frame buffer' ${console%bind}name && echo 0 >$console
			done
			echo $card >unbind
			echo $card >bind
			for console in /sys/class/vtconsole/*/bind; do
				grep -q 'frame buffer' ${console%bind}name && echo 1 >$console
			done
		done
		for status in /sys/class/drm/card*-*/status; do
			echo detect >$status
			edid=$(hexdump -v -e '1/1 "%02x"' ${status%status}edid)
			echo "EDID $edid $(cat $status)" >/dev/ttyS0
		done
		;;
	esac
done
"""
POINTER = r"""
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Where an absolute pointer is, each time that it moved, out of how many places. A keyboard does
 * not repeat for a minute: a busy host may be late with the word that a key is up. */
int main(int argc, char **argv)
{
	unsigned int repeat[2] = {60000, 60000};
	struct input_absinfo range[2];
	struct input_event event;
	int at[2] = {0, 0}, fd = open(argv[argc - 1], O_RDONLY);

	ioctl(fd, EVIOCSREP, repeat);
	for (int axis = 0; axis < 2; axis++)
		if (ioctl(fd, EVIOCGABS(axis), &range[axis]))
			return 1;
	printf("POINTER %d %d\n", range[0].maximum, range[1].maximum);
	fflush(stdout);
	while (read(fd, &event, sizeof(event)) == sizeof(event)) {
		if (event.type == EV_ABS && event.code < 2)
			at[event.code] = event.value;
		if (event.type == EV_SYN) {
			printf("AT %d %d\n", at[0], at[1]);
			fflush(stdout);
		}
	}
	return 0;
}
"""
SIGNS = "".join(map(chr, range(33, 127)))


def initrd(folder):
    """Packs it; its path."""
    tree = os.path.join(folder, "tree")
    os.makedirs(f"{tree}/bin")
    os.makedirs(f"{tree}/modules")
    shutil.copy(shutil.which("busybox"), f"{tree}/bin/busybox")
    source = os.path.join(folder, "pointer.c")
    with open(source, "w", encoding="ascii") as file:
        file.write(POINTER)
    subprocess.run(["gcc", "-static", "-O1", "-o", f"{tree}/bin/pointer", source], check=True)
    order = []
    for module in MODULES:
        shown = subprocess.run(["modprobe", "--show-depends", module], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
        for path in (line.split()[1] for line in shown.splitlines() if line[:7] == "insmod "):
            name = os.path.basename(path).removesuffix(".xz")
            if name in order:
                continue
            order.append(name)
            unpack = ["xz", "-dc", path] if path.endswith(".xz") else ["cat", path]
            with open(f"{tree}/modules/{name}", "wb") as file:
                subprocess.run(unpack, check=True, stdout=file)
    with open(f"{tree}/modules/order", "w", encoding="ascii") as file:
        file.write("".join(f"{name}\n" for name in order))
    signs = SIGNS.replace("'", "'\\''")
    with open(f"{tree}/init", "w", encoding="ascii") as file:
        file.write(INIT.replace("@SIGNS@", signs))
    os.chmod(f"{tree}/init", 0o755)
    names = subprocess.run(["find", "."], cwd=tree, check=True, stdout=subprocess.PIPE).stdout
    packed = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=tree, input=names,
                            check=True, stdout=subprocess.PIPE).stdout
    path = os.path.join(folder, "initrd")
    with gzip.open(path, "wb", 1) as file:
        file.write(packed)
    return path


def kernel():
    """This machine's own."""
    with open("/run/vm/share/kernel", encoding="ascii") as file:
        path = f"{file.read().strip()}/boot/vmlinuz-{os.uname().release}"
    if not os.path.exists(path):
        raise unittest.SkipTest(f"there is no {path}")
    return path


class LinuxGuest(qemu.Guest):
    """On a device of this machine, with a keyboard (PS/2's forgets what is typed at once), a
    tablet, and a second monitor at `monitor`."""

    def __init__(self, device, folder):
        if subprocess.run(["modprobe", "kvm_amd"], check=False).returncode or \
                not os.path.exists("/dev/kvm"):
            raise unittest.SkipTest("no KVM in this machine: a Linux guest takes minutes")
        self.monitor, line = os.path.join(folder, "monitor"), os.path.join(folder, "serial")
        super().__init__(
            device.argument(), "virtio-keyboard-pci", "virtio-tablet-pci", accel="kvm",
            memory=256, first=(
                "-qmp", f"unix:{self.monitor},server=on,wait=off", "-cpu", CPU, "-smp", "1",
                "-kernel", kernel(), "-initrd", initrd(folder), "-append", APPEND,
                "-chardev", f"socket,id=line,path={line},server=on,wait=off",
                "-serial", "chardev:line"))
        self.line, self.said = socket.socket(socket.AF_UNIX), ""
        self.line.connect(line)
        self.line.settimeout(1)

    def wait_for(self, condition, what):
        """Listens to what the guest says until condition(said) gives something; that."""
        end = time.monotonic() + 2 * host.PATIENCE
        while not (found := condition(self.said)):
            if time.monotonic() > end:
                raise AssertionError(f"{what}: {self.said[-600:]!r}")
            try:
                self.said += self.line.recv(4096).decode(errors="replace").replace("\r", "")
            except TimeoutError:
                pass
        return found

    def order(self, word):
        self.said = ""
        self.line.sendall(f"{word}\n".encode())

    def kill(self, *arguments):
        if hasattr(self, "line"):
            self.line.close()
        super().kill(*arguments)
