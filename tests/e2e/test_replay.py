# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings: what was recorded is replayed pixel for pixel, also what was cut short."""
import itertools
import os
import re
import resource
import signal
import subprocess
import time

from lib import host, pattern, picture

FAILED, USAGE = 1, 2
LAYOUTS = ("linear", "x", "y", "yf", "4")
FORMATS = ("XR24", "AR24", "XB24", "AB24", "RX24", "BX24", "XR30", "XB30", "RG16", "BG16")
HEADER = 32


class Replay(host.Test):
    def record(self, device, *options, name="a.rec", **more):
        path = self.path(name)
        self.planecast("record", device, "-o", path, *options, **more)
        return path

    def begin(self, device, name, *options):
        """A recording without an end, of which some frames are in the file."""
        process = subprocess.Popen(
            [host.PROGRAM, "record", device, "-o", self.path(name), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=host.environment(), text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        part = self.path(f"{name}.part")
        deadline = time.monotonic() + host.PATIENCE
        while not os.path.exists(part) or os.path.getsize(part) < 20000:
            self.assertIsNone(process.poll(), "record ended by itself")
            self.assertLess(time.monotonic(), deadline, "nothing is recorded")
            time.sleep(0.01)
        return process

    def bars(self, path, frame):
        """Checks one frame of a recording of bars; the number that it carries."""
        got = self.screenshot(f"replay:{path},frame={frame}")
        number = pattern.stamped_frame(got)
        self.assert_same(got, pattern.bars(got.width, got.height, number), f"frame {frame}")
        return number

    def test_every_layout_and_format(self):
        for layout, form in itertools.product(LAYOUTS, FORMATS):
            if layout == "yf" and form.endswith("16"):
                continue
            device = f"sim:mode=133x71,layout={layout},format={form},frame=77,cursor=on"
            path = self.record(device, "--frames", "1")
            for plane in ("primary", "cursor", "both") if form == "XR24" else ("both",):
                self.assert_same(self.screenshot(f"replay:{path}", "--plane", plane),
                                 self.screenshot(device, "--plane", plane),
                                 f"{layout} {form} {plane}")

    def test_each_frame_is_one_that_was_shown(self):
        path = self.record("sim:mode=320x96,pattern=bars,fps=50,layout=x", "--frames", "12",
                           "--max-fps", "50")
        numbers = [self.bars(path, frame) for frame in range(12)]
        self.assertEqual(numbers, sorted(numbers))
        self.assertGreater(numbers[-1], numbers[0])
        self.assertEqual(os.listdir(self.scratch), ["a.rec"])

    def test_frames_of_a_mode_that_changes(self):
        path = self.record("sim:modes=320x96+off+256x64,period=0.3,pattern=bars,cursor=on",
                           "--seconds", "2", "--max-fps", "20")
        sizes, off, frame = set(), 0, 0
        while True:
            result = host.run(host.PROGRAM, "screenshot", f"replay:{path},frame={frame}", "-o",
                              "-", "--format", "ppm")
            if result.code == USAGE:
                self.assertIn(f"no frame {frame}", result.err)
                break
            if result.code:
                self.assertIn("the plane is off", result.err)
                off += 1
            else:
                got = picture.from_ppm(result.out)
                sizes.add(got.size)
                self.assert_same(got, pattern.bars(*got.size, pattern.stamped_frame(got)))
            frame += 1
        self.assertEqual(sizes, {(320, 96), (256, 64)})
        self.assertGreater(off, 0)

    def test_still_display_is_stored_once(self):
        path = self.record("sim:mode=640x480,pattern=noise,fps=0,damage=none", "--frames", "40",
                           "--max-fps", "200")
        one = self.record("sim:mode=640x480,pattern=noise,fps=0", "--frames", "1", name="b.rec")
        self.assertLess(os.path.getsize(path), os.path.getsize(one) + 40 * 24)

    def test_a_source_that_tells_of_changes_is_left_in_peace(self):
        """The next change is an hour away: one look a second is enough."""
        result = self.planecast("record", "sim:modes=64x64+65x65,period=3600,pattern=static", "-o",
                                self.path("a.rec"), "--seconds", "2.5")
        frames = int(re.search(r"recorded (\d+) frames", result.err).group(1))
        self.assertIn(frames, (1, 2, 3))

    def test_a_recording_of_a_replay_is_the_same(self):
        device = "sim:mode=257x65,layout=yf,pattern=noise,frame=3"
        first = self.record(device, "--frames", "2")
        second = self.record(f"replay:{first}", "--frames", "2", name="b.rec")
        self.assert_same(self.screenshot(f"replay:{second}"), self.screenshot(device))

    def test_served_to_a_viewer(self):
        device = "sim:mode=317x211,layout=4,pattern=noise,frame=5,seed=5"
        path = self.record(device, "--frames", "3")
        server = self.serve(f"replay:{path},loop")
        self.assert_same(self.capture(server.address), pattern.noise(317, 211, 5, 5))

    def test_viewer_ends_on_the_last_frame(self):
        path = self.record("sim:mode=320x96,pattern=bars,fps=50,layout=x", "--frames", "12",
                           "--max-fps", "50")
        last = self.bars(path, 11)
        server = self.serve(f"replay:{path}")
        with host.rfb.Client(server.address) as client:
            client.update(incremental=False)
            deadline = time.monotonic() + host.PATIENCE
            while pattern.stamped_frame(client.picture()) != last:
                self.assertLess(time.monotonic(), deadline, "the last frame never came")
                client.update()
            self.assert_same(client.picture(), pattern.bars(320, 96, last))

    def test_interrupted_recording_is_complete(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            name = f"{number}.rec"
            process = self.begin("sim:mode=320x96,pattern=video,fps=50", name)
            process.send_signal(number)
            self.assertEqual(process.wait(host.PATIENCE), 0)
            self.assertFalse(os.path.exists(self.path(f"{name}.part")))
            result = self.planecast("screenshot", f"replay:{self.path(name)}", "-o", "-")
            self.assertEqual(result.err, "")

    def test_killed_recording_is_readable(self):
        process = self.begin("sim:mode=320x96,pattern=bars,fps=50,layout=x", "a.rec")
        process.kill()
        process.wait()
        self.assertEqual(os.listdir(self.scratch), ["a.rec.part"])
        part = self.path("a.rec.part")
        for frame in range(3):
            self.bars(part, frame)
        result = self.planecast("screenshot", f"replay:{part}", "-o", "-")
        self.assertRegex(result.err, r"\Aplanecast: warning: [^\n]*cut short at byte[^\n]*\n\Z")
        # It is nobody's to overwrite.
        self.planecast("record", "sim:", "-o", self.path("a.rec"), "--frames", "1", code=FAILED)
        self.bars(part, 0)

    def test_full_disk_keeps_what_was_recorded(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))

        result = self.planecast(
            "record", "sim:mode=320x96,pattern=noise,fps=50,layout=x", "-o", self.path("a.rec"),
            "--frames", "1000", code=FAILED, preexec_fn=small_files, restore_signals=False)
        self.assertIn("a.rec.part", result.err)
        self.assertEqual(os.listdir(self.scratch), ["a.rec.part"])
        part = self.path("a.rec.part")
        self.assertEqual(os.path.getsize(part), 300000)
        self.assertEqual(self.screenshot(f"replay:{part}").size, (320, 96))

    def test_streamed_to_a_pipe(self):
        data = self.planecast("record", "sim:mode=320x96,pattern=bars,frame=8", "-o", "-",
                              "--frames", "2").out
        path = self.path("a.rec")
        with open(path, "wb") as file:
            file.write(data)
        self.assertEqual(self.bars(path, 1), 8)

    def test_damage_is_one_line(self):
        path = self.record("sim:mode=64x64", "--frames", "2")
        with open(path, "rb") as file:
            whole = file.read()
        for size in range(HEADER + 25):
            with open(path, "wb") as file:
                file.write(whole[:size])
            if size % 7 == 0:
                self.planecast("screenshot", f"replay:{path}", "-o", "-", code=FAILED)
        with open(path, "wb") as file:
            file.write(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        result = self.planecast("screenshot", f"replay:{path}", "-o", "-", code=FAILED)
        self.assertRegex(result.err, r"it holds no frame \(damaged at byte \d+ of \d+\)")

    def test_usage(self):
        cases = {
            "-o FILE": ("record", "sim:"),
            "--seconds": ("record", "sim:", "-o", "x", "--seconds=-1"),
            "--frames": ("record", "sim:", "-o", "x", "--frames=-1"),
            "--max-fps": ("record", "sim:", "-o", "x", "--max-fps", "0"),
            "no file": ("screenshot", "replay:", "-o", "x"),
            "frame=N": ("screenshot", "replay:x,frame=y", "-o", "x"),
            "a recording": ("probe", "replay:x"),
        }
        for word, args in cases.items():
            result = self.planecast(*args, code=USAGE, cwd=self.scratch)
            self.assertIn(word, result.err)
            self.assertEqual(os.listdir(self.scratch), [])
        for code, path in ((USAGE, "/no/such/a.rec"), (USAGE, "/etc"), (USAGE, "/dev/null"),
                           (FAILED, "/etc/passwd")):
            result = self.planecast("screenshot", f"replay:{path}", "-o", "-", code=code)
            self.assertIn(path, result.err)
        self.planecast("record", "sim:", "-o", "/no/such/a.rec", "--frames", "1", code=FAILED)
        self.planecast("record", "sim:", "-o", "/dev/full", "--frames", "1", code=FAILED)
        self.planecast("record", "replay:/no/such", "-o", "x", code=USAGE, cwd=self.scratch)
        self.assertEqual(os.listdir(self.scratch), [])
