#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds planecast in all its ways and runs every test; scripts/test calls it.

One line for each step and each end-to-end test; the last says how many passed, failed and were
skipped. Logs are in build/test-logs, pictures in build/test-out.
"""
import argparse
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build")
LOGS = os.path.join(BUILD, "test-logs")
OUT = os.path.join(BUILD, "test-out")
PYTHON = sys.executable
LINE = re.compile(r"(PASS|FAIL|SKIP) ")


class Count:
    """What has been found so far; prints it as it comes."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.lock = threading.Lock()

    def say(self, line):
        with self.lock:
            print(line, flush=True)

    def ok(self, name, begun, tests=1):
        self.passed += tests
        what = f", {tests} tests" if tests != 1 else ""
        self.say(f"PASS {name} ({time.monotonic() - begun:.1f} s{what})")

    def bad(self, name, why, tests=1):
        self.failed += tests
        self.say(f"FAIL {name}: {why}")

    def skip(self, name, why, tests=1):
        self.skipped += tests
        self.say(f"SKIP {name}: {why}")

    def line(self, line):
        """A line that a suite of tests printed; True if it tells of a test."""
        found = LINE.match(line)
        if not found:
            return False
        kind = found.group(1)
        self.passed += kind == "PASS"
        self.failed += kind == "FAIL"
        self.skipped += kind == "SKIP"
        self.say(line)
        return True


def log_path(name):
    os.makedirs(LOGS, exist_ok=True)
    return os.path.join(LOGS, f"{name}.log")


def short(path):
    return os.path.relpath(path)


def call(name, *command, cwd=TOP, env=None, append=False):
    """Runs a command into the log of that name; its exit code."""
    with open(log_path(name), "ab" if append else "wb") as log:
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        return subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, check=False,
                              stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode


def output(*command):
    """What a command prints, or None if it fails."""
    done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


class Silence:
    """Ends a process, the leader of its session, that says nothing for so many seconds."""

    def __init__(self, process, seconds):
        self.process, self.seconds = process, seconds
        self.timer, self.ended = None, False
        self.again()

    def stop(self):
        if self.timer:
            self.timer.cancel()

    def again(self):
        self.stop()
        if self.seconds:
            self.timer = threading.Timer(self.seconds, self.end)
            self.timer.start()

    def end(self):
        self.ended = True
        end_session(self.process)


def end_session(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)


