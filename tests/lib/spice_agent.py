#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A SPICE client of spice-gtk that talks to the agent, by commands on stdin, one a line.

usage: spice_agent.py URI

"copy TEXT" offers a text, "size WIDTH HEIGHT" asks for a mode. It says "agent" when there is one
and what it can, "pasted TEXT" for each text that another one copied, "mode WIDTH HEIGHT" for each
surface. Texts are JSON strings. It ends at the end of stdin.
"""
import ctypes
import json
import sys

import gi
gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib  # pylint: disable=wrong-import-position

UTF8 = 1       # VD_AGENT_CLIPBOARD_UTF8_TEXT
CLIPBOARD = 0  # VD_AGENT_CLIPBOARD_SELECTION_CLIPBOARD
MONITORS_CONFIG, BY_DEMAND = 1, 5  # VD_AGENT_CAP_


def say(*words):
    print(*words, flush=True)


class Client:
    def __init__(self, uri):
        self.loop = GLib.MainLoop()
        self.session = SpiceClientGLib.Session(uri=uri)
        self.agent = None
        self.text = b""
        GObject.Object.connect(self.session, "channel-new", self.on_channel)

    # SPICE's classes have a connect() of their own, which hides that of signals.
    def on_channel(self, unused, channel):
        def on(name, function):
            GObject.Object.connect(channel, name, function)
        if isinstance(channel, SpiceClientGLib.MainChannel):
            self.agent = channel
            on("main-agent-update", self.on_agent)
            on("main-clipboard-selection-grab", self.on_grab)
            on("main-clipboard-selection-request", self.on_request)
            on("main-clipboard-selection", self.on_text)
        elif isinstance(channel, SpiceClientGLib.DisplayChannel):
            on("display-primary-create", lambda unused, form, width, height, *more:
               say("mode", width, height))
            channel.connect()

    def on_agent(self, channel):
        if channel.get_property("agent-connected"):
            say("agent", *[name for name, number in (("resizes", MONITORS_CONFIG),
                                                     ("copies", BY_DEMAND))
                           if channel.agent_test_capability(number)])

    @staticmethod
    def on_grab(channel, selection, unused_types, unused_count):
        channel.clipboard_selection_request(selection, UTF8)
        return True

    def on_request(self, channel, selection, kind):
        channel.clipboard_selection_notify(selection, kind, self.text)
        return True

    @staticmethod
    def on_text(unused, selection, kind, data, size):
        if isinstance(data, int):
            data = ctypes.string_at(data, size)
        say("pasted", json.dumps(bytes(data).decode()))

    def on_command(self, unused, condition):
        line = sys.stdin.readline() if condition & GLib.IO_IN else ""
        verb, _, rest = line.strip().partition(" ")
        if verb == "copy":
            self.text = json.loads(rest).encode()
            self.agent.clipboard_selection_grab(CLIPBOARD, [UTF8])
        elif verb == "size":
            width, height = map(int, rest.split())
            self.agent.update_display_enabled(0, True, False)
            self.agent.update_display(0, 0, 0, width, height, False)
            self.agent.send_monitor_config()
        else:
            self.loop.quit()
        return bool(verb)

    def run(self):
        GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, self.on_command)
        self.session.connect()
        self.loop.run()
        self.session.disconnect()


if __name__ == "__main__":
    Client(sys.argv[1]).run()
