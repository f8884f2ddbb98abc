#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A SPICE client of spice-gtk that watches with all its channels until it is cut off.

usage: spice_watcher.py URI

"watching" on stdout says that the display has a picture and the other channels are open.
"""
import sys

import gi
gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib  # pylint: disable=wrong-import-position

PATIENCE = 60  # seconds, for the picture
CHANNELS = (SpiceClientGLib.DisplayChannel, SpiceClientGLib.InputsChannel,
            SpiceClientGLib.CursorChannel)


def main():
    loop = GLib.MainLoop()
    session = SpiceClientGLib.Session(uri=sys.argv[1])
    waited = {"picture", *(each.__name__ for each in CHANNELS)}

    def seen(what):
        if what in waited:
            waited.remove(what)
            if not waited:
                print("watching", flush=True)

    def on_event(channel, event):
        if event == SpiceClientGLib.ChannelEvent.OPENED:
            seen(type(channel).__name__)

    # SPICE's classes have a connect() of their own, which hides that of signals.
    def on_channel(unused, channel):
        if not isinstance(channel, CHANNELS):
            return
        GObject.Object.connect(channel, "channel-event", on_event)
        if isinstance(channel, SpiceClientGLib.DisplayChannel):
            GObject.Object.connect(channel, "display-mark", lambda *unused: seen("picture"))
        channel.connect()

    GObject.Object.connect(session, "channel-new", on_channel)
    GObject.Object.connect(session, "disconnected", lambda unused: loop.quit())
    session.connect()
    GLib.timeout_add_seconds(PATIENCE, lambda: loop.quit() if waited else False)
    loop.run()


if __name__ == "__main__":
    main()
