#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the inputs that the fuzzers begin with: tests/fuzz/corpus/TARGET/NAME.

What a fuzzer has broken lies beside them, under the name of what it was. How each target reads its
input is said at the top of its source.
"""
import os
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lib.recording import Recording  # noqa: E402  pylint: disable=wrong-import-position

CORPUS = os.path.join(HERE, "corpus")
XR24, RG16, C8, YUYV = (int.from_bytes(name, "little") for name in (b"XR24", b"RG16", b"C8  ",
                                                                    b"YUYV"))
LINEAR, X, Y, YF, TILE4 = 0, *((1 << 56) | number for number in (1, 2, 3, 9))


def write(target, name, data):
    folder = os.path.join(CORPUS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def noise(size, seed=1):
    data = bytearray()
    for _ in range(size):
        seed = (seed * 1103515245 + 12345) & 0x7fffffff
        data.append(seed >> 16 & 255)
    return bytes(data)


def planes():
    def plane(name, fourcc, modifier, width, height, stride, size):
        write("plane", name, struct.pack("<IQIIIB", fourcc, modifier, width, height, stride, 0) +
              noise(size))

    plane("linear", XR24, LINEAR, 17, 9, 68, 9 * 68)
    plane("linear-rgb565", RG16, LINEAR, 70, 5, 140, 5 * 140)
    plane("linear-c8", C8, LINEAR, 33, 4, 40, 160)
    plane("linear-yuyv", YUYV, LINEAR, 31, 3, 64, 192)
    plane("x", XR24, X, 100, 8, 512, 4096)
    plane("y", XR24, Y, 32, 32, 128, 4096)
    plane("yf", XR24, YF, 20, 10, 128, 4096)
    plane("4", XR24, TILE4, 32, 20, 128, 4096)
    plane("no-stride", XR24, LINEAR, 1, 1, 0, 4)


def status_pages():
    def page(name, *looks, tracked=1, sequence=0, width=639, height=479):
        write("status_page", name, struct.pack("<BQHH", tracked, sequence, width, height) +
              b"".join(struct.pack("<HB", offset, len(data)) + data for offset, data in looks))

    def record(number, *rect):
        return 88 + number % 64 * 24, struct.pack("<QIIII", number, *rect)

    def count(number):
        return 80, struct.pack("<Q", number)

    page("damage", record(0, 1, 2, 3, 4), count(1), record(1, 600, 400, 100, 100), count(2))
    page("far-behind", count(1000))
    page("backwards", count(5), count(3), sequence=4)
    page("odd-lock", (12, struct.pack("<I", 1)))
    page("leaving", (20, struct.pack("<I", 3)))
    page("another-mode", (48, struct.pack("<Q", 9)), count(1))
    page("huge-rectangle", record(0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff), count(1))
    page("not-mplane", (0, b"abcd"), tracked=0)


def edids():
    def region(name, width, height, size, offset, room, most_x=0, most_y=0, answers=b""):
        write("edid", name, struct.pack("<IIQIIIIII", width, height, size, offset, room, 0, 1,
                                        most_x, most_y) + answers)

    region("mode", 1920, 1080, 4096, 256, 256)
    region("large-mode", 7680, 4320, 4096, 256, 1024)
    region("one-block", 5000, 3000, 4096, 256, 128)
    region("beyond", 2560, 1440, 4096, 256, 256, 1920, 1080)
    region("outside", 1024, 768, 4096, 4000, 256)
    region("short-region", 1024, 768, 8, 0, 0)
    region("refused", 1024, 768, 4096, 256, 256, answers=b"\0\1\0\1")


def recordings():
    describe = Recording.description
    small = describe(XR24, LINEAR, 4, 4, 16, 64)
    tiled = describe(XR24, X, 128, 16, 512, 8192)
    whole = zlib.compress(noise(64))
    tiles = zlib.compress(bytes(8192))
    changed = zlib.compress(bytes(4096))
    write("recording", "still", Recording().record(1, 1, small + whole).record(4, 1)
          .record(6, 0).data)
    write("recording", "off", Recording().record(5, 1, b"switched off").record(6, 0).data)
    write("recording", "delta", Recording().record(1, 1, tiled + tiles)
          .record(2, 1, tiled + b"\2" + changed).record(6, 0).data)
    write("recording", "cursor", Recording().record(1, 2, small + whole).record(1, 1, tiled + tiles)
          .record(3, 2, small).record(4, 1).record(5, 2).record(4, 1).record(6, 0).data)
    write("recording", "cut-short", Recording().record(1, 1, small + whole).record(4, 1).data[:-3])
    write("recording", "too-few-bytes", Recording().record(1, 1, tiled + whole).data)


def monitors():
    def monitor(name, *pieces):
        data = b""
        for what, text in pieces:
            text = text if isinstance(text, bytes) else text.encode()
            data += struct.pack("<HB", len(text), what) + text
        write("qmp", name, data)

    greeting = (0, '{"QMP": {"version": {}, "capabilities": []}}\r\n')
    done = (5, '{"return": {}}\r\n')
    mice = (3, '{"return": [{"name": "t", "current": true, "absolute": true}]}\r\n')
    monitor("greeting", greeting, done, mice, done, done)
    monitor("two-values", greeting, (5, '{"return": []} {"return": {}}\r\n'), done)
    monitor("flood", greeting, done, mice, (0x87, ""), done, (0xc7, ""), done, done)
    monitor("refusal", greeting, done, (1, '{"error": {"class": "GenericError", "desc": "x"}}\n'))
    monitor("event", greeting, done, (1, '{"event": "RESET", "data": {"guest": true}}\n'))
    monitor("odd-mice", greeting, done, (1, '{"return": [1, null, {"current": 5}, {}]}\n'))
    monitor("deep", (0, "[" * 100 + "\n"))
    monitor("no-json", (0, "SSH-2.0-OpenSSH\r\n"))
    monitor("halves", (1, greeting[1][:20]), (2, greeting[1][20:] + done[1][:5]),
            (2, done[1][5:]))
    monitor("not-utf-8", (0, b'{"QMP": "\xff\xfe"}\n'))


def list_of_encodings(*encodings):
    return struct.pack(f">BxH{len(encodings)}i", 2, len(encodings), *encodings)


def set_format(bits=32, depth=24, big=0, true=1, maxima=(255, 255, 255), shifts=(16, 8, 0)):
    return struct.pack(">B3xBBBBHHHBBB3x", 0, bits, depth, big, true, *maxima, *shifts)


def request(incremental=1, width=64, height=48):
    return struct.pack(">BBHHHH", 3, incremental, 0, 0, width, height)


def cut_text(text):
    return struct.pack(">B3xi", 6, len(text)) + text


def extended_cut_text(flags, body=b""):
    body = struct.pack(">I", flags) + body
    return struct.pack(">B3xi", 6, -len(body)) + body


def copied(text):
    return extended_cut_text(1 << 28 | 1,
                             zlib.compress(struct.pack(">I", len(text) + 1) + text + b"\0"))


EXTENDED_CLIPBOARD = -0x3f5e1a32
ALL_ENCODINGS = (7, 16, 6, 5, 2, 0, -223, -308, -224, -239, -240, -314, -232, -258, -261, -307,
                 -312, -313, -316, -250, -32, EXTENDED_CLIPBOARD)
FENCE = struct.pack(">B3xIB", 248, 1 << 31 | 7, 4) + b"ping"
CONTINUOUS = struct.pack(">BBHHHH", 150, 1, 0, 0, 64, 48)
DESKTOP_SIZE = struct.pack(">BxHHBxIHHHHI", 251, 800, 600, 1, 0, 0, 0, 800, 600, 0)
KEYS = struct.pack(">BBxxIBBHII", 4, 1, 0x61, 255, 0, 0, 0x62, 48)
POINTER = struct.pack(">BBHHBBHHB", 5, 1, 10, 20, 5, 0x81, 30, 40, 2)


def messages():
    """Names and bytes of what a client may say after ClientInit."""
    return {
        "formats": set_format() + set_format(16, 16, 1, 1, (31, 63, 31), (11, 5, 0)) +
                   set_format(8, 8, 0, 1, (7, 7, 3), (0, 3, 6)) + set_format(8, 8, 0, 0),
        "impossible-format": set_format(16, 16, 0, 1, (255, 255, 255), (16, 8, 0)),
        "request": list_of_encodings(0) + request(0) + request(1),
        "all-encodings": list_of_encodings(*ALL_ENCODINGS) + request(0) + request(1),
        "many-encodings": struct.pack(">BxH", 2, 65535) + bytes(400),
        "fence": list_of_encodings(*ALL_ENCODINGS) + FENCE + CONTINUOUS + FENCE,
        "fence-too-large": list_of_encodings(-312) + struct.pack(">B3xIB", 248, 0, 65),
        "keys": list_of_encodings(-258) + KEYS,
        "pointer": list_of_encodings(-316) + POINTER,
        "desktop-size": list_of_encodings(-308) + DESKTOP_SIZE + request(0),
        "copy": cut_text(b"caf\xe9\r\n") + cut_text(b""),
        "copy-extended": list_of_encodings(EXTENDED_CLIPBOARD) +
                         extended_cut_text(1 << 24 | 31 << 25 & 0x1f000000 | 1,
                                           struct.pack(">I", 1 << 20)) +
                         copied("gr\u00fc\u00df dich\r\n".encode()) +
                         extended_cut_text(1 << 25 | 1) + extended_cut_text(1 << 26),
        "copy-bomb": list_of_encodings(EXTENDED_CLIPBOARD) + copied(bytes(100000)),
        "copy-for-ever": struct.pack(">B3xi", 6, 0x7fffffff) + b"x" * 100,
        "unknown": b"\x80",
        **{f"encoding-{number}": list_of_encodings(number, *ALL_ENCODINGS[6:]) + request(0) +
           request(1) for number in (0, 2, 4, 5, 6, 7, 9, 16, 17)},
    }


def parsers():
    for name, data in messages().items():
        write("vnc_parser", name, struct.pack("<H", len(data)) + data)


PLAIN, FRAMES, BROWSER, TLS, WEB_TLS = range(5)
USERS, PASSWORD, WITH_TLS = 0x20, 0x40, 0x80
HELLO = b"RFB 003.008\n\1\1"
# What the password "full" makes of a challenge of zeros, by DES.
FULL = bytes.fromhex("c7464633b164d339") * 2


def user(name, password, *lengths):
    """VeNCrypt's Plain; its lengths may lie."""
    return struct.pack(">II", *(lengths or (len(name), len(password)))) + name + password


