#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the module holds in the kernel's memory, by the traces that slub_debug=U keeps.
usage: kmod_leaks.py none|some     (exit code 77: this kernel keeps none)

`none`, when all devices are gone, waits for what is freed late; `some`, while there is a device,
proves that the traces tell."""
import glob
import sys
import time

TRACES = "/sys/kernel/debug/slab/*/alloc_traces"
MODULE = "[mplane]"
# Not the module's: what some module allocated as it was loaded, by code that is gone from where the
# module is now; names in sysfs, which live as long as somebody's path leads through them; and a
# processor's stock of free objects, which Linux since 6.18 renews in whoever's call it runs out.
OTHERS = ("do_one_initcall", "kernfs_new_node", "__pcs_replace_empty_main")


def stacks_in(file):
    """Each stack of a file: a line that begins with the number of objects, then one for a frame."""
    stack = []
    for line in file:
        if line.lstrip()[:1].isdigit() and not line.lstrip().startswith("0x"):
            if stack:
                yield stack
            stack = []
        stack.append(line.strip())
    if stack:
        yield stack


def traces():
    """How many allocations are traced at all, and the stacks of those that the module made."""
    total, ours = 0, []
    for path in glob.glob(TRACES):
        with open(path, encoding="utf-8", errors="replace") as file:
            for stack in stacks_in(file):
                total += 1
                text = " ".join(stack)
                if MODULE in text and not any(name in text for name in OTHERS):
                    ours.append(stack)
    return total, ours


def areas():
    """The module's mappings of pages; that of its own code is named otherwise."""
    with open("/proc/vmallocinfo", encoding="utf-8") as file:
        return [[line.strip()] for line in file if MODULE in line]


def held():
    total, ours = traces()
    return total, ours + areas()


def none_held(seconds=30):
    """What is still held after so long; empty: nothing."""
    end = time.monotonic() + seconds
    while True:
        unused, stacks = held()
        if not stacks or time.monotonic() > end:
            return stacks
        time.sleep(0.2)


def main():
    total, stacks = held()
    if not total:
        print("kmod_leaks: this kernel traces no allocations (slub_debug=U)")
        return 77
    if sys.argv[1] == "some":
        print("kmod_leaks: a device is %u of %u kinds of allocation" % (len(stacks), total))
        if stacks:
            return 0
        print("FAIL: a device leaves no trace: leaks would not either")
        return 1
    stacks = none_held()
    for stack in stacks[:5]:
        print("FAIL: leaked: " + " | ".join(stack[:12]))
    print("kmod_leaks: nothing left of %u kinds of allocation" % total if not stacks else
          "kmod_leaks: %u left" % len(stacks))
    return 1 if stacks else 0


if __name__ == "__main__":
    sys.exit(main())
