#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds the module for a kernel, boots that kernel and runs the tests of this folder in it.

One line for each test, as suite.py prints them; viewers run here, outside of the machine.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))

from lib import host, outside, qemu  # noqa: E402  pylint: disable=wrong-import-position

VM = os.path.join(TOP, "scripts/vm")
# Of the environment, what the tests inside are told.
TOLD = ("PLANECAST_LONG", "PLANECAST_MODES_SECONDS")
# Exit codes of scripts/vm. 77: no such kernel, or no QEMU.
CANNOT, TIME_IS_UP, DIED = 77, 124, 125
WHY = {TIME_IS_UP: "its time is up", DIED: "it died"}
# Seconds that a machine has to come to its first test: it takes ten to twenty, and a busy host's
# many times that.
BOOT_SECONDS = 240
# A PCI device that no driver wants, behind an IOMMU: something else for vfio.
OTHER_DEVICE = "0000:00:10.0"
# The kernel remembers who allocated what: tests/vm/kmod_leaks.py.
KERNEL = "intel_iommu=on slub_debug=U,kmalloc-*"
IOMMU = "-device intel-iommu -device edu,addr=0x10"


def say(line):
    print(line, flush=True)


def build_module(options, folder):
    """The module as FOLDER/kmod/mplane.ko, without a warning of compiler or sparse; why not, and
    whether that is a skip."""
    os.makedirs(f"{folder}/tests/vm", exist_ok=True)
    os.makedirs(f"{folder}/kmod", exist_ok=True)
    flags = "KCFLAGS=-Werror"
    if shutil.which("sparse"):
        flags += " C=2"
    done = subprocess.run([VM, "--kernel", options.kernel, "--module", f"{folder}/kmod/build", "--",
                           f"KFLAGS={flags}"], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with open(options.log, "a", encoding="utf-8") as log:
        log.write(done.stdout)
    if done.returncode:
        lines = done.stdout.strip().splitlines() or [f"exit code {done.returncode}"]
        skip = done.returncode == CANNOT
        return lines[-1] if skip else os.path.relpath(options.log), skip
    for name in ("kmod_frame", "kmod_fuzz"):
        shutil.copy(f"{options.build}/tests/vm/{name}", f"{folder}/tests/vm/{name}")
    shutil.copyfile(f"{folder}/kmod/build/mplane.ko", f"{folder}/kmod/mplane.ko")
    return None, False


def install(options, folder):
    """What `make install` would put into a machine, in FOLDER/installed."""
    shutil.rmtree(f"{folder}/installed", ignore_errors=True)
    with open(options.log, "a", encoding="utf-8") as log:
        subprocess.run(["make", "-s", "-C", options.build, "install",
                        f"DESTDIR={os.path.abspath(folder)}/installed"],
                       stdin=subprocess.DEVNULL, check=True, stdout=log, stderr=log)


def run_machine(options, folder, only):
    port = host.free_port()
    table = {
        "capture": lambda name: host.capture(f"127.0.0.1:{port}", f"{options.out}/{name}.png"),
        "firmware_screen": lambda name: qemu.firmware_screen(),
        "uefi_screen": lambda name: qemu.uefi_screen(),
    }
    answers = outside.Answers(options.out, table)
    systemd = ["--systemd"] if options.depth == "units" else []
    command = [VM, *systemd, "--kernel", options.kernel,
               "--forward", f"{port}:5900", "--out", options.out,
               "--timeout", str(options.timeout), "--append", KERNEL, "--qemu", IOMMU,
               "--", "env", "PLANECAST_OUT=/out", "PLANECAST_PATIENCE=120",
               *(f"{name}={os.environ[name]}" for name in TOLD if name in os.environ),
               f"PLANECAST={host.PROGRAM}", f"OTHER_DEVICE={OTHER_DEVICE}",
               "/usr/bin/python3", f"{HERE}/inside.py", options.label, options.depth, folder, *only]
    try:
        with open(options.log, "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
            if not boots(process, options):
                process.terminate()  # scripts/vm takes QEMU along
                process.wait()
                return TIME_IS_UP
            return process.wait()
    finally:
        answers.stop()


def begun(options):
    """Whether the machine came as far as the tests."""
    return os.path.exists(f"{options.out}/.begun")


def boots(process, options):
    """False if it runs, and after minutes has not begun."""
    end = time.monotonic() + BOOT_SECONDS
    while not begun(options) and process.poll() is None:
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--label", required=True)
    parser.add_argument("--kernel", default="6.1")
    parser.add_argument("--depth", default="short", help="see inside.py")
    parser.add_argument("--build", required=True, help="a folder with a build of planecast")
    parser.add_argument("--out", required=True, help="for pictures")
    parser.add_argument("--log", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--timeout", type=int, default=1800)
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    os.makedirs(options.out)
    # Of its own: several machines may run at a time.
    folder = os.path.join(os.path.dirname(options.build), f"test-kmod-{options.label}")
    start = time.monotonic()
    wrong, skip = build_module(options, folder)
    if wrong:
        say(f"{'SKIP' if skip else 'FAIL'} {options.label}/module_builds: {wrong}")
        return 0 if skip else 1
    say(f"PASS {options.label}/module_builds ({time.monotonic() - start:.1f} s)")
    if options.depth == "units":
        install(options, folder)
    only = ["--only", options.only] if options.only else []
    code = run_machine(options, folder, only)
    if code in (TIME_IS_UP, DIED) and not begun(options):
        # An emulated machine may die or hang as it boots, before it has seen the module: once more.
        say(f"machine: {WHY[code]} before the first test: once more")
        code = run_machine(options, folder, only)
    for name in os.listdir(options.out):
        if name.startswith("."):
            os.unlink(os.path.join(options.out, name))
    if code in WHY:
        say(f"FAIL {options.label}/machine: {WHY[code]}: {os.path.relpath(options.log)}")
    elif code == CANNOT:
        say(f"SKIP {options.label}/machine: see {os.path.relpath(options.log)}")
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
