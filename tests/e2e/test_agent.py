# SPDX-License-Identifier: GPL-2.0-or-later
"""What SPICE clients ask an agent for: another size, and each other's texts."""
import json
import queue
import subprocess
import threading
import time

from lib import host, pattern, rfb, spice

DEVICE = "sim:mode=640x480,pattern=bars,fps=20,cursor=off"
WORDS = ("", "one", "zwei Wörter\nin two lines", "long " * 20000)


class Client:
    """spice_agent.py, and what it has said."""

    def __init__(self, test, server):
        spice.need_bindings()
        self.process = subprocess.Popen(
            [spice.PYTHON, spice.script("spice_agent.py"), spice.uri(server.address)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=host.environment())
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        test.addCleanup(self.leave)
        self.test = test

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def say(self, *words):
        print(*words, file=self.process.stdin, flush=True)

    def wait_for(self, *wanted):
        """The first line from here on that is one of these, or that begins with one and a space."""
        heard = []
        while True:
            try:
                heard.append(self.lines.get(timeout=host.PATIENCE))
            except queue.Empty:
                self.test.fail(f"{' or '.join(wanted)} is never said: {heard}")
            for each in wanted:
                if heard[-1] == each or heard[-1].startswith(each + " "):
                    return heard[-1]

    def pasted(self):
        return json.loads(self.wait_for("pasted").partition(" ")[2])

    def leave(self):
        self.process.stdin.close()
        try:
            self.process.wait(host.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Agent(host.Test):
    def serve_both(self, *options, device=DEVICE):
        """SPICE, whose address the server has, and VNC at self.vnc."""
        self.vnc = f"unix:{self.path('vnc')}"
        return spice.serve(self, device, "--vnc", self.vnc, *options)

    def typing(self):
        return "--input", f"qmp:{self.path('no-monitor-yet')}"

    def watch_log(self, server, words):
        end = time.monotonic() + host.PATIENCE
        while words not in server.log:
            self.assertLess(time.monotonic(), end, f"{words} is never said: {server.log}")
            time.sleep(0.01)

    def test_a_client_sets_the_mode_for_all(self):
        server = self.serve_both(*self.typing(),
                                 device="sim:mode=640x480,pattern=bars,frame=3,cursor=off")
        with rfb.Client(self.vnc) as viewer:
            client = Client(self, server)
            client.wait_for("agent resizes copies")
            for width, height in ((800, 600), (1024, 768), (720, 400)):
                client.say("size", width, height)
                client.wait_for(f"mode {width} {height}")
                self.watch_until(viewer, lambda size=(width, height): viewer.picture().size == size)
                viewer.update(incremental=False)
                self.assert_same(viewer.picture(), pattern.bars(width, height, 3))

    def test_a_size_that_no_device_has_is_refused(self):
        server = self.serve_both(*self.typing(), "--verbose")
        client = Client(self, server)
        client.wait_for("agent resizes copies")
        client.say("size", 20000, 20000)
        self.watch_log(server, "a client's size is refused: Numerical result out of range")
        client.say("size", 800, 600)
        client.wait_for("mode 800 600")

    def test_who_may_not_type_may_not_resize(self):
        Client(self, self.serve_both()).wait_for("agent copies")

    def test_without_a_clipboard_there_is_no_text(self):
        Client(self, self.serve_both("--no-clipboard", *self.typing())).wait_for("agent resizes")

    def test_without_both_there_is_no_agent(self):
        server = self.serve_both("--no-clipboard")
        client = Client(self, server)
        self.assertEqual(client.wait_for("agent", "mode"), "mode 640 480")

    def test_texts_from_vnc_to_spice(self):
        server = self.serve_both()
        with rfb.Client(self.vnc) as viewer:
            client = Client(self, server)
            client.wait_for("agent copies")
            for text in WORDS[1:]:
                viewer.copy(text)
                self.assertEqual(client.pasted(), text)

    def test_texts_from_spice_to_vnc(self):
        server = self.serve_both()
        with rfb.Client(self.vnc) as viewer:
            client = Client(self, server)
            client.wait_for("agent copies")
            for text in WORDS[1:]:
                client.say("copy", json.dumps(text))
                self.watch_until(viewer, lambda text=text: viewer.text == text)

    def test_what_was_copied_before_a_client_came(self):
        server = self.serve_both("--spice-clients", "2")
        with rfb.Client(self.vnc) as viewer, rfb.Client(self.vnc) as other:
            viewer.copy("early")
            self.watch_until(other, lambda: other.text == "early")
        for _ in range(2):
            self.assertEqual(Client(self, server).pasted(), "early")
