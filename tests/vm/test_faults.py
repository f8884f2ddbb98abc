# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens to a device, its owner and the clock while viewers watch."""
import os
import signal
import threading
import time

import kmod_vfio
from lib import host, mdev, pattern, rfb

VNC = "127.0.0.1:5900"
DAY = 86400  # s


class Faults(mdev.Test):
    def watch(self):
        client = rfb.Client(VNC, timeout=host.PATIENCE)
        self.addCleanup(client.close)
        return client

    def expect(self, client, frame, what):
        self.follow(client, pattern.bars(640, 480, frame, 1), what)

    def wait_until_free(self, server):
        end = time.monotonic() + host.PATIENCE
        while mdev.open_devices(server.process.pid):
            self.assertLess(time.monotonic(), end, f"the device stays open: {server.log}")
            time.sleep(0.01)

    def set_clock(self, seconds):
        time.clock_settime(time.CLOCK_REALTIME, seconds)

    def test_a_stopped_owner_and_a_jumping_clock_hold_nobody_up(self):
        """A host that slept wakes up with another date."""
        device = self.device("dmabuf-y", mode="640x480", pattern="bars", frame=1)
        guest = self.guest(device.argument(), paused=True)
        server = self.serve(device.spec, vnc=VNC)
        client = self.watch()
        self.expect(client, 1, "at first")
        os.kill(guest.pid, signal.SIGSTOP)
        device.paint(frame=2)
        self.expect(client, 2, "with a stopped owner")
        begun, now = time.monotonic(), time.time()
        self.addCleanup(lambda: self.set_clock(now + time.monotonic() - begun))
        for frame, days in ((3, 1000), (4, -1000)):
            self.set_clock(now + days * DAY)
            device.paint(frame=frame)
            self.expect(client, frame, f"{days} days later")
            self.expect(self.watch(), frame, f"a newcomer, {days} days later")
        os.kill(guest.pid, signal.SIGCONT)
        self.assertEqual(guest.command("query-status")["status"], "prelaunch")
        device.paint(frame=5)
        self.expect(client, 5, "with an owner that goes on")
        guest.kill()
        self.wait_until_free(server)

    def removed(self, kind, own):
        """Its removal does not wait for planecast; who watches sees it gone, and the next come."""
        device = self.device(kind, mode="640x480", pattern="bars", frame=1)
        owner = None if own else kmod_vfio.Device(device.uuid)
        server = self.serve(device.spec, *(["--own"] if own else []), vnc=VNC)
        client = self.watch()
        self.expect(client, 1, "at first")
        remover = threading.Thread(target=device.remove)
        remover.start()
        if owner:  # it hears of it before us
            owner.close()
        self.wait_until_free(server)
        remover.join(host.PATIENCE)
        self.assertFalse(remover.is_alive(), "the removal does not end")
        self.follow_to_card(client, pattern.bars(640, 480, 1, 1))
        self.assertTrue(server.alive(), server.log)
        # One of that name comes again.
        mdev.write(f"{mdev.TYPES}/mplane-{kind}/create", device.uuid)
        device.paint(seed=1, mode="640x480", pattern="bars", frame=2)
        if not own:
            self.guest(device.argument(), paused=True)
        self.expect(client, 2, "the next of that name")

    def test_an_own_device_is_removed(self):
        self.removed("region", own=True)

    def test_a_followed_device_is_removed(self):
        self.removed("dmabuf-y", own=False)

    def test_the_module_is_gone_under_a_waiting_server(self):
        device = self.device("region", mode="640x480", pattern="bars", frame=1)
        guest = self.guest(device.argument(), paused=True)
        server = self.serve(device.spec, vnc=VNC)
        client = self.watch()
        self.expect(client, 1, "at first")
        self.assertNotEqual(host.run("rmmod", "mplane").code, 0, "it is in use")
        guest.kill()
        self.wait_until_free(server)
        device.remove()
        self.assertEqual(host.run("rmmod", "mplane").code, 0)
        self.addCleanup(self.load)
        self.follow_to_card(client, pattern.bars(640, 480, 1, 1))
        self.load()
        mdev.write(f"{mdev.TYPES}/mplane-region/create", device.uuid)
        device.paint(seed=1, mode="640x480", pattern="bars", frame=2)
        self.guest(device.argument(), paused=True)
        self.expect(client, 2, "after it was loaded again")

    @staticmethod
    def load():
        if not os.path.isdir("/sys/module/mplane"):
            assert host.run("insmod", os.environ["MPLANE"]).code == 0
