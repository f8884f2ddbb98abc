#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps a machine of KVM with a processor for as long as a program runs.

usage: hold_kvm.py COMMAND [ARGUMENT]...

The first one and the last one to go make the kernel patch its scheduler, and its local APICs, under
way. An emulated machine may die of that: QEMU before 8.1, translating for one processor what
another one patches, now and then keeps the patcher's int3 for good (mended by its commit
deba78709ae8). The processor then traps for ever, with the run queue's lock held, and the other one
waits for that; 7.x says "int3" and stops. Neither guests nor this module are needed: in a machine
without them, where programs switch all the time, making and closing an empty machine of KVM did it
after 101 and 64 times, writing to sched_schedstats after 362; with one held, KVM's 466 times did
not.
"""
import fcntl
import os
import subprocess
import sys

KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_CREATE_IRQCHIP = 0xae01, 0xae41, 0xae60
HELD = "PLANECAST_KVM_HELD"  # in the environment: the process that does it


def hold():
    """From now on until this program ends, unless one above does; what it starts is told so."""
    if os.environ.setdefault(HELD, str(os.getpid())) != str(os.getpid()):
        return
    if subprocess.run(["modprobe", "kvm_amd"], stderr=subprocess.DEVNULL, check=False).returncode:
        return
    machine = fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR), KVM_CREATE_VM, 0)
    fcntl.ioctl(machine, KVM_CREATE_IRQCHIP)
    fcntl.ioctl(machine, KVM_CREATE_VCPU, 0)


if __name__ == "__main__":
    hold()
    sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
