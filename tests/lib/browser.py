# SPDX-License-Identifier: GPL-2.0-or-later
"""Chromium without a window, driven by the DevTools protocol over a pair of pipes."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from . import host, picture

# Nothing that looks for a network, a GPU or a first user; tests may run as root.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--ignore-certificate-errors",
         "--remote-debugging-pipe")


class Failed(AssertionError):
    """The browser or the page says that something went wrong."""


class Browser:
    """One browser with one page."""

    def __init__(self, size=(1024, 768)):
        program = shutil.which("chromium")
        if not program:
            raise unittest.SkipTest("chromium is missing (apt-get install chromium)")
        self.profile = tempfile.mkdtemp(prefix="planecast-browser.")
        self.number, self.buffer, self.events = 0, b"", []
        theirs_in, self.ours_out = os.pipe()
        self.ours_in, theirs_out = os.pipe()
        # The protocol's descriptors are 3 and 4: a shell puts them there.
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', program, *FLAGS,
             f"--user-data-dir={self.profile}", f"--window-size={size[0]},{size[1]}",
             "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**host.environment(), "HOME": self.profile})
        os.close(theirs_in)
        os.close(theirs_out)
        self.session = None
        try:
            self.session = self._attach()
            self.call("Page.enable")
            self.call("Runtime.enable")
            self.call("Log.enable")
        except BaseException:
            self.close()
            raise

    def _attach(self):
        end = time.monotonic() + host.PATIENCE
        while time.monotonic() < end:
            for target in self.call("Target.getTargets")["targetInfos"]:
                if target["type"] == "page":
                    return self.call("Target.attachToTarget", targetId=target["targetId"],
                                     flatten=True)["sessionId"]
            time.sleep(0.1)
        raise Failed("the browser has no page")

    def _message(self, end):
        while b"\0" not in self.buffer:
            if not select.select([self.ours_in], [], [], max(0, end - time.monotonic()))[0]:
                raise Failed("the browser does not answer")
            more = os.read(self.ours_in, 1 << 20)
            if not more:
                raise Failed("the browser ended")
            self.buffer += more
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.ours_out, data):]
        end = time.monotonic() + host.PATIENCE
        while True:
            answer = self._message(end)
            if answer.get("id") != self.number:
                self.events.append(answer)
            elif "error" in answer:
                raise Failed(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def open(self, url):
        self.events.clear()
        self.call("Page.navigate", url=url)

    def leave(self):
        """Ends the page, before its server does."""
        self.open("about:blank")

    def run(self, expression):
        """The value of an expression in the page; of a promise, what it comes to."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failed(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression, what):
        """Until an expression is true; its value."""
        end = time.monotonic() + host.PATIENCE
        while time.monotonic() < end:
            try:
                value = self.run(expression)
            except Failed:
                value = None  # between two pages there is nothing to look at
            if value:
                return value
            time.sleep(0.1)
        raise Failed(f"{what}: it never came ({self.complaints() or 'no complaints'})")

    def complaints(self):
        """What the page and the browser wrote as errors: exceptions, policy, missing files."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                found.append(details.get("exception", {}).get("description", details["text"]))
            elif event.get("method") == "Log.entryAdded":
                entry = parameters["entry"]
                if entry["level"] == "error":
                    found.append(f"{entry['text']} {entry.get('url', '')}")
        return found

    def canvas(self):
        """The picture on the page's first canvas, as it was drawn; None if there is none."""
        got = self.run("""(() => {
            const canvas = document.querySelector("canvas");
            if (!canvas || !canvas.width || !canvas.height) return null;
            const { width, height } = canvas;
            const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            let text = "";
            for (let i = 0; i < data.length; i += 32768)
                text += String.fromCharCode.apply(null, data.subarray(i, i + 32768));
            return { width, height, data: btoa(text) };
        })()""")
        if not got:
            return None
        data = base64.b64decode(got["data"])
        pixels = bytearray(got["width"] * got["height"] * 3)
        for channel in range(3):
            pixels[channel::3] = data[channel::4]
        return picture.Picture(got["width"], got["height"], bytes(pixels))

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (OSError, Failed):
            pass  # it has ended
        os.close(self.ours_out)
        try:
            self.process.wait(host.PATIENCE / 4)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.ours_in)
        shutil.rmtree(self.profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
