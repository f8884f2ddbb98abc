# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual page and the completion for bash know what --help knows, and nothing else."""
import os
import re
import shutil
import subprocess

from lib import host

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPLETION = os.path.join(TOP, "data", "planecast.bash")
UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
OPTION = re.compile(r"^  (?:-\w, )?--([\w-]+)(?:=(\w+))? +(.*)$", re.M)
CHOICES = {"--format": "screenshot", "--plane": "screenshot", "--spice-compression": "serve",
           "--spice-streaming": "serve"}

# Completes the line $2 as an interactive bash does after the completion in $1 was loaded.
BASH = r"""
. "$1"
COMP_LINE=$2 COMP_POINT=${#2}
_planecast planecast '' ''
printf '%s\0' "${COMPREPLY[@]}"
"""


def manual():
    """Of planecast.1: what follows each heading."""
    with open(os.path.join(TOP, "doc", "planecast.1"), encoding="utf-8") as file:
        parts = re.split(r"^\.S[hs] (.*)$", file.read(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


class Manual(host.Test):
    maxDiff = None

    def help(self, *verb):
        return self.planecast(*verb, "--help").out.decode()

    def verbs(self):
        found = re.findall(r"^  (\w+) ", self.help().split("DEVICE is one of")[0], re.M)
        self.assertIn("serve", found)
        return found

    def options(self, verb):
        """{name: what its value is called, or an empty word}"""
        found = {name: value for name, value, _ in OPTION.findall(self.help(verb))}
        self.assertIn("help", found)
        del found["help"]
        self.assertTrue(found)
        return found

    def sim_keys(self):
        line = self.planecast("screenshot", "sim:no-such-key=1", code=2).err
        return re.search(r"\(use ([^)]*)\)", line).group(1).split(", ")

    def complete(self, line, **environment):
        """The words that bash offers after line. The program is on the path as planecast."""
        folder = self.path("bin")
        if not os.path.exists(folder):
            os.mkdir(folder)
            os.symlink(os.path.abspath(host.PROGRAM), os.path.join(folder, "planecast"))
        path = f"{folder}:{os.environ['PATH']}"
        done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", COMPLETION, line],
                              env={**host.environment(), "PATH": path, **environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=self.scratch,
                              stderr=subprocess.PIPE, timeout=host.PATIENCE, check=True)
        self.assertEqual(done.stderr, b"")
        return [word for word in done.stdout.decode().split("\0") if word]

    def test_page_has_every_verb(self):
        page = manual()
        for verb in self.verbs():
            self.assertIn(verb, page, "no .Ss of that name in doc/planecast.1")
            self.assertRegex(page["SYNOPSIS"], rf"(?m)^\.Cm {verb}$")

    def test_page_has_every_option(self):
        page = manual()
        for verb in self.verbs():
            items = re.findall(r"^\.It (?:Fl \w , )?Fl Fl ([\w-]+)(?: Ns = Ns Ar (\w+))?$",
                               page[verb], re.M)
            options = self.options(verb)
            items = [item for item in items if item[0] in options or item[0] != "pam"]  # if built
            self.assertEqual(dict(items), options,
                             f"doc/planecast.1 and planecast {verb} --help differ")

    def test_page_has_every_device(self):
        text = self.help().split("DEVICE is one of")[1].split("Exit codes")[0]
        kinds = set(re.findall(r"(?:^  |, )(\w+)(?=:[A-Z]|\[)", text, re.M))
        self.assertIn("replay", kinds)
        page = manual()["Devices"]
        self.assertEqual(set(re.findall(r"Cm (\w+) (?:: Ns Ar|Ns Op)", page)), kinds)
        for key in self.sim_keys():
            self.assertRegex(page, rf"(?m)^\.Cm {key} [,.]$")

    def test_completes_verbs(self):
        self.assertEqual(set(self.complete("planecast ")),
                         {*self.verbs(), "--help", "--version"})
        self.assertEqual(self.complete("planecast scr"), ["screenshot"])

    def test_completes_every_option(self):
        for verb in self.verbs():
            wanted = {f"--{name}" + ("=" if value else "")
                      for name, value in self.options(verb).items()}
            self.assertEqual(set(self.complete(f"planecast {verb} --")), {*wanted, "--help"})

    def test_completes_values(self):
        for option, verb in CHOICES.items():
            said = {f"--{name}": what for name, _, what in OPTION.findall(self.help(verb))}[option]
            words = self.complete(f"planecast {verb} {option} ")
            self.assertGreater(len(words), 1)
            for word in words:
                self.assertRegex(said, rf"\b{word}\b", f"of {option}")
            self.assertEqual(set(self.complete(f"planecast {verb} {option}=")), set(words))
        self.assertEqual(self.complete("planecast serve sim: --input qm"), ["qmp:"])

    def test_completes_files(self):
        os.mkdir(self.path("shots"))
        for line in ("-o ", "--output ", "--output="):
            self.assertEqual(self.complete(f"planecast screenshot sim: {line}sh"), ["shots"])
        self.assertEqual(self.complete("planecast serve replay:sh"), ["shots"])

    def test_completes_devices_of_the_host(self):
        for path in (f"bus/mdev/devices/{UUID}", "bus/pci/drivers/vfio-pci/0000:00:02.1",
                     "bus/pci/drivers/vfio-pci/module"):
            os.makedirs(os.path.join(self.path("sys"), path))
        sysfs = {"PLANECAST_COMPLETION_SYSFS": self.path("sys")}
        for verb in ("serve", "screenshot", "probe", "record", "status"):
            words = self.complete(f"planecast {verb} ", **sysfs)
            self.assertLessEqual({"sim:", "mdev:", f"mdev:{UUID}", UUID, "pci:0000:00:02.1"},
                                 set(words))
            self.assertNotIn("pci:module", words)
        # Readline's word begins after the last colon.
        self.assertEqual(self.complete("planecast serve mdev:8", **sysfs), [UUID])
        self.assertEqual(self.complete("planecast serve pci:0000:00:", **sysfs), ["02.1"])
        self.assertEqual(self.complete("planecast list ", **sysfs), [])

    def test_completes_keys_of_sim(self):
        keys = [f"{key}=" for key in self.sim_keys()]
        self.assertEqual(sorted(self.complete("planecast serve sim:")), sorted(keys))
        self.assertEqual(self.complete("planecast serve sim:mode=64x64,la"), ["64x64,layout="])

    def test_completes_machines_and_quotes_their_names(self):
        program = self.path("qemu-system-x")
        shutil.copy("/bin/sh", program)
        with subprocess.Popen([program, "-c", "read end", "-name", "guest=la b$(x),debug=on"],
                              stdin=subprocess.PIPE) as machine:
            self.addCleanup(machine.kill)
            words = self.complete("planecast serve ")
            self.assertIn(f"pid:{machine.pid}", words)
            self.assertIn(r"vm:la\ b\$\(x\)", words)
            machine.stdin.close()

    def test_the_tests_that_the_readme_names_are_there(self):
        with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
            named = re.findall(r"`(vm-6\.1|e2e|unit)/(\w+)/?(\w*)`", file.read())
        self.assertGreater(len(named), 5)
        for suite, module, test in named:
            folder = os.path.join(TOP, "tests", suite.split("-")[0])
            name = f"{module}.c" if suite == "unit" else f"test_{module}.py"
            with self.subTest(f"{suite}/{module}/{test}"), \
                    open(os.path.join(folder, name), encoding="utf-8") as file:
                self.assertRegex(file.read(), rf"\btest_{test}\b" if test else "test_")
