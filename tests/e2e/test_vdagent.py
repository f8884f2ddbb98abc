# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's own agent: what it and the viewers copy, and the size that viewers wish."""
import json
import os
import struct
import time

from lib import host, rfb, vdagent

DEVICE = "sim:mode=320x240,pattern=bars,frame=3,cursor=off"
WORDS = ("one", "zwei Wörter\nin two lines", "long " * 20000, "")


class Vdagent(host.Test):
    def serve(self, *options, device=DEVICE):
        self.vnc, self.control = f"unix:{self.path('vnc')}", f"unix:{self.path('control')}"
        return super().serve(device, "--control", self.control, "--vdagent",
                             f"unix:{self.path('agent')}", *options, vnc=self.vnc)

    def agent(self, **more):
        agent = vdagent.Agent(self.path("agent"), **more)
        self.addCleanup(lambda: os.path.exists(agent.path) and agent.close())
        return agent

    def wait_for_state(self, wanted):
        end = time.monotonic() + host.PATIENCE
        while True:
            state = json.loads(self.planecast("status", self.control, "--json").out)["vdagent"]
            if state == wanted:
                return
            self.assertLess(time.monotonic(), end, f"{state}, never {wanted}")
            time.sleep(0.05)

    def wish(self, viewer, width, height):
        """SetDesktopSize, of one screen."""
        viewer.wish(width, height)

    def test_texts_of_guest_and_viewers(self):
        agent = self.agent()
        self.serve(device=DEVICE.replace("frame=3", "fps=20"))
        self.wait_for_state("present")
        with rfb.Client(self.vnc) as viewer, rfb.Client(self.vnc) as other:
            for text in WORDS:
                agent.copy(text)
                for each in (viewer, other):
                    self.watch_until(each, lambda each=each, text=text: each.text == text)
            for text in WORDS:
                viewer.copy(text)
                self.assertEqual(agent.next_text(), text)
                self.watch_until(other, lambda text=text: other.text == text)

    def test_an_agent_that_comes_and_goes(self):
        self.serve(device=DEVICE.replace("frame=3", "fps=20"))
        self.wait_for_state("absent")
        with rfb.Client(self.vnc) as viewer, rfb.Client(self.vnc) as other:
            for text in ("first", "second"):
                viewer.copy(text)
                self.watch_until(other, lambda text=text: other.text == text)
                agent = self.agent()
                self.assertEqual(agent.next_text(), text)
                self.wait_for_state("present")
                agent.close()
                self.wait_for_state("absent")

    def test_without_a_clipboard_the_agent_gets_no_text(self):
        agent = self.agent()
        self.serve("--no-clipboard")
        self.wait_for_state("present")
        with rfb.Client(self.vnc) as viewer:
            viewer.copy("secret")
            agent.copy("of the guest")
            self.wish(viewer, 800, 600)
            viewer.update(incremental=False)
            self.assertIsNone(viewer.text)
        self.assertTrue(agent.texts.empty())

    def test_sizes_go_to_the_agent_where_the_device_has_no_monitor(self):
        agent = self.agent()
        self.serve("--input", f"qmp:{self.path('no-monitor-yet')}", device=DEVICE + ",edid=off")
        self.wait_for_state("present")
        with rfb.Client(self.vnc) as viewer:
            viewer.update(incremental=False)
            for size in ((800, 600), (1234, 567)):
                self.wish(viewer, *size)
                self.assertEqual(agent.next_size(), (1, *size))

    def test_sizes_go_to_the_device_where_it_has_one(self):
        agent = self.agent()
        self.serve("--input", f"qmp:{self.path('no-monitor-yet')}")
        self.wait_for_state("present")
        with rfb.Client(self.vnc) as viewer:
            viewer.update(incremental=False)
            self.wish(viewer, 800, 600)
            self.watch_until(viewer, lambda: viewer.picture().size == (800, 600))
        self.assertTrue(agent.sizes.empty())

    def test_what_is_no_agent_does_no_harm(self):
        agent = self.agent()
        self.serve(device=DEVICE.replace("frame=3", "fps=20"))
        self.wait_for_state("present")
        words = struct.pack("<I", vdagent.UTF8)
        for junk in (os.urandom(5000), b"\xff" * 5000, vdagent.message(vdagent.CLIPBOARD, b""),
                     vdagent.message(vdagent.CLIPBOARD, words + b"nobody asked"),
                     vdagent.message(vdagent.GRAB, words, protocol=2),
                     vdagent.message(vdagent.GRAB, words, port=7),
                     struct.pack("<II", 1, 0xffffffff) + bytes(70000)):
            agent.peer.sendall(junk)
            agent.close()
            self.wait_for_state("absent")
            agent = self.agent()
            self.wait_for_state("present")
        with rfb.Client(self.vnc) as viewer:
            agent.copy("at last")
            self.watch_until(viewer, lambda: viewer.text == "at last")

    def test_an_address_that_is_none(self):
        for address in ("", "agent", "unix:", "tcp:1"):
            done = self.planecast("serve", "sim:", "--vdagent", address, code=2)
            self.assertEqual(done.err, f"planecast: serve: --vdagent {address} is no address of "
                                       "an agent (unix:PATH)\n")
