# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input: one clear line that names the thing, the right exit code, nothing left behind."""
import os
import re
import socket

from lib import host

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../data/planecast@.service.in")
FAILED, USAGE, NO_DISPLAY, REFUSED = 1, 2, 3, 4
SIM = "sim:mode=64x64"
NOBODY = "mdev:deadbeef-0000-4000-8000-000000000000"

# name: (exit code, a word of the line, arguments)
CASES = {
    "no_verb": (USAGE, "verb"),
    "unknown_verb": (USAGE, "shoot", "shoot"),
    "unknown_option": (USAGE, "--no-such", "screenshot", SIM, "--no-such"),
    "no_device": (USAGE, "DEVICE", "screenshot"),
    "two_devices": (USAGE, "65x65", "screenshot", SIM, "sim:mode=65x65"),
    "unknown_kind_of_device": (USAGE, "floppy:0", "screenshot", "floppy:0"),
    "empty_device": (USAGE, "", "screenshot", ""),
    "truncated_option": (USAGE, "--format", "screenshot", SIM, "--format"),
    "truncated_vnc": (USAGE, "--vnc", "serve", SIM, "--vnc"),
    "unknown_format": (USAGE, "gif", "screenshot", SIM, "--format", "gif"),
    "best_of_what_is_no_png": (USAGE, "ppm", "screenshot", SIM, "--best", "--format", "ppm"),
    "output_without_a_name": (USAGE, "-o FILE", "screenshot", SIM, "-o", ""),
    "recording_without_a_name": (USAGE, "-o FILE", "record", SIM, "-o", ""),
    "palette_without_a_name": (USAGE, "palette", "screenshot", SIM, "--palette", ""),
    "status_of_nothing": (USAGE, "SOCKET", "status", ""),
    "secret_without_a_name": (USAGE, "FILE", "serve", SIM, "--password-file", ""),
    "certificate_without_a_name": (USAGE, "FILE", "serve", SIM, "--tls-cert", ""),
    "unknown_plane": (USAGE, "overlay", "screenshot", SIM, "--plane", "overlay"),
    "wait_that_is_no_number": (USAGE, "soon", "screenshot", SIM, "--wait", "soon"),
    "wait_below_zero": (USAGE, "--wait", "screenshot", SIM, "--wait=-3"),
    "sim_without_a_mode": (USAGE, "mode", "screenshot", "sim:mode="),
    "sim_of_no_size": (USAGE, "mode", "screenshot", "sim:mode=0x0"),
    "sim_of_absurd_size": (USAGE, "mode", "screenshot", "sim:mode=99999x99999"),
    "sim_size_that_wraps": (USAGE, "mode", "screenshot", "sim:mode=4294967360x64"),
    "sim_unknown_layout": (USAGE, "layout", "screenshot", "sim:layout=z"),
    "sim_unknown_key": (USAGE, "colour", "screenshot", "sim:colour=red"),
    "sim_truncated_key": (USAGE, "layout", "screenshot", "sim:layout"),
    "not_a_uuid": (USAGE, "UUID", "screenshot", "mdev:1234"),
    "no_such_mdev": (FAILED, "deadbeef", "screenshot", NOBODY),
    "no_such_pci_device": (FAILED, "ffff", "screenshot", "pci:ffff:ff:1f.7"),
    "not_a_pci_address": (USAGE, "PCI", "screenshot", "pci:1"),
    "pid_that_is_no_number": (USAGE, "pid", "screenshot", "pid:one"),
    "no_such_process": (FAILED, "4194303", "screenshot", "pid:4194303"),
    "process_without_a_display": (NO_DISPLAY, "pid", "screenshot", f"pid:{os.getpid()}"),
    "display_is_off": (FAILED, "sim", "screenshot", "sim:mode=off"),
    "vnc_port_too_big": (USAGE, "70000", "serve", SIM, "--vnc", "127.0.0.1:70000"),
    "vnc_without_a_port": (USAGE, "127.0.0.1:", "serve", SIM, "--vnc", "127.0.0.1:"),
    "vnc_on_an_unknown_host": (USAGE, "no-such-host", "serve", SIM, "--vnc",
                               "no-such-host.invalid:5900"),
    "vnc_socket_in_no_folder": (USAGE, "/no/such", "serve", SIM, "--vnc", "unix:/no/such/vnc"),
    "vnc_socket_name_too_long": (USAGE, "unix:", "serve", SIM, "--vnc", "unix:/" + "x" * 200),
    "vnc_address_of_another_machine": (FAILED, "192.0.2.1", "serve", SIM, "--insecure", "--vnc",
                                       "192.0.2.1:5900"),
    "no_frames_at_all": (USAGE, "max-fps", "serve", SIM, "--max-fps", "0"),
    "no_clients_at_all": (USAGE, "max-clients", "serve", SIM, "--max-clients", "-1"),
}

