# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's agent behind QEMU's character device: messages of spice-protocol's spice/vd_agent.h."""
import os
import queue
import socket
import struct
import threading

from . import host

MONITORS_CONFIG, CLIPBOARD, CAPABILITIES, GRAB, REQUEST = 2, 4, 6, 7, 8
CAN_RESIZE, CAN_COPY, LINES_END_LF = 1 << 1, 1 << 5, 1 << 8
UTF8 = 1
CLIENT_PORT = 1


def message(kind, body, protocol=1, port=CLIENT_PORT):
    whole = struct.pack("<IIQI", protocol, kind, 0, len(body)) + body
    pieces = (whole[at:at + 2048] for at in range(0, len(whole), 2048))
    return b"".join(struct.pack("<II", port, len(piece)) + piece for piece in pieces)


class Agent:
    """Listens like QEMU does, and answers like spice-vdagent, until close()."""

    def __init__(self, path, capabilities=CAN_RESIZE | CAN_COPY | LINES_END_LF):
        self.path, self.capabilities, self.text = path, capabilities, ""
        self.sizes, self.texts, self.peer = queue.Queue(), queue.Queue(), None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(1)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            while True:
                self.peer, _ = self._listener.accept()
                self._talk(self.peer)
        except OSError:
            pass

    def _talk(self, peer):
        words = b""
        file = peer.makefile("rb")
        while True:
            head = file.read(8)
            if len(head) < 8:
                return
            words += file.read(struct.unpack("<II", head)[1])
            while len(words) >= 20 and len(words) >= 20 + struct.unpack_from("<I", words, 16)[0]:
                size = struct.unpack_from("<I", words, 16)[0]
                self._hear(struct.unpack_from("<I", words, 4)[0], words[20:20 + size])
                words = words[20 + size:]

    def _hear(self, kind, body):
        if kind == CAPABILITIES and struct.unpack_from("<I", body)[0]:
            self.say(CAPABILITIES, struct.pack("<II", 0, self.capabilities))
        elif kind == GRAB:
            self.say(REQUEST, struct.pack("<I", UTF8))
        elif kind == REQUEST:
            self.say(CLIPBOARD, struct.pack("<I", UTF8) + self.text.encode())
        elif kind == CLIPBOARD:
            self.texts.put(body[4:].decode())
        elif kind == MONITORS_CONFIG:
            height, width = struct.unpack_from("<II", body, 8)
            self.sizes.put((struct.unpack_from("<I", body)[0], width, height))

    def say(self, kind, body):
        self.peer.sendall(message(kind, body))

    def copy(self, text):
        """The guest's user copies something."""
        self.text = text
        self.say(GRAB, struct.pack("<I", UTF8))

    def next_text(self):
        return self.texts.get(timeout=host.PATIENCE)

    def next_size(self):
        return self.sizes.get(timeout=host.PATIENCE)

    def close(self):
        """As if QEMU had ended."""
        os.unlink(self.path)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self.peer:
            self.peer.shutdown(socket.SHUT_RDWR)
            self.peer.close()
