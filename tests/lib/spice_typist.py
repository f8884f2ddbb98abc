#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A SPICE client of spice-gtk that types Shift+U and points at the last pixel.

usage: spice_typist.py URI WIDTH HEIGHT

It leaves with Enter down. "typed" on stdout says that all was handed to the server.
"""
import sys

import gi
gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib  # pylint: disable=wrong-import-position

SHIFT, U, ENTER = 0x2a, 0x16, 0x1c
CLIENT = 2  # SPICE_MOUSE_MODE_CLIENT


def type_and_point(inputs, width, height):
    for press, code in ((True, SHIFT), (True, U), (False, U), (False, SHIFT), (True, ENTER)):
        (inputs.key_press if press else inputs.key_release)(code)
    inputs.position(width - 1, height - 1, 0, 0)


def main():
    width, height = int(sys.argv[2]), int(sys.argv[3])
    loop = GLib.MainLoop()
    session = SpiceClientGLib.Session(uri=sys.argv[1])
    channels = {}

    def done(inputs, result):
        inputs.flush_finish(result)
        print("typed", flush=True)
        loop.quit()

    # Positions are sent only once the server has taken up the client's pointer.
    def on_news(*unused):
        inputs, main_channel = channels.get("open"), channels.get("main")
        if not inputs or not main_channel or main_channel.get_property("mouse-mode") != CLIENT:
            return
        del channels["open"]
        type_and_point(inputs, width, height)
        inputs.flush_async(None, done)

    def on_event(inputs, event):
        if event == SpiceClientGLib.ChannelEvent.OPENED:
            channels["open"] = inputs
            on_news()

    # SPICE's classes have a connect() of their own, which hides that of signals.
    def on_channel(unused, channel):
        if isinstance(channel, SpiceClientGLib.MainChannel):
            channels["main"] = channel
            GObject.Object.connect(channel, "main-mouse-update", on_news)
        if isinstance(channel, SpiceClientGLib.InputsChannel):
            GObject.Object.connect(channel, "channel-event", on_event)
        if isinstance(channel, (SpiceClientGLib.InputsChannel, SpiceClientGLib.DisplayChannel)):
            channel.connect()

    GObject.Object.connect(session, "channel-new", on_channel)
    session.connect()
    GLib.timeout_add_seconds(30, loop.quit)
    loop.run()


if __name__ == "__main__":
    main()
