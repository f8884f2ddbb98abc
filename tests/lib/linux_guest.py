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

from . import host, picture, qemu

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
look() {
	for status in /sys/class/drm/card*-*/status; do
		echo detect >$status
		edid=$(hexdump -v -e '1/1 "%02x"' ${status%status}edid)
		echo "EDID $edid $(cat $status)" >/dev/ttyS0
	done
}
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
		look
		;;
	detect)
		look
		;;
	paint)
		paint >/dev/ttyS0 &
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
# A compositor's place: the monitor's first mode, and in it what painted() says.
PAINT = r"""
#include <drm.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ADDRESS(of) ((uint64_t)(uintptr_t)(of))

int main(void)
{
	uint32_t crtcs[8], connectors[8], encoders[8];
	struct drm_mode_card_res card = {
		.crtc_id_ptr = ADDRESS(crtcs), .connector_id_ptr = ADDRESS(connectors),
		.encoder_id_ptr = ADDRESS(encoders), .count_crtcs = 8, .count_connectors = 8,
		.count_encoders = 8};
	struct drm_mode_modeinfo modes[256];
	struct drm_mode_get_connector monitor = {.modes_ptr = ADDRESS(modes), .count_modes = 256};
	struct drm_mode_create_dumb made = {.bpp = 32};
	struct drm_mode_map_dumb map = {0};
	struct drm_mode_fb_cmd frame = {.bpp = 32, .depth = 24};
	struct drm_mode_crtc crtc = {.mode_valid = 1, .count_connectors = 1};
	int fd = open("/dev/dri/card0", O_RDWR);
	uint32_t *pixels;

	if (ioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &card))
		return 1;
	monitor.connector_id = connectors[0];
	if (ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &monitor) || !monitor.count_modes)
		return 2;
	made.width = frame.width = modes[0].hdisplay;
	made.height = frame.height = modes[0].vdisplay;
	if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &made))
		return 3;
	map.handle = frame.handle = made.handle;
	frame.pitch = made.pitch;
	if (ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map) || ioctl(fd, DRM_IOCTL_MODE_ADDFB, &frame))
		return 4;
	pixels = mmap(NULL, made.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, map.offset);
	if (pixels == MAP_FAILED)
		return 5;
	for (uint32_t y = 0; y < made.height; y++)
		for (uint32_t x = 0; x < made.width; x++)
			pixels[y * (made.pitch / 4) + x] = (x & 0xff) | (y & 0xff) << 8 | 0x400000;
	crtc.crtc_id = crtcs[0];
	crtc.fb_id = frame.fb_id;
	crtc.set_connectors_ptr = ADDRESS(connectors);
	crtc.mode = modes[0];
	if (ioctl(fd, DRM_IOCTL_MODE_SETCRTC, &crtc))
		return 6;
	pause();
	return 0;
}
"""


def painted(width, height):
    return picture.from_xrgb(width, height, b"".join(
        bytes((x & 0xff, y & 0xff, 0x40, 0)) for y in range(height) for x in range(width)))


SIGNS = "".join(map(chr, range(33, 127)))


def initrd(folder):
    """Packs it; its path."""
    tree = os.path.join(folder, "tree")
    os.makedirs(f"{tree}/bin")
    os.makedirs(f"{tree}/modules")
    shutil.copy(shutil.which("busybox"), f"{tree}/bin/busybox")
    for name, text in (("pointer", POINTER), ("paint", PAINT)):
        source = os.path.join(folder, f"{name}.c")
        with open(source, "w", encoding="ascii") as file:
            file.write(text)
        subprocess.run(["gcc", "-static", "-O1", "-I/usr/include/libdrm", "-o",
                        f"{tree}/bin/{name}", source], check=True)
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
