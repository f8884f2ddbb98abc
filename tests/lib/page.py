# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the page for browsers: a server that has one, and a browser that looks at it."""
import os
import time
import unittest

from . import browser, host

NOVNC = "/usr/share/novnc"
LOOPBACK = "127.0.0.1:auto"


class Test(host.Test):
    browser = None  # one for all tests: it takes long to start

    @classmethod
    def tearDownClass(cls):
        if Test.browser:
            Test.browser.close()
            Test.browser = None

    def setUp(self):
        super().setUp()
        if not os.path.exists(f"{NOVNC}/core/rfb.js"):
            raise unittest.SkipTest("noVNC is missing (apt-get install novnc)")

    def serve(self, device, *options, web=LOOPBACK, **more):
        return super().serve(device, *options, web=web, **more)

    def browse(self, url):
        Test.browser = Test.browser or browser.Browser()
        self.addCleanup(Test.browser.leave)
        Test.browser.open(url)
        return Test.browser

    def password_file(self):
        with open(self.path("password"), "w", encoding="ascii",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write("sesame\n")
        return self.path("password")

    def wait_for_picture(self, window, expected):
        """Until the canvas has exactly these pixels."""
        end = time.monotonic() + host.PATIENCE
        got = window.canvas()
        while got != expected and time.monotonic() < end:
            time.sleep(0.2)
            got = window.canvas()
        self.assertIsNotNone(got, "there is no canvas")
        self.assert_same(got, expected)
