# SPDX-License-Identifier: GPL-2.0-or-later
"""Metrics for Prometheus: by HTTP and by `planecast status`."""
import http.client
import os
import re
import socket
import time

from lib import host, prometheus, rfb

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEVICE = "sim:mode=320x240,pattern=video,fps=20,damage=none"


class Unix(http.client.HTTPConnection):
    """HTTP on a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=host.PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Metrics(host.Test):
    def start(self, *options, **more):
        self.address = f"127.0.0.1:{host.free_port()}"
        self.control = self.path("control.sock")
        server = self.serve(DEVICE, "--control", f"unix:{self.control}", "--metrics", self.address,
                            "--metrics", f"unix:{self.path('metrics')}", *options, **more)
        self.until(lambda: "metrics: listening on unix:" in server.log, "it does not listen")
        return server

    def until(self, holds, what):
        end = time.monotonic() + host.PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def ask(self, connection=None, method="GET", path="/metrics", body=None, **headers):
        connection = connection or http.client.HTTPConnection(self.address, timeout=host.PATIENCE)
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    def metrics(self):
        answer, text = self.ask()
        self.assertEqual(answer.status, 200, text)
        self.assertEqual(answer.headers["Content-Type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        return prometheus.parse(text)

    def value(self, name, **labels):
        return self.metrics()[name].samples[(name, tuple(sorted(labels.items())))]

    def test_count_what_a_viewer_gets(self):
        server = self.start()
        info = self.metrics()["planecast_info"].samples
        (_, labels), = info
        self.assertEqual(dict(labels)["device"], DEVICE)
        self.assertEqual(self.value("planecast_pacer_state", state="asleep"), 1)
        self.assertEqual(self.value("planecast_read_bytes_total"), 0)
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            for _ in range(5):
                client.update()
            self.until(lambda: self.value("planecast_sent_updates_total", sink="vnc") >= 6,
                       "updates do not count")
            found = self.metrics()
            one = ("planecast_clients", (("sink", "vnc"),))
            self.assertEqual(found["planecast_clients"].samples[one], 1)
            self.assertEqual(found["planecast_mode_width_pixels"].samples[
                ("planecast_mode_width_pixels", ())], 320)
            passes = found["planecast_passes_total"].samples[("planecast_passes_total", ())]
            self.assertGreaterEqual(passes, 6)
            self.assertEqual(found["planecast_read_seconds"].samples[
                ("planecast_read_seconds_count", ())], passes)
            self.assertGreaterEqual(self.value("planecast_sent_bytes_total", sink="vnc"),
                                    6 * 320 * 240)
            before = self.value("planecast_sent_bytes_total", sink="vnc")
        self.until(lambda: self.value("planecast_clients", sink="vnc") == 0, "it stays")
        # What was sent to who has gone stays counted: a counter never falls.
        self.assertGreaterEqual(self.value("planecast_sent_bytes_total", sink="vnc"), before)
        self.assertEqual(self.value("planecast_connections_accepted_total", sink="vnc"), 1)

    def test_all_ways_tell_the_same_families_and_they_are_documented(self):
        server = self.start("--spice", f"127.0.0.1:{host.free_port()}")
        with rfb.Client(server.address) as client:
            client.update(incremental=False)
            by_http = self.metrics()
        _, text = self.ask(Unix(self.path("metrics")))
        by_unix = prometheus.parse(text)
        by_status = prometheus.parse(
            self.planecast("status", self.control, "--metrics").out.decode())
        self.assertEqual(list(by_http), list(by_unix))
        self.assertEqual(list(by_http), list(by_status))
        with open(os.path.join(TOP, "doc", "status.md"), encoding="utf-8") as file:
            rows = dict(re.findall(r"^\| `(planecast_\w+)`[^|]*\| (\w+) \|", file.read(), re.M))
        self.assertEqual(rows, {name: family.type for name, family in by_http.items()})

    def test_nothing_else_is_served(self):
        self.start()
        for status, request in ((404, {"path": "/"}), (404, {"path": "/metrics/x"}),
                                (405, {"method": "DELETE"}), (413, {"method": "POST", "body": "x"}),
                                (403, {"Host": "rebound.example"})):
            with self.subTest(status=status, request=request):
                self.assertEqual(self.ask(**request)[0].status, status)
        self.assertEqual(self.ask(method="HEAD")[0].status, 200)
        self.assertEqual(self.ask(Host="localhost:1")[0].status, 200)

    def test_heads_that_are_none_get_nothing(self):
        self.start()
        name, port = self.address.split(":")
        for head in (b"GET /metrics HTTP/1.1\r\nHo\0st: localhost\r\n\r\n", b"\0" * 9 + b"\n\n",
                     b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20000):
            with self.subTest(head=head[:40]), socket.create_connection((name, int(port))) as peer:
                peer.settimeout(host.PATIENCE)
                peer.sendall(head)
                try:
                    self.assertNotIn(b" 200 ", peer.recv(4096))
                except ConnectionResetError:
                    pass
        self.metrics()

    def test_who_says_nothing_makes_room(self):
        self.start()
        name, port = self.address.split(":")
        silent = [socket.create_connection((name, int(port))) for _ in range(30)]
        for half in silent[10:20]:
            half.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
        self.metrics()
        # The oldest made room, or ran out of time: each is cut off in the end.
        for one in silent:
            one.settimeout(host.PATIENCE)
            try:
                while one.recv(4096):
                    pass
            except ConnectionResetError:
                pass
            one.close()
        self.metrics()

    def test_other_machines_are_let_in_by_insecure_alone(self):
        refused = self.planecast("serve", "sim:", "--vnc", f"unix:{self.path('vnc')}", "--metrics",
                                 f"0.0.0.0:{host.free_port()}", code=2)
        self.assertIn("--insecure", refused.err)
        self.address = f"127.0.0.1:{host.free_port()}"
        port = self.address.split(":")[1]
        server = self.serve("sim:mode=64x48", "--insecure", "--metrics", f"0.0.0.0:{port}")
        self.until(lambda: "metrics: listening on 0.0.0.0" in server.log, "it does not listen")
        self.assertEqual(self.ask(Host="planecast.example")[0].status, 200)

    def test_errors_say_what_to_do(self):
        self.planecast("serve", "sim:", "--metrics", "unix:", code=2)
        self.planecast("status", self.path("x.sock"), "--metrics", "--json", code=2)
        self.planecast("status", self.path("x.sock"), "--metrics", code=1)
