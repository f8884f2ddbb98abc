# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS by VeNCrypt: what a stock viewer sees through it, and whom it keeps out."""
import hashlib
import os
import re
import shutil
import ssl
import unittest.mock

from lib import host, pattern, rfb, viewer

DEVICE = "sim:mode=320x240,pattern=bars,frame=4,cursor=off"
EXPECTED = pattern.bars(320, 240, 4)
PASSWORD = "hushhush"
VNCPASSWD = bytes.fromhex("99d2d67e36a4f15b")  # what `vncpasswd -f` makes of it
X509_NONE = b"\0\0\1\4"


class Tls(host.Test):
    def setUp(self):
        super().setUp()
        self.state = self.path("state")
        patch = unittest.mock.patch.dict(os.environ, STATE_DIRECTORY=self.state)
        patch.start()
        self.addCleanup(patch.stop)

    def certificate(self, name="certificate.pem"):
        return os.path.join(self.state, name)

    def serve_secret(self, *options, **more):
        path = self.path("password")
        with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(PASSWORD + "\n")
        return self.serve(DEVICE, "--password-file", path, *options, **more)

    def view(self, server, *options):
        """The security type that TigerVNC's viewer chose, once it has shown every pixel."""
        screen, client = viewer.watch(self, server.address, "-X509CA", self.certificate(),
                                      *options)
        self.assert_same(viewer.await_picture(screen, client, EXPECTED), EXPECTED, client.log)
        return viewer.chosen_security(client.log)

    @staticmethod
    def secured(server):
        """A TLS connection to a server without passwords, after VeNCrypt's first words."""
        sock = rfb.connect(server.address)
        stream = sock.makefile("rb", buffering=0)
        stream.read(12)
        sock.sendall(b"RFB 003.008\n\x13\0\2" + X509_NONE)
        kinds = stream.read(stream.read(1)[0])
        answer = stream.read(2) + stream.read(2) + stream.read(4) + stream.read(1)
        if 19 not in kinds or answer != b"\0\2\0\1" + X509_NONE + b"\1":
            raise AssertionError(f"no VeNCrypt: {kinds} {answer}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(sock)

    def fingerprint(self, server):
        with self.secured(server) as sock:
            digest = hashlib.sha256(sock.getpeercert(binary_form=True)).hexdigest().upper()
        return ":".join(re.findall("..", digest))

    def test_vncviewer_sees_every_pixel_by_x509vnc(self):
        server = self.serve_secret("--tls")
        self.assertEqual(self.view(server, "-passwd", viewer.password_file(self, VNCPASSWD)),
                         "X509Vnc")

    def test_vncviewer_sees_every_pixel_by_x509none(self):
        self.assertEqual(self.view(self.serve(DEVICE, "--tls")), "X509None")

    def test_the_printed_fingerprint_is_that_of_the_certificate_and_stays(self):
        said = set()
        for _ in range(2):
            server = self.serve(DEVICE, "--tls")
            said.add(self.fingerprint(server))
            server.stop()
            said.add(re.search(r"SHA-256 ([0-9A-F:]+)", server.log).group(1))
        self.assertEqual(len(said), 1, said)
        self.assertEqual(os.stat(self.certificate("key.pem")).st_mode & 0o777, 0o600)

    def pair(self, name):
        """The paths of a new certificate and its key."""
        made = [self.certificate(), self.certificate("key.pem")]
        for path in made:
            if os.path.exists(path):
                os.unlink(path)
        self.serve(DEVICE, "--tls").stop()
        moved = [self.path(f"{name}.pem"), self.path(f"{name}.key")]
        for source, target in zip(made, moved):
            os.rename(source, target)
        return moved

    def check_replaced(self, names, paths):
        """A server with the certificate of these names, which the paths are of."""
        new = self.pair("new")
        server = self.serve(DEVICE, "--tls-cert", names[0], "--tls-key", names[1])
        old = self.fingerprint(server)
        for source, target in zip(new, paths):
            shutil.copy(source, target)
        now = self.fingerprint(server)
        self.assertNotEqual(now, old)
        server.stop()
        self.assertIn(f"tls: certificate {names[0]}, SHA-256 {old}\n", server.log)
        self.assertIn(f"{names[0]}: read again, SHA-256 {now}\n", server.log)

    def test_a_certificate_that_was_replaced_serves_at_once(self):
        mine = self.pair("mine")
        self.check_replaced(mine, mine)

    def test_a_credential_that_was_replaced_serves_at_once(self):
        mine = self.pair("mine")
        with unittest.mock.patch.dict(os.environ, CREDENTIALS_DIRECTORY=self.scratch):
            self.check_replaced(("cred:mine.pem", "cred:mine.key"), mine)

    def test_a_certificate_comes_by_descriptors(self):
        paths = self.pair("mine")
        with open(paths[0], "rb") as file, open(paths[1], "rb") as key:
            fds = file.fileno(), key.fileno()
            server = self.serve(DEVICE, "--tls-cert", f"fd:{fds[0]}", "--tls-key", f"fd:{fds[1]}",
                                pass_fds=fds)
        said = set()
        for _ in range(2):
            said.add(self.fingerprint(server))
        server.stop()
        said.add(re.search(r"SHA-256 ([0-9A-F:]+)", server.log).group(1))
        self.assertEqual(len(said), 1, said)

    def test_a_certificate_is_for_all_to_read_and_its_key_is_not(self):
        paths = self.pair("mine")
        os.chmod(paths[0], 0o644)
        self.serve(DEVICE, "--tls-cert", paths[0], "--tls-key", paths[1]).stop()
        os.chmod(paths[1], 0o644)
        result = self.planecast("serve", DEVICE, "--vnc", f"unix:{self.path('s')}", "--tls-cert",
                                paths[0], "--tls-key", paths[1], code=4)
        self.assertIn(f"{paths[1]}: others may read", result.err)

    def test_a_network_may_be_for_tls_alone(self):
        server = self.serve_secret("--tls-only", vnc=f"0.0.0.0:{host.free_port()}")
        with rfb.connect(server.address) as sock:
            stream = sock.makefile("rb")
            stream.read(12)
            sock.sendall(b"RFB 003.008\n")
            self.assertEqual(stream.read(2), b"\1\x13")
        self.assertNotIn("not encrypted", server.log)

    def test_bad_certificates_are_refused(self):
        path = self.path("nonsense")
        with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write("nonsense")
        for code, words, *options in ((2, "it takes PEM", "--tls-cert", path),
                                      (2, "no-such", "--tls-cert", "/no-such"),
                                      (2, "--tls-cert", "--tls-key", path)):
            result = self.planecast("serve", DEVICE, "--vnc", f"unix:{self.path('s')}", *options,
                                    code=code)
            self.assertIn(words, result.err)

    def test_a_folder_that_cannot_be_made_is_told(self):
        os.environ["STATE_DIRECTORY"] = "/proc/no-such"
        result = self.planecast("serve", DEVICE, "--vnc", f"unix:{self.path('s')}", "--tls",
                                code=2)
        self.assertIn("give --tls-cert FILE", result.err)
