# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user sees before there is any display."""
import json

from lib import host


class List(host.Test):
    def test_list_works_on_any_host(self):
        self.planecast("list")

    def test_json_is_json(self):
        self.assertIsInstance(json.loads(self.planecast("list", "--json").out), (dict, list))

    def test_help_and_version(self):
        for args in (("--help",), ("--version",), ("serve", "--help"), ("screenshot", "--help"),
                     ("list", "--help")):
            result = self.planecast(*args)
            self.assertIn(b"planecast", result.out, args)
            self.assertEqual(result.err, "")
