# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/qemu-probe, which asks QEMU, says the same as planecast, which does not need one."""
import json
import os

from lib import host, mdev

QEMU_PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/qemu-probe")


class QemuProbe(mdev.Test):
    def qemu_probe(self, device, *options, code=0):
        done = host.run(QEMU_PROBE, device.spec, "--timeout", str(host.PATIENCE), *options)
        self.assertEqual(done.code, code, done.err)
        return done

    def agree(self, kind, display, needs_gl):
        device = self.device(kind)
        theirs = json.loads(self.qemu_probe(device, "--json").out)
        ours = json.loads(self.planecast("probe", device.spec, "--json").out)
        for report in (theirs, ours):
            self.assertEqual((report["display"], report["needs_gl"]), (display, needs_gl))
        return {each["mode"]: each for each in theirs["tries"]}

    def test_region(self):
        tries = self.agree("region", "region", False)
        self.assertTrue(tries["on"]["console"])
        self.assertTrue(tries["auto"]["console"])
        self.assertTrue(tries["off"]["starts"])
        self.assertFalse(tries["off"]["console"])

    def test_dmabuf(self):
        tries = self.agree("dmabuf", "dmabuf", True)
        self.assertFalse(tries["on"]["starts"])
        self.assertIn("opengl", tries["on"]["error"])
        self.assertTrue(tries["off"]["starts"])

    def test_busy_device(self):
        device = self.device("region", mode="320x240", pattern="bars")
        self.serve(device.spec, "--own", vnc="127.0.0.1:5900")
        result = self.qemu_probe(device, code=4)
        self.assertRegex(result.err, r"\Aqemu-probe: [^\n]*busy\n\Z")
