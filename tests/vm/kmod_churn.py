#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Removes, closes, unmaps and unloads in random order from several processes.
usage: kmod_churn.py MODULE ROUNDS SEED"""
import ctypes
import errno
import mmap
import os
import random
import signal
import sys
import time

import kmod_leaks
from kmod_vfio import BAR0, DMABUF, PARENT, REGION, Count, Device, Mapping, Mdev, libc

UUID = "6b1f5bd4-0005-4000-8000-%012x"
RW = mmap.PROT_READ | mmap.PROT_WRITE
O_NONBLOCK = os.O_NONBLOCK
count = Count()
loaded = os.path.isdir("/sys/module/mplane")


def unload():
    """True if the module is gone."""
    return libc.syscall(176, b"mplane", O_NONBLOCK) == 0 or ctypes.get_errno() == errno.ENOENT


def load(module):
    fd = os.open(module, os.O_RDONLY)
    try:
        if libc.syscall(313, fd, b"", 0) and ctypes.get_errno() != errno.EEXIST:
            raise OSError(ctypes.get_errno(), "finit_module")
    finally:
        os.close(fd)


def in_child(function, *args):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function(*args)
            code = 0
        except OSError:
            code = 0  # whatever errno: not to hang or crash is the matter
        finally:
            os._exit(code)
    return pid


def wait_all(pids, seconds):
    """True if all end in time; the others are killed."""
    end = time.monotonic() + seconds
    left = set(pids)
    while left and time.monotonic() < end:
        for pid in list(left):
            if os.waitpid(pid, os.WNOHANG)[0]:
                left.discard(pid)
        time.sleep(0.002)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return not left


def without_descriptors(function, *args):
    """What is inherited must not be what keeps the device open."""
    os.closerange(3, 256)
    function(*args)


def let_go(rng, things):
    """Closes and unmaps in random order, some by exit only."""
    rng.shuffle(things)
    for thing in things[rng.randrange(len(things)):]:
        if rng.randrange(3) == 0:
            time.sleep(rng.random() * 0.003)
        if isinstance(thing, int):
            os.close(thing)
        else:
            thing.close()


def use(rng, mdev, flag):
    """A device in full use; the descriptors and mappings of that."""
    device = Device(mdev.uuid)
    things = [device.fd, device.group, device.container]
    event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    things.append(event)
    device.set_irq(5, rng.randrange(16), [event])
    things.append(device.mmap(BAR0, 1 << 20, prot=RW))
    things.append(device.mmap(11, 4096))
    plane = device.query(flag)
    if flag == DMABUF:
        fd = device.dmabuf(plane.index)
        things += [fd, Mapping(fd, plane.size)]
    else:
        things.append(device.mmap(plane.index, plane.size))
    things[4].write(rng.randrange(1 << 20), b"x")
    things[-1].bytes(0, 4096)
    return things


def one_round(rng, number, module):
    load(module)
    kinds = sorted(os.listdir(PARENT + "/mdev_supported_types"))
    kind = rng.choice(kinds)
    mdev = Mdev(kind, UUID % number)
    mdev.put("mode", "128x128")
    mdev.put("pattern", rng.choice(["desktop", "video", "bars"]))
    mdev.put("rate", rng.choice([0, 60, 240]))
    mdev.put("flips", rng.choice([0, 0, 3]))
    things = use(rng, mdev, REGION if kind == "mplane-region" else DMABUF)
    jobs = [(without_descriptors,) + job for job in
            ((mdev.remove,), (unload,), (mdev.put, "rate", 120), (mdev.put, "pattern", "noise"))]
    jobs += [(let_go, random.Random(rng.random()), list(things)) for unused in range(2)]
    rng.shuffle(jobs)
    pids = [in_child(*job) for job in jobs]
    let_go(rng, list(things))
    for thing in things:  # what was left to the end
        try:
            os.close(thing) if isinstance(thing, int) else thing.close()
        except OSError:
            pass
    count.check(wait_all(pids, 20), "round %u: %s: a process hangs" % (number, kind))
    count.check(not os.path.exists(mdev.path), "round %u: %s: not removed" % (number, kind))
    if number % 50 == 49 and os.path.isdir("/sys/module/mplane"):
        stacks = kmod_leaks.none_held()
        count.check(not stacks, "round %u: leaked: %s" % (number, stacks[:1]))
    if rng.randrange(4) == 0:
        for unused in range(100):
            if unload():
                break
            time.sleep(0.02)
        count.check(not os.path.isdir("/sys/module/mplane"), "round %u: not unloaded" % number)


def main():
    module, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    for number in range(rounds):
        one_round(rng, number, module)
        if count.failed:
            break
    load(module)
    return count.finish("kmod_churn (%u rounds, seed %u)" % (rounds, seed))


sys.exit(main())
