# SPDX-License-Identifier: GPL-2.0-or-later
"""The VFIO calls that the module's tests make, by hand: nothing of planecast is used here."""
import ctypes
import errno
import fcntl
import mmap
import os
import struct

VFIO = 0x3B64  # _IO(';', 100 + n)
(GET_API_VERSION, CHECK_EXTENSION, SET_IOMMU, GROUP_GET_STATUS, GROUP_SET_CONTAINER,
 GROUP_UNSET_CONTAINER, GROUP_GET_DEVICE_FD, DEVICE_GET_INFO, DEVICE_GET_REGION_INFO,
 DEVICE_GET_IRQ_INFO, DEVICE_SET_IRQS, DEVICE_RESET) = range(VFIO, VFIO + 12)
QUERY_GFX_PLANE = VFIO + 14
GET_GFX_DMABUF = VFIO + 15
TYPE1_IOMMU = 1

PROBE, DMABUF, REGION = 1, 2, 4
PRIMARY, CURSOR = 1, 2
BAR0, BAR2, CONFIG = 0, 2, 7
CAP_SPARSE_MMAP, CAP_TYPE = 1, 2
XRGB8888 = 0x34325258
DMA_BUF_IOCTL_SYNC = 0x40086200

libc = ctypes.CDLL(None, use_errno=True)
PARENT = "/sys/class/mdev_bus/mplane"
DEVICES = "/sys/bus/mdev/devices"


def ioctl(fd, request, arg):
    """The call's result; OSError on failure. (Given bytes, fcntl returns them instead.)"""
    return fcntl.ioctl(fd, request, bytearray(arg) if isinstance(arg, bytes) else arg)


def fails(expected, function, *args):
    """True if the call fails with that errno."""
    try:
        function(*args)
    except OSError as error:
        return error.errno == expected
    return False


class Plane:
    LAYOUT = "=4IQ8II4x"

    def __init__(self, data):
        (self.argsz, self.flags, self.type, self.format, self.modifier, self.width, self.height,
         self.stride, self.size, self.x, self.y, self.hot_x, self.hot_y,
         self.index) = struct.unpack(self.LAYOUT, data)

    def __repr__(self):
        return "%ux%u stride %u size %u format %#x modifier %#x index %u" % (
            self.width, self.height, self.stride, self.size, self.format, self.modifier, self.index)


class Region:
    def __init__(self, flags, index, size, offset, caps):
        self.flags, self.index, self.size, self.offset, self.caps = flags, index, size, offset, caps

    def type(self):
        """(type, subtype), or None."""
        return self.caps.get(CAP_TYPE) and struct.unpack("=II", self.caps[CAP_TYPE][:8])


class Device:
    """An open device: group, container and descriptor."""

    def __init__(self, uuid):
        self.group = self.container = self.fd = -1
        link = os.readlink("%s/%s/iommu_group" % (DEVICES, uuid))
        try:
            self.container = os.open("/dev/vfio/vfio", os.O_RDWR | os.O_CLOEXEC)
            self.group = os.open("/dev/vfio/" + os.path.basename(link), os.O_RDWR | os.O_CLOEXEC)
            ioctl(self.group, GROUP_SET_CONTAINER, struct.pack("i", self.container))
            ioctl(self.container, SET_IOMMU, TYPE1_IOMMU)
            self.fd = self.get_fd(uuid)
        except OSError:
            self.close()
            raise

    def get_fd(self, uuid):
        return ioctl(self.group, GROUP_GET_DEVICE_FD, ctypes.create_string_buffer(uuid.encode()))

    def close(self):
        for fd in (self.fd, self.group, self.container):
            if fd >= 0:
                os.close(fd)
        self.group = self.container = self.fd = -1

    @classmethod
    def attach(cls, pid, uuid):
        """A duplicate of the device that a process has open, found by its group descriptor."""
        self = cls.__new__(cls)
        self.group = self.container = self.fd = -1
        link = os.path.basename(os.readlink("%s/%s/iommu_group" % (DEVICES, uuid)))
        pidfd = os.pidfd_open(pid)
        try:
            for name in os.listdir("/proc/%u/fd" % pid):
                if os.readlink("/proc/%u/fd/%s" % (pid, name)) == "/dev/vfio/" + link:
                    self.group = libc.syscall(438, pidfd, int(name), 0)  # pidfd_getfd
                    self.fd = self.get_fd(uuid)
                    return self
        finally:
            os.close(pidfd)
        raise OSError(errno.ENODEV, "process %u has not opened %s" % (pid, uuid))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def info(self):
        data = bytearray(struct.pack("=IIII", 16, 0, 0, 0))
        ioctl(self.fd, DEVICE_GET_INFO, data)
        return struct.unpack("=IIII", data)

    def reset(self):
        ioctl(self.fd, DEVICE_RESET, 0)

    def region(self, index):
        data = bytearray(struct.pack("=IIIIQQ", 32, 0, index, 0, 0, 0))
        ioctl(self.fd, DEVICE_GET_REGION_INFO, data)
        argsz = struct.unpack_from("=I", data)[0]
        if argsz > 32:
            data = bytearray(struct.pack("=IIIIQQ", argsz, 0, index, 0, 0, 0).ljust(argsz, b"\0"))
            ioctl(self.fd, DEVICE_GET_REGION_INFO, data)
        unused, flags, index, cap, size, offset = struct.unpack_from("=IIIIQQ", data)
        caps = {}
        while cap:
            cap_id, unused, following = struct.unpack_from("=HHI", data, cap)
            caps[cap_id] = bytes(data[cap + 8:following or len(data)])
            cap = following
        return Region(flags, index, size, offset, caps)

    def find_region(self, wanted):
        """The region whose capability names that (type, subtype), or None."""
        for index in range(9, self.info()[2]):
            region = self.region(index)
            if region.type() == wanted:
                return region
        return None

    def irq(self, index):
        data = bytearray(struct.pack("=IIII", 16, 0, index, 0))
        ioctl(self.fd, DEVICE_GET_IRQ_INFO, data)
        return struct.unpack("=IIII", data)[1:]

    def set_irq(self, index, start, fds):
        """Sets eventfds (-1: none) from subindex start on."""
        ioctl(self.fd, DEVICE_SET_IRQS, struct.pack("=IIIII%di" % len(fds), 20 + 4 * len(fds),
                                                    4 | 32, index, start, len(fds), *fds))

    def read(self, region, offset, count):
        return os.pread(self.fd, count, self.region(region).offset + offset)

    def write(self, region, offset, data):
        return os.pwrite(self.fd, data, self.region(region).offset + offset)

    def mmap(self, index, size, offset=0, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED):
        return Mapping(self.fd, size, self.region(index).offset + offset, prot, flags)

    def query(self, flags, plane=PRIMARY, argsz=64):
        data = bytearray(struct.pack("=III", argsz, flags, plane).ljust(64, b"\0"))
        ioctl(self.fd, QUERY_GFX_PLANE, data)
        return Plane(data)

    def dmabuf(self, plane_id):
        return ioctl(self.fd, GET_GFX_DMABUF, struct.pack("=I", plane_id))

    def vbe(self, **registers):
        """Programs dispi registers by name."""
        names = ["id", "xres", "yres", "bpp", "enable", "bank", "virt_width", "virt_height",
                 "x_offset", "y_offset"]
        for name, value in registers.items():
            self.write(BAR2, 0x500 + 2 * names.index(name), struct.pack("=H", value))

    def set_mode(self, width, height, bpp=32, **more):
        self.vbe(enable=0, xres=width, yres=height, bpp=bpp, virt_width=width,
                 virt_height=height, x_offset=0, y_offset=0, **more)
        self.vbe(enable=0x41)

    def pixels(self, plane, size=None):
        """The bytes of a plane as it was queried, through the transport that it names."""
        size = size or plane.stride * plane.height
        if plane.flags & DMABUF:
            fd = self.dmabuf(plane.index)
            try:
                ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("=Q", 1))
                with Mapping(fd, plane.size) as mapping:
                    data = mapping.bytes(0, size)
                ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("=Q", 5))
                return data
            finally:
                os.close(fd)
        with self.mmap(plane.index, plane.size) as mapping:
            return mapping.bytes(0, size)


