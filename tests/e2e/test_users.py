# SPDX-License-Identifier: GPL-2.0-or-later
"""Users with names and hashed passwords: by X509Plain in a stock viewer, by Plain in a browser."""
import json
import os
import shutil
import socket
import ssl
import struct
import unittest
import unittest.mock

from lib import host, page, pattern, rfb, viewer, websocket

DEVICE = "sim:mode=320x240,pattern=bars,frame=4,cursor=off"
EXPECTED = pattern.bars(320, 240, 4)
FULL, WATCH = "correct horse battery staple", "nur schauen, nicht anfassen: äöü"
PLAIN, X509_VNC, X509_PLAIN = 256, 261, 262
WRONG = "wrong name or password"


def mkpasswd(password, method):
    if not shutil.which("mkpasswd"):
        raise unittest.SkipTest("mkpasswd is missing (apt-get install whois)")
    done = host.run("mkpasswd", "-m", method, password)
    if done.code:
        raise AssertionError(f"mkpasswd: {done.err}")
    return done.out.decode().strip()


class Plain:
    """A client that has chosen VeNCrypt, and then a sub-type of it."""

    def __init__(self, address):
        self.sock = rfb.connect(address)

    def read(self, count):
        got = bytearray(count)
        view = memoryview(got)
        while view:
            size = self.sock.recv_into(view)
            if not size:
                raise rfb.Closed("end of stream")
            view = view[size:]
        return bytes(got)

    def kinds(self):
        """The security types that are offered; none with a refusal, which is still to be read."""
        self.read(12)
        self.sock.sendall(b"RFB 003.008\n")
        return list(self.read(self.read(1)[0]))

    def subtypes(self):
        if 19 not in (kinds := self.kinds()):
            raise AssertionError(f"no VeNCrypt: {kinds}")
        self.sock.sendall(b"\x13")
        self.read(2)
        self.sock.sendall(b"\0\2")
        status, count = self.read(2)
        return list(struct.unpack(f">{count}I", self.read(4 * count))) if not status else []

    def secure(self, subtype):
        self.sock.sendall(struct.pack(">I", subtype))
        if self.read(1) != b"\1":
            raise AssertionError("the sub-type was not accepted")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock)

    def words(self):
        return self.read(struct.unpack(">I", self.read(4))[0]).decode()

    def prove(self, name, password):
        """What the server answers to that; empty if it lets the client in."""
        name, password = name.encode(), password.encode()
        self.sock.sendall(struct.pack(">II", len(name), len(password)) + name + password)
        return self.words() if self.read(4) != b"\0\0\0\0" else ""

    def close(self):
        self.sock.close()


