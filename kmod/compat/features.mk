# SPDX-License-Identifier: GPL-2.0-or-later
# What this kernel's headers offer, found by looking into them: distributions backport, so the
# version alone says little. compat.h gives each answer its meaning.
mplane-has = $(if $(shell grep -qse '$(2)' $(srctree)/include/linux/$(1) && echo y),-DMPLANE_HAVE_$(3))

mplane-features := \
	$(call mplane-has,vfio.h,vfio_free_device.struct,VFIO_FREE_DEVICE) \
	$(call mplane-has,vfio.h,vfio_iommufd_emulated_bind,IOMMUFD_BIND) \
	$(call mplane-has,vfio.h,vfio_iommufd_emulated_detach_ioas,IOMMUFD_DETACH) \
	$(call mplane-has,vfio.h,get_region_info_caps,REGION_INFO_CAPS) \
	$(call mplane-has,eventfd.h,eventfd_signal.struct eventfd_ctx .ctx. __u64,EVENTFD_SIGNAL_N) \
	$(call mplane-has,unaligned.h,get_unaligned,LINUX_UNALIGNED) \
	$(call mplane-has,mm.h,vm_flags_set.struct,VM_FLAGS_SET) \
	$(call mplane-has,module.h,import_ns.*__stringify,BARE_IMPORT_NS)
