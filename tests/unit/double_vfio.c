/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "double_vfio.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <glib.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "double_calls.h"
#include "plane.h"
#include "unit.h"

/* From linux 6.6's vfio.h. */
#ifndef VFIO_DEVICE_BIND_IOMMUFD
struct vfio_device_bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
};
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

#define MEMORY_SIZE ((size_t)DOUBLE_REGIONS << DOUBLE_REGION_BIT)

struct double_device double_device;
static bool has_kvm;
static GHashTable *gets; /* id -> times got, and whether that was tried; 0: named only */

#define TRIED 0x10000u

#define STATUS_REGION 20
#define STATUS_EVENT  (VFIO_PCI_NUM_IRQS + 1)
#define STATUS_TYPE   (0x80000000u | MPLANE_PCI_VENDOR) /* VFIO_REGION_TYPE_PCI_VENDOR_TYPE */

void double_device_init(void)
{
	memset(&double_device, 0, sizeof(double_device));
	has_kvm = false;
	double_device.memory = memfd_create("device", MFD_CLOEXEC);
	assert_true(double_device.memory >= 0);
	assert_int_equal(ftruncate(double_device.memory, MEMORY_SIZE), 0);
	double_device.bytes = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				   double_device.memory, 0);
	assert_ptr_not_equal(double_device.bytes, MAP_FAILED);
	double_device.counted = VFIO_PCI_NUM_REGIONS;
	double_device.event = -1;
	for (uint64_t i = 0; i < DOUBLE_REGIONS; i++)
		double_device.regions[i].offset = i << DOUBLE_REGION_BIT;
	gets = g_hash_table_new(NULL, NULL);
}

void double_device_finish(void)
{
	munmap(double_device.bytes, MEMORY_SIZE);
	close(double_device.memory);
	g_hash_table_unref(gets);
}

void double_device_show(uint32_t transport, uint64_t modifier)
{
	struct vfio_device_gfx_plane_info *info = &double_device.primary;

	double_device.probes = transport;
	*info = (struct vfio_device_gfx_plane_info){
		.drm_plane_type = PLANE_PRIMARY,
		.drm_format = DRM_FORMAT_XRGB8888,
		.drm_format_mod = modifier,
		.width = 640,
		.height = 480,
		.stride = 2560,
		.size = 2560 * 480,
		.region_index = 16,
	};
	if (transport == VFIO_GFX_PLANE_TYPE_DMABUF)
		info->dmabuf_id = 1;
	double_device.regions[16].size = info->size;
	double_device.dmabuf_size = info->size;
}

void double_device_plug_bochs(uint16_t x_offset, uint16_t y_offset)
{
	const uint16_t dispi[] = {0xb0c5, 640, 480, 32, 1, 0, 640, 1000, x_offset, y_offset};
	const uint32_t id = 0x11111234;

	double_device.regions[VFIO_PCI_CONFIG_REGION_INDEX].size = 256;
	double_device.regions[VFIO_PCI_BAR0_REGION_INDEX].size = 4 << 20;
	double_device.regions[VFIO_PCI_BAR2_REGION_INDEX].size = 4096;
	memcpy(double_device.bytes + (VFIO_PCI_CONFIG_REGION_INDEX << DOUBLE_REGION_BIT), &id, 4);
	memcpy(double_device.bytes + (VFIO_PCI_BAR2_REGION_INDEX << DOUBLE_REGION_BIT) + 0x500,
	       dispi, sizeof(dispi));
}

struct mplane_status *double_device_plug_status(void)
{
	static const struct vfio_region_info_cap_type caps = {
		.header = {VFIO_REGION_INFO_CAP_TYPE, 1, 0},
		.type = STATUS_TYPE,
		.subtype = MPLANE_REGION_SUBTYPE_STATUS,
	};
	void *memory = double_device.bytes + ((size_t)STATUS_REGION << DOUBLE_REGION_BIT);
	struct mplane_status *page = memory;

	double_device.counted = STATUS_REGION + 1;
	double_device.regions[STATUS_REGION].size = 8192;
	double_device.regions[STATUS_REGION].caps = &caps;
	double_device.regions[STATUS_REGION].caps_size = sizeof(caps);
	double_device.regions[STATUS_REGION].first_cap = sizeof(struct vfio_region_info);
	*page = (struct mplane_status){
		.magic = MPLANE_STATUS_MAGIC,
		.version = MPLANE_STATUS_VERSION,
		.size = sizeof(*page),
		.event = STATUS_EVENT,
		.flags = MPLANE_STATUS_TRACKED,
	};
	return page;
}

