#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lets clients of all kinds come and go at a server of sim: while modes change.

Memory, descriptors and threads must be flat at the end, and every picture taken must be exact.
scripts/soak calls it.
"""
import argparse
import json
import os
import random
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests"))

from lib import host, page, soak, spice  # noqa: E402  pylint: disable=wrong-import-position

DEVICE = ("sim:modes=640x480+800x600+333x222+1024x768,period=1.3,pattern=bars,fps=30,layout=y,"
          "cursor=off")


class Everything(spice.Server):
    """A server of all kinds; address is VNC's."""
    LISTENING = r"planecast: (?:vnc|spice): listening on (\S+)"


def serve(folder):
    options = ["--vnc", f"127.0.0.1:{host.free_port()}", "--spice", "127.0.0.1:auto", "--control",
               f"unix:{folder}/control", "--max-clients", "32"]
    pages = os.path.exists(page.NOVNC)
    if pages:
        options += ["--web", f"127.0.0.1:{host.free_port()}"]
    return Everything(DEVICE, *options, listeners=2, pages=int(pages))


class Second:
    """The second listener of a server as one of its own."""

    def __init__(self, server):
        self.address = server.addresses[1]


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20, help="default 20; from 2 on memory "
                        "is judged, too")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31),
                        help="to do again what a run did")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planecast-soak.") as folder:
        server = serve(folder)
        try:
            run = soak.Soak(server, options.seed, server.pages[0] if server.pages else None,
                           Second(server))
            run.run(options.minutes * 60)
            status = json.loads(host.run(host.PROGRAM, "status", f"{folder}/control",
                                         "--json").out)
        finally:
            code = server.stop()
    print(run.told())
    print(f"modes changed: {status['counters']['resizes']}")
    if code or host.SANITIZER.search(server.log):
        run.wrong.append(f"it ended with {code}: {server.log[-2000:]}")
    if not run.counts["exact pictures"]:
        run.wrong.append("no client saw a picture whole")
    for wrong in run.wrong:
        print(f"soak: {wrong}", file=sys.stderr)
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
