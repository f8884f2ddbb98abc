# SPDX-License-Identifier: GPL-2.0-or-later
"""A KVM guest of a few instructions, whose memory at SCREEN is a mapping of ours: it writes when it
is told to, and how often. Linux' Documentation/virt/kvm/api.rst has the calls and structures."""
import ctypes
import fcntl
import mmap
import os
import struct

(KVM_CREATE_VM, KVM_GET_VCPU_MMAP_SIZE, KVM_CREATE_VCPU, KVM_RUN) = (0xAE01, 0xAE04, 0xAE41, 0xAE80)
KVM_SET_USER_MEMORY_REGION = 0x4020AE46
KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS = 0x4090AE82, 0x8138AE83, 0x4138AE84
KVM_EXIT_IO = 2
SCREEN = 0x10000000
DONE = b"\xe6\x10"  # out %al, $0x10: back to us
# By what is in the registers: al or eax the value, edi (esi) the address, ecx how often.
PROGRAMS = {
    "poke": (0x100, b"\x88\x07" + DONE),                      # mov %al, (%edi)
    "stride": (0x200, b"\x88\x07\x01\xd7\xe2\xfa" + DONE),    # ... add %edx, %edi; loop
    "fill": (0x300, b"\xfc\xf3\xab" + DONE),                  # cld; rep stosl
    "read": (0x400, b"\xfc\xf3\xad" + DONE),                  # cld; rep lodsl
}


def segment(selector, kind):
    """A flat 32-bit one."""
    return struct.pack("=QIH10B", 0, 0xffffffff, selector, kind, 1, 0, 1, 1, 0, 1, 0, 0, 0)


class Vcpu:
    """A guest with one processor, in protected mode without paging. Not for several threads."""

    def __init__(self, screen):
        self.kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
        self.vm = fcntl.ioctl(self.kvm, KVM_CREATE_VM, 0)
        self.code = mmap.mmap(-1, 4096)
        for place, program in PROGRAMS.values():
            self.code[place:place + len(program)] = program
        self._address = ctypes.c_char.from_buffer(self.code)
        self._memory(0, 0, 4096, ctypes.addressof(self._address))
        self._memory(1, SCREEN, screen.size, screen.address)
        self.vcpu = fcntl.ioctl(self.vm, KVM_CREATE_VCPU, 0)
        self.run_page = mmap.mmap(self.vcpu, fcntl.ioctl(self.kvm, KVM_GET_VCPU_MMAP_SIZE, 0))
        sregs = bytearray(312)
        fcntl.ioctl(self.vcpu, KVM_GET_SREGS, sregs)
        sregs[0:24] = segment(8, 11)
        for number in range(1, 6):  # ds, es, fs, gs, ss
            sregs[24 * number:24 * number + 24] = segment(16, 3)
        cr0 = struct.unpack_from("=Q", sregs, 224)[0]
        struct.pack_into("=Q", sregs, 224, cr0 | 1)
        fcntl.ioctl(self.vcpu, KVM_SET_SREGS, sregs)

    def _memory(self, slot, place, size, address):
        fcntl.ioctl(self.vm, KVM_SET_USER_MEMORY_REGION,
                    struct.pack("=IIQQQ", slot, 0, place, size, address))

    def run(self, program, offset, value=0, count=1, step=0):
        """Runs a program from an offset of the screen on, to its end."""
        regs = [0] * 18
        regs[0], regs[2], regs[3] = value, count, step
        regs[4] = regs[5] = SCREEN + offset
        regs[16], regs[17] = PROGRAMS[program][0], 2
        fcntl.ioctl(self.vcpu, KVM_SET_REGS, struct.pack("=18Q", *regs))
        fcntl.ioctl(self.vcpu, KVM_RUN, 0)
        reason = struct.unpack_from("=I", self.run_page, 8)[0]
        if reason != KVM_EXIT_IO:
            raise OSError("KVM: the guest ended %s by exit %u" % (program, reason))

    def close(self):
        self.run_page.close()
        for fd in (self.vcpu, self.vm, self.kvm):
            os.close(fd)
        del self._address
        self.code.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