class Mapping:
    """mmap by libc: Python's own refuses descriptors whose size fstat does not tell."""
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                          ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

    def __init__(self, fd, size, offset=0, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED):
        self.size = size
        self.address = libc.mmap(None, size, prot, flags, fd, offset)
        if self.address == ctypes.c_void_p(-1).value:
            self.address = None
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def protect(self, prot):
        if libc.mprotect(self.address, self.size, prot):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def bytes(self, offset, count):
        return ctypes.string_at(self.address + offset, count)

    def write(self, offset, data):
        ctypes.memmove(self.address + offset, data, len(data))

    def close(self):
        if self.address:
            libc.munmap(self.address, self.size)
        self.address = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def tiled(linear, pitch, height, modifier, stride):
    """A linear picture as a scanout of that modifier has it, 16 bytes at a time."""
    kind = modifier & 0xff if modifier else 0
    width, rows = {0: (stride, 1), 1: (512, 8)}.get(kind, (128, 32))
    out = bytearray(stride * -(-height // rows) * rows)
    for y in range(height):
        line, top = y % rows, y // rows * rows * stride
        for x in range(0, pitch, 16):
            run = x % width // 16
            if kind <= 1:
                offset = line * width + run * 16
            elif kind == 2:
                offset = run * 512 + line * 16
            elif kind == 3:
                offset = ((line & 7) << 4 | (run & 1) << 7 | (line & 8) << 5 | (run & 2) << 8 |
                          (line & 16) << 6 | (run & 4) << 9)
            else:
                offset = ((line & 3) << 4 | (run & 3) << 6 | (line & 4) << 6 | (run & 4) << 7 |
                          (line & 24) << 7)
            offset += top + x // width * width * rows
            out[offset:offset + 16] = linear[y * pitch + x:y * pitch + x + 16]
    return bytes(out)


class Mdev:
    """A device that the test creates, and removes at its end."""

    def __init__(self, kind, uuid):
        self.uuid = uuid
        self.path = "%s/%s" % (DEVICES, uuid)
        put("%s/mdev_supported_types/%s/create" % (PARENT, kind), uuid)

    def put(self, name, value):
        put("%s/%s" % (self.path, name), str(value))

    def get(self, name):
        with open("%s/%s" % (self.path, name)) as file:
            return file.read().rstrip("\n")

    def remove(self):
        if os.path.exists(self.path):
            self.put("remove", 1)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.remove()


def put(path, value):
    """Writes a sysfs file in one write(2); OSError with the driver's errno."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)


class Count:
    """Checks, counted; a failed one says what it was and lets the others run."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, what):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("FAIL: " + what, flush=True)
        return good

    def finish(self, name):
        """The exit status."""
        print("%s: %u passed, %u failed" % (name, self.passed, self.failed), flush=True)
        return 1 if self.failed or not self.passed else 0