class Tests:
    """The steps. A step that needs a build makes it, once; names are those that --only takes."""

    BUILDS = {
        "gcc": (["CC=gcc"], {}),
        "clang": (["CC=clang"], {}),
        # Without ISA-L, so that zlib's way is tested too.
        "asan": (["CC=gcc", "--enable-sanitizers=address,undefined", "--without-isal",
                  "CFLAGS=-O1 -g"],
                 {"ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1:detect_stack_use_after_return=1",
                  "UBSAN_OPTIONS": "print_stacktrace=1"}),
        "tsan": (["CC=gcc", "--enable-sanitizers=thread", "CFLAGS=-O1 -g -Wno-error=tsan"],
                 {"TSAN_OPTIONS": f"suppressions={TOP}/tests/tsan.supp:history_size=7"}),
    }

    # What shares frames and encodings between threads of pthreads: TSan does not see GLib's locks.
    THREADED = ("bands", "encoder", "encoder_churn", "vnc", "vnc_copies", "vnc_quality")

    FUZZ_RUNS, FUZZ_MINUTES = 2000, 2  # of each target
    SOAK_MINUTES = 3

    # By a machine's depth (tests/vm/inside.py), in seconds: what it may take, and how long it may
    # say nothing. One that hangs costs minutes; a busy host alone ends none.
    MACHINE_LIMITS = {"smoke": (600, 300), "short": (2100, 480), "other": (2100, 480),
                      "long": (2400, 900)}
    OTHER_MACHINES_LIMITS = (900, 480)

    # Run beside the rest, one after the other; of the builds they need build-gcc alone. When the
    # rest is done it takes the last of them.
    BESIDE = re.compile(r"vm-|dkms$|distcheck$|deb$|kmod-lint$")

    def __init__(self, options):
        self.options = options
        self.count = Count()
        self.built = {}
        self.beside = collections.deque()
        self.tarball = threading.Lock()  # one at a time makes it in build-gcc
        self.sessions = []  # processes that a terminal's interrupt does not reach

    # What runs, in this order.
    def steps(self):
        long = self.options.long
        kernels = [] if self.options.quick else self.options.kernels
        yield "style", self.style
        yield "build-gcc", lambda: self.build("gcc")
        for kernel in kernels:
            first, others = ("long", "other") if long else ("short", "smoke")
            depth = first if kernel == kernels[0] else others
            yield f"vm-{kernel}", lambda kernel=kernel, depth=depth: self.machine(kernel, depth)
        if long and kernels:
            yield "vm-units", lambda: self.machine(kernels[0], "units", "vm-units")
        if not self.options.quick:
            yield "dkms", self.dkms
            yield "distcheck", self.distcheck
        if long:
            yield "deb", self.deb
            yield "kmod-lint", self.kmod_lint
        yield "unit", lambda: self.unit("unit", "gcc")
        yield "e2e", lambda: self.e2e("e2e", "gcc")
        yield "build-clang", lambda: self.build("clang")
        yield "build-asan", lambda: self.build("asan")
        yield "unit-asan", lambda: self.unit("unit-asan", "asan")
        yield "e2e-asan", lambda: self.e2e("e2e-asan", "asan")
        yield "fuzz", self.fuzz
        if long:
            yield "stranger", lambda: self.script("stranger", "tests/stranger.sh")
            yield "build-tsan", lambda: self.build("tsan")
            yield "unit-tsan", lambda: self.unit("unit-tsan", "tsan", self.THREADED)
            yield "soak", self.soak
        # if long: what takes minutes, with a name and a function like the others.

    def wanted(self, name):
        only = self.options.only
        return not only or re.search(only, name) or only.split("/")[0] == name

    def only_in(self, name):
        """The tests of a suite that --only names: SUITE/... means these, SUITE all."""
        only = self.options.only
        return ["--only", only] if only.startswith(f"{name}/") else []

    def run(self):
        chosen = [(name, step) for name, step in self.steps() if self.wanted(name)]
        if not chosen:
            print(f"test: nothing is called {self.options.only} (steps: "
                  f"{', '.join(name for name, _ in self.steps())})", file=sys.stderr)
            return 2
        if len(chosen) > 1:
            self.beside.extend(each for each in chosen if self.BESIDE.match(each[0]))
            chosen = [each for each in chosen if each not in self.beside]
        beside = threading.Thread(target=self.run_beside)
        try:
            for name, step in chosen:
                if name not in ("style", "build-gcc"):
                    self.begin(beside)
                self.guarded(name, step)
            self.begin(beside)
            self.run_beside(last=True)
            beside.join()
        except KeyboardInterrupt:
            for process in self.sessions:
                end_session(process)
            raise
        count = self.count
        print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
        return 1 if count.failed or not count.passed else 0

    def begin(self, beside):
        """Once, with the build that all of it needs."""
        if beside.ident is None:
            if self.beside:
                self.build("gcc")
            beside.start()

    def run_beside(self, last=False):
        """Those that are left, the last or the first of them each time."""
        while self.beside:
            try:
                self.guarded(*(self.beside.pop if last else self.beside.popleft)())
            except IndexError:
                break

    def guarded(self, name, step):
        try:
            step()
        except Exception as error:  # pylint: disable=broad-except
            self.count.bad(name, f"{type(error).__name__}: {error}")

    def folder(self, kind):
        return os.path.join(BUILD, f"test-{kind}")

    def environment(self, kind):
        # What takes longer in the long run does so once, without sanitizers.
        long = {"PLANECAST_LONG": "1"} if self.options.long and kind == "gcc" else {}
        return {**self.BUILDS[kind][1], "PLANECAST": os.path.join(self.folder(kind), "planecast"),
                "PLANECAST_OUT": OUT, **long}

    def style(self):
        begun = time.monotonic()
        if call("style", os.path.join(TOP, "scripts/check-style")):
            self.count.bad("style", short(log_path("style")))
        else:
            self.count.ok("style", begun)

    def build(self, kind):
        """Program and test programs without a warning; True if that worked."""
        if kind in self.built:
            return self.built[kind]
        begun, name, folder = time.monotonic(), f"build-{kind}", self.folder(kind)
        os.makedirs(folder, exist_ok=True)
        self.built[kind] = self.make(name, folder, self.BUILDS[kind][0])
        if self.built[kind]:
            self.count.ok(name, begun)
        else:
            self.count.bad(name, short(log_path(name)))
        return self.built[kind]

    def make(self, name, folder, arguments):
        call(name, "true")
        if not os.path.exists(os.path.join(TOP, "Makefile.in")):
            if call(name, "./autogen.sh", append=True):
                return False
        if not os.path.exists(os.path.join(folder, "Makefile")):
            if call(name, os.path.join(TOP, "configure"), "--enable-werror", "--disable-kmod",
                    *arguments, cwd=folder, append=True):
                return False
        jobs = f"-j{os.cpu_count()}"
        return not call(name, "make", jobs, "all", cwd=folder, append=True) and not call(
            name, "make", jobs, "check", "TESTS=", cwd=folder, append=True)

    def unit(self, name, kind, rooms=()):
        """make check: cmocka's tests count one by one, other programs as one. Of these rooms,
        or all."""
        if not self.build(kind):
            return self.count.skip(name, f"build-{kind} failed")
        begun, folder = time.monotonic(), self.folder(kind)
        env = self.environment(kind)
        logs = self.programs(folder, with_scripts=kind == "gcc")
        if rooms:
            logs = [f"tests/unit/test_{room}.log" for room in rooms]
        code = call(name, "make", "check", f"TEST_LOGS={' '.join(logs)}", cwd=folder, env=env)
        passed = failed = 0
        for results in (f"{folder}/{log.removesuffix('.log')}.trs" for log in logs):
            program = os.path.relpath(results, folder).removesuffix(".trs")
            good, bad = self.program(name, program, results)
            passed += good
            failed += bad
        if passed:
            self.count.ok(name, begun, passed)
        if code and not failed or not passed:
            self.count.bad(name, f"make check: {short(log_path(name))}")

    @staticmethod
    def programs(folder, with_scripts):
        """The logs that make check writes. Scripts make builds of their own: once is enough."""
        done = subprocess.run(["make", "-s", "-f", "-", "list"], cwd=folder, text=True, check=True,
                              input="include Makefile\nlist: ; @echo $(TEST_LOGS)\n",
                              stdout=subprocess.PIPE)
        return [log for log in done.stdout.strip().splitlines()[-1].split()
                if with_scripts or not log.endswith(".sh.log")]

    def program(self, name, program, results):
        """How many tests of a program passed and failed, by automake's and cmocka's words."""
        if not os.path.exists(results):
            self.count.bad(f"{name}/{program}", "it did not run")
            return 0, 1
        log = results.removesuffix(".trs") + ".log"
        with open(results, encoding="utf-8") as file:
            verdict = re.search(r":global-test-result: (\w+)", file.read()).group(1)
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        passed = len(re.findall(r"^\[ +OK \]", text, re.M))
        failed = re.findall(r"^\[  FAILED  \] (?!tests:|\d)([\w/]+)\s*$", text, re.M)
        skipped = re.findall(r"^\[  SKIPPED \] (?!tests:|\d)([\w/]+)\s*$", text, re.M)
        for test in dict.fromkeys(skipped):
            self.count.skip(f"{name}/{program}/{test}", f"its own word ({short(log)})")
        for test in dict.fromkeys(failed):
            self.count.bad(f"{name}/{program}/{test}", short(log))
        if verdict == "SKIP":
            reason = re.search(r"^SKIP: (.*)", text, re.M)
            self.count.skip(f"{name}/{program}", reason.group(1) if reason else short(log))
        elif verdict != "PASS" and not failed:
            self.count.bad(f"{name}/{program}", short(log))
            return passed, 1
        elif verdict == "PASS" and not passed:
            passed = 1
        return passed, len(dict.fromkeys(failed))

    def suite(self, name, command, env, silence=None):
        """Runs a program that prints a line for each test; they are printed and counted. One that
        prints nothing for so many seconds is ended, with all that it started."""
        lines = 0
        with open(log_path(name), "wb") as log:
            process = subprocess.Popen(command, cwd=TOP, env={**os.environ, **env}, text=True,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                       start_new_session=bool(silence))
            watch = Silence(process, silence)
            if silence:
                self.sessions.append(process)
            for line in process.stdout:
                watch.again()
                if self.count.line(line.rstrip("\n")):
                    lines += 1
                else:
                    log.write(line.encode())
                    log.flush()
            code = process.wait()
            watch.stop()
        if watch.ended:
            self.count.bad(name, f"nothing was heard for {silence} s: {short(log_path(name))}")
        return code, lines

    def e2e(self, name, kind):
        if not self.build(kind):
            return self.count.skip(name, f"build-{kind} failed")
        # Scripts and pages are no matter of a build's kind.
        only = [] if kind == "gcc" else ["--only", f"{name}/(?!hooks/|manual/)"]
        failed = self.count.failed
        code, lines = self.suite(
            name, [PYTHON, "tests/suite.py", "--label", name, *(self.only_in(name) or only),
                   "tests/e2e"], self.environment(kind))
        if not lines or code and self.count.failed == failed:
            self.count.bad(name, f"exit code {code}: {short(log_path(name))}")

    def fuzz(self):
        """Every fuzzer on its corpus and a few inputs more; with --long, on what it thinks of in
        minutes. It builds by itself."""
        much = ["--minutes", str(self.FUZZ_MINUTES)] if self.options.long else \
            ["--runs", str(self.FUZZ_RUNS)]
        failed = self.count.failed
        code, lines = self.suite("fuzz", [PYTHON, "tests/fuzz.py", *much], {})
        if not lines or code and self.count.failed == failed:
            self.count.bad("fuzz", f"exit code {code}: {short(log_path('fuzz'))}")

    def machine(self, kernel, depth, name=None):
        """The module for that kernel, then all that needs it, in one machine (tests/vm/inside.py
        says what each depth has)."""
        name = name or f"vm-{kernel}"
        if not self.build("gcc"):
            return self.count.skip(name, "build-gcc failed")
        failed = self.count.failed
        limit, silence = self.MACHINE_LIMITS.get(depth, self.OTHER_MACHINES_LIMITS)
        code, lines = self.suite(
            name, [PYTHON, "tests/vm/machine.py", "--label", name, "--kernel", kernel,
                   "--depth", depth, "--timeout", str(limit), "--build", self.folder("gcc"),
                   "--out", os.path.join(OUT, name),
                   "--log", log_path(f"{name}-inside"), *self.only_in(name)],
            self.environment("gcc"), silence)
        if not lines or code and self.count.failed == failed:
            self.count.bad(name, f"exit code {code}: {short(log_path(name))}")

    def soak(self):
        """Clients that come and go for minutes: what that leaves in a server."""
        if not self.build("gcc"):
            return self.count.skip("soak", "build-gcc failed")
        self.script("soak", "env", f"PLANECAST={self.folder('gcc')}/planecast", PYTHON,
                    "tests/soak.py", "--minutes", str(self.SOAK_MINUTES))

    def dkms(self):
        """The module as DKMS builds it, from the source tree that the build stages for it."""
        self.script("dkms", "tests/vm/kmod_dkms.sh", self.options.kernels[0])

    def deb(self):
        """Debian's packages: built, installed in a fresh Debian, used, purged."""
        if not self.build("gcc"):
            return self.count.skip("deb", "build-gcc failed")
        with self.tarball:
            self.script("deb", "tests/deb_package.sh", self.folder("gcc"))

    def script(self, name, *command):
        """A step that is a program: its exit code says how it went, 77 that its last line says why
        it cannot be done here."""
        begun = time.monotonic()
        code = call(name, *command)
        if code == 77:
            with open(log_path(name), encoding="utf-8", errors="replace") as log:
                self.count.skip(name, log.read().strip().splitlines()[-1].removeprefix("SKIP: "))
        elif code:
            self.count.bad(name, short(log_path(name)))
        else:
            self.count.ok(name, begun)

    def kmod_lint(self):
        """The module in the eyes of sparse, checkpatch and coccinelle."""
        code, lines = self.suite("kmod-lint", ["tests/vm/kmod_lint.sh", "kmod-lint",
                                               self.folder("kmod-lint")], {})
        if not lines:
            self.count.bad("kmod-lint", f"exit code {code}: {short(log_path('kmod-lint'))}")

    def distcheck(self):
        """The tarball builds and installs by itself, and passes the test that makes a library of
        its files. All of its tests run as the package is built: deb."""
        if not self.build("gcc"):
            return self.count.skip("distcheck", "build-gcc failed")
        with self.tarball:
            begun = time.monotonic()
            if call("distcheck", "make", f"-j{os.cpu_count()}", "distcheck",
                    "TESTS=tests/checkdetile_alone.sh",
                    "DISTCHECK_CONFIGURE_FLAGS=--disable-kmod", cwd=self.folder("gcc")):
                self.count.bad("distcheck", short(log_path("distcheck")))
            else:
                self.count.ok("distcheck", begun)


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="no virtual machine, no distcheck")
    parser.add_argument("--long", action="store_true",
                        help="everything in full: all kernels, long fuzzing, whatever takes "
                             "minutes (it adds, it leaves nothing out; over an hour)")
    parser.add_argument("--only", default="", metavar="PATTERN",
                        help="these steps (e2e), or tests of one (e2e/clients)")
    parser.add_argument("--kernels", metavar="LIST",
                        help="kernels for the machine tests: all, or as in 6.1,6.12 (the default; "
                             "with --long all: 6.1, 6.12 and sid's); on those after the first less "
                             "is run")
    options = parser.parse_args()
    if options.quick and options.long:
        parser.error("--quick and --long exclude each other")
    if not options.kernels:
        options.kernels = "all" if options.long else "6.1,6.12"
    options.kernels = ["6.1", "6.12", "sid"] if options.kernels == "all" else \
        options.kernels.split(",")
    try:
        re.compile(options.only)
    except re.error as error:
        parser.error(f"--only {options.only}: {error}")
    shutil.rmtree(LOGS, ignore_errors=True)
    os.makedirs(OUT, exist_ok=True)
    return Tests(options).run()


if __name__ == "__main__":
    sys.exit(main())