# What a service is told in its files, and finds the same there at each try: the unit has to end.
LOCAL = ("serve", SIM, "--vnc", "unix:vnc")
NONE = "/no/such/file"
CONFIGURATION = {
    "no_password_file": (USAGE, NONE, *LOCAL, "--password-file", NONE),
    "no_password_in_its_file": (USAGE, "/dev/null", *LOCAL, "--password-file", "/dev/null"),
    "a_folder_for_a_password": (USAGE, "/proc", *LOCAL, "--password-file", "/proc"),
    "no_credential": (USAGE, "cred:password", *LOCAL, "--password-file", "cred:password"),
    "no_users_file": (USAGE, NONE, *LOCAL, "--tls", "--users-file", NONE),
    "no_users_in_their_file": (USAGE, "/dev/null", *LOCAL, "--tls", "--users-file", "/dev/null"),
    "no_certificate": (USAGE, NONE, *LOCAL, "--tls-cert", NONE),
    "nothing_in_a_certificate": (USAGE, "/dev/null", *LOCAL, "--tls-cert", "/dev/null"),
    "no_key": (USAGE, NONE, *LOCAL, "--tls-cert", "/dev/null", "--tls-key", NONE),
    "no_spice_password": (USAGE, NONE, "serve", SIM, "--spice", "unix:spice",
                          "--spice-password-file", NONE),
    "no_palette": (USAGE, NONE, *LOCAL, "--palette", NONE),
    "no_control_folder": (USAGE, NONE, *LOCAL, "--control", f"unix:{NONE}/socket"),
    "no_metrics_folder": (USAGE, NONE, *LOCAL, "--metrics", f"unix:{NONE}/socket"),
    "no_keymap": (USAGE, "nowhere", *LOCAL, "--keymap", "nowhere"),
    "no_user": (USAGE, "nobody-at-all", *LOCAL, "--user", "nobody-at-all"),
    "no_recording": (USAGE, NONE, "serve", f"replay:{NONE}", "--vnc", "unix:vnc"),
}


class Errors(host.Test):
    def check(self, code, word, *args):
        result = self.planecast(*args, code=code, cwd=self.scratch)
        self.assertIn(word, result.err)
        self.assertEqual(result.out, b"")
        self.assertEqual(os.listdir(self.scratch), [])

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.check(REFUSED, address, "serve", SIM, "--vnc", address)

    def test_live_unix_socket_is_not_taken_over(self):
        path = self.path("vnc.sock")
        with socket.socket(socket.AF_UNIX) as taken:
            taken.bind(path)
            taken.listen()
            result = self.planecast("serve", SIM, "--vnc", f"unix:{path}", code=REFUSED)
            self.assertIn(path, result.err)
            self.assertTrue(os.path.exists(path))

    def test_file_that_is_no_socket_is_not_taken_over(self):
        path = self.path("precious")
        with open(path, "w", encoding="ascii") as file:
            file.write("precious")
        self.planecast("serve", SIM, "--vnc", f"unix:{path}", code=REFUSED)
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_screenshot_into_no_folder(self):
        self.check(FAILED, "/no/such/folder", "screenshot", SIM, "-o", "/no/such/folder/a.png")

    def test_screenshot_onto_a_folder(self):
        result = self.planecast("screenshot", SIM, "-o", self.scratch, code=FAILED)
        self.assertIn(self.scratch, result.err)
        self.assertEqual(os.listdir(self.scratch), [])

    def test_screenshot_onto_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            result = self.planecast("screenshot", SIM, "-o", "-", code=FAILED, stdout=full)
        self.assertIn("space", result.err)

    def test_screenshot_into_a_closed_pipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            self.planecast("screenshot", SIM, "-o", "-", code=FAILED, stdout=writer)
        finally:
            os.close(writer)

    def test_failed_screenshot_leaves_the_old_file(self):
        path = self.path("a.png")
        with open(path, "wb") as file:
            file.write(b"old")
        self.planecast("screenshot", NOBODY, "-o", path, code=FAILED)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"old")
        self.assertEqual(os.listdir(self.scratch), ["a.png"])

    def test_no_page_for_browsers(self):
        result = host.run(host.PROGRAM, *LOCAL, "--web", "unix:web", "--web-root", NONE,
                          cwd=self.scratch)
        self.assertEqual(result.code, USAGE)
        self.assertIn("--web-root", result.err.splitlines()[-1])

    def test_the_unit_ends_by_each_code_of_a_configuration(self):
        codes = {code for code, *unused in CONFIGURATION.values()}
        with open(UNIT, encoding="utf-8") as file:
            line = re.search(r"^RestartPreventExitStatus=(.*)", file.read(), re.M)
        self.assertLessEqual(codes | {NO_DISPLAY, REFUSED}, set(map(int, line[1].split())))


def add(name, code, word, *args):
    setattr(Errors, f"test_{name}", lambda self: self.check(code, word, *args))


for key, case in {**CASES, **CONFIGURATION}.items():
    add(key, *case)
