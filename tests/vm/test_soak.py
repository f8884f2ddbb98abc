# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that come and go while machines restart and modes change: nothing is left of it."""
import os
import random

from lib import mdev, soak

# Small: this machine is slow, and memory shall not depend on the mode that there is in the end.
MODES = ("320x240", "333x222", "256x192", "400x300")
SECONDS = 180 if os.environ.get("PLANECAST_LONG") else 20
MACHINE_SECONDS = 4


class Soak(mdev.Test):
    def test_machines_restart_and_modes_change(self):
        seed = random.randrange(1 << 31)
        device = self.device("dmabuf-y", mode="320x240", pattern="bars", rate=20)
        machines = [self.guest(device.argument(), paused=True)]
        server = self.serve(device.spec)
        run = soak.Soak(server, seed, pattern_seed=1, workers=3)
        chance = random.Random(seed)

        def also():
            device.paint(mode=chance.choice(MODES))
            run.counts["modes set"] += 1
            if run.counts["modes set"] % MACHINE_SECONDS == 0:
                machines[-1].kill()
                machines.append(self.guest(device.argument(), paused=True))
                run.counts["restarts"] += 1

        run.run(SECONDS, also)
        print(run.told())
        if run.wrong:
            print(server.log[-4000:])
        self.assertEqual(run.wrong, [])
        self.assertGreater(run.counts["exact pictures"], 0)
        self.assertGreater(run.counts["restarts"], 1)
