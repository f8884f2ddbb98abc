/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A KVM virtual machine without memory or processor, for drivers that open a device only for the
 * machine it is associated with (GVT-g: -ESRCH otherwise, drivers/gpu/drm/i915/gvt/kvmgt.c).
 * Source of the interface: linux Documentation/virt/kvm/devices/vfio.rst.
 */
#ifndef PLANECAST_KVM_H
#define PLANECAST_KVM_H

#include <glib.h>

struct kvm {
	int machine; /* -1 while there is none */
	int vfio;    /* its KVM_DEV_TYPE_VFIO device */
};

#define KVM_CLOSED ((struct kvm){-1, -1})

/*
 * Makes the machine and associates a vfio group or device descriptor with it. To be kept until
 * that descriptor is closed. -EACCES, -ENODEV: no KVM to be had here, with the line that says so.
 */
int kvm_open(int vfio_fd, struct kvm *kvm, GError **error);
void kvm_close(struct kvm *kvm); /* any number of times */

#endif