unsigned int double_device_got(uint32_t id)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(gets, GUINT_TO_POINTER(id))) & (TRIED - 1);
}

unsigned int double_device_ungot(void)
{
	GHashTableIter iter;
	unsigned int count = 0;
	void *value;

	g_hash_table_iter_init(&iter, gets);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		count += !value;
	return double_device.ungettable ? 0 : count;
}

static int query(struct vfio_device_gfx_plane_info *info)
{
	bool cursor = info->drm_plane_type == PLANE_CURSOR;
	uint32_t transport = info->flags & ~VFIO_GFX_PLANE_TYPE_PROBE, flags = info->flags;
	int ret = 0;

	if (info->argsz < sizeof(*info))
		return -EINVAL;
	if (info->flags & VFIO_GFX_PLANE_TYPE_PROBE) {
		ret = -double_call("PROBE %s",
				   transport == VFIO_GFX_PLANE_TYPE_REGION ? "region" : "dmabuf");
		return ret ? ret : double_device.probes & transport ? 0 : -EINVAL;
	}
	ret = -double_call("QUERY");
	if (ret)
		return ret;
	if (double_device.query)
		ret = double_device.query(info);
	else
		*info = cursor ? double_device.cursor : double_device.primary;
	info->flags = flags;
	if (!ret && info->drm_format && info->width && info->height &&
	    transport == VFIO_GFX_PLANE_TYPE_DMABUF &&
	    !g_hash_table_contains(gets, GUINT_TO_POINTER(info->dmabuf_id)))
		g_hash_table_insert(gets, GUINT_TO_POINTER(info->dmabuf_id), NULL);
	return ret;
}

static int get_dmabuf(const uint32_t *id)
{
	int ret = -double_call("GET_DMABUF %u", *id), fd;
	unsigned int times = double_device_got(*id) + !ret;

	g_hash_table_insert(gets, GUINT_TO_POINTER(*id), GUINT_TO_POINTER(times | TRIED));
	if (ret)
		return ret;
	fd = double_descriptor(DOUBLE_DMABUF, -1);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)double_device.dmabuf_size), 0);
	if (double_device.fill) {
		uint8_t *bytes = g_malloc0(double_device.dmabuf_size);

		double_device.fill(*id, bytes);
		assert_int_equal(pwrite(fd, bytes, double_device.dmabuf_size, 0),
				 double_device.dmabuf_size);
		g_free(bytes);
	}
	return fd;
}

/* As linux's vfio_pci and vfio_info_cap_shift() do: capabilities only where there is room. */
static int region_info(struct vfio_region_info *info)
{
	uint32_t index = info->index, argsz = info->argsz, size = sizeof(*info);
	int ret = -double_call("GET_REGION_INFO %u", index);

	if (ret)
		return ret;
	if (argsz < sizeof(*info) || index >= DOUBLE_REGIONS || !double_device.regions[index].size)
		return -EINVAL;
	info->size = double_device.regions[index].size;
	info->offset = double_device.regions[index].offset;
	if (!double_device.regions[index].caps)
		return 0;
	size += double_device.regions[index].caps_size;
	info->flags = VFIO_REGION_INFO_FLAG_CAPS;
	info->argsz = double_device.regions[index].answer_size
			      ? double_device.regions[index].answer_size
			      : size;
	if (argsz <= sizeof(*info))
		return 0;
	info->cap_offset = double_device.regions[index].first_cap;
	memcpy(info + 1, double_device.regions[index].caps,
	       MIN(argsz - sizeof(*info), double_device.regions[index].caps_size));
	return 0;
}

static int set_event(uint32_t place, int fd)
{
	int ret = -double_call("SET_EVENT %u", place);

	if (!ret)
		double_device.event = fd;
	if (fd >= 0 && double_device.on_event)
		double_device.on_event();
	return ret;
}

static int set_irqs(const struct vfio_irq_set *set)
{
	int32_t fd;

	assert_int_equal(set->argsz, sizeof(*set) + sizeof(fd));
	assert_int_equal(set->count, 1);
	memcpy(&fd, set->data, sizeof(fd));
	if (set->index == STATUS_EVENT && double_device.regions[STATUS_REGION].size)
		return set_event(set->start, fd);
	if (!double_device.has_request)
		return -EINVAL;
	assert_int_equal(set->index, VFIO_PCI_REQ_IRQ_INDEX);
	double_device.request = fd;
	return 0;
}