def viewers():
    def viewer(name, way, data, screen=3, cuts=0):
        write("rfb", name, struct.pack("<BBH", way, screen, cuts) + data)

    for name, data in messages().items():
        viewer(name, PLAIN, HELLO + data)
    everything = list_of_encodings(*ALL_ENCODINGS) + request(0) + KEYS + POINTER + FENCE
    viewer("resize", PLAIN, HELLO + list_of_encodings(*ALL_ENCODINGS) + CONTINUOUS +
           request(1) * 9, screen=15, cuts=9)
    viewer("3.3", PLAIN, b"RFB 003.003\n\1" + everything)
    viewer("3.7", PLAIN, b"RFB 003.007\n\1\1" + everything)
    viewer("4.1", PLAIN, b"RFB 004.001\n\1\1" + everything)
    viewer("password", PLAIN | PASSWORD, b"RFB 003.008\n\2" + FULL + b"\1" + everything)
    viewer("wrong-password", PLAIN | PASSWORD, b"RFB 003.008\n\2" + bytes(16) + b"\1")
    viewer("vencrypt", PLAIN | WITH_TLS, b"RFB 003.008\n\x13\0\2\0\0\1\4\x16\3\1\0\5hello")
    viewer("vencrypt-old", PLAIN | WITH_TLS, b"RFB 003.008\n\x13\0\1")
    viewer("tls", TLS, b"\1" + everything)
    viewer("tls-password", TLS | PASSWORD, FULL + b"\1" + everything)
    plain = b"RFB 003.008\n\x13\0\2\0\0\1\0"
    viewer("user", PLAIN | USERS, plain + user(b"fred", b"long password") + b"\1" + everything)
    viewer("user-watches", PLAIN | USERS, plain + user(b"vera", b"") + b"\1" + everything)
    viewer("user-unknown", PLAIN | USERS | PASSWORD, plain + user(b"eve", b"x") + b"rest")
    viewer("user-is-no-name", PLAIN | USERS, plain + user(b"f\n", b"x") + b"\1")
    viewer("user-has-a-zero", PLAIN | USERS, plain + user(b"fr\0d", b"x\0"))
    viewer("user-too-long", PLAIN | USERS, plain + user(b"fred", b"x", 4, 512))
    viewer("user-huge", PLAIN | USERS, plain + user(b"fred", b"x", 0xfffffffc, 5))
    viewer("user-longest", PLAIN | USERS, plain + user(b"f" * 255, b"x" * 511) + b"\1")
    viewer("user-tls", TLS | USERS, user(b"fred", b"long password") + b"\1" + everything)
    viewer("user-browser", BROWSER | USERS, plain + user(b"fred", b"x") + b"\1" + everything)
    viewer("browser", BROWSER, HELLO + everything, cuts=77)
    viewer("browser-tls", WEB_TLS, HELLO + everything, cuts=77)
    viewer("frames", FRAMES, frame(2, HELLO) + frame(9, b"ping") + frame(2, everything) +
           frame(8, b"\3\xe8"))
    viewer("http", PLAIN, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def frame(opcode, payload=b"", mask=b"abcd", final=True, bits=0):
    head = bytes((opcode | bits | (0x80 if final else 0),))
    length = len(payload)
    if length < 126:
        head += bytes((0x80 | length,))
    else:
        head += struct.pack(">BH", 0xfe, length)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def websockets():
    def browser(name, *frames):
        write("websocket", name, b"\7\0" + b"".join(frames))

    browser("messages", frame(2, b"RFB 003.008\n"), frame(2, b"\1"), frame(2, noise(200)))
    browser("fragments", frame(2, b"RFB", final=False), frame(9, b"ping"),
            frame(0, b" 003.008\n"))
    browser("close", frame(2, b"x"), frame(8, struct.pack(">H", 1000) + b"bye"), frame(2, b"y"))
    browser("text", frame(1, b"hello"))
    browser("not-masked", b"\x82\5hello")
    browser("reserved", frame(2, b"x", bits=0x40))
    browser("huge", b"\x82\xff" + b"\x7f" + b"\xff" * 7 + b"abcd" + b"x" * 50)
    browser("long-ping", frame(9, bytes(126)))
    browser("continuation-of-nothing", frame(0, b"x"))


UPGRADE = ("GET /websockify HTTP/1.1\r\nHost: localhost:6080\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n")


def browsers():
    def browser(name, text, local=0, cuts=0):
        write("http", name, struct.pack("<BH", local, cuts) + text.encode())

    browser("page", "GET / HTTP/1.1\r\nHost: localhost:6080\r\n\r\n")
    browser("file", "HEAD /core/rfb.js HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", cuts=3)
    browser("outside", "GET /../etc/passwd HTTP/1.1\r\nHost: [::1]\r\n\r\n")
    browser("encoded", "GET /%2e%2e/%2e%2e/etc HTTP/1.1\r\nHost: localhost\r\n\r\n")
    browser("foreign-host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    browser("body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
    browser("odd-body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length:UTF-8 5\r\n\r\nhello")
    browser("halved-body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-\0Length: x\r\n\r\n")
    browser("chunks", "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nhello\r\n0\r\n\r\n")
    browser("upgrade", UPGRADE.format("Origin: http://localhost:6080\r\n") + "\x02\x03abc")
    browser("foreign-origin", UPGRADE.format("Origin: https://evil.example\r\n"))
    browser("unix", UPGRADE.format(""), local=1, cuts=5)
    browser("two-requests", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
    browser("absolute", "GET http://localhost/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
    browser("tls", "\x16\x03\x01\x02")


def spice_clients():
    behind_tls, changes, resizes = 1, 4, 8
    main, display, inputs, cursor = 1, 2, 3, 4

    def link(channel, capabilities=0xb):
        body = struct.pack("<IBBIII", 0, channel, 0, 1, 0, 18) + struct.pack("<I", capabilities)
        return b"REDQ" + struct.pack("<III", 2, 2, len(body)) + body

    ticket = struct.pack("<I", 1) + bytes(128)

    def message(kind, body=b""):
        return struct.pack("<HI", kind, len(body)) + body

    def client(name, bits, data, cuts=0):
        write("spice", name, struct.pack("<BH", bits, cuts) + data)

    client("main", changes, link(main) + ticket + message(101) + message(104))
    client("main-long-headers", 0, link(main, 0) + ticket[4:] +
           struct.pack("<QHII", 1, 101, 0, 0))
    client("display", changes | resizes, link(display) + ticket +
           message(101, struct.pack("<BQBI", 0, 1 << 20, 0, 1 << 20)), cuts=31)
    client("inputs", 0, link(inputs) + ticket + message(101, struct.pack("<I", 0x1e)) +
           message(102, struct.pack("<I", 0x9e)) + message(111, struct.pack("<iiH", 3, -4, 1)) +
           message(112, struct.pack("<IIHB", 10, 20, 1, 0)) + message(113, b"\1\1\0") +
           message(103, b"\2\0") + message(104, b"\x1e\x9e"))
    client("cursor", changes, link(cursor) + ticket)
    client("tls", behind_tls | changes, link(main) + ticket)
    client("unknown-channel", 0, link(99) + ticket)
    client("capabilities", 0, b"REDQ" + struct.pack("<III", 2, 2, 22) +
           struct.pack("<IBBIIII", 0, 1, 0, 0xffffffff, 2, 18, 8))
    client("huge-link", 0, b"REDQ" + struct.pack("<III", 2, 2, 0xffffffff))
    client("version", 0, b"REDQ" + struct.pack("<III", 9, 9, 18) + bytes(18))
    client("ticket", 0, link(main) + struct.pack("<I", 1) + b"x" * 60)
    client("sasl", 0, link(main) + struct.pack("<I", 2) + struct.pack("<I", 5) + b"PLAIN")
    client("http", 0, b"GET / HTTP/1.1\r\n\r\n")


def words():
    for number, text in enumerate((
            "a127.0.0.1:5900", "a[::1]:auto", "a:1", "aunix:/tmp/x", "afd:3", "a5900", "a*:5900",
            "l127.0.0.1:auto", "l0.0.0.0:5900", "l[::]:5901", "lunix:/nowhere/s", "lfd:0",
            "dmdev:11111111-2222-3333-4444-555555555555", "dpci:0000:00:02.1", "dpid:1",
            "dcdev:/dev/vfio/devices/vfio0", "dfd:5", "dreplay:x.rec,loop", "dsim:mode=64x64",
            "smode=640x480,layout=y,format=RG16,pattern=bars,fps=60,seed=7",
            "smodes=640x480+off+800x600,period=0.5,transport=dmabuf,damage=flag,cursor=on,edid=off",
            "slayout=yf,cycle=64,frame=3,epoch=123456789", "smode=16384x4096,cycle=64",
            "r,frame=3", "r,from=4294967295,loop", "xsecret12\nwatching\n", "x\n", "cmdev:1/2:3",
            "q-qmp\nunix:/run/q,server=on,wait=off", "q-chardev\nsocket,id=m,path=/run/q,,x\n-mon\n"
            "chardev=m,mode=control", "wlocalhost:80\nhttp://localhost:80\n/core/rfb.js",
            "w[::1]\nhttps://evil.example\n/../etc", "wvnc.example.org.\nnull\n//x",
            "p" + "x" * 768,
    )):
        write("words", f"{number:02}", text.encode())


def main():
    planes()
    status_pages()
    edids()
    recordings()
    monitors()
    parsers()
    viewers()
    websockets()
    browsers()
    spice_clients()
    words()


if __name__ == "__main__":
    main()
