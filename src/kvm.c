/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"

static int create_machine(struct kvm *kvm, GError **error)
{
	int system = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (system < 0 && (errno == EACCES || errno == EPERM))
		return fail(error, EXIT_REFUSED, EACCES,
			    "its driver wants a KVM machine, and /dev/kvm may not be opened (join "
			    "the group kvm, or run as root)");
	if (system < 0 && (errno == ENOENT || errno == ENODEV))
		return fail(error, EXIT_FAILED, ENODEV,
			    "its driver wants a KVM machine, and there is no KVM here (modprobe "
			    "kvm_intel or kvm_amd)");
	if (system < 0)
		return fail(error, EXIT_FAILED, errno,
			    "its driver wants a KVM machine, and /dev/kvm cannot be opened: %s",
			    g_strerror(errno));
	do { /* a signal, whoever it is for, interrupts it */
		kvm->machine = ioctl(system, KVM_CREATE_VM, 0);
	} while (kvm->machine < 0 && errno == EINTR);
	if (kvm->machine < 0) {
		int errnum = errno;

		close(system);
		return fail(error, EXIT_FAILED, errnum,
			    "its driver wants a KVM machine, and none can be made: %s",
			    g_strerror(errnum));
	}
	close(system);
	return 0;
}

int kvm_open(int vfio_fd, struct kvm *kvm, GError **error)
{
	struct kvm_create_device create = {.type = KVM_DEV_TYPE_VFIO};
	int32_t fd = vfio_fd;
	/* The group of 2012 and the file of 6.6 are one attribute by number. */
	struct kvm_device_attr add = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = KVM_DEV_VFIO_GROUP_ADD,
		.addr = (uint64_t)(uintptr_t)&fd,
	};
	int ret;

	*kvm = KVM_CLOSED;
	ret = create_machine(kvm, error);
	if (ret)
		return ret;
	if (!ioctl(kvm->machine, KVM_CREATE_DEVICE, &create)) {
		kvm->vfio = (int)create.fd;
		if (!ioctl(kvm->vfio, KVM_SET_DEVICE_ATTR, &add))
			return 0;
	}
	ret = fail(error, EXIT_FAILED, errno, "KVM does not take the device: %s",
		   g_strerror(errno));
	kvm_close(kvm);
	return ret;
}

void kvm_close(struct kvm *kvm)
{
	if (kvm->vfio >= 0)
		close(kvm->vfio);
	if (kvm->machine >= 0)
		close(kvm->machine);
	*kvm = KVM_CLOSED;
}