static int device_ioctl(unsigned long request, void *argument)
{
	int ret;

	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		ret = -double_call("GET_INFO");
		((struct vfio_device_info *)argument)->num_regions = double_device.counted;
		return ret;
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(argument);
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return query(argument);
	case VFIO_DEVICE_GET_GFX_DMABUF:
		return get_dmabuf(argument);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(argument);
	default:
		return -ENOTTY;
	}
}

/* A device's own node takes nothing but to be bound (linux drivers/vfio/vfio_main.c). */
static int bind(int fd, const struct vfio_device_bind_iommufd *bind)
{
	int ret = -double_call("BIND_IOMMUFD");

	if (ret)
		return ret;
	if (bind->argsz < sizeof(*bind) || bind->flags ||
	    double_kind_of(bind->iommufd) != DOUBLE_IOMMUFD)
		return -EINVAL;
	if (double_device.wants_kvm && !has_kvm)
		return -ESRCH;
	double_set_kind(fd, DOUBLE_DEVICE);
	return 0;
}

static int container_ioctl(unsigned long request, void *argument)
{
	if (request == VFIO_GET_API_VERSION)
		return double_call("GET_API_VERSION") ? VFIO_API_VERSION + 1 : VFIO_API_VERSION;
	assert_int_equal(request, VFIO_SET_IOMMU);
	assert_int_equal((uintptr_t)argument, VFIO_TYPE1v2_IOMMU);
	return -double_call("SET_IOMMU");
}

static int group_ioctl(unsigned long request, void *argument)
{
	int ret;

	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)argument)->flags = VFIO_GROUP_FLAGS_VIABLE;
		ret = -double_call("GET_STATUS");
		if (ret == -ENXIO) /* of the script: answered, and not viable */
			ret = (int)(((struct vfio_group_status *)argument)->flags = 0);
		return ret;
	case VFIO_GROUP_SET_CONTAINER:
		assert_int_equal(double_kind_of(*(int *)argument), DOUBLE_CONTAINER);
		return -double_call("SET_CONTAINER");
	default:
		assert_int_equal(request, VFIO_GROUP_GET_DEVICE_FD);
		ret = -double_call("GET_DEVICE_FD");
		if (ret)
			return ret;
		if (strcmp(argument, DOUBLE_NAME) != 0)
			return -ENODEV;
		if (double_device.wants_kvm && !has_kvm)
			return -ESRCH;
		return double_descriptor(DOUBLE_DEVICE, double_device.memory);
	}
}

static int kvm_ioctl(unsigned long request, void *argument)
{
	int ret;

	if (request == KVM_CREATE_VM) {
		ret = -double_call("CREATE_VM");
		return ret ? ret : double_descriptor(DOUBLE_MACHINE, -1);
	}
	if (request == KVM_CREATE_DEVICE) {
		struct kvm_create_device *create = argument;

		assert_int_equal(create->type, KVM_DEV_TYPE_VFIO);
		ret = -double_call("CREATE_DEVICE");
		if (!ret)
			create->fd = (uint32_t)double_descriptor(DOUBLE_KVM_VFIO, -1);
		return ret;
	}
	assert_int_equal(request, KVM_SET_DEVICE_ATTR);
	ret = -double_call("SET_DEVICE_ATTR");
	if (!ret) {
		const struct kvm_device_attr *attr = argument;
		int fd = *(int32_t *)(uintptr_t)attr->addr;

		assert_int_equal(attr->group, KVM_DEV_VFIO_GROUP);
		assert_int_equal(attr->attr, KVM_DEV_VFIO_GROUP_ADD);
		assert_true(double_kind_of(fd) == DOUBLE_GROUP ||
			    double_kind_of(fd) == DOUBLE_CDEV);
		has_kvm = true;
	}
	return ret;
}

int double_vfio_ioctl(int fd, unsigned long request, void *argument)
{
	switch (double_kind_of(fd)) {
	case DOUBLE_CONTAINER:
		return container_ioctl(request, argument);
	case DOUBLE_GROUP:
		return group_ioctl(request, argument);
	case DOUBLE_CDEV:
		return request == VFIO_DEVICE_BIND_IOMMUFD ? bind(fd, argument) : -EINVAL;
	case DOUBLE_DEVICE:
		return device_ioctl(request, argument);
	case DOUBLE_KVM:
	case DOUBLE_MACHINE:
	case DOUBLE_KVM_VFIO:
		return kvm_ioctl(request, argument);
	default:
		return -ENOTTY;
	}
}