class Users(page.Test):
    def setUp(self):
        host.Test.setUp(self)
        self.state = self.path("state")
        patch = unittest.mock.patch.dict(os.environ, STATE_DIRECTORY=self.state)
        patch.start()
        self.addCleanup(patch.stop)

    def secret(self, name, text, mode=0o600):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def users_file(self):
        return self.secret("users", f"# who may come in\nalice:{mkpasswd(FULL, 'yescrypt')}\n"
                                    f"bob:{mkpasswd(WATCH, 'sha512crypt')}:view-only\n")

    def serve_users(self, *options, web=None, **more):
        return host.Test.serve(self, DEVICE, "--tls", "--users-file", self.users_file(), *options,
                               web=web, **more)

    def pam_service(self):
        """A service of the machine's, until the end of the test, that knows alice by FULL."""
        if "--pam" not in self.planecast("serve", "--help").out.decode():
            self.skipTest("built without PAM")
        if os.geteuid():
            self.skipTest("only root makes a service of PAM's")
        script = self.secret("script", "#!/bin/sh\n[ \"$PAM_USER\" = alice ] && "
                             f"[ \"$(tr -d '\\0')\" = '{FULL}' ] && [ -r /etc/shadow ]\n", 0o700)
        service = f"/etc/pam.d/planecast-test-{os.getpid()}"
        self.addCleanup(os.unlink, service)
        with open(service, "w", encoding="ascii") as file:
            file.write(f"auth required pam_exec.so expose_authtok quiet {script}\n"
                       "account required pam_permit.so\n")
        return os.path.basename(service)

    def view(self, server, *options, **variables):
        return viewer.watch(self, server.address, "-X509CA",
                            os.path.join(self.state, "certificate.pem"), *options, **variables)

    def guess(self, server, name, password):
        client = Plain(server.address)
        self.addCleanup(client.close)
        if not client.kinds():
            return client.words()
        client.sock.sendall(b"\x13")
        client.read(2)
        client.sock.sendall(b"\0\2")
        client.read(client.read(2)[1] * 4)
        client.secure(X509_PLAIN)
        return client.prove(name, password)

    def test_vncviewer_sees_every_pixel_by_x509plain(self):
        server = self.serve_users()
        for name, password in (("alice", FULL), ("bob", WATCH)):
            screen, client = self.view(server, VNC_USERNAME=name, VNC_PASSWORD=password)
            self.assert_same(viewer.await_picture(screen, client, EXPECTED), EXPECTED, client.log)
            self.assertEqual(viewer.chosen_security(client.log), "X509Plain")
            client.close()
        server.stop()
        self.assertIn("is the user alice\n", server.log)
        self.assertIn("is the user bob\n", server.log)
        self.assertEqual(server.log.count("connected, to watch"), 1)
        self.assertNotIn(FULL, server.log)

    def test_the_status_tells_who_is_there(self):
        control = self.path("control")
        server = self.serve_users("--control", f"unix:{control}")
        screen, client = self.view(server, VNC_USERNAME="bob", VNC_PASSWORD=WATCH)
        self.assert_same(viewer.await_picture(screen, client, EXPECTED), EXPECTED, client.log)
        status = json.loads(self.planecast("status", control, "--json").out)
        told = [(one["user"], one["security"], one["view_only"])
                for sink in status["sinks"] for one in sink["clients"]]
        self.assertEqual(told, [("bob", "tls plain", True)])
        self.assertIn(" bob ", self.planecast("status", control).out.decode())

    def test_vncviewer_is_told_that_it_is_refused(self):
        server = self.serve_users()
        for name, password in (("alice", WATCH), ("mallory", FULL)):
            client = self.view(server, VNC_USERNAME=name, VNC_PASSWORD=password)[1]
            client.wait()
            self.assertIn(WRONG, client.log)
            self.assertEqual(viewer.chosen_security(client.log), "X509Plain")
        server.stop()
        self.assertEqual(server.log.count(f"refused: {WRONG}"), 2)
        for secret in (WATCH, FULL, "mallory"):
            self.assertNotIn(secret, server.log)

    def test_a_viewer_may_choose_the_password_instead(self):
        server = self.serve_users("--password-file", self.secret("password", "hushhush\n"))
        secret = viewer.password_file(self, bytes.fromhex("99d2d67e36a4f15b"))
        screen, client = self.view(server, "-SecurityTypes=X509Vnc,VncAuth", "-passwd", secret)
        self.assert_same(viewer.await_picture(screen, client, EXPECTED), EXPECTED, client.log)
        self.assertEqual(viewer.chosen_security(client.log), "X509Vnc")

    def test_strangers_hear_what_guessers_hear_and_both_have_to_wait(self):
        server = self.serve_users()
        self.assertEqual(self.guess(server, "alice", "guess"), WRONG)
        self.assertEqual(self.guess(server, "mallory", "guess"), WRONG)
        for _ in range(30):
            if "too many wrong passwords" in self.guess(server, "mallory", FULL):
                return
        self.fail("30 guesses, and no end of them")

    def test_who_is_taken_out_of_the_file_does_not_come_in(self):
        server = self.serve_users()
        self.assertEqual(self.guess(server, "alice", FULL), "")
        self.secret("users", f"carol:{mkpasswd(FULL, 'yescrypt')}\n")
        self.assertEqual(self.guess(server, "alice", FULL), WRONG)
        self.assertEqual(self.guess(server, "carol", FULL), "")
        server.stop()
        self.assertIn("read again, users: 1\n", server.log)

    def test_names_are_asked_for_under_tls_alone(self):
        server = self.serve_users("--vnc", f"unix:{self.path('socket')}", listeners=2)
        for address in server.addresses:
            client = Plain(address)
            self.assertEqual(client.kinds(), [19])
            client.close()
            client = Plain(address)
            self.assertEqual(client.subtypes(), [X509_PLAIN])
            client.sock.sendall(struct.pack(">I", PLAIN))
            self.assertEqual(client.read(1), b"\0")
            client.close()
        result = self.planecast("serve", DEVICE, "--users-file", self.users_file(), code=2)
        self.assertIn("--users-file needs --tls", result.err)

    def test_a_network_is_served_with_users(self):
        server = self.serve_users(vnc=f"0.0.0.0:{host.free_port()}")
        self.assertNotIn("not encrypted", server.log)
        self.assertEqual(self.guess(server, "alice", FULL), "")

    def test_files_that_are_no_users_are_refused(self):
        good = mkpasswd("guess", "yescrypt")
        for code, words, text, mode in ((2, "line 2: not a hash", f"a:{good}\nb:sesame\n", 0o600),
                                        (2, "no users", "# nobody\n", 0o600),
                                        (4, "chmod 600", f"a:{good}\n", 0o644)):
            result = self.planecast("serve", DEVICE, "--vnc", f"unix:{self.path('s')}", "--tls",
                                    "--users-file", self.secret("bad", text, mode), code=code)
            self.assertIn(words, result.err)
            self.assertNotIn("sesame", result.err)
            self.assertNotIn(good, result.err)

    def test_users_of_pam_come_in(self):
        """Its modules have rights that the server has given up: the script reads /etc/shadow."""
        service = self.pam_service()
        server = host.Test.serve(self, DEVICE, "--tls", "--pam", service)
        screen, client = self.view(server, VNC_USERNAME="alice", VNC_PASSWORD=FULL)
        self.assert_same(viewer.await_picture(screen, client, EXPECTED), EXPECTED, client.log)
        self.assertEqual(viewer.chosen_security(client.log), "X509Plain")
        for name, password in (("alice", WATCH), ("mallory", FULL)):
            self.assertEqual(self.guess(server, name, password), WRONG)
        result = self.planecast("serve", DEVICE, "--pam", service, code=2)
        self.assertIn("--pam needs --tls", result.err)
        result = self.planecast("serve", DEVICE, "--tls", "--pam", "../passwd", code=2)
        self.assertIn("not the name of a file in /etc/pam.d", result.err)
        result = self.planecast("serve", DEVICE, "--tls", "--pam", "no-such-service", code=2)
        self.assertIn('"no-such-service" is not the name of a file in /etc/pam.d', result.err)

    def test_users_come_by_an_encrypted_websocket_and_by_a_proxy(self):
        path = self.path("web.sock")
        server = self.serve_users("--web", f"unix:{path}", web=page.LOOPBACK)
        client = Plain(server.page)
        self.assertEqual(client.subtypes(), [PLAIN])
        client.sock.sendall(struct.pack(">I", PLAIN))
        self.assertEqual(client.prove("bob", WATCH), "")
        client.close()
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(host.PATIENCE)
            sock.connect(path)
            head = "".join(f"{name}: {value}\r\n" for name, value in websocket.UPGRADE.items())
            sock.sendall(f"GET {websocket.PATH} HTTP/1.1\r\nHost: proxied.example\r\n{head}"
                         f"Sec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
            stream = sock.makefile("rb")
            self.assertIn(b"101", stream.readline())
            while stream.readline() != b"\r\n":
                pass
            self.assertEqual(stream.read(2 + 12)[2:], b"RFB 003.008\n")
            sock.sendall(b"\x82\x8c\0\0\0\0RFB 003.008\n")
            self.assertEqual(stream.read(2 + 2)[2:], b"\1\x13")

    @unittest.skipUnless(os.path.exists(f"{page.NOVNC}/core/rfb.js"),
                         "noVNC is missing (apt-get install novnc)")
    def test_a_browser_asks_for_a_name_and_shows_every_pixel(self):
        server = self.serve_users(web=page.LOOPBACK)
        window = self.browse(f"{server.page}?quality=lossless")
        window.wait("document.body.dataset.state === 'login'", "the page asks")
        self.assertFalse(window.run("document.getElementById('username-row').hidden"))
        self.assertIn("a name and a password",
                      window.run("document.getElementById('message').textContent"))
        window.run("document.getElementById('username').value = 'bob';"
                   f"document.getElementById('password').value = '{WATCH}';"
                   "document.querySelector('#login button').click()")
        window.wait("document.body.dataset.state === 'connected'", "the page connects")
        self.wait_for_picture(window, EXPECTED)
        self.assertEqual(window.complaints(), [])
        server.stop()
        self.assertIn("is the user bob\n", server.log)


if __name__ == "__main__":
    unittest.main()
