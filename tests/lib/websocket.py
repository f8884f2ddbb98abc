# SPDX-License-Identifier: GPL-2.0-or-later
"""The client's side of a WebSocket (RFC 6455) as something like a socket, and raw HTTP requests."""
import base64
import http.client
import os
import socket
import ssl
import struct
import urllib.parse

PATH = "/websockify"
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Protocol": "binary"}


class Refused(Exception):
    """The server did not upgrade; status is its answer."""

    def __init__(self, status):
        super().__init__(f"no WebSocket: HTTP status {status}")
        self.status = status


def dial(page, timeout=20, receive_buffer=0):
    """A connected socket to the host of a page's address, with TLS for https (any certificate)."""
    url = urllib.parse.urlsplit(page)
    sock = socket.socket(socket.AF_INET6 if ":" in url.hostname else socket.AF_INET)
    sock.settimeout(timeout)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect((url.hostname, url.port))
    if url.scheme == "http":
        return sock
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock)


def request(page, path="/", method="GET", headers=None, body=None):
    """One request, its path sent as it is; the response with its body in .body."""
    url = urllib.parse.urlsplit(page)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    connection.sock = dial(page)
    try:
        names = {name.lower() for name in headers or {}}
        connection.putrequest(method, path, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        response.body = b"" if response.status == 101 else response.read()
        return response
    finally:
        connection.close()


class WebSocket:
    """An upgraded connection; recv_into, sendall and close as of a socket."""

    def __init__(self, page, timeout=20, receive_buffer=0, **headers):
        self.sock = dial(page, timeout, receive_buffer)
        self.data, self.eof = b"", False
        self.controls = []  # what came beside the messages: (opcode, payload)
        try:
            self._upgrade(urllib.parse.urlsplit(page), headers)
        except BaseException:
            self.close()
            raise

    def _upgrade(self, url, headers):
        path = f"{url.path}?{url.query}" if url.query else PATH
        fields = {"Host": url.netloc, **UPGRADE,
                  "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
                  **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.sock.sendall((f"GET {path} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.sock.recv(1)
            if not byte:
                raise ConnectionError("closed during the handshake")
            head += byte
        status = int(head.split()[1])
        if status != 101:
            raise Refused(status)

    def send_frame(self, opcode, payload=b"", final=True):
        mask = os.urandom(4)
        length = len(payload)
        head = bytes((opcode | (0x80 if final else 0),))
        if length < 126:
            head += bytes((0x80 | length,))
        elif length < 65536:
            head += struct.pack(">BH", 0xfe, length)
        else:
            head += struct.pack(">BQ", 0xff, length)
        key = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(
            length, "big")
        self.sock.sendall(head + mask + masked)

    def sendall(self, data):
        self.send_frame(BINARY, bytes(data))

    def _exactly(self, count):
        data = bytearray()
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                return None
            data += more
        return bytes(data)

    def _frame(self):
        head = self._exactly(2)
        if head is None:
            return False
        length = head[1] & 0x7f
        if length > 125:
            length = int.from_bytes(self._exactly(2 if length == 126 else 8), "big")
        payload = self._exactly(length) or b""
        if head[0] & 0x0f == BINARY:
            self.data += payload
        else:
            self.controls.append((head[0] & 0x0f, payload))
        return head[0] & 0x0f != CLOSE

    def recv_into(self, view):
        while not self.data and not self.eof:
            self.eof = not self._frame()
        part = self.data[:len(view)]
        view[:len(part)] = part
        self.data = self.data[len(part):]
        return len(part)

    def setsockopt(self, *arguments):
        self.sock.setsockopt(*arguments)

    def fileno(self):
        return self.sock.fileno()

    def reset(self):
        """Breaks the connection without a word."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.sock.close()
