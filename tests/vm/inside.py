#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Inside a test machine: the module's own tests, then planecast's on it, then what the kernel says.

usage: inside.py LABEL DEPTH FOLDER [--only REGEX]     FOLDER has kmod/mplane.ko
"""
import glob
import os
import re
import subprocess
import sys
import time

import hold_kvm

HERE = os.path.dirname(os.path.abspath(__file__))
# The module's tests, by depth, with what they find in their environment.
TWO_TYPES = "mplane-region mplane-dmabuf-y"
SHORT = {"kmod_probe": {}, "kmod_scanout": {}, "kmod_status": {"TYPES": "mplane-region"},
         "kmod_damage": {"TYPES": "mplane-dmabuf-y", "WRITES": "1000", "SLOW": ""},
         "kmod_guest": {}, "kmod_fuzz": {"OPERATIONS": "100000"}, "kmod_churn": {"ROUNDS": "100"}}
MODULE_TESTS = {
    "smoke": {"kmod_probe": {}, "kmod_scanout": {"TYPES": TWO_TYPES},
              "kmod_status": {"TYPES": TWO_TYPES},
              "kmod_damage": {"TYPES": "mplane-dmabuf-y", "WRITES": "1000", "SLOW": ""}},
    "short": SHORT,
    "other": SHORT,
    "long": {"kmod_probe": {}, "kmod_scanout": {}, "kmod_status": {"TYPES": TWO_TYPES},
             "kmod_damage": {"SLOW": "mplane-dmabuf-y"}, "kmod_guest": {}, "kmod_linux": {},
             "kmod_fuzz": {"OPERATIONS": "1000000"}, "kmod_churn": {"ROUNDS": "1000"}},
    # Not the module, but what is installed, under a booted systemd: the folder units/.
    "units": {},
}
# Planecast's own tests, which follow: all, but on kernels after the first (smoke, other) at most
# those that another kernel may answer otherwise.
OWN_TESTS = {"smoke": None, "other": r"/(console|guest|modes|painted|peer)/"}
COMPLAINT = re.compile(r"WARNING:|BUG:|Oops|general protection|Bad page|refcount_t|UBSAN|KASAN|"
                       r"possible (recursive|circular)|soft lockup|blocked for more than")


def say(line):
    print(line, flush=True)


def verdict(name, begun, wrong):
    if wrong:
        say(f"FAIL {name}: {wrong}")
    else:
        say(f"PASS {name} ({time.monotonic() - begun:.1f} s)")


def script(label, name, folder, more):
    """A test of the module: a shell script that ends with `name: N passed, M failed`, or
    `name (what one must know to repeat it): ...`."""
    begun = time.monotonic()
    done = subprocess.run(["bash", f"{HERE}/{name}.sh", folder], stdin=subprocess.DEVNULL,
                          env={**os.environ, **more}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    sys.stderr.write(done.stdout)
    total = re.findall(r"^\w+(?: \((.*)\))?: (\d+) passed, \d+ failed", done.stdout, re.M)
    how = "".join(f"; {each}" for each, _ in total if each)
    for line in re.findall(r"^FAIL: (.*)$", done.stdout, re.M):
        say(f"FAIL {label}/{name}: {line}{how}")
    if done.returncode == 77:
        say(f"SKIP {label}/{name}: {done.stdout.strip().splitlines()[-1]}")
    elif done.returncode == 0:
        say(f"PASS {label}/{name} ({time.monotonic() - begun:.1f} s, "
            f"{sum(int(each) for _, each in total)} checks{how})")
    if done.returncode not in (0, 77) and "\nFAIL: " not in f"\n{done.stdout}":
        say(f"FAIL {label}/{name}: exit code {done.returncode}")


def run(*command):
    """What a command complains of, or None."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.strip() or f"exit code {done.returncode}" if done.returncode else None


def unload():
    """Nothing of planecast or of a dead QEMU may still hold the module."""
    for remove in glob.glob("/sys/bus/mdev/devices/*/remove"):
        with open(remove, "w", encoding="ascii") as file:
            file.write("1")
    for _ in range(20):
        wrong = run("rmmod", "mplane")
        if not wrong:
            return None
        time.sleep(0.1)
    return wrong


def planecast(label, where, folder, only):
    """Its tests in the folder `where`, with the module loaded; the exit code."""
    begun = time.monotonic()
    wrong = where != HERE and run("cp", "-a", f"{folder}/installed/.", "/")
    wrong = wrong or run("modprobe", "-a", "vfio_iommu_type1", "vfio", "mdev", "vfio-pci") or run(
        "insmod", f"{folder}/kmod/mplane.ko")
    if wrong:
        verdict(f"{label}/module_loads", begun, wrong)
        return 1
    code = subprocess.run([sys.executable, f"{HERE}/../suite.py", "--label", label,
                           "--limit", "300", "--only", only, where],
                          env={**os.environ, "MPLANE": f"{folder}/kmod/mplane.ko"},
                          stdin=subprocess.DEVNULL, check=False).returncode
    begun = time.monotonic()
    verdict(f"{label}/module_unloads", begun, unload())
    return code


def main():
    label, depth, folder, *options = sys.argv[1:]
    only = options[1] if options else ""
    with open("/out/.begun", "w", encoding="ascii"):
        pass  # from here on it is the tests that a machine dies of
    hold_kvm.hold()
    chosen = {name: more for name, more in MODULE_TESTS[depth].items()
              if re.search(only, f"{label}/{name}")}
    for name, more in chosen.items():
        script(label, name, folder, more)
    code, own = 0, OWN_TESTS.get(depth, "")
    if only and not chosen or not only and own is not None:
        where = f"{HERE}/units" if depth == "units" else HERE
        code = planecast(label, where, folder, only or own)
    begun = time.monotonic()
    said = subprocess.run(["dmesg"], stdout=subprocess.PIPE, text=True, check=False).stdout
    with open("/out/dmesg", "w", encoding="utf-8") as file:
        file.write(said)
    complaints = [line for line in said.splitlines() if COMPLAINT.search(line)]
    verdict(f"{label}/kernel_has_no_complaint", begun, "; ".join(complaints[:3]))
    return code


if __name__ == "__main__":
    sys.exit(main())
