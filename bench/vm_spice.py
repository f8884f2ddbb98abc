# SPDX-License-Identifier: GPL-2.0-or-later
"""vm_bench's SPICE client: takes what comes and decodes nothing.

A frame is a piece of the picture with its first pixel: there vm_viewer paints the frame's number.
"""
import contextlib
import socket
import struct
import threading
import time

from lib import spice_wire

SURFACE, TOP, LEFT = 0, 1, 2  # of SpiceMsgDisplayBase, the first words of what is drawn


class Watcher:
    """A client in a thread, until close()."""

    def __init__(self, address):
        self.viewer = spice_wire.Viewer(address)
        self.frames, self.bytes = [], []  # when each came
        self.failed = None
        self.threads = [threading.Thread(target=each) for each in (self._watch, self._hear_main)]
        for each in self.threads:
            each.start()

    def _watch(self):
        try:
            while True:
                kind, body = self.viewer.display.hear()
                now = time.monotonic()
                self.bytes.append((now, len(body)))
                if kind == spice_wire.DRAW_COPY and struct.unpack_from("<Iii", body)[1:] == (0, 0):
                    self.frames.append(now)
        except (OSError, EOFError) as error:
            self.failed = error

    def _hear_main(self):
        """planecast cuts off who takes nothing, on any channel."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                self.viewer.main.hear()

    def since(self, begun):
        """How many frames and bytes came since."""
        return (sum(when >= begun for when in self.frames),
                sum(size for when, size in self.bytes if when >= begun))

    def close(self):
        for channel in (self.viewer.display, self.viewer.main):
            with contextlib.suppress(OSError):
                channel.sock.shutdown(socket.SHUT_RDWR)
        for each in self.threads:
            each.join()
        self.viewer.close()
